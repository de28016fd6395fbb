"""What the driver tells of programs, run here without walls."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import assay

DRIVER = Path(assay.__file__).parents[1] / "assay/mlperf/scoring/programs/inside/livecodebench_driver.py"


def told(
    code: str, *inputs: str, fn_name: str | None = "f", seconds: int = 5, most: int = 1000
) -> list[object]:
    exam = {"code": code, "fn_name": fn_name, "inputs": inputs, "seconds": seconds, "most": most}
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(DRIVER)],
        input=json.dumps(exam).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


@pytest.mark.parametrize(
    ("value", "given"),
    [
        ("(1, [2])", [1, [2]]),
        ("[(1,)]", [{"": "no value of JSON"}]),
        ("Decimal('2')", 2),
        ("Decimal('0.1')", {"": "no value of JSON"}),
        ("Decimal('0.5')", 0.5),
        ("1 + 0j", {"": "no value of JSON"}),
        ("float('inf')", float("inf")),
        ("{'a': {1}}", {"a": {"": "no value of JSON"}}),
        ("{1: 2}", {"": "no value of JSON"}),
        ("'\\ud800 é'", "\ud800 é"),
        ("object()", {"": "no value of JSON"}),
        ("'x' * 2000", {"": "no value of JSON"}),
    ],
)
def test_a_value_is_told_as_the_json_that_equals_it(value: str, given: object) -> None:
    assert told(f"from decimal import Decimal\ndef f(x): return {value}", "0") == [[given]]


def test_answers_come_in_order_up_to_the_first_that_fails() -> None:
    code = "def f(x, y): return x // y"
    assert told(code, "4\n2", "1\n0", "6\n2") == [
        [2],
        {"stopped": "ZeroDivisionError: integer division or modulo by zero"},
    ]


def test_what_a_program_prints_itself_is_no_answer() -> None:
    code = "import os\ndef f(x):\n    os.write(1, b'[7]\\n')\n    print('[7]')\n    return 1"
    assert told(code, "0") == [[1]]
    assert told("import os\nos.write(1, b'[[\"7\"]]')\nprint(input())", "3", fn_name=None) == [[["3"]]]


def test_lines_are_told_without_the_blanks_at_their_ends() -> None:
    assert told("print('\\n a \\n\\tb  c ')", "", fn_name=None) == [[["a", "b  c"]]]
    assert told("pass", "", fn_name=None) == [[[""]]]


def test_each_test_has_its_own_time() -> None:
    code = "import time\ndef f(x):\n    time.sleep(0.6)\n    return x"
    assert told(code, "1", "2", seconds=1) == [[1], [2]]
    assert told("def f(x):\n    while True: pass", "1", seconds=1) == [{"stopped": "TimeoutException: "}]


def test_a_function_that_is_not_there_and_code_that_is_no_python_are_told() -> None:
    (missing,) = told("def g(x): return x", "1")
    (broken,) = told("def f(x) return x", "1")
    assert "AttributeError" in str(missing) and "SyntaxError" in str(broken)


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nprint(sum(int(line) for line in sys.stdin.read().split()))",
        "import sys\nprint(sum(map(int, sys.stdin.readlines())))",
        "import sys\nprint(int(sys.stdin.readline()) + int(sys.stdin.readline()))",
        "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))",
        "print(int(input()) + int(input()))",
        "import builtins\nprint(sum(map(int, builtins.open(0).read().split())))",
        "def main():\n    print(int(input()) + int(input()))\nif __name__ == '__main__':\n    main()",
        "print(int(input()) + int(input()))\nexit()",
        "print(int(input()) + int(input()))\nsys.exit(3)",
    ],
)
def test_a_program_reads_its_input_in_any_way(code: str) -> None:
    assert told(code, "1\n2", "30\n4", fn_name=None) == [[["3"]], [["34"]]]


def test_a_class_solution_is_made_once_and_asked_for_each_input() -> None:
    code = "class Solution:\n    count = 0\n    def f(self, x):\n        self.count += x\n        return self.count"
    assert told(code, "1", "2") == [[1], [3]]


@pytest.mark.parametrize(
    ("value", "given"),
    [
        ("None", None),
        ("True", 1.0),
        ("[1.5, 'a', None]", [1.5, "a", None]),
        ("{'a': [1, {'b': 2}]}", {"a": [1, {"b": 2}]}),
        ("type('Text', (str,), {})('x')", "x"),
        ("10 ** 400", 10**400),
        ("frozenset()", {"": "no value of JSON"}),
    ],
)
def test_values_of_json_are_told_as_they_are(value: str, given: object) -> None:
    assert told(f"def f(x): return {value}", "0") == [[given]]


def test_what_a_program_may_not_use_is_not_there() -> None:
    code = "import os, shutil, subprocess\ndef f(x): return [os.fork, shutil.rmtree, subprocess.Popen, os.getcwd]"
    assert told(code, "0") == [[[None] * 4]]
    (missing,) = told("import psutil\ndef f(x): return 1", "0")
    assert "ModuleNotFoundError" in str(missing)


def test_the_usual_modules_are_imported_before_every_program() -> None:
    code = (
        "def f(x: List[int]): return [gcd(4, 6), Counter(x)[1], math.floor(2.5), len(list(permutations(x)))]"
    )
    assert told(code, "[1, 1, 2]") == [[[2, 2, 2, 6]]]


def test_an_answer_that_is_too_long_is_told_as_none() -> None:
    assert told("def f(x): return 'x' * x", "10", "50", most=30) == [["x" * 10], [{"": "no value of JSON"}]]
