"""Each class of the bug catalogue has a test named after it, or a row in RULED_OUT; a rule of tidy.py."""

import re
from collections.abc import Iterable, Iterator

RULED_OUT = "docs/change/design-rules-out.md"
# The rest belongs to parts that do not exist yet, or to the checker's own tests.
CLASSES = [f"C{n:02}" for n in (*range(1, 53), *range(56, 60))] + [f"R{n:02}" for n in (*range(1, 12), 15, 16, 17, 19, 20, 22)]
NAME = re.compile(r"\b(?:[CR]\d{2}_)+\w+")


def problems(tests: Iterable[str], pages: dict[str, str]) -> Iterator[tuple[str, int, str]]:
    """Path, line, text. `tests`: sources of the tests; `pages`: the text of RULED_OUT, and of other pages that name tests."""
    names = {name for text in tests for name in NAME.findall(text)}
    covered = {kind for name in names for kind in re.findall(r"[CR]\d{2}(?=_)", name)}
    covered.update(re.findall(r"^\| ([CR]\d{2}) \|", pages[RULED_OUT], re.MULTILINE))
    for kind in CLASSES:
        if kind not in covered:
            yield RULED_OUT, 1, f"class {kind} has neither a test named {kind}_... nor a row here; add one"
    for path, text in pages.items():
        for number, line in enumerate(text.split("\n"), 1):
            for name in NAME.findall(line):
                if name not in names:
                    yield path, number, f"no test is named {name}; name one that exists"
