"""Random arguments and HEDDLE_* variables for heddle, random arguments and decision strings for heddle-check."""

import dataclasses
import os
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Iterable

from attacks.common import Context, Ended, Row, clean_environment, crash, one_line, run, shown

WORDS = ["", "0", "-0", "-1", "+1", "1", "2", "7", "00000001", "1e3", "0x10", "1.5", ".5", "5.", "nan", "inf", "-inf",
         "1e-400", "1e400", "18446744073709551615", "18446744073709551616", "9223372036854775808", "4294967297",
         "99999999999999999999999", "%s%s%n", "{}", "{:99999999}", "../../../etc/passwd", "/dev/null", "/dev/zero", "\n",
         "a\nb", "\t", " 1", "1 ", b"\xff\xfe", b"\x01", "A" * 4000, "1,2", "$(id)", "`id`", "--", "-", "=", "@", "\u0663",
         "1K", "1KiB", "1M", "16777216T", "4096", "4095", "1G", "0B", "B", "cpu", "CPU", "cuda:", "cuda:-1", "sim", "full",
         "off", "sampled", "none", "stale", "spin", "block", "best", "portable", "s", "1s", "1m", "1h1", "true"]
STRESS = {"--threads": ["1", "2", "3"], "--iterations": ["1", "2"], "--sync-every": ["1", "3"], "--size": ["1", "8", "17"],
          "--streams": ["1", "2", "5"], "--check": ["full", "off", "sampled"], "--inject": ["none", "stale", "row"],
          "--seed": ["0", "1", "18446744073709551615"], "--memory-limit": ["1M", "4096", "16M", "1G"],
          "--device": ["cpu", "sim", "cuda"], "--repeat": ["1"], "--json": [], "--help": [], "--weave": [], "--version": []}
VARIABLES = {"DEVICE": ["cpu", "sim"], "CPU_KERNELS": ["best", "portable"], "CPU_WORKERS": ["1", "3"],
             "MEMORY_LIMIT": ["64M", "4096", "1M"], "STREAMS": ["1", "64"], "STREAMS_MAX": ["1", "4096", "64"],
             "WAIT": ["spin", "adaptive", "block"], "CUDA_MATMUL": ["full", "tf32"], "CUDA_PAGES": ["virtual", "plain"],
             "MEMORY_HIGH": ["1M", "32M"], "MEMORY_LOW": ["1M", "16M"]}
CHECK = ["", "0", "-1", "1e9", "nan", "0x10", "18446744073709551616", "%s%s%n", "\n", b"\xff", "A" * 5000, "1,", "*",
         "1*10000001", "256", "1*0", ":", ":::::", "hc1", "hc2:", "--", "-", "none", "exhaustive:", "bounded:-1", "bounded:101",
         "walk:nan", "walk:2", "pct:0", "portfolio", "pos", "surw", "inbox_2x4", "canary", "--plant", "--strategy",
         "--seconds", "--seed", "--bound", "--group", "run", "replay", "minimise", "list", "--json"]


def raw(word) -> bytes:
    return (word if isinstance(word, bytes) else word.encode("utf8", "surrogateescape")).replace(b"\0", b"")


def mutated(word: str, choose: random.Random) -> bytes:
    text = bytearray(word.encode())
    for _ in range(choose.randint(1, 4)):
        at = choose.randrange(len(text) + 1)
        kind = choose.randrange(4)
        if kind == 0 and text:
            text[at % len(text)] = choose.randrange(1, 256)
        elif kind == 1 and text:
            del text[at % len(text)]
        elif kind == 2:
            text[at:at] = choose.choice(b"0123456789.-+eKMGTx,*: \xe9").to_bytes(1, "little")
        else:
            text[at:at] = raw(choose.choice(WORDS))[:64]
    return bytes(text)


def stress_arguments(choose: random.Random) -> list[bytes]:
    words = {"--threads": "2", "--iterations": "2", "--size": "8"}  # small values where none is drawn
    arguments: list = ["stress"]
    for option in choose.sample(sorted(STRESS), choose.randint(0, 4)):
        words.pop(option, None)
        arguments.append(option)
        if STRESS[option]:
            kind = choose.random()
            large = option in ("--iterations", "--size", "--threads", "--streams", "--repeat")
            value = choose.choice(STRESS[option])
            arguments.append(value if kind < 0.35 or (large and kind < 0.8) else
                             choose.choice(WORDS) if kind < 0.7 else mutated(value, choose))
    for option, value in words.items():
        arguments += [option, value]
    return [raw(word) for word in arguments]


def heddle_arguments(choose: random.Random) -> list[bytes]:
    command = choose.choice(["stress"] * 6 + ["info", "ledger", "bench", "verify-attempt", "verify", "", choose.choice(WORDS)])
    if command == "stress":
        return stress_arguments(choose)
    more: list = []
    if command == "ledger":
        more = ["--out", choose.choice(WORDS + ["/", "/proc/self", "/dev"])]
    elif command == "verify":  # refused before it begins
        more = [choose.choice(["--rounds", "--until", "--budget", "--grace", "--round"]), choose.choice(["0", "-1", "x", "1e9"])]
    elif command == "verify-attempt":
        more = [choose.choice(["0", "4", "-1", "x"]), choose.choice(["--share", "--seed", "--device"]), choose.choice(["nan", "x"])]
    elif command == "bench":
        more = [choose.choice(["weave", "", *WORDS[:12]])]
    else:
        more = [choose.choice(WORDS) for _ in range(choose.randint(0, 2))]
    return [raw(word) for word in (command, *more)]


def variables(choose: random.Random) -> dict[str, bytes]:
    chosen: dict[str, bytes] = {}
    for name in choose.sample(sorted(VARIABLES), choose.randint(1, 4)):
        good = choose.choice(VARIABLES[name])
        kind = choose.random()
        chosen["HEDDLE_" + name] = raw(good if kind < 0.4 else choose.choice(WORDS)) if kind < 0.75 else mutated(good, choose)
    if choose.random() < 0.1:
        chosen["HEDDLE_" + choose.choice(["X", "", "DEVICE2", "A" * 300])] = b"1"
    return chosen


def check_arguments(choose: random.Random) -> list[bytes]:
    good = "hc1:0fabf80aaaaa:inbox_2x4:-:0123456789abcdef:0,1*3,2"
    kind = choose.randrange(4)
    if kind < 2:
        return [raw(("replay", "minimise")[kind]), mutated(good, choose)]
    begin = ["run", "--executions", "2", "--seconds", "0.2"] if kind == 2 else []
    return [raw(word) for word in (*begin, *(choose.choice(CHECK) for _ in range(choose.randint(0, 4))))]


WARNING = "heddle: ignoring environment variables"


def judge(ended: Ended) -> str:
    """Every refusal is exit code 2 or 1 with one printable line on stderr, and nothing on stdout for code 2."""
    if crash(ended):
        return crash(ended)
    if any(ord(letter) < 32 and letter != "\n" for letter in ended.err):
        return f"control characters on stderr: {one_line(ended.err)!r}"
    if ended.err.startswith(WARNING):  # one line first, and no reason to refuse anything
        ended = dataclasses.replace(ended, err=ended.err.partition("\n")[2])
    lines = ended.err.count("\n")
    if ended.code not in (0, 1, 2):
        return f"exit code {ended.code}"
    if ended.code == 2 and (lines != 1 or ended.out):
        return f"exit code 2 with {lines} lines on stderr, {len(ended.out)} bytes on stdout: {one_line(ended.err)!r}"
    if ended.code == 1 and not ended.out and lines != 1:
        return f"exit code 1 with {lines} lines: {one_line(ended.err)!r}"
    if ended.code == 0 and ended.err:
        return f"exit code 0 and {one_line(ended.err)!r}"
    return ""


def many(context: Context, row: Row, count: int, make) -> Row:
    """`make` gives a command and its HEDDLE_* variables."""
    choose = context.random(row.name)
    cases = [make(choose) for _ in range(count)]

    def one(case) -> None:
        if context.time_is_up():
            return
        command, settings = case
        environment = {os.fsencode(name): os.fsencode(value) for name, value in clean_environment().items()}
        environment.update({os.fsencode(name): value for name, value in settings.items()})
        ended = run(command, environment, cwd=context.folder)
        row.take(judge(ended), shown(command, settings))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(one, cases))
    return row


def valid_decisions(choose: random.Random, build: str, names: list[str]) -> list[bytes]:
    decisions = ",".join(choose.choice(["0", "1", "2", "3", "7", "255", "0*50", "0*100000", "1*3"])
                         for _ in range(choose.choice([0, 1, 3, 10, 60])))
    text = f"hc1:{build}:{choose.choice(names)}:{choose.choice(['-', '-', 'canary'])}:{choose.getrandbits(64):016x}:{decisions}"
    return [raw(choose.choice(["replay", "replay", "minimise"])), raw(text)]


# How the shell opens the three streams, and whether the output must be missed.
STREAMS = [("> /dev/full", True), (">&-", True), ("2>&-", False), ("2> /dev/full", False), ("<&-", False),
           ("<&- >&- 2>&-", True), ("| true", False)]


def odd_streams(context: Context) -> Row:
    """Output that cannot be written is an error; lost output is never reported as a success."""
    row = Row("output to a full device, closed streams, a reader that is gone")
    commands = [["heddle", "info"], ["heddle", "--help"], ["heddle", "stress", "--threads", "2", "--iterations", "2", "--size", "8"],
                ["heddle", "weave"], ["heddle-check", "list"], ["heddle-check", "run", "inbox_2x4", "--executions", "5"]]
    for command in commands:
        if not (context.bin / command[0]).exists():
            continue
        for streams, must_fail in STREAMS:
            words = ["bash", "-c", f'set -o pipefail; "$0" "$@" {streams}', context.bin / command[0], *command[1:]]
            ended = run(words)
            broken_pipe = streams == "| true" and ended.code == 128 + 13
            problem = "" if broken_pipe else crash(ended)
            if not problem and not broken_pipe and ended.code not in ((1, 2) if must_fail else (0, 1, 2)):
                problem = f"exit code {ended.code}: {one_line(ended.err)!r}"
            row.take(problem, shown(words))
    return row


def attack(context: Context) -> Iterable[Row]:
    yield odd_streams(context)
    heddle, checker = context.bin / "heddle", context.bin / "heddle-check"
    seconds = context.seconds / 4
    rows = [("random arguments of heddle", context.count(300, 1000, 2500), lambda choose: ([heddle, *heddle_arguments(choose)], {})),
            ("random HEDDLE_* variables", context.count(300, 1000, 1500), lambda choose: (
                [heddle, "info"] if choose.random() < 0.6 else
                [heddle, "stress", "--threads", "2", "--iterations", "2", "--size", "8", "--sync-every", "1"], variables(choose)))]
    if checker.exists():
        build = run([checker, "--version"]).out.strip()
        names = [line.split()[0] for line in run([checker, "list"]).out.split("\n") if line and not line.startswith(" ")]
        names = [name for name in names if name.isidentifier()]
        rows += [("random arguments of heddle-check", context.count(300, 1000, 3000),
                  lambda choose: ([checker, *check_arguments(choose)], {})),
                 ("random decisions of this build's scenarios", context.count(100, 300, 1200),
                  lambda choose: ([checker, *valid_decisions(choose, build, names)], {}))]
    for name, count, make in rows:
        context.seconds = seconds
        context.restart_clock()
        yield many(context, Row(name), count, make)
