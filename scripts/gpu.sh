#!/usr/bin/env bash
# Tests, sanitizer runs and measurements on a machine with an NVIDIA GPU.
#
#   scripts/gpu.sh carry FOLDER               on the build machine: copies programs and libraries into FOLDER
#   FOLDER/gpu.sh build-test|sanitize|bench|alloc|soak OUT   on the machine with the GPU; OUT gets JOB.json and JOB.txt
#
# The machine with the GPU needs the driver, the CUDA 13 runtime libraries (cuBLAS), python3 and, for sanitize,
# compute-sanitizer. It needs no package registry: FOLDER contains libfmt, libhwy, oneDNN (libdnnl, with its OpenCL
# loader) and libgomp from Debian 12; GoogleTest, CLI11 and the JSON library are inside the programs. If PyTorch is
# installed, build-test also compiles the libtorch peers, whose sources are in FOLDER. Each job takes less than 8 minutes.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }

carry() {
  local folder="$1" root build programs library
  root="$(dirname "$here")"
  build="$root/build/release"
  programs=(heddle test_backends_cuda test_device_suite test_page_source_suite test_ops test_tensor test_runtime test_stream heddle_random_programs)
  cmake --build "$build" --target heddle_cli "${programs[@]:1}"
  mkdir -p "$folder/bin" "$folder/lib" "$folder/peers"
  for program in "${programs[@]}"; do strip -o "$folder/bin/$program" "$build/bin/$program"; done
  nvcc -std=c++20 -O2 -arch=sm_90 -o "$folder/bin/raw_loop" "$root/bench/peers/raw_loop.cu" -lcublas
  ldd "$build/bin/heddle" | awk '/libfmt|libhwy|libdnnl|libgomp|libOpenCL/{print $3}' | while read -r library; do
    cp -L "$library" "$folder/lib/"
  done
  cp "$here/gpu.sh" "$here/gpu_jobs.py" "$folder/"
  cp "$root"/bench/peers/libtorch_cuda_{loop,alloc}.cpp "$folder/peers/"
  du -sh "$folder"
}

case "${1:-}" in
  carry) [ $# -eq 2 ] || usage; carry "$2" ;;
  build-test|sanitize|bench|alloc|soak)
    [ $# -eq 2 ] || usage
    export LD_LIBRARY_PATH="$here/lib:/usr/local/cuda/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    exec python3 "$here/gpu_jobs.py" "$1" "$here" "$2" ;;
  *) usage ;;
esac
