"""What cm 4.2.0 did with our own small recipes (recorded.json), against what this runner does with them."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions.context import Context
from assay.recipes.actions.dispatch import perform
from assay.recipes.console import Quiet
from assay.recipes.contract.argv import parse
from assay.recipes.contract.dialect import CM
from assay.recipes.errors import RecipeFault
from assay.recipes.repositories import Home

from .compare import CALL, stable
from .own import write_recipes

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text())


def seen(home: Home, line: str) -> dict[str, Any]:
    """One command line in process, in the form of the record."""
    words = shlex.split(line)
    if words[:2] == ["run", "script"]:
        words += ["--out=json", "-v", "--user_python"]
    console = Quiet()
    answer: dict[str, Any] = {}
    try:
        answer = perform(Context(home, console, {"PATH": os.environ["PATH"]}), parse(words))
        code = 0
    except RecipeFault as fault:
        code = fault.code
    entries = [json.loads(path.read_text())["tags"] for path in home.cache.glob("*/_cm.json")]
    return {
        "command": line,
        "code": code,
        "calls": [found[1].strip() for note in console.noted if (found := CALL.match(note))],
        "new_env": stable(answer.get("new_env", {})),
        "new_state": stable(answer.get("new_state", {})),
        "entries": sorted(",".join(sorted(tags)) for tags in entries),
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All command lines in their order on one home, as they were recorded."""
    root = tmp_path_factory.mktemp("own")
    home = Home(root / "home", CM)
    home.folder.mkdir(parents=True)
    home.register(write_recipes(home.folder))
    folder = root / "work"
    folder.mkdir()
    before = Path.cwd()
    os.chdir(folder)
    try:
        return [seen(home, record["command"]) for record in RECORDED]
    finally:
        os.chdir(before)


@pytest.mark.parametrize("number", range(len(RECORDED)), ids=[record["command"][:70] for record in RECORDED])
def test_the_runner_does_what_cm_did(runs: list[dict[str, Any]], number: int) -> None:
    assert runs[number] == RECORDED[number]
