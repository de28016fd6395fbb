from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.cli import main
from assay.endpoint import single


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
