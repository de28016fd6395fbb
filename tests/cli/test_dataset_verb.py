from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from assay.cli import dataset as verb
from assay.cli import main
from assay.ground.errors import ArtifactError, ConfigError
from assay.ground.files import sha256
from assay.mlperf import workloads
from assay.mlperf.data import dataset, dataset_file
from assay.mlperf.data.dataset_file import write_columns
from assay.mlperf.workloads.datasets.mixtral_rows import SCHEMA
from tests.cli.words import parsed
from tests.mlperf.data.test_dataset import rows
from tests.mlperf.workloads.datasets.test_mixtral_build import letters, sources

__all__ = ["letters", "sources"]  # fixtures


def test_inspect_tells_counts_lengths_and_checksum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "set.parquet"
    write_columns(path, dataset.columns_of(rows()))
    assert main(["dataset", "inspect", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["sha256"] == sha256(path)
    assert facts["subsets"]["GSM8K"] == {
        "rows": 1,
        "first": 0,
        "prompt_tokens": {"least": 3, "mean": 3.0, "most": 3},
        "reference_tokens": {"least": 2, "mean": 2.0, "most": 2},
        "double_bos": 1,
    }
    assert facts["languages"] == {"cpp": 1}
    assert main(["dataset", "inspect", str(path)]) == 0
    assert "languages  cpp 1" in capsys.readouterr().out


def test_inspect_reads_a_file_once_however_many_forms_it_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, reads, read = tmp_path / "set.jsonl", [], dataset_file.read_columns
    monkeypatch.setattr(dataset_file, "read_columns", lambda file: reads.append(file) or read(file))
    for content in ('{"nothing": "of ours"}\n', "{"):
        path.write_text(content)
        assert main(["dataset", "inspect", str(path)]) == 3
    assert reads == [path, path]


def test_inspect_and_convert_name_the_workload_whose_form_a_file_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {
        "instruction": "i",
        "input": "Sum up: a b",
        "tok_input": [1, 2],
        "output": "a",
        "tok_ref_output": [3],
    }
    (tmp_path / "news.json").write_text(json.dumps([row]))
    assert main(["dataset", "inspect", str(tmp_path / "news.json")]) == 3
    assert "try: --workload llama3.1-8b or " in capsys.readouterr().err
    assert main(["dataset", "convert", str(tmp_path / "news.json"), str(tmp_path / "news.jsonl")]) == 3
    assert "try: --workload llama3.1-8b or " in capsys.readouterr().err
    assert not (tmp_path / "news.jsonl").exists()
    assert main(["dataset", "inspect", str(tmp_path / "news.json"), "--workload", "llama3.1-8b"]) == 0
    (tmp_path / "news.json").write_text("[]")
    assert main(["dataset", "inspect", str(tmp_path / "news.json")]) == 3
    assert "--workload" not in capsys.readouterr().err


def test_convert_says_rows_and_checksum_of_the_new_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_columns(tmp_path / "set.jsonl", dataset.columns_of(rows()))
    target = tmp_path / "set.parquet"
    assert main(["dataset", "convert", str(tmp_path / "set.jsonl"), str(target)]) == 0
    assert capsys.readouterr().out == f"{target}: 2 rows, sha256 {sha256(target)}\n"


def test_a_dangerous_pickle_ends_with_a_refusal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "set.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert main(["dataset", "inspect", str(tmp_path / "set.pkl")]) == 3
    assert "refused: the pickle asks for os.system" in capsys.readouterr().err


def test_build_writes_a_set_and_claims_no_equality(
    tmp_path: Path,
    sources: object,
    letters: object,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "model").mkdir()
    letters._fast.save(str(tmp_path / "model/tokenizer.json"))  # type: ignore[attr-defined]
    argv = ["--gsm8k", str(tmp_path / "train.jsonl"), "--mbxp", str(tmp_path / "mbxp")]
    argv += ["--instruct", str(tmp_path / "instruct.jsonl"), "--tokenizer", str(tmp_path / "model")]
    assert main(["dataset", "build", *argv, "--samples", "6", "--out", str(tmp_path / "set.jsonl")]) == 0
    assert "not the official set" in capsys.readouterr().out
    assert len(dataset.read(tmp_path / "set.jsonl", SCHEMA)) == 6


TARGETS = ("--tokenizer", "t", "--out", "set.jsonl")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (
            ["--samples", "3", "--gsm8k", "g"],
            "is built from --mbxp and --instruct",
            "--gsm8k --mbxp --instruct",
        ),
        (["--samples", "3"], "is built from --gsm8k and --mbxp and --instruct", "--gsm8k"),
        (
            ["--samples", "3", "--gsm8k", "g", "--mbxp", "m", "--instruct", "i", "--texts", "t"],
            "is not built from --texts",
            "--gsm8k",
        ),
        (
            ["--samples", "3", "--workload", "llama3.1-8b", "--texts", "t", "--only-passing"],
            "llama3.1-8b has no programs",
            "leave it out",
        ),
        (
            ["--samples", "0", "--gsm8k", "g", "--mbxp", "m", "--instruct", "i"],
            "at least one row",
            "--samples 30",
        ),
        (
            ["--samples", "-3", "--gsm8k", "g", "--mbxp", "m", "--instruct", "i"],
            "at least one row",
            "--samples 30",
        ),
    ],
)
def test_a_set_is_built_from_its_own_sources_alone(words: list[str], message: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        verb.run(parsed(verb, "build", *words, *TARGETS))
    assert hint in caught.value.hint


def test_a_workload_without_a_builder_says_where_its_set_comes_from() -> None:
    name = next(each.name for each in workloads.TABLE.values() if each.builder is None)
    with pytest.raises(ConfigError, match=f"no set can be built for {name}"):
        verb.run(parsed(verb, "build", "--samples", "3", "--workload", name, *TARGETS))


def test_every_source_is_one_that_a_workload_asks_for() -> None:
    asked = {name for each in workloads.TABLE.values() if each.builder for name in each.builder.sources}
    assert asked == set(verb.SOURCES)


@pytest.mark.parametrize(
    "words", [["build", "--samples", "many", *TARGETS], ["inspect"], ["convert", "one"], ["turn", "x"], []]
)
def test_words_that_lack_something_are_refused(words: list[str]) -> None:
    with pytest.raises(ConfigError):
        parsed(verb, *words)


def facts(**changes: Any) -> verb.DatasetFacts:
    spread = verb.Spread(2, 3.5, 5)
    part = verb.SubsetFacts(rows=2, first=0, prompt_tokens=spread, reference_tokens=spread, double_bos=1)
    base = verb.DatasetFacts("set.pkl", "0123", 2, {"GSM8K": part}, languages={}, warnings=[])
    return dataclasses.replace(base, **changes)


def test_a_set_is_told_part_by_part() -> None:
    assert verb.text(facts()).splitlines() == [
        "set.pkl",
        "  sha256     0123",
        "  rows       2",
        "  GSM8K      2 rows from row 0; prompt tokens 2 to 5 (mean 3.5), reference tokens 2 to 5 (mean 3.5); "
        "BOS twice in 1",
    ]
    lines = verb.text(facts(languages={"cpp": 1, "ruby": 2}, warnings=["odd", "odder"])).splitlines()
    assert lines[-3:] == ["  languages  cpp 1, ruby 2", "  warning    odd", "  warning    odder"]


def test_what_a_set_holds_is_plain_and_adds_up(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    write_columns(path, dataset.columns_of(rows() * 3))
    loaded = dataset.load(path, SCHEMA)
    found = dataclasses.asdict(verb.describe(loaded, SCHEMA))
    assert found["rows"] == 6 == sum(part["rows"] for part in found["subsets"].values())
    assert found["subsets"]["MBXP"]["first"] == 1 and found["languages"] == {"cpp": 3}
    assert found["subsets"]["GSM8K"]["reference_tokens"] == {"least": 2, "mean": 2.0, "most": 2}


def test_a_file_of_another_form_is_an_error_where_the_workload_was_named(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    write_columns(path, dataset.columns_of(rows()))
    with pytest.raises(ArtifactError) as caught:
        verb.run(parsed(verb, "inspect", str(path), "--workload", "llama3.1-8b"))
    assert "--workload mixtral" not in caught.value.hint


def test_a_converted_file_is_told_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_columns(tmp_path / "set.jsonl", dataset.columns_of(rows()))
    target = tmp_path / "set.parquet"
    assert verb.run(parsed(verb, "convert", str(tmp_path / "set.jsonl"), str(target), "--json")) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(target), "rows": 2, "sha256": sha256(target)}
