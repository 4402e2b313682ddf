"""How many fields and functions each class of the library has, and in how many sources its members are defined.

It reads declarations as clang-format lays them out, of `class` only: a `struct` is data. A field is a declaration whose
name ends with an underscore, a function any other one with parentheses; `= delete` counts for neither.
"""

import re
from collections import defaultdict
from typing import Iterator

FIELDS_MOST, FUNCTIONS_MOST = 14, 30

# At most five, and why.
EXCEPTIONS = {
    "Lane": "a stream's whole recording side, one holder; its parts (list, handlers, parking) are classes already",
    "LanePool": "the door to the lanes of a device, one mutex; what it decides there is LaneExchange",
    "Heap": "the allocator's door; its functions are one line each over its parts",
    "SimDevice": "a whole device in one lock, so that the checker steps it",
}

CLASS = re.compile(r"\bclass\s+(?:\w+\([^()]*\)\s*)?(\w+)(?:\s+final)?\s*(?::[^;{}()]*)?\{")
FIELD = re.compile(r"\b[a-z]\w*_(?:\[\w*\])?(?:\s+HEDDLE_\w+\([^()]*\))*\s*(?:\{\}|=.*)?$", re.DOTALL)
NO_MEMBER = re.compile(r"(?:using|friend|static_assert|enum|struct|class|template\s*<[^>]*>\s*(?:struct|class))\b")
# A definition of a member, at the start of a line.
MEMBER = re.compile(r"^(?![ }#])[^;=(){}]*?\b([A-Z]\w*)::(?:~?\w+|operator\W+)\(", re.MULTILINE)


def body_from(code: str, start: int) -> str:
    """The text from `start` to the brace that closes what is open there."""
    depth, at = 1, start
    while depth and at < len(code):
        depth += (code[at] == "{") - (code[at] == "}")
        at += 1
    return code[start:at - 1]


def declarations(body: str) -> Iterator[str]:
    """Those at the top of a class's body; bodies of functions and of nested types are {}."""
    depth, text = 0, ""
    for c in body:
        depth -= c == "}"
        if depth == 0:
            text += c
        depth += c == "{"
    text = re.sub(r"^\s*#.*$|\b(?:public|private|protected):(?!:)", "", text, flags=re.MULTILINE)
    for part in text.split(";"):
        yield from (piece.strip() for piece in re.split(r"(?<=\{\})(?=\s*(?:\n|$))", part) if piece.strip())


def classes(code: str) -> Iterator[tuple[str, int, int, int]]:
    """(name, line, fields, functions) of each class in `code`, whose comments and literals are blanked."""
    for match in CLASS.finditer(code):
        fields = functions = 0
        for declaration in declarations(body_from(code, match.end())):
            if NO_MEMBER.match(declaration) or "= delete" in declaration:
                continue
            if FIELD.search(declaration):
                fields += 1 + len(re.findall(r"_(?:\{\})?\s*,", declaration))
            elif "(" in declaration:
                functions += 1
        yield match[1], code[:match.start()].count("\n") + 1, fields, functions


def too_large(path: str, code: str) -> Iterator[tuple[str, int, str]]:
    for name, line, fields, functions in classes(code):
        if name not in EXCEPTIONS and (fields > FIELDS_MOST or functions > FUNCTIONS_MOST):
            yield path, line, (f"{name} has {fields} fields and {functions} functions, at most {FIELDS_MOST} and "
                               f"{FUNCTIONS_MOST}; it has two subjects: divide it")


def in_several(sources: dict[str, str]) -> Iterator[tuple[str, int, str]]:
    """`sources`: code by path. A class of one folder whose members are defined in more than one of them."""
    places = defaultdict(dict)
    for path, code in sources.items():
        for match in MEMBER.finditer(code):
            places[path.rsplit("/", 1)[0], match[1]].setdefault(path, code[:match.start()].count("\n") + 1)
    for (_, name), found in places.items():
        for path, line in list(found.items())[1:]:
            yield path, line, f"{name} is defined in {next(iter(found))} too; one source per class: divide it by subject"
