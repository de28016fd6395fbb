"""Actions on the cache: what they say, what they remove, and what they leave."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions import cache
from assay.recipes.contract.argv import parse
from assay.recipes.contract.mlc import MLC
from assay.recipes.errors import RecipeFailed, RecipeFault, RecipeNotFound
from assay.recipes.home.repositories import Home
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context
from tests.recipes.conftest import Kit


@pytest.fixture
def filled(kit: Kit) -> Kit:
    """Entries of two recipes; the first exports a file of its own and a secret."""
    kit.recipe(
        "a-x",
        cache=True,
        run="touch f; echo CM_F=$PWD/f > tmp-run-env.out; echo CM_API_KEY=hunter2 >> tmp-run-env.out\n",
        new_env_keys=["CM_*"],
        variations={"v": {}},
        env={"CM_VERSION": "1.5"},
    )
    kit.recipe("b-x", cache=True)
    kit.run("a,x,_v")
    kit.run("b,x")
    kit.console.said.clear()
    kit.console.noted.clear()
    return kit


def entry(kit: Kit, tag: str) -> Path:
    (found,) = [path for path in kit.entries() if tag in meta(path)["tags"]]
    return found


def meta(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path / "_cm.json").read_text())
    return found


def change(path: Path, **values: Any) -> None:
    (path / "_cm.json").write_text(json.dumps(meta(path) | values))


@pytest.mark.parametrize(
    ("words", "left"),
    [([], 0), (["--tags=a"], 1), (["--tags=x"], 0), (["--tags=x,-a"], 1)],
)
def test_removing_by_force_says_what_goes(words: list[str], left: int, filled: Kit) -> None:
    cache.delete(filled.context(), parse(["rm", "cache", "-f", *words]))
    assert len(filled.entries()) == left
    lines = filled.console.said
    assert sum("Deleting" in line for line in lines) == 2 - left and lines[-1].endswith("B freed")


@pytest.mark.parametrize(("answers", "left"), [(["y", "y"], 0), (["yes", "n"], 1), (["", "no"], 2)])
def test_removing_asks_for_each(answers: list[str], left: int, filled: Kit) -> None:
    filled.console.answers = answers
    cache.delete(filled.context(), parse(["rm", "cache"]))
    assert len(filled.entries()) == left and len(filled.console.questions) == 2


def test_pieces_of_failed_runs_go_with_everything_and_not_with_a_part(kit: Kit) -> None:
    kit.recipe("bad", cache=True, run="exit 1\n")
    kit.recipe("good", cache=True)
    kit.run("good")
    with pytest.raises(RecipeFailed):
        kit.run("bad")
    cache.delete(kit.context(), parse(["rm", "cache", "--tags=good", "-f"]))
    assert not any("left by a run" in line for line in kit.console.said)
    cache.delete(kit.context(), parse(["rm", "cache", "-f"]))
    assert any("left by a run that ended early" in line for line in kit.console.said)


def test_nothing_to_remove_is_an_error_but_in_a_new_home_and_in_mlc(filled: Kit, tmp_path: Path) -> None:
    for line in (["rm", "cache", "absent", "-f"], ["rm", "cache", "--tags=absent"]):
        with pytest.raises(RecipeNotFound) as caught:
            cache.delete(filled.context(), parse(line))
        assert caught.value.code == 16 and "16 is CM's exit code" in caught.value.hint
    for home in (Home(tmp_path / "new", filled.home.dialect), Home(tmp_path / "mlc", MLC)):
        console = Quiet()
        assert cache.delete(Context(home, console, {}), parse(["rm", "cache", "-f"])) == {"return": 0}
        assert console.noted == ["assay: nothing in the cache matches"]


def test_entries_are_shown_with_version_size_and_age(filled: Kit) -> None:
    answer = cache.show(filled.context(), parse(["show", "cache", "--tags=a"]))
    (found,) = answer["list"]
    lines = filled.console.said
    assert lines[1] == "* Tags: a,script-artifact-0000000000000001,version-1.5,x,_v"
    assert lines[2:4] == [f"  Path: {found.path}", "  Version: 1.5"]
    assert re.match(r"  Size: [\d.]+ k?B, made ", lines[4]) and len(lines) == 5


def test_the_values_of_an_entry_are_shown_without_secrets(filled: Kit) -> None:
    cache.show(filled.context(), parse(["show", "cache", "--env", "--tags=a"]))
    told = "\n".join(filled.console.said)
    assert f"  CM_F={entry(filled, 'a')}/f" in told and "CM_API_KEY" in told and "hunter2" not in told


def test_an_entry_without_its_base_is_not_shown(filled: Kit, tmp_path: Path) -> None:
    change(entry(filled, "b"), dependent_cached_path=str(tmp_path / "gone"))
    assert len(cache.show(filled.context(), parse(["show", "cache"]))["list"]) == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3600, " 0 seconds ago"),
        (0, "seconds ago"),
        (119, "seconds ago"),
        (600, "10 minutes ago"),
        (7300, "2 hours ago"),
        (10**6, "12 days ago"),
    ],
)
def test_the_age_is_told_in_the_largest_unit_that_fits(seconds: int, words: str, filled: Kit) -> None:
    then = time.time() - seconds
    os.utime(entry(filled, "b"), (then, then))
    cache.show(filled.context(), parse(["show", "cache", "--tags=b"]))
    assert filled.console.said[-1].endswith(words)


# ---------------------------------------------------------------------- prune and verify


def broken(kit: Kit, how: str) -> Path:
    path = entry(kit, "a")
    if how == "expired":
        change(path, cache_expiration=time.time() - 1)
    elif how == "tmp":
        change(path, tags=[*meta(path)["tags"], "tmp"])
    elif how == "base":
        change(path, dependent_cached_path="/gone")
    elif how == "state":
        (path / "cm-cached-state.json").unlink()
    elif how == "file":
        (path / "f").unlink()
    return path


@pytest.mark.parametrize(
    ("how", "goes"),
    [("expired", True), ("tmp", True), ("base", True), ("state", True), ("file", False), ("whole", False)],
)
def test_pruning_removes_what_no_run_would_use(how: str, goes: bool, filled: Kit) -> None:
    path = broken(filled, how)
    answer = cache.prune(filled.context(), parse(["prune", "cache"]))
    assert path.exists() is not goes and answer["deleted"] == int(goes)
    assert filled.console.said[-1] == f"{int(goes)} pruned"
    assert entry(filled, "b").exists()


def test_what_a_user_added_by_hand_is_kept(filled: Kit) -> None:
    path = broken(filled, "state")
    change(path, associated_script_artifact_uid="", associated_script_artifact="")
    assert cache.prune(filled.context(), parse(["prune", "cache"]))["deleted"] == 0
    assert cache.verify(filled.context(), parse(["verify", "cache"]))["return"] == 0


def test_pruning_may_be_of_some_tags(filled: Kit) -> None:
    path = broken(filled, "tmp")
    cache.prune(filled.context(), parse(["prune", "cache", "--tags=b"]))
    assert path.exists()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("base", "it depends on /gone, which is gone"),
        ("state", "cm-cached-state.json"),
        ("file", "names what is not there: CM_F="),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_with_the_way_to_remove_it(
    how: str, words: str, filled: Kit
) -> None:
    path = broken(filled, how)
    with pytest.raises(RecipeFault, match="1 broken entry") as caught:
        cache.verify(filled.context(), parse(["verify", "cache"]))
    assert caught.value.hint == f"remove them: rm cache {meta(path)['uid']} -f"
    assert words in filled.console.said[-1] and str(path) in filled.console.said[-1]
    assert cache.verify(filled.context(), parse(["verify", "cache", "--tags=b"])) == {"return": 0}


def test_an_entry_that_is_marked_is_used_by_no_run(filled: Kit) -> None:
    answer = cache.mark_tmp(filled.context(), parse(["mark-tmp", "cache", "--tags=b"]))
    (found,) = answer["list"]
    assert "tmp" in meta(Path(found.path))["tags"]
    filled.run("b,x")
    assert len(filled.entries()) == 3
