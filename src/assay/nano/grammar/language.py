"""How a function and its test are written in each of the six languages.

A function is a comment, a head, lines and a tail; the program that is graded is the function followed by its test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assay.nano.grammar.step import Domain

VARIABLE: dict[Domain, str] = {"number": "n", "list": "items", "text": "s"}
_TYPESCRIPT = {"number": "number", "list": "number[]", "text": "string"}
_CPP = {"number": "int", "list": "vector<int>", "text": "string"}


@dataclass(frozen=True)
class Case:
    """One call of a function and what it must give."""

    argument: Any
    expected: Any


def head(language: str, name: str, domain: Domain, result: Domain, comment: str) -> str:
    """The code that a prompt shows: comment and signature, ending with the line before the body."""
    variable = VARIABLE[domain]
    if language == "python":
        return f"# {comment}\ndef {name}({variable}):"
    if language == "ruby":
        return f"# {comment}\ndef {name}({variable})"
    if language == "php":
        return f"<?php\n// {comment}\nfunction {name}(${variable}) {{"
    if language == "cpp":
        signature = f"{_CPP[result]} {name}({_CPP[domain]} {variable}) {{"
        return f"#include <bits/stdc++.h>\nusing namespace std;\n// {comment}\n{signature}"
    if language == "typescript":
        signature = f"function {name}({variable}: {_TYPESCRIPT[domain]}): {_TYPESCRIPT[result]} {{"
        return f"// {comment}\n{signature}"
    return f"// {comment}\nfunction {name}({variable}) {{"


def body(language: str, lines: list[str], value: str) -> str:
    """The indented lines, the return and the tail of the function."""
    indent = "    " if language == "python" else "  "
    last = f"return {value}" if language in ("python", "ruby") else f"return {value};"
    tail = {"python": [], "ruby": ["end"]}.get(language, ["}"])
    return "\n".join([*(indent + line for line in [*lines, last]), *tail])


def write_test(language: str, name: str, cases: list[Case]) -> str:
    """The test program that follows a function; it fails when any case does.

    Source: how the six languages are run and graded in the official evaluation (python's `check` is called by
    the grader, typescript's import of `assert` has no types and is meant to have none).
    """
    if language == "python":
        lines = [f"    assert candidate({case.argument!r}) == {case.expected!r}" for case in cases]
        return "\n".join(["", "", "def check(candidate):", *lines, ""])
    if language == "ruby":
        lines = [f"raise 'wrong' unless {name}({_json(c.argument)}) == {_json(c.expected)}" for c in cases]
        return "\n".join(["", *lines, ""])
    if language == "php":
        lines = [
            f"if ({name}({_json(c.argument)}) !== {_json(c.expected)}) {{ throw new Exception('wrong'); }}"
            for c in cases
        ]
        return "\n".join(["", *lines, ""])
    if language == "cpp":
        lines = [f"  if ({name}({_cpp(c.argument)}) != {_cpp(c.expected)}) return 1;" for c in cases]
        return "\n".join(["", "int main() {", *lines, "  return 0;", "}", ""])
    opening = (
        "import * as assert from 'assert'"
        if language == "typescript"
        else "const assert = require('assert');"
    )
    lines = [f"assert.deepStrictEqual({name}({_json(c.argument)}), {_json(c.expected)});" for c in cases]
    return "\n".join(["", opening, *lines, ""])


def _json(value: Any) -> str:
    return json.dumps(value)


def _cpp(value: Any) -> str:
    if isinstance(value, str):
        return f"string({json.dumps(value)})"
    if isinstance(value, list):
        return "vector<int>{" + ", ".join(map(str, value)) + "}"
    return str(value)
