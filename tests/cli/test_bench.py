"""What `assay bench` says of its settings before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli import bench, main
from assay.config import ContainerRequest, Delivery, Request
from assay.doors import config_options


def asked(delivery: Delivery | None = None, **flags: str) -> str:
    texts = {name.replace("__", "."): text for name, text in flags.items()}
    return bench.asked(Request(config_options.build(None, texts, {}), delivery or Delivery()), is_whole=True)


def test_a_server_has_no_device_precision_or_batch_that_nobody_asked_for() -> None:
    said = asked(sut="endpoint", sut_options__url="http://a:1\nhttp://b:2")
    assert "http://a:1, http://b:2" in said
    assert not any(word in said for word in ("device", "precision", "limits.batch"))
    assert "limits.batch" in asked(sut="endpoint", sut_options__url="http://a:1", limits__batch="9")
    assert "precision" in asked(sut="echo")
    texts = {"sut": "endpoint", "sut_options.url": "http://a:1", "limits.batch": "9"}
    config = config_options.build(None, {}, texts, file="default.yaml")  # the name of a file is no default
    said = bench.asked(Request(config, Delivery()))
    assert "9  (default.yaml; ignored: the endpoint SUT has no batch)" in said
    said = asked(sut="endpoint", sut_options__url="http://a:1", precision="float16", device="cuda")
    assert said.count("; ignored: the endpoint SUT has its own)") == 2
    assert "has its own" not in asked(sut="echo", precision="float16")
    assert "has no batch" not in asked(sut="engine", limits__batch="9")


def test_defaults_are_counted_and_shown_when_all_is_asked_for() -> None:
    request = Request(config_options.build(None, {"sut": "echo", "limits.samples": "4"}, {}), Delivery())
    short, whole = bench.asked(request).splitlines(), bench.asked(request, is_whole=True).splitlines()
    assert [line.split()[:2] for line in short[1:-1]] == [["sut", "echo"], ["limits.samples", "4"]]
    assert short[-1] == f"  and {len(whole) - 3} defaults: -v shows them" and "  style" in "\n".join(whole)


def test_a_refused_run_says_no_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("x")
    words = ("bench", "--sut", "echo", "--samples", "4")
    assert main([*words, "--out", str(tmp_path)]) == 2
    assert "asked:" not in capsys.readouterr().err
    assert main([*words, "--mode", "performance", "--no-submit", "--out", str(tmp_path / "run")]) == 0
    assert "asked:" in capsys.readouterr().err


def test_a_container_is_among_the_settings() -> None:
    assert "delivery.container" not in asked(sut="echo")
    box = Delivery(container=ContainerRequest("podman"))
    assert asked(box, sut="echo").splitlines()[-1].split() == [
        "delivery.container",
        "podman",
        "(base",
        "host)",
    ]
