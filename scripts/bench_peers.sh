#!/usr/bin/env bash
# Our loop and libtorch's on this machine's CPU: 5 runs of each, interleaved, at N = 64 and 256; medians and ratios.
# Usage: scripts/bench_peers.sh [--json]. Needs build/release (./dev build) and libtorch-dev. Takes about 3 minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
die() { printf 'bench_peers: %s\n' "$1" >&2; exit "${2:-1}"; }
case $* in "" | --json) ;; *) die "takes nothing or --json" 2 ;; esac

heddle=${BENCH_PROGRAM:-build/release/bin/heddle}
peer=build/peers/libtorch_loop
source=bench/peers/libtorch_loop.cpp
runs=5 threads=32 seconds=3
[ -x "$heddle" ] || die "no $heddle: run ./dev build"
[ -f /usr/include/torch/csrc/api/include/torch/torch.h ] || die "no libtorch: run ./dev bench peers, or install libtorch-dev"

mkdir -p build/peers
if [ ! -x "$peer" ] || [ "$source" -nt "$peer" ]; then
  echo "building $peer" >&2
  g++ -std=c++20 -O2 -isystem /usr/include/torch/csrc/api/include "$source" -o "$peer" -ltorch -ltorch_cpu -lc10 -pthread
fi

# With the reference BLAS, libtorch is about ten times slower at N=256, which would flatter us.
blas=$(readlink -f "$(ldd "$peer" | awk '$1 == "libblas.so.3" { print $3 }')")
case $blas in *openblas* | *mkl* | *blis*) ;; *) die "libtorch would run on $blas, the slow reference BLAS: install libopenblas0-pthread" ;; esac
echo "libtorch's BLAS: $blas" >&2

results=$(mktemp)
trap 'rm -f "$results"' EXIT
for size in 64 256; do
  for ((run = 1; run <= runs; ++run)); do
    echo "N=$size, run $run of $runs" >&2
    ours=$("$heddle" stress --threads "$threads" --size "$size" --sync-every 40 --seconds "$seconds" --json | tr -d '\n') ||
      die "heddle stress failed"
    printf 'heddle\t%s\t%s\n' "$size" "$ours" >> "$results"
    for way in usual best; do
      line=$(OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$peer" --threads "$threads" --size "$size" --seconds "$seconds" --way "$way") ||
        die "libtorch_loop failed"
      printf '%s\t%s\t%s\n' "$way" "$size" "$line" >> "$results"
    done
  done
done

python3 - "$results" "$threads" "${1:-}" <<'PYTHON'
import collections, json, os, platform, statistics, sys

path, threads, mode = sys.argv[1:4]
rates = collections.defaultdict(list)
for line in open(path, encoding="utf-8"):
    who, size, text = line.rstrip("\n").split("\t")
    rates[who, int(size)].append(float(json.loads(text)["iterations_per_second"]))
model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
              if line.startswith("model name")), platform.machine())
rows = []
for size in sorted({size for _, size in rates}):
    median = {who: statistics.median(rates[who, size]) for who in ("heddle", "usual", "best")}
    rows.append({"size": size, "median": median, "runs": {who: rates[who, size] for who in median},
                 "ratio_to_usual": median["heddle"] / median["usual"], "ratio_to_best": median["heddle"] / median["best"]})
if mode == "--json":
    print(json.dumps({"cpu": model, "cores": os.cpu_count(), "threads": int(threads), "rows": rows}, indent=2))
else:
    print(f"{model}, {os.cpu_count()} cores, {threads} threads; iterations/s, medians of {len(rows[0]['runs']['heddle'])}")
    print("| N | heddle | libtorch, usual | libtorch, best | to usual | to best |\n|---|---|---|---|---|---|")
    for row in rows:
        m = row["median"]
        print(f"| {row['size']} | {m['heddle']:,.0f} | {m['usual']:,.0f} | {m['best']:,.0f} | "
              f"{row['ratio_to_usual']:.2f}x | {row['ratio_to_best']:.2f}x |")
PYTHON
