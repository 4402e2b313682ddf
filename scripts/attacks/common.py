"""Shared by all attacks: a row of the table, the programs, running one under a time limit, and judging how it ended.

An attack is a function from a Context to rows. A run survives if it gives right results, or one clear line and exit
code 1 or 2. A signal, a hang, a second line or a wrong value is a loss, which is reported with the command that repeats it.
"""

import dataclasses
import itertools
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from typing import Callable, Iterable, Optional, Sequence, TypeVar

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCK = threading.Lock()
HANG_S = 60  # a run that takes longer is a hang; the longest right run takes a few seconds on an idle machine


@dataclasses.dataclass
class Row:
    """One line of the table."""
    name: str
    tried: int = 0
    survived: int = 0
    lost: dict[str, list[str]] = dataclasses.field(default_factory=dict)  # kind of loss -> commands that repeat it
    skipped: str = ""  # why it is impossible on this machine
    note: str = ""

    def take(self, problem: str, command: str) -> None:
        with LOCK:
            self.tried += 1
            if problem:
                self.lost.setdefault(re.sub(r"\b0x[0-9a-f]+|\d+", "N", problem), []).append(f"{command}  # {problem}")
            else:
                self.survived += 1


class Context:
    """The programs' folder, the amount of trials, and the only source of random choices."""

    def __init__(self, build: pathlib.Path, scale: str, seed: int, rows: str = ""):
        self.bin = build.resolve() / "bin"
        self.build = build.resolve()
        self.scale = scale  # quick, extended, full
        self.seed = seed
        self.rows = rows  # a regular expression
        self.seconds = 0.0  # for the whole of one attack; full: no limit
        self.end = 0.0
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="heddle-attack-"))

    @property
    def installed(self) -> pathlib.Path:
        """Copies of heddle and heddle-check outside of the tree, so that verify compares no source with the build."""
        folder = self.folder / "bin"
        if not folder.exists():
            folder.mkdir()
            for name in ("heddle", "heddle-check"):
                if (self.bin / name).exists():
                    shutil.copy2(self.bin / name, folder / name)
        return folder

    def restart_clock(self) -> None:
        self.end = time.monotonic() + self.seconds

    def wants(self, row: str) -> bool:
        return re.search(self.rows, row) is not None

    def time_is_up(self) -> bool:
        return self.scale != "full" and time.monotonic() > self.end

    def random(self, name: str) -> random.Random:
        return random.Random(f"{self.seed} {name}")

    def count(self, quick: int, extended: int, full: int) -> int:
        return {"quick": quick, "extended": extended, "full": full}[self.scale]

    def fresh_folder(self, name: str) -> pathlib.Path:
        return pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=self.folder))


Attack = Callable[[Context], Iterable[Row]]
Item = TypeVar("Item")


def in_turn(items: Iterable[Item], row: Callable[[Item], str], choose: random.Random) -> list[Item]:
    """In random order, so that any prefix has about as many of each row."""
    by_row: dict[str, list[Item]] = {}
    for item in items:
        by_row.setdefault(row(item), []).append(item)
    for group in by_row.values():
        choose.shuffle(group)
    rounds = itertools.zip_longest(*by_row.values())
    return [item for each in rounds for item in each if item is not None]


@dataclasses.dataclass
class Ended:
    code: int  # as subprocess has it: negative for a signal
    out: str
    err: str
    hung: bool = False
    seconds: float = 0.0


def clean_environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEDDLE_", "INJECTION"))}
    return {**kept, **more}


def run(command: Sequence, environment: Optional[dict[str, str]] = None, most: float = HANG_S, **more) -> Ended:
    """Runs it in its own process group, which has ended when this returns."""
    start = time.monotonic()
    process = subprocess.Popen([os.fsencode(str(word)) if not isinstance(word, bytes) else word for word in command],
                               env=environment if environment is not None else clean_environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True, **more)
    hung = False
    try:
        out, err = process.communicate(timeout=most)
    except subprocess.TimeoutExpired:
        hung = True
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    return Ended(process.returncode, out.decode("utf8", "replace"), err.decode("utf8", "replace"), hung,
                 time.monotonic() - start)


def quoted(word) -> str:
    """Quoted for a shell, without control characters."""
    raw = word if isinstance(word, bytes) else os.fsencode(str(word))
    if all(32 <= byte < 127 for byte in raw):
        return shlex.quote(raw.decode())
    return "$'" + "".join(chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in raw) + "'"


def shown(command: Sequence, environment: Optional[dict] = None) -> str:
    """A command line to paste into a shell."""
    settings = [f"{name}={quoted(value)}" for name, value in (environment or {}).items()]
    return " ".join(settings + [quoted(word) for word in command])


def signal_name(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def one_line(text: str, most: int = 160) -> str:
    return text.strip().replace("\n", " / ")[:most]


def crash(ended: Ended) -> str:
    """'' unless it hung or a signal killed it."""
    if ended.hung:
        return f"hang (killed after {ended.seconds:.0f} s)"
    if ended.code < 0 or ended.code >= 128:
        return f"{signal_name(ended.code)} ({one_line(ended.err)})"
    return ""


def judge_subject(ended: Ended, harmed: bool = True) -> str:
    """For programs under tests/ that check themselves: 'ok', or one 'error: ...' and exit code 1."""
    if crash(ended):
        return crash(ended)
    if ended.code == 0 and ended.out == "ok\n" and not ended.err:
        return ""
    if harmed and ended.code == 1 and ended.out.startswith("error: ") and ended.out.count("\n") == 1 and not ended.err:
        return ""
    return f"exit code {ended.code}, {one_line(ended.out + ended.err)!r}"


def judge_program(ended: Ended, harmed: bool = True) -> str:
    """For heddle and heddle-check: success with nothing on stderr, or exit code 1 or 2 and one line with the reason."""
    if crash(ended):
        return crash(ended)
    lines = ended.err.count("\n")
    if ended.code == 0 and not ended.err:
        return ""
    if harmed and ended.code in (1, 2) and ended.err.endswith("\n") and lines == 1:
        return ""
    if harmed and ended.code == 1 and not ended.err and ended.out.strip():  # a verdict, such as FAIL or VOID
        return ""
    return f"exit code {ended.code}, {lines} lines on stderr: {one_line(ended.err or ended.out)!r}"
