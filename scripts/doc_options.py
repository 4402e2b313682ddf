#!/usr/bin/env python3
"""Tests the pages' statements about the programs: commands, options, listed words, scenarios, plants, the README's trace.

usage: doc_options.py BIN_DIR      exits 1 if a page names something that the programs lack; programs missing in BIN_DIR are left out
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

sys.dont_write_bytecode = True
import man_pages  # noqa: E402
import prose  # noqa: E402

COMMAND = re.compile(r"(?:^|[\s`(])(?:[\w./-]*/)?(heddle|heddle-check)\s+([a-z][^`#|>\n]*)")


class Programs(NamedTuple):
    helps: dict[str, tuple[man_pages.Help, dict[str, man_pages.Help]]]  # by program
    scenarios: set[str]
    plants: set[str]


def commands_in(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(line, program, words) of each command that a page spells out: in `...` or in a block."""
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
            continue
        for code in [line] if inside else re.findall(r"`([^`]+)`", line):
            for match in COMMAND.finditer(" " + code):
                try:
                    yield number, match[1], shlex.split(match[2].rstrip(" .,;\\"))
                except ValueError:
                    continue  # a quotation that ends on the next line


def command_problems(programs: Programs, program: str, words: list[str]) -> Iterator[str]:
    if program not in programs.helps:
        return
    top, commands = programs.helps[program]
    name, arguments = words[0], words[1:]
    if not re.fullmatch(r"[a-z-]+", name) or name not in commands:
        if re.fullmatch(r"[a-z-]+", name):
            yield f"{program} has no command {name}; it has {', '.join(commands)}"
        return
    known = {option: each for each in commands[name].options for option in each.names}
    listed = [choice for positional in commands[name].positionals for choice in positional.choices]
    previous = None
    for word in arguments:
        option = word.split("=")[0]
        if option.startswith("--"):
            if option not in known:
                yield f"{program} {name} has no option {option}; see {program} {name} --help"
            previous = option
            continue
        if previous == "--plant" and re.fullmatch(r"[a-z_]+", word) and word not in programs.plants:
            yield f"heddle-check has no plant {word}"
        choices = known[previous].choices if previous in known else listed if previous is None else []
        if choices and re.fullmatch(r"[a-z][a-z-]*", word) and word not in choices:
            yield f"{program} {name} {previous or ''} does not list {word}; it lists {', '.join(choices)}"
        if (program, name, previous) == ("heddle-check", "run", None) and re.fullmatch(r"[a-z_0-9]+", word) \
                and word not in programs.scenarios:
            yield f"heddle-check has no scenario {word}"
        previous = None


def trace_problems(readme: str, printed: str) -> Iterator[tuple[int, str]]:
    """The rows of the README's trace match the canary's output, except for spaces."""
    rows = {" ".join(line.split()) for line in printed.split("\n")}
    for number, line in enumerate(readme.split("\n"), 1):
        if re.match(r"\s+\d+ (?:\*| ) .*\.cpp:\d+$", line) and " ".join(line.split()) not in rows:
            yield number, "heddle-check run --plant canary does not print this row; copy its trace"


def run(program: pathlib.Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEDDLE_")}
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=120, env=environment).stdout


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    folder, root = pathlib.Path(arguments[0]), pathlib.Path(__file__).resolve().parent.parent
    present = [name for name in man_pages.PROGRAMS if (folder / name).exists()]
    has_checker = "heddle-check" in present
    listed = json.loads(run(folder / "heddle-check", "list", "--json")) if has_checker else {"scenarios": [], "plants": []}
    programs = Programs({name: man_pages.helps_of(folder / name) for name in present},
                        {each["scenario"] for each in listed["scenarios"]}, {each["plant"] for each in listed["plants"]})
    problems, commands = [], 0
    for page in sorted(root.rglob("*.md")):
        path = page.relative_to(root).as_posix()
        if not prose.PAGES.fullmatch(path):
            continue
        text = page.read_text(encoding="utf-8")
        for number, program, words in commands_in(text):
            commands += 1
            problems += [(path, number, problem) for problem in command_problems(programs, program, words)]
        if path == "README.md" and has_checker:
            problems += [(path, *found) for found in trace_problems(text, run(folder / "heddle-check", "run", "--plant", "canary"))]
    for path, number, problem in problems:
        print(f"{path}:{number}: {problem}")
    print(f"doc_options: {commands} commands of {', '.join(present) or 'no program'}, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
