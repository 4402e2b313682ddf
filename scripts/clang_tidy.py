#!/usr/bin/env python3
"""Runs clang-tidy-19 over the project's sources, most recently changed first, within a time budget.

usage: scripts/clang_tidy.py [--seconds N] [--build FOLDER]
With --seconds no file is started after N seconds; the rest is listed, and that is not a failure.
Git gives the time of a file's last change, because a fresh clone writes all files at one moment; without git, the file does.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def commit_times() -> dict[str, int]:
    """Path -> time of the last commit that touched it; only unmodified files. Empty without git."""
    git = ["git", "-C", str(ROOT), "-c", "core.quotePath=false"]
    try:
        log = subprocess.run([*git, "log", "--format=@%ct", "--name-only"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "diff", "--name-only", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    times: dict[str, int] = {}
    for line in log.stdout.splitlines():
        if line.startswith("@"):
            seconds = int(line[1:])
        elif line:
            times.setdefault(line, seconds)
    for path in changed.stdout.splitlines():
        times.pop(path, None)
    return times


def sources(build: pathlib.Path) -> list[pathlib.Path]:
    database = build / "compile_commands.json"
    if not database.is_file():
        sys.exit(f"clang_tidy: no {database}: run ./dev build dev")
    files = {(pathlib.Path(entry["directory"]) / entry["file"]).resolve()
             for entry in json.loads(database.read_text(encoding="utf-8"))}
    own = [file for file in files if file.is_relative_to(ROOT) and not file.is_relative_to(build) and file.is_file()]
    times = commit_times()
    return sorted(own, key=lambda file: (-times.get(str(file.relative_to(ROOT)), file.stat().st_mtime), str(file)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "dev")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    files = sources(build)
    end = time.monotonic() + arguments.seconds

    def check(file: pathlib.Path) -> tuple[pathlib.Path, int | None, str]:
        if time.monotonic() >= end:
            return file, None, ""
        command = ["clang-tidy-19", "--quiet", "--warnings-as-errors=*", "-p", str(build), str(file)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
        return file, done.returncode, done.stdout

    failed, skipped = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for count, (file, status, output) in enumerate(pool.map(check, files), 1):
            name = str(file.relative_to(ROOT))
            if status is None:
                skipped.append(name)
                continue
            if status:
                failed.append(name)
                print(output.rstrip() or f"{name}: clang-tidy-19 ended with status {status}")
            if count % 10 == 0:
                print(f"clang-tidy: {count} of {len(files)} files", flush=True)
    print(f"clang-tidy: {len(files) - len(skipped)} of {len(files)} files checked, {len(failed)} with findings")
    if skipped:
        print(f"clang-tidy: not checked for lack of time (./dev tidy --clang checks all): {' '.join(skipped)}")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
