"""The `cmind` and `mlc` that recipes import, as any Python that a recipe starts finds them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.hooks import SHIM

MODULE = "assay/recipes/contract/shim/children/cmind/__init__.py"
CHILDREN = (SHIM.parents[3] / MODULE).parents[1]


def in_a_child(code: str, **environ: str) -> Any:
    """The value that `code` leaves in `answer`, in a bare Python with the shim first on its path."""
    script = f"import json, sys; sys.path.insert(0, {str(CHILDREN)!r})\n{code}\nprint(json.dumps(answer))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def runner(folder: Path, body: str) -> str:
    """A program that stands for the runner's Python: it gets the words and the request."""
    path = folder / "runner"
    path.write_text(f"#!{sys.executable}\nimport json, sys\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize("name", ["cmind", "mlc"])
def test_access_outside_a_run_is_an_error_and_no_exception(name: str) -> None:
    answer = in_a_child(f"import {name}; answer = {name}.access({{'action': 'find'}})")
    assert answer["return"] == 1 and "inside a run" in answer["error"]


@pytest.mark.parametrize("name", ["cmind", "mlc"])
def test_a_request_goes_to_the_runner_as_json_and_its_answer_comes_back(name: str, tmp_path: Path) -> None:
    program = runner(
        tmp_path,
        "print(json.dumps({'return': 0, 'words': sys.argv[1:], 'asked': json.load(sys.stdin)}))",
    )
    asked = {"action": "find", "automation": "script", "tags": "ä,b", "deep": {"a": [1, None]}}
    answer = in_a_child(f"import {name}; answer = {name}.access({asked!r})", ASSAY_PYTHON=program)
    assert answer == {"return": 0, "words": ["-m", "assay.recipes.actions.remote"], "asked": asked}


@pytest.mark.parametrize(("body", "code"), [("sys.exit(7)", 7), ("print('{half')", 0), ("", 0)])
def test_a_runner_that_gives_no_json_is_an_error_with_its_exit_code(
    body: str, code: int, tmp_path: Path
) -> None:
    answer = in_a_child(
        "import cmind; answer = cmind.access('find script')", ASSAY_PYTHON=runner(tmp_path, body)
    )
    assert answer == {"return": 1, "error": f"the runner gave no answer (exit {code})"}


def test_mlc_has_the_helpers_of_cmind_under_its_own_name_and_version() -> None:
    answer = in_a_child(
        "import cmind.utils, mlc.utils\n"
        "answer = [mlc.utils.load_json is cmind.utils.load_json, cmind.__version__, mlc.__version__]"
    )
    assert answer == [True, "4.2.0", "1.3.8"]
