"""The same recipes in MLC's spelling."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assay.recipes.actions.context import Context
from assay.recipes.actions.dispatch import perform
from assay.recipes.console import Quiet
from assay.recipes.contract.dialect import MLC
from assay.recipes.contract.mlc_argv import parse
from assay.recipes.repositories import Home

HOOKS = """from mlc import utils
from utils import is_true


def predeps(i):
    i['env']['MLC_BEFORE'] = 'yes'
    return {'return': 0}


def preprocess(i):
    assert is_true('Yes') and utils.gen_uid()['return'] == 0
    i['automation'].logger.info('hello')
    return {'return': 0}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "mlc", MLC)
    repository = home.folder / "tests@small"
    for name, meta, hooks in (
        ("leaf", {"new_env_keys": ["MLC_LEAF"], "env": {"MLC_LEAF": "1"}}, ""),
        (
            "root",
            {
                "cache": True,
                "deps": [{"tags": "leaf", "enable_if_env": {"MLC_BEFORE": ["yes"]}}],
                "new_env_keys": ["MLC_LEAF", "MLC_X"],
                "const": {"MLC_X": "const"},
                "variations": {"v": {"base": ["b"], "env": {"MLC_X": "v"}}, "b": {"env": {"MLC_X": "b"}}},
            },
            HOOKS,
        ),
    ):
        folder = repository / "script" / name
        folder.mkdir(parents=True)
        (folder / "meta.yaml").write_text(
            json.dumps({"alias": name, "uid": f"{name:0>16}", "tags": [name], **meta})
        )
        if hooks:
            (folder / "customize.py").write_text(hooks)
    (repository / "meta.yaml").write_text("alias: tests@small\nuid: 00000000000000aa\n")
    home.register(repository)
    monkeypatch.chdir(tmp_path)
    return home


def run(home: Home, tags: str) -> dict[str, object]:
    inputs = parse(["run", "script", tags, "--user_python"], interactive=False)
    answer = perform(Context(home, Quiet(), {"PATH": os.environ["PATH"]}), inputs)
    new_env: dict[str, object] = answer["new_env"]
    return new_env


def test_predeps_runs_before_the_dependencies_and_const_of_the_recipe_counts(home: Home) -> None:
    assert run(home, "root,") == {"MLC_LEAF": "1", "MLC_X": "const"}


def test_an_entry_is_named_after_its_recipe_and_carries_resolved_variations(home: Home) -> None:
    run(home, "root,_v")
    (entry,) = home.cache.iterdir()
    assert entry.name.startswith("root_")
    description = json.loads((entry / "meta.json").read_text())
    assert {"root", "_v", "_b"} <= set(description["tags"])
    assert description["associated_script_item"].startswith("root, ")
    assert (entry / "mlc-cached-state.json").exists()


def test_removing_nothing_is_no_error(home: Home) -> None:
    context = Context(home, Quiet(), {})
    assert perform(context, parse(["rm", "cache", "-f"], interactive=True)) == {"return": 0}
