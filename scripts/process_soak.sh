#!/usr/bin/env bash
# Runs every process scenario and plugin mode in turn, each run with its own seed, until RUNS runs are done.
#   scripts/process_soak.sh [RUNS] [FIRST-SEED]    default: 1000 runs, seeds from 1
# Prints one line per failed run with the command that repeats it, and a summary; exits 1 when a run failed.
# SOAK_BUILD names the build folder (default build/release); each run may take 20 s, SOAK_SECONDS changes that.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
readonly runs=${1:-1000} first=${2:-1}
[[ $runs =~ ^[1-9][0-9]*$ && $first =~ ^[0-9]+$ ]] || { echo "usage: $0 [RUNS] [FIRST-SEED]" >&2; exit 2; }
build=${SOAK_BUILD:-build/release}
readonly build
readonly seconds=${SOAK_SECONDS:-20}
plugin=$(find "$build/tests/process" -name 'libprocess_plugin.so') || exit 1

# EXPECTED-CODE COMMAND, one per line.
scenarios() {
  "$build/bin/process_scenario" --list | while read -r name code; do echo "$code $build/bin/process_scenario $name"; done
  for mode in unused running finished; do echo "3 $build/bin/process_plugin_host $mode $plugin"; done
}

run_one() {  # NUMBER EXPECTED-CODE COMMAND...
  local number=$1 expected=$2 output code
  shift 2
  output=$(timeout -s KILL "$seconds" "$@" 2>&1)
  code=$?
  if [ "$code" != "$expected" ] || [ -n "$output" ]; then
    [ "$code" != 137 ] || output="killed (after $seconds s: a hang) $output"
    printf 'FAILED %s (code %s, not %s): %s\n' "$*" "$code" "$expected" "${output//$'\n'/ | }"
  fi
  [ $((number % 100)) != 0 ] || printf 'run %s of %s\n' "$number" "$runs"
}
export -f run_one
export runs seconds

mapfile -t table < <(scenarios)
[ "${#table[@]}" -gt 3 ] || { echo "no scenarios in $build: build the target test_process" >&2; exit 1; }
start=$SECONDS
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
for ((i = 0; i < runs; ++i)); do
  echo "$((i + 1)) ${table[i % ${#table[@]}]} $((first + i / ${#table[@]}))"
done | xargs -P $((2 * $(nproc))) -L 1 bash -c 'run_one "$@"' _ | tee "$log"
failures=$(grep -c '^FAILED' "$log")
echo "process soak: $runs runs of ${#table[@]} scenarios in $((SECONDS - start)) s, $failures failed"
[ "$failures" = 0 ]
