#!/usr/bin/env python3
"""Attacks the programs from outside: calls that fail, poor environments, damaged files, kills, storms of signals.

  scripts/attack.py [--scale quick|extended|full] [--only NAME]... [--rows REGEX] [--seed N] [--seconds S] [--build DIR] [--json FILE]

Prints the seed, then one line per row: tried, survived, and each loss with the command that repeats it; exits 1 after any loss.
`full` tries everything and takes hours; the other scales take a random sample for a fixed number of seconds per attack.
--list names the attacks.
"""

import argparse
import dataclasses
import importlib
import json
import os
import pathlib
import shutil
import sys
import time

sys.dont_write_bytecode = True  # the tree stays clean
from attacks.common import ROOT, Attack, Context, Row  # noqa: E402

# Module of scripts/attacks -> seconds at the scales quick and extended (0: left out).
ATTACKS = {"injection": (20, 90), "environment": (15, 60), "programs": (6, 40), "ledger": (6, 30),
           "verify": (0, 45), "processes": (6, 25)}
SHOWN = 8  # kinds of loss per row


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=["quick", "extended", "full"], default="quick")
    parser.add_argument("--only", action="append", choices=sorted(ATTACKS), metavar="NAME", help=", ".join(ATTACKS))
    parser.add_argument("--rows", default="", metavar="REGEX", help="of injection, environment: only rows whose names match")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    parser.add_argument("--seconds", type=float, help="per attack, instead of the scale's")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def print_row(row: Row) -> None:
    if row.skipped:
        print(f"{'-':>7} {'-':>9}  {row.name}: skipped: {row.skipped}")
        return
    note = f" ({row.note})" if row.note else ""
    print(f"{row.tried:7} {row.survived:9}  {row.name}{note}")
    for problem, commands in list(row.lost.items())[:SHOWN]:
        print(f"{'':19}LOST {len(commands)}: {problem}\n{'':24}{commands[0]}")
    if len(row.lost) > SHOWN:
        print(f"{'':19}and {len(row.lost) - SHOWN} other kinds of loss")
    sys.stdout.flush()


def run_attack(name: str, options: argparse.Namespace, context: Context) -> list[Row]:
    attack: Attack = importlib.import_module(f"attacks.{name}").attack
    quick, extended = ATTACKS[name]
    context.seconds = options.seconds or {"quick": quick, "extended": extended, "full": 0}[options.scale]
    context.restart_clock()
    rows = []
    for row in attack(context):
        print_row(row)
        rows.append(row)
    return rows


def main() -> int:
    options = parse()
    if options.list:
        for name in ATTACKS:
            text = importlib.import_module(f"attacks.{name}").__doc__.split("\n")[0]
            print(f"{name:14} {text}")
        return 0
    if not (options.build / "bin" / "heddle").exists():
        print(f"attack: no programs in {options.build}/bin; run ./dev build, or name another --build", file=sys.stderr)
        return 2
    context = Context(options.build, options.scale, options.seed, options.rows)
    print(f"attack: seed {options.seed}, {options.scale}; programs of {options.build}")
    print(f"{'tried':>7} {'survived':>9}  attack")
    start = time.monotonic()
    rows: list[Row] = []
    try:
        for name, (quick, extended) in ATTACKS.items():
            wanted = name in options.only if options.only else {"quick": quick, "extended": extended}.get(options.scale, 1)
            if wanted:
                rows += run_attack(name, options, context)
    finally:
        shutil.rmtree(context.folder, ignore_errors=True)
    tried, survived = sum(row.tried for row in rows), sum(row.survived for row in rows)
    print(f"{tried:7} {survived:9}  in all, {tried - survived} lost, {time.monotonic() - start:.0f} s")
    if options.json:
        result = {"seed": options.seed, "scale": options.scale, "rows": [dataclasses.asdict(row) for row in rows]}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf8")
    return 0 if tried == survived else 1


if __name__ == "__main__":
    sys.exit(main())
