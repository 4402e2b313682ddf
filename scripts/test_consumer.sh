#!/usr/bin/env bash
# test_consumer.sh [BUILD] [--all]: what an outside project gets of heddle. Installs BUILD (build/release), as a static and
# as a shared library of the same objects, into temporary prefixes; then configures, builds and runs tests/consumer
# against them, with every warning an error: {static, shared} x {g++-12, clang++-19} x {C++20, C++23}. Two of these eight,
# which differ in all three and follow from the commit's hash, or with --all each. Looks at what is installed and
# exported, uses pkg-config, and takes heddle's sources into the project. Also tests/check_consumer, which adds the folder
# of heddle-check.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
all=
build=build/release
for argument; do if [ "$argument" = --all ]; then all=1; else build=$argument; fi; done
[ -f "$build/CMakeCache.txt" ] || { echo "test_consumer: no build in $build: run ./dev build" >&2; exit 1; }
fail() { echo "test_consumer: $*" >&2; exit 1; }
scratch=$(mktemp -d)
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
linkage=$(cached BUILD_SHARED_LIBS)
restore() {
  rm -rf "$scratch"
  [ "$(cached BUILD_SHARED_LIBS)" = "$linkage" ] || cmake -S . -B "$build" -DBUILD_SHARED_LIBS="$linkage" > /dev/null
}
trap restore EXIT
quietly() { "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log" >&2; fail "failed: $*"; }; }

# The objects are those of $build: a change of the linkage links anew, and compiles nothing.
install_as() {
  local prefix=$scratch/$1 shared=OFF
  [ "$1" = static ] || shared=ON
  [ "$(cached BUILD_SHARED_LIBS)" = $shared ] || quietly cmake -S . -B "$build" -DBUILD_SHARED_LIBS=$shared
  quietly cmake --build "$build" --target heddle
  for component in development runtime; do
    DESTDIR='' quietly cmake --install "$build" --prefix "$prefix" --component $component
  done
  # What is installed must not point back into the tree, nor carry this project's own warning flags.
  if grep -rnE "heddle_flags|-W(all|error|extra)|$(pwd -P)" "$prefix" --include='*.cmake' --include='*.pc'; then
    fail "the installed package leaks what is private to the build"
  fi
  diff -r include/heddle "$prefix/include/heddle" || fail "the installed headers are not those of include/heddle"
}

# Each exported symbol is of namespace heddle, and its first name is in a public header.
check_exports() {
  local library=$1 name
  nm -DC --defined-only "$library" | sed -E 's/^[0-9a-f]* +[A-Za-z] //' > "$scratch/exported"
  [ "$(wc -l < "$scratch/exported")" -gt 100 ] || fail "$library exports next to nothing"
  sed -E 's/^(vtable for|typeinfo for|typeinfo name for|non-virtual thunk to) //' "$scratch/exported" |
    sed -nE 's/^heddle::(shipped::)?([A-Za-z_]+).*/\2/; p' | sort -u > "$scratch/names"
  while read -r name; do
    grep -rqwF -- "$name" include/heddle || fail "$library exports $name: $(grep -m1 -F -- "$name" "$scratch/exported")"
  done < "$scratch/names"
  [[ $(readelf -d "$library") =~ SONAME.*libheddle.so.[0-9] ]] || fail "$library has no versioned name"
}

consume() {
  local kind=$1 compiler=$2 standard=$3
  local prefix=$scratch/$kind to=$scratch/$kind-$compiler-$standard
  quietly cmake -S tests/consumer -B "$to" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_CXX_STANDARD="$standard" -DCMAKE_PREFIX_PATH="$prefix"
  quietly cmake --build "$to"
  printf '%-6s %-10s C++%s: ' "$kind" "$compiler" "$standard"
  "$to/consumer"
  # The same without CMake.
  local flags
  flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name heddle.pc)") pkg-config --cflags --libs heddle)
  # shellcheck disable=SC2086  # flags is a list
  quietly "$compiler" "-std=c++$standard" tests/consumer/main.cpp $flags -Wl,-rpath,"$(dirname "$(find "$prefix" -name 'libheddle.*' -print -quit)")" \
    -o "$to/by_pkg_config"
  quietly "$to/by_pkg_config"
}

combinations=()
for kind in static shared; do
  for compiler in g++-12 clang++-19; do
    for standard in 20 23; do combinations+=("$kind $compiler $standard"); done
  done
done
if [ -z "$all" ]; then
  hash=$(git rev-parse --short=7 HEAD 2> /dev/null || echo 0)
  first=$((16#$hash % 8))
  combinations=("${combinations[first]}" "${combinations[7 - first]}")
fi
install_as shared
check_exports "$(find "$scratch/shared" -name 'libheddle.so' -print -quit)"
install_as static
for combination in "${combinations[@]}"; do
  # shellcheck disable=SC2086  # three words
  consume $combination
done

# A later minor version may differ: this one does not stand in for it.
cmake -S tests/consumer -B "$scratch/later" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/static" -DHEDDLE_WANTED=0.999 \
  > /dev/null 2>&1 && fail "find_package(heddle 0.999) finds this version"

# The sources as a part of the project; all of them are compiled only with --all.
quietly cmake -S tests/consumer -B "$scratch/sources" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEDDLE_SOURCE_DIR="$PWD" \
  -DHEDDLE_WITH_CUDA=OFF
if [ -n "$all" ]; then
  quietly cmake --build "$scratch/sources" --target consumer
  "$scratch/sources/consumer"
else
  quietly ninja -C "$scratch/sources" CMakeFiles/consumer.dir/main.cpp.o
fi

quietly cmake -S tests/check_consumer -B "$scratch/check" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_CXX_COMPILER="$(cached CMAKE_CXX_COMPILER)" -DHEDDLE_CHECK_DIR="$PWD/src/heddle_check"
quietly cmake --build "$scratch/check"
"$scratch/check/mailbox"
# heddle and heddle-check, which finds it in the same folder.
if [ -x "$build/bin/heddle" ] && [ -x "$build/bin/heddle-check" ]; then
  DESTDIR='' quietly cmake --install "$build" --prefix "$scratch/programs" --component programs
  quietly "$scratch/programs/bin/heddle" --help
  quietly "$scratch/programs/bin/heddle-check" list
fi
echo "test_consumer: ok"
