"""run, test, prepare, docker and show of a recipe, called as the command line calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions import script
from assay.recipes.contract.argv import parse
from assay.recipes.errors import RecipeFailed, RecipeFault
from assay.recipes.run.builtin import Builtin
from assay.recipes.tools import container, container_image
from tests.recipes.conftest import Kit


def inputs(*words: str) -> dict[str, Any]:
    return parse(["run", "script", "--user_python", *words])


def run(kit: Kit, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = script.run(kit.context(), inputs(*words))
    return answer


@pytest.fixture
def leaf(kit: Kit) -> Kit:
    kit.recipe("leaf", run="touch ran\n", env={"CM_L": "1"}, new_env_keys=["CM_L"], variations={"v": {}})
    return kit


@pytest.mark.parametrize("action", [script.run, script.docker, script.dockerfile])
def test_without_tags_or_a_name_nothing_is_asked_for(action: Any, kit: Kit) -> None:
    kit.recipe("only")
    with pytest.raises(RecipeFault, match="no recipe was asked for"):
        action(kit.context(), inputs())


@pytest.mark.parametrize("words", [["--tags=leaf"], ["leaf"], ["leaf,0000000000000001"]])
def test_a_recipe_is_asked_for_by_tags_or_by_name(words: list[str], leaf: Kit) -> None:
    assert run(leaf, *words)["new_env"] == {"CM_L": "1"} and Path("ran").exists()


def test_prepare_runs_what_is_below_and_not_the_recipe(leaf: Kit) -> None:
    leaf.recipe("root", deps=[{"tags": "leaf"}], run="touch root-ran\n")
    script.prepare(leaf.context(), inputs("--tags=root"))
    assert Path("ran").exists() and not Path("root-ran").exists()


@pytest.mark.parametrize("words", [["--tags=leaf", "--help"], ["--tags=leaf", "-h"]])
def test_help_describes_and_runs_nothing(words: list[str], leaf: Kit) -> None:
    run(leaf, *words)
    assert "leaf" in "\n".join(leaf.console.said) and not Path("ran").exists()


@pytest.mark.parametrize("action", [script.show, script.doc])
def test_a_recipe_is_described(action: Any, leaf: Kit) -> None:
    action(leaf.context(), inputs("--tags=leaf"))
    told = "\n".join(leaf.console.said)
    assert str(leaf.repository / "script/leaf") in told and "v" in told and not Path("ran").exists()


def test_a_lock_names_its_file(leaf: Kit) -> None:
    with pytest.raises(RecipeFault, match="--lock names no file"):
        run(leaf, "--tags=leaf", "--lock")
    run(leaf, "--tags=leaf", "--lock=run.lock")
    assert json.loads(Path("run.lock").read_text())


# ---------------------------------------------------------------------- what adds to the request


def test_a_variable_of_the_user_adds_to_every_request(kit: Kit) -> None:
    kit.recipe("r", input_mapping={"x": "CM_X"}, new_env_keys=["CM_X", "CM_Y"])
    context = kit.context()
    context.host_env["CM_SCRIPT_EXTRA_CMD"] = "--x='a b' --env.CM_Y=1"
    answer = script.run(context, inputs("--tags=r"))
    assert answer["new_env"] == {"CM_X": "a b", "CM_Y": "1"}


@pytest.mark.parametrize("form", ["config", "plain"])
def test_the_users_own_defaults_add_to_it(form: str, kit: Kit) -> None:
    kit.recipe("r", new_env_keys=["CM_Y"])
    folder = kit.home.local / "cfg/default"
    folder.mkdir(parents=True)
    values: dict[str, Any] = {"script": {"env": {"CM_Y": "of the user"}}}
    meta = {
        "alias": "default",
        "uid": "00000000000000ee",
        **({"config": values} if form == "config" else values),
    }
    (folder / "_cm.json").write_text(json.dumps(meta))
    kit.home.make_local()
    assert run(kit, "--tags=r")["new_env"] == {"CM_Y": "of the user"}


@pytest.mark.parametrize(("flags", "names"), [([], []), (["--repro"], ["cm-output.json", "cm-repro"])])
def test_records_are_written_where_they_are_asked_for(flags: list[str], names: list[str], leaf: Kit) -> None:
    run(leaf, "--tags=leaf", *flags)
    assert sorted(path.name for path in Path().iterdir()) == sorted([*names, "ran"])


def test_records_of_a_failed_run_are_written_and_the_failure_raised(kit: Kit) -> None:
    kit.recipe("bad", run="exit 1\n")
    with pytest.raises(RecipeFailed):
        run(kit, "--tags=bad", "--repro")
    assert json.loads(Path("cm-output.json").read_text())["output"]["return"] == 2


@pytest.mark.parametrize(("before", "after", "told"), [(500.0, 100.4, ["399 MB"]), (100.0, 200.0, [])])
def test_the_space_that_a_run_took_is_told(
    before: float, after: float, told: list[str], leaf: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([before, after, after])
    monkeypatch.setattr(script, "_free_mb", lambda: next(free))
    run(leaf, "--tags=leaf", "--space")
    found = [line.rpartition(": ")[2] for line in leaf.console.noted if "used disk space" in line]
    assert found == told


# ---------------------------------------------------------------------- the recipe's own tests


@pytest.mark.parametrize(
    ("tests", "tags"),
    [
        (None, ["a,b"]),
        ({}, ["a,b"]),
        ({"run_inputs": []}, ["a,b"]),
        ({"run_inputs": [{"variations_list": ["x", "_y,z"]}]}, ["a,b,_x", "a,b,_y,_z"]),
        ({"run_inputs": [{"variations_list": [["x", "y"]]}, {}]}, ["a,b,_x,_y", "a,b"]),
    ],
)
def test_each_list_of_variations_is_one_request(tests: Any, tags: list[str]) -> None:
    found = script.test_requests({"tags": ["a", "b"], "tests": tests})
    assert [request["tags"] for request in found] == tags


def test_inputs_of_a_test_are_kept_and_words_about_containers_left_out() -> None:
    item = {"variations_list": ["x"], "docker": True, "docker_os": "ubuntu", "freq": "daily", "env": {"A": 1}}
    assert script.test_requests({"tags": ["a"], "tests": {"run_inputs": [item]}}) == [
        {"env": {"A": 1}, "tags": "a,_x"}
    ]


def test_all_tests_are_tried_before_one_fails_the_whole(kit: Kit) -> None:
    kit.recipe(
        "r",
        run='test "$CM_V" != bad\n',
        variations={name: {"env": {"CM_V": name}} for name in ("good", "bad", "fine")},
        tests={"run_inputs": [{"variations_list": ["good", "bad", "fine"]}]},
    )
    with pytest.raises(RecipeFault, match="tests failed:\nr test 2: "):
        script.test(kit.context(), inputs("--tags=r"))
    assert kit.console.said == [
        f"test {n} of r: r,_{name}" for n, name in enumerate(("good", "bad", "fine"), 1)
    ]


@pytest.mark.parametrize("words", [["r"], ["--tags=r"], ["r x"]])
def test_a_recipe_is_tested_by_name_or_tags(words: list[str], kit: Kit) -> None:
    kit.recipe("r", tags=["r", "x"], run="touch tested\n")
    assert script.test(kit.context(), inputs(*words)) == {"return": 0}
    assert Path("tested").exists()


# ---------------------------------------------------------------------- containers


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the room of containers."""
    seen: list[str] = []
    for room, name in ((container, "run_in_container"), (container_image, "write_dockerfile")):
        monkeypatch.setattr(room, name, lambda *_, name=name: seen.append(name) or {"return": 0})
    return seen


def test_a_recipe_is_run_in_a_container_or_its_file_written(leaf: Kit, asked: list[str]) -> None:
    script.docker(leaf.context(), inputs("--tags=leaf"))
    script.dockerfile(leaf.context(), inputs("--tags=leaf"))
    assert asked == ["run_in_container", "write_dockerfile"] and not Path("ran").exists()


def test_a_recipe_of_our_own_sees_to_its_container_itself(kit: Kit, asked: list[str]) -> None:
    folder = kit.root / "ours"
    folder.mkdir()
    (folder / "meta.yaml").write_text("alias: ours\nuid: 00000000000000dd\n")
    seen: list[Any] = []

    def act(resolved: Any, given: Any, fake: bool) -> dict[str, Any]:
        seen.append((given.get("docker"), given.get("quiet")))
        return {"return": 0}

    context = kit.context()
    context.builtins = [Builtin(folder, "ours", ("ours",), act)]
    script.docker(context, inputs("--tags=ours"))
    script.test(context, inputs("--tags=ours"))
    assert seen == [("yes", None), (None, "yes")] and asked == []
    with pytest.raises(RecipeFault, match="has no Dockerfile"):
        script.dockerfile(context, inputs("--tags=ours"))


def test_lint_names_what_is_wrong_with_the_recipes_asked_for_and_with_no_other(kit: Kit) -> None:
    kit.recipe("good", tags=["fine"])
    kit.recipe("bad", env=[1])
    kit.recipe("worse", deps=5)
    kit.perform(["lint", "script", "--tags=fine"])
    assert kit.console.said == []
    with pytest.raises(RecipeFault, match="1 error in recipes"):
        kit.perform(["lint", "script", "bad"])
    assert len(kit.console.said) == 1 and "script/bad: env must be a dictionary" in kit.console.said[0]
    with pytest.raises(RecipeFault, match="not found"):
        kit.perform(["lint", "script", "none"])


@pytest.mark.parametrize(
    ("asked", "is_meant"),
    [
        ("", True),
        ("broken", True),
        ("bro*", True),
        ("tests@small:broken", True),
        ("good", False),
        ("--tags=fine", False),
    ],
)
def test_lint_names_a_recipe_whose_description_does_not_parse(kit: Kit, asked: str, is_meant: bool) -> None:
    kit.recipe("good", tags=["fine"])
    (kit.recipe("broken") / "_cm.json").write_text("{")
    line = ["lint", "script", *asked.split()]
    if not is_meant:
        assert kit.perform(line)["return"] == 0 and kit.console.said == []
        return
    with pytest.raises(RecipeFault, match="1 error in recipes") as caught:
        kit.perform(line)
    assert caught.value.code == 1
    (said,) = kit.console.said
    assert said.startswith("error PARSE: ") and "script/broken" in said
