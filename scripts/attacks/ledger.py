"""Damaged and hostile ledgers: the result is right or the damage is reported, and nothing is appended to a foreign file."""

import json
import os
import pathlib
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, Iterator, Optional

from attacks.common import Context, Ended, Row, crash, in_turn, one_line, run

RESULTS = ["clean", "failed", "clean", "void", "clean", "clean", "unfinished", "clean", "clean", "clean"]
TRUE_ROW = 3  # clean rounds at the end
SLOW_S = 20
LONGEST = 8192  # bytes of an error


class Damage:
    """Writes a damaged ledger and reads it with `heddle ledger`."""

    def __init__(self, context: Context):
        self.heddle = context.bin / "heddle"
        self.keep = pathlib.Path(context.folder, "ledger-model")
        made = run([context.bin / "attack_ledger_writer", self.keep, *RESULTS])
        if made.code != 0:
            raise RuntimeError(f"attack_ledger_writer: {made.err}")
        self.path = self.keep / "ledger.jsonl"
        self.raw = self.path.read_bytes()
        self.lines = self.raw.decode().splitlines()
        self.context = context
        self.intact = json.loads(self.read(self.raw)[0].out)

    def read(self, data: bytes, prepare: Optional[Callable[[pathlib.Path], None]] = None) -> tuple[Ended, Ended]:
        folder = self.context.fresh_folder("ledger")
        path = folder / "ledger.jsonl"
        for number in range(1, len(RESULTS) + 1):  # left by the rounds next to the ledger
            (folder / f"round-{number:04}.md").touch()
            (folder / f"round-{number:04}.json").touch()
        if prepare is not None:
            prepare(path)
        else:
            path.write_bytes(data)
        try:
            return (run([self.heddle, "ledger", "--json", "--out", folder], most=SLOW_S),
                    run([self.heddle, "ledger", "--out", folder], most=SLOW_S))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def told(self, story: dict) -> bool:
        """Anything other than the rounds and their count differs: torn lines, flaws, lines without digests."""
        figures = ("rounds", "clean_in_a_row", "clean_in_a_row_any_build", "ledger")
        return any(story.get(key) != value for key, value in self.intact.items() if key not in figures)

    def problem(self, data: bytes, prepare=None, strict: bool = True) -> str:
        """`strict`: a story that differs from the truth must be reported, or refused."""
        as_json, as_text = self.read(data, prepare)
        for ended in (as_json, as_text):
            if crash(ended):
                return crash(ended)
            lines = ended.err.count("\n")
            if ended.code not in (0, 1, 2) or (ended.code and (lines != 1 or ended.out)) or len(ended.err) > LONGEST:
                return f"exit code {ended.code}, {lines} lines, {len(ended.err)} bytes: {one_line(ended.err)!r}"
            if any(ord(letter) < 32 and letter != "\n" for letter in ended.err + ended.out.replace("\t", "")):
                return "control characters reach the terminal"
        if as_json.code != as_text.code:
            return f"exit codes {as_json.code} with --json, {as_text.code} without"
        if as_json.code != 0:
            return ""
        story = json.loads(as_json.out)
        counted = max(story["clean_in_a_row"], story["clean_in_a_row_any_build"])
        last = as_text.out.strip().split("\n")[-1]
        if story["rounds"] and f"clean in a row: {story['clean_in_a_row']} " not in last:
            return f"the last line is {last[:120]!r}"
        if sum(line.startswith("clean in a row") for line in as_text.out.split("\n")) > 1:
            return "a reason forges a line"
        if not strict:
            return ""
        if counted > TRUE_ROW:
            return f"{counted} clean rounds in a row where {TRUE_ROW} are true"
        if self.told(story) or self.only_ends_are_missing(story):
            return ""
        return f"a story that differs, without a word: {counted} in a row"

    def only_ends_are_missing(self, story: dict) -> bool:
        """Every round is there, unchanged or as unfinished."""
        true, seen = self.intact["rounds"], story["rounds"]
        return len(true) == len(seen) and all(b in (a, {**b, "result": "unfinished"}) for a, b in zip(true, seen))


def by_hand(damage: Damage) -> Iterator[tuple[str, bytes]]:
    raw, lines = damage.raw, damage.lines

    def text(*some: str) -> bytes:
        return ("\n".join(some) + "\n").encode()

    def with_value(key: str, value: str) -> bytes:
        changed = json.dumps({**json.loads(lines[-1]), key: "@@"}, separators=(",", ":")).replace('"@@"', value)
        return text(*lines[:-1], changed)

    yield "empty", b""
    yield "a duplicate begin", text(*lines, lines[-2])
    yield "a duplicate end", text(*lines, lines[-1])
    yield "the failed round cut out", text(*lines[:2], *lines[4:])
    yield "an end before its begin", text(lines[1], lines[0], *lines[2:])
    yield "a failed end replaced by a torn line", text(*lines[:3], "garbage", '{"after_torn_line":true,' + lines[4][1:], *lines[5:])
    yield "a failed round replaced by a torn line", text(*lines[:2], "garbage", '{"after_torn_line":true,' + lines[4][1:], *lines[5:])
    for number in ("18446744073709551616", "-1", "0", "1000000", "1000.0", '"7"', "null", "1e400"):
        yield f"round = {number}", with_value("round", number)
    for key, value in (("seconds", "1e308"), ("seconds", "1e999"), ("seconds", "NaN"), ("seconds", "-1"),
                       ("executions", "18446744073709551616"), ("executions", "-1"), ("executions", "1.5"),
                       ("result", '"running"'), ("result", '"CLEAN"'), ("build_id", '"other"'), ("reason", "5"),
                       ("report", "null"), ("reason", r'"\u001b]0;owned\u0007\u001b[2J"'),
                       ("reason", r'"x\nclean in a row: 999 of build abc, 999 over all builds"'), ("reason", r'"\ud800"')):
        yield f"{key} = {value}", with_value(key, value)
    yield "NUL in a line", raw[:300] + b"\0" + raw[301:]
    yield "NULs at the end", raw + b"\0" * 5000
    yield "the tail became NULs", raw[:-200] + b"\0" * 200
    yield "a line of 100 MB", raw + b"x" * 100_000_000 + b"\n"
    yield "an open line of 100 MB", raw + b"x" * 100_000_000
    yield "a string of 100 MB", with_value("reason", '"' + "A" * 100_000_000 + '"')
    yield "an id of 8 MB", with_value("build_id", '"' + "A" * 8_000_000 + '"')
    yield "CRLF", raw.replace(b"\n", b"\r\n")
    yield "UTF-16", raw.decode().encode("utf-16")
    yield "BOM", b"\xef\xbb\xbf" + raw
    yield "invalid UTF-8", raw + b'{"event":"begin","round":11,"build_id":"\xff","device":"cpu","time":"t"}\n'
    yield "blank lines", raw + b"\n\n"
    for depth in (1000, 10_000, 100_000, 1_000_000):
        yield f"an array {depth} deep", raw + b'{"round":' + b"[" * depth + b"]" * depth + b',"event":"begin"}\n'
        yield f"{depth} open brackets", raw + b"[" * depth + b"\n"
        yield f"an unknown field {depth} deep", (raw + b'{"round":11,"event":"begin","build_id":"b","device":"cpu","time":"t","x":' +
                                                b"[" * depth + b"]" * depth + b"}\n")
    for line in ("[]", "5", "null", '"x"', "{}", '{"round":7}', '{"round":7,"event":5}'):
        yield f"a line {line}", text(*lines, line)
    yield "no last newline", raw[:-1]
    yield "a foreign file", b"a foreign file, no newline at its end"


def kinds_of_file() -> Iterator[tuple[str, Callable[[pathlib.Path], None]]]:
    for target in ("/dev/zero", "/dev/full", "/nonexistent/x", "/etc/hostname", "/proc/self/environ"):
        yield f"a link to {target}", lambda path, target=target: os.symlink(target, path)
    yield "a loop of links", lambda path: os.symlink(path, path)
    yield "a directory", lambda path: path.mkdir()
    yield "a FIFO", lambda path: os.mkfifo(path)


def damaged_at_random(damage: Damage, choose: random.Random) -> tuple[str, bytes]:
    data = bytearray(damage.raw)
    kind = choose.randrange(4)
    if kind == 0:
        at = choose.randrange(len(data))
        bit = choose.randrange(8)
        data[at] ^= 1 << bit
        return f"bit {bit} of byte {at} flipped", bytes(data)
    if kind == 1:
        at = choose.randrange(len(data))
        return f"cut at byte {at}", bytes(data[:at])
    lines = list(damage.lines)
    at = choose.randrange(len(lines) - 1)
    if kind == 2:
        most = choose.randint(1, min(4, len(lines) - at))
        del lines[at:at + most]
        return f"lines {at} to {at + most} cut out", ("\n".join(lines) + "\n").encode()
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return f"lines {at} and {at + 1} exchanged", ("\n".join(lines) + "\n").encode()


def refuses_to_append(context: Context, damage: Damage, name: str, data: bytes) -> str:
    """heddle verify on a file that is not a ledger: one line, and not a byte changed."""
    folder = context.fresh_folder("foreign")
    path = folder / "ledger.jsonl"
    path.write_bytes(data)
    ended = run([context.installed / "heddle", "verify", "--budget", "1s", "--out", folder], most=120)
    changed = path.read_bytes() != data
    shutil.rmtree(folder, ignore_errors=True)
    return crash(ended) or (f"{name}: the file was changed" if changed else "") or (
        "" if ended.code in (1, 2) and ended.err.count("\n") == 1 else f"exit code {ended.code}: {one_line(ended.err)!r}")


def attack(context: Context) -> Iterable[Row]:
    if not (context.bin / "attack_ledger_writer").exists():
        yield Row("damaged ledgers", skipped="this build has no tests/attack (a sanitizer's, or without tests)")
        return
    damage = Damage(context)
    hand, random_row, foreign = Row("ledgers damaged by hand"), Row("bits flipped, cuts, lines out of order"), Row("verify on foreign files")

    def try_one(case) -> None:
        row, name, data, prepare = case
        if not context.time_is_up():
            strict = prepare is None and name != "empty"
            row.take(damage.problem(data, prepare, strict), f"ledger.jsonl: {name}; heddle ledger")

    choose = context.random("ledger")
    cases = [(hand, name, data, None) for name, data in by_hand(damage) if context.scale != "quick" or len(data) < 10_000_000]
    cases += [(hand, name, b"", prepare) for name, prepare in kinds_of_file()]
    cases += [(random_row, *damaged_at_random(damage, choose), None) for _ in range(context.count(300, 1500, 6000))]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(try_one, in_turn(cases, lambda case: case[0].name, choose)))
    yield hand
    yield random_row
    for name, data in (("no newline", b"a foreign file, no newline at its end"), ("text", b"a foreign file\n"),
                       ("JSON", b'{"name": "x"}\n'), ("binary", bytes(range(256)))):
        foreign.take(refuses_to_append(context, damage, name, data), f"ledger.jsonl: {name}; heddle verify")
    yield foreign
