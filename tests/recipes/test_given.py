"""A hook finds in `i` every name that the tools put there, with the tools' types.

Source: the records of compare.py --real with cmind 4.2.0 (engine of cm4mlops at 3a601227) and mlcflow 1.3.8.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from assay.recipes.actions.dispatch import perform
from assay.recipes.contract.argv import parse as parse_words
from assay.recipes.contract.mlc import MLC
from assay.recipes.contract.mlc_argv import parse
from assay.recipes.home.repositories import Home
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context

from ..differential.probe import PROBE, read_records
from .conftest import Kit

IN_BOTH = """
path str; bat_ext str; os_info dict; const dict; state dict; const_state dict; reuse_cached bool; recursion bool;
recursion_spaces str; remembered_selections list; tmp_file_run_state str; tmp_file_run_env str; tmp_file_state str;
tmp_file_run str; local_env_keys list; local_env_keys_from_meta list; posthook_deps list; add_deps_recursive dict;
found_script_tags list; variation_tags_string str; found_cached bool; debug_script_tags str; meta dict; self object;
customize_code module; customize_common_input dict; run_state dict
"""
STATE_OF_BOTH = """
fake_deps bool; parent NoneType; version_info list; script_id str; script_tags list; script_variation_tags list;
script_repo_alias str; script_repo_git bool; variation_groups dict; script_entry_repo_to_report_errors str;
script_entry_repo_alias str; script_entry_repo_git bool; deps list; update_meta_if_env list
"""
STATE_OF_MLC = """
full_deps list; cache bool; cache_expiration bool; docker dict; new_env_keys list; new_state_keys list;
prehook_deps list; posthook_deps list; post_deps list; remote_run dict; apptainer dict; file_path_env_keys list;
folder_path_env_keys list; input_mapping dict
"""
GIVEN = """
input dict; automation object; artifact object; customize dict; os_info dict; recursion_spaces str; script_tags list;
variation_tags list; env dict; state dict; meta dict; run_script_input dict
"""


def types(*texts: str) -> dict[str, list[str]]:
    pairs = [pair.split() for text in texts for pair in text.split(";") if pair.strip()]
    return {name: [kind] for name, kind in pairs}


def below(given: dict[str, list[str]], place: str) -> dict[str, list[str]]:
    """The names directly below a place, with their types."""
    start = place + "."
    names = {key.removeprefix(start): kinds for key, kinds in given.items() if key.startswith(start)}
    return {name: kinds for name, kinds in names.items() if not {".", "["} & set(name)}


def recorded(folder: Path) -> dict[tuple[str, str], Any]:
    return {(one.recipe, one.hook): one for one in read_records((folder / "records").read_text())}


def test_a_hook_of_cm_gets_every_name_that_cm_gives(kit: Kit, tmp_path: Path) -> None:
    context = kit.context()
    context.host_env["HOOK_RECORDS"] = str(tmp_path / "records")
    kit.recipe("leaf", PROBE, "true\n")
    kit.recipe("root", PROBE, "true\n", deps=[{"tags": "leaf"}], variations={"v": {"group": "g"}, "w": {}})
    perform(context, parse_words(["run", "script", "--tags=root,_v,_w", "--user_python", "--size=1"]))
    hooks = recorded(tmp_path)
    given = hooks["root", "preprocess"].given
    assert below(given, "i") == types(GIVEN)
    assert below(given, "i.run_script_input") == types(IN_BOTH, "verbose bool")
    assert below(given, "i.run_script_input.run_state") == types(STATE_OF_BOTH, "default_version str")
    after = hooks["root", "postprocess"].given
    assert below(after, "i.run_script_input") == types(IN_BOTH, "verbose bool; env dict")
    nested = hooks["leaf", "preprocess"].given
    assert below(nested, "i.input") == types(
        "action str; automation str; tags str; recursion bool; recursion_spaces str; remembered_selections list;"
        "env dict; state dict; const dict; const_state dict; local_env dict; local_state dict; local_const dict;"
        "local_const_state dict; add_deps_recursive dict; debug_script_tags str; verbose bool; silent bool; time bool;"
        "run_state dict; parsed_automation list"
    )
    assert given["i.run_script_input.run_state.version_info[].leaf"] == ["dict"]


def test_run_state_tells_the_recipe_its_variations_and_its_caller(kit: Kit) -> None:
    hooks = "import json\ndef preprocess(i):\n    s = i['run_script_input']['run_state']\n" + (
        "    json.dump({k: s[k] for k in ('script_id', 'script_variation_tags', 'parent', 'script_entry_repo_alias')},"
        " open(s['script_tags'][0], 'w'))\n    return {'return': 0}\n"
    )
    kit.recipe("leaf", hooks)
    kit.recipe("root", hooks, deps=[{"tags": "leaf"}], variations={"v": {"base": ["w"]}, "w": {}})
    kit.run("root,_v")
    entry = {"script_entry_repo_alias": "tests@small"}
    root = "root,0000000000000002"
    assert json.loads(Path("root").read_text()) == entry | {
        "script_id": root,
        "script_variation_tags": ["v"],
        "parent": None,
    }
    assert json.loads(Path("leaf").read_text()) == entry | {
        "script_id": "leaf,0000000000000001",
        "script_variation_tags": [],
        "parent": f"{root} ( v )",
    }


def test_a_hook_of_mlc_gets_every_name_that_mlc_gives(tmp_path: Path, monkeypatch: Any) -> None:
    home = Home(tmp_path / "mlc", MLC)
    folder = home.folder / "tests@small" / "script" / "root"
    folder.mkdir(parents=True)
    (folder.parents[1] / "meta.yaml").write_text("alias: tests@small\nuid: 00000000000000aa\n")
    (folder / "meta.yaml").write_text("alias: root\nuid: '0000000000000001'\ntags: [root, one]\n")
    (folder / "customize.py").write_text(PROBE)
    home.register(folder.parents[1])
    monkeypatch.chdir(tmp_path)
    environ = {"PATH": os.environ["PATH"], "HOOK_RECORDS": str(tmp_path / "records")}
    perform(
        Context(home, Quiet(), environ),
        parse(["run", "script", "root,one", "--user_python"], interactive=False),
    )
    hooks = recorded(tmp_path)
    given = hooks["root", "preprocess"].given
    assert below(given, "i") == types(GIVEN)
    assert below(given, "i.run_script_input") == types(IN_BOTH)
    assert below(given, "i.run_script_input.run_state") == types(STATE_OF_BOTH, STATE_OF_MLC)
    assert below(hooks["root", "postprocess"].given, "i") == types(GIVEN, "const dict; const_state dict")
    assert {"MLC_HOST_OS_TYPE", "MLC_HOST_PLATFORM_FLAVOR"} <= below(given, "i.os_info.env").keys()
    assert hooks["root", "preprocess"].env["MLC_HOST_OS_TYPE"] == "linux"
    assert "docker" not in hooks["root", "preprocess"].state


def test_a_hook_of_a_run_with_repro_is_told_where_the_records_go(kit: Kit) -> None:
    hook = (
        "def preprocess(i):\n"
        "    i['env']['CM_WHERE'] = i['run_script_input'].get('repro_prefix', 'none')\n"
        "    return {'return': 0}\n"
    )
    kit.recipe("leaf", hook.replace("CM_WHERE", "CM_LEAF"), new_env_keys=["CM_LEAF"])
    kit.recipe("root", hook, deps=[{"tags": "leaf"}], new_env_keys=["CM_WHERE", "CM_LEAF"])
    answer = kit.run("root", "--repro")["new_env"]
    assert answer == {"CM_WHERE": str(Path.cwd() / "cm-repro" / "cm-run-script"), "CM_LEAF": "none"}
    assert kit.run("root")["new_env"]["CM_WHERE"] == "none"
