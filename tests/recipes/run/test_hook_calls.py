"""The hooks of one recipe: what each is given, and that the lists in it are the ones that count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.recipes.errors import RecipeFailed
from assay.recipes.run.hook_calls import HookCalls
from tests.recipes.conftest import Kit
from tests.recipes.run.parts import Below, execution_of

HANDS_BACK = """
def given(i, name): return {"return": 0, "name": name, "given": i}
def preprocess(i): return given(i, "preprocess")
def postprocess(i): return given(i, "postprocess")
def detect_version(i): return given(i, "detect_version")
"""


def hooks_of(kit: Kit, tags: str = "r", **more: Any) -> HookCalls:
    calls = execution_of(kit, tags, **more).hooks
    calls.load()
    return calls


def mlc_recipe(kit: Kit, alias: str, **more: Any) -> None:
    folder = kit.recipe(alias, **more)
    (folder / "_cm.json").rename(folder / "meta.json")


def test_a_recipe_without_hooks_has_a_step_all_the_same(kit: Kit) -> None:
    kit.recipe("r")
    calls = hooks_of(kit)
    assert not calls.has("preprocess")
    assert calls.step["path"] == str(kit.repository / "script/r")
    assert "customize_code" not in calls.step


def test_before_they_are_loaded_there_are_none(kit: Kit) -> None:
    kit.recipe("r", hooks=HANDS_BACK)
    assert not execution_of(kit, "r").hooks.has("preprocess")


@pytest.mark.parametrize("name", ["preprocess", "postprocess", "detect_version"])
def test_each_hook_gets_the_values_themselves(name: str, kit: Kit) -> None:
    kit.recipe("r", hooks=HANDS_BACK, customize={"a": 1}, variations={"v": {}})
    calls = hooks_of(kit, "r,_v")
    answer = calls.run(name)
    given = answer["given"]
    assert answer["name"] == name
    assert given["env"] is calls.resolved.env and given["state"] is calls.resolved.state
    assert given["meta"] is calls.recipe.meta and given["customize"] == {"a": 1}
    assert (given["script_tags"], given["variation_tags"]) == (["r"], ["v"])
    assert ("run_script_input" in given) is (name != "detect_version")
    assert "const" not in given  # MLC's postprocess alone


def test_the_postprocess_of_mlc_gets_the_constants(mlc: Kit) -> None:
    mlc_recipe(mlc, "r", hooks=HANDS_BACK)
    calls = hooks_of(mlc)
    assert calls.run("postprocess")["given"]["const"] is calls.resolved.const
    assert "const" not in calls.run("preprocess")["given"]


def test_lists_of_the_description_are_those_that_the_run_goes_by(kit: Kit) -> None:
    kit.recipe(
        "r",
        hooks="def preprocess(i):\n"
        "    i['meta']['post_deps'].append({'tags': 'late'})\n"
        "    i['run_script_input']['meta']['new_env_keys'].append('CM_LATE')\n"
        "    i['env']['CM_LATE'] = '1'\n",
        post_deps=[],
        new_env_keys=["CM_X"],
    )
    below = Below()
    made = execution_of(kit, "r", below).make_here()
    assert below.asked == ["late"] and made.new_env == {"CM_LATE": "1"}


def test_the_step_tells_depth_cache_tags_and_the_name_of_the_script(kit: Kit) -> None:
    kit.recipe("r", variations={"v": {"script_name": "other"}}, local_env_keys=["CM_L"])
    step = hooks_of(kit, "r,_v", depth=1, debug_script_tags="r").step
    assert (step["recursion"], step["recursion_spaces"]) == (True, "  ")
    assert step["meta"]["script_name"] == "other" and step["variation_tags_string"] == "_v"
    assert step["local_env_keys_from_meta"] == ["CM_L"] and step["debug_script_tags"] == "r"
    assert (step["reuse_cached"], step["found_cached"]) == (False, False)
    assert step["self"].cmind.access("x") == {"return": 0, "asked": "x"}
    top = hooks_of(kit, "r").step
    assert top["recursion"] is False and "script_name" not in top["meta"]


@pytest.mark.parametrize(
    ("flags", "name", "value"),
    [
        ({"v": True}, "verbose", True),
        ({}, "verbose", False),
        ({"ignore_script_error": True}, "ignore_script_error", True),
        ({"repro": True, "repro_dir": "there"}, "repro_prefix", "there/cm-run-script"),
    ],
)
def test_flags_of_the_request_are_in_the_step(flags: Any, name: str, value: Any, kit: Kit) -> None:
    kit.recipe("r")
    found = hooks_of(kit, **flags).step[name]
    assert found == (str(Path.cwd() / value) if name == "repro_prefix" else value)


@pytest.mark.parametrize("absent", ["ignore_script_error", "repro_prefix"])
def test_flags_that_were_not_given_are_not(absent: str, kit: Kit) -> None:
    kit.recipe("r")
    assert absent not in hooks_of(kit).step


def test_a_dependency_writes_no_records_of_repro(kit: Kit) -> None:
    kit.recipe("r")
    assert "repro_prefix" not in hooks_of(kit, repro=True, depth=1).step


def test_the_writer_of_a_value_is_named_and_a_failing_hook_too(kit: Kit) -> None:
    kit.recipe("r", hooks="def preprocess(i):\n    i['env']['CM_A'] = '1'\n    raise ValueError('no')\n")
    calls = hooks_of(kit)
    with pytest.raises(RecipeFailed, match="raised ValueError: no"):
        calls.run("preprocess")
    assert calls.resolved.env.origin["CM_A"] == "preprocess of r"


@pytest.mark.parametrize(
    "taken", ["i.pop('state'); i.pop('env')", "i['state'] = i['env'] = None", "i.clear()"]
)
def test_a_hook_may_take_the_values_out_of_its_own_dictionary(kit: Kit, taken: str) -> None:
    kit.recipe("r", hooks=f"def preprocess(i): {taken}; return {{'return': 0}}\n")
    assert kit.run("r")["return"] == 0


def test_a_state_that_cannot_be_kept_is_refused_though_the_hook_took_it_out(kit: Kit) -> None:
    kit.recipe("r", hooks="def preprocess(i): s = i.pop('state'); s['me'] = s; return {'return': 0}\n")
    with pytest.raises(RecipeFailed, match="left what cannot be kept"):
        kit.run("r")


# ---------------------------------------------------------------------- predeps


PREDEPS = "def predeps(i): i['env']['MLC_EARLY'] = 'x'\ndef preprocess(i): pass\n"


def test_a_hook_before_the_dependencies_is_mlcs_alone(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("r", hooks=PREDEPS)
    calls = execution_of(kit, "r").hooks
    calls.predeps()
    assert "MLC_EARLY" not in calls.resolved.env


@pytest.mark.parametrize(
    ("meta", "hooks", "is_called"),
    [
        ({}, PREDEPS, True),
        ({"predeps": False}, PREDEPS, False),
        ({}, "def preprocess(i): pass\n", False),
        ({}, "", False),
    ],
)
def test_it_is_called_where_the_file_has_one_and_the_recipe_does_not_forbid_it(
    meta: Any, hooks: str, is_called: bool, mlc: Kit
) -> None:
    mlc_recipe(mlc, "r", hooks=hooks, env={"MLC_LATE": "<<<MLC_EARLY>>>"}, **meta)
    calls = execution_of(mlc, "r").hooks
    calls.predeps()
    assert calls.resolved.env.get("MLC_EARLY") == ("x" if is_called else None)
    if is_called:
        assert calls.resolved.env["MLC_LATE"] == "x"  # filled in before the dependencies
