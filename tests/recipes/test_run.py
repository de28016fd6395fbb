"""Runs of small recipes, one rule each."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from assay.recipes.actions.dispatch import perform
from assay.recipes.contract.argv import parse
from assay.recipes.errors import RecipeFailed, RecipeFault, RecipeNotFound

from .conftest import Kit

TRAIL = """
def note(i, word):
    i["state"].setdefault("trail", []).append(word)
    return {"return": 0}
def preprocess(i):
    return note(i, "preprocess")
def postprocess(i):
    return note(i, "postprocess")
"""


def trail_hook(word: str) -> str:
    return f"def preprocess(i):\n    i['state'].setdefault('trail', []).append('{word}')\n    return {{'return': 0}}\n"


def test_phases_run_in_cms_order(kit: Kit) -> None:
    for word in ("before", "pre", "posthook", "post"):
        kit.recipe(f"one-{word}", hooks=trail_hook(word), new_state_keys=["trail"])
    kit.recipe(
        "whole",
        hooks=TRAIL,
        run='echo \'{"trail": ["script"]}\' > tmp-run-state.json\n',
        new_state_keys=["trail"],
        deps=[{"tags": "one,before"}],
        prehook_deps=[{"tags": "one,pre"}],
        posthook_deps=[{"tags": "one,posthook"}],
        post_deps=[{"tags": "one,post"}],
    )
    trail = kit.run("whole")["new_state"]["trail"]
    first_seen = list(dict.fromkeys(trail))
    assert first_seen == ["before", "preprocess", "pre", "script", "posthook", "postprocess", "post"]


def test_only_exported_variables_reach_the_caller(kit: Kit) -> None:
    kit.recipe("leaf", env={"CM_KEPT": "1", "CM_LOST": "2"}, new_env_keys=["CM_KEPT"])
    kit.recipe("root", deps=[{"tags": "leaf"}], new_env_keys=["CM_*"])
    assert kit.run("root")["new_env"] == {"CM_KEPT": "1", **_runner_keys(kit)}


def _runner_keys(kit: Kit) -> dict[str, str]:
    """What the runner itself sets and a recipe that exports CM_* hands back."""
    answer = kit.run("root")["new_env"]
    return {key: value for key, value in answer.items() if key.startswith("CM_TMP_")}


def test_the_command_line_wins_over_default_env_and_loses_to_env(kit: Kit) -> None:
    kit.recipe("r", default_env={"CM_D": "recipe"}, env={"CM_E": "recipe"}, new_env_keys=["CM_D", "CM_E"])
    answer = kit.run("r", "--env.CM_D=user", "--env.CM_E=user")
    assert answer["new_env"] == {"CM_D": "user", "CM_E": "recipe"}


def test_a_mapped_input_wins_over_env_and_const_over_everything(kit: Kit) -> None:
    kit.recipe(
        "r",
        env={"CM_A": "recipe", "CM_B": "recipe"},
        input_mapping={"a": "CM_A"},
        new_env_keys=["CM_A", "CM_B"],
    )
    assert kit.run("r", "--a=user", "--const.CM_B=c")["new_env"] == {"CM_A": "user", "CM_B": "c"}


def test_combinations_override_single_variations_whatever_the_order(kit: Kit) -> None:
    kit.recipe(
        "r",
        new_env_keys=["CM_X"],
        variations={
            "a": {"env": {"CM_X": "a"}},
            "b": {"env": {"CM_X": "b"}},
            "a,b": {"env": {"CM_X": "both"}},
        },
    )
    assert kit.run("r,_a,_b")["new_env"] == {"CM_X": "both"}
    assert kit.run("r,_b")["new_env"] == {"CM_X": "b"}


def test_the_suffix_of_a_dynamic_variation_replaces_the_hash(kit: Kit) -> None:
    kit.recipe("r", new_env_keys=["CM_*"], variations={"n.#": {"env": {"CM_N": "v#"}}})
    assert kit.run("r,_n.1.2")["new_env"]["CM_N"] == "v1.2"


def test_two_values_of_one_dynamic_variation_are_both_applied(kit: Kit) -> None:
    kit.recipe("leaf", new_env_keys=["CM_GOT"], variations={"n.#": {"env": {"CM_GOT": "#"}}})
    kit.recipe("r", new_env_keys=["+CM_L"], variations={"n.#": {"env": {"CM_N_#": "1", "CM_LAST": "#"}}})
    assert kit.run("r,_n.a,_n.b")["env"].get("CM_LAST") is None
    assert kit.run("leaf,_n.a,_n.b")["new_env"] == {"CM_GOT": "b"}


def test_adr_reaches_named_dependencies_in_the_order_given(kit: Kit) -> None:
    kit.recipe("leaf", new_env_keys=["CM_LEAF"], variations={n: {"env": {"CM_LEAF": n}} for n in "abcde"})
    kit.recipe("middle", deps=[{"tags": "leaf", "names": ["x"]}], new_env_keys=["CM_LEAF"])
    kit.recipe("root", deps=[{"tags": "middle"}], new_env_keys=["CM_LEAF"])
    assert kit.run("root", "--adr.x.tags=_e,_d,_c,_b,_a")["new_env"] == {"CM_LEAF": "a"}


def test_ad_with_a_name_that_no_list_has_is_error_1(kit: Kit) -> None:
    kit.recipe("leaf")
    kit.recipe("root", deps=[{"tags": "leaf", "names": ["x"]}])
    with pytest.raises(RecipeFault, match="y is not one of the dependency names") as caught:
        kit.run("root", "--ad.y.tags=_a")
    assert caught.value.code == 1


SEES = "def preprocess(i):\n    i['env']['CM_SEEN'] = i['env'].get('CM_VERSION', 'nothing')\n    return {'return': 0}\n"


@pytest.mark.parametrize("flags", [[], ["--fake_deps"]])
def test_local_variables_are_hidden_from_dependencies_and_given_back(kit: Kit, flags: list[str]) -> None:
    kit.recipe("leaf", hooks=SEES, new_env_keys=["CM_SEEN"])
    kit.recipe("root", deps=[{"tags": "leaf"}], new_env_keys=["CM_SEEN", "CM_VERSION"])
    seen = {} if flags else {"CM_SEEN": "nothing"}
    assert kit.run("root", "--version=7", *flags)["new_env"] == {**seen, "CM_VERSION": "7"}


def test_a_dependency_with_reuse_version_sees_the_version(kit: Kit) -> None:
    kit.recipe("leaf", hooks=SEES, new_env_keys=["CM_SEEN"])
    kit.recipe("root", deps=[{"tags": "leaf", "reuse_version": True}], new_env_keys=["CM_SEEN"])
    assert kit.run("root", "--version=7")["new_env"] == {"CM_SEEN": "7"}


def test_tags_from_variables_and_inherited_variations_complete_a_dependency(kit: Kit) -> None:
    kit.recipe(
        "leaf", new_env_keys=["CM_*"], variations={"p1": {"env": {"CM_P": "1"}}, "v": {"env": {"CM_V": "1"}}}
    )
    entry = {
        "tags": "leaf",
        "update_tags_from_env_with_prefix": {"_p": ["CM_N"]},
        "inherit_variation_tags": True,
    }
    kit.recipe("root", deps=[entry], env={"CM_N": "1"}, variations={"v": {}}, new_env_keys=["CM_P", "CM_V"])
    answer = kit.run("root,_v")
    assert answer["new_env"] == {"CM_P": "1", "CM_V": "1"}
    assert answer["deps"] == ["leaf,_p1,_v"]


def test_values_of_a_script_may_hold_further_equal_signs(kit: Kit) -> None:
    kit.recipe("r", run="echo 'CM_A=b=c' > tmp-run-env.out\n", new_env_keys=["CM_A"])
    assert kit.run("r")["new_env"] == {"CM_A": "b=c"}


def test_a_failing_script_names_itself_and_its_status(kit: Kit) -> None:
    kit.recipe("r", run="exit 3\n")
    with pytest.raises(RecipeFailed, match=r"name = r, exit 3") as caught:
        kit.run("r")
    assert caught.value.code == 2


def test_a_hook_gives_its_own_number_and_words(kit: Kit) -> None:
    kit.recipe("r", hooks="def preprocess(i):\n    return {'return': 7, 'error': 'no luck'}\n")
    with pytest.raises(RecipeFailed, match="no luck") as caught:
        kit.run("r")
    assert caught.value.code == 7


def test_a_hook_that_raises_is_named_with_its_line(kit: Kit) -> None:
    kit.recipe("r", hooks="def preprocess(i):\n    x = 1\n    return {}['gone']\n")
    with pytest.raises(
        RecipeFailed, match=r"preprocess in .*customize.py raised KeyError: 'gone' \(line 3\)"
    ):
        kit.run("r")


def test_sys_exit_in_a_hook_does_not_end_the_runner(kit: Kit) -> None:
    kit.recipe("r", hooks="import sys\ndef preprocess(i):\n    sys.exit(5)\n")
    with pytest.raises(RecipeFailed) as caught:
        kit.run("r")
    assert caught.value.code == 5


def test_folder_environment_and_path_are_the_same_after_a_hook(kit: Kit) -> None:
    kit.recipe(
        "r",
        hooks="import os, sys\ndef preprocess(i):\n    os.chdir('/')\n    os.environ['LEAK'] = '1'\n"
        "    sys.path.insert(0, '/leak')\n    return {'return': 0}\n",
    )
    before = (Path.cwd(), dict(os.environ), list(sys.path))
    kit.run("r")
    assert (Path.cwd(), dict(os.environ), list(sys.path)) == before


def test_a_folder_that_one_hook_puts_on_the_path_is_there_for_the_next_recipe(
    kit: Kit, tmp_path: Path
) -> None:
    (tmp_path / "brought_along.py").write_text("VALUE = 'here'\n")
    kit.recipe(
        "leaf",
        hooks=f"import sys\ndef postprocess(i):\n    sys.path.append({str(tmp_path)!r})\n    return {{'return': 0}}\n",
    )
    hooks = (
        "import brought_along\ndef preprocess(i):\n"
        "    i['env']['CM_V'] = brought_along.VALUE\n    return {'return': 0}\n"
    )
    kit.recipe("root", hooks=hooks, deps=[{"tags": "leaf"}], new_env_keys=["CM_V"])
    assert kit.run("root")["new_env"] == {"CM_V": "here"}


def test_hooks_reach_other_actions_through_the_modules_they_know(kit: Kit) -> None:
    kit.recipe("leaf", env={"CM_L": "1"}, new_env_keys=["CM_L"])
    hooks = (
        "import cmind\nfrom cmind import utils\n"
        "def preprocess(i):\n"
        "    r = i['automation'].cmind.access({'action': 'run', 'automation': 'script', 'tags': 'leaf'})\n"
        "    assert r['return'] == 0, r\n"
        "    assert len(cmind.access({'action': 'find', 'automation': 'script', 'tags': 'leaf'})['list']) == 1\n"
        "    assert utils.gen_uid()['return'] == 0\n"
        "    i['env']['CM_R'] = r['new_env']['CM_L']\n"
        "    return {'return': 0}\n"
    )
    kit.recipe("root", hooks=hooks, new_env_keys=["CM_R"])
    assert kit.run("root")["new_env"] == {"CM_R": "1"}


def test_a_skipped_recipe_leaves_the_runner_where_it_was(kit: Kit) -> None:
    kit.recipe(
        "leaf",
        cache=True,
        hooks="def preprocess(i):\n    i['env']['CM_LEAK'] = '1'\n    return {'return': 0, 'skip': True}\n",
    )
    kit.recipe("root", deps=[{"tags": "leaf"}], run="pwd > where\n", new_env_keys=["CM_LEAK"])
    answer = kit.run("root")
    assert answer["new_env"] == {}
    assert Path("where").read_text().strip() == str(Path.cwd())
    assert kit.entries() == []


def test_false_words_switch_the_runners_flags_off_and_strict_reads_them_as_cm(kit: Kit) -> None:
    kit.recipe("r", run="echo CM_RAN=1 > tmp-run-env.out\n", new_env_keys=["CM_RAN"])
    assert kit.run("r", "--fake_run=False")["new_env"] == {"CM_RAN": "1"}
    assert kit.run("r", "--fake_run=False", "--compat=strict")["new_env"] == {}


def test_an_unknown_variation_is_named_with_the_nearest(kit: Kit) -> None:
    kit.recipe("r", variations={"pytorch": {}, "onnx": {}})
    with pytest.raises(RecipeNotFound, match="r has no _pytorh") as caught:
        kit.run("r,_onnx,_pytorh")
    assert caught.value.code == 16
    assert "did you mean _pytorch?" in caught.value.hint


def test_an_unknown_tag_is_named_with_the_nearest(kit: Kit) -> None:
    kit.recipe("get-python3")
    with pytest.raises(RecipeNotFound) as caught:
        kit.run("get,pyton3")
    assert caught.value.code == 1
    assert "pyton3: did you mean python3" in caught.value.hint


def test_a_choice_without_anybody_to_choose_is_an_error_and_quiet_takes_the_first(kit: Kit) -> None:
    kit.recipe("a", tags=["same"], env={"CM_W": "a"}, new_env_keys=["CM_W"])
    kit.recipe("b", tags=["same"], env={"CM_W": "b"}, new_env_keys=["CM_W"], sort=-1)
    with pytest.raises(RecipeFault, match="nobody to choose"):
        kit.run("same")
    assert kit.run("same", "--quiet")["new_env"] == {"CM_W": "b"}
    kit.console.answers = ["1"]
    assert kit.run("same")["new_env"] == {"CM_W": "a"}


def test_the_seen_versions_are_written_where_cm_writes_them(kit: Kit) -> None:
    kit.recipe("leaf")
    kit.recipe("root", deps=[{"tags": "leaf"}])
    kit.run("root", "--dump_version_info=True", "--print_deps")
    names = [next(iter(record)) for record in json.loads(Path("version_info.json").read_text())]
    assert names == ["leaf", "root"]


def test_a_folder_that_cannot_be_written_is_refused_first(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    kit.recipe("r")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(RecipeFault, match="cannot be written"):
        kit.run("r")


def test_sudo_is_refused_unless_allowed(kit: Kit) -> None:
    kit.recipe("r", run="command -v sudo > which\n")
    kit.run("r")
    assert Path("which").read_text().strip() == str(kit.home.work / "sudo" / "sudo")


def test_a_failing_dependency_that_may_fail_does_not_end_the_run(kit: Kit) -> None:
    kit.recipe("leaf", run="exit 1\n")
    kit.recipe(
        "root", deps=[{"tags": "leaf", "continue_on_error": True}], env={"CM_R": "1"}, new_env_keys=["CM_R"]
    )
    assert kit.run("root")["new_env"] == {"CM_R": "1"}


def test_a_git_address_takes_the_token_or_ssh_form_when_access_is_authorised(kit: Kit) -> None:
    kit.recipe("r", env={"CM_GIT_URL": "https://host/o/n", "CM_GIT_AUTH": "yes"}, new_env_keys=["CM_GIT_URL"])
    assert kit.run("r", "--gh_token=T")["new_env"] == {"CM_GIT_URL": "https://git:T@host/o/n"}
    assert kit.run("r", "--git_ssh=yes")["new_env"] == {"CM_GIT_URL": "git@host:o/n"}


def test_pip_of_recipes_has_a_python_of_the_home_that_sees_the_users_packages(kit: Kit) -> None:
    script = (
        "echo CM_P=$(command -v python3) > tmp-run-env.out\necho CM_PIP=$(command -v pip) >> tmp-run-env.out\n"
        'pip3 --version && python3 -c "import pip"\n'
    )
    kit.recipe("r", run=script, new_env_keys=["CM_P", "CM_PIP"])
    answer = kit.perform(["run", "script", "--tags=r"])
    folder = kit.home.root / "python" / "bin"
    assert answer["new_env"] == {"CM_P": str(folder / "python3"), "CM_PIP": str(folder / "pip")}
    assert kit.run("r")["new_env"]["CM_P"] != answer["new_env"]["CM_P"]


def test_pip_is_there_where_the_users_python_has_none(kit: Kit, tmp_path: Path) -> None:
    """A `python3` that makes environments which see no packages of its own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    bare = folder / "python3"
    bare.write_text(f'#!/bin/bash\nexec {sys.executable} -I -S "${{@/--system-site-packages/--copies}}"\n')
    bare.chmod(0o755)
    kit.recipe("r", run="python3 -m pip --version > out && pip --version >> out\n")
    context = kit.context()
    context.host_env["PATH"] = f"{folder}:{os.environ['PATH']}"
    perform(context, parse(["run", "script", "--tags=r"]))
    assert [line.split()[0] for line in Path("out").read_text().splitlines()] == ["pip", "pip"]


def test_working_files_are_gone_after_a_run_unless_dirty_was_asked_for(kit: Kit) -> None:
    kit.recipe("r", run="echo x > tmp-own.out\necho CM_A=1 > tmp-run-env.out\n", clean_files=["tmp-own.out"])
    kit.run("r")
    assert list(Path.cwd().iterdir()) == []
    kit.run("r", "--dirty")
    assert {"tmp-own.out", "tmp-run.sh"} <= {path.name for path in Path.cwd().iterdir()}


NASTY = ["$(touch pwned)", "`touch pwned`", "a'; touch pwned; '", 'a"; touch pwned; "', "a\nb", "a b"]


@pytest.mark.parametrize("text", NASTY)
def test_no_tag_variation_version_or_variable_runs_a_command(kit: Kit, text: str) -> None:
    hooks = "def postprocess(i):\n    i['env']['CM_SEEN'] = open('seen').read()\n    return {'return': 0}\n"
    script = 'printf "%s|%s|%s" "$CM_N" "$CM_VERSION" "$CM_E" > seen\n'
    kit.recipe("r", hooks, script, variations={"n.#": {"env": {"CM_N": "#"}}}, new_env_keys=["CM_SEEN"])
    answer = kit.run(f"r,_n.{text}", f"--version={text}", f"--env.CM_E={text}")
    assert answer["new_env"]["CM_SEEN"] == f"{text}|{text}|{text}"
    with pytest.raises(RecipeFault):
        kit.run(f"r,{text}")
    assert not list(kit.root.rglob("pwned"))


@pytest.mark.parametrize("name", NASTY)
def test_no_name_of_a_folder_runs_a_command(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / name
    root.mkdir()
    monkeypatch.chdir(root)
    kit = Kit(root)
    kit.recipe("r", cache=True, run="echo CM_AT=here > tmp-run-env.out\n", new_env_keys=["CM_AT"])
    assert kit.run("r")["new_env"] == {"CM_AT": "here"}
    assert kit.run("r")["new_env"] == {"CM_AT": "here"}
    assert not list(tmp_path.rglob("pwned"))


def test_a_tag_that_is_a_number_counts_as_its_text(kit: Kit) -> None:
    kit.recipe("r", tags=["r", 28], env={"CM_R": "1"}, new_env_keys=["CM_R"])
    assert kit.run("r,28")["new_env"] == {"CM_R": "1"}


def test_a_skipped_recipe_is_not_among_the_versions_that_a_hook_sees(kit: Kit) -> None:
    kit.recipe("gone", hooks="def preprocess(i):\n    return {'return': 0, 'skip': True}\n")
    kit.recipe("done")
    see = (
        "def preprocess(i):\n"
        "    told = i['run_script_input']['run_state']['version_info']\n"
        "    i['env']['CM_TOLD'] = ','.join(key for one in told for key in one)\n"
        "    return {'return': 0}\n"
    )
    kit.recipe("root", hooks=see, deps=[{"tags": "gone"}, {"tags": "done"}], new_env_keys=["CM_TOLD"])
    assert kit.run("root")["new_env"] == {"CM_TOLD": "done"}
