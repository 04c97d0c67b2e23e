# What the build needs from the system. Says which tool is missing and how to get it, in one line, and fails.

missing() {
  echo "make: $1. On Debian or Ubuntu: sudo apt install $2" >&2
  exit 1
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || missing "$python was not found" "python3 python3-venv python3-dev"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  missing "$("$python" -V 2>&1) is too old, 3.11 is needed" "python3.11 python3.11-venv python3.11-dev, then: make PYTHON=python3.11 book"
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing "$python cannot make a virtual environment" "python3-venv"
compiler=${CXX:-c++}
command -v "$compiler" >/dev/null || compiler=g++
command -v "$compiler" >/dev/null || missing "no C++ compiler was found" "g++"
echo 'int main() { if constexpr (true) return 0; }' | "$compiler" -std=c++17 -x c++ -fsyntax-only - 2>/dev/null ||
  missing "$compiler cannot compile C++17" "g++"
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
  echo "make: without the headers of $python the NumPy twin is used, which is slower: sudo apt install python3-dev" >&2
