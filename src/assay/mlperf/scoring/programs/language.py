"""How a program of each MBXP language runs in the sandbox so that it gets the verdict that mxeval gives.

Source: mxeval e09974f9, execution: file = solution + test, 20 s to run, 100 s more for g++; see each function.
Flags, the precompiled header and the TypeScript path in `transpile.py` change the time, not the verdict.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.mlperf.scoring.programs import tools
from assay.mlperf.scoring.programs.program import Program

RUN_S = 20
"""Seconds that a program may run: the timeout that evaluate-accuracy.py of mixtral-8x7b gives to mxeval."""
COMPILE_S = 100
"""Seconds that g++ may compile, as in mxeval. tsc gets as long: a choice, far above the second that it takes."""
INSIDE = Path(__file__).parent / "inside"
"""Our own helpers that run in the sandbox."""


@dataclass(frozen=True)
class Language:
    """One language, its tools found."""

    name: str
    file: str
    command: tuple[str, ...]
    right: Program
    """A program that must pass; `wrong` must not. Both are run before any verdict is believed."""
    wrong: Program
    readable: Mapping[str, Path] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    wall_s: float = RUN_S
    compile_s: float = 0.0
    """Time to compile, 0 for an interpreter; a command that compiles prints one byte once it has compiled."""
    secret_bytes: int = 0
    """Above 0 a program passes only when it also prints a secret of so many bytes; see inside/python_driver.py."""
    impossible: str = ""
    """What makes a program that runs its tests fail when it stands at their end: no program passes with it."""
    has_proc: bool = True


def find(name: str) -> Language:
    """The language's tools on this machine. Raises: EnvironmentProblem with what to install."""
    return _FIND[name]()


def content(program: Program) -> bytes:
    """The file that is run."""
    text = program.solution + program.test
    if program.language == "python":
        text = f"{program.solution}\n{program.test}\ncheck({program.entry_point})"
        # A lone surrogate is no text that Python executes; it must fail there, not become a question mark here.
        return text.encode("utf-8", "surrogatepass")
    return text.encode("utf-8", "replace")


def _python() -> Language:
    """Executed by our driver with mxeval's rules: passed = no exception at all, and no SystemExit.

    Without /proc: the program could read its own memory there. Why the rest: docs/adr/0006-verdicts.md.
    """
    python, readable = tools.system_python()
    return Language(
        "python",
        "",
        (python, "-I", "-S", "/opt/inside/python_driver.py"),
        right=Program("python", "f", "def f(): return 1", "def check(g): assert g() == 1"),
        wrong=Program("python", "f", "def f(): raise SystemExit(0)", "def check(g): assert g() == 1"),
        readable={"inside": INSIDE, **readable},
        secret_bytes=32,
        impossible="\nraise AssertionError",
        has_proc=False,
    )


def _php() -> Language:
    php, readable = tools.executable("php", "php-cli")
    return Language(
        "php",
        "t.php",
        (php, "t.php"),
        right=Program("php", "f", "<?php function f() { return ctype_digit('1'); }", "if (!f()) exit(1);"),
        wrong=Program("php", "f", "<?php", " throw new Exception('wrong');"),
        readable=readable,
    )


def _ruby() -> Language:
    ruby, readable = tools.executable("ruby", "ruby")
    return Language(
        "ruby",
        "t.rb",
        # Loading gems takes longer than the program; only `require` and `Gem` can tell the difference.
        (
            "/bin/sh",
            "-c",
            f"grep -qE 'require|Gem|RbConfig|Monitor' t.rb && exec {ruby} t.rb;"
            f" exec {ruby} --disable-gems t.rb",
        ),
        right=Program("ruby", "f", "def f() 1 end", "\nraise 'wrong' if f() != 1"),
        wrong=Program("ruby", "f", "def f() 2 end", "\nraise 'wrong' if f() != 1"),
        readable=readable,
    )


def _javascript() -> Language:
    node, readable = tools.executable("node", "nodejs")
    test = "\nif (!require('lodash').isEqual(f(), [1])) throw 1"
    return Language(
        "javascript",
        "t.js",
        (node, "t.js"),
        right=Program("javascript", "f", "const f = () => [1]", test),
        wrong=Program("javascript", "f", "const f = () => [2]", test),
        readable={"node_modules": tools.node_modules(), **readable},
        env={"NODE_PATH": "/opt/node_modules"},
    )


def _typescript() -> Language:
    """`tsc t.ts --target es5 --lib es2016` must end with status 2, then `node t.js` with 0."""
    node, readable = tools.executable("node", "nodejs")
    test = "\nimport * as assert from 'assert'\nassert.deepEqual(f(), [1])"
    tsc = f"{node} /opt/node_modules/typescript/lib/tsc.js"
    compile_and_run = (
        f"{tsc} t.ts --target es5 --lib es2016 >/dev/null 2>&1; [ $? = 2 ] || exit 1;"
        f" printf .; exec {node} t.js"
    )
    return Language(
        "typescript",
        "t.ts",
        ("/bin/sh", "-c", compile_and_run),
        right=Program("typescript", "f", "const f = (): number[] => [1]", test),
        wrong=Program("typescript", "f", "const f = (): number[] => [2]", test),
        readable={"node_modules": tools.node_modules(), "inside": INSIDE, **readable},
        env={"NODE_PATH": "/opt/node_modules"},
        compile_s=COMPILE_S,
    )


def _cpp() -> Language:
    """`g++ t.cpp -o t`, then `./t`."""
    compiler, readable = tools.executable("g++", "g++")
    compile_and_run = f"{compiler} -I/opt/pch t.cpp -o t >/dev/null 2>&1 || exit 1; printf .; exec ./t"
    return Language(
        "cpp",
        "t.cpp",
        ("/bin/sh", "-c", compile_and_run),
        right=Program(
            "cpp", "f", "#include <bits/stdc++.h>\nint f() { return 1; }", "\nint main() { return f() - 1; }"
        ),
        wrong=Program(
            "cpp", "f", "#include <bits/stdc++.h>\nint f() { return 2; }", "\nint main() { return f() - 1; }"
        ),
        readable={
            "pch": tools.precompiled_header(compiler if not readable else str(shutil.which("g++"))),
            **readable,
        },
        compile_s=COMPILE_S,
    )


def _sympy() -> Language:
    """Is an expression 0? The Python that runs Assay, with its sympy. See inside/sympy_driver.py.

    sympy may never end, and the official grader sets no limit: what takes longer than a minute is not 0 here.
    """
    command, readable = tools.our_python()
    packages = tools.packages("sympy", "mpmath")
    return Language(
        "sympy",
        "",
        (command, "-I", "-S", "/opt/inside/sympy_driver.py", *(f"/opt/{name}" for name in packages)),
        right=Program("sympy", "", '["(2x)-(x+x)"]', ""),
        wrong=Program("sympy", "", '["(2x)-(x)"]', ""),
        readable={"inside": INSIDE, **packages, **readable},
        wall_s=60,
        secret_bytes=32,
    )


def _livecodebench() -> Language:
    """The Python that runs Assay, with its numpy. See inside/livecodebench_driver.py."""
    command, readable = tools.our_python()
    packages = tools.packages("numpy")
    if (libraries := packages["numpy"].with_name("numpy.libs")).is_dir():
        packages["numpy.libs"] = libraries
    return Language(
        "livecodebench",
        "",
        (command, "-I", "-S", "/opt/inside/livecodebench_driver.py", *(f"/opt/{name}" for name in packages)),
        right=Program("livecodebench", "twice", "def twice(x): return 2 * x", ""),
        wrong=Program("livecodebench", "twice", "def twice(x): return 2", ""),
        readable={"inside": INSIDE, **packages, **readable},
        env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


_FIND: dict[str, Callable[[], Language]] = {
    "cpp": _cpp,
    "javascript": _javascript,
    "livecodebench": _livecodebench,
    "php": _php,
    "python": _python,
    "ruby": _ruby,
    "sympy": _sympy,
    "typescript": _typescript,
}
