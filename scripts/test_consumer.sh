#!/usr/bin/env bash
# Installs build/release (or the build folder given) into a temporary prefix, then configures, builds and runs the outside
# project tests/consumer against it; and tests/check_consumer, which adds the folder of heddle-check.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/release}
[ -f "$build/CMakeCache.txt" ] || { echo "test_consumer: no build in $build: run ./dev build" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")

DESTDIR='' cmake --install "$build" --prefix "$scratch/prefix" > "$scratch/install.log" || { cat "$scratch/install.log"; exit 1; }
# Installed files must not refer to the tree, nor contain this project's own warning flags.
if grep -rnE "heddle_flags|-W(all|error|extra)|$(pwd -P)" "$scratch/prefix" --include='*.cmake'; then
  echo "test_consumer: the installed package leaks private settings of the build" >&2
  exit 1
fi
cmake -S tests/consumer -B "$scratch/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_PREFIX_PATH="$scratch/prefix"
cmake --build "$scratch/build"
"$scratch/build/consumer"
cmake -S tests/check_consumer -B "$scratch/check" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
  -DHEDDLE_CHECK_DIR="$PWD/src/heddle_check"
cmake --build "$scratch/check"
"$scratch/check/mailbox"
if [ -x "$scratch/prefix/bin/heddle" ]; then "$scratch/prefix/bin/heddle" --help > /dev/null; fi
echo "test_consumer: ok"
