"""init, test and uid: what a new home has, and what is told when nothing can be pulled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay import __version__
from assay.recipes.actions import core
from assay.recipes.contract.cm import CM
from assay.recipes.contract.mlc import MLC
from assay.recipes.contract.names import ArtifactName
from assay.recipes.errors import RecipeFault
from assay.recipes.home.repositories import Home
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context
from tests.recipes.conftest import Kit


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is asked of `pull`, which fails for `missing@repo`."""
    asked: list[dict[str, Any]] = []

    def pull(context: Context, inputs: dict[str, Any]) -> dict[str, Any]:
        asked.append(inputs)
        if inputs["artifact"] in ("missing@repo", CM.default_repository):
            raise RecipeFault("no network")
        return {"return": 0, "path": "/pulled"}

    monkeypatch.setattr(core, "pull", pull)
    return asked


def new(folder: Path, dialect: Any = CM) -> Context:
    return Context(Home(folder / "home", dialect), Quiet(), {})


def test_a_home_is_made_and_nothing_pulled_where_that_is_skipped(tmp_path: Path, pulled: list[Any]) -> None:
    context = new(tmp_path)
    assert core.init(context, {"skip": True}) == {"return": 0}
    assert context.home.local.is_dir() and pulled == []
    assert context.console.said == [f"The home is {context.home.root}"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("inputs", "asked"),
    [
        ({"repo": "o@n"}, {"artifact": "o@n"}),
        ({"repo": "o@n", "branch": "b", "pat": "p"}, {"artifact": "o@n", "branch": "b", "pat": "p"}),
        ({"url": "https://example.org/o/n"}, {"artifact": "", "url": "https://example.org/o/n"}),
    ],
)
def test_what_is_named_is_pulled(
    inputs: dict[str, str], asked: dict[str, str], tmp_path: Path, pulled: list[Any]
) -> None:
    assert core.init(new(tmp_path), inputs)["path"] == "/pulled"
    assert pulled == [asked]


def test_each_tool_has_its_default(tmp_path: Path, pulled: list[Any]) -> None:
    core.init(new(tmp_path, MLC), {})
    assert pulled == [{"artifact": MLC.default_repository}]


def test_without_the_default_one_a_home_is_usable_and_that_is_said(tmp_path: Path, pulled: list[Any]) -> None:
    context = new(tmp_path)
    assert core.init(context, {}) == {"return": 0}
    (note,) = context.console.noted  # type: ignore[attr-defined]
    assert f"{CM.default_repository} was not pulled" in note and "no network" in note


@pytest.mark.parametrize("inputs", [{"repo": "missing@repo"}, {"repo": "", "branch": "b"}])
def test_one_that_was_named_must_be_pulled(inputs: dict[str, str], tmp_path: Path, pulled: list[Any]) -> None:
    with pytest.raises(RecipeFault, match="no network"):
        core.init(new(tmp_path), inputs)


def test_the_installation_says_what_it_works_on(kit: Kit) -> None:
    kit.recipe("a")
    kit.recipe("b")
    assert core.test(kit.context(), {}) == {"return": 0}
    (line,) = kit.console.said
    assert line.startswith(f"Assay {__version__} works: 2 recipes in ") and line.endswith(
        f"of {kit.home.root}"
    )


def test_each_uid_is_new_and_printed(kit: Kit) -> None:
    made = [core.uid(kit.context(), {})["uid"] for _ in range(5)]
    assert kit.console.said == made and len(set(made)) == 5
    assert all(ArtifactName.parse(f"x,{uid}").uid == uid for uid in made)
