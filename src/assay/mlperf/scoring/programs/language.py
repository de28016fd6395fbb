"""How a program of each MBXP language runs in the sandbox so that it gets the verdict that mxeval gives.

Source: mxeval e09974f9, execution: file = solution + test, 20 s to run, 100 s more for g++; see each function.
Flags, the precompiled header and the TypeScript path in `transpile.py` change the time, not the verdict.
"""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.ground import extras, scratch, settings
from assay.ground.errors import EnvironmentProblem
from assay.ground.files import staged
from assay.mlperf.scoring.programs.mbxp import Program
from assay.sandbox.sandbox import PATH

RUN_S = 20
COMPILE_S = 100
INSIDE = Path(__file__).parent / "inside"
"""Our own helpers that run in the sandbox."""
NODE = Path(__file__).parent / "node"
"""package.json and the lock file of what JavaScript and TypeScript need."""
NODE_PACKAGES = ("typescript", "lodash", "mathjs")
"""The reference's TypeScript is 5.4. `@types/node` must stay out: with it a right program compiles cleanly,
tsc ends with status 0 instead of 2, and mxeval counts the program as failed."""


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


def node_modules() -> Path:
    """Where the node packages are: in `tools` of a checkout, else in the store.

    Raises: EnvironmentProblem when they are in neither place.
    """
    places = (Path(__file__).parents[5] / "tools/mbxp/node_modules", settings.home() / "mbxp/node_modules")
    for place in places:
        if all((place / package).is_dir() for package in NODE_PACKAGES):
            return place
    raise EnvironmentProblem(
        "the node packages of MBXP are not installed",
        f"make system, or: {_npm_ci(places[1].parent)}",
    )


def _npm_ci(folder: Path) -> str:
    """The command that installs what is locked."""
    quoted = shlex.quote(str(folder))
    return (
        f"mkdir -p {quoted} && cp {shlex.quote(str(NODE))}/package*.json {quoted} && "
        f"npm ci --ignore-scripts --prefix {quoted}"
    )


def _tool(name: str, package: str) -> tuple[str, dict[str, Path]]:
    """Path of a tool inside the sandbox, and the folder that must be readable for it."""
    found = shutil.which(name, path=PATH) or shutil.which(name)
    if found is None:
        raise EnvironmentProblem(f"{name} is not installed", f"apt-get install {package}")
    real = Path(found).resolve()
    if real.is_relative_to("/usr"):
        return str(real), {}
    return f"/opt/{name}/{real.parent.name}/{real.name}", {name: real.parent.parent}


def _python() -> Language:
    """Executed by our driver with mxeval's rules: passed = no exception at all, SystemExit included.

    Without /proc: the program could read its own memory there. Why the rest: docs/adr/0006-verdicts.md.
    """
    found = shutil.which("python3", path=PATH)
    python, readable = (str(Path(found).resolve()), {}) if found else _this_python()
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


def _this_python() -> tuple[str, dict[str, Path]]:
    real = Path(sys.executable).resolve()
    return f"/opt/python/bin/{real.name}", {"python": Path(sys.base_prefix)}


def _php() -> Language:
    php, readable = _tool("php", "php-cli")
    return Language(
        "php",
        "t.php",
        (php, "t.php"),
        right=Program("php", "f", "<?php function f() { return ctype_digit('1'); }", "if (!f()) exit(1);"),
        wrong=Program("php", "f", "<?php", " throw new Exception('wrong');"),
        readable=readable,
    )


def _ruby() -> Language:
    ruby, readable = _tool("ruby", "ruby")
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
    node, readable = _tool("node", "nodejs")
    return Language(
        "javascript",
        "t.js",
        (node, "t.js"),
        right=Program(
            "javascript", "f", "const f = () => [1]", "\nif (!require('lodash').isEqual(f(), [1])) throw 1"
        ),
        wrong=Program(
            "javascript", "f", "const f = () => [2]", "\nif (!require('lodash').isEqual(f(), [1])) throw 1"
        ),
        readable={"node_modules": node_modules(), **readable},
        env={"NODE_PATH": "/opt/node_modules"},
    )


def _typescript() -> Language:
    """`tsc t.ts --target es5 --lib es2016` must end with status 2, then `node t.js` with 0."""
    node, readable = _tool("node", "nodejs")
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
        readable={"node_modules": node_modules(), "inside": INSIDE, **readable},
        env={"NODE_PATH": "/opt/node_modules"},
        compile_s=COMPILE_S,
    )


def _cpp() -> Language:
    """`g++ t.cpp -o t`, then `./t`."""
    compiler, readable = _tool("g++", "g++")
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
            "pch": _precompiled_header(compiler if not readable else str(shutil.which("g++"))),
            **readable,
        },
        compile_s=COMPILE_S,
    )


def _precompiled_header(compiler: str) -> Path:
    """Folder with `bits/stdc++.h` precompiled (100 MB, built once per compiler), as `-I` takes it.

    The compiler uses it only where that equals reading the header itself.
    """
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    key = "".join(c if c.isalnum() else "-" for c in version.splitlines()[0] if c.isascii())
    folder = settings.home() / "mbxp" / f"pch-{key}"
    target = folder / "bits" / "stdc++.h.gch"
    if not target.is_file():
        with staged(target) as part, scratch.folder("assay-header-") as place:
            header = place / "all.h"
            header.write_text("#include <bits/stdc++.h>\n")
            argv = [compiler, "-x", "c++-header", str(header), "-o", str(part)]
            built = subprocess.run(argv, capture_output=True, text=True, check=False)
            if built.returncode != 0:
                is_full = "No space left" in built.stderr
                raise EnvironmentProblem(
                    f"g++ cannot compile bits/stdc++.h: {built.stderr.strip()[:200]}",
                    f"free 100 MB at {folder}" if is_full else "apt-get install g++",
                )
    return folder


def _sympy() -> Language:
    """Is an expression 0? The Python that runs Assay, with its sympy. See inside/sympy_driver.py.

    sympy may never end, and the official grader sets no limit: what takes longer than a minute is not 0 here.
    """
    command, readable = _our_python()
    packages = _packages("sympy", "mpmath")
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
    command, readable = _our_python()
    packages = _packages("numpy")
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


def _our_python() -> tuple[str, dict[str, Path]]:
    """The Python that runs Assay, as `_this_python` where it is not the machine's own."""
    python = Path(sys.executable).resolve()
    return (str(python), {}) if python.is_relative_to("/usr") else _this_python()


def _packages(*names: str) -> dict[str, Path]:
    """Folder of each of these packages. Raises: EnvironmentProblem for one that is not installed."""
    packages = {}
    for name in names:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise extras.problem(name)
        packages[name] = Path(found.origin).parent
    return packages


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
