"""Shared by the tests of the house rules."""

import unittest


class RuleTest(unittest.TestCase):
    def fails(self, rule, path, text, others=None, line=1):
        found = list(rule({**(others or {}), path: text}))
        self.assertTrue(found, f"{rule.__name__} accepted:\n{text}")
        self.assertEqual(found[0][:2], (path, line))

    def passes(self, rule, path, text, others=None):
        self.assertEqual(list(rule({**(others or {}), path: text})), [])
