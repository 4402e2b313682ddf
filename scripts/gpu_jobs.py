#!/usr/bin/env python3
"""The jobs of scripts/gpu.sh: gpu_jobs.py JOB FOLDER OUT. Each writes OUT/JOB.json and OUT/JOB.txt, and exits 1 if
a requirement does not hold."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

SIZES, THREADS = (64, 256, 1024), (1, 8, 32)
# For fewer or longer runs: the defaults keep each job below 8 minutes. libtorch is measured less often, because it takes longest
# to start.
RUNS = int(os.environ.get("GPU_RUNS", "5"))
TORCH_RUNS = int(os.environ.get("GPU_TORCH_RUNS", "1"))
SECONDS = os.environ.get("GPU_SECONDS", "2")
SOAK_SECONDS = int(os.environ.get("GPU_SOAK_SECONDS", "360"))


def run(command, timeout, environment=None):
    """Exit code (124: timed out), standard output and error combined, seconds."""
    start = time.monotonic()
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, text=True,
                              errors="replace", env={**os.environ, **(environment or {})})
        code, text = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, text = 124, (late.stdout or b"").decode(errors="replace")
    except FileNotFoundError as missing:
        code, text = 127, f"{missing.filename} is missing"
    return code, text, time.monotonic() - start


def table(rows):
    columns = list(rows[0])
    cells = [columns] + [[str(row[column]) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells) + "\n"


def machine():
    _, text, _ = run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], 30)
    return {"gpu": text.strip(), "processors": os.cpu_count(), "kernel": os.uname().release,
            "date": time.strftime("%Y-%m-%d")}


def suite(folder, name, timeout, device=None, gtest_filter="*", environment=None):
    environment = {**(environment or {}), **({"HEDDLE_DEVICE": device} if device else {})}
    with tempfile.TemporaryDirectory() as scratch:
        report = pathlib.Path(scratch, "report.json")
        code, text, seconds = run([f"{folder}/bin/{name}", f"--gtest_filter={gtest_filter}",
                                   f"--gtest_output=json:{report}"], timeout, environment)
        counts = json.loads(report.read_text()) if report.exists() else None
    row = {"check": name + (f" on {device}" if device else ""), "result": "ok" if code == 0 else f"FAILED ({code})",
           "tests": "", "failed": "", "skipped": "", "seconds": f"{seconds:.1f}"}
    if counts is not None:
        skipped = sum(test.get("result") == "SKIPPED" for group in counts["testsuites"] for test in group["testsuite"])
        row.update(tests=counts["tests"], failed=counts["failures"], skipped=skipped)
    return row, text


def build_peer(folder, name):
    """Builds a libtorch peer if PyTorch is installed. '' or the reason why not."""
    if pathlib.Path(f"{folder}/bin/{name}").exists():
        return ""
    code, text, _ = run(["python3", "-c", "import torch, os; print(os.path.dirname(torch.__file__))"], 60)
    if code != 0:
        return "PyTorch is not installed"
    torch = text.strip().splitlines()[-1]
    code, text, _ = run(["g++", "-O2", "-std=c++20", f"{folder}/peers/{name}.cpp", "-o", f"{folder}/bin/{name}",
                         f"-I{torch}/include", f"-I{torch}/include/torch/csrc/api/include", "-I/usr/local/cuda/include",
                         f"-L{torch}/lib", "-L/usr/local/cuda/lib64", "-Wl,--no-as-needed", "-ltorch", "-ltorch_cpu",
                         "-ltorch_cuda", "-lc10", "-lc10_cuda", "-lcudart", f"-Wl,-rpath,{torch}/lib", "-pthread"], 240)
    return "" if code == 0 else text[:500]


def build_test(folder):
    rows, texts = [], []
    for name, device in (("test_backends_cuda", None), ("test_device_suite", None), ("test_page_source_suite", None),
                         ("test_ops", "cuda"), ("test_tensor", "cuda"),
                         ("test_runtime", "cuda"), ("test_stream", "cuda")):
        row, text = suite(folder, name, 120, device)
        rows.append(row)
        if row["result"] != "ok":
            texts.append(text[-6000:])

    # On one connection the streams take turns in the order of submission, so the planted reuse cannot happen.
    row, text = suite(folder, "test_backends_cuda", 60, None, "CudaStreams.*-*Planted*",
                      {"CUDA_DEVICE_MAX_CONNECTIONS": "1"})
    rows.append({**row, "check": "streams on one hardware connection"})
    if row["result"] != "ok":
        texts.append(text[-6000:])

    def stress(name, arguments, wanted, device="cuda"):
        code, text, seconds = run([f"{folder}/bin/heddle", "stress", "--device", device, *arguments], 120)
        rows.append({"check": f"stress {name}", "result": "ok" if code == wanted else f"FAILED ({code})", "tests": "",
                     "failed": "", "skipped": "", "seconds": f"{seconds:.1f}"})
        if code != wanted:
            texts.append(text[-3000:])

    stress("family, N = 256", ["--family"], 0)
    stress("32 threads, N = 64, all sums", ["--size", "64", "--check", "full"], 0)
    stress("64 threads on 8 streams", ["--threads", "64", "--streams", "8", "--size", "64"], 0)
    for inject in ("stale", "swap", "element", "row"):
        stress(f"planted fault: {inject}", ["--threads", "8", "--size", "64", "--iterations", "80", "--inject", inject], 1)
    _, text, _ = run([f"{folder}/bin/heddle", "info"], 60)
    if "cuda:1 " in text:
        stress("on the second device", ["--size", "64", "--check", "full"], 0, "cuda:1")
        stress("planted fault on the second device", ["--threads", "8", "--size", "64", "--iterations", "80", "--inject",
                                                      "element"], 1, "cuda:1")
    code, text, seconds = run([f"{folder}/bin/heddle_random_programs", "--device", "cuda", "--count", "2000"], 240)
    rows.append({"check": "2,000 random programs", "result": "ok" if code == 0 else f"FAILED ({code})", "tests": "",
                 "failed": "", "skipped": "", "seconds": f"{seconds:.1f}"})
    if code != 0:
        texts.append(text[-3000:])
    why = build_peer(folder, "libtorch_cuda_loop")
    rows.append({"check": "libtorch peer compiles", "result": why.splitlines()[0] if why else "ok", "tests": "",
                 "failed": "", "skipped": "", "seconds": ""})
    return rows, texts, all(row["result"] == "ok" for row in rows[:-1])


def sanitize(folder):
    rows, texts = [], []
    loop = [f"{folder}/bin/heddle", "stress", "--device", "cuda", "--threads", "4", "--iterations", "8", "--sync-every", "4"]
    programs = {"loop, N = 64": loop + ["--size", "64"], "loop, N = 600": loop + ["--size", "600"],
                "every operation": [f"{folder}/bin/test_backends_cuda",
                                    "--gtest_filter=CudaOps.EveryCase*:CudaOps.SumsDoNot*:CudaStreams.ResultsOf*"],
                "half precision": [f"{folder}/bin/test_ops", "--gtest_filter=*HalfPrecision*:Stack*:Cast*"]}
    for tool in ("memcheck", "racecheck", "synccheck"):
        for name, program in programs.items():
            code, text, seconds = run(["compute-sanitizer", "--tool", tool, "--error-exitcode", "99", *program], 150,
                                      {"HEDDLE_DEVICE": "cuda"})
            summary = re.findall(r"(?:ERROR|RACECHECK) SUMMARY: (.*)", text)
            rows.append({"tool": tool, "program": name, "result": "ok" if code == 0 else f"FAILED ({code})",
                         "summary": summary[-1] if summary else "", "seconds": f"{seconds:.1f}"})
            if code != 0:
                texts.append(text[-3000:])
    return rows, texts, all(row["result"] == "ok" for row in rows)


def heddle_rate(folder, size, threads, every):
    code, text, _ = run([f"{folder}/bin/heddle", "stress", "--device", "cuda", "--json", "--check", "off", "--size",
                         str(size), "--threads", str(threads), "--sync-every", str(every), "--seconds", SECONDS], 120)
    if code != 0:
        return None
    result = json.loads(text)
    return result["iterations_per_second"], result["cpu_seconds_per_million_iterations"]


def raw_rate(folder, size, threads, every):
    _, text, _ = run([f"{folder}/bin/raw_loop", str(size), str(threads), str(every), SECONDS], 120)
    found = re.search(r": (\d+) iterations/s, ([\d.]+) CPU", text)
    return (float(found[1]), float(found[2])) if found else None


def torch_rate(folder, size, threads, every):
    program = pathlib.Path(f"{folder}/bin/libtorch_cuda_loop")
    if not program.exists():
        return None
    _, text, _ = run([str(program), str(size), str(threads), str(every), SECONDS], 120)
    found = re.search(r": (\d+) iterations/s, ([\d.]+) CPU", text)
    return (float(found[1]), float(found[2])) if found else None


def bench(folder):
    why = build_peer(folder, "libtorch_cuda_loop")
    cells = [(size, threads, 40) for size in SIZES for threads in THREADS] + [(64, 1, 1), (64, 32, 1)]
    makers = {"heddle": heddle_rate, "raw": raw_rate, "libtorch": torch_rate}
    figures = {(cell, name): [] for cell in cells for name in makers}
    end = time.monotonic() + 420
    for number in range(RUNS):
        for cell in cells:
            if time.monotonic() > end:  # the medians then cover fewer runs, and "runs" shows it
                continue
            for name, rate in makers.items():
                if name == "libtorch" and number >= TORCH_RUNS:
                    continue
                found = rate(folder, *cell)
                if found is not None:
                    figures[cell, name].append(found)
    rows = []
    for cell in cells:
        medians = {name: statistics.median(rate for rate, _ in figures[cell, name]) for name in makers
                   if figures[cell, name]}
        row = {"N": cell[0], "threads": cell[1], "sync every": cell[2], "runs": len(figures[cell, "heddle"])}
        for name in makers:
            row[name] = f"{medians[name]:.0f}" if name in medians else "-"
        row["of raw"] = f"{medians['heddle'] / medians['raw']:.2f}" if {"heddle", "raw"} <= set(medians) else "-"
        row["of libtorch"] = (f"{medians['heddle'] / medians['libtorch']:.2f}"
                              if {"heddle", "libtorch"} <= set(medians) else "-")
        for name in ("heddle", "raw"):
            cpu = [seconds for _, seconds in figures[cell, name]]
            row[f"CPU s/M {name}"] = f"{statistics.median(cpu):.1f}" if cpu else "-"
        rows.append(row)
    code, notice, _ = run([f"{folder}/bin/heddle", "bench", "notice", "--device", "cuda", "--runs", "3", "--seconds", "1"],
                          120)
    return rows, [notice] + ([f"libtorch was not measured: {why}\n"] if why else []), code == 0


def torch_pairs(folder, size, threads):
    _, text, _ = run([f"{folder}/bin/libtorch_cuda_alloc", str(size), str(threads), "1"], 120)
    found = re.search(r": (\d+) pairs/s", text)
    return float(found[1]) if found else None


def alloc(folder):
    """Allocate and free on each thread's own stream, beside PyTorch's caching allocator."""
    why = build_peer(folder, "libtorch_cuda_alloc")
    rows, holds = [], True
    for threads in THREADS:
        code, text, _ = run([f"{folder}/bin/heddle", "bench", "alloc", "--device", "cuda", "--threads", str(threads),
                             "--runs", str(RUNS), "--seconds", "0.5", "--json"], 120)
        if code != 0:
            return rows, [text], False
        medians = {row["case"]: row["median"] for row in json.loads(text)["rows"]}
        for name, size in (("512 B", 512), ("16 KiB", 16 << 10), ("1 MiB", 1 << 20), ("16 MiB", 16 << 20)):
            ours, calls = medians[f"{name}, all threads"], medians[f"{name}, driver calls"]
            theirs = [] if why else [pairs for _ in range(RUNS) if (pairs := torch_pairs(folder, size, threads))]
            middle = statistics.median(theirs) if theirs else None
            rows.append({"bytes": name, "threads": threads, "heddle, pairs/s": f"{ours:.0f}",
                         "ns per pair": f"{medians[name]:.1f}", "driver calls per 1,000 pairs": f"{calls:.3f}",
                         "libtorch, pairs/s": f"{middle:.0f}" if middle else "-",
                         "of libtorch": f"{ours / middle:.0f}" if middle else "-"})
            holds = holds and calls == 0
    return rows, [f"libtorch was not measured: {why}\n"] if why else [], holds


def used_mib():
    _, text, _ = run(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], 30)
    return int(text.split()[0])


def soak(folder):
    """The loop with varying threads and sizes, in one process after another; memory outside of them must not grow."""
    rows, texts = [], []
    idle = used_mib()
    end = time.monotonic() + SOAK_SECONDS
    shapes = [(32, 64), (80, 256), (8, 1024), (1, 64), (64, 128)]
    while time.monotonic() < end:
        threads, size = shapes[len(rows) % len(shapes)]
        program = subprocess.Popen([f"{folder}/bin/heddle", "stress", "--device", "cuda", "--seconds", "12", "--threads",
                                    str(threads), "--size", str(size), "--json"], stdout=subprocess.PIPE, text=True)
        time.sleep(4)
        early = used_mib()
        time.sleep(6)
        late = used_mib()
        text, _ = program.communicate(timeout=60)
        ok = program.returncode == 0 and late == early
        rows.append({"threads": threads, "N": size, "result": "ok" if ok else "FAILED", "MiB after 4 s": early,
                     "MiB after 10 s": late})
        if not ok:
            texts.append(text[-2000:])
    rows.append({"threads": "", "N": "idle", "result": "ok" if used_mib() <= idle + 8 else "FAILED", "MiB after 4 s": idle,
                 "MiB after 10 s": used_mib()})
    return rows, texts, all(row["result"] == "ok" for row in rows)


JOBS = {"build-test": build_test, "sanitize": sanitize, "bench": bench, "alloc": alloc, "soak": soak}


def main():
    job, folder, out = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    rows, texts, holds = JOBS[job](folder)
    result = {"job": job, "machine": machine(), "runs": RUNS, "seconds_a_run": float(SECONDS), "holds": holds,
              "seconds": round(time.monotonic() - start, 1), "rows": rows}
    (out / f"{job}.json").write_text(json.dumps(result, indent=1) + "\n")
    text = f"{job}: {result['machine']}\n{table(rows)}" + "\n".join(texts)
    (out / f"{job}.txt").write_text(text)
    print(text)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
