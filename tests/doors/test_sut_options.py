"""Options that SUTs declare, at the door: flags, lists, switches, names that two of them or Assay itself have."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay import suts
from assay.config import BenchmarkConfig
from assay.doors import cm, config_options, config_text, sut_options
from assay.ground.errors import ConfigError
from assay.ground.packages import PackageEntries
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import SutOption

RELAY = SutKind(
    name="relay",
    summary="",
    module="relay",
    needs_checkpoint=False,
    default_batch=lambda *_: 1,
    options=(
        SutOption("url", str, "address of a server", is_list=True),
        SutOption("warm", bool, "asks once before the run", True),
        SutOption("threads", int, "threads of the client", least=1),
        SutOption("batch", int, "requests in one call", least=1),
        SutOption("api_key_env", str, "variable with the key", is_variable=True),
    ),
)


@pytest.fixture(autouse=True)
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A SUT as another package brings it."""
    monkeypatch.setattr(suts, "_of_packages", lambda: PackageEntries({"relay": RELAY}, ()))
    return iter(())


def asked(*words: str) -> BenchmarkConfig:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    config_options.add_arguments(parser)
    sut_options.add_arguments(parser)
    return config_options.from_args(parser.parse_args(list(words)))


def test_a_list_is_given_once_for_each_value_and_comes_back_from_command_and_variables() -> None:
    config = asked(
        "--sut", "relay", "--url", "http://a?x=1,2", "--url", "http://b", "--no-warm", "--threads", "3"
    )
    assert config.sut_options == {"url": ("http://a?x=1,2", "http://b"), "warm": False, "threads": 3}
    assert config.origin["sut_options.url"] == "flag --url"
    assert asked(*config_text.command(config)[2:]) == config
    assert cm.from_cm(*cm.to_cm(config)) == config


def test_a_default_is_in_the_config_and_not_in_the_command() -> None:
    config = asked("--sut", "relay")
    assert config.sut_options == {"warm": True} and config.origin["sut_options.warm"] == "default"
    assert "--warm" not in config_text.command(config)


def test_an_option_that_two_suts_have_is_read_by_the_one_that_is_asked_for() -> None:
    assert asked("--sut", "engine", "--threads", "2").sut_options["threads"] == 2
    assert asked("--sut", "relay", "--threads", "2").sut_options["threads"] == 2
    with pytest.raises(ConfigError, match="belongs to the engine and relay SUT, not to echo"):
        asked("--sut", "echo", "--threads", "2")


def test_a_name_that_assay_has_itself_stays_assays_flag_and_can_be_asked_for_in_run_yaml() -> None:
    config = config_options.build(None, {"limits.batch": "9"}, {"sut": "relay", "sut_options.batch": "5"})
    assert config.limits.batch == 9 and config.sut_options["batch"] == 5
    assert asked("--sut", "relay", "--batch", "9").limits.batch == 9


@pytest.mark.parametrize("words", [("endpoint", "--url", "http://a"), ("serve", "--server", "vllm")])
def test_a_batch_is_refused_where_a_server_decides_it(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"SUT has no batch \(from flag --batch\)") as error:
        asked("--sut", *words, "--batch", "1")
    assert error.value.hint.startswith("--max-in-flight N: most requests at the same time")
    assert asked("--sut", *words).limits.batch == 64  # the workload's own, which nobody asked for


def test_a_batch_of_another_sut_that_has_none_is_taken() -> None:
    for words in (("echo",), ("ray", "--of", "echo"), ("ray", "--of", "engine")):
        assert asked("--sut", *words, "--batch", "8").limits.batch == 8


def test_a_batch_in_a_file_may_be_of_another_sut(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("limits: {batch: 8}\n")
    assert asked("--config", str(tmp_path / "run.yaml"), "--sut", "echo").limits.batch == 8


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit):
        asked(*words, "--help")
    return " ".join(capsys.readouterr().out.split())


def test_the_help_has_the_options_of_the_sut_that_is_named_and_a_line_for_each_without_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    every, one = help_of(capsys), help_of(capsys, "--sut", "relay")
    assert all(kind.name in every for kind in suts.kinds()) and "--sut NAME --help" in every
    assert "longest time without a byte" not in every and "longest time without a byte" not in one
    assert "options of --sut relay" in one and "--threads" in one
    assert "--batch is taken: sut_options.batch in a run.yaml" in one
    assert "--max-in-flight N most requests at the same time (default: 256)" in help_of(
        capsys, "--sut", "serve"
    )


def test_an_option_of_several_suts_names_them_and_repeats_nothing() -> None:
    parser = argparse.ArgumentParser()
    config_options.add_arguments(parser)
    sut_options.add_arguments(parser)
    helps = {word: action.help or "" for word, action in parser._option_string_actions.items()}
    assert helps["--retries"].startswith("endpoint and serve: tries after")
    assert helps["--api"].startswith("endpoint: how") and "; serve: how" in helps["--api"]
    assert helps["--pace"].startswith("echo: samples/s")


def test_two_values_of_what_is_no_list_are_refused_and_neither_is_repeated() -> None:
    with pytest.raises(ConfigError, match="--api-key-env is given twice") as error:
        asked("--sut", "relay", "--api-key-env", "sk-1", "--api-key-env", "sk-2")
    assert "sk-" not in str(error.value)
    same = asked("--sut", "relay", "--threads", "2", "--threads", "2")
    assert same.sut_options["threads"] == 2


def test_a_variable_of_cm_for_an_option_that_is_not_declared_is_refused() -> None:
    selection, env = cm.to_cm(dataclasses.replace(asked("--sut", "relay"), sut_options={"warm": False}))
    assert env["CM_ASSAY_SUT_OPTIONS_WARM"] == "no"
    with pytest.raises(ConfigError, match=r"has no option 'wram'(.|\n)*did you mean warm"):
        cm.from_cm(selection, {**env, "CM_ASSAY_SUT_OPTIONS_WRAM": "no"})


def test_options_that_two_suts_take_ask_for_neither() -> None:
    with pytest.raises(ConfigError, match="--url belongs to the endpoint and relay SUT"):
        asked("--url", "http://127.0.0.1:1")
