"""Shows the rules of the pages, and the tests of their statements about the programs, failing and passing; run by tidy_test.py."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import doc_options  # noqa: E402
import doc_rules  # noqa: E402
import doxygen_filter  # noqa: E402
import man_pages  # noqa: E402
import prose  # noqa: E402
import tidy  # noqa: E402
from rule_test import RuleTest  # noqa: E402

HELP = """Run randn on many threads
Usage: heddle stress [OPTIONS] [name]

Positionals:
  name                        record, submit, alloc

Options:
  -h,--help                   Print this help message and exit
  --family Excludes: --threads --seconds
                              8 to 80 threads
  --threads Excludes: --family
                              1 to 1024 (32)
  --inject                    Plant a fault, which must FAIL: none, stale, swap (none)
  --processes UINT:UINT in [1 - 256]
                              In this many processes
"""
TOP = """Heddle: streams.
Usage: heddle [OPTIONS] [SUBCOMMAND]

Options:
  -h,--help                   Print this help message and exit

Subcommands:
  stress                      Run randn on many threads
"""


class DocRules(RuleTest):
    def test_doc_paths(self):
        others = {"dev": "cmd_run() {\n", "src/heddle/base/error.hpp": "", "docs/use/a.md": ""}
        self.fails(tidy.doc_paths, "README.md", "see `src/heddle/base/eror.hpp`\n", others)
        self.fails(tidy.doc_paths, "docs/change/testing.md", "type `./dev walk`\n", others)
        self.fails(tidy.doc_paths, "src/a.hpp", "// docs/a.md says why\n", others)
        self.passes(tidy.doc_paths, "src/a.hpp", "// docs/use/a.md says why\n", others)
        self.passes(tidy.doc_paths, "README.md", "`src/heddle/base/error.hpp`, `src/heddle/base/`, `./dev run`, "
                    "`tests/LAYER/STEM_test.cpp`, src/none.hpp\n", others)

    def test_doc_examples(self):
        others = {"examples/a.cpp": "// what\nint main() {\n  f();\n}\n", "tests/b/b.cpp": "  g();\n"}
        self.passes(tidy.doc_examples, "README.md", "see `examples/a.cpp`:\n```cpp\nint main() {\n  f();\n}\n```\n", others)
        self.passes(tidy.doc_examples, "docs/use/a.md", "see `tests/b/b.cpp`:\n```cpp\n  g();\n```\n", others)
        self.fails(tidy.doc_examples, "README.md", "see `examples/a.cpp`:\n```cpp\n  g();\n```\n", others, line=4)
        self.fails(tidy.doc_examples, "docs/use/a.md", "```cpp\n  f();\n```\n", others, line=3)

    def test_doc_script_options(self):
        others = {"dev": "cmd_test() { --extended }\n", "scripts/attack.py": 'add("--scale")\n', "tests/random/main.cpp": '"--count"\n'}
        self.passes(tidy.doc_script_options, "README.md", "`./dev test --extended`, `scripts/attack.py --scale full`, `./dev run --threads 8`\n"
                    "```\nbuild/bin/heddle_random_programs --count 2   # --none\n```\n", others)
        for bad in ("`./dev test --extendet`", "`scripts/attack.py --scales full`", "`build/bin/heddle_random_programs --counts 2`"):
            self.fails(tidy.doc_script_options, "README.md", bad + "\n", others)

    def test_doc_variables(self):
        others = {"src/a.cpp": 'environment_value("HEDDLE_DEVICE");\n'}
        self.passes(tidy.doc_variables, "docs/use/a.md", "`HEDDLE_DEVICE`, `HEDDLE_*`\n", others)
        self.fails(tidy.doc_variables, "docs/use/a.md", "`HEDDLE_DEVISE=cuda`\n", others)

    def test_doc_index(self):
        self.passes(tidy.doc_index, "docs/use/a.md", "", {"docs/README.md": "| `docs/use/a.md` | What? |\n"})
        self.fails(tidy.doc_index, "docs/use/a.md", "", {"docs/README.md": "nothing\n"})

    def test_table_cells(self):
        self.passes(tidy.table_cells, "README.md", f"| a | {'b' * 200} |\n{'c' * 300}\n")
        self.fails(tidy.table_cells, "README.md", f"| a | {'b' * 201} |\n")

    def test_language(self):
        for text in ("the thread is told that", "a queue that nobody was told of", "for want of memory", "it runs behind the wait",
                     "it would else keep them", "; else 20 us", "an error of the user's", "a bound of so many", "one mutex a shard",
                     "770,000 launches a second", "Who makes a line ready pushes it", "also when it fails", "two fibres", "got over"):
            self.fails(tidy.language, "docs/use/a.md", text + "\n")
            self.fails(tidy.language, "examples/a.cpp", f"// {text}\n")
            self.passes(tidy.language, "tests/a/a.cpp", f"// {text}\n")  # not clean yet
        for text in ("`is told`", "nothing else can happen", "it left its result behind.", "somebody else's tree", "Who reads this?",
                     "twice per second", "```\nelse: a second\n```", "the `minimise` command"):
            self.passes(tidy.language, "docs/use/a.md", text + "\n")
        self.passes(tidy.language, "examples/a.cpp", "if (a) f(); else g();  // either\n#else\n")
        self.fails(tidy.language, "examples/a.cpp", 'int a;\nthrow Error("it is told");\n', line=2)
        self.assertTrue(all(prose.applies(f"{folder}a.cpp") for folder in prose.CLEAN))

    def test_subjects(self):
        wrong = ["x " + "Add " + "a" * 69, "x add a test", "x Add a test.", "x The soak is flat", "x Added a test"]
        for line in wrong:
            self.assertNotEqual(list(doc_rules.subject_problems([line])), [], line)
        self.assertEqual(list(doc_rules.subject_problems(["x Add a test", "y Need a rank for each mutex", "z Add " + "a" * 68])), [])
        with tempfile.TemporaryDirectory() as folder:  # no repository: nothing to say
            self.assertEqual(doc_rules.subjects_since(pathlib.Path(folder)), [])


class Programs(unittest.TestCase):
    def test_help_is_parsed(self):
        help_text = man_pages.parse(HELP)
        self.assertEqual([option.names for option in help_text.options],
                         [["-h", "--help"], ["--family"], ["--threads"], ["--inject"], ["--processes"]])
        self.assertEqual(help_text.options[1].text, "8 to 80 threads")
        self.assertEqual(help_text.options[3].choices, ["none", "stale", "swap"])
        self.assertEqual(help_text.positionals[0].choices, ["record", "submit", "alloc"])
        self.assertEqual(man_pages.parse(TOP).subcommands, [("stress", "Run randn on many threads")])

    def test_man_page_and_completion_name_every_option(self):
        top, commands = man_pages.parse(TOP), {"stress": man_pages.parse(HELP)}
        page = man_pages.man_page("heddle", "0.1.0", top, commands)
        words = man_pages.completion("heddle", top, commands)
        for option in ("--family", "--threads", "--inject", "--processes"):
            self.assertIn(man_pages.roff(option), page)
            self.assertIn(option, words)
        self.assertIn('--inject) words="none stale swap"', words)

    def test_comments_become_documentation(self):
        text = "// A file.\n#pragma once\n\n// Takes <one>.\n//   f(1);\nvoid f(int);\nint a;  // of b\nint c;  // NOLINT\n}  // namespace d\n"
        self.assertEqual(doxygen_filter.documented(text),
                         "/// \\file\n/// A file.\n#pragma once\n\n/// Takes \\<one\\>.\n/// \\code\n///   f(1);\n/// \\endcode\nvoid f(int);\n"
                         "int a;  ///< of b\nint c;  // NOLINT\n}  // namespace d\n")

    def test_pages_are_compared_with_the_programs(self):
        programs = doc_options.Programs({"heddle": (man_pages.parse(TOP), {"stress": man_pages.parse(HELP)}),
                                         "heddle-check": (man_pages.parse(TOP), {"run": man_pages.parse("Options:\n  --plant TEXT                A plant\n")})},
                                        {"canary"}, {"lost"})
        problems = lambda text: [problem for _, program, words in doc_options.commands_in(text)  # noqa: E731
                                 for problem in doc_options.command_problems(programs, program, words)]
        for good in ("`heddle stress --threads 8`", "`heddle stress alloc --inject stale`", "```\nbuild/bin/heddle-check run canary --plant lost\n```",
                     "`heddle stress NAME`", "a heddle walks"):
            self.assertEqual(problems(good), [], good)
        for bad in ("`heddle stres`", "`heddle stress --thread 8`", "`heddle stress --inject stole`", "`heddle stress allok`",
                    "`heddle-check run canery`", "`heddle-check run --plant last`"):
            self.assertEqual(len(problems(bad)), 1, bad)
        rows = "    1   load atomic#2 = 0     canary.cpp:27\n"
        self.assertEqual(list(doc_options.trace_problems(rows, rows.replace("  ", " "))), [])
        self.assertEqual(len(list(doc_options.trace_problems(rows, rows.replace("= 0", "= 1")))), 1)
