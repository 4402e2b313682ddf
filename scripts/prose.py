"""Phrases that cost a native reader a second reading, and what to write instead; a rule of tidy.py.

Pages (README.md, docs/ and the like) are always checked. In sources, comments and literals are checked in the folders of CLEAN: add a
folder there once it is clean, and it stays so. `python3 scripts/prose.py [FOLDER]...` shows the phrases left in other folders.
"""

import io
import pathlib
import re
import sys
import tokenize
from collections.abc import Iterator

# Prefixes of paths whose comments and literals follow the rules.
CLEAN: tuple[str, ...] = (
    "examples/",
    "src/heddle/base/", "src/heddle/sync/", "src/heddle/backends/cpu/onednn/",
    "src/heddle/backends/cuda/cublaslt/", "src/heddle/backends/cuda/pages/",
    "src/heddle_check/", "check/", "bench/",
    "tests/base/", "tests/sync/", "tests/check/", "tests/process/",
    "scripts/",
    "tests/injection/", "tests/environment/", "tests/random/", "tests/fuzz/", "tests/faults/", "tests/cli/",
)
# These quote the phrases.
QUOTING = ("scripts/prose.py", "scripts/doc_rules_test.py")

PHRASES: list[tuple[re.Pattern, str]] = [(re.compile(pattern), instead) for pattern, instead in [
    (r"\b(?:is|are|was|were|be|been|being) told\b|\b[Tt]ells? nobody\b|\buntold\b", "returns, gets or receives a status; nobody is notified"),
    (r"\bfor (?:the )?want of\b", "because there is no"),
    (r"(?<!left )\bbehind\b(?! (?:an|one|the) interface)(?![,.;:)]|$)", "after, for time; below or within, for place"),
    (r"(?<!thing )(?<!body )(?<!one )(?<!where )(?<!what )(?<!who )(?<!#)(?<!\\s\*)\b[Ee]lse\b(?!'s|\w| if)", "otherwise"),
    (r"\bof (?:the user|somebody else|nobody|others)'s?\b(?! own)|\bof the users'", "the user's ..., another ...'s"),
    (r"\bso many\b", "that many, as many"),
    (r"\balso (?:where|when|while|if|those|in a|after)\b", "even if, including"),
    (r"\b(?:one|each|entry|mutex|outbox|heap|stream|line|word|file|command|\d[\d,.]*(?: \w+)?) a (?:second|thread|stream|list|pair|line|shard|class|"
     r"block|chain|round|execution|iteration|million|command|slot|layer)\b", "per"),
    (r"(?:^|[.;:)] )Who(?:ever)? [a-z]+\b(?![^.]*\?)", "a noun as the subject"),
    (r"\b(?:got|get|gets) over\b", "survived, handled"),
    (r"\bstands? for (?!itself)", "means, replaces, represents"),
    (r"\b(?:mended|mend)\b", "fixed"),
    (r"\bnone (?:of them )?(?:is|are) (?:lost|left) to\b|\b(?:lost|looked after) (?:to|by) nobody\b", "state the property"),
    (r"\b(?!minimise\b)\w*(?:chronis|inimis|erialis|nitialis|ecognis|ormalis|ptimis|rganis)(?:e|es|ed|er|ing|ation)\b|\b[Bb]ehaviour|\b[Nn]eighbour|\b[Cc]olour|"
     r"\b[Ff]ibre|\b[Mm]odell(?:ed|ing)|\b[Ll]abell(?:ed|ing)|\b[Cc]ancelled\b|\b[Ss]ignalling\b", "the American spelling"),
]]

CPP = (".hpp", ".cpp", ".cu", ".cuh")
PAGES = re.compile(r"(?:README|CONTRIBUTING|CHANGELOG|SECURITY)\.md|docs/.*\.md")
TOKEN = re.compile(r'(//[^\n]*|/\*.*?\*/)|R"\(((?s:.*?))\)"|"((?:\\.|[^"\\\n])*)"|\'(?:\\.|[^\'\\\n])+\'(?!\w)', re.DOTALL)


def page_lines(text: str) -> Iterator[tuple[int, str]]:
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            yield number, re.sub(r"`[^`]*`", "``", line)


def python_lines(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            for offset, line in enumerate(token.string.split("\n")):
                yield token.start[0] + offset, re.sub(r"\{[^{}]*\}", "{}", line)


def source_lines(path: str, text: str) -> Iterator[tuple[int, str]]:
    """The prose of a source by line: comments and literals of C++ and Python, every line of other files without the keyword else."""
    if path.endswith(".py"):
        yield from python_lines(text)
        return
    if not path.endswith(CPP):
        yield from ((number, re.sub(r"(?:^|;)\s*else\b", "", line)) for number, line in enumerate(text.split("\n"), 1))
        return
    for token in TOKEN.finditer(re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", " ", text)):
        first = text.count("\n", 0, token.start()) + 1
        for offset, line in enumerate((token[1] or token[2] or token[3] or "").split("\n")):
            yield first + offset, re.sub(r"^\s*(?://|/?\*+)\s*", "", line)


def problems(path: str, text: str) -> Iterator[tuple[int, str]]:
    for number, line in page_lines(text) if path.endswith(".md") else source_lines(path, text):
        for pattern, instead in PHRASES:
            if match := pattern.search(line):
                yield number, f"'{match[0].strip()}' costs a second reading; write: {instead}"


def applies(path: str) -> bool:
    return PAGES.fullmatch(path) is not None or (path.startswith(CLEAN) and path not in QUOTING)


def main(folders: list[str]) -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    found = 0
    for folder in folders or ["src", "cli", "check"]:
        for file in sorted((root / folder).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.is_file() and path.endswith(CPP + (".py", ".sh", ".cmake", ".txt")):
                for number, text in problems(path, file.read_text(encoding="utf-8")):
                    print(f"{path}:{number}: {text}")
                    found += 1
    print(f"prose: {found} phrases")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
