"""What the options of `assay bench` ask for around the measurement."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from assay.config import ContainerRequest, Delivery, EarlierRun, MayFetch
from assay.doors import config_options, delivery_options
from assay.ground.errors import ConfigError
from tests.bench import echo_job


def ask(*words: str) -> Delivery:
    parser = argparse.ArgumentParser()
    config_options.add_arguments(parser)
    delivery_options.add_arguments(parser)
    return delivery_options.from_args(parser.parse_args(words)).delivery


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
        ("--fetch nothing", {"may_fetch": MayFetch(False, False)}),
        ("--fetch model", {"may_fetch": MayFetch(dataset=False)}),
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
    assert delivery_options.extra_flags(ask(*words)) == tuple(words)
    assert delivery_options.extra_flags(ask("--gate", "--submit")) == ()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A run.yaml that asks for much around the measurement."""
    path = tmp_path / "run.yaml"
    path.write_text(
        "sut: echo\ndelivery:\n  submit: true\n  allow_fake: true\n  pack: false\n  gate: true\n"
        "  container: {engine: docker, keep: true}\n  may_fetch: {model: false}\n"
    )
    return path


def test_a_file_asks_for_what_it_names_and_the_rest_is_as_usual(file: Path) -> None:
    found = ask("--config", str(file))
    assert (found.submit, found.allow_fake, found.pack, found.check) == (True, True, False, True)
    assert found.container == ContainerRequest("docker", keep=True)
    assert found.may_fetch == MayFetch(model=False)


def test_a_flag_wins_over_the_file_in_both_directions(file: Path) -> None:
    words = "--no-submit --no-gate --pack --container podman --no-container-keep --fetch all"
    found = ask("--config", str(file), *words.split())
    assert (found.submit, found.gate, found.pack, found.allow_fake) == (False, False, True, True)
    assert (found.container, found.may_fetch) == (ContainerRequest("podman"), MayFetch())


@pytest.mark.parametrize(("style", "is_kept"), [("test", True), ("valid", False)])
def test_what_a_style_decides_goes_with_another_style(tmp_path: Path, style: str, is_kept: bool) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"style": "test", "sut": "echo", "delivery": {"full": false, "refuse_invalid": false}}')
    found = ask("--config", str(file), "--style", style)
    assert (found.full, found.refuse_invalid) == (not is_kept, not is_kept)


def test_a_file_that_wants_a_tree_of_a_fake_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("sut: echo\ndelivery: {submit: true}\n")
    with pytest.raises(ConfigError, match="echo SUT is a fake") as error:
        ask("--config", str(file))
    assert "--no-submit" in error.value.hint


def test_to_resume_is_to_ask_for_what_the_run_was_asked_for(tmp_path: Path) -> None:
    asked = echo_job.begun(tmp_path / "run", Delivery(gate=True)).job.config
    parser = argparse.ArgumentParser()
    config_options.add_arguments(parser)
    delivery_options.add_arguments(parser)
    request = delivery_options.from_args(parser.parse_args(["--resume", str(tmp_path / "run")]))
    assert request.config == asked
    assert request.delivery == Delivery(gate=True, earlier_run=EarlierRun.RESUME)
    for words in (["--out", "x"], ["--config", "x"]):
        with pytest.raises(ConfigError, match="names the run folder and its settings"):
            ask("--resume", str(tmp_path / "run"), *words)
    with pytest.raises(ConfigError, match=r"no config\.json"):
        ask("--resume", str(tmp_path))
    (tmp_path / "tune.json").write_text("{}")
    with pytest.raises(ConfigError, match=f"the same `assay tune` with --out {tmp_path} goes on"):
        ask("--resume", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no folder") as caught:
        ask("--resume", str(tmp_path / "rum"))
    assert caught.value.hint == "did you mean run?"
