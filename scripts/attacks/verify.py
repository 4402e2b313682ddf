"""heddle verify with kills, concurrent runs, a full disk, hostile names, links: the ledger keeps every round."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Iterable

from attacks.common import Context, Ended, Row, clean_environment, crash, one_line, run, shown

NAMES = [b"sp ace", b"new\nline", b"esc\x1b[31m", b"bad\xff", b"pipe|cell", b"per%s%n{}", b"<script>", b"-dash", b"tab\t",
         b"q'uote"]


def read_ledger(context: Context, folder) -> tuple[Ended, dict]:
    ended = run([context.installed / "heddle", "ledger", "--json", "--out", folder])
    return ended, json.loads(ended.out) if ended.code == 0 else {}


def processes_of(mark: bytes) -> list[int]:
    """The processes with `mark` in their environment."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def row_of(story: dict) -> int:
    count = 0
    for entry in reversed(story.get("rounds", [])):
        if entry["result"] != "clean":
            break
        count += 1
    return count


def killed(context: Context, budget: str, most: float, count: int) -> Row:
    row = Row(f"verify --budget {budget}, kill -9 at a random moment")
    choose = context.random(row.name)
    folder = context.fresh_folder("killed")
    said: dict[int, str] = {}
    for _ in range(count):
        if context.time_is_up():
            break
        command = [str(context.installed / "heddle"), "verify", "--budget", budget, "--out", str(folder)]
        process = subprocess.Popen(command, env=clean_environment(ATTACK_MARK=folder.name), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        moment = choose.random() ** 1.5 * most
        try:
            out, _ = process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            out, _ = process.communicate()
        begun = re.search(r"heddle verify, round (\d+)", out)
        verdict = re.search(r"^(CLEAN|FAILED|VOID):", out, re.M)
        if begun:
            said[int(begun[1])] = verdict[1].lower() if verdict else "unfinished"
        row.take(ledger_problem(context, folder, said), f"killed after {moment:.2f} s: {shown(command)}")
    shutil.rmtree(folder, ignore_errors=True)
    return row


def ledger_problem(context: Context, folder: pathlib.Path, said: dict[int, str]) -> str:
    """Compared with the output: no round lost, none with a different result, no process left."""
    mark = b"ATTACK_MARK=" + folder.name.encode()
    for _ in range(50):
        if not processes_of(mark):
            break
        time.sleep(0.1)
    if left := processes_of(mark):
        return f"processes are left: {left}"
    ended, story = read_ledger(context, folder)
    if ended.code != 0:
        return "" if not said and "no ledger" in ended.err else f"the ledger: {ended.code} {one_line(ended.err)!r}"
    have = {entry["round"]: entry["result"] for entry in story["rounds"]}
    for number, result in said.items():
        if number not in have:
            return f"round {number} is lost"
        # A verdict is printed after the ledger has it; a round killed between the two is only in the ledger.
        if have[number] != result and (result != "unfinished" or have[number] == "running"):
            return f"round {number} said {result}, the ledger says {have[number]}"
    if story.get("flaws"):
        return f"flaws: {story['flaws']}"
    if story["clean_in_a_row_any_build"] != row_of(story):
        return f"{story['clean_in_a_row_any_build']} in a row, not {row_of(story)}"
    if parts := [path.name for path in folder.iterdir() if path.name.endswith(".part")]:
        return "" if len(parts) <= 1 else f"temporary files pile up: {parts}"
    return ""


def several(context: Context, verifiers: int, rounds: int) -> Row:
    row = Row(f"{verifiers} verifiers at once, {rounds} rounds each, one folder")
    folder = context.fresh_folder("several")
    command = [context.installed / "heddle", "verify", "--budget", "1s", "--grace", "60s", "--rounds", rounds, "--out", folder]
    with ThreadPoolExecutor(verifiers) as pool:
        ends = list(pool.map(lambda _: run(command, most=600), range(verifiers)))
    for ended in ends:
        row.take(crash(ended) or ("" if ended.code == 0 else f"exit code {ended.code}: {one_line(ended.err or ended.out)!r}"),
                 shown(command))
    _, story = read_ledger(context, folder)
    numbers = sorted(entry["round"] for entry in story.get("rounds", []))
    row.take("" if numbers == list(range(1, verifiers * rounds + 1)) else f"the rounds are {numbers}", shown(command))
    shutil.rmtree(folder, ignore_errors=True)
    return row


def full_disk(context: Context, sizes: Iterable[int]) -> Row:
    row = Row("a disk with 4 to 60 KiB left")
    for kib in sizes:
        if context.time_is_up():
            break
        script = ('mount --make-rprivate / && mount -t tmpfs -o size=$2k none "$1" && '
                  '"$0" verify --budget 1s --grace 60s --out "$1" > "$1.said" 2> "$1.errors"; echo $? > "$1.code"; '
                  '"$0" ledger --json --out "$1" > "$1.ledger" 2>> "$1.errors.ledger"; echo $? >> "$1.code"')
        folder = context.fresh_folder("disk")
        ended = run(["unshare", "--mount", "sh", "-c", script, context.installed / "heddle", folder, kib], most=120)
        if ended.code != 0:
            row.skipped = f"no tmpfs can be mounted here: {one_line(ended.err)}"
            break
        row.take(disk_problem(folder), f"verify into a tmpfs of {kib} KiB")
        for path in folder.parent.glob(folder.name + "*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return row


def disk_problem(folder: pathlib.Path) -> str:
    texts = {name: pathlib.Path(f"{folder}.{name}").read_text(encoding="utf8", errors="replace")
             for name in ("said", "errors", "code", "ledger", "errors.ledger")}
    verify, ledger = map(int, texts["code"].split())
    if verify not in (0, 1, 2) or ledger not in (0, 2):
        return f"exit codes {verify}, {ledger}: {one_line(texts['errors'] + texts['errors.ledger'])!r}"
    if verify and texts["errors"].count("\n") < 1:
        return f"exit code {verify} with no message: {one_line(texts['said'])!r}"
    story = json.loads(texts["ledger"]) if ledger == 0 else {}
    if "CLEAN: 1" in texts["said"] and story.get("clean_in_a_row") != 1:
        return "CLEAN is said of a round that the ledger lacks"
    if story.get("torn_lines"):
        return "a torn line is left"
    return ""


def hostile_names(context: Context, names: list[bytes]) -> Row:
    row = Row("hostile names of the build's and the reports' folder")
    base = context.fresh_folder("names")
    for name in names:
        if context.time_is_up():
            break
        folder = os.path.join(os.fsencode(base), name)
        os.makedirs(folder)
        for program in ("heddle", "heddle-check"):
            shutil.copy2(context.installed / program, os.path.join(folder, os.fsencode(program)))
        heddle, out = os.path.join(folder, b"heddle"), os.path.join(folder, b"out")
        row.take(name_problem(heddle, out), f"a folder named {name!r}")
        with open(os.path.join(folder, b"heddle-check"), "w", encoding="utf8") as file:  # the reason names the folder
            file.write("#!/bin/sh\nexit 3\n")
        row.take(name_problem(heddle, out + b"2", clean=False), f"a folder named {name!r}, a check program that fails")
        shutil.rmtree(folder, ignore_errors=True)
    return row


def name_problem(heddle: bytes, out: bytes, clean: bool = True) -> str:
    ended = run([heddle, "verify", "--budget", "1s", "--grace", "60s", "--out", out], most=120)
    story = run([heddle, "ledger", "--json", "--out", out])
    text = run([heddle, "ledger", "--out", out])
    if crash(ended) or ended.code != (0 if clean else 1):
        return crash(ended) or f"exit code {ended.code}: {one_line(ended.err or ended.out)!r}"
    if story.code != 0 or text.code != 0:
        return f"ledger: exit codes {story.code}, {text.code}: {one_line(story.err or text.err)!r}"
    results = [entry["result"] for entry in json.loads(story.out)["rounds"]]
    if results != (["clean"] if clean else ["void"]):
        return f"the ledger says {results}"
    if any(ord(letter) < 32 and letter != "\n" for letter in text.out + ended.out + ended.err):
        return "control characters reach the terminal"
    return ""


def links(context: Context) -> Row:
    """Another user of the folder puts links in place of future temporary files."""
    row = Row("links in the place of temporary files")
    folder = context.fresh_folder("links")
    victim = context.folder / "victim"
    script = ('for name in ledger.jsonl writable round-0001.json round-0001.md; do ln -s "$1" "$2/$name.$$.part"; '
              'ln -s "$1" "$2/.$name.$$.part"; done; exec "$0" verify --budget 1s --grace 60s --out "$2"')
    for content in ("precious\n", None):
        victim.unlink(missing_ok=True)
        if content is not None:
            victim.write_text(content, encoding="utf8")
        command = ["sh", "-c", script, context.installed / "heddle", victim, folder]
        ended = run(command, most=120)
        after = victim.read_text(encoding="utf8") if victim.exists() else None
        row.take(crash(ended) or ("" if after == content else "a link was followed"), shown(command))
        for path in folder.iterdir():
            path.unlink()
    return row


def attack(context: Context) -> Iterable[Row]:
    if not (context.installed / "heddle-check").exists():
        yield Row("heddle verify", skipped="this build has no heddle-check")
        return
    yield links(context)
    yield killed(context, "1s", 6, context.count(0, 4, 25))
    yield full_disk(context, (4, 24) if context.scale != "full" else range(4, 64, 4))
    yield hostile_names(context, NAMES[3:4] if context.scale != "full" else NAMES)
    yield several(context, 2, 1) if context.scale != "full" else several(context, 4, 3)
    if context.scale == "full":
        yield killed(context, "40s", 60, 30)
