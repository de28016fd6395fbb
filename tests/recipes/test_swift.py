"""The start and the end of the process: nothing needless is imported, nothing that a hook counts on is left out."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.recipes.light import NamedTuple

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


def test_a_run_imports_no_typing_and_no_yaml() -> None:
    code = (
        "import sys; from assay.cli import guard, cm; import assay.recipes.actions.script; "
        "print(*sorted({'typing', 'dataclasses', 'yaml', 'argparse', 'inspect', 'logging'} & set(sys.modules)))"
    )
    # -S: what the packages of an environment import at its start is not ours.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


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
