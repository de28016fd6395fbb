"""`assay probe` of a mock, and what it refuses before it asks anybody."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from assay.cli import probe
from assay.ground.errors import ConfigError, EnvironmentProblem
from tests.cli.words import parsed
from tests.mock_server import mock


def test_what_a_server_is_and_what_follows_is_said_in_words_and_in_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with mock(api="vllm", model="m") as server:
        assert probe.run(parsed(probe, server.text)) == 0
        said = capsys.readouterr().out
        assert probe.run(parsed(probe, server.text, "--json")) == 0
        found = json.loads(capsys.readouterr().out)
    assert said.startswith(f"{server.text}: vllm\n") and "\nWhat follows for MLPerf\n  - " in said
    assert found["identity"]["kind"] == "vllm" and found["model"] == "m"
    assert f"  - {found['consequences'][0]}" in said.splitlines()
    assert f"  {'exactness':<18} {found['tier']}" in said


def test_a_models_name_of_two_lines_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with mock(api="vllm", model="m\n  exactness  A") as server:
        assert probe.run(parsed(probe, server.text)) == 0
    assert f"  {'model':<18} m\\n  exactness  A\n" in capsys.readouterr().out


@pytest.mark.parametrize("timeout", ["0", "-1", "1e9", "nan"])
def test_a_timeout_is_seconds_above_zero(timeout: str) -> None:
    with pytest.raises(ConfigError, match="--timeout is seconds") as caught:
        probe.run(parsed(probe, "http://127.0.0.1:1", "--timeout", timeout))
    assert caught.value.hint == "--timeout 60"


def test_a_timeout_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="soon"):
        parsed(probe, "http://127.0.0.1:1", "--timeout", "soon")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "no address", ""])
def test_what_is_no_address_of_a_server_is_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError):
        probe.run(parsed(probe, url))


def test_a_server_that_is_not_there_is_told(unused: int) -> None:
    with pytest.raises(EnvironmentProblem):
        probe.run(parsed(probe, f"http://127.0.0.1:{unused}"))


@pytest.mark.parametrize(
    ("more", "words"),
    [(["--api", "nothing"], "there is no API nothing"), (["--model", "other"], "has no model other")],
)
def test_an_api_or_model_that_is_not_there_is_named(more: list[str], words: str) -> None:
    with mock(api="vllm", model="m") as server, pytest.raises(ConfigError, match=words):
        probe.run(parsed(probe, server.text, *more))


def test_a_variable_without_a_key_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(ConfigError, match="NO_SUCH_KEY"):
        probe.run(parsed(probe, "http://127.0.0.1:1", "--api-key-env", "NO_SUCH_KEY"))


def test_a_tokenizer_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=str(tmp_path / "none")):
        probe.run(parsed(probe, "http://127.0.0.1:1", "--tokenizer", str(tmp_path / "none")))


@pytest.fixture
def unused() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
