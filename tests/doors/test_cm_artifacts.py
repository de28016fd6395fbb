"""CM's variables for models and datasets: complete for the workloads, and as docs/cm-options.md tells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.doors import builtin, cm_artifacts
from assay.doors.builtin import published
from assay.doors.cm_refused import upstream_name
from assay.mlperf import workloads

PAGE = Path(__file__).parents[2] / "docs" / "cm-options.md"


def official() -> list[str]:
    """Every workload that a round holds."""
    return sorted({workload.official_name for workload in workloads.TABLE.values()})


def test_every_official_workload_has_its_variables_once() -> None:
    assert sorted(name for each in cm_artifacts.TABLE for name in each.workloads) == official()


def test_the_embedded_workload_reads_those_of_the_one_it_stands_for() -> None:
    assert cm_artifacts.of("mixtral-nano") == cm_artifacts.of("mixtral-8x7b")


def test_a_workload_that_upstream_lacks_reads_the_general_ones() -> None:
    assert cm_artifacts.checkpoint_keys("my-own") == ("CM_ML_MODEL_PATH",)
    assert cm_artifacts.dataset_keys("my-own") == ("CM_DATASET_PREPROCESSED_PATH",)


def test_a_general_variable_is_no_workloads_own() -> None:
    assert cm_artifacts.users("CM_ML_MODEL_PATH") == ()
    assert cm_artifacts.users("LLAMA3_CHECKPOINT_PATH") == (
        "llama3.1-8b",
        "llama3.1-8b-edge",
        "llama3.1-405b",
    )


def recipes_of(name: str) -> list[str]:
    """The requests that fetch model and dataset of a workload, as the page writes them."""
    return [
        ",".join((tags, *(f"_{word}" for word in words.split(",") if word)))
        for choices in (published.MODELS, published.DATASETS)
        for folder, meant in choices.items()
        for words, workload in meant.items()
        for tags in builtin.TAGS[folder][:1]
        if set(cm_artifacts.of(workload).workloads) & {name} and _is_for(workload, name, meant.values())
    ]


def _is_for(meant: str, name: str, others: object) -> bool:
    """A dataset of its own overrides that of the family."""
    return meant == name or name not in others  # type: ignore[operator]


def row(name: str) -> str:
    words = ", ".join(f"`_{word}`" for word in dict.fromkeys((upstream_name(name), name)))
    asked = (cm_artifacts.of(name).checkpoint_keys, cm_artifacts.of(name).dataset_keys)
    keys = (", ".join(f"`{key}`" for key in each) for each in asked)
    fetched = ", ".join(f"`{tags}`" for tags in recipes_of(name))
    return f"| {words} | {' | '.join(keys)} | {fetched} |"


@pytest.mark.parametrize("name", official())
def test_the_page_tells_each_workloads_words(name: str) -> None:
    assert row(name) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", sorted({*published.REFUSED.values()}))
def test_the_page_tells_what_a_fetching_recipe_refuses(reason: str) -> None:
    names = ", ".join(f"`_{name}`" for name, said in published.REFUSED.items() if said == reason)
    assert f"| {names} | {reason} |" in PAGE.read_text(encoding="utf-8")
