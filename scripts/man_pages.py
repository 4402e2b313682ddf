#!/usr/bin/env python3
"""Writes man pages and bash completion from the --help of programs built with CLI11.

usage: man_pages.py BIN_DIR OUT_DIR [PROGRAM]...      (default: heddle heddle-check, those in BIN_DIR)

Writes OUT_DIR/man1/PROGRAM.1 and OUT_DIR/completions/PROGRAM. A program's help is its only source: an option without help there has
none here. doc_options.py uses parse() to test the options that the pages name.
"""

import os
import pathlib
import re
import subprocess
import sys
from typing import NamedTuple

PROGRAMS = ("heddle", "heddle-check")
EXIT_STATUS = "0: success. 1: a fault or failure was found. 2: bad input, named in one line on standard error."


class Option(NamedTuple):
    names: list[str]  # -h, --help; for a positional, its name
    text: str
    choices: list[str]


class Help(NamedTuple):
    summary: str
    usage: str
    positionals: list[Option]
    options: list[Option]
    subcommands: list[tuple[str, str]]  # name, what it does


def choices_of(text: str) -> list[str]:
    """The words that a text lists, as in 'none, stale, swap (none)' or 'Of alloc: all, heddle (all)'."""
    listed = re.sub(r"\s*\([^)]*\)\s*[.]?$", "", text).split(": ")[-1]
    words = [re.sub(r"[\[:].*", "", word.strip()) for word in listed.split(",")]
    return words if len(words) > 2 and all(re.fullmatch(r"[a-z][a-z0-9_-]*", word) for word in words) else []


def entries(lines: list[str]) -> list[tuple[str, str]]:
    """(names, text) of one section of CLI11's help: names begin at column 2, texts at column 30.

    Names that reach column 30 stand alone, and their text is the next line.
    """
    found: list[tuple[str, str]] = []
    for line, following in zip(lines, [*lines[1:], ""]):
        if re.match(r"  \S", line):
            alone = following.startswith(" " * 30)
            found.append((line.strip(), "") if alone else (line[:30].strip(), line[30:].strip()))
        elif line.strip() and found:
            found[-1] = (found[-1][0], (found[-1][1] + " " + line.strip()).strip())
    return found


def parse(text: str) -> Help:
    lines = text.strip("\n").split("\n")
    sections: dict[str, list[str]] = {}
    summary, usage, current = "", "", None
    for line in lines:
        if match := re.fullmatch(r"([A-Z]\w*):", line):
            current = sections.setdefault(match[1], [])
        elif line.startswith("Usage: "):
            usage = line.removeprefix("Usage: ")
        elif current is not None:
            current.append(line)
        elif line.strip():
            summary = (summary + " " + line.strip()).strip()
    options = []
    for names, about in entries(sections.get("Options", [])):
        known = re.findall(r"(?<![\w-])-{1,2}[a-zA-Z][\w-]*", re.split(r" (?:Excludes|Needs):", names)[0])
        options.append(Option(known, about, choices_of(about)))
    positionals = [Option([names.split()[0]], about, choices_of(about))
                   for names, about in entries(sections.get("Positionals", []))]
    return Help(summary, usage, positionals, options, entries(sections.get("Subcommands", [])))


def help_of(program: pathlib.Path, *command: str) -> Help:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEDDLE_")}
    run = subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True, timeout=60, env=environment)
    return parse(run.stdout)


def helps_of(program: pathlib.Path) -> tuple[Help, dict[str, Help]]:
    top = help_of(program)
    return top, {name: help_of(program, name) for name, _ in top.subcommands}


def roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def man_options(options: list[Option]) -> list[str]:
    lines = []
    for option in options:
        lines += [".TP", ", ".join(f"\\fB{roff(name)}\\fR" for name in option.names), roff(option.text) or "\\&"]
    return lines


def man_page(name: str, version: str, top: Help, commands: dict[str, Help]) -> str:
    summary = top.summary.removeprefix("Heddle: ").rstrip(".")
    lines = [f'.TH "{roff(name).upper()}" 1 "" "heddle {roff(version)}" "User Commands"', ".SH NAME", f"{roff(name)} \\- {roff(summary)}",
             ".SH SYNOPSIS"]
    for command in commands or [""]:
        lines += [f"\\fB{roff(f'{name} {command}'.strip())}\\fR [OPTIONS]"
                  + "".join(f" {roff(p.names[0])}" for p in (commands[command].positionals if command else top.positionals)), ".br"]
    lines += [".SH OPTIONS", *man_options(top.options)]
    if commands:
        lines.append(".SH COMMANDS")
    for command, about in commands.items():
        lines += [f".SS \"{roff(command)}\"", roff(about.summary)]
        lines += man_options([Option([p.names[0]], p.text, []) for p in about.positionals])
        lines += man_options([o for o in about.options if "--help" not in o.names])
    others = [other for other in PROGRAMS if other != name]
    lines += [".SH EXIT STATUS", roff(EXIT_STATUS), ".SH SEE ALSO", ", ".join(f"\\fB{roff(other)}\\fR(1)" for other in others)]
    return "\n".join(lines) + "\n"


def completion(name: str, top: Help, commands: dict[str, Help]) -> str:
    function = "_" + name.replace("-", "_")

    def flags(about: Help) -> str:
        return " ".join(option for each in about.options for option in each.names if option.startswith("--"))

    def case(command: str, about: Help) -> list[str]:
        lines = [f"    {command})"]
        values = {option: each.choices for each in about.options if each.choices for option in each.names}
        if values:
            lines.append('      case "$previous" in')
            lines += [f'        {option}) words="{" ".join(choices)}" ;;' for option, choices in values.items()]
            lines.append("      esac")
        words = " ".join([flags(about)] + [word for p in about.positionals for word in p.choices])
        lines += [f'      [ -n "$words" ] || words="{words}"', "      ;;"]
        return lines

    lines = [f"# Bash completion for {name}; generated by man_pages.py from its --help.", f"{function}() {{",
             '  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=""',
             '  case "${COMP_WORDS[1]}" in']
    for command, about in commands.items():
        lines += case(command, about)
    top_words = " ".join([*commands, flags(top)])
    lines += ["  esac", f'  [ "$COMP_CWORD" -gt 1 ] || words="{top_words}"',
              '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")', "}",
              f"complete -o default -F {function} {name}"]
    return "\n".join(lines) + "\n"


def version_of(program: pathlib.Path) -> str:
    run = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60)
    match = re.search(r"\d+\.\d+\.\d+", run.stdout)
    return match[0] if match else ""


def main(arguments: list[str]) -> int:
    if len(arguments) < 2 or arguments[0].startswith("-"):
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    programs, out = pathlib.Path(arguments[0]), pathlib.Path(arguments[1])
    names = arguments[2:] or [name for name in PROGRAMS if (programs / name).exists()]
    for name in names:
        top, commands = helps_of(programs / name)
        for path, text in ((out / "man1" / f"{name}.1", man_page(name, version_of(programs / name), top, commands)),
                           (out / "completions" / name, completion(name, top, commands))):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
