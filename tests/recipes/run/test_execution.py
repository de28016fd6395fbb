"""One recipe run step by step: conditions, hooks, script, what is exported, and what is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.recipes.errors import RecipeFailed, RecipeFault
from assay.recipes.run.execution import Execution
from tests.recipes.conftest import Kit
from tests.recipes.run.parts import Below, execution_of

EXPORTS = 'echo CM_OUT=$CM_IN > tmp-run-env.out\necho \'{"s": {"n": 1}}\' > tmp-run-state.json\n'


def test_only_what_is_exported_comes_out_and_lies_over_what_the_caller_had(kit: Kit) -> None:
    kit.recipe("r", run=EXPORTS, env={"CM_OWN": "1"}, new_env_keys=["CM_O*T"], new_state_keys=["s"])
    made = execution_of(
        kit, "r", env={"CM_IN": "x", "CM_OUT": "old"}, state={"s": {"m": 0}, "t": 1}
    ).make_here()
    assert (made.new_env, made.new_state) == ({"CM_OUT": "x"}, {"s": {"m": 0, "n": 1}})
    assert made.env == {"CM_IN": "x", "CM_OUT": "x"}
    assert made.state == {"s": {"m": 0, "n": 1}, "t": 1}
    assert not made.skipped


def test_a_caller_may_say_which_names_it_wants(kit: Kit) -> None:
    kit.recipe("r", env={"CM_A": "1", "CM_B": "2"}, new_env_keys=["CM_A"])
    assert execution_of(kit, "r", force_new_env_keys=["CM_B"]).make_here().new_env == {"CM_B": "2"}


@pytest.mark.parametrize(
    ("flags", "left"),
    [({}, []), ({"dirty": True}, ["tmp-run.sh", "x.tmp"]), ({"shell": True}, ["tmp-run.sh", "x.tmp"])],
)
def test_working_files_go_unless_they_are_asked_for(flags: Any, left: list[str], kit: Kit) -> None:
    kit.recipe("r", run="touch x.tmp\n", clean_files=["x.tmp"])
    execution_of(kit, "r", **flags).make_here()
    assert [name for name in ("tmp-run.sh", "x.tmp") if Path(name).exists()] == left


def test_output_of_an_earlier_run_is_removed_first(kit: Kit) -> None:
    kit.recipe("r", run="ls > seen.txt\n", clean_output_files=["result.txt", "absent.txt"])
    Path("result.txt").write_text("old")
    execution_of(kit, "r").make_here()
    assert "result.txt" not in Path("seen.txt").read_text()


def test_the_working_folder_is_the_same_after_a_failure(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("r", run="exit 3\n")
    here = Path.cwd()
    with pytest.raises(RecipeFailed, match="exit 3"):
        execution_of(kit, "r").make_here()
    assert Path.cwd() == here


# ---------------------------------------------------------------------- dependencies


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ({}, ["dep"]),
        ({"enable_if_env": {"CM_X": ["on"]}}, []),
        ({"skip_if_env": {"CM_X": ["off"]}}, []),
        ({"skip_if_fake_run": True}, ["dep"]),
    ],
)
def test_a_dependency_is_asked_where_its_condition_holds(condition: Any, asked: list[str], kit: Kit) -> None:
    kit.recipe("r", deps=[{"tags": "dep", **condition}])
    below = Below()
    execution_of(kit, "r", below, env={"CM_X": "off"}).make_here()
    assert below.asked == asked


def test_what_a_dependency_hands_back_is_seen_by_the_next_one_and_the_script(kit: Kit) -> None:
    kit.recipe("r", deps=[{"tags": "a"}, {"tags": "b"}], run=EXPORTS, new_env_keys=["CM_OUT"])
    below = Below(a={"CM_IN": "from a"})
    made = execution_of(kit, "r", below).make_here()
    assert below.calls[1].scope.env["CM_IN"] == "from a"
    assert made.new_env == {"CM_OUT": "from a"} and made.deps == ["a", "b"]
    assert [call.depth for call in below.calls] == [1, 1]


def test_a_dependency_that_may_fail_is_told_and_passed_over(kit: Kit) -> None:
    kit.recipe("r", deps=[{"tags": "a", "continue_on_error": True}, {"tags": "b"}])
    below = Below(a=RecipeFault("no a here"))
    execution_of(kit, "r", below).make_here()
    assert below.asked == ["a", "b"]
    assert any("a failed and may: no a here" in line for line in kit.console.noted)
    with pytest.raises(RecipeFault, match="no b here"):
        execution_of(kit, "r", Below(b=RecipeFault("no b here"))).make_here()


def test_with_fake_deps_none_is_run(kit: Kit) -> None:
    kit.recipe("r", deps=[{"tags": "a"}])
    below = Below()
    assert execution_of(kit, "r", below, fake_deps=True).make_here().deps == ["a"]
    assert below.calls == []


def test_a_fake_run_runs_dependencies_and_neither_hook_nor_script(kit: Kit) -> None:
    kit.recipe(
        "r",
        hooks="def preprocess(i): open('hook', 'w')\ndef postprocess(i): open('hook', 'w')\n",
        run="touch script\n",
        deps=[{"tags": "a"}, {"tags": "b", "skip_if_fake_run": True}],
        post_deps=[{"tags": "c"}],
    )
    below = Below()
    execution_of(kit, "r", below, fake_run=True).make_here()
    assert below.asked == ["a"]
    assert not Path("hook").exists() and not Path("script").exists()


# ---------------------------------------------------------------------- hooks


def test_a_hook_may_skip_the_rest(kit: Kit) -> None:
    kit.recipe(
        "r",
        hooks="def preprocess(i):\n    i['env']['CM_A'] = '1'\n    return {'return': 0, 'skip': True}\n",
        run="touch script\n",
        new_env_keys=["CM_A"],
        post_deps=[{"tags": "c"}],
    )
    below = Below()
    made = execution_of(kit, "r", below).make_here()
    assert made.skipped and made.new_env == {"CM_A": "1"}
    assert below.calls == [] and not Path("script").exists()


def test_a_hook_may_name_another_recipe_to_run_in_its_place(kit: Kit) -> None:
    kit.recipe(
        "r", hooks="def preprocess(i): return {'return': 0, 'skip': True, 'script': {'tags': 'other'}}\n"
    )
    below = Below(other={"CM_O": "other"})
    made = execution_of(kit, "r", below, env={"CM_E": "e"}, parent="the parent").make_here()
    (call,) = below.calls
    assert (call.inputs["tags"], call.inputs["action"], call.depth) == ("other", "run", 1)
    assert call.parent == "the parent" and call.scope.env["CM_E"] == "e"
    assert made.skipped and made.env == {"CM_E": "e", "CM_O": "other"}


def test_each_step_is_named_as_the_writer_of_its_values(kit: Kit) -> None:
    kit.recipe(
        "r",
        hooks="def preprocess(i): i['env']['CM_P'] = '1'\ndef postprocess(i): i['env']['CM_Q'] = '1'\n",
        run="echo CM_S=1 > tmp-run-env.out\n",
    )
    execution = execution_of(kit, "r")
    execution.make_here()
    origin = execution.env.origin
    assert origin["CM_P"] == "preprocess of r" and origin["CM_Q"] == "postprocess of r"
    assert origin["CM_S"] == "native script of r"


@pytest.mark.parametrize(
    ("preprocess", "postprocess", "version"),
    [("", "", "1.0"), ("2.0", "", "1.0"), ("2.0", "3.0", "3.0"), ("", "3.0", "3.0")],
)
def test_the_version_is_what_postprocess_says_else_the_default(
    preprocess: str, postprocess: str, version: str, kit: Kit
) -> None:
    kit.recipe(
        "r",
        hooks=f"def preprocess(i): return {{'return': 0, 'version': {preprocess!r}}}\n"
        f"def postprocess(i): return {{'return': 0, 'version': {postprocess!r}}}\n",
        default_version="1.0",
        versions={"1.0": {"env": {"CM_V": "one"}}},
        new_env_keys=["CM_V"],
    )
    made = execution_of(kit, "r").make_here()
    assert made.version == version and made.new_env == {"CM_V": "one"}


def test_tags_for_the_cache_come_from_both_hooks_once_and_only_the_last_version(kit: Kit) -> None:
    kit.recipe(
        "r",
        hooks="def preprocess(i): return {'return': 0, 'version': '1', 'add_extra_cache_tags': ['a', 'b']}\n"
        "def postprocess(i): return {'return': 0, 'version': '2', 'add_extra_cache_tags': ['b', 'c']}\n",
    )
    execution = execution_of(kit, "r")
    execution.tag(["first", "first"])
    execution.make_here()
    assert execution.tags == ["first", "a", "b", "version-2", "c"]


def test_variables_are_copied_under_another_beginning_for_the_script(kit: Kit) -> None:
    kit.recipe(
        "r",
        env={"CM_OLD_A": "1", "CM_OTHER": "2"},
        env_key_mappings={"CM_OLD_": "CM_NEW_"},
        run="echo CM_GOT=$CM_NEW_A$CM_OLD_A > tmp-run-env.out\n",
        new_env_keys=["CM_GOT"],
    )
    assert execution_of(kit, "r").make_here().new_env == {"CM_GOT": "11"}


def test_the_requirement_for_pip_is_made_of_the_version_limits(kit: Kit) -> None:
    kit.recipe("r", new_env_keys=["CM_TMP_PIP_VERSION_STRING"])
    made = execution_of(kit, "r", version_min="1.2").make_here()
    assert made.new_env == {"CM_TMP_PIP_VERSION_STRING": ">=1.2"}


def test_the_environment_is_printed_where_asked_without_secrets(kit: Kit) -> None:
    kit.recipe("r", env={"CM_SEEN": "yes", "CM_API_TOKEN": "hunter2"})
    execution_of(kit, "r", print_env=True, v=True).make_here()
    told = "\n".join(kit.console.noted)
    assert '"CM_SEEN": "yes"' in told and "hunter2" not in told and "CM_API_TOKEN" in told


def test_the_key_of_a_variable_has_the_prefix_of_the_tool(kit: Kit) -> None:
    kit.recipe("r")
    execution = execution_of(kit, "r")
    assert isinstance(execution, Execution) and execution.key("A") == "CM_A"
