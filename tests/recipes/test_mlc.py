"""The same recipes in MLC's spelling."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions.dispatch import perform
from assay.recipes.contract.mlc import MLC
from assay.recipes.contract.mlc_argv import parse
from assay.recipes.errors import RecipeFault
from assay.recipes.home.repositories import Home
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context

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


def add(home: Home, alias: str, hooks: str = "", **meta: Any) -> Path:
    """A recipe whose only tag is its name."""
    folder = home.folder / "tests@small" / "script" / alias
    folder.mkdir(parents=True)
    description = {"alias": alias, "uid": f"{alias:0>16}", "tags": [alias], **meta}
    (folder / "meta.yaml").write_text(json.dumps(description))
    if hooks:
        (folder / "customize.py").write_text(hooks)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "mlc", MLC)
    repository = home.folder / "tests@small"
    add(home, "leaf", new_env_keys=["MLC_LEAF"], env={"MLC_LEAF": "1"})
    add(
        home,
        "root",
        HOOKS,
        cache=True,
        deps=[{"tags": "leaf", "enable_if_env": {"MLC_BEFORE": ["yes"]}}],
        new_env_keys=["MLC_LEAF", "MLC_X"],
        const={"MLC_X": "const"},
        variations={"v": {"base": ["b"], "env": {"MLC_X": "v"}}, "b": {"env": {"MLC_X": "b"}}},
    )
    (repository / "meta.yaml").write_text("alias: tests@small\nuid: 00000000000000aa\n")
    home.register(repository)
    monkeypatch.chdir(tmp_path)
    return home


def run(home: Home, tags: str, *flags: str) -> dict[str, object]:
    inputs = parse(["run", "script", tags, "--user_python", *flags], interactive=False)
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


@pytest.mark.parametrize(
    ("tags", "flags", "hours"),
    [
        ("plain,", ["--cache_expiration=5h"], 5),
        ("lasts,", [], 2),
        ("lasts,", ["--cache_expiration=5h"], 2),
        ("lasts,_long", ["--cache_expiration=5h"], 10),
        ("plain,_long", ["--cache_expiration=5h"], 10),
        ("heir,", [], 3),
    ],
)
def test_the_recipe_and_then_the_variation_decide_when_an_entry_expires(
    home: Home, tags: str, flags: list[str], hours: int
) -> None:
    long = {"long": {"cache_expiration": "10h"}}
    add(home, "plain", cache=True, variations=long)
    add(home, "lasts", cache=True, variations=long, cache_expiration="2h")
    add(
        home,
        "heir",
        cache_expiration="3h",
        deps=[{"tags": "plain", "inherit_cache_expiration": True}],
    )
    now = time.time()
    run(home, tags, *flags)
    (entry,) = home.cache.iterdir()
    expiry = json.loads((entry / "meta.json").read_text())["cache_expiration"]
    assert expiry - now == pytest.approx(hours * 3600, abs=60)


def test_lists_and_conditions_of_a_recipe_and_the_cache_key_of_a_variation_count(home: Home) -> None:
    when = [{"enable_if_env": {"MLC_BIG": ["yes"]}, "env": {"MLC_SIZE": "big"}, "const": {"MLC_C": "1"}}]
    add(
        home,
        "all",
        env={"MLC_LIST": ["a"], "MLC_SIZE": "small"},
        update_meta_if_env=when,
        new_env_keys=["MLC_LIST", "MLC_SIZE", "MLC_C", "MLC_BOTH"],
        variations={
            "v": {"env": {"MLC_LIST": ["a", "b"]}, "cache": True},
            "n.#": {},
            "n.#,v": {"env": {"MLC_BOTH": "#"}},
        },
    )
    assert run(home, "all,") == {"MLC_LIST": ["a"], "MLC_SIZE": "small"}
    assert run(home, "all,", "--env.MLC_BIG=yes") == {"MLC_LIST": ["a"], "MLC_SIZE": "big", "MLC_C": "1"}
    assert not list(home.cache.glob("*"))
    assert run(home, "all,_v,_n.3") == {"MLC_LIST": ["a", "b"], "MLC_SIZE": "small", "MLC_BOTH": "3"}
    assert len(list(home.cache.iterdir())) == 1


def test_removing_nothing_is_no_error(home: Home) -> None:
    context = Context(home, Quiet(), {})
    assert perform(context, parse(["rm", "cache", "-f"], interactive=True)) == {"return": 0}


def test_the_list_of_repositories_names_local_too_where_mlc_looks_for_it(home: Home) -> None:
    listed = json.loads((home.root / "repos.json").read_text())
    assert listed == [str(home.local), str(home.folder / "tests@small")]


def test_a_version_is_also_the_variation_of_its_name(home: Home) -> None:
    blocks = {"version.#": {"env": {"MLC_V": "any #"}}, "version.2": {"env": {"MLC_V": "two"}}}
    add(home, "tool", variations=blocks, new_env_keys=["MLC_V"])
    assert run(home, "tool,") == {}
    assert run(home, "tool,", "--version=1.5") == {"MLC_V": "any 1.5"}
    assert run(home, "tool,", "--version=2") == {"MLC_V": "two"}


def test_a_dependency_gets_tags_under_a_condition_and_from_its_own_variables(home: Home) -> None:
    names = {name: {"env": {f"MLC_{name.upper()}": "1"}} for name in ("a", "b", "c", "d")}
    add(home, "lower", variations=names, new_env_keys=["MLC_A", "MLC_B", "MLC_C", "MLC_D"])
    entry = {
        "tags": "lower,_<<<MLC_LETTER>>>",
        "update_tags_if_env": {
            "_a": {"enable_if_env": {"MLC_BIG": ["yes"]}},
            "_b": {"skip_if_env": {"MLC_BIG": ["yes"]}},
        },
        "env": {"MLC_OWN": "_c"},
        "update_tags_from_env": ["MLC_OWN"],
    }
    add(home, "upper", deps=[entry], new_env_keys=["MLC_?"], env={"MLC_LETTER": "d"})
    assert run(home, "upper,", "--env.MLC_BIG=yes") == {"MLC_A": "1", "MLC_C": "1", "MLC_D": "1"}


def test_an_input_that_is_a_path_is_made_absolute_where_the_user_stands(home: Home, tmp_path: Path) -> None:
    described = {"out": {"is_path": True}, "name": {"desc": "no path"}}
    mapping = {"out": "MLC_OUT", "name": "MLC_LABEL"}
    add(
        home,
        "paths",
        input_mapping=mapping,
        input_description=described,
        new_env_keys=["MLC_OUT", "MLC_LABEL"],
    )
    answer = run(home, "paths,", "--out=../x/y", "--name=a/b")
    assert answer == {"MLC_OUT": str(tmp_path.parent / "x" / "y"), "MLC_LABEL": "a/b"}


def test_a_lifetime_is_inherited_by_the_dependencies_that_ask_for_it(home: Home) -> None:
    add(home, "short", cache=True, new_env_keys=[])
    add(home, "long", cache=True, new_env_keys=[])
    entries = [{"tags": "short", "inherit_cache_expiration": True}, {"tags": "long"}]
    add(home, "parent", deps=entries, cache_expiration="1h")
    run(home, "parent,")
    kept = [json.loads(path.read_text()) for path in home.cache.glob("*/meta.json")]
    assert {d["associated_script_item"].split(",")[0]: "cache_expiration" in d for d in kept} == {
        "short": True,
        "long": False,
    }


DETECT = """def detect_version(i):
    with open('tmp-ver.out') as file:
        return {'return': 0, 'version': file.read().strip()}
"""


def test_a_recipe_judges_its_own_cache_entries(home: Home, tmp_path: Path) -> None:
    folder = add(home, "judge", DETECT, cache=True, new_env_keys=["MLC_V"], env={"MLC_DETECTED_VERSION": "1"})
    found = tmp_path / "found"
    found.write_text("1")
    (folder / "validate_cache.sh").write_text(f"test -f {found} && cp {found} tmp-ver.out\n")

    def entries_after_a_run() -> int:
        run(home, "judge,")
        return len(list(home.cache.glob("judge_*/meta.json")))

    assert [entries_after_a_run(), entries_after_a_run()] == [1, 1]
    found.write_text("2")
    assert entries_after_a_run() == 2  # another version is there now
    found.unlink()
    assert entries_after_a_run() == 3  # the script fails
    assert not (tmp_path / "tmp-ver.out").exists()


def test_an_entry_is_judged_after_the_dynamic_dependencies_alone_and_over_what_it_keeps(
    home: Home, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    for name in ("fixed", "moving"):
        add(home, name, env={f"MLC_{name.upper()}": "new"}, new_env_keys=[f"MLC_{name.upper()}"])
    entries = [{"tags": "fixed"}, {"tags": "moving", "dynamic": True}]
    folder = add(home, "judge", cache=True, deps=entries, env={"MLC_KEPT": "1"}, new_env_keys=["MLC_KEPT"])
    (folder / "validate_cache.sh").write_text(f'echo "$MLC_KEPT $MLC_FIXED $MLC_MOVING" > {seen}\n')
    run(home, "judge,")
    assert not seen.exists()
    run(home, "judge,")
    assert seen.read_text() == "1  new\n"


def test_hooks_and_records_are_told_the_variations_that_apply(home: Home, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    hook = f"def preprocess(i):\n    open({str(seen)!r}, 'a').write(' '.join(i['variation_tags']) + '.')\n"
    names = {"a": {"group": "g", "default": True}, "b": {"group": "g"}, "c": {"base": ["b"]}}
    add(home, "varied", hook, variations=names)
    for tags in ("varied", "varied,_c"):
        run(home, f"--tags={tags}")
    assert seen.read_text() == "a.b c."


def test_of_several_recipes_the_first_answers_whichever_has_a_cache_entry(home: Home) -> None:
    for name, order in (("first", 1), ("second", 2)):
        add(
            home,
            name,
            cache=True,
            tags=[name, "tool"],
            sort=order,
            env={"MLC_T": name},
            new_env_keys=["MLC_T"],
        )
    assert run(home, "second,") == {"MLC_T": "second"}
    assert run(home, "tool,", "--quiet") == {"MLC_T": "first"}


@pytest.mark.parametrize(
    "words", ["leaf,b ,_v", "leaf,b _v", "leaf,b, _v", "leaf,b ,_v --quiet", ",_v leaf,b", "leaf,b --tags=_v"]
)
def test_a_blank_among_the_tags_is_an_error_that_says_what_was_meant(words: str) -> None:
    with pytest.raises(RecipeFault, match="and a run takes one recipe") as caught:
        parse(["run", "script", *words.split()], interactive=False)
    assert "leaf,b" in caught.value.hint
    assert "_v meant? Write it as one word" in caught.value.hint or words.startswith(",_v")


def test_a_mapped_input_wins_over_the_env_of_a_recipe_and_loses_to_that_of_a_variation(home: Home) -> None:
    add(
        home,
        "mapped",
        input_mapping={"size": "MLC_SIZE"},
        env={"MLC_SIZE": "recipe"},
        new_env_keys=["MLC_SIZE"],
        variations={"v": {"env": {"MLC_SIZE": "variation"}}},
    )
    assert run(home, "--tags=mapped", "--size=input") == {"MLC_SIZE": "input"}
    assert run(home, "--tags=mapped,_v", "--size=input") == {"MLC_SIZE": "variation"}


def test_a_mount_of_a_file_is_the_folder_around_it(home: Home) -> None:
    mount = "${{ MLC_FILE }}:${{ MLC_FILE }}"
    add(home, "boxed", docker={"mounts": [mount]}, file_path_env_keys=["MLC_FILE"])
    words = ["docker", "script", "boxed,", "--env.MLC_FILE=/data/in/a.json", "--docker_dry_run"]
    command = perform(Context(home, Quiet(), {}), parse(words, interactive=False))["commands"][-1]
    assert "/data/in:/mlc-mount/data/in" in command
    assert "--env.MLC_FILE=/mlc-mount/data/in/a.json" in command[-1]


@pytest.mark.parametrize("action", ["apptainer", "slurm-run", "remote-docker", "experiment"])
def test_what_is_not_here_is_refused_by_name_with_what_to_do_instead(home: Home, action: str) -> None:
    with pytest.raises(RecipeFault, match="is not part of this runner") as caught:
        perform(Context(home, Quiet(), {}), parse([action, "script", "leaf,"], interactive=False))
    assert "leaf" in caught.value.hint


@pytest.mark.parametrize(
    "line", ["rm script --tags=no,such -f", "rm cache --tags=no,such -f", "rm experiment none"]
)
def test_a_removal_without_a_match_says_so_and_succeeds(home: Home, line: str) -> None:
    assert perform(Context(home, Quiet(), {}), parse(line.split(), interactive=False)) == {"return": 0}
