"""What this machine can do at most, and how to set the peers so that they come closest.

    python benchmarks/limits.py

The peak is that of multiply-adds in the registers of one core. A peer does its arithmetic in a library that picks its
instructions itself, sometimes badly: so each such library is also told what to pick, and the fastest way is its best.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

PRODUCT = """
import time
import numpy as np
A = np.random.default_rng(0).standard_normal((2048, 2048), np.float32)
{}
A @ A
best = float("inf")
for _ in range(5):
    start = time.process_time()
    A @ A
    best = min(best, time.process_time() - start)
print(2 * 2048**3 / best / 1e9)
"""
LIBRARIES = {  # who multiplies matrices, and the variable that tells it how
    "numpy": ("", "OPENBLAS_CORETYPE", ("Haswell", "SkylakeX")),
    "torch": ("import torch; A = torch.from_numpy(A)", "MKL_ENABLE_INSTRUCTIONS", ("AVX2", "AVX512")),
}
GAIN = 1.1  # what is not faster by so much is the same


def machine():
    """What the machine is, in plain words and numbers."""
    return {
        "cpu": cpu_name(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def cpu_name():
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return platform.processor() or "unknown"


def peaks():
    """float32 GFLOP/s of one core, by instruction set, widest first; none where there is no compiled core."""
    from consilience.core import roads

    isas = [isa for isa in roads.isas() if isa != "amx"]  # which has no float32 of its own
    return {isa: round(roads.compiled.peak(isa) / 1e9, 1) for isa in isas}


def settings():
    """How fast each library multiplies, by setting; and the environment of the peers, stock and, if faster, best."""
    products, best = [], {}
    for library, (prepare, variable, choices) in LIBRARIES.items():
        ways = (None, *choices)
        turns = [[product(prepare, variable, choice) for choice in ways] for _ in range(2)]
        speed = {choice: max(of_one) if all(of_one) else None for choice, *of_one in zip(ways, *turns, strict=True)}
        products += [
            {"library": library, "setting": f"{variable}={choice}" if choice else "stock", "gflops": gflops}
            for choice, gflops in speed.items()
            if gflops
        ]
        fastest = max(speed, key=lambda choice: speed[choice] or 0)
        if (speed[fastest] or 0) > GAIN * (speed[None] or 0):
            best[variable] = fastest
    return products, {"stock": {}} | ({"best": best} if best else {})


def product(prepare, variable, choice):
    """GFLOP/s of one thread in a product of two matrices; None where the library, or the instructions, are missing."""
    environment = alone(1) | ({variable: choice} if choice else {})
    command = [sys.executable, "-c", PRODUCT.format(prepare)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return round(float(done.stdout), 1) if done.returncode == 0 else None


def alone(threads):
    """An environment in which every library takes so many threads, and picks its instructions itself."""
    picked = {variable for _, variable, _ in LIBRARIES.values()}
    kept = {name: value for name, value in os.environ.items() if name not in picked}
    return kept | {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}


if __name__ == "__main__":
    print(machine(), peaks(), *settings(), sep="\n")
