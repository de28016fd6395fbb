"""What is asked for around the benchmark: submission, checks, packing, cleaning, a container."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from assay.config import ContainerRequest, Delivery, EarlierRun
from assay.doors.cm_delivery import USUAL, delivery
from assay.ground.errors import ConfigError
from assay.recipes.contract import argv
from assay.recipes.model.selection import Selection
from tests.end_to_end import published_command


def ask(*variations: str, **env: Any) -> Delivery:
    return delivery(Selection(("run-mlperf", "inference"), variations), env)


def test_nothing_is_delivered_unless_asked() -> None:
    assert ask() == USUAL
    assert not (USUAL.submit or USUAL.check or USUAL.pack or USUAL.compliance or USUAL.container)


def test_the_submission_variation_asks_for_tree_check_and_tar() -> None:
    asked = ask("submission")
    assert (asked.submit, asked.check, asked.pack, asked.compliance) == (True, True, True, True)


def test_the_single_mode_variations_build_a_tree_and_do_not_check_it() -> None:
    for name in ("performance-only", "accuracy-only"):
        assert ask(name).submit
        assert not ask(name).check


def test_finding_the_performance_delivers_nothing() -> None:
    asked = ask("find-performance", CM_MLPERF_SUBMISSION_RUN="yes", CM_TAR_SUBMISSION_DIR="yes")
    assert (asked.submit, asked.check, asked.pack) == (False, False, False)


def test_the_gate_is_open_unless_asked_for() -> None:
    assert not ask("submission").gate
    assert ask(CM_ASSAY_GATE="yes").gate


def test_skipping_the_submission_goes_over_asking_for_it() -> None:
    asked = ask("submission", CM_MLPERF_SKIP_SUBMISSION_GENERATION="yes")
    assert (asked.submit, asked.check, asked.pack) == (False, False, False)
    assert ask("submission", CM_MLPERF_SKIP_SUBMISSION_GENERATION="False").submit


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("CM_MLPERF_SUBMISSION_RUN", "submit"),
        ("CM_RUN_SUBMISSION_CHECKER", "check"),
        ("CM_TAR_SUBMISSION_DIR", "pack"),
        ("CM_MLPERF_LOADGEN_COMPLIANCE", "compliance"),
        ("CM_MLPERF_CLEAN_SUBMISSION_DIR", "clean_submission"),
        ("CM_ASSAY_UNSAFE_NO_SANDBOX", "unsafe_no_sandbox"),
    ],
)
def test_each_switch_switches_its_own_part(key: str, field: str) -> None:
    assert ask(**{key: "yes"}) == dataclasses.replace(USUAL, **{field: True})
    assert ask(**{key: "off"}) == USUAL


def test_cleaning_all_removes_both_folders_and_runs_again() -> None:
    asked = ask(CM_MLPERF_CLEAN_ALL="True")
    assert (asked.earlier_run, asked.clean_submission) == (EarlierRun.REPLACE, True)
    kept = ask(CM_MLPERF_CLEAN_ALL="True", CM_MLPERF_CLEAN_SUBMISSION_DIR="no")
    assert (kept.earlier_run, kept.clean_submission) == (EarlierRun.REPLACE, False)


def test_a_finished_run_is_taken_as_it_is_unless_another_is_asked_for() -> None:
    assert ask().earlier_run is EarlierRun.REUSE
    assert ask(CM_RERUN="yes").earlier_run is EarlierRun.REPLACE


def test_the_generation_style_is_full_unless_short_is_asked() -> None:
    assert ask().full
    assert not ask("short").full
    assert not ask(CM_MLPERF_SUBMISSION_GENERATION_STYLE="short").full


def test_two_generation_styles_are_an_error() -> None:
    with pytest.raises(ConfigError, match="GENERATION_STYLE=full and variation _short"):
        ask("short", CM_MLPERF_SUBMISSION_GENERATION_STYLE="full")
    with pytest.raises(ConfigError, match="short and full are its two"):
        ask(CM_MLPERF_SUBMISSION_GENERATION_STYLE="medium")


def test_no_container_unless_asked_and_the_first_of_two_words_decides() -> None:
    assert ask(CM_MLPERF_USE_DOCKER="no").container is None
    assert ask(CM_RUN_DOCKER_CONTAINER="yes").container == ContainerRequest()
    assert ask(CM_MLPERF_USE_DOCKER="no", CM_RUN_DOCKER_CONTAINER="yes").container is None


def test_a_container_is_privileged_reused_or_detached_only_when_asked() -> None:
    asked = ask(
        CM_MLPERF_USE_DOCKER="yes",
        CM_DOCKER_PRIVILEGED_MODE="yes",
        CM_DOCKER_REUSE_EXISTING_CONTAINER="yes",
        CM_DOCKER_DETACHED_MODE="yes",
        CM_DOCKER_CONTAINER_KEEP_ALIVE="yes",
        CM_ASSAY_CONTAINER_BASE="localhost/base",
        CM_CONTAINER_TOOL="Podman",
    ).container
    assert asked == ContainerRequest("podman", "localhost/base", True, True, True, True)


def test_an_unknown_engine_is_an_error() -> None:
    with pytest.raises(ConfigError, match="'lxc' is not a container engine"):
        ask(CM_MLPERF_USE_DOCKER="yes", CM_CONTAINER_TOOL="lxc")


def test_the_published_command_asks_for_everything_but_compliance() -> None:
    inputs = argv.parse(published_command.RUN)
    assert delivery(Selection.parse(inputs["tags"]), inputs["env"]) == dataclasses.replace(
        USUAL,
        submit=True,
        full=False,
        check=True,
        pack=True,
        earlier_run=EarlierRun.REPLACE,
        clean_submission=True,
        container=ContainerRequest(privileged=True, detached=True),
    )
