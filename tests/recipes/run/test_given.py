"""What a hook is told of its own run, in the names of CM and of MLC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.dialect import SCRIPT_UID, Dialect
from assay.recipes.contract.mlc import MLC
from assay.recipes.run.execution import Execution
from assay.recipes.run.given import GivenArtifact, hook_input, misspelt, repro_prefix, run_state
from tests.recipes.conftest import Kit
from tests.recipes.run.parts import execution_of


def recipe(kit: Kit, **meta: Any) -> None:
    folder = kit.recipe(
        "r", variations={"a": {"group": "g", "default": True}, "b": {"group": "g"}, "c": {}}, **meta
    )
    if kit.home.dialect is MLC:
        (folder / "_cm.json").rename(folder / "meta.json")


def state_of(execution: Execution, asked: list[str] | None = None) -> dict[str, Any]:
    return run_state(execution.session, execution.call, execution.request, asked if asked is not None else [])


def told(execution: Execution, state: dict[str, Any] | None = None) -> dict[str, Any]:
    return hook_input(execution.session, execution.call, execution.request, state or {})


def test_the_state_names_recipe_variations_groups_and_repository(kit: Kit) -> None:
    recipe(kit, repo_to_report_errors="https://example.org/issues")
    state = state_of(execution_of(kit, "r,_c"))
    assert state["script_id"] == "r,0000000000000001"
    assert (state["script_tags"], state["script_variation_tags"]) == (["r"], ["c"])
    assert state["variation_groups"] == {"g": {"variations": ["a", "b"], "default": "a"}}
    assert (state["script_repo_alias"], state["script_repo_git"]) == ("tests@small", False)
    assert state["script_entry_repo_alias"] == "tests@small"
    assert state["script_entry_repo_to_report_errors"] == "https://example.org/issues"
    assert state["parent"] is None and state["version_info"] == []


@pytest.mark.parametrize(
    ("flags", "names"),
    [({}, set()), ({"silent": "yes"}, {"tmp_silent"}), ({"v": True}, {"tmp_verbose"}), ({"s": "no"}, set())],
)
def test_how_much_is_said_is_part_of_the_state(flags: Any, names: set[str], kit: Kit) -> None:
    recipe(kit)
    state = state_of(execution_of(kit, "r", **flags))
    assert {name for name in ("tmp_silent", "tmp_verbose") if state.get(name)} == names


def test_the_list_of_dependencies_grows_with_the_run(kit: Kit) -> None:
    recipe(kit)
    asked: list[str] = []
    state = state_of(execution_of(kit, "r"), asked)
    asked.append("dep")
    assert state["deps"] == ["dep"]


def test_a_dependency_has_its_callers_state_in_cm_but_for_what_is_its_own(kit: Kit) -> None:
    recipe(kit)
    execution = execution_of(kit, "r", depth=1, parent="p")
    above = {"deps": ["of the caller"], "script_id": "caller", "own_word_of_a_hook": 7}
    execution.call = execution.call._replace(above=above)
    state = state_of(execution)
    assert (state["own_word_of_a_hook"], state["deps"], state["parent"]) == (7, [], "p")
    assert state["script_id"].startswith("r,") and "script_entry_repo_alias" not in state


def test_a_dependency_of_mlc_starts_anew(mlc: Kit) -> None:
    recipe(mlc)
    execution = execution_of(mlc, "r", depth=1)
    execution.call = execution.call._replace(above={"own_word_of_a_hook": 7})
    assert "own_word_of_a_hook" not in state_of(execution)


def test_the_state_of_mlc_holds_the_lists_that_the_recipe_works_on(mlc: Kit) -> None:
    recipe(
        mlc,
        cache=True,
        cache_expiration="1d",
        new_env_keys=["MLC_A"],
        post_deps=[{"tags": "x"}],
        input_mapping={"i": "MLC_I"},
        versions={"1": {"env": {"MLC_V": "1"}}},
        default_version="1",
    )
    execution = execution_of(mlc, "r", version="1")
    asked = ["a"]
    state = state_of(execution, asked)
    assert state["full_deps"] is asked and "default_version" not in state
    assert (state["cache"], state["cache_expiration"]) == (True, "1d")
    assert state["post_deps"] is execution.resolved.entries["post_deps"]
    assert state["new_env_keys"] is execution.resolved.new_env_keys
    assert state["input_mapping"] == {"i": "MLC_I"}
    assert (state["remote_run"], state["file_path_env_keys"]) == ({}, [])
    assert state["version_meta"] == {"env": {"MLC_V": "1"}}


@pytest.mark.parametrize(("tags", "has_conditions"), [("r", True), ("s", False)])
def test_conditions_are_told_in_cm_where_a_block_applied(tags: str, has_conditions: bool, kit: Kit) -> None:
    recipe(kit)
    kit.recipe("s")
    state = state_of(execution_of(kit, tags))
    assert ("update_meta_if_env" in state) is has_conditions


# ---------------------------------------------------------------------- input


def test_the_input_of_the_recipe_that_was_asked_for_is_the_request(kit: Kit) -> None:
    recipe(kit)
    execution = execution_of(kit, "r", artifact="", env={"CM_A": "1"}, x="1")
    given = told(execution)
    assert given["tags"] == "r" and given["x"] == "1" and "env" not in given
    execution.call.inputs["env"] = {"CM_A": "1"}
    assert told(execution)["env"] is execution.env
    assert "recursion" not in given and given["parsed_automation"] == [("script", SCRIPT_UID)]


@pytest.mark.parametrize("dialect_name", ["cm", "mlc"])
def test_the_input_of_a_dependency_carries_all_that_it_was_given(
    dialect_name: str, request: pytest.FixtureRequest
) -> None:
    kit: Kit = request.getfixturevalue("kit" if dialect_name == "cm" else "mlc")
    recipe(kit)
    execution = execution_of(kit, "r", depth=2, env={"A": "1"}, v=True)
    state: dict[str, Any] = {"s": 1}
    given = told(execution, state)
    dialect: Dialect = kit.home.dialect
    assert given["automation"] == f"script{dialect.owner_separator}{SCRIPT_UID}"
    assert given["env"] is execution.env and given["state"] is execution.resolved.state
    assert given["run_state"] is state and given["recursion"] is True and given["recursion_spaces"] == "    "
    assert ("verbose" in given) is ("remembered_selections" in given) is (dialect_name == "cm")


def test_the_artifact_is_the_recipe_with_its_repository(kit: Kit) -> None:
    recipe(kit)
    execution = execution_of(kit, "r")
    artifact = GivenArtifact(execution.recipe)
    assert artifact.path == str(kit.repository / "script/r")
    assert artifact.meta is artifact.original_meta is execution.recipe.meta
    assert artifact.repo_path == artifact.repo.path == str(kit.repository)
    assert artifact.repo_meta["alias"] == artifact.repo.meta["alias"] == "tests@small"


@pytest.mark.parametrize(
    ("inputs", "place"),
    [
        ({}, "cm-repro/cm-run-script"),
        ({"repro_dir": "d", "repro_prefix": "p"}, "d/p"),
        ({"repro_dir": "/abs"}, "/abs/cm-run-script"),
        ({"repro_dir": "", "repro_prefix": None}, "cm-repro/cm-run-script"),
    ],
)
def test_the_records_of_repro_begin_where_they_are_asked_to(inputs: Any, place: str) -> None:
    assert repro_prefix("cm", inputs, Path("/here")) == Path("/here") / place


def test_a_flag_that_is_nearly_one_of_the_recipe_is_told_and_others_are_left_to_its_hooks(kit: Kit) -> None:
    recipe(kit, input_mapping={"whom": "CM_WHOM"})
    found = execution_of(kit, "r").request.resolved.recipe
    assert list(misspelt({"wohm": "you", "tags": "r", "quiet": True, "zebra": 1, "whom": 2}, found)) == [
        "--wohm is no flag of r; did you mean --whom?"
    ]


def test_the_note_on_a_flag_reaches_the_user_of_the_recipe(kit: Kit) -> None:
    kit.recipe("say", input_mapping={"whom": "CM_WHOM"})
    kit.run("say", "--wohm=you")
    assert any("did you mean --whom?" in line for line in kit.console.noted)
