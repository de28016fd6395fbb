"""Runs inside the sandbox, never imported: puts one program to the inputs of a problem and tells what it gave.

Arguments: folders of packages that programs may import. Standard input: a JSON object with `code`, `fn_name` (null for
a program that reads standard input), `inputs`, `seconds` for each of them, and `most`, the characters that one answer
may have. Standard output: for each input in order a JSON list of the answer; for the first that the program could not
answer an object with `stopped`, and nothing more. What the right outputs are is not known in here.
Source: lcb_runner/evaluation/testing_util.py of LiveCodeBench b1e7cab, as far as a program can notice.
"""

import ast
import builtins
import contextlib
import io
import json
import operator
import os
import shutil
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MODULES = (
    "string re datetime collections heapq bisect copy math random statistics "
    "itertools functools operator io sys json"
)
RECURSION_LIMIT, INT_DIGITS = 50_000, 50_000
DISABLED = {
    os: "chdir chmod chown chroot fchdir fchmod fchown fork forkpty getcwd kill killpg lchflags lchmod lchown putenv "
    "remove removedirs rename renames replace rmdir setuid system truncate unlink",
    shutil: "chown move rmtree",
    subprocess: "Popen",
    builtins: "help quit",
}
ABSENT_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")
PRELUDE = "".join(
    [
        *(f"from {name} import *\n" for name in (*MODULES.split(), "builtins", "typing")),
        *(f"import {name}\n" for name in MODULES.split()),
        f"sys.setrecursionlimit({RECURSION_LIMIT})\n",
    ]
)
"""Stands before every program."""
STRANGE = {"": "no value of JSON"}
"""What is told of a value that no value of JSON equals."""


class TimeoutException(Exception):
    """A program has had its seconds. It may catch this, as it may there."""


class Bytes:
    """`sys.stdin.buffer`: the whole input at any time, and its first line again and again."""

    def __init__(self, text: str) -> None:
        self._content = text.encode()

    def read(self, *_: object) -> bytes:
        return self._content

    def readline(self, *_: object) -> bytes:
        return self._content.split(b"\n")[0] + b"\n"


class Input:
    """`sys.stdin`: lines one by one, or the whole input at any time; it cannot be iterated over."""

    def __init__(self, text: str) -> None:
        self._text, self._lines, self.buffer = text, io.StringIO(text), Bytes(text)

    def read(self, *_: object) -> str:
        return self._text

    def readline(self, *limit: int) -> str:
        return self._lines.readline(*limit)

    def readlines(self, *_: object) -> list[str]:
        return self._text.split("\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lines, name)


def main() -> None:
    with open(0, "rb", closefd=False) as file:
        exam = json.loads(file.read())
    report = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    sys.path.extend({str(Path(folder).parent) for folder in sys.argv[1:]})
    import_beforehand(exam)
    take_away()
    answers = called(exam) if exam["fn_name"] is not None else printed(exam)
    leave, dumps = os._exit, json.dumps
    try:
        for answer in answers:
            line = dumps([answer], ensure_ascii=False)
            if len(line) > exam["most"]:
                line = dumps([STRANGE])
            report.write(f"{line}\n")
            report.flush()
    except BaseException as error:
        report.write(dumps({"stopped": f"{type(error).__name__}: {error}"[:200]}) + "\n")
        report.flush()
        leave(1)
    leave(0)


def import_beforehand(exam: dict[str, Any]) -> None:
    """What is loaded there before anything is taken away, and takes too long to load it for nothing."""
    if exam["fn_name"] is None:
        import unittest.mock  # noqa: F401
    if "numpy" in exam["code"]:
        with contextlib.suppress(ImportError):
            import numpy  # noqa: F401


def take_away() -> None:
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(INT_DIGITS)
    for module, names in DISABLED.items():
        for name in names.split():
            setattr(module, name, None)
    builtins.exit = sys.exit  # type: ignore[assignment]  # Python's own stands in `site`, which is not loaded here
    sys.modules.update(dict.fromkeys(ABSENT_MODULES))  # type: ignore[arg-type]
    signal.signal(signal.SIGALRM, ring)


def ring(*_: object) -> None:
    raise TimeoutException


def timed(seconds: int, step: Callable[[], Any]) -> Any:
    signal.alarm(seconds)
    try:
        return step()
    finally:
        signal.alarm(0)


def loaded(code: str, seconds: int) -> Any:
    """What the code defines: an instance of its class Solution, else the module."""
    module = types.ModuleType("tmp_sol")
    timed(seconds, lambda: exec(code, module.__dict__))
    return module.Solution() if "class Solution" in code else module


def called(exam: dict[str, Any]) -> Iterator[object]:
    """The value that the function gives for each input, whose lines are its arguments in JSON."""
    function = getattr(loaded(f"{PRELUDE}\n\n{exam['code']}", exam["seconds"]), exam["fn_name"])
    arguments = [[json.loads(line) for line in text.split("\n")] for text in exam["inputs"]]
    for each in arguments:
        value = timed(exam["seconds"], lambda each=each: function(*each))  # type: ignore[misc]
        yield plain(list(value) if isinstance(value, tuple) else value)


def printed(exam: dict[str, Any]) -> Iterator[object]:
    """What the program prints for each input: its lines, without the blanks at their ends."""
    function = loaded(as_function(unguarded(exam["code"])), exam["seconds"]).wrapped_function
    for text in exam["inputs"]:
        out = io.StringIO()
        sys.stdout, before = out, sys.stdout
        out.close = lambda *_: 1  # type: ignore[method-assign,assignment]
        try:
            timed(exam["seconds"], lambda text=text: answer(function, text))  # type: ignore[misc]
        finally:
            sys.stdout = before
        yield [line.strip() for line in out.getvalue().strip().split("\n")]


def answer(function: Callable[[], object], text: str) -> None:
    """One call with this input: as `sys.stdin`, as the file that any `open` gives, and in the stdin of before."""
    from unittest.mock import mock_open, patch

    lines = iter(text.split("\n"))
    before = patch.multiple(
        sys.stdin,
        read=lambda *_: text,
        readline=lambda *_: next(lines),
        readlines=lambda *_: text.split("\n"),
    )
    stdin, files = patch("sys.stdin", Input(text)), patch("builtins.open", mock_open(read_data=text))
    with before, stdin, files, contextlib.suppress(SystemExit):
        function()


def unguarded(code: str) -> str:
    """The code with a last `if __name__ == "__main__":` taken off its block."""
    try:
        tree = ast.parse(code)
        last = tree.body[-1]
        if isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'":
            return ast.unparse(ast.Module([*tree.body[:-1], *last.body], []))
    except Exception:
        pass
    return code


def as_function(code: str) -> str:
    """The code as the body of `wrapped_function`, its outermost imports before it."""
    try:
        body = ast.parse(code).body
        imports = [each for each in body if isinstance(each, (ast.Import, ast.ImportFrom))]
        rest = [each for each in body if not isinstance(each, (ast.Import, ast.ImportFrom))]
        frame = ast.parse("def wrapped_function():\n    pass").body[0]
        assert isinstance(frame, ast.FunctionDef)
        frame.body = rest
        return f"{PRELUDE}\n{ast.unparse(ast.Module([*imports, frame], []))}"
    except Exception:
        return code


def plain(value: Any) -> Any:
    """The value of JSON that equals this one, as Python compares them; STRANGE where there is none."""
    if value is None or isinstance(value, (float, bool)):
        return value if value is None else float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        is_object = all(isinstance(key, str) for key in value)
        return {key: plain(each) for key, each in value.items()} if is_object else STRANGE
    try:
        return operator.index(value)
    except TypeError:
        pass
    return STRANGE if isinstance(value, (tuple, set, frozenset)) else number(value)


def number(value: Any) -> Any:
    """Of fractions, decimals, complex numbers and scalars of numpy."""
    try:
        return next(found for make in (int, float, bool) if (found := make(value)) == value)
    except Exception:
        return STRANGE


main()
