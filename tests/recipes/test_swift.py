"""The start and the end of the process: nothing needless is imported, nothing that a hook counts on is left out."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.recipes.typing_stub import NamedTuple

from .conftest import Kit


class Pair(NamedTuple):
    """What the tests below make."""

    left: str
    right: int = 2

    def both(self) -> str:
        return f"{self.left}{self.right}"


def test_a_light_tuple_behaves_as_a_named_one() -> None:
    assert Pair("a") == Pair(left="a", right=2) == ("a", 2)
    assert Pair("a", 3).both() == "a3"
    assert Pair("a")._replace(left="b") == ("b", 2)
    assert Pair("a")._asdict() == {"left": "a", "right": 2}
    assert copy.deepcopy(Pair("a")) == Pair("a")
    assert repr(Pair("a")) == "Pair(left='a', right=2)"
    left, right = Pair("a")
    assert (left, right) == ("a", 2)


@pytest.mark.parametrize("values, named", [((), {}), (("a", 1, 2), {}), (("a",), {"other": 1})])
def test_a_light_tuple_wants_its_own_fields(values: tuple[object, ...], named: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Pair(*values, **named)  # type: ignore[arg-type]


HEAVY = {
    "typing",
    "dataclasses",
    "yaml",
    "argparse",
    "inspect",
    "logging",
    "json",
    "urllib.parse",
    "ipaddress",
    "zlib",
    "copy",
    "assay.recipes.home.store",
    "assay.recipes.run.cached",
}


def test_a_small_run_imports_nothing_heavy(kit: Kit) -> None:
    """`-S`: what the packages of an environment import at its start is not ours."""
    kit.recipe("small", "def preprocess(i):\n    return {'return': 0}\n", "true\n")
    time.sleep(0.1)  # what changed a moment ago is not remembered
    line = ["-m", "assay", "run", "script", "--tags=small", "--user_python"]
    source = str(Path(__file__).parents[2] / "src")
    environ = {**os.environ, "PYTHONPATH": source, "CM_REPOS": str(kit.home.root), "ASSAY_BUILTIN": "0"}
    for start in ([], ["-S", "-X", "importtime"]):
        done = subprocess.run(
            [sys.executable, *start, *line], env=environ, capture_output=True, text=True, check=True
        )
    imported = {
        row.rpartition("|")[2].strip() for row in done.stderr.splitlines() if row.startswith("import time:")
    }
    assert "assay.recipes.run.runner" in imported
    assert imported & HEAVY == set()


def test_pathlib_without_urllib_still_makes_addresses() -> None:
    code = (
        "from assay.cli.swift import import_pathlib_alone as alone; alone(); alone(); "
        "from pathlib import Path; import sys; before = 'urllib.parse' in sys.modules; "
        "print(Path('/a b').as_uri(), before); import urllib.parse; print(urllib.parse.quote('a b'))"
    )
    environ = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["file:///a%20b", "False", "a%20b"]


OPEN_FILE = """left_open = open('left.txt', 'w')
def preprocess(i):
    left_open.write('written')
    return {'return': 0}
"""
AT_EXIT = """import atexit
def preprocess(i):
    atexit.register(lambda: open('left.txt', 'w').write('written'))
    return {'return': 0}
"""
THREAD = """import threading, time
def late():
    time.sleep(0.2)
    open('left.txt', 'w').write('written')
def preprocess(i):
    threading.Thread(target=late).start()
    return {'return': 0}
"""


@pytest.mark.parametrize("hooks", [OPEN_FILE, AT_EXIT, THREAD], ids=["open file", "atexit", "thread"])
def test_what_a_hook_leaves_for_the_end_of_the_process_is_done(kit: Kit, tmp_path: Path, hooks: str) -> None:
    kit.recipe("leaves", hooks)
    done = subprocess.run(
        [sys.executable, "-m", "assay", "run", "script", "--tags=leaves", "--user_python"],
        cwd=tmp_path,
        env={**os.environ, "CM_REPOS": str(kit.home.root), "ASSAY_BUILTIN": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "left.txt").read_text() == "written"
