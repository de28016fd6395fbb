"""The walk through a recipe and its dependencies: its order, what a dependency sees, and that a plan takes the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.argv import parse
from assay.recipes.home.index import Index
from assay.recipes.model.dependencies import Entry
from assay.recipes.model.env import Env
from assay.recipes.model.recipe import PHASES
from assay.recipes.run.call import RecipeCall, RecipeOutcome
from assay.recipes.run.request import answer_request, scope_of
from assay.recipes.run.walk import Walk
from assay.recipes.tools.plan import plan

from .conftest import Kit


class Recorder:
    """A visitor that writes down each step, and answers every dependency with one variable."""

    def __init__(self, *, goes_on: bool = True) -> None:
        self.goes_on = goes_on
        self.events: list[str] = []
        self.seen: list[Env] = []

    def begin(self) -> None:
        self.events.append("begin")

    def takes(self, entry: Entry, phase: str) -> bool:
        return entry["tags"] != "refused"

    def answer(self, entry: Entry, phase: str, child_env: Env) -> RecipeOutcome | None:
        self.events.append(f"{phase}: {entry['tags']}")
        self.seen.append(child_env)
        return RecipeOutcome({f"CM_{str(entry['tags']).upper()}": "1"}, {}, {}, {})

    def preprocess(self) -> bool:
        self.events.append("preprocess")
        return self.goes_on

    def native_script(self) -> None:
        self.events.append("script")

    def postprocess(self) -> None:
        self.events.append("postprocess")


def walked(kit: Kit, visitor: Recorder, *flags: str) -> Walk:
    inputs = parse(["run", "script", "--tags=root", *flags])
    scope = scope_of(inputs)
    request = answer_request(Index(kit.home), inputs, scope, {})
    return Walk(RecipeCall(inputs, scope), request, visitor, [], {})


@pytest.fixture
def root(kit: Kit) -> Kit:
    lists = {phase: [{"tags": phase[:2]}, {"tags": "refused"}] for phase in PHASES}
    lists["deps"].append({"tags": "dy", "dynamic": True})  # type: ignore[dict-item]
    kit.recipe("root", **lists, clean_env_keys_post_deps=["CM_CLEANED"])
    return kit


def test_the_steps_of_a_recipe_come_in_cms_order(root: Kit) -> None:
    visitor = Recorder()
    walk = walked(root, visitor)
    assert walk.make()
    assert visitor.events == [
        *("begin", "deps: de", "deps: dy", "preprocess", "prehook_deps: pr", "script"),
        *("posthook_deps: po", "postprocess", "post_deps: po"),
    ]
    assert walk.asked == ["de", "dy", "pr", "po", "po"]
    assert {"CM_DE", "CM_DY", "CM_PR", "CM_PO"} <= walk.resolved.env.keys()


def test_a_recipe_that_wants_nothing_more_done_ends_after_its_hook(root: Kit) -> None:
    visitor = Recorder(goes_on=False)
    assert not walked(root, visitor).make()
    assert visitor.events[-1] == "preprocess"


def test_a_fake_run_ends_before_the_native_script(root: Kit) -> None:
    visitor = Recorder()
    assert walked(root, visitor, "--fake_run").make()
    assert visitor.events[-1] == "prehook_deps: pr"


def test_a_cache_entry_stands_in_for_all_but_the_dynamic_dependencies(root: Kit) -> None:
    visitor = Recorder()
    walked(root, visitor).reuse(lambda: visitor.events.append("load"))
    assert visitor.events == ["deps: dy", "load"]


def test_only_the_last_dependencies_see_variables_of_the_recipe_itself(root: Kit) -> None:
    visitor = Recorder()
    walked(root, visitor, "--env.CM_TMP_OWN=1", "--env.CM_CLEANED=1", "--env.CM_SHARED=1").make()
    own = [("CM_TMP_OWN" in env, "CM_CLEANED" in env, "CM_SHARED" in env) for env in visitor.seen]
    assert own == [(False, True, True)] * 4 + [(True, False, True)]


TREES: list[dict[str, dict[str, Any]]] = [
    {
        "root": {phase: [{"tags": phase[:2]}] for phase in PHASES},
        "de": {},
        "pr": {},
        "po": {"deps": [{"tags": "de"}]},
    },
    {
        "root": {"env": {"CM_TMP_OWN": "1"}, "deps": [{"tags": "mid"}], "post_deps": [{"tags": "mid"}]},
        "mid": {"deps": [{"tags": "leaf", "enable_if_env": {"CM_TMP_OWN": ["1"]}}]},
        "leaf": {},
    },
    {
        "root": {"deps": [{"tags": "gives"}, {"tags": "leaf", "enable_if_env": {"CM_G": ["1"]}}]},
        "gives": {"env": {"CM_G": "1"}, "new_env_keys": ["CM_H"]},
        "leaf": {},
    },
    {
        "root": {
            "deps": [
                {"tags": "mid,_v", "env": {"CM_E": "1"}},
                {"tags": "mid", "skip_if_env": {"CM_E": ["1"]}},
            ]
        },
        "mid": {"variations": {"v": {"deps": [{"tags": "leaf", "enable_if_env": {"CM_E": ["1"]}}]}}},
        "leaf": {},
    },
]


@pytest.mark.parametrize("tree", TREES)
def test_a_plan_takes_the_steps_of_the_run_in_the_same_order(
    kit: Kit, tree: dict[str, dict[str, Any]]
) -> None:
    for name, meta in tree.items():
        kit.recipe(name, **meta)
    steps = plan(Index(kit.home), parse(["run", "script", "--tags=root"]), {})
    assert "maybe" not in {step.condition for step in steps}
    kit.run("root")
    ran = re.findall(r'^INFO:root:( *)\* cm run script "(\w+)', "\n".join(kit.console.noted), re.MULTILINE)
    assert [(step.depth, step.recipe) for step in steps if step.condition == "yes"] == [
        (len(indent) // 2, name) for indent, name in ran
    ]
    assert not list(Path().iterdir())
