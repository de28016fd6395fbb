"""import, compare, history, answers and report given what is no run: a sentence, an exit code, no traceback."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.cli import main
from assay.mlperf.record.run_folder import RunFolder
from tests import fakes
from tests.report import rows

DEEP = "[" * 100_000
TEXTS: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "half": b'{"status": "COMP',
    "deep": DEEP.encode(),
    "deep object": b'{"a":' * 50_000,
    "list": b"[]",
    "number": b"7",
    "null": b"null",
    "string": b'"run"',
    "empty object": b"{}",
    "nul bytes": b"\0" * 4096,
    "no utf-8": b'{"status": "\xff\xfe"}',
    "utf-16": '{"status": "COMPLETE"}'.encode("utf-16"),
    "infinite": b'{"schema_version": 1e999, "runs": [Infinity]}',
    "nan version": b'{"schema_version": NaN}',
    "long number": b'{"schema_version": ' + b"9" * 5000 + b"}",
    "version of the future": b'{"schema_version": 99, "assay": "9.0"}',
    "version by word": b'{"schema_version": "two"}',
    "no schema": b'{"status": "COMPLETE", "runs": {}}',
    "lone surrogate": b'{"schema_version": 2, "workload": "\\ud800"}',
    "keys twice": b'{"schema_version": 2, "schema_version": 1, "runs": 3}',
    "yaml": b"status: COMPLETE\nruns: []\n",
    "html": b"<!doctype html><script>alert(1)</script>",
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0",
    "vllm without model": b'{"request_throughput": 1, "completed": 2}',
    "vllm of words": b'{"request_throughput": "fast", "completed": "all", "model_id": []}',
    "guidellm of nothing": b'{"benchmarks": [null, 3]}',
    "aiperf of null": b'{"request_throughput": {"avg": null}, "request_count": {"avg": 1}}',
    "endpoints of infinity": b'{"n_samples_issued": 1e999, "duration_ns": 1}',
}
"""What may stand in a result.json, or in the file that is imported."""


def answered(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> int:
    """The exit code; that of a fault in Assay itself, and a traceback, fail the test."""
    code = main(arguments)
    said = capsys.readouterr()
    assert code in (1, 2, 3, 4) and "Traceback" not in said.err + said.out
    assert "assay: " in said.err + said.out
    assert "\x1b" not in said.out + said.err and "\0" not in said.out + said.err
    return code


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    folder = tmp_path / "whole"
    folder.mkdir()
    fakes.result().write(folder)
    return folder


@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
def test_a_strange_record_is_refused_by_each_verb(
    content: bytes, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = tmp_path / "strange"
    strange.mkdir()
    record = strange / "result.json"
    record.write_bytes(content)
    answered(["compare", str(whole), str(strange)], capsys)
    answered(["compare", str(strange), str(whole)], capsys)
    answered(["answers", str(strange)], capsys)
    answered(["report", str(strange)], capsys)
    answered(["import", str(record), "--out", str(tmp_path / "imported")], capsys)
    answered(["import", str(strange), "--out", str(tmp_path / "imported")], capsys)
    assert not (tmp_path / "imported").exists() and record.read_bytes() == content


@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
def test_history_has_a_row_with_the_reason_and_compare_passes_over_it(
    content: bytes, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "result.json").write_bytes(content)
    assert main(["history", str(tmp_path), "--html", str(tmp_path / "h.html")]) == 0
    said = capsys.readouterr().out
    assert "strange" in said and "whole" in said
    assert "<script>alert" not in (tmp_path / "h.html").read_text()
    assert main(["compare", str(whole), str(whole)]) == 0
    assert "no earlier runs" in capsys.readouterr().out


TABLES: dict[str, Any] = {
    "empty": b"",
    "no parquet": b"PAR1 but not really PAR1",
    "cut": None,
    "no version": pa.table({"scenario": ["Offline"]}),
    "no columns": pa.table({"x": [1]}).replace_schema_metadata({b"assay.requests.schema": b"1"}),
    "no times": pa.table(
        {"scenario": ["Offline"] * 50, "mode": ["performance"] * 50}
    ).replace_schema_metadata({b"assay.requests.schema": b"1"}),
    "version by word": pa.table({"x": [1]}).replace_schema_metadata({b"assay.requests.schema": b"one"}),
    "version of the future": pa.table({"x": [1]}).replace_schema_metadata({b"assay.requests.schema": b"9"}),
}


@pytest.mark.parametrize("found", TABLES.values(), ids=TABLES)
def test_a_strange_table_of_requests_is_named(
    found: Any, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = RunFolder(whole).requests
    if isinstance(found, pa.Table):
        pq.write_table(found, path)
    elif found is None:
        pq.write_table(rows.table(100), path)
        os.truncate(path, path.stat().st_size // 2)
    else:
        path.write_bytes(found)
    answered(["compare", str(whole), str(whole)], capsys)


@pytest.mark.parametrize("value", [0.0, -5.0, 1e308, 1e-308])
def test_figures_out_of_all_bounds_are_compared_without_an_error(
    value: float, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = fakes.result()
    run = dataclasses.replace(
        made.runs[0], figures=tuple(dataclasses.replace(f, value=value) for f in made.runs[0].figures)
    )
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        dataclasses.replace(made, runs=(run, *made.runs[1:])).write(tmp_path / name)
    assert main(["compare", str(whole), str(tmp_path / "a"), "--json"]) == 0
    json.loads(capsys.readouterr().out)
    more = [
        "--and-a",
        str(tmp_path / "b"),
        "--and-b",
        str(tmp_path / "c"),
        "--fail-if",
        "tokens_per_s < 0.5x",
    ]
    assert main(["compare", str(whole), str(tmp_path / "a"), *more]) in (0, 1)


def test_folders_pipes_and_loops_in_place_of_files_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, loop = tmp_path / "folder", tmp_path / "loop"
    (folder / "result.json").mkdir(parents=True)
    loop.mkdir()
    (loop / "result.json").symlink_to("result.json")
    for place in (folder, loop, tmp_path / "nowhere"):
        for verb in (["report"], ["answers"], ["import", "--out", str(tmp_path / "new")]):
            answered([verb[0], str(place), *verb[1:]], capsys)
    assert main(["history", str(tmp_path)]) == 0
