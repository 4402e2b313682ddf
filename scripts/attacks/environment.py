"""Poor environments: refused system calls, limits, full map counts, sandboxes, no /proc, cgroups (tests/environment)."""

import contextlib
import dataclasses
import os
import pathlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Iterable, Iterator

from attacks.common import (Context, Ended, Row, clean_environment, in_turn, judge_program, judge_subject, one_line, run,
                            shown)

REFUSED = ["membarrier", "sched_setattr", "sched_getattr", "sched_yield", "getcpu", "sched_getaffinity", "madvise", "rseq",
           "set_robust_list", "sysinfo", "clock_nanosleep", "readlink", "membarrier,sched_getaffinity,madvise,sched_yield"]
VIEWS = {  # name -> changes to the mounts, in a separate namespace per run
    "no /proc": "mount -t tmpfs none /proc",
    "/proc with subset=pid": "mount -t proc -o subset=pid proc /proc",
    "no /sys": "mount -t tmpfs none /sys",
    "no /dev": "mount -t tmpfs none /dev",
    "none of the three": "mount -t tmpfs none /proc && mount -t tmpfs none /sys && mount -t tmpfs none /dev",
    "read-only /": "mount -o remount,ro,bind /",
}
V2 = ("mount -t tmpfs none /sys/fs/cgroup && mkdir -p /sys/fs/cgroup/a/b && echo 268435456 > /sys/fs/cgroup/a/memory.max && "
      "echo max > /sys/fs/cgroup/a/b/memory.max && echo '50000 100000' > /sys/fs/cgroup/a/cpu.max && "
      "echo 0::/a/b > /sys/fs/cgroup/self && mount --bind /sys/fs/cgroup/self /proc/$$/cgroup && "
      "echo '36 35 0:31 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw' > /sys/fs/cgroup/mounts && "
      "mount --bind /sys/fs/cgroup/mounts /proc/$$/mountinfo")
PORTABLE = {"HEDDLE_CPU_KERNELS": "portable"}


@dataclasses.dataclass
class Cell:
    row: str
    command: list
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    must_pass: bool = False  # one clear line is not enough
    is_subject: bool = True
    most_mib: int = 0  # the highest limit that `heddle info` may show


def skipped(ended: Ended) -> str:
    return one_line(ended.out + ended.err) if ended.code in (77, 125) else ""


def in_view(mounts: str, command: list) -> list:
    script = f'mount --make-rprivate / && {mounts} && exec "$0" "$@"'
    return ["unshare", "--mount", "sh", "-c", script, *command]


def refused_calls(subject: str) -> Iterator[Cell]:
    for error in ("EPERM", "ENOSYS"):
        for names in REFUSED:
            yield Cell("system calls refused before the start", [subject, f"refuse-exec={names}:{error}"], must_pass=True)
            if names == "rseq":  # if this is refused later, the C library ends the process
                continue
            yield Cell("system calls refused before the opening", [subject, f"refuse={names}:{error}"], must_pass=True)
            for where in ("refuse-after", "refuse-after-all"):
                row = "refused after the opening, in " + ("one thread" if where == "refuse-after" else "all threads")
                yield Cell(row, [subject, f"{where}={names}:{error}"], must_pass="membarrier" not in names)
    for kernels in ({}, PORTABLE):
        yield Cell("memory that is written is not executed", [subject, "no-writable-code"], kernels, must_pass=True)


def limits(subject: str, heddle: str) -> Iterator[Cell]:
    def under(limit: str, *command: str) -> list:
        return ["prlimit", limit, "--core=0", "--", *command]
    for kernels in ({}, PORTABLE):
        for mib in range(64, 1025, 16):
            for threads in (4, 33):
                yield Cell(f"address space of 64 to 1024 MiB, {'portable' if kernels else 'best'} kernels",
                           under(f"--as={mib << 20}", subject, f"threads={threads}", "size=128", "workers=4"), kernels)
            stress = [heddle, "stress", "--threads", "8", "--iterations", "40", "--size", "64", "--sync-every", "10"]
            yield Cell("the same, heddle stress", under(f"--as={mib << 20}", *stress), kernels, is_subject=False)
        for mib in range(8, 257, 8):
            yield Cell("data of 8 to 256 MiB", under(f"--data={mib << 20}", subject), kernels)
    for files in range(4, 24):  # with 3, no program can be loaded
        yield Cell("4 to 23 open files", under(f"--nofile={files}", subject), PORTABLE)
        yield Cell("4 to 23 open files, heddle info", under(f"--nofile={files}", heddle, "info"), PORTABLE, is_subject=False)
    for kib in (64, 128, 256, 1024):
        yield Cell("stacks of 64 KiB to 1 MiB", under(f"--stack={kib << 10}", subject), must_pass=kib >= 256)
    for kib in (64, 128, 256):  # a product of the portable kernels takes some 40
        for kernels in ({}, PORTABLE):
            yield Cell("threads' stacks of 64 to 256 KiB", [subject, f"stack={kib << 10}"], kernels, must_pass=True)
    for bytes_ in (0, 1, 100):
        yield Cell("files of at most 0 to 100 bytes", under(f"--fsize={bytes_}", subject))
    if os.getuid() == 0:
        for processes in range(1, 40):
            yield Cell("1 to 39 processes and threads of a user",
                       ["setpriv", "--reuid=65533", "--clear-groups", *under(f"--nproc={processes}", subject)], PORTABLE)


def full_map_counts(subject: str) -> Iterator[Cell]:
    for kernels in ({}, PORTABLE):
        for when in ("maps", "maps-after", "maps-full"):
            for left in (*range(0, 33), 40, 48, 64, 100):
                yield Cell("a full map count, or nearly", [subject, f"{when}={left}"], kernels)


def views(subject: str, heddle: str) -> Iterator[Cell]:
    for name, mounts in VIEWS.items():
        for limit in ({}, {"HEDDLE_MEMORY_LIMIT": "256M"}):
            yield Cell(name, in_view(mounts, [subject]), limit, must_pass=True)
            yield Cell(name, in_view(mounts, [heddle, "info"]), limit, must_pass=True, is_subject=False)
            yield Cell(name, in_view(mounts, [heddle, "stress", "--threads", "3", "--iterations", "20", "--size", "16"]), limit,
                       must_pass=True, is_subject=False)
    yield Cell("a cgroup of version 2 (mounted over): its limit", in_view(V2, [heddle, "info"]), must_pass=True,
               is_subject=False, most_mib=256)
    yield Cell("a cgroup of version 2 (mounted over): its limit", in_view(V2, [subject]), must_pass=True)


class Groups:
    """Cgroups of version 1, one per cell. Each is removed when the attack ends."""
    ROOT = pathlib.Path("/sys/fs/cgroup")

    def __init__(self):
        self.made: list[pathlib.Path] = []

    def make(self, controller: str, settings: dict[str, str], inner: bool = False) -> pathlib.Path:
        path = self.ROOT / controller / f"heddle-attack-{os.getpid()}-{len(self.made)}"
        path.mkdir()
        self.made.append(path)
        for name, value in settings.items():
            (path / name).write_text(value, encoding="utf8")
        if inner:
            path /= "inner"
            path.mkdir()
            self.made.append(path)
        return path

    def remove(self) -> None:
        for path in reversed(self.made):
            with contextlib.suppress(OSError):
                path.rmdir()


def in_groups(groups: Groups, subject: str, heddle: str, all_cells: bool) -> Iterator[Cell]:
    def inside(command: list, controller: str, inner: bool = False, **settings: str) -> list:
        path = groups.make(controller, {name.replace("__", "."): value for name, value in settings.items()}, inner)
        return ["sh", "-c", f'echo $$ > {path}/cgroup.procs && exec "$0" "$@"', *command]
    for mib in (64, 128, 256):
        limit = {"memory__limit_in_bytes": str(mib << 20)}
        row = "a cgroup of version 1 of 64 to 256 MiB"
        for inner in (False, True):
            yield Cell(f"{row}{', nested' if inner else ''}", inside([heddle, "info"], "memory", inner, **limit),
                       must_pass=True, is_subject=False, most_mib=mib)
        for kernels in ({}, PORTABLE):
            yield Cell(row, inside([subject], "memory", **limit), kernels)
            for inner in (False, True):
                fill, nested = [subject, "fill"], "nested, " if inner else ""
                yield Cell(f"{row}, {nested}filled to a limit of 32 MiB less", inside(fill, "memory", inner, **limit),
                           {**kernels, "HEDDLE_MEMORY_LIMIT": f"{mib - 32}M"}, must_pass=True)
                if all_cells:  # the default limit is the group's: the kernel may act first
                    yield Cell(f"{row}, {nested}filled to the default limit", inside(fill, "memory", inner, **limit), kernels,
                               must_pass=True)
    stress = [heddle, "stress", "--threads", "33", "--size", "256", "--iterations", "20"]
    for mib in (8, 12, 20, 32) if all_cells else ():
        yield Cell("a cgroup of 8 to 32 MiB, heddle stress of 33 threads",
                   inside(stress, "memory", memory__limit_in_bytes=str(mib << 20)), is_subject=False)
    for most in range(2, 61):
        yield Cell("a cgroup of 2 to 60 threads", inside([subject, "threads=33", "workers=4"], "pids", pids__max=str(most)),
                   PORTABLE)
    for quota in (10_000, 50_000, 150_000):
        yield Cell("a tenth to one and a half processors",
                   inside([subject], "cpu", cpu__cfs_period_us="100000", cpu__cfs_quota_us=str(quota)), must_pass=True)


def judge(cell: Cell, ended: Ended) -> str:
    problem = (judge_subject if cell.is_subject else judge_program)(ended, not cell.must_pass)
    if not problem and cell.most_mib:
        found = re.search(r"limit ([\d.]+) (KiB|MiB|GiB)", ended.out)
        limit = float(found[1]) * {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}[found[2]] if found else 0
        if not 0 < limit <= cell.most_mib:
            return f"a limit of {limit:.0f} MiB where {cell.most_mib} MiB are allowed"
    return problem


def run_cell(cell: Cell) -> Ended:
    return run(cell.command, clean_environment(**cell.environment))


def attack(context: Context) -> Iterable[Row]:
    subject, heddle = str(context.bin / "environment_subject"), str(context.bin / "heddle")
    if not pathlib.Path(subject).exists():
        return [Row("environments", skipped="this build has no tests/environment (a sanitizer's, or without tests)")]
    cells = [*refused_calls(subject), *limits(subject, heddle), *full_map_counts(subject)]
    rows: dict[str, Row] = {}
    if run(in_view("true", ["true"])).code == 0:
        cells += views(subject, heddle)
    else:
        rows["views"] = Row("views without /proc, /sys, /dev", skipped="no mount namespace may be made here")
    groups = Groups()
    try:
        cells += in_groups(groups, subject, heddle, context.scale == "full")
    except OSError as error:
        rows["groups"] = Row("cgroups of version 1", skipped=f"none can be made here: {error}")
    cells = in_turn((cell for cell in cells if context.wants(cell.row)), lambda cell: cell.row, context.random("environment"))

    def try_cell(cell: Cell) -> None:
        if context.time_is_up():
            return
        ended = run_cell(cell)
        row = rows.setdefault(cell.row, Row(cell.row))
        if reason := skipped(ended):
            row.skipped = reason
        else:
            row.take(judge(cell, ended), shown(cell.command, cell.environment))

    try:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(try_cell, cells))
    finally:
        groups.remove()
    return rows.values()
