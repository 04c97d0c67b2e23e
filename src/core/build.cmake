# The compiled core. Included by CMakeLists.txt where there are a C++ compiler and Python's headers.
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

find_package(Threads REQUIRED)
execute_process(
  COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
  OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE nanobind_ROOT)
find_package(nanobind CONFIG REQUIRED)

# These parts once per instruction set. Only in the definition (similarity.hpp) no multiplication may fuse with an
# addition: guesses may round as they like.
function(consilience_kernels isa bytes)
  foreach(part multiply kernels picks definition)
    add_library(${part}_${isa} OBJECT src/core/${part}.cpp)
    target_compile_definitions(${part}_${isa} PRIVATE ISA=${isa} BYTES=${bytes})
    target_compile_options(${part}_${isa} PRIVATE -O3 -fno-math-errno -Wno-psabi ${ARGN})
    list(APPEND CONSILIENCE_PARTS $<TARGET_OBJECTS:${part}_${isa}>)
  endforeach()
  foreach(part multiply kernels picks)
    target_compile_options(${part}_${isa} PRIVATE -ffp-contract=fast)
  endforeach()
  target_compile_options(definition_${isa} PRIVATE -ffp-contract=off)
  set(CONSILIENCE_PARTS ${CONSILIENCE_PARTS} PARENT_SCOPE)
endfunction()

consilience_kernels(generic 16)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  consilience_kernels(avx2 32 -mavx2 -mfma)
  consilience_kernels(avx512 64 -mavx512f -mavx512dq -mfma)
endif()

# CUDA. check_language compiles and links a program, and says nothing when that fails; so we do.
if(NOT CONSILIENCE_CUDA STREQUAL "OFF")
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_RUNTIME_LIBRARY Static)  # so that importing needs neither a toolkit nor a driver
    if(NOT CMAKE_CUDA_ARCHITECTURES)  # without tensor cores, and with; the latter also as PTX, which newer GPUs compile
      set(CMAKE_CUDA_ARCHITECTURES 75-real 80)
    endif()
    enable_language(CUDA)
    set(CMAKE_CUDA_STANDARD 17)
    add_library(cuda OBJECT
      src/core/cuda/cross_correlation.cu
      src/core/cuda/dissimilarities.cu
      src/core/cuda/kernel_sums.cu
      src/core/cuda/layer_sums.cu
      src/core/cuda/neighbors.cu
      src/core/cuda/permutations.cu
      src/core/cuda/relation_sums.cu)
    target_compile_options(cuda PRIVATE --fmad=false -Xptxas --warn-on-spills)
    list(APPEND CONSILIENCE_PARTS $<TARGET_OBJECTS:cuda>)
    set(CONSILIENCE_RECORD_CUDA "${CMAKE_CUDA_COMPILER_VERSION}, for architectures ${CMAKE_CUDA_ARCHITECTURES}")
  else()
    find_program(CONSILIENCE_NVCC nvcc)
    if(CONSILIENCE_NVCC)
      set(CONSILIENCE_RECORD_WHY_NO_CUDA
          "nvcc could not compile and link a program (are its libraries in lib, not lib64? then set LIBRARY_PATH)")
    else()
      set(CONSILIENCE_RECORD_WHY_NO_CUDA "there was no nvcc at installation")
    endif()
    if(CONSILIENCE_CUDA STREQUAL "ON")
      message(FATAL_ERROR "CONSILIENCE_CUDA=ON, but ${CONSILIENCE_RECORD_WHY_NO_CUDA}.")
    endif()
  endif()
else()
  set(CONSILIENCE_RECORD_WHY_NO_CUDA "switched off by CONSILIENCE_CUDA=OFF")
endif()

nanobind_add_module(_compiled STABLE_ABI NB_STATIC NOMINSIZE
  src/core/amx.cpp
  src/core/cross_correlation.cpp
  src/core/dissimilarities.cpp
  src/core/graph_sums.cpp
  src/core/inversions.cpp
  src/core/kernel_sums.cpp
  src/core/layer_sums.cpp
  src/core/median_distance.cpp
  src/core/neighbors.cpp
  src/core/pack.cpp
  src/core/peak.cpp
  src/core/permutations.cpp
  src/core/permuted_graphs.cpp
  src/core/rank_correlation.cpp
  src/core/relation_sums.cpp
  src/core/rounded.cpp
  src/core/split.cpp
  src/core/python/cross_correlation.cpp
  src/core/python/dissimilarities.cpp
  src/core/python/graph_sums.cpp
  src/core/python/kernel_sums.cpp
  src/core/python/layer_sums.cpp
  src/core/python/module.cpp
  src/core/python/neighbors.cpp
  src/core/python/peak.cpp
  src/core/python/permutations.cpp
  src/core/python/rank_correlation.cpp
  src/core/python/relation_sums.cpp
  ${CONSILIENCE_PARTS})
target_compile_options(_compiled PRIVATE -O3 -ffp-contract=off)
target_link_libraries(_compiled PRIVATE Threads::Threads)
if(CONSILIENCE_RECORD_CUDA)  # not CMAKE_CUDA_COMPILER, which an earlier build with CUDA leaves behind
  target_compile_definitions(_compiled PRIVATE CONSILIENCE_CUDA)
  set_target_properties(_compiled PROPERTIES CUDA_RUNTIME_LIBRARY Static)
endif()
install(TARGETS _compiled LIBRARY DESTINATION consilience/core)
