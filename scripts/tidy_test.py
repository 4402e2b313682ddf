#!/usr/bin/env python3
"""Shows each house rule failing on a bad snippet and passing on a good one. A rule that cannot fail checks nothing."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import class_sizes  # noqa: E402
import lock_order  # noqa: E402
import tidy  # noqa: E402
from rule_test import RuleTest  # noqa: E402

RANKS = "enum class Rank {\n  kLow = 1,  // a\n  kHigh = 2,  // b\n};\n"


def include(target: str) -> str:
    return f'#include "heddle/{target}"\n'


class Rules(RuleTest):
    def test_layers(self):
        bad = [("sync/a.hpp", "device/device.hpp"), ("stream/a.cpp", "memory/block.hpp"),
               ("backends/cpu/a.cpp", "stream/lane.hpp"), ("backends/cpu/a.cpp", "backends/sim/open.hpp"),
               ("runtime/a.cpp", "backends/cpu/queue.hpp"), ("ops/a.cpp", "backends/cpu/open.hpp"),
               ("unheard/a.cpp", "base/check.hpp"), ("base/a.hpp", "heddle.hpp"), ("device/a.hpp", "event.hpp"),
               ("backends/cpu/a.cpp", "tensor.hpp"), ("stream/a.cpp", "detail/buffer.hpp"), ("ops/a.hpp", "runtime.hpp")]
        for path, target in bad:
            self.fails(tidy.layers, f"src/heddle/{path}", include(target))
        good = [("device/a.hpp", "sync/mutex.hpp"), ("memory/a.hpp", "stream/lane.hpp"),
                ("backends/cpu/kernels/a.cpp", "backends/cpu/open.hpp"), ("backends/sim/a.cpp", "device/device.hpp"),
                ("runtime/a.cpp", "backends/cuda/open.hpp"), ("backends/cpu/a.hpp", "dtype.hpp"),
                ("stream/a.cpp", "event.hpp"), ("ops/a.cpp", "tensor.hpp"), ("runtime/a.hpp", "runtime.hpp")]
        for path, target in good:
            self.passes(tidy.layers, f"src/heddle/{path}", include(target))
        self.fails(tidy.layers, "include/heddle/event.hpp", include("tensor.hpp"))
        self.passes(tidy.layers, "include/heddle/tensor.hpp", include("event.hpp"))
        self.passes(tidy.layers, "include/heddle/heddle.hpp", include("runtime.hpp"))

    def test_public_door(self):
        door = "include/heddle/heddle.hpp"
        self.passes(tidy.public_door, door, include("error.hpp"), {"include/heddle/error.hpp": ""})
        self.fails(tidy.public_door, "include/heddle/secret.hpp", "")
        self.fails(tidy.public_door, door, "\n" + include("sync/mutex.hpp"), {"src/heddle/sync/mutex.hpp": ""}, line=2)
        self.fails(tidy.public_door, "include/heddle/detail/buffer.hpp", "// A buffer.\n")
        self.passes(tidy.public_door, "include/heddle/detail/buffer.hpp", tidy.DETAIL_SAYS + " A buffer.\n")

    def test_public_door_counts(self):
        door = "include/heddle/heddle.hpp"
        # The rule's other problems are of other files, and follow or precede these.
        texts = lambda tree: [text for path, _, text in tidy.public_door(tree) if path == door]  # noqa: E731
        headers = {f"include/heddle/a{n}.hpp": "" for n in range(tidy.PUBLIC_HEADERS_MOST)}
        self.assertIn("21 public headers", texts({**headers, door: ""})[0])
        self.assertEqual(texts({**headers}), [])
        self.assertIn("2501 lines", texts({door: "", "include/heddle/error.hpp": "\n" * 2501})[0])
        self.assertEqual(texts({door: "", "include/heddle/error.hpp": "\n" * 2500}), [])
        inner = {f"include/heddle/detail/a{n}.hpp": "" for n in range(tidy.PUBLIC_OPENED_MOST)}
        all_of_them = "".join(include(f"detail/a{n}.hpp") for n in range(tidy.PUBLIC_OPENED_MOST))
        self.assertIn("brings 46 files", texts({**inner, door: all_of_them})[0])
        self.assertEqual(texts({**inner, door: include("detail/a0.hpp")}), [])

    def test_banned_names(self):
        for text in ("std::mutex m;", "std::atomic<int> a;", "std::thread t;", "thread_local int x;",
                     "std::condition_variable c;", "std::shared_mutex m;", "std::future<int> f;",
                     "auto t = std::chrono::steady_clock::now();", "std::this_thread::sleep_for(t);",
                     "std::call_once(f, g);", "#include <mutex>"):
            self.fails(tidy.banned_names, "src/heddle/memory/a.cpp", text + "\n")
            self.passes(tidy.banned_names, "src/heddle/sync/a.hpp", text + "\n")
            self.passes(tidy.banned_names, "tests/memory/a_test.cpp", text + "\n")
        for text in ("#include <format>", "#include <expected>", "std::format(s);", "std::expected<int, int> e;"):
            self.fails(tidy.banned_names, "cli/a.cpp", text + "\n")
            self.fails(tidy.banned_names, "src/heddle/sync/a.cpp", text + "\n")
        for text in ("popen(command, mode);", "std::system(line);", "text += json.dump(2);", "auto j = Json::parse(text);",
                     "nlohmann::json::parse(text);", "open(path, O_CREAT | O_TRUNC);", "std::ofstream(path) << text;",
                     "std::getenv(name);"):
            self.fails(tidy.banned_names, "cli/a.cpp", text + "\n")
            self.fails(tidy.banned_names, "check/a.cpp", text + "\n")
            self.passes(tidy.banned_names, "tests/cli/a_test.cpp", text + "\n")
        self.passes(tidy.banned_names, "cli/a.cpp", "std::ifstream(path) >> x; shutdown_system(x); file_system();\n")
        self.passes(tidy.banned_names, "src/heddle/memory/a.cpp",
                    '// like std::mutex\nconst char* s = "std::mutex";\n/* std::atomic */ int x = 1\'000;\n'
                    '#include "heddle/sync/thread_local.hpp"\nstd::chrono::milliseconds m; sync::sleep_for(m);\n')
        self.fails(tidy.banned_names, "src/heddle/memory/a.cpp", "/* a\nb */\nstd::mutex m;\n", line=3)

    def test_budgets(self):
        budgets = "scripts/budgets.txt"
        dev = 'step "house rules" tidy\nstep "build" build && step "tests" ctest\n'
        good = "# seconds and step\n  10 house rules\n1000 build\n 200 tests\n"
        self.passes(tidy.budgets, "dev", dev, {budgets: good})
        self.fails(tidy.budgets, "dev", dev + 'step "new" x\n', {budgets: good}, line=3)
        self.fails(tidy.budgets, budgets, good + "  5 gone\n", {"dev": dev}, line=5)
        self.fails(tidy.budgets, budgets, good.replace("1000", "2491"), {"dev": dev})
        self.passes(tidy.budgets, budgets, good.replace("1000", "2490"), {"dev": dev})

    def test_checker_apart(self):
        self.fails(tidy.checker_apart, "src/heddle_check/a.cpp", '#include "heddle/base/error.hpp"\n')
        self.fails(tidy.checker_apart, "src/heddle/stream/a.cpp", '#include "heddle_check/mutex.hpp"\n')
        self.fails(tidy.checker_apart, "src/heddle/sync/a.hpp", '#include "heddle_check/mutex.hpp"\n')
        own = '#include "heddle/sync/checked/a.hpp"\n'
        self.fails(tidy.checker_apart, "src/heddle/sync/a.hpp", own)
        self.fails(tidy.checker_apart, "src/heddle/sync/a.hpp", "#if HEDDLE_CHECKED\n#else\n" + own + "#endif\n", line=3)
        self.passes(tidy.checker_apart, "src/heddle/sync/a.hpp", "#if HEDDLE_CHECKED\n" + own + "#endif\n")
        self.passes(tidy.checker_apart, "src/heddle/sync/checked/a.hpp", '#include "heddle_check/mutex.hpp"\n' + own)
        self.passes(tidy.checker_apart, "src/heddle_check/a.cpp", '#include "heddle_check/mutex.hpp"\n')

    def test_headers(self):
        self.fails(tidy.pragma_once, "src/heddle/base/a.hpp", "// A.\n// #pragma once\n")
        self.passes(tidy.pragma_once, "src/heddle/base/a.hpp", "// A.\n#pragma once\n")
        self.fails(tidy.header_comment, "src/heddle/base/a.hpp", "#pragma once\n// A.\n")
        self.passes(tidy.header_comment, "src/heddle/base/a.hpp", "// A.\n#pragma once\n")

    def test_concurrent_header(self):
        path, use = "src/heddle/memory/a.hpp", "#pragma once\nsync::Atomic<int> count;\n"
        self.fails(tidy.concurrent_header, path, "// A count.\n" + use, line=3)
        self.fails(tidy.concurrent_header, path, "// A count.\n" + use + "// Thread safety: late.\n", line=3)
        self.passes(tidy.concurrent_header, path, "// A count.\n// Thread safety: all members.\n" + use)

    def test_file_length(self):
        self.fails(tidy.file_length, "src/heddle/base/a.cpp", "\n" * 501, line=501)
        self.passes(tidy.file_length, "src/heddle/base/a.cpp", "\n" * 500)
        self.fails(tidy.file_length_warning, "scripts/a.sh", "\n" * 351, line=351)
        warning = tidy.check({"scripts/a.sh": "\n" * 351})
        self.assertEqual([p.warning for p in warning], [True])

    def test_class_size(self):
        def text(fields, functions):
            members = [f"  sync::Atomic<int> f{i}_ HEDDLE_GUARDED_BY(mutex_){{0}};" for i in range(fields)]
            bodies = [f"  int g{i}() const {{\n    if (x_) {{\n      return 1;\n    }}\n    return y_;\n  }}" for i in range(functions)]
            others = ["  using T = std::function<void()>;", "  A(const A&) = delete;", "  struct B {\n    int c_ = 0;\n  };"]
            return "\n".join(["class A final : public C {", " public:"] + bodies + others + [" private:"] + members + ["};", ""])
        path = "src/heddle/memory/a.hpp"
        self.passes(tidy.class_size, path, text(14, 30))
        self.fails(tidy.class_size, path, text(15, 1))
        self.fails(tidy.class_size, path, text(1, 31))
        self.passes(tidy.class_size, path, text(15, 1).replace("class A", "class Heap"))
        self.passes(tidy.class_size, path, text(15, 1).replace("class A", "struct A"))
        self.fails(tidy.class_size, path, "class A {\n  int " + ", ".join(f"f{i}_{{0}}" for i in range(15)) + ";\n};\n")
        self.assertLessEqual(len(class_sizes.EXCEPTIONS), 5)

    def test_class_in_one_source(self):
        path, other = "src/heddle/memory/a_close.cpp", {"src/heddle/memory/a.cpp": "void A::f() {}\n"}
        self.fails(tidy.class_in_one_source, path, "A::~A() {\n}\n", other)
        self.fails(tidy.class_in_one_source, path, "std::string A::g(int b) const {}\n", other)
        self.passes(tidy.class_in_one_source, path, "int f() {\n  return A::f(1);\n}\n", other)
        self.passes(tidy.class_in_one_source, "src/heddle/stream/a.cpp", "void A::g() {}\n", other)

    def test_test_for_source(self):
        path = "src/heddle/memory/a.cpp"
        self.fails(tidy.test_for_source, path, "")
        self.fails(tidy.test_for_source, path, "", {"tests/base/b_test.cpp": include("memory/a.hpp")})
        self.passes(tidy.test_for_source, path, "", {"tests/memory/a_test.cpp": ""})
        self.passes(tidy.test_for_source, path, "", {"tests/memory/b_test.cpp": include("memory/a.hpp")})
        self.passes(tidy.test_for_source, path, "", {"tests/memory/b_test.cpp": include("a.hpp")})
        self.passes(tidy.test_for_source, "src/heddle/backends/cpu/kernels/sum.cpp", "")

    def test_suite_of_contract(self):
        header, test = "src/heddle/device/device.hpp", "tests/device_suite/order_test.cpp"
        contract = "// What holds.\n//  1a. One thing.\n//  1b. Another.\nclass Device {\n  virtual bool wait_on(int);\n};\n"
        all_tests = "".join(f"TEST_P(DeviceSuite, {name}) {{}}\n" for name in
                            ("Contract1a_Holds", "Contract1b_Holds", "WaitOn_Waits"))
        self.passes(tidy.suite_of_contract, test, all_tests, {header: contract})
        for line, missing in ((2, "Contract1a_Holds"), (3, "Contract1b_Holds"), (5, "WaitOn_Waits")):
            self.fails(tidy.suite_of_contract, header, contract, {test: all_tests.replace(missing, "WatchNo")}, line)
        self.fails(tidy.suite_of_contract, test, all_tests + "TEST_P(DeviceSuite, Contract9a_Holds) {}\n",
                   {header: contract}, 4)

    def test_catalogue_classes(self):
        page, test = tidy.catalogue.RULED_OUT, "tests/stream/a_test.cpp"
        tests = " ".join(f"TEST(A, {kind}_Holds)" for kind in tidy.catalogue.CLASSES if kind != "C21")
        row = "| C21 | a |\n"
        self.passes(tidy.catalogue_classes, page, row, {test: tests})
        self.fails(tidy.catalogue_classes, page, "", {test: tests})
        self.passes(tidy.catalogue_classes, page, "", {test: tests + "TEST(A, R16_C21_Both)"})
        self.fails(tidy.catalogue_classes, page, row + "see `C22_Wakes`\n", {test: tests}, line=2)
        self.fails(tidy.catalogue_classes, "docs/change/found.md", "`C22_Wakes`\n", {test: tests, page: row})

    def test_white_space(self):
        self.fails(tidy.white_space, "a.md", "a\nb", line=2)
        self.fails(tidy.white_space, "a.md", "a \n")
        self.fails(tidy.white_space, "src/a.cpp", "\tint x;\n")
        self.passes(tidy.white_space, "Makefile", "\tcc\n")

    def test_private_paths(self):
        self.fails(tidy.private_paths, "README.md", "in /" + "work/main\n")
        self.passes(tidy.private_paths, "README.md", "a /workload, and src/" + "work/x\n")

    def test_lock_order_page(self):
        source, page = lock_order.SOURCE, lock_order.PAGE
        self.passes(tidy.lock_order_page, page, lock_order.page(RANKS), {source: RANKS})
        self.fails(tidy.lock_order_page, page, "old\n", {source: RANKS})
        self.fails(tidy.lock_order_page, source, RANKS.replace("= 2", "= 1"))
        self.fails(tidy.lock_order_page, source, RANKS.replace("  // b", ""))

    def test_excuse_needs_a_reason(self):
        path = "src/heddle/memory/a.cpp"
        excused = "std::mutex m;  // tidy-allow: banned_names, the driver's own\n"
        rules = lambda text: [p.rule for p in tidy.check({path: text, "tests/memory/a_test.cpp": ""})]  # noqa: E731
        self.assertEqual(rules(excused), [])
        self.assertEqual(rules("std::mutex m;  // tidy-allow: banned_names\n"), ["banned_names"])

    def test_what_git_and_the_build_keep_is_no_part_of_the_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "build").mkdir()
            for path in ("build/a.txt", "a.txt", ".git"):  # .git is a file in a second work tree
                (root / path).write_text("text\n", encoding="utf-8")
            self.assertEqual(list(tidy.read_tree(root)), ["a.txt"])

    def test_every_rule_is_tested(self):
        folder = pathlib.Path(__file__).parent
        text = "".join((folder / name).read_text(encoding="utf-8") for name in ("tidy_test.py", "doc_rules_test.py"))
        for rule in tidy.RULES + tidy.WARNINGS:
            self.assertIn(f"self.fails(tidy.{rule.__name__},", text)


from doc_rules_test import *  # noqa: E402, F403: run with these


if __name__ == "__main__":
    unittest.main()
