from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from assay.cli import mock as verb
from assay.endpoint import single
from assay.endpoint.mock import server
from assay.ground.errors import ConfigError, EnvironmentProblem
from tests.cli.words import parsed


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_a_mock_prints_its_port_and_ends_when_told(ended_by: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "m.toml"
    script.write_text('model = "m"\n[[fault]]\nkind = "busy"\nrequests = [1]\n')
    command = [sys.executable, "-c", "from assay.cli import entry; entry()"]
    with subprocess.Popen(
        [*command, "mock", "--port", "0", "--script", str(script), "--api", "sglang"],
        stdout=subprocess.PIPE,
        text=True,
    ) as mock:
        assert mock.stdout is not None
        found = re.search(r"mock sglang at (http://\S+)", mock.stdout.readline())
        assert found is not None
        assert single.fact(single.probed_server(found[1]), "/get_model_info") == (200, '{"model_path": "m"}')
        mock.send_signal(ended_by)
        assert mock.wait(10) == 0


def test_a_script_that_is_none_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("a.toml", "= 1"), ("b.json", "[1]"), ("c.json", "{"), ("d.toml", "slotz = 1")):
        (tmp_path / name).write_text(text)
        assert main(["mock", "--script", str(tmp_path / name)]) == 2
        assert "assay:" in capsys.readouterr().err
    assert main(["mock", "--port", "70000"]) == 2


def test_mocks_that_share_a_port_listen_beside_each_other_and_others_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = [sys.executable, "-m", "assay", "mock", "--share-port", "--port"]
    started = []
    try:
        port = "0"
        for _ in range(2):
            started.append(subprocess.Popen([*command, port], stdout=subprocess.PIPE, text=True))
            output = started[-1].stdout
            assert output is not None
            found = re.search(r":(\d+) ", output.readline())
            assert found is not None
            port = found[1]
        assert main(["mock", "--port", port]) == 3
        assert "--port 0 takes a free one" in capsys.readouterr().err
    finally:
        for each in started:
            each.kill()
            each.wait()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The script and port of each server that would have run; it is ended at once, as by Ctrl-C."""
    seen: list[Any] = []

    async def serve(script: Any, host: str, port: int, ready: Any, *, shares_port: bool) -> None:
        seen.append((script, host, port, shares_port))
        ready(4321)
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "serve", serve)
    return seen


@pytest.mark.parametrize(
    ("name", "text", "model"),
    [("a.toml", 'model = "t"', "t"), ("a.json", '{"model": "j"}', "j"), ("a.json", "{}", None)],
)
def test_a_script_is_toml_or_json_and_the_api_is_over_it(
    name: str,
    text: str,
    model: str | None,
    tmp_path: Path,
    served: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_text(text)
    words = [
        "--script",
        str(tmp_path / name),
        "--api",
        "sglang",
        "--port",
        "0",
        "--host",
        "127.0.0.1",
        "--share-port",
    ]
    assert verb.run(parsed(verb, *words)) == 0
    ((script, *place),) = served
    assert place == ["127.0.0.1", 0, True] and script.api == "sglang" and model in (None, script.model)
    assert capsys.readouterr().out == "mock sglang at http://127.0.0.1:4321 (end it with Ctrl-C)\n"


def test_where_it_listens_is_told_in_json(served: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert verb.run(parsed(verb, "--json")) == 0
    assert json.loads(capsys.readouterr().out) == {"api": "vllm", "url": "http://127.0.0.1:4321"}
    assert served[0][2] == 8000


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_cannot_be_is_refused(port: str, served: list[Any]) -> None:
    with pytest.raises(ConfigError, match="there is no port"):
        verb.run(parsed(verb, f"--port={port}"))
    assert served == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.toml", "= 1"), ("a.json", "{"), ("a.json", "[]"), ("a.toml", "\xff"), ("a.json", "")],
)
def test_a_script_that_cannot_be_read_is_named(
    name: str, text: str, tmp_path: Path, served: list[Any]
) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=str(tmp_path / name)):
        verb.run(parsed(verb, "--script", str(tmp_path / name)))
    assert served == []


def test_a_port_that_somebody_has_is_a_matter_of_the_machine() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EnvironmentProblem, match="port ") as caught:
            verb.run(parsed(verb, "--port", str(taken.getsockname()[1])))
    assert "--port 0" in caught.value.hint
