from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from assay import cli
from assay.bench import cost, machines
from assay.bench.machines import Machine
from assay.bench.model_sizes import ModelSizes
from assay.bench.plan import Blocker, Plan
from assay.cli import plan as verb
from assay.cli.progress import duration
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


def test_plan_takes_what_bench_is_told_around_the_measurement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    asked = ["--sut", "echo", "--submit", "--allow-fake", "--yes", "--gate", "--out", str(tmp_path)]
    assert cli.main(["plan", *asked]) == cli.main(["bench", *asked, "--dry-run"]) == 2
    assert f"BLOCKED   {tmp_path} is not empty" in capsys.readouterr().out
    assert cli.main(["bench", *asked]) == 2
    assert f"{tmp_path} is not empty" in capsys.readouterr().err


def test_a_time_between_the_shortest_and_the_longest_prompts_is_a_range(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        cost, "seconds", lambda work: ({"answer": 60.0 * len(work.samples[0].prompt_ids)}, None)
    )
    assert cli.main(["plan", "mixtral-8x7b", "--sut", "echo"]) == 0
    out = capsys.readouterr().out
    assert (
        f"time      {duration(60)} to {duration(60 * 2048)}" in out and "prompts of 1 to 2,048 tokens" in out
    )


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


SIZES = ModelSizes(
    "w", "org/model", 7 * 10**9, 14 * 10**9, {"float16": 14 * 10**9, "int8": 7 * 10**9}, 131_072, 2_000, {}
)
PLAN = Plan(
    workload="w",
    sut="engine",
    precision="int8",
    samples=15_000,
    answer_tokens=144.6,
    parameters=7 * 10**9,
    weight_bytes=7 * 10**9,
    sizes=SIZES,
    could_run=("a in int8", "b"),
    download_bytes=999,
    read_bytes=1_000,
    disk_bytes=2_500_000,
    ram_bytes=3 * 10**12,
    ram_free_bytes=10**9,
    parts={"load": 60.0, "Offline": 3540.0},
    seconds_at_least=None,
    seconds_at_most=7200.0,
    blockers=(),
    notes=("a note",),
)


def shown(**changes: Any) -> list[str]:
    return verb.render(dataclasses.replace(PLAN, **changes)).splitlines()


def test_a_plan_is_told_in_rows_with_units() -> None:
    lines = shown()
    assert lines[:4] == [
        "plan:",
        "  workload  w, engine SUT, int8",
        "  samples   15,000, about 145 tokens an answer",
        "  weights   7,000,000,000 parameters, 7.0 GB in int8",
    ]
    assert lines[4:7] == [
        "  model     org/model: 14.0 GB as published",
        "            14.0 GB in float16, 7.0 GB in int8",
        "  kv        131.1 kB a token in 16 bits, 262.1 MB for the longest (2,000 tokens)",
    ]
    assert lines[7:11] == [
        "  download  999 B",
        "  read      1.0 kB",
        "  disk      2.5 MB",
        "  memory    3.0 TB at most, 1.0 GB free",
    ]
    assert lines[11].startswith("  time      ") and "(load 60 s, Offline 59 min)" in lines[11]
    assert lines[12].endswith("if every answer were as long as allowed")
    assert lines[13:] == ["  note      a note", "  instead   fit here, one answer at a time: a in int8, b"]


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({"samples": None}, "  samples"),
        ({"parameters": None}, "  weights"),
        ({"weight_bytes": None}, "  weights"),
        ({"sizes": None}, "  kv"),
        ({"parts": {}}, "if every answer"),
        ({"seconds_at_most": None}, "if every answer"),
        ({"could_run": ()}, "  instead"),
        ({"answer_tokens": None}, "tokens an answer"),
    ],
)
def test_what_is_not_known_has_no_row(changes: dict[str, Any], absent: str) -> None:
    assert any(absent in line for line in shown()) and not any(absent in line for line in shown(**changes))


def test_it_is_said_why_no_time_is_known() -> None:
    def time(**changes: Any) -> list[str]:
        return [line.split(maxsplit=1)[1] for line in shown(parts={}, **changes) if line.startswith("  time")]

    assert time() == ["not known: see the notes"]
    assert time(samples=None) == ["not known: the dataset is not here"]
    assert time(blockers=(Blocker("too large", "", 3),)) == ["not known: see BLOCKED"]


def test_each_blocker_is_told_with_what_to_try() -> None:
    blockers = (Blocker("too large", "buy memory", 3), Blocker("no way", "", 2))
    assert shown(blockers=blockers)[-4:] == [
        "  BLOCKED   too large",
        "            try: buy memory",
        "  BLOCKED   no way",
        "  instead   fit here, one answer at a time: a in int8, b",
    ]


def test_the_memory_of_a_model_that_is_not_there_is_not_known() -> None:
    assert "  memory    not known, 1.0 GB free" in shown(ram_bytes=None)


def test_other_machines_are_a_table_of_memory_and_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        Machine(8, 0, 0.0, 0, ()),
        Machine(64, 16, 12.34, 100, tuple(float(n) for n in range(1, len(machines.DISKS) + 1))),
        Machine(256, 64, 0.0, 256, tuple(99.0 for _ in machines.DISKS)),
    ]
    asked: list[tuple[int, str]] = []
    monkeypatch.setattr(
        machines, "table", lambda tree, precision, kv: asked.append((tree["hidden_size"], kv)) or rows
    )
    assert cli.main(["plan", "mixtral-8x7b", "--machines"]) == 0
    _, head, none, some, whole = capsys.readouterr().out.splitlines()
    assert head.count("GB/s") == len(machines.DISKS) and none.endswith("cannot run")
    assert "12.3 GB" in some and "nothing" in whole and len(head) == len(some) == len(whole)
    assert cli.main(["plan", "mixtral-8x7b", "--machines", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["memory_gib"] for each in found["machines"]] == [8, 64, 256]
    assert (found["model"], found["precision"]) == ("mistralai/Mixtral-8x7B-Instruct-v0.1", "bfloat16")
    assert cli.main(["plan", "mixtral-8x7b", "--sut", "engine", "--machines", "--kv-precision", "int8"]) == 0
    assert "with keys and values in int8" in capsys.readouterr().out
    assert asked == [(4096, "auto"), (4096, "auto"), (4096, "int8")]


@pytest.mark.parametrize(
    ("workload", "name", "layers", "hidden"),
    [
        ("llama3.1-8b", "meta-llama/Llama-3.1-8B-Instruct", 32, 4096),
        ("llama2-70b-99", "meta-llama/Llama-2-70b-chat-hf", 80, 8192),
        ("mixtral-nano", "mixtral-nano", 4, 192),
    ],
)
def test_other_machines_are_of_the_workloads_own_model(
    workload: str,
    name: str,
    layers: int,
    hidden: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[int, int]] = []

    def table(tree: dict[str, int], precision: object, kv: str) -> list[Machine]:
        asked.append((tree["num_hidden_layers"], tree["hidden_size"]))
        return []

    monkeypatch.setattr(machines, "table", table)
    assert cli.main(["plan", workload, "--machines"]) == 0
    assert asked == [(layers, hidden)] and f"tokens/s of {name} in" in capsys.readouterr().out


@pytest.mark.parametrize("workload", ["gptj-99", "deepseek-r1"])
def test_other_machines_are_refused_for_a_model_that_the_engine_does_not_run(
    workload: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["plan", workload, "--machines"]) == 2
    assert "tokens/s" not in capsys.readouterr().out
