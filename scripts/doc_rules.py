"""The house rules of the pages: named things exist, quoted code is compiled, the language is plain. Rules of tidy.py."""

import pathlib
import re
import subprocess
from collections.abc import Iterator

import prose

Tree = dict[str, str]
Found = Iterator[tuple[str, int, str]]

DOC_PREFIXES = ("src/", "include/", "tests/", "docs/", "scripts/", "cli/", "bench/", "cmake/", "check/", "examples/")
CELL_MOST = 200


def pages(tree: Tree) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in tree.items() if prose.PAGES.fullmatch(path))


def doc_paths(tree: Tree) -> Found:
    """Paths, ./dev commands and scripts that a page names exist; pages that any file names exist."""
    known = set(tree) | {str(parent) for path in tree for parent in pathlib.PurePosixPath(path).parents}
    commands = set(re.findall(r"^cmd_(\w+)\(\)", tree.get("dev", ""), re.MULTILINE))
    for path, text in pages(tree):
        for number, line in enumerate(text.split("\n"), 1):
            for command in re.findall(r"\./dev ([a-z]\w*)", line):
                if command not in commands:
                    yield path, number, f"./dev has no command {command}; see ./dev help"
            for word in " ".join(re.findall(r"`([^`]+)`", line)).split():
                word = word.rstrip(".,:;/").removeprefix("./")
                if not word.startswith(DOC_PREFIXES) or re.search(r"[*<>{}$]|[A-Z]{3,}", word.removesuffix(".md")):
                    continue  # not a path, or one with a placeholder
                if word not in known and not word.endswith("CMakeLists.txt"):
                    yield path, number, f"{word} does not exist; name an existing path"
    for path, text in tree.items():
        if path.endswith("_test.py") or prose.PAGES.fullmatch(path):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for page in re.findall(r"\bdocs/[\w/-]+\.(?:md|svg)", line):
                if page not in known:
                    yield path, number, f"{page} does not exist; name the page that has the text now"


def doc_examples(tree: Tree) -> Found:
    """A block of C++ in a page is a part of the file named last before it, so it compiles."""
    for path, text in pages(tree):
        named, block = "", None
        for number, line in enumerate(text.split("\n"), 1):
            if block is None:
                named = (re.findall(r"`((?:examples|tests|check)/[\w/]+[.]cpp)`", line) or [named])[-1]
                if line == "```cpp":
                    block = []
            elif line == "```":
                if "\n".join(block) not in tree.get(named, ""):
                    yield path, number, f"the block is not in {named or 'an example, named before it'}; copy it from there"
                block = None
            else:
                block.append(line)


# The sources that parse the options of programs other than heddle; a script parses its own.
PARSED_IN = {"heddle_random_programs": "tests/random/", "injection_subject": "tests/injection/", "dev": "dev"}
PASSED_ON = {"run", "verify", "bench"}  # of ./dev: the rest goes to heddle; doc_options.py tests it


def doc_script_options(tree: Tree) -> Found:
    """Options of scripts and of the tests' programs, in `...` or in a block, occur in their source."""
    command = re.compile(r"(?:^|[\s/])(dev|scripts/[\w.]+|heddle_random_programs|injection_subject)((?: [^|>#`]*)?)$")
    for path, text in pages(tree):
        inside = False
        for number, line in enumerate(text.split("\n"), 1):
            if line.lstrip().startswith("```"):
                inside = not inside
            for code in [line] if inside else re.findall(r"`([^`]+)`", line):
                match = command.search(code.split(" #")[0].strip())
                if not match or (match[1] == "dev" and match[2].split(" ")[1:2] and match[2].split(" ")[1] in PASSED_ON):
                    continue
                place = PARSED_IN.get(match[1], match[1])
                source = "".join(body for name, body in tree.items() if name.startswith(place))
                for option in re.findall(r"(?<= )--[a-z][\w-]*", match[2]):
                    if source and not re.search(rf"{option}(?![\w-])", source):
                        yield path, number, f"{match[1]} has no option {option}; name one that {place} reads"


def doc_variables(tree: Tree) -> Found:
    """HEDDLE_ names in a page occur in the code or the build."""
    known = set()
    for path, text in tree.items():
        if not prose.PAGES.fullmatch(path) and not path.endswith("_test.py"):
            known.update(re.findall(r"\bHEDDLE_[A-Z][A-Z0-9_]*\b", text))
    for path, text in pages(tree):
        for number, line in enumerate(text.split("\n"), 1):
            for name in re.findall(r"\bHEDDLE_[A-Z][A-Z0-9_]*[A-Z0-9]\b(?!\*)", line):
                if name not in known and name != "HEDDLE_UPPER":
                    yield path, number, f"{name} is read nowhere; name one that exists"


def doc_index(tree: Tree) -> Found:
    """Every page of docs/ has its line in docs/README.md."""
    index = tree.get("docs/README.md", "")
    for path, _ in pages(tree):
        if path.startswith("docs/") and path != "docs/README.md" and f"`{path}`" not in index:
            yield path, 1, "docs/README.md does not name this page; give it a line there"


def table_cells(tree: Tree) -> Found:
    for path, text in pages(tree):
        for number, line in enumerate(text.split("\n"), 1):
            if line.startswith("|") and (longest := max(map(len, line.split("|")))) > CELL_MOST + 2:
                yield path, number, f"a cell of {longest} characters (at most {CELL_MOST}); write a paragraph or a list"


def language(tree: Tree) -> Found:
    for path, text in tree.items():
        if prose.applies(path):
            for number, problem in prose.problems(path, text):
                yield path, number, problem


# Commits after this one: older subjects are exempt.
SUBJECTS_SINCE = "d049ab9a29863b1860c4ee664d4b10918f43ae77"
SUBJECT_MOST = 72
NOT_IMPERATIVE = re.compile(r"(?:The|A|An|It|This|That|What|Who|There|When|\w+ed|\w+ing)\b")
IMPERATIVE = {"Bring", "Embed", "Exceed", "Feed", "Need", "Proceed", "Seed", "Shed", "Speed", "Spring", "String", "Swing"}


def subject_problems(lines: list[str]) -> Iterator[str]:
    """`lines`: a commit's short hash, a space, and its subject."""
    for line in lines:
        commit, _, subject = line.partition(" ")
        first = subject.split(" ")[0]
        if len(subject) > SUBJECT_MOST:
            yield f"the subject of {commit} has {len(subject)} characters (at most {SUBJECT_MOST}): {subject}"
        if not subject[:1].isupper() or subject.endswith("."):
            yield f"the subject of {commit} begins with a capital and has no final period: {subject}"
        if NOT_IMPERATIVE.match(subject) and first not in IMPERATIVE:
            yield f"the subject of {commit} is not imperative; say what the commit does, as in 'Add ...': {subject}"


def subjects_since(root: pathlib.Path, since: str = SUBJECTS_SINCE) -> list[str]:
    """Checks the commits after `since`; none without git, without a repository, or if it lacks that commit."""
    command = ["git", "-C", str(root), "log", "--no-merges", "--format=%h %s", f"{since}..HEAD"]
    if not (root / ".git").exists():
        return []
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return []
    return run.stdout.splitlines() if run.returncode == 0 else []
