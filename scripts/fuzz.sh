#!/usr/bin/env bash
# Builds the fuzz targets (tests/fuzz) in the asan preset and runs each for a number of seconds on its corpus.
#   scripts/fuzz.sh [SECONDS] [NAME]...       default: 15 seconds, every target; two at a time on two processors
#   scripts/fuzz.sh keep [NAME]...            adds inputs that reach new code to tests/fuzz/corpus, and does nothing else
# Prints one line per target: inputs tried, branches reached. For a crash, a leak or a hang it prints the file and the
# command that repeats it, and exits 1. Crashes and found inputs are kept in build/asan/fuzz.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
readonly build=build/asan
readonly found=$build/fuzz
mode=run seconds=15
if [ "${1:-}" = keep ]; then mode=keep; shift
elif [[ ${1:-} =~ ^[0-9]+$ ]]; then seconds=$1; shift; fi
readonly mode seconds

cmake --preset asan -DHEDDLE_BUILD_FUZZERS=ON > "$build.fuzz.log" 2>&1 &&
  cmake --build "$build" --parallel "$(nproc)" --target fuzzers >> "$build.fuzz.log" 2>&1 ||
  { tail -n 30 "$build.fuzz.log"; echo "fuzz: the build failed" >&2; exit 1; }
if [ $# -gt 0 ]; then names=("$@"); else
  mapfile -t names < <(find tests/fuzz -maxdepth 1 -name '*.cpp' -printf '%f\n' | sed 's/[.]cpp$//' | sort)
fi
for name in "${names[@]}"; do
  [ -x "$build/bin/fuzz_$name" ] || { echo "fuzz: no target '$name'; allowed: the files of tests/fuzz" >&2; exit 2; }
  mkdir -p "$found/$name" "tests/fuzz/corpus/$name"
done

run_one() {  # NAME
  local name=$1 log=$found/$1.log status words=()
  [ ! -f "tests/fuzz/$name.dict" ] || words=("-dict=tests/fuzz/$name.dict")
  "$build/bin/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 "${words[@]}" \
    -print_final_stats=1 -artifact_prefix="$found/$name-" "$found/$name" "tests/fuzz/corpus/$name" > "$log" 2>&1
  status=$?
  printf '%-14s %10s inputs %6s branches, seed %s  %s\n' "$name" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
    "$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | tr -dc 0-9)" "$(sed -n 's/^INFO: Seed: *//p' "$log")" \
    "$([ "$status" = 0 ] && echo ok || echo FAILED)"
  [ "$status" = 0 ] && return 0
  grep -E '^(==[0-9]+==ERROR|SUMMARY|fuzz: |.*Test unit written)' "$log" | sed 's/^/    /'
  echo "    repeat: $build/bin/fuzz_$name $(grep -oE 'Test unit written to .*' "$log" | tail -n 1 | cut -d' ' -f5)"
  return 1
}

keep_one() {  # NAME
  "$build/bin/fuzz_$1" -merge=1 -max_len=4096 "tests/fuzz/corpus/$1" "$found/$1" > "$found/$1.log" 2>&1 ||
    { echo "fuzz: $1 could not be merged: $found/$1.log" >&2; return 1; }
  printf '%-14s %4s files\n' "$1" "$(find "tests/fuzz/corpus/$1" -type f | wc -l)"
}

export -f run_one keep_one
export build found seconds
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c "${mode}_one {}"
[ $? = 0 ] || { echo "fuzz: a target failed" >&2; exit 1; }
