# The compiled core. Included by CMakeLists.txt where there is a C++ compiler.
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

# Development.SABIModule must be asked for, or nanobind silently forgets the stable ABI.
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})
find_package(Threads REQUIRED)
execute_process(
  COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
  OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE nanobind_ROOT)
find_package(nanobind CONFIG REQUIRED)

# kernels.cpp, once per instruction set. Only here may a multiplication fuse with an addition: guesses may round as
# they like, the definition (similarity.hpp) may not.
function(consilience_kernels isa bytes)
  add_library(kernels_${isa} OBJECT src/core/kernels.cpp)
  target_compile_definitions(kernels_${isa} PRIVATE ISA=${isa} BYTES=${bytes})
  target_compile_options(kernels_${isa} PRIVATE -O3 -ffp-contract=fast -Wno-psabi ${ARGN})
endfunction()

consilience_kernels(generic 16)
set(CONSILIENCE_PARTS $<TARGET_OBJECTS:kernels_generic>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  consilience_kernels(avx2 32 -mavx2 -mfma)
  consilience_kernels(avx512 64 -mavx512f -mavx512dq -mfma)
  list(APPEND CONSILIENCE_PARTS $<TARGET_OBJECTS:kernels_avx2> $<TARGET_OBJECTS:kernels_avx512>)
endif()

# CUDA. check_language compiles and links a program, and says nothing when that fails; so we do.
if(NOT CONSILIENCE_CUDA STREQUAL "OFF")
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80)  # machine code for Ampere, PTX that newer GPUs compile on first use
    endif()
    set(CMAKE_CUDA_RUNTIME_LIBRARY Static)  # so that importing needs neither a toolkit nor a driver
    enable_language(CUDA)
    set(CMAKE_CUDA_STANDARD 17)
    add_library(cuda OBJECT src/core/cuda/neighbors.cu)
    target_compile_options(cuda PRIVATE --fmad=false -Xptxas --warn-on-spills)
    list(APPEND CONSILIENCE_PARTS $<TARGET_OBJECTS:cuda>)
    set(CONSILIENCE_RECORD_CUDA "${CMAKE_CUDA_COMPILER_VERSION}, for architectures ${CMAKE_CUDA_ARCHITECTURES}")
  else()
    find_program(CONSILIENCE_NVCC nvcc)
    if(CONSILIENCE_NVCC)
      set(CONSILIENCE_RECORD_WHY_NO_CUDA
          "nvcc was found but could not compile and link a program; if the toolkit keeps its libraries in lib rather than lib64, set LIBRARY_PATH to it and install again")
    else()
      set(CONSILIENCE_RECORD_WHY_NO_CUDA "no nvcc was found when the package was installed")
    endif()
    if(CONSILIENCE_CUDA STREQUAL "ON")
      message(FATAL_ERROR "CONSILIENCE_CUDA=ON, but ${CONSILIENCE_RECORD_WHY_NO_CUDA}.")
    endif()
  endif()
else()
  set(CONSILIENCE_RECORD_WHY_NO_CUDA "it was switched off (CONSILIENCE_CUDA=OFF)")
endif()

nanobind_add_module(_compiled STABLE_ABI NB_STATIC NOMINSIZE
  src/core/module.cpp src/core/pack.cpp src/core/neighbors.cpp ${CONSILIENCE_PARTS})
target_compile_options(_compiled PRIVATE -O3 -ffp-contract=off)
target_link_libraries(_compiled PRIVATE Threads::Threads)
if(CMAKE_CUDA_COMPILER)
  target_compile_definitions(_compiled PRIVATE CONSILIENCE_CUDA)
  set_target_properties(_compiled PROPERTIES CUDA_RUNTIME_LIBRARY Static)
endif()
install(TARGETS _compiled LIBRARY DESTINATION consilience/core)
