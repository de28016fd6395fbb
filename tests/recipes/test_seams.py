"""The seams: recipes of our own, the entry of the command line, and what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from assay.cli.cm import main
from assay.recipes.contract.argv import parse
from assay.recipes.errors import RecipeFault
from assay.recipes.model.resolved import ResolvedRecipe
from assay.recipes.run.builtin import Builtin
from assay.recipes.run.runner import Runner

from .conftest import Kit


def builtin(tmp_path: Path, tags: str, *, fallback: bool = False) -> Builtin:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "meta.yaml").write_text(
        "alias: ours\nuid: 00000000000000dd\nvariations: {v: {env: {CM_V: '1'}}}\n"
    )

    def act(resolved: ResolvedRecipe, inputs: Mapping[str, Any], fake: bool) -> dict[str, Any]:
        return {
            "return": 0,
            "new_env": {"CM_BY": "nobody" if fake else "us", "CM_V": resolved.env.get("CM_V")},
        }

    return Builtin(folder, "ours", tuple(tags.split(",")), act, fallback)


def by_runner(kit: Kit, builtins: list[Builtin], tags: str, *more: str) -> dict[str, Any]:
    context = kit.context()
    runner = Runner(context.index, kit.console, context.host_env, builtins=builtins)
    new_env: dict[str, Any] = runner.run(parse(["run", "script", f"--tags={tags}", *more]))["new_env"]
    return new_env


def test_a_builtin_answers_a_top_level_request_with_all_of_its_tags(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("get-model", env={"CM_BY": "repository"}, new_env_keys=["CM_BY"])
    ours = [builtin(tmp_path, "get,model")]
    assert by_runner(kit, ours, "get,model,_v") == {"CM_BY": "us", "CM_V": "1"}
    assert by_runner(kit, ours, "get") == {"CM_BY": "repository"}
    assert any("built-in recipe ours" in line for line in kit.console.noted)


def test_a_builtin_is_never_a_dependency(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("get-model", env={"CM_BY": "repository"}, new_env_keys=["CM_BY"])
    kit.recipe("root", deps=[{"tags": "get,model"}], new_env_keys=["CM_BY"])
    assert by_runner(kit, [builtin(tmp_path, "get,model")], "root") == {"CM_BY": "repository"}


def test_a_repository_that_is_asked_for_by_name_must_be_there(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("get-model", env={"CM_BY": "repository"}, new_env_keys=["CM_BY"])
    ours = [builtin(tmp_path, "get,model")]
    here = kit.home.repositories()[0].alias
    assert by_runner(kit, ours, "get,model", f"--recipes={here}") == {"CM_BY": "repository"}
    with pytest.raises(RecipeFault, match="nobody@nothing names no registered repository"):
        by_runner(kit, ours, "get,model", "--recipes=nobody@nothing")


def test_a_fallback_answers_only_where_no_repository_does(kit: Kit, tmp_path: Path) -> None:
    ours = [builtin(tmp_path, "detect,os", fallback=True)]
    assert by_runner(kit, ours, "detect,os")["CM_BY"] == "us"
    kit.recipe("detect-os", env={"CM_BY": "repository"}, new_env_keys=["CM_BY"])
    assert by_runner(kit, ours, "detect,os")["CM_BY"] == "repository"


@pytest.mark.parametrize(
    ("tags", "hint"),
    [
        ("fetch,modle", "modle: did you mean model?"),
        ("ge", "ge: did you mean get?"),
        ("fetch,model,tool", "nearest: fetch,model (ours)"),
    ],
)
def test_a_slip_is_told_with_the_nearest_of_repositories_and_of_our_own(
    kit: Kit, tmp_path: Path, tags: str, hint: str
) -> None:
    ours = [builtin(tmp_path, "fetch,model")]
    kit.recipe("get-tool")
    with pytest.raises(RecipeFault, match="no scripts were found with above tags") as error:
        by_runner(kit, ours, tags)
    assert error.value.hint == hint


def test_without_repositories_a_slip_is_told_with_our_own_and_how_to_get_more(
    kit: Kit, tmp_path: Path
) -> None:
    with pytest.raises(RecipeFault) as error:
        by_runner(kit, [builtin(tmp_path, "fetch,model")], "fetch,modle")
    assert error.value.hint.startswith("modle: did you mean model?; no repository with recipes is registered")


@pytest.fixture
def entry(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """A home that the command line finds through the environment."""
    monkeypatch.setenv("CM_REPOS", str(kit.home.root))
    monkeypatch.setenv("ASSAY_BUILTIN", "0")
    return kit


def test_find_prints_paths_and_succeeds(entry: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    folder = entry.recipe("one")
    assert main(["find", "script", "--tags=one"]) == 0
    assert capsys.readouterr().out == f"{folder}\n"


@pytest.mark.parametrize("wrapper", [[], ["cm"]])
def test_a_failure_is_one_line_on_stderr_with_its_number(
    entry: Kit, capsys: pytest.CaptureFixture[str], wrapper: list[str]
) -> None:
    entry.recipe("one")
    assert main([*wrapper, "run", "script", "--tags=one,_x"]) == 16
    assert "CM error: no scripts were found" in capsys.readouterr().err


def test_json_on_stdout_is_the_result_dictionary_for_failures_too(
    entry: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    entry.recipe("one", env={"CM_A": "1"}, new_env_keys=["CM_A"])
    assert main(["run", "script", "--tags=one", "--user_python", "--out=json"]) == 0
    assert json.loads(capsys.readouterr().out)["new_env"] == {"CM_A": "1"}
    assert main(["run", "script", "--tags=two", "--out=json"]) == 1
    assert json.loads(capsys.readouterr().out)["return"] == 1


def test_find_answers_without_yaml_argparse_or_dataclasses(entry: Kit) -> None:
    entry.recipe("one")
    time.sleep(0.1)  # what changed a moment ago is not remembered
    code = (
        "import sys; from assay.cli import cm; assert cm.main(['find', 'script', '--tags=one']) == 0; "
        "print(sorted({'yaml', 'argparse', 'dataclasses', 'subprocess', 'logging'} & set(sys.modules)))"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_python_process_that_a_recipe_starts_reaches_the_runner_through_cmind(kit: Kit) -> None:
    kit.recipe("leaf", env={"CM_L": "1"}, new_env_keys=["CM_L"])
    code = (
        "import cmind; r = cmind.access({'action': 'run', 'automation': 'script', 'tags': 'leaf'}); "
        "print('CM_GOT=' + r['new_env']['CM_L'])"
    )
    kit.recipe(
        "root", run=f'got=$(python3 -c "{code}")\necho "$got" > tmp-run-env.out\n', new_env_keys=["CM_GOT"]
    )
    assert kit.run("root")["new_env"] == {"CM_GOT": "1"}
