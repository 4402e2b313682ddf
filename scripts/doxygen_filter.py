#!/usr/bin/env python3
"""Doxygen's input filter for the public headers: plain comments become documentation. The headers themselves stay free of markup.

The comment on top documents the file; comments on their own lines document what follows; a comment after a declaration documents the declaration.
Lines indented by three spaces or more within a comment are code. usage: doxygen_filter.py FILE
"""

import re
import sys

OWN = re.compile(r"(\s*)//(?!/)( ?)(.*)$")
AFTER = re.compile(r"(.*[;,)\w\"]\s+)// (.*)$")
DIRECTIVE = re.compile(r"NOLINT|tidy-allow|---")


def escaped(text: str) -> str:
    return re.sub(r'([\\@<>#&%$"])', r"\\\1", text)


def comment(lines: list[str], indent: str, first: bool) -> list[str]:
    """One block of comment lines, their `//` and one space removed."""
    out = [f"{indent}/// \\file"] if first else []
    code = False
    for line in lines:
        is_code = line.startswith("  ") and not re.match(r"\s*(?:\d+\.|[-*]) ", line)
        if is_code and not code:
            out.append(f"{indent}/// \\code")
        if code and not is_code:
            out.append(f"{indent}/// \\endcode")
        code = is_code
        out.append(f"{indent}/// {line if code else escaped(line)}".rstrip())
    if code:
        out.append(f"{indent}/// \\endcode")
    return out


def documented(text: str) -> str:
    out: list[str] = []
    block: list[str] = []
    indent, top = "", True
    follows = False  # the last line was a declaration with a comment after it
    for line in text.split("\n"):
        match = OWN.match(line)
        if match and not DIRECTIVE.search(line):
            if follows and len(match[1]) > 8 and not block:  # continues the comment after the declaration above
                out.append(f"{match[1]}///< {escaped(match[3])}")
                continue
            indent = indent if block else match[1]
            block.append(match[3])
            continue
        if block:
            out += comment(block, indent, top)
            block = []
        top = False
        after = AFTER.match(line)
        follows = bool(after) and not DIRECTIVE.search(line) and not line.lstrip().startswith(("#", "}", "operator"))
        out.append(f"{after[1]}///< {escaped(after[2])}" if follows else line)
    return "\n".join(out + (comment(block, indent, top) if block else []))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(documented(file.read()))
