#!/usr/bin/env python3
"""Applies the diff of docs/change/adding-an-op.md to a copy of the sources and compiles what it touches, without the library.

Also checks that a forgotten declaration does not compile. Exits 1 and prints the compiler's output where the page is wrong.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/change/adding-an-op.md"
MOST_SOURCES = 3  # that the diff of an elementwise operation touches, its test cases not counted
COMPILED = [
    "src/heddle/ops/elementwise/maps.cpp",
    "src/heddle/backends/cpu/kernels/elementwise.cpp",
    "src/heddle/backends/cpu/kernels/rows_simd.cpp",
    "src/heddle/backends/cpu/kernels/table.cpp",
    "src/heddle/backends/sim/executor.cpp",
    "tests/ops/op_cases_test.cpp",
]
# The values of the new function, by the formula that all machines share.
PROGRAM = """
#include <bit>
#include <cstdint>
#include "heddle/device/kernel_id.hpp"
#include "heddle/device/scalar_maps.hpp"
constexpr float neg(float x) { return heddle::maps::Neg::apply(heddle::maps::Scalars(), x, x); }
static_assert(heddle::kernel_name(heddle::KernelId::kNeg) == "neg" && neg(2) == -2);
static_assert(std::bit_cast<std::uint32_t>(neg(0)) == 0x80000000 && std::bit_cast<std::uint32_t>(neg(-0.0F)) == 0);
int main() {}
"""


def hunks(page: str) -> dict[str, list[tuple[str, str]]]:
    """Path -> (text before, text after) of each hunk of the page's diff. Hunks have no line numbers: text is looked for."""
    found: dict[str, list[tuple[str, str]]] = {}
    path, before, after = "", [], []

    def end() -> None:
        if before or after:
            found.setdefault(path, []).append(("".join(before), "".join(after)))
        before.clear()
        after.clear()

    for line in re.findall(r"^```diff\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0].splitlines(keepends=True):
        if line.startswith("--- a/"):
            end()
        elif line.startswith("+++ b/"):
            path = line.removeprefix("+++ b/").strip()
        elif line.startswith("@@"):
            end()
        else:
            if line[0] != "+":
                before.append(line[1:] or "\n")
            if line[0] != "-":
                after.append(line[1:] or "\n")
    end()
    return found


def apply(tree: pathlib.Path, diff: dict[str, list[tuple[str, str]]]) -> None:
    for path, changes in diff.items():
        text = (tree / path).read_text()
        for before, after in changes:
            if text.count(before) != 1:
                sys.exit(f"{PAGE.name}: a hunk of {path} fits {text.count(before)} places; copy its context again:\n{before}")
            text = text.replace(before, after)
        (tree / path).write_text(text)


def compile_error(tree: pathlib.Path, path: str) -> str:
    """The compiler's output, or nothing where the file compiles."""
    command = [os.environ.get("CXX", "g++"), "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Isrc",
               "-Itests", "-DHEDDLE_DEBUG_CHECKS=0", path]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else result.stderr


def main() -> None:
    diff = hunks(PAGE.read_text())
    sources = [path for path in diff if path.startswith(("include/", "src/"))]
    if len(sources) > MOST_SOURCES or not diff:
        sys.exit(f"{PAGE.name}: the diff touches {len(sources)} sources; an elementwise operation touches {MOST_SOURCES} at most")
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        for name in ("include", "src", "tests"):
            shutil.copytree(ROOT / name, tree / name)
        (tree / "program.cpp").write_text(PROGRAM)
        apply(tree, diff)
        for path in ["program.cpp", *COMPILED]:
            if error := compile_error(tree, path):
                sys.exit(f"{PAGE.name}: with its diff {path} does not compile:\n{error}")
        shutil.copy(ROOT / "include/heddle/ops.hpp", tree / "include/heddle/ops.hpp")
        if not compile_error(tree, COMPILED[0]):
            sys.exit(f"{PAGE.name}: the operation compiles without its declaration in ops.hpp")
    print(f"{PAGE.name}: the diff applies and compiles ({len(sources)} sources)")


if __name__ == "__main__":
    main()
