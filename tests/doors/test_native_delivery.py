"""What the options of `assay bench` ask for around the measurement."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

import pytest

from assay.config import ContainerRequest, Delivery, EarlierRun
from assay.doors import native, native_delivery
from assay.ground.errors import ConfigError


def ask(*words: str) -> Delivery:
    parser = argparse.ArgumentParser()
    native.add_arguments(parser)
    native_delivery.add_arguments(parser)
    return native_delivery.from_args(parser.parse_args(words)).delivery


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("--no-submit", {"submit": False}),
        ("--allow-fake", {"allow_fake": True}),
        ("--no-pack", {"pack": False}),
        ("--no-check", {"check": False}),
        ("--submission-style full", {"full": True}),
        ("--compliance", {"compliance": True}),
        ("--clean-submission", {"clean_submission": True}),
        ("--out o --reuse", {"earlier_run": EarlierRun.REUSE}),
        ("--out o --rerun", {"earlier_run": EarlierRun.REPLACE}),
        ("--gate", {"gate": True}),
        ("--style valid", {"full": True, "refuse_invalid": True}),
        ("--style valid --submission-style short", {"refuse_invalid": True}),
        ("--unsafe-no-sandbox", {"unsafe_no_sandbox": True}),
        ("--container docker", {"container": ContainerRequest("docker")}),
        ("--container-keep --container-reuse", {"container": ContainerRequest(reuse=True, keep=True)}),
    ],
)
def test_each_option_asks_for_its_own_part(words: str, changed: dict[str, Any]) -> None:
    assert ask(*words.split()) == dataclasses.replace(ask(), **changed)


def test_a_tree_is_made_of_the_embedded_workload_by_default_and_never_of_a_fake() -> None:
    assert ask().submit
    assert not ask("mixtral-8x7b").submit
    assert not ask("--sut", "echo").submit
    assert ask("--sut", "echo", "--allow-fake").submit


def test_a_tree_of_a_fake_has_to_be_marked() -> None:
    with pytest.raises(ConfigError, match="echo SUT is a fake"):
        ask("--sut", "echo", "--submit")


@pytest.mark.parametrize("option", ["--reuse", "--rerun"])
def test_an_earlier_run_has_to_be_named(option: str) -> None:
    with pytest.raises(ConfigError, match="no run folder is named"):
        ask(option)


def test_the_recorded_command_asks_for_the_same_place_of_the_run() -> None:
    words = [
        "--container",
        "podman",
        "--container-base",
        "image",
        "--container-privileged",
        "--unsafe-no-sandbox",
    ]
    assert native_delivery.extra_flags(ask(*words)) == tuple(words)
    assert native_delivery.extra_flags(ask("--gate", "--submit")) == ()
