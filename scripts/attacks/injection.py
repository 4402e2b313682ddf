"""The n-th call of one system function fails, in the library and the programs (tests/injection)."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, Iterator, Optional

from attacks.common import HANG_S, Context, Ended, Row, clean_environment, judge_program, judge_subject, run, shown

NAMES = ["malloc", "mmap", "munmap", "madvise", "mprotect", "pthread_create", "membarrier", "open", "write", "fsync",
         "rename", "fork", "pipe"]  # as tests/injection/order.hpp has them
EVERY = 500  # with oneDNN: every n up to here,
STRIDE = 61  # and then every STRIDE-th


@dataclasses.dataclass
class Program:
    """One program with its arguments; `{out}` is replaced by the run's own folder."""
    name: str
    command: list[str]
    environment: dict[str, str]
    when: str  # "armed": from the program's signal on; "start": from main() on
    judge: Callable[[Ended, bool], str]
    stride: int = 1  # beyond EVERY
    prepare: Optional[Callable[[pathlib.Path, Context], None]] = None
    after: Optional[Callable[[pathlib.Path, Context], str]] = None  # losses visible from outside


class Server:
    """A program that is loaded once and forked, before main(), for each order."""

    def __init__(self, program: Program, mode: str, context: Context):
        self.program = program
        self.context = context
        self.folder = context.fresh_folder("injection")
        self.output = self.folder / "output"
        self.out = self.folder / "out"
        words = [word.replace("{out}", str(self.out)) for word in program.command]
        if words[0] == "injection_subject" and mode == "once":
            words.append("--once")
        folder = context.bin if words[0].startswith("injection_") else context.installed
        self.command = [str(folder / words[0]), *words[1:]]
        self.mode = mode
        self.process = None

    def start(self) -> None:
        order_in, self.order_out = os.pipe()
        self.answer_in, answer_out = os.pipe()
        environment = clean_environment(LD_PRELOAD=str(shim(self.context)), INJECTION_SERVER=f"{order_in},{answer_out}",
                                        **self.program.environment)
        self.process = subprocess.Popen(self.command, env=environment, stdin=subprocess.DEVNULL,
                                        pass_fds=[order_in, answer_out], cwd=self.folder)
        os.close(order_in)
        os.close(answer_out)
        self.answers = os.fdopen(self.answer_in)

    def close(self) -> None:
        if self.process is not None:
            os.close(self.order_out)
            self.answers.close()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def order(self, function: str, number: int) -> str:
        return f"{function} {number} {self.mode} {self.program.when}"

    def run(self, function: str, number: int) -> tuple[Ended, bool, list[int]]:
        """The end of the run, whether a call failed, and the calls by function."""
        if self.program.prepare is not None:
            shutil.rmtree(self.out, ignore_errors=True)
            self.program.prepare(self.out, self.context)
        if self.process is None:
            self.start()
        os.write(self.order_out, f"{HANG_S * 1000} {self.output} {self.order(function, number)}\n".encode())
        status, took, failed, *counts = map(int, self.answers.readline().split())
        text = [pathlib.Path(f"{self.output}.{stream}").read_text(encoding="utf8", errors="replace") for stream in (1, 2)]
        code = os.waitstatus_to_exitcode(status) if status >= 0 else -9
        return Ended(code, *text, hung=status < 0, seconds=took / 1000), failed > 0, counts

    def problem(self, function: str, number: int) -> tuple[str, bool]:
        ended, harmed, _ = self.run(function, number)
        problem = self.program.judge(ended, harmed)
        if not problem and self.program.after is not None:
            problem = self.program.after(self.out, self.context)
        return problem, harmed

    def repeats(self, function: str, number: int) -> str:
        command = [str(self.context.bin / pathlib.Path(self.command[0]).name),
                   *("OUT" if word == str(self.out) else word for word in self.command[1:])]
        return shown(command, {"INJECTION": self.order(function, number), "LD_PRELOAD": str(shim(self.context)),
                                    **self.program.environment})


def shim(context: Context) -> pathlib.Path:
    return context.build / "tests" / "injection" / "libinjection_shim.so"


def need_round(out: pathlib.Path, context: Context) -> None:
    """A ledger with one round in it; made once, then copied."""
    model = context.folder / "one-round"
    if not model.exists():
        made = run([context.installed / "heddle", "verify", "--budget", "1s", "--out", model], most=300)
        if made.code != 0:
            raise RuntimeError(f"heddle verify, unharmed, ended with {made.code}: {made.out}{made.err}")
    shutil.copytree(model, out)


def ledger_is_whole(out: pathlib.Path, context: Context) -> str:
    """Every round that began is still there, and every torn line is reported."""
    if not (out / "ledger.jsonl").exists():
        return ""
    ended = run([context.installed / "heddle", "ledger", "--out", out])
    if ended.code != 0:
        return f"the ledger cannot be read afterwards: {ended.err.strip()!r}"
    parts = [path.name for path in out.iterdir() if path.name.endswith(".part")]
    return f"temporary files are left: {parts}" if parts else ""


def judge_with_openmp(ended: Ended, harmed: bool) -> str:
    """libgomp ends a process if it gets no memory: docs/change/memory.md."""
    said = re.fullmatch(r"\s*libgomp: Out of memory allocating \d+ bytes\s*", ended.err)
    if harmed and said and ended.code == 1 and ended.out[:7] in ("", "error: "):
        return ""
    return judge_subject(ended, harmed)


def programs(context: Context) -> Iterator[Program]:
    portable = {"HEDDLE_CPU_KERNELS": "portable"}
    stress = ["heddle", "stress", "--threads", "3", "--iterations", "20", "--size", "16", "--check", "full", "--seed", "1"]
    yield Program("library, portable kernels, after opening", ["injection_subject"], portable, "armed", judge_subject)
    yield Program("library, portable kernels, opening too", ["injection_subject"], portable, "start", judge_subject)
    yield Program("library, best kernels, after opening", ["injection_subject"], {}, "armed", judge_with_openmp, STRIDE)
    yield Program("heddle stress", stress, portable, "start", judge_program, 7)
    yield Program("heddle info", ["heddle", "info"], portable, "start", judge_program)
    yield Program("heddle ledger", ["heddle", "ledger", "--out", "{out}"], portable, "start", judge_program,
                  prepare=need_round, after=ledger_is_whole)
    yield Program("heddle verify", ["heddle", "verify", "--budget", "1s", "--grace", "20s", "--out", "{out}"], portable,
                  "start", judge_program, 997, prepare=lambda out, context: None, after=ledger_is_whole)
    if (context.bin / "heddle-check").exists():
        yield Program("heddle-check run", ["heddle-check", "run", "inbox_2x4", "--executions", "20"], portable, "start",
                      judge_program, 7)
        yield Program("heddle-check list", ["heddle-check", "list"], portable, "start", judge_program, 7)


def numbers(program: Program, calls: int) -> list[int]:
    every = EVERY if program.stride > 1 else calls
    if program.name == "heddle verify":  # five seconds per run
        every = 25
    return list(range(1, min(every, calls) + 1)) + list(range(every + program.stride, calls + 1, program.stride))


@dataclasses.dataclass
class Sweep:
    program: Program
    mode: str
    function: str
    numbers: list[int]
    row: Row


def plan(context: Context) -> list[Sweep]:
    """Counts the calls of each program, unharmed."""
    sweeps = []
    for program in programs(context):
        wanted = {mode: row_name(program, mode) for mode in ("once", "on")}
        if (context.scale == "quick" and program.name == "heddle verify") or not any(
                context.wants(name.format(function)) for name in wanted.values() for function in NAMES):
            continue
        server = Server(program, "once", context)
        try:
            ended, _, counts = server.run("malloc", 0)
        finally:
            server.close()
        if problem := program.judge(ended, False):
            row = Row(f"{program.name}, unharmed")
            row.take(problem, server.repeats("malloc", 0))
            sweeps.append(Sweep(program, "once", "malloc", [], row))
            continue
        for mode, name in wanted.items():
            sweeps += [Sweep(program, mode, function, numbers(program, calls), Row(name.format(function)))
                       for function, calls in zip(NAMES, counts) if calls and context.wants(name.format(function))]
    return sweeps


def row_name(program: Program, mode: str) -> str:
    return f"{program.name}: the n-th {{}} fails" + (" and all later" if mode == "on" else "")


def run_all(sweep: Sweep, context: Context) -> None:
    server = Server(sweep.program, sweep.mode, context)
    try:
        for number in sweep.numbers:
            problem, _ = server.problem(sweep.function, number)
            sweep.row.take(problem, server.repeats(sweep.function, number))
    finally:
        server.close()


def run_sample(sweeps: list[Sweep], worker: int, context: Context) -> None:
    """One sweep after another at a random number, until the time is up."""
    choose = context.random(f"injection {worker}")
    servers: dict[tuple[str, str], Server] = {}
    try:
        while not context.time_is_up():
            sweep = choose.choice(sweeps)
            number = choose.choice(sweep.numbers)
            key = (sweep.program.name, sweep.mode)
            server = servers.setdefault(key, Server(sweep.program, sweep.mode, context))
            problem, _ = server.problem(sweep.function, number)
            sweep.row.take(problem, server.repeats(sweep.function, number))
    finally:
        for server in servers.values():
            server.close()


def attack(context: Context) -> Iterable[Row]:
    if not shim(context).exists():
        return [Row("n-th call injection", skipped="this build has no tests/injection (a sanitizer's, or without tests)")]
    sweeps = plan(context)
    chosen = [sweep for sweep in sweeps if sweep.numbers]
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        if context.scale == "full":
            # The longest first.
            list(pool.map(lambda sweep: run_all(sweep, context), sorted(chosen, key=lambda each: -len(each.numbers))))
        else:
            list(pool.map(lambda worker: run_sample(chosen, worker, context), range(workers)))
    return [sweep.row for sweep in sweeps if sweep.row.tried]
