"""Problems in LiveCodeBench's form, each with answers of which we know what they are worth."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from dataclasses import dataclass

SECONDS = 1
SPIN = "while True: pass"


@dataclass(frozen=True)
class Case:
    """A problem and one answer to it; `tests` are (input, output)."""

    id: str
    fn_name: str | None
    tests: tuple[tuple[str, str], ...]
    code: str
    is_right: bool

    def line(self, is_packed: bool) -> str:
        """The problem as a line of test.jsonl; its first test is public."""
        kind = "stdin" if self.fn_name is None else "functional"
        cells = [{"input": given, "output": right, "testtype": kind} for given, right in self.tests]
        private = json.dumps(cells[1:])
        if is_packed:
            private = base64.b64encode(zlib.compress(pickle.dumps(private))).decode()
        row = {
            "question_title": self.id,
            "question_content": "?",
            "platform": "leetcode" if self.fn_name else "atcoder",
            "question_id": self.id,
            "contest_id": "c",
            "contest_date": "2024-01-01T00:00:00",
            "starter_code": "",
            "difficulty": "easy",
            "public_test_cases": json.dumps(cells[:1]),
            "private_test_cases": private,
            "metadata": json.dumps({"func_name": self.fn_name} if self.fn_name else {}),
        }
        return json.dumps(row)


def _called(name: str, tests: dict[str, str], right: str, *wrong: str) -> list[Case]:
    body = tuple(tests.items())
    codes = [(right, True), *((code, False) for code in wrong)]
    return [Case(f"{name}-{i}", name, body, code, is_right) for i, (code, is_right) in enumerate(codes)]


def _printed(name: str, tests: dict[str, str], right: str, *wrong: str) -> list[Case]:
    body = tuple(tests.items())
    codes = [(right, True), *((code, False) for code in wrong)]
    return [Case(f"{name}-{i}", None, body, code, is_right) for i, (code, is_right) in enumerate(codes)]


def _method(head: str, body: str) -> str:
    return f"class Solution:\n    def {head}:\n        {body}\n"


SUM = {"1 2": "3", "10 -4\n": "6\n"}
CASES: tuple[Case, ...] = (
    # The function style.
    *_called(
        "addUp", {"[1, 2]\n3": "6", "[]\n0": "0"}, _method("addUp(self, a: List[int], b)", "return sum(a) + b"),
        _method("addUp(self, a, b)", "return sum(a)"), "def add(a, b): return sum(a) + b",
    ),
    *_called(
        "pairs", {"3": "[1, 3]", "4": "[1, 4]"}, "def pairs(n): return 1, n",
        "def pairs(n): return [(1, n)]", "def pairs(n): return {1, n}",
    ),
    *_called(
        "table", {"2": "[[0, 1], [1, 0]]"}, "def table(n): return [[0, 1], [1, 0]]",
        "def table(n): return [(0, 1), (1, 0)]",
    ),
    *_called("half", {"1": "0.5", "4": "2.0"}, "def half(x): return x / 2", "def half(x): return x // 2",
             "def half(x): return Decimal('0.1')", "def half(x): return x / 2 + 1e-9"),
    *_called("isEven", {"2": "true", "3": "false"}, "def isEven(x): return 1 - x % 2",
             "def isEven(x): return 'true' if x % 2 == 0 else 'false'"),
    *_called("nothing", {"1": "null"}, "def nothing(x): pass", "def nothing(x): return 'null'"),
    *_called("word", {'"ab"': '"ba"', '"\\u00e9x"': '"x\\u00e9"'}, "def word(s): return s[::-1]",
             "def word(s): return list(s[::-1])", "def word(s): return s"),
    *_called("tally", {'"aab"': '{"a": 2, "b": 1}'}, "def tally(s): return Counter(s)",
             "def tally(s): return {ord(c): s.count(c) for c in s}"),
    *_called("counted", {"5": "1", "6": "2"},
             "calls = []\ndef counted(x):\n    calls.append(x)\n    return len(calls)",
             "def counted(x):\n    return len([x])"),
    *_called("slow", {"1": "1", "2": "2"}, "def slow(x): return x", f"def slow(x):\n    {SPIN}", SPIN,
             "import time\ndef slow(x):\n    time.sleep(60)\n    return x"),
    *_called("crash", {"1": "1", "0": "0"}, "def crash(x): return x", "def crash(x): return x // x",
             "import os\ndef crash(x): os._exit(0)", "def crash(x): raise SystemExit(0)", "raise KeyboardInterrupt",
             "def crash(x) return x", "", "import os, signal\ndef crash(x): os.abort()"),
    *_called("deep", {"20000": "20000"}, "def deep(n): return n and 1 + deep(n - 1)",
             "def deep(n):\n    sys.setrecursionlimit(1000)\n    return n and 1 + deep(n - 1)"),
    *_called("big", {"400": str(2**400)}, "def big(n): return 2 ** n", "def big(n): return 2.0 ** n + 1e110"),
    *_called("array", {"3": "[0, 1, 2]"}, "import numpy as np\ndef array(n): return np.arange(n).tolist()",
             "import numpy as np\ndef array(n): return np.arange(n)"),
    *_called("scalar", {"3": "3"}, "import numpy\ndef scalar(n): return numpy.int64(n)",
             "import numpy\ndef scalar(n): return numpy.float64(n) / 2"),
    *_called("swallow", {"1": "1"},
             "import time\ndef swallow(x):\n    try:\n        time.sleep(9)\n    except Exception:\n        return x",
             "def swallow(x):\n    try:\n        while True: pass\n    finally:\n        return"),
    *_called("lists", {"[[1],[2, 3]]": "[1, 2, 3]"}, "def lists(x): return [*chain(*x)]",
             "def lists(x): return deque(chain(*x))", "def lists(x): return chain(*x)"),
    *_called("system", {"1": "1"}, "def system(x): return x",
             "import os\ndef system(x):\n    os.getcwd()\n    return x",
             "import subprocess\ndef system(x):\n    subprocess.run(['true'])\n    return x", "def system(x): quit()"),
    # Standard input and output.
    *_printed("plus", SUM, "a, b = map(int, input().split())\nprint(a + b)", "print(3)", "print(input())",
              "a, b = map(int, input().split())\nprint(a + b, end=' !')"),
    *_printed("blank", SUM, "a, b = map(int, input().split())\nprint()\nprint(f'  {a + b}  ')\nprint()",
              "a, b = map(int, input().split())\nprint(a + b)\nprint()\nprint(0)"),
    *_printed("real", {"1": "0.5", "3": "1.5"}, "print(f'{int(input()) / 2:.4f}')",
              "print(f'{int(input()) / 2 + 1e-9:.9f}')"),
    *_printed("rows", {"2": "1 2\n3 4", "0": "1 2\n3 4"}, "print('1 2 ')\nprint('3.0 4e0')", "print('1 2 3 4')",
              "print('1', '2', sep='')\nprint('3 4')", "print('1 2\\n\\n3 4')"),
    *_printed("guarded", SUM,
              "def f():\n    print(sum(map(int, input().split())))\nif __name__ == '__main__':\n    f()",
              "def f():\n    print(sum(map(int, input().split())))\nif __name__ == '__main__' and True:\n    f()"),
    *_printed("leave", SUM, "print(sum(map(int, input().split())))\nexit()", "import os\nprint(3)\nos._exit(0)",
              "print(sum(map(int, input().split())))\nquit()", "exit()\nprint(3)"),
    *_printed("whole", {"1\n2\n3": "6", "4": "4"}, "import sys\nprint(sum(map(int, sys.stdin.read().split())))",
              "import sys\nprint(sum(int(line) for line in sys.stdin))"),
    *_printed("bytes", {"1 2\n3": "6"}, "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))",
              "import sys\nr = sys.stdin.buffer.readline\nprint(sum(map(int, r().split())) + int(r()))"),
    *_printed("handed", {"1 2\n3": "6"},
              "from sys import stdin\nprint(sum(map(int, (stdin.readline() + ' ' + stdin.readline()).split())))",
              "print(sum(map(int, open(0).read().split())))",
              "from sys import stdout\nstdout.write('6')"),
    *_printed("lines", {"1\n2": "3"}, "import sys\nprint(sum(map(int, sys.stdin.readlines())))",
              "import sys\nprint(int(input()) + int(input()) + int(input()))"),
    *_printed("ends", {"7\n": "7 end"},
              "n = int(input())\ntry:\n    input()\n    print(n)\nexcept EOFError:\n    print(n, 'end')",
              "print(input(), input())"),
    *_printed("quiet", SUM, "import sys\nprint('debug', file=sys.stderr)\nprint(sum(map(int, input().split())))",
              "import sys\nprint(sum(map(int, input().split())), file=sys.stderr)"),
    *_printed("write", SUM, "import sys\nsys.stdout.write(str(sum(map(int, input().split()))))",
              "import os\nos.write(1, b'3')", "import sys\nsys.stdout.buffer.write(b'3')"),
    *_printed("forever", SUM, "print(sum(map(int, input().split())))", SPIN, "import time\ntime.sleep(60)",
              "print(3)\nwhile True: print(3)"),
    *_printed("later", SUM, "n = sum(map(int, input().split()))\ndef f():\n    global m\n    m = n\nm = 0\nprint(n)",
              "n = sum(map(int, input().split()))\ndef f():\n    global n\n    n += 1\nf()\nprint(n)"),
    *_printed("text", {"é": "É"}, "print(input().upper())", "print(input())"),
)  # fmt: skip
CHEATS: tuple[Case, ...] = (
    Case("equal-0", "equal", (("1", "7"),), "class E:\n    def __eq__(self, other): return True\n"
         "def equal(x): return E()", False),
    Case("equal-1", "equal", (("1", "[7]"),), "class E(list):\n    def __eq__(self, other): return True\n"
         "def equal(x): return E()", False),
    Case("equal-2", "equal", (("1", "[7]"),), "class E:\n    def __eq__(self, other): return True\n"
         "def equal(x): return [E()]", False),
    Case("grader-0", "f", (("1", "7"),), "import inspect\ndef f(x):\n    for frame in inspect.stack():\n"
         "        for name in ('gt_out', 'right', 'output', 'outputs'):\n"
         "            if name in frame.frame.f_locals: return frame.frame.f_locals[name]\n", False),
    Case("grader-1", "f", (("1", "7"),), "import gc\ndef f(x):\n    for each in gc.get_objects():\n"
         "        if isinstance(each, dict) and 'outputs' in each: return json.loads(each['outputs'][0])\n", False),
    Case("patched-0", None, (("1", "7"),), "import json\njson.loads = lambda *a, **k: True\nimport sys\n"
         "sys.modules['lcb_runner'] = None\nprint(1)", False),
    Case("patched-1", "f", (("1", "7"),), "import json\njson.dumps = lambda *a, **k: '[7]'\ndef f(x): return 1", False),
)  # fmt: skip
"""Answers that try to be believed; LiveCodeBench's own runner believes some."""
