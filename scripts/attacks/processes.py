"""A process under storms of signals, stopped and resumed, with a thread held still; crowds of runtimes and threads."""

import ctypes
import os
import pathlib
import signal
import subprocess
import time
from typing import Callable, Iterable

from attacks.common import Context, Ended, Row, clean_environment, judge_program, judge_subject, run, shown

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


def crowd(context: Context, name: str, mode: str, number: int) -> Row:
    row = Row(f"{number} {name}")
    command = [context.bin / "attack_subject", mode, number]
    ended = run(command, clean_environment(HEDDLE_CPU_KERNELS="portable"), most=600)
    row.take(judge_subject(ended, harmed=False), shown(command))
    row.note = f"{ended.seconds:.1f} s"
    return row


def disturbed(context: Context, name: str, mode: str, seconds: int, disturb: Callable[[subprocess.Popen], None]) -> Row:
    """`disturb` acts on the running process; then the process must end by itself, with right results."""
    row = Row(name)
    command = [str(context.bin / "attack_subject"), mode, str(seconds)]
    process = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.3)
    try:
        disturb(process)
        out, err = process.communicate(timeout=seconds + 60)
        ended = Ended(process.returncode, out, err)
    except subprocess.TimeoutExpired:
        process.kill()
        ended = Ended(-9, *process.communicate(), hung=True, seconds=seconds + 60)
    row.take(judge_subject(ended, harmed=False), shown(command))
    return row


def stop_and_go(times: int) -> Callable[[subprocess.Popen], None]:
    def disturb(process: subprocess.Popen) -> None:
        for _ in range(times):
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.2)
    return disturb


def hold_thread(index: int, seconds: float) -> Callable[[subprocess.Popen], None]:
    """Stops the index-th thread, as a debugger does, and resumes it."""
    def disturb(process: subprocess.Popen) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        threads = sorted(int(name) for name in os.listdir(f"/proc/{process.pid}/task"))
        thread = threads[index % len(threads)]
        if libc.ptrace(PTRACE_SEIZE, thread, None, None) != 0:
            raise PermissionError(os.strerror(ctypes.get_errno()))
        libc.ptrace(PTRACE_INTERRUPT, thread, None, None)
        os.waitpid(thread, WALL)
        time.sleep(seconds)
        libc.ptrace(PTRACE_DETACH, thread, None, None)
    return disturb


def held_threads(context: Context, count: int, seconds: float) -> Row:
    whole = Row(f"one thread stopped by ptrace for {seconds:g} s")
    for index in range(count):
        try:
            one = disturbed(context, whole.name, "serve", 1, hold_thread(index, seconds))
        except PermissionError as error:
            whole.skipped = f"ptrace is not allowed here: {error}"
            break
        whole.tried += one.tried
        whole.survived += one.survived
        for problem, commands in one.lost.items():
            whole.lost.setdefault(problem, []).extend(commands)
    return whole


def figures_of(process: subprocess.Popen) -> dict[str, int]:
    """Files, threads and resident KiB; nothing once it has ended."""
    folder = pathlib.Path("/proc", str(process.pid))
    try:
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        return {"files": len(os.listdir(folder / "fd")), "threads": int(status["Threads"]),
                "resident KiB": int(status["VmRSS"].split()[0])}
    except (OSError, KeyError):
        return {}


def stays_flat(context: Context, seconds: int) -> Row:
    """After a fifth of the time nothing grows: files and threads not at all, resident memory by an eighth at most."""
    row = Row(f"heddle stress of 33 threads in 24 MiB for {seconds} s")
    command = [str(context.bin / "heddle"), "stress", "--seconds", str(seconds), "--threads", "33", "--check", "sampled",
               "--size", "64", "--memory-limit", "24M"]
    process = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds / 5)
    early = figures_of(process)
    time.sleep(seconds * 3 / 5)
    late = figures_of(process)
    try:
        out, err = process.communicate(timeout=seconds + 60)
        problem = judge_program(Ended(process.returncode, out, err), harmed=False)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        problem = "it does not end after its time"
    for name, before in early.items():
        allowed = before * 9 // 8 + 1024 if name == "resident KiB" else before
        if not problem and late.get(name, 0) > allowed:
            problem = f"{name} grew from {before} to {late[name]}"
    row.take(problem, shown(command))
    return row


def clocks(context: Context) -> Iterable[Row]:
    library = next((path for path in pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    row = Row("a clock that jumps by an hour and by ten days")
    if library is None:
        row.skipped = "libfaketime is not installed"
        return [row]
    for jump in ("+1h", "-1h", "+10d", "-10d"):
        command = [context.bin / "attack_subject", "serve", 2]
        settings = {"LD_PRELOAD": str(library), "FAKETIME": jump, "DONT_FAKE_MONOTONIC": "1"}
        row.take(judge_subject(run(command, clean_environment(**settings)), harmed=False), shown(command, settings))
    return [row]


def attack(context: Context) -> Iterable[Row]:
    if not (context.bin / "attack_subject").exists():
        yield Row("disturbed processes", skipped="this build has no tests/attack (a sanitizer's, or without tests)")
        return
    storm = context.count(2, 5, 15)
    yield disturbed(context, f"a storm of signals, {storm} s", "storm", storm, lambda process: None)
    yield disturbed(context, "SIGSTOP and SIGCONT, 6 times", "serve", 4, stop_and_go(context.count(3, 6, 6)))
    yield held_threads(context, context.count(1, 3, 20), context.count(1, 1, 3))
    yield crowd(context, "runtimes, one after the other", "runtimes", context.count(1000, 2000, 10_000))
    yield crowd(context, "threads, one recording each", "threads", context.count(500, 2000, 2000))
    yield crowd(context, "runtimes at once, 8 threads over all", "at-once", context.count(20, 50, 200))
    if context.scale != "quick":
        yield stays_flat(context, context.count(0, 10, 60))
    if context.scale == "full":
        yield crowd(context, "runtimes at once, 8 threads over all", "at-once", 1400)
        yield from clocks(context)
