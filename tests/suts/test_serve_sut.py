from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.config import Device, Precision
from assay.ground import files
from assay.ground.errors import ArtifactError, AssayError, ConfigError, EnvironmentProblem, RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.child import first_error
from assay.mlperf.sut.interface import Query, SutSpec
from assay.mlperf.workloads.workload import Generation
from assay.nano import shipped
from assay.suts import endpoint_http, serve_command, serve_program, serve_sut
from assay.suts.serve import KIND

SERVER = """
import os, sys, time
sys.path.insert(0, {tests!r})
from tiny_server import TinyServer
with TinyServer(lambda request: [5, 6, 7, 2], port=int(sys.argv[1])):
    open(sys.argv[2], "w").write(str(os.getpid()))
    time.sleep(60)
"""

LLAMA_SERVER = """#!{python}
import argparse, asyncio, pathlib
from assay.endpoint.mock.script import MockScript
from assay.endpoint.mock.server import serve
parser = argparse.ArgumentParser(allow_abbrev=False)
for name in ("--model", "--alias", "--host", "--port", "--cache-ram", "-np", "-c"):
    parser.add_argument(name, required=True)
parser.add_argument("--no-context-shift", action="store_true")
asked = parser.parse_args()
assert pathlib.Path(asked.model).read_bytes() == b"GGUF"
script = MockScript(api="llamacpp", model=asked.alias, tokens=4, loading_s=0.7)
asyncio.run(serve(script, asked.host, int(asked.port), lambda port: None))
"""
"""Has the options of llama.cpp's server that Assay gives it, and no other."""


class Silent:
    def __init__(self) -> None:
        self.ids: list[int] = []

    def first_tokens(self, tokens: Any) -> None:
        pass

    def done(self, answers: Any) -> None:
        self.ids += [answer.id for answer in answers]

    def worst_endpoint(self, words: str) -> None:
        pass

    def progress(self, message: str) -> None:
        pass


def spec_of(server: str, checkpoint: Path | None = None, **options: Any) -> SutSpec:
    return SutSpec(
        "serve",
        checkpoint or shipped.checkpoint_dir(),
        Device.CPU,
        Precision.BFLOAT16,
        None,
        Generation(2, 8, 2),
        False,
        {"server": server, **options},
    )


def sample(index: int) -> Sample:
    return Sample(index, f"t.{index}", "", "", (1, 50, 51 + index), "", (), ())


def built(server: str, sink: Silent, **options: Any) -> serve_sut.ServeSut:
    return serve_sut.build(spec_of(server, **options), [sample(0)], sink)


def test_a_server_is_started_asked_and_stopped(tmp_path: Path) -> None:
    script, mark = tmp_path / "server.py", tmp_path / "pid"
    script.write_text(SERVER.format(tests=str(Path(__file__).parents[1] / "endpoint")))
    sink = Silent()
    sut = built(f"{sys.executable} {script} {{port}} {mark}", sink)
    sut.issue([Query(7, 0)])
    sut.flush()
    used = sut.used()
    sut.close()
    assert sink.ids == [7] and used.faults == ()
    assert used.details["command"][1] == str(script)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_another_data_set_is_asked_of_the_server_that_runs(tmp_path: Path) -> None:
    script, mark = tmp_path / "server.py", tmp_path / "pid"
    script.write_text(SERVER.format(tests=str(Path(__file__).parents[1] / "endpoint")))
    sink = Silent()
    command = f"{sys.executable} {script} {{port}} {mark}"
    sut = built(command, sink)
    first = mark.read_text()
    sut.renew(spec_of(command), [sample(0), sample(1)])
    sut.issue([Query(7, 1)])
    sut.flush()
    sut.close()
    assert sink.ids == [7] and mark.read_text() == first


def test_llamacpp_is_started_with_the_gguf_beside_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "llama-server"
    program.write_text(LLAMA_SERVER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    sink = Silent()
    spec = spec_of("llamacpp", tmp_path, server_args="-np 2 -c 4096")
    sut = serve_sut.build(spec, [sample(0)], sink)
    sut.issue([Query(7, 0)])
    sut.flush()
    used = sut.used()
    sut.close()
    assert sink.ids == [7] and used.faults == () and used.breaches == ()
    assert used.details["api"]["name"] == "llamacpp" and used.details["tier"] == "A"
    assert used.details["endpoints"][0]["server"]["build_info"] == "mock"
    assert used.weights_sha256 == files.sha256_all([tmp_path / "model.gguf"])


def test_a_folder_without_one_gguf_is_no_checkpoint_of_llamacpp(tmp_path: Path) -> None:
    asked = KIND.values({"server": "llamacpp"})
    with pytest.raises(ArtifactError, match=r"holds no \.gguf"):
        serve_command.command(asked, tmp_path, 1, Precision.FLOAT32)
    for name in ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf"):
        (tmp_path / name).touch()
    words = serve_command.command(asked, tmp_path, 1, Precision.FLOAT32)
    assert words[:3] == ["llama-server", "--model", str(tmp_path / "m-00001-of-00002.gguf")]
    assert len(serve_command.weight_files(asked, tmp_path)) == 2
    (tmp_path / "other.gguf").touch()
    with pytest.raises(ArtifactError, match="reads one GGUF"):
        serve_command.command(asked, tmp_path, 1, Precision.FLOAT32)
    one_s_own = KIND.values({"server": "/opt/llama-server -m {gguf} --port {port}"})
    (tmp_path / "other.gguf").unlink()
    assert serve_command.command(one_s_own, tmp_path, 1, Precision.FLOAT32)[2] == words[2]


@pytest.mark.parametrize("more", ["-m other.gguf", "--model=other", "--port 1", "--host 0.0.0.0"])
def test_what_assay_gives_a_server_with_a_name_is_not_given_twice(more: str, tmp_path: Path) -> None:
    asked = KIND.values({"server": "vllm", "server_args": more})
    with pytest.raises(ConfigError, match="is given by Assay"):
        serve_command.command(asked, tmp_path, 1, Precision.BFLOAT16)


def test_a_server_that_ends_while_it_loads_is_said_at_once() -> None:
    with pytest.raises(RunFailed, match="ended with exit code 3 before it answered"):
        built(f"{sys.executable} -c 'import sys; sys.exit(3)' {{port}}", Silent())


VLLM_LOG = """\
INFO 11-29 20:17:10 [core.py:90] Initializing: an error below would be said
WARNING 11-29 20:17:11 [utils.py:1] ImportError: no module named flash: another kernel is used
(EngineCore pid=7) ERROR 11-29 20:17:15 [core.py:718] EngineCore failed to start.
(EngineCore pid=7) ERROR 11-29 20:17:15 [core.py:718] Traceback (most recent call last):
(EngineCore pid=7) ERROR 11-29 20:17:15 [core.py:718] ValueError: 3 GiB free: decrease --gpu-memory-utilization
{more}
RuntimeError: Engine core initialization failed. See root cause above.
"""


@pytest.mark.parametrize("lines", [0, 9])
def test_the_first_error_of_a_server_is_quoted_where_its_last_lines_do_not_have_it(
    lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, script = tmp_path / "log", tmp_path / "dies.py"
    log.write_text("ERROR ValueError: of another server before\n")
    text = VLLM_LOG.format(more="\n".join(["  a line of a traceback"] * lines))
    script.write_text(f"import sys\nopen({str(log)!r}, 'a').write({text!r})\nsys.exit(1)")
    monkeypatch.setattr(serve_sut, "OWN_OUTPUT", log)
    with pytest.raises(RunFailed) as told:
        built(f"{sys.executable} {script} {{port}}", Silent())
    assert told.value.message.count("decrease --gpu-memory-utilization") == 1
    assert ("; its first error: (EngineCore pid=7) ERROR" in told.value.message) is bool(lines)
    assert "another" not in told.value.message.partition("its last lines")[0]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("error: unknown option\nusage", "error: unknown option"),
        ("a\nERROR 1 it fails\nb\ntorch.OutOfMemoryError: no room\n", "torch.OutOfMemoryError: no room"),
        ("ready\n0 errors\n", ""),
        ("", ""),
    ],
)
def test_an_exception_says_more_than_a_line_that_calls_itself_an_error(text: str, error: str) -> None:
    assert first_error(io.BytesIO(text.encode()), 0) == error


@pytest.mark.parametrize("server", ["vllm", "sglang"])
def test_a_python_without_the_server_is_refused_before_it_starts(server: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=f"no module {server}") as told:
        built(server, Silent())
    assert told.value.hint == f"--server-python the python of an environment with {server}"
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serve_program, "IMPORT_S", 0.1)
        serve_program.refuse_missing(server, str(slow))  # who says nothing is not refused


LATE = """
import pathlib, sys
sys.path.insert(0, {tests!r})
from tiny_server import TinyServer
import time
log, tries = pathlib.Path({log!r}), pathlib.Path({tries!r})
tries.write_text(tries.read_text() + sys.argv[1] + " ")
if len(tries.read_text().split()) <= {taken}:
    log.write_text("[Errno 98] error while attempting to bind on address: address already in use")
    sys.exit(1)
log.write_text("")
with TinyServer(lambda request: [5, 6, 7, 2], port=int(sys.argv[1])):
    time.sleep(60)
"""


@pytest.mark.parametrize("taken", [1, 3])
def test_a_server_whose_port_is_taken_meanwhile_gets_another_a_few_times(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, tries, script = tmp_path / "log", tmp_path / "tries", tmp_path / "late.py"
    log.touch()
    tries.touch()
    tests = str(Path(__file__).parents[1] / "endpoint")
    script.write_text(LATE.format(tests=tests, log=str(log), tries=str(tries), taken=taken))
    monkeypatch.setattr(serve_sut, "OWN_OUTPUT", log)
    command = f"{sys.executable} {script} {{port}}"
    if taken < serve_sut.PORT_TRIES:
        sut = built(command, Silent())
        assert str(sut.used().details["command"][-1]) == tries.read_text().split()[-1]
        sut.close()
    else:
        with pytest.raises(RunFailed, match="address already in use"):
            built(command, Silent())
    assert len(tries.read_text().split()) == min(taken + 1, serve_sut.PORT_TRIES)


def test_a_server_that_never_answers_is_ended() -> None:
    with pytest.raises(RunFailed, match="does not answer after 1 s"):
        built("sleep 60 {port}", Silent(), start_timeout=1.0)


def test_a_server_that_never_lists_a_model_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_http, "models", lambda *_: [])
    with pytest.raises(RunFailed, match="lists no model after 1 s"):
        built("sleep 60 {port}", Silent(), start_timeout=1.0)


@pytest.mark.parametrize("server", ["llama-server", "'", "/no/such/file {port}"])
def test_a_command_that_cannot_be_started_is_refused(server: str) -> None:
    with pytest.raises(AssayError):
        built(server, Silent())


def test_known_servers_are_started_without_a_prefix_cache() -> None:
    asked = {"server": "vllm", "server_python": "py", "server_args": "--max-num-seqs 8"}
    words = serve_command.command(asked, Path("/m"), 8000, Precision.BFLOAT16)
    assert words[:4] == ["py", "-m", "vllm.entrypoints.openai.api_server", "--model"]
    assert "--no-enable-prefix-caching" in words and words[-2:] == ["--max-num-seqs", "8"]
    other = {"server": "sglang", "server_python": None, "server_args": None}
    words = serve_command.command(other, Path("/m"), 1, Precision.FLOAT16)
    assert words[0] == sys.executable and "--disable-radix-cache" in words
    assert KIND.defaults()["server"] == "vllm"


def test_a_text_that_is_no_command_line_is_refused() -> None:
    with pytest.raises(ConfigError):
        serve_command.command(KIND.values({"server": "x '"}), Path("/m"), 1, Precision.FLOAT16)
