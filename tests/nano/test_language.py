"""A function and its test in six languages; that they run is `test_programs`' affair."""

from __future__ import annotations

import pytest

from assay.nano.grammar.language import Case, body, head, write_test
from assay.nano.grammar.step import LANGUAGES

CASES = [Case("ab", True), Case([1, 2], "x")]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "# Adds.\ndef add(n):"),
        ("javascript", "// Adds.\nfunction add(n) {"),
        ("ruby", "# Adds.\ndef add(n)"),
        ("php", "<?php\n// Adds.\nfunction add($n) {"),
        ("cpp", "#include <bits/stdc++.h>\nusing namespace std;\n// Adds.\nint add(int n) {"),
        ("typescript", "// Adds.\nfunction add(n: number): number {"),
    ],
)
def test_a_head_is_comment_and_signature(language: str, text: str) -> None:
    assert head(language, "add", "number", "number", "Adds.") == text


@pytest.mark.parametrize(
    ("domain", "result", "cpp", "typescript"),
    [
        ("list", "number", "int f(vector<int> items) {", "function f(items: number[]): number {"),
        ("text", "list", "vector<int> f(string s) {", "function f(s: string): number[] {"),
        ("number", "text", "string f(int n) {", "function f(n: number): string {"),
    ],
)
def test_typed_languages_say_the_types(domain: str, result: str, cpp: str, typescript: str) -> None:
    assert head("cpp", "f", domain, result, "").endswith(cpp)  # type: ignore[arg-type]
    assert head("typescript", "f", domain, result, "").endswith(typescript)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "    n = n + 1\n    return n"),
        ("ruby", "  n = n + 1\n  return n\nend"),
        ("javascript", "  n = n + 1\n  return n;\n}"),
        ("php", "  n = n + 1\n  return n;\n}"),
        ("cpp", "  n = n + 1\n  return n;\n}"),
        ("typescript", "  n = n + 1\n  return n;\n}"),
    ],
)
def test_a_body_is_indented_and_closed(language: str, text: str) -> None:
    assert body(language, ["n = n + 1"], "n") == text


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("python", ["    assert candidate('ab') == True", "    assert candidate([1, 2]) == 'x'"]),
        ("ruby", ["raise 'wrong' unless f(\"ab\") == true", "raise 'wrong' unless f([1, 2]) == \"x\""]),
        ("php", ["if (f(\"ab\") !== true) { throw new Exception('wrong'); }"]),
        (
            "cpp",
            [
                '  if (f(string("ab")) != True) return 1;',
                '  if (f(vector<int>{1, 2}) != string("x")) return 1;',
            ],
        ),
        ("javascript", ["const assert = require('assert');", 'assert.deepStrictEqual(f("ab"), true);']),
        ("typescript", ["import * as assert from 'assert'", 'assert.deepStrictEqual(f([1, 2]), "x");']),
    ],
)
def test_a_test_holds_every_case_as_the_language_writes_it(language: str, lines: list[str]) -> None:
    written = write_test(language, "f", CASES).split("\n")
    assert [line for line in lines if line not in written] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_in_a_case_cannot_end_its_quotes(language: str) -> None:
    written = write_test(language, "f", [Case('a"b\\', 1)])
    assert 'a"b\\)' not in written
