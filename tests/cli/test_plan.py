from __future__ import annotations

import json

import pytest

from assay import cli
from assay.ground import download


def test_a_refused_plan_prints_its_figures_and_ends_as_bench_would(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "free_bytes", lambda _: 10**9)
    assert cli.main(["plan", "mixtral-8x7b", "--sut", "transformers", "--precision", "float16"]) == 3
    out = capsys.readouterr().out
    assert "46,702,792,704 parameters, 93.4 GB in float16" in out
    assert "BLOCKED   what is to be fetched takes 93.5 GB" in out and "--yes" in out


def test_a_plan_as_json_is_one_object_with_its_blockers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "free_bytes", lambda _: 10**9)
    cli.main(["plan", "mixtral-8x7b", "--json"])
    tree = json.loads(capsys.readouterr().out)
    assert tree["parameters"] == 46_702_792_704
    assert tree["minutes"] is None
    assert tree["blockers"][0]["hint"]


def test_plan_takes_the_options_of_bench_and_refuses_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "mixtral-8x7b", "--precision", "float17"]) == 2
    assert "float17" in capsys.readouterr().err


def test_an_unknown_sut_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "--sut", "nothing"]) == 2
    assert "unknown SUT 'nothing' (from flag --sut)" in capsys.readouterr().err


def test_the_table_of_sizes_holds_every_published_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "--sizes"]) == 0
    out = capsys.readouterr().out
    assert "mixtral-8x7b                  46.7    93.4 GB   93.4 GB   46.7 GB   23.4 GB  131.1 kB" in out
    assert cli.main(["plan", "--sizes", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert {"llama3.1-405b", "deepseek-r1", "gpt-oss-120b", "gptj-99"} <= {
        each["workload"] for each in models
    }
    assert all(each["weight_bytes"]["int8"] == each["parameters"] for each in models)
