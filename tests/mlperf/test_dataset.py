import json
from pathlib import Path
from typing import Any

import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.ground.files import sha256
from assay.mlperf import dataset
from assay.mlperf.dataset_file import read_columns, write_columns
from assay.mlperf.sample import Subset


def rows() -> list[dict[str, Any]]:
    return [
        {
            "dataset": "GSM8K",
            "id": "train.5",
            "question": "How many?",
            "input": "<s> [INST] How many? [/INST]",
            "ref_output": "The answer is 4.",
            "gt_output": "4",
            "tok_input": [1, 1, 40],
            "tok_ref_output": [7, 8],
            "stop_sequence": "</s>",
            "tok_stop_sequence": [2],
            "tok_input_len": 3,
            "tok_ref_output_len": 2,
        },
        {
            "dataset": "MBXP",
            "id": "cpp_min_cost",
            "question": "Été\n",
            "input": "<s> [INST] Complete [/INST]",
            "ref_output": "",
            "gt_output": "int main() {}",
            "tok_input": [1, 1],
            "tok_ref_output": [],
            "stop_sequence": "\n```\n",
            "tok_stop_sequence": [13, 14],
            "tok_input_len": 2,
            "tok_ref_output_len": 0,
        },
    ]


def written(path: Path, changed: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    return path


def test_rows_become_samples_with_their_position_as_index(tmp_path: Path) -> None:
    first, second = dataset.read(written(tmp_path / "set.jsonl", rows()))
    assert (first.index, first.subset, first.prompt_ids, first.truth) == (0, Subset.GSM8K, (1, 1, 40), "4")
    assert (second.index, second.language, second.stop_ids) == (1, "cpp", (13, 14))


@pytest.mark.parametrize("target", [".parquet", ".pkl", ".jsonl"])
@pytest.mark.parametrize("source", [".parquet", ".pkl", ".jsonl"])
def test_any_format_converts_into_any_other_and_loses_nothing(
    tmp_path: Path, source: str, target: str
) -> None:
    if ".pkl" in (source, target):
        pytest.importorskip("pandas")
    columns = dataset.columns_of(rows())
    start, end = tmp_path / f"start{source}", tmp_path / f"end{target}"
    write_columns(start, columns)
    assert dataset.convert(start, end) == 2
    assert read_columns(end) == columns


def test_the_optional_columns_may_be_absent(tmp_path: Path) -> None:
    needed = [{name: row[name] for name in dataset.REQUIRED} for row in rows()]
    samples = dataset.read(written(tmp_path / "set.jsonl", needed))
    assert samples[0].reference_ids == ()


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    lacking = rows()
    for row in lacking:
        row["token_input"] = row.pop("tok_input")
    with pytest.raises(ArtifactError, match=r"no column tok_input") as error:
        dataset.read(written(tmp_path / "set.jsonl", lacking))
    assert "token_input" in error.value.hint


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("dataset", "HumanEval", "row 1, column dataset: 'HumanEval' is none of OpenOrca, GSM8K, MBXP"),
        ("tok_input", [1, "2"], "row 1, column tok_input"),
        ("tok_input", [1.5], "row 1, column tok_input"),
        ("tok_input", [-1], "row 1, column tok_input: token id -1 is negative"),
        ("tok_input", [2**40], "row 1, column tok_input"),
        ("tok_input", "1 2", "row 1, column tok_input: a list of token ids expected"),
        ("tok_input", [], "row 1, column tok_input: empty"),
        ("tok_stop_sequence", None, "row 1, column tok_stop_sequence"),
        ("gt_output", None, "row 1, column gt_output: text expected"),
        ("id", "nolanguage", "row 1, column id: 'nolanguage' is not <language>_<entry point>"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(
    tmp_path: Path, column: str, cell: object, said: str
) -> None:
    wrong = rows()
    wrong[1][column] = cell
    with pytest.raises(ArtifactError, match=said):
        dataset.read(written(tmp_path / "set.jsonl", wrong))


def test_the_truth_of_a_gsm8k_row_must_be_a_number(tmp_path: Path) -> None:
    wrong = rows()
    wrong[0]["gt_output"] = "four"
    with pytest.raises(ArtifactError, match="row 0, column gt_output: 'four' is no number"):
        dataset.read(written(tmp_path / "set.jsonl", wrong))


def test_a_cut_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "set.jsonl", rows())
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ArtifactError, match="line 2 is no JSON"):
        dataset.read(path)


def test_rows_with_different_columns_are_refused(tmp_path: Path) -> None:
    uneven = rows()
    del uneven[1]["question"]
    with pytest.raises(ArtifactError, match=r"line 2 differs from line 1 in columns \['question'\]"):
        dataset.read(written(tmp_path / "set.jsonl", uneven))


def test_what_is_no_dataset_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "b.jsonl").write_text("")
    (tmp_path / "c.jsonl").write_text("[1]\n")
    for name in ("a.parquet", "b.jsonl", "c.jsonl", "absent.pkl"):
        with pytest.raises(ArtifactError):
            dataset.read(tmp_path / name)
    with pytest.raises(ConfigError, match=r"\.csv"):
        dataset.read(tmp_path / "d.csv")


def test_a_loaded_dataset_knows_its_file_and_checksum(tmp_path: Path) -> None:
    path = written(tmp_path / "set.jsonl", rows())
    loaded = dataset.load(path)
    assert (len(loaded.samples), loaded.source, loaded.sha256) == (2, str(path), sha256(path))


def test_lines_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\x89\xff\n")
    with pytest.raises(ArtifactError, match="line 1 is no JSON"):
        dataset.read(path)
