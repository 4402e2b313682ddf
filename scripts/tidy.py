#!/usr/bin/env python3
"""The house rules, as a test. Prints `file:line: rule: problem; remedy`; exits 1 if there is a problem.

Each rule is one function from a Tree to problems. If a rule makes the code worse, a line may be excused:
put `tidy-allow: RULE, because ...` in a comment on it. scripts/tidy_test.py shows each rule failing.
"""

import fnmatch
import os
import pathlib
import re
import sys
from typing import Callable, Iterator, NamedTuple

sys.dont_write_bytecode = True  # the tree stays clean
import catalogue  # noqa: E402
import class_sizes  # noqa: E402
import doc_rules  # noqa: E402
import lock_order  # noqa: E402
from doc_rules import (doc_examples, doc_index, doc_paths, doc_script_options, doc_variables, language,  # noqa: E402
                       table_cells)

# From the bottom up: a folder of src/heddle includes itself and the folders before it.
LAYERS = ["base", "sync", "device", "stream", "memory", "tensor", "ops", "batch", "runtime"]
BACKEND_MAY_INCLUDE = {"base", "sync", "device"}
# The public headers, include/heddle/NAME.hpp: the folder of src/heddle that each belongs to; "": above all.
PUBLIC = {
    "detail/namespace": "base", "error": "base", "limits": "base", "version": "base",
    "dtype": "device", "statistics": "device", "ticket": "device",
    "completion": "stream", "event": "stream", "stream": "stream",
    "detail/buffer": "memory",
    "detail/tensor_table": "tensor", "generator": "tensor", "memory_resource": "tensor", "shape": "tensor", "tensor": "tensor",
    "custom": "ops", "ops": "ops",
    "options": "runtime", "runtime": "runtime", "shutdown_report": "runtime",
    "cuda_memory_resource": "", "heddle": "",
}
# What users may rely on: headers beside detail/, lines of all, and the files that heddle.hpp brings.
PUBLIC_HEADERS_MOST, PUBLIC_LINES_MOST, PUBLIC_OPENED_MOST = 20, 2500, 45
DETAIL_SAYS = "// Internal to heddle: may change at any time."

# Sources that no test names, with the reason.
UNTESTED = {
    "backends/*/kernels/*.cpp": "reached through the kernel table: tests run every kernel by its id, not by its file",
    "backends/*/kernels/*.cu": "launched by the operations that tests/backends_cuda/ops_test.cpp compares with the reference",
    "backends/cuda/absent.cpp": "replaces the backend without the toolkit; tests/cli/bad_input_test.cpp requests the device",
    "backends/cuda/*.cpp": "tested by their effects, in tests/backends_cuda, which needs a GPU: device, queue, driver, commands",
    "backends/cuda/cublaslt/matmul.cpp": "every product in tests/backends_cuda/ops_test.cpp",
    "backends/cuda/pages/*_pages.cpp": "three sources of one interface: tests/backends_cuda/open_test.cpp runs each",
    "backends/cpu/onednn/*.cpp": "two implementations of one interface; the build picks one, tests reach it by the kernel table",
    "ops/*.cpp": "reached through the public operations: a case in tests/ops/op_cases.hpp is the test of an op",
    "stream/residency.cpp": "use across streams is tested in tests/stream/lane_test.cpp",
    "stream/ticket_parking.cpp": "every wait in tests/stream/lane_test.cpp parks in it",
    "sync/process.cpp": "fork, exit, unloading: needs whole processes, in tests/process/process_test.cpp",
    "runtime/lifecycle.cpp": "its end with the process is in tests/process/process_test.cpp, its shutdown in runtime_test.cpp",
    "sync/checked/*.cpp": "the checked build's side; every scenario of check/ runs on it",
    "sync/clock.cpp": "one call; deadlines are tested in tests/sync/mutex_test.cpp",
    "sync/lock_checks.cpp": "tested through the mutex, in tests/sync/mutex_test.cpp",
    "tensor/core.cpp": "opened and closed by every test in tests/runtime/runtime_test.cpp",
    "tensor/timing_event.cpp": "tested in tests/tensor/surfaces_test.cpp, with the other imports and exports",
    "device/kernel_failure.cpp": "tested with custom operations that throw, in tests/tensor/surfaces_test.cpp",
    "tensor/generator.cpp": "tested in tests/ops/random_test.cpp, with the operations that draw from it",
    "runtime/open_device.cpp": "tested through Options in tests/runtime/runtime_test.cpp",
    "device/device.cpp": "the defaults of optional calls; a backend that lacks them is tested through them",
}

LINES_WARN, LINES_MOST = 350, 500
CPP = (".hpp", ".cpp", ".cu", ".cuh")
SKIPPED = {"build", ".git", "__pycache__", "corpus"}  # corpus: inputs of the fuzz targets, any bytes
# The adaptors of the checked build: the only place in the library that knows heddle_check.
CHECKED = "src/heddle/sync/checked/"


class Problem(NamedTuple):
    file: str
    line: int
    rule: str
    text: str
    warning: bool = False


Tree = dict[str, str]  # path from the root, with slashes -> text
Found = Iterator[tuple[str, int, str]]


def cpp_files(tree: Tree, prefix: str = "") -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in tree.items() if path.endswith(CPP) and path.startswith(prefix))


def code_lines(text: str) -> list[str]:
    """The lines, with comments and the contents of literals blanked."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?s:.*?)\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'(?!\w)', re.DOTALL)

    def blank(match: re.Match) -> str:
        token = match[0]
        if token.startswith("/"):
            return "\n" * token.count("\n")
        return '""' + "\n" * token.count("\n")

    # 1'000 is a number, not the start of a character.
    return pattern.sub(blank, re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text)).split("\n")


def top_comment(text: str) -> str:
    lines = []
    for line in text.split("\n"):
        if not line.startswith("//"):
            break
        lines.append(line)
    return "\n".join(lines)


def folder_of(path: str) -> str:
    """'stream' for src/heddle/stream/x.hpp, 'backends/cpu' below src/heddle/backends/cpu; for public headers, see PUBLIC."""
    name = path.removeprefix("src/").removeprefix("include/").removeprefix("heddle/")
    if not path.startswith("src/") and name.removesuffix(".hpp") in PUBLIC:
        return PUBLIC[name.removesuffix(".hpp")]
    parts = name.split("/")[:-1]
    if not parts:
        return ""
    return "/".join(parts[:2]) if parts[0] == "backends" else parts[0]


def may_include(includer: str, target: str) -> str:
    """'' if the folder of `includer` may include `target` (heddle/...), otherwise the reason and the remedy."""
    own, other = folder_of(includer), folder_of(target)
    if own == other or own == "":
        return ""
    if own not in LAYERS and not own.startswith("backends/"):
        return f"folder {own} is in no layer; add it to LAYERS in scripts/tidy.py and to docs/change/architecture.md"
    if other.startswith("backends/"):
        if own == "runtime" and target.endswith("/open.hpp"):
            return ""
        return f"{own} includes {other}; only runtime may, and only its open.hpp; go through device/device.hpp"
    if own.startswith("backends/"):
        if other in BACKEND_MAY_INCLUDE:
            return ""
        return f"a backend includes {other}; it sees only base, sync and device: pass it down through device"
    if other in LAYERS and LAYERS.index(other) < LAYERS.index(own):
        return ""
    return f"{own} includes {other or 'a header of the top folder'}, which is above it; move the code down, or pass an interface down"


def heddle_includes(text: str) -> Iterator[tuple[int, str]]:
    """Line and target, heddle/..., of the includes of heddle's own headers."""
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*["<](heddle/[^">]+)[">]', line)
        if match:
            yield number, match[1]


def layers(tree: Tree) -> Found:
    for path, text in cpp_files(tree):
        if not path.startswith(("src/heddle/", "include/heddle/")):
            continue
        for number, target in heddle_includes(text):
            why = may_include(path, target)
            if why:
                yield path, number, why


def public_door(tree: Tree) -> Found:
    """What is in include/heddle: few headers, few lines, nothing of src/, and few files for who includes heddle.hpp."""
    folder, door = "include/heddle/", "include/heddle/heddle.hpp"
    headers = {path: text for path, text in tree.items() if path.startswith(folder)}
    for path, text in headers.items():
        if path.removeprefix(folder).removesuffix(".hpp") not in PUBLIC:
            yield path, 1, "is in no layer; add it to PUBLIC in scripts/tidy.py, or move it to src/heddle"
        if path.startswith(folder + "detail/") and not text.startswith(DETAIL_SAYS):
            yield path, 1, f"does not begin with: {DETAIL_SAYS}"
        for number, target in heddle_includes(text):
            if f"include/{target}" not in headers:
                yield path, number, f"{target} is not installed; declare what it needs, or hide it in the source file"
    public = [path for path in headers if not path.startswith(folder + "detail/")]
    if len(public) > PUBLIC_HEADERS_MOST:
        yield door, 1, f"{len(public)} public headers, at most {PUBLIC_HEADERS_MOST}; merge, or hide one"
    if (lines := sum(text.count("\n") for text in headers.values())) > PUBLIC_LINES_MOST:
        yield door, 1, f"{lines} lines in {folder}, at most {PUBLIC_LINES_MOST}; hide what users do not need"
    opened, waiting = set(), [door] if door in headers else []
    while waiting:
        path = waiting.pop()
        if path not in opened and path in tree:
            opened.add(path)
            waiting += [where + target for _, target in heddle_includes(tree[path]) for where in ("include/", "src/")]
    if len(opened) > PUBLIC_OPENED_MOST:
        yield door, 1, f"heddle.hpp brings {len(opened)} files, at most {PUBLIC_OPENED_MOST}; declare instead of including"


def checker_apart(tree: Tree) -> Found:
    for path, text in cpp_files(tree, "src/"):
        for number, line in enumerate(text.split("\n"), 1):
            match = re.match(r'\s*#\s*include\s*["<](heddle(?:_check)?)/', line)
            if match and path.startswith("src/heddle_check/") and match[1] == "heddle":
                yield path, number, "heddle_check is a separate library; make the heddle part a parameter"
            if match and path.startswith("src/heddle/") and match[1] == "heddle_check" and not path.startswith(CHECKED):
                yield path, number, f"only {CHECKED} includes heddle_check; go through the header of sync"
        if path.startswith("src/heddle/") and not path.startswith(CHECKED):
            yield from checked_includes(path, text)


def checked_includes(path: str, text: str) -> Found:
    """Includes of sync/checked/ are under #if HEDDLE_CHECKED: the shipped build has none."""
    inside = []
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"\s*#\s*if", line):
            inside.append(re.match(r"\s*#\s*if HEDDLE_CHECKED$", line) is not None)
        elif re.match(r"\s*#\s*else", line):
            inside[-1] = False
        elif re.match(r"\s*#\s*endif", line):
            inside.pop()
        elif re.match(r'\s*#\s*include "heddle/sync/checked/', line) and not any(inside):
            yield path, number, "sync/checked is for the checked build; include it under #if HEDDLE_CHECKED"


# (pattern, replacement); these hold in src/heddle outside of sync.
BANNED_IN_LIBRARY = [
    (r"std::(recursive_|timed_|shared_|recursive_timed_)?mutex\b", "sync::Mutex with a rank"),
    (r"std::(lock_guard|unique_lock|scoped_lock|shared_lock)\b", "sync::MutexLock"),
    (r"std::condition_variable\w*", "sync::ConditionVariable"),
    (r"std::(atomic\w*|memory_order\w*)", "sync::Atomic and the orders of sync/atomic.hpp"),
    (r"std::(j?thread|this_thread)\b", "sync::Thread (sync/thread.hpp)"),
    (r"\bthread_local\b", "sync/thread_local.hpp"),
    (r"std::(future|promise|async|packaged_task|shared_future)\b", "an event or a completion handler"),
    (r"std::call_once|std::once_flag", "a sync::Mutex or a member set up at construction"),
    (r"std::chrono::\w*_clock\b", "sync::now or sync::Deadline (sync/clock.hpp)"),
    (r"(?<!sync::)\bsleep_(for|until)\b", "a wait with a deadline"),
    (r"#\s*include\s*<(mutex|shared_mutex|thread|atomic|condition_variable|future)>", "the header of sync/"),
]
# These hold in the programs, which read foreign texts, files and arguments.
BANNED_IN_PROGRAMS = [
    (r"\b(?:popen|system)\(", "run_process (cli/system/subprocess.hpp), which knows no shell"),
    (r"\.dump\(", "json_text (cli/terminal/json.hpp), which takes any text and controls no terminal"),
    (r"[jJ]son::parse\(", "parse_json (cli/terminal/json.hpp), which bounds the nesting"),
    (r"\bO_TRUNC\b|\bfopen\(|std::(ofstream|fstream)\b", "write_whole_file (cli/system/whole_file.hpp), which follows no link"),
    (r"\bgetenv\(", "environment_value (base/environment.hpp), which heeds a privileged program"),
]
THEIR_PLACE = {"cli/terminal/json.cpp"}
# These hold everywhere: GCC 12's library has neither.
BANNED_EVERYWHERE = [
    (r"std::(format|vformat|format_to|format_string)\b|#\s*include\s*<format>", "fmt::format"),
    (r"std::expected\b|#\s*include\s*<expected>", "Status, or std::optional"),
]


def banned_names(tree: Tree) -> Found:
    for path, text in cpp_files(tree):
        rules = list(BANNED_EVERYWHERE)
        if path.startswith(("src/heddle/", "include/")) and not path.startswith("src/heddle/sync/"):
            rules += BANNED_IN_LIBRARY
        if path.startswith(("cli/", "check/")) and path not in THEIR_PLACE:
            rules += BANNED_IN_PROGRAMS
        for number, line in enumerate(code_lines(text), 1):
            for pattern, instead in rules:
                match = re.search(pattern, line)
                if match:
                    yield path, number, f"{match[0].strip()} is banned here; use {instead}"


def pragma_once(tree: Tree) -> Found:
    for path, text in cpp_files(tree):
        if path.endswith((".hpp", ".cuh")) and not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield path, 1, "no #pragma once; add it below the top comment"


def header_comment(tree: Tree) -> Found:
    for path, text in cpp_files(tree):
        if path.endswith((".hpp", ".cuh")) and not text.startswith("//"):
            yield path, 1, "no comment on top; add a few lines on the header's purpose and invariants"


def concurrent_header(tree: Tree) -> Found:
    for path, text in cpp_files(tree, "src/heddle/"):
        if not path.endswith((".hpp", ".cuh")) or path.startswith("src/heddle/sync/"):
            continue
        for number, line in enumerate(code_lines(text), 1):
            if re.search(r"\bsync::(Mutex|Atomic|ConditionVariable)\b", line):
                if not re.search(r"thread|locks|invariants", top_comment(text), re.IGNORECASE):
                    yield path, number, "is used by several threads; document it on top: thread safety, locks, invariants"
                break


def file_length(tree: Tree) -> Found:
    for path, text in tree.items():
        count = text.count("\n")
        if path.endswith(CPP + (".py", ".sh")) and count > LINES_MOST:
            yield path, count, f"{count} lines (at most {LINES_MOST}); it has two subjects: split it"


def file_length_warning(tree: Tree) -> Found:
    for path, text in tree.items():
        count = text.count("\n")
        if path.endswith(CPP + (".py", ".sh")) and LINES_WARN < count <= LINES_MOST:
            yield path, count, f"{count} lines, few should have over {LINES_WARN}; think of splitting it"


def test_for_source(tree: Tree) -> Found:
    for path, _ in cpp_files(tree, "src/heddle/"):
        inner = path.removeprefix("src/heddle/")
        if not inner.endswith((".cpp", ".cu")) or any(fnmatch.fnmatch(inner, known) for known in UNTESTED):
            continue
        stem = inner.rsplit(".", 1)[0]
        # A layer's tests are in its folder; a backend's may be in any.
        folder = "tests/" if inner.startswith("backends/") else f"tests/{inner.split('/')[0]}/"
        names = [stem, stem.split("/")[-1]]  # the latter: its header is public
        includes = [f'#include "heddle/{name}.hpp"' for name in names]
        tests = [text for _, text in cpp_files(tree, folder)]
        if f"tests/{stem}_test.cpp" in tree or any(include in text for text in tests for include in includes):
            continue
        yield path, 1, f"no test: write tests/{stem}_test.cpp, or add it with a reason to UNTESTED in scripts/tidy.py"


# Conformance suites and the header whose contract each one tests.
SUITES = {"tests/device_suite/": "src/heddle/device/device.hpp",
          "tests/page_source_suite/": "src/heddle/memory/page_source.hpp"}


def suite_of_contract(tree: Tree) -> Found:
    """Each numbered sentence on top of the header and each virtual function has a test, and no test names another."""
    for folder, header in SUITES.items():
        if header not in tree:
            continue
        cited = {}  # what stands before the underscore of a test's name -> where
        for path, text in cpp_files(tree, folder):
            for number, line in enumerate(text.split("\n"), 1):
                for subject in re.findall(r"^TEST_[PF]\(\w+, ([A-Za-z0-9]+)_", line):
                    cited.setdefault(subject, (path, number))
        code = "\n".join(code_lines(tree[header]))
        functions = {name: name.title().replace("_", "") for name in re.findall(r"\b([a-z]\w*)\(", code)}
        wanted = {f"Contract{number}": at for at, line in enumerate(top_comment(tree[header]).split("\n"), 1)
                  for number in re.findall(r"^// +(\d[a-z])\. ", line)}
        for at, line in enumerate(code.split("\n"), 1):
            for name in re.findall(r"\bvirtual [^~(]*?(\w+)\(", line):
                wanted.setdefault(functions[name], at)
        for subject, at in wanted.items():
            if subject not in cited:
                yield header, at, f"no test in {folder} is named {subject}_...; write one"
        for subject, (path, number) in cited.items():
            if subject not in wanted and subject not in functions.values():
                yield path, number, f"{header} has no {subject}; name the sentence or the function that is tested"


def catalogue_classes(tree: Tree) -> Found:
    if catalogue.RULED_OUT in tree:
        pages = {path: tree[path] for path in (catalogue.RULED_OUT, "docs/change/found.md") if path in tree}
        yield from catalogue.problems([text for _, text in cpp_files(tree, "tests/")], pages)


# Seconds; CI allows twice as long, and a slow machine has taken 1.7 times as long as two idle cores.
BUDGET_MOST = 45 * 60


def budgets(tree: Tree) -> Found:
    """Each step of ./dev has its line in scripts/budgets.txt, each line its step, and the sum is bounded."""
    path = "scripts/budgets.txt"
    if path not in tree:
        return
    lines = {match[2]: (number, int(match[1])) for number, line in enumerate(tree[path].split("\n"), 1)
             if (match := re.match(r" *(\d+) (.+)", line))}
    steps = {match[1]: number for number, line in enumerate(tree.get("dev", "").split("\n"), 1)
             for match in re.finditer(r'\bstep "([^"]+)" ', line)}
    for name, number in steps.items():
        if name not in lines:
            yield "dev", number, f'step "{name}" has no budget; add a line to {path}'
    for name, (number, _) in lines.items():
        if name not in steps:
            yield path, number, f'./dev has no step "{name}"; remove the line'
    if (total := sum(seconds for _, seconds in lines.values())) > BUDGET_MOST:
        yield path, 1, f"the budgets sum to {total} s, at most {BUDGET_MOST}; shorten or remove a step"


def class_size(tree: Tree) -> Found:
    for path, text in cpp_files(tree, "src/heddle/"):
        yield from class_sizes.too_large(path, "\n".join(code_lines(text)))


def class_in_one_source(tree: Tree) -> Found:
    sources = {path: "\n".join(code_lines(text)) for path, text in cpp_files(tree, "src/heddle/")
               if path.endswith((".cpp", ".cu"))}
    yield from class_sizes.in_several(sources)


def white_space(tree: Tree) -> Found:
    for path, text in tree.items():
        if text and not text.endswith("\n"):
            yield path, text.count("\n") + 1, "no newline at the end; add one"
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield path, number, "white space at the end of the line; remove it"
            if "\t" in line and path.endswith(CPP):
                yield path, number, "a tab; run ./dev format"


# The folder of this project on one machine; spelled so that this file does not contain it.
PRIVATE_PATHS = re.compile(r"(?<![\w.$}])/" + r"work(?=/)")


def private_paths(tree: Tree) -> Found:
    for path, text in tree.items():
        for number, line in enumerate(text.split("\n"), 1):
            if PRIVATE_PATHS.search(line):
                yield path, number, "a path on one machine; write it relative to the root of the tree"


def lock_order_page(tree: Tree) -> Found:
    if lock_order.SOURCE not in tree:
        return
    try:
        wanted = lock_order.page(tree[lock_order.SOURCE])
    except ValueError as error:
        yield lock_order.SOURCE, 1, str(error)
        return
    if tree.get(lock_order.PAGE) != wanted:
        yield lock_order.PAGE, 1, "differs from the ranks in the code; run python3 scripts/lock_order.py"


RULES: list[Callable[[Tree], Found]] = [
    layers, public_door, checker_apart, banned_names, pragma_once, header_comment, concurrent_header, file_length,
    test_for_source, doc_paths, doc_examples, doc_script_options, doc_variables, doc_index, table_cells, language, suite_of_contract, catalogue_classes,
    budgets, class_size, class_in_one_source, white_space, private_paths, lock_order_page,
]
WARNINGS: list[Callable[[Tree], Found]] = [file_length_warning]


def excused(tree: Tree, path: str, line: int, rule: str) -> bool:
    lines = tree.get(path, "").split("\n")
    return 1 <= line <= len(lines) and re.search(rf"tidy-allow: {rule}, \w+", lines[line - 1]) is not None


def check(tree: Tree) -> list[Problem]:
    return [Problem(*found[:2], rule.__name__, found[2], rule in WARNINGS)
            for rule in RULES + WARNINGS for found in rule(tree) if not excused(tree, *found[:2], rule.__name__)]


def read_tree(root: pathlib.Path) -> Tree:
    tree = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(set(files) - SKIPPED):
            path = pathlib.Path(folder, name)
            try:
                tree[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, FileNotFoundError):
                continue  # a picture, or deleted since
    return tree


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    tree = read_tree(root)
    problems = check(tree) + [Problem("git log", 0, "subjects", text)
                              for text in doc_rules.subject_problems(doc_rules.subjects_since(root))]
    for problem in problems:
        kind = "warning: " if problem.warning else ""
        print(f"{problem.file}:{problem.line}: {kind}{problem.rule}: {problem.text}")
    errors = sum(not problem.warning for problem in problems)
    print(f"tidy: {len(tree)} files, {len(RULES)} rules, {errors} problems")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
