"""plan, explain, why, lint, lock and containers: what is said before and after a run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main as cli
from assay.recipes.contract.argv import parse
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.run.context import Context
from assay.recipes.tools.explain import explanation, explanation_text, why, why_text
from assay.recipes.tools.lint import lint
from assay.recipes.tools.lint_folder import index_of_folder
from assay.recipes.tools.lock import differences, reproduce
from assay.recipes.tools.plan import PlannedStep, as_text, plan

from .conftest import Kit


def planned(kit: Kit, *words: str) -> list[PlannedStep]:
    return plan(Index(kit.home), parse(["run", "script", *words]), {})


def test_a_plan_says_yes_no_or_maybe_and_runs_nothing(kit: Kit) -> None:
    kit.recipe("leaf", run="touch ran\n")
    setter = "def preprocess(i):\n    i['env']['CM_LATE'] = 'yes'\n    return {'return': 0}\n"
    kit.recipe("setter", hooks=setter, new_env_keys=["CM_LATE"])
    kit.recipe(
        "root",
        deps=[
            {"tags": "setter"},
            {"tags": "leaf", "enable_if_env": {"CM_ASKED": ["yes"]}},
            {"tags": "leaf", "enable_if_env": {"CM_LATE": ["yes"]}},
            {"tags": "absent"},
        ],
    )
    steps = planned(kit, "--tags=root")
    assert [(s.recipe, s.condition) for s in steps] == [
        ("root", "yes"),
        ("setter", "yes"),
        ("", "no"),
        ("leaf", "maybe"),
        ("", "yes"),
    ]
    assert "no scripts were found" in steps[-1].problem
    assert [s.condition for s in planned(kit, "--tags=root", "--env.CM_ASKED=yes")][2] == "yes"
    assert not list(Path().iterdir())
    assert "? leaf [CM_LATE is set on the way]" in as_text(steps)


def test_a_plan_knows_what_is_cached_and_what_would_be_fetched(kit: Kit) -> None:
    kit.recipe("made", cache=True, env={"CM_URL": "https://example.org/x.zip"})
    assert planned(kit, "--tags=made")[0].downloads == ["https://example.org/x.zip"]
    kit.run("made")
    assert planned(kit, "--tags=made")[0].cached == str(kit.entries()[0])


def test_a_recipe_that_needs_itself_does_not_make_the_plan_endless(kit: Kit) -> None:
    kit.recipe("loop", deps=[{"tags": "loop"}])
    assert [s.problem for s in planned(kit, "--tags=loop")] == ["", "it needs itself"]


def explained(kit: Kit, *words: str) -> dict[str, Any]:
    return explanation(kit.context(), parse(["run", "script", *words]))


def test_every_value_is_explained_with_its_origin(kit: Kit) -> None:
    kit.recipe(
        "r",
        env={"CM_E": "1"},
        default_env={"CM_D": "1"},
        input_mapping={"size": "CM_S"},
        variations={
            "v": {"env": {"CM_V": "1"}},
            "w": {"group": "g", "default": True},
            "v,w": {"env": {"CM_B": "1"}},
        },
        default_version="3",
    )
    found = explained(kit, "--tags=r,_v", "--env.CM_U=1", "--size=2")
    origins = {key: item["origin"] for key, item in found["env"].items()}
    assert origins["CM_U"] == "command line"
    assert origins["CM_E"] == "env of r"
    assert origins["CM_D"] == "default_env of r"
    assert origins["CM_V"] == "variation _v"
    assert origins["CM_B"] == "variation _v,w"
    assert origins["CM_VERSION"] == "default version"
    assert found["groups"] == {"g": "w"}
    assert "default of the group g" in explanation_text(found)


def asked(kit: Kit, *words: str) -> dict[str, Any]:
    return why(kit.context(), parse(["run", "script", *words]))


def test_why_names_the_hit_and_what_the_rule_does_not_look_at(kit: Kit) -> None:
    kit.recipe("make", cache=True, variations={"v": {}})
    kit.run("make,_v")
    answer = asked(kit, "--tags=make")
    assert [hit["path"] for hit in answer["hits"]] == [str(kit.entries()[0])]
    assert answer["hits"][0]["differs"] == ["variations: v then, none now"]
    assert "HIT" in why_text(answer)


def test_why_names_what_a_miss_lacks(kit: Kit) -> None:
    kit.recipe("make", cache=True, variations={"v": {}})
    kit.run("make")
    assert asked(kit, "--tags=make,_v")["misses"][0]["because"] == "lacks the tags _v"
    exact = asked(kit, "--tags=make", "--cache=exact", "--version=2")
    assert "lacks the tags version-2" in exact["misses"][0]["because"]


def test_why_says_when_the_cache_is_not_asked_at_all(kit: Kit) -> None:
    kit.recipe("r")
    assert "does not keep" in asked(kit, "--tags=r")["reason"]


def codes(kit: Kit) -> list[str]:
    repository = kit.home.find("tests@small")[0]
    return [problem.code for problem in lint(Index(kit.home), repository)]


@pytest.mark.parametrize(
    ("meta", "hooks", "code"),
    [
        ({}, "def preprocess(i:\n", "HOOK"),
        ({"force-cache": True}, "", "KEY"),
        ({"variations": {"v": {"alis": "x"}}}, "", "KEY"),
        ({"variations": {"v": {"CM_A": "1"}}}, "", "KEY"),
        ({"deps": [{"tags": "x", "update_tags_from_env_with_prefix1": {}}]}, "", "DEPKEY"),
        ({"variations": {"v": {"base": ["w"]}}}, "", "VARIATION"),
        ({"variations": {"v": {"default_variations": {"g": "w"}}}}, "", "VARIATION"),
        ({"variations": {"v": {}, "v,gone": {}}}, "", "DEAD"),
        ({"variations": {"v": {"script_name": "absent"}}}, "", "SCRIPT"),
        ({"deps": [{"tags": "x", "names": ["a, b"]}]}, "", "LIST"),
        ({"deps": [{"tags": "x", "names": "a"}]}, "", "LIST"),
        ({"tags": ["r", 28]}, "", "LIST"),
        ({"variations": {"v": {"cache": True}}}, "", "KEY"),
    ],
)
def test_lint_names_each_kind_of_problem_once(kit: Kit, meta: dict[str, Any], hooks: str, code: str) -> None:
    kit.recipe("r", hooks=hooks, **meta)
    assert codes(kit) == [code]


def test_the_lint_verb_prints_its_findings_and_ends_with_1(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    kit.recipe("r", variations={"v": {"base": ["w"]}, "v,gone": {}, "x": {"names": ["y"]}})
    assert cli(["recipe", "lint", str(kit.repository)]) == 1
    text = capsys.readouterr().out
    assert "VARIATION" in text and "DEAD" in text and "'names' has no effect\n" in text
    assert cli(["recipe", "lint", str(kit.repository), "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 3


def test_lint_is_silent_about_a_sound_recipe_and_works_on_a_folder(kit: Kit) -> None:
    kit.recipe(
        "r",
        hooks="def preprocess(i):\n    return {'return': 0}\n",
        deps=[{"tags": "x", "names": ["n"], "quiet": True}],
    )
    with index_of_folder(kit.repository) as (index, repository):
        assert lint(index, repository) == []
    assert not index.home.root.exists()


def test_a_lock_reproduces_and_every_difference_is_told(kit: Kit) -> None:
    kit.recipe("leaf", env={"CM_L": "1"}, new_env_keys=["CM_L"])
    folder = kit.recipe("root", deps=[{"tags": "leaf"}], run="exit 0\n", new_env_keys=["CM_L"])
    kit.run("root", "--lock=run.lock")
    assert reproduce(kit.context(), Path("run.lock")) == []
    (folder / "run.sh").write_text("exit 0 # changed\n")
    told = reproduce(kit.context(), Path("run.lock"))
    assert len(told) == 1 and told[0].startswith("recipe root: digest")
    lock = json.loads(Path("run.lock").read_text())
    lock["new_env"]["CM_L"] = "2"
    Path("run.lock").write_text(json.dumps(lock))
    assert "new_env CM_L: '2' then, '1' now" in reproduce(kit.context(), Path("run.lock"))


def test_a_lock_tells_a_changed_order_of_recipes() -> None:
    then = {"repositories": [], "recipes": [{"recipe": "a"}, {"recipe": "b"}], "new_env": {}, "files": {}}
    now = {**then, "recipes": [{"recipe": "b"}, {"recipe": "a"}]}
    assert differences(then, now) == ["recipes: a b then, b a now"]


def contained(kit: Kit, *words: str) -> dict[str, Any]:
    return kit.perform(["docker", "script", *words, "--docker_dry_run"])


def test_a_container_command_repeats_the_request_inside(kit: Kit) -> None:
    kit.recipe("r", docker={"all_gpus": "yes", "port_maps": ["80:80"]})
    answer = contained(
        kit, "--tags=r", "--env.CM_A=x y", "--docker_os=ubuntu", "--docker.shm_size=8gb", "--quiet"
    )
    build, run = answer["commands"]
    assert build[1] == "build" and answer["image"] in build
    assert {"--gpus=all", "80:80", "--shm-size=8gb"} <= set(run)
    assert "'--env.CM_A=x y'" in run[-1] and "--docker_run_deps" in run[-1] and "docker_os" not in run[-1]
    text = Path(answer["dockerfile"]).read_text()
    assert text.startswith("FROM ubuntu:22.04") and "--fake_run" in text
    assert kit.repository not in Path(answer["dockerfile"]).parents


def test_mounts_are_made_for_variables_that_are_set_and_dropped_for_others(kit: Kit) -> None:
    mounts = ["${{ CM_DATA }}:${{ CM_DATA }}", "${{ CM_NONE }}:${{ CM_NONE }}"]
    kit.recipe("r", docker={"mounts": mounts})
    run = contained(kit, "--tags=r", "--env.CM_DATA=/data")["commands"][-1]
    assert "/data:/cm-mount/data" in run and "CM_NONE" not in " ".join(run)
    assert "--env.CM_DATA=/cm-mount/data" in run[-1]


def test_a_path_with_a_colon_is_mounted_whole_and_with_its_options(kit: Kit) -> None:
    kit.recipe("r", docker={"mounts": ["${{ CM_DATA }}:${{ CM_DATA }}:ro"]})
    run = contained(kit, "--tags=r", "--env.CM_DATA=/a:b")["commands"][-1]
    assert run[run.index("--mount") + 1] == "type=bind,source=/a:b,target=/cm-mount/a:b,readonly"
    plain = contained(kit, "--tags=r", "--env.CM_DATA=/a,b")["commands"][-1]
    assert "/a,b:/cm-mount/a,b:ro" in plain
    kit.recipe("labelled", docker={"mounts": ["${{ CM_DATA }}:/in:Z"]})
    with pytest.raises(RecipeFault, match="a path with a colon cannot be mounted with the options Z: /a:b"):
        contained(kit, "--tags=labelled", "--env.CM_DATA=/a:b")


def test_a_cache_path_is_mounted_where_the_inner_runner_looks(kit: Kit) -> None:
    kit.recipe("r", docker={"mounts": ["${{ CM_D }}:${{ CM_D }}"]})
    inside = kit.home.cache / "0123456789abcdef" / "x"
    run = contained(kit, "--tags=r", f"--env.CM_D={inside}")["commands"][-1]
    place = "/home/cmuser/CM/repos/local/cache/0123456789abcdef"
    assert f"{inside.parent}:{place}" in run
    assert f"--env.CM_D={place}/x" in run[-1]


def test_values_cannot_leave_the_inner_command(kit: Kit) -> None:
    kit.recipe("r")
    run = contained(kit, "--tags=r", "--env.CM_A='; touch pwned; '")["commands"][-1]
    subprocess.run(["bash", "-c", f"cm() {{ :; }}; {run[-1]}"], check=True)
    assert not Path("pwned").exists()


def test_without_an_engine_the_error_says_how_to_see_the_command(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.recipe("r")
    monkeypatch.setattr("shutil.which", lambda *_a, **_k: None)
    with pytest.raises(RecipeFault, match="neither docker nor podman"):
        kit.perform(["docker", "script", "--tags=r"])


def test_help_lists_variations_and_inputs(kit: Kit) -> None:
    kit.recipe("r", variations={"v": {"group": "g", "default": True}}, input_mapping={"size": "CM_SIZE"})
    kit.run("r", "--help")
    text = "\n".join(kit.console.said)
    assert "_v  group g, default" in text and "--size  CM_SIZE" in text


def test_a_context_asks_nobody_when_a_hook_asks(kit: Kit) -> None:
    context: Context = kit.context()
    assert context.quietly().console is not context.console
