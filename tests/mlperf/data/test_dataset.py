import bz2
import contextlib
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.ground.files import sha256
from assay.mlperf.data import dataset
from assay.mlperf.data.dataset_file import read_columns, write_columns
from assay.mlperf.workloads.datasets import mixtral_rows
from assay.mlperf.workloads.datasets.mixtral_rows import SCHEMA


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
    first, second = dataset.read(written(tmp_path / "set.jsonl", rows()), SCHEMA)
    assert (first.index, first.subset, first.prompt_ids, first.truth) == (0, "GSM8K", (1, 1, 40), "4")
    assert (second.index, second.language, second.stop_ids) == (1, "cpp", (13, 14))


@pytest.mark.parametrize("target", [".parquet", ".pkl", ".jsonl", ".json"])
@pytest.mark.parametrize("source", [".parquet", ".pkl", ".jsonl", ".json"])
def test_any_format_converts_into_any_other_and_loses_nothing(
    tmp_path: Path, source: str, target: str
) -> None:
    if ".pkl" in (source, target):
        pytest.importorskip("pandas")
    columns = dataset.columns_of(rows())
    start, end = tmp_path / f"start{source}", tmp_path / f"end{target}"
    write_columns(start, columns)
    write_columns(end, read_columns(start))
    assert read_columns(end) == columns


def test_the_optional_columns_may_be_absent(tmp_path: Path) -> None:
    needed = [{name: row[name] for name in mixtral_rows.REQUIRED} for row in rows()]
    samples = dataset.read(written(tmp_path / "set.jsonl", needed), SCHEMA)
    assert samples[0].reference_ids == ()


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    lacking = rows()
    for row in lacking:
        row["token_input"] = row.pop("tok_input")
    with pytest.raises(ArtifactError, match=r"no column tok_input") as error:
        dataset.read(written(tmp_path / "set.jsonl", lacking), SCHEMA)
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
        dataset.read(written(tmp_path / "set.jsonl", wrong), SCHEMA)


@pytest.mark.parametrize(
    ("truth", "read"), [("5,600", "5,600"), ("four", "four"), (None, ""), (float("nan"), "")]
)
def test_a_gsm8k_truth_that_is_no_number_is_read_with_a_warning_as_the_official_script_reads_it(
    tmp_path: Path, truth: object, read: str
) -> None:
    odd = rows()
    odd[0]["gt_output"] = truth
    samples = dataset.read(written(tmp_path / "set.jsonl", odd), SCHEMA)
    assert samples[0].truth == read
    [warning] = SCHEMA.warnings(samples)
    assert warning.startswith(f"1 GSM8K row has a truth that is no number (row 0: {read!r})")


@pytest.mark.parametrize(("truth", "read"), [(18, "18"), (2.5, "2.5"), ("1e3", "1e3")])
def test_a_gsm8k_truth_may_be_a_number_as_well_as_text(tmp_path: Path, truth: object, read: str) -> None:
    numbers = rows()
    numbers[0]["gt_output"] = truth
    samples = dataset.read(written(tmp_path / "set.jsonl", numbers), SCHEMA)
    assert samples[0].truth == read
    assert not SCHEMA.warnings(samples)


def test_a_missing_reference_answer_may_be_nan_or_null(tmp_path: Path) -> None:
    holed = rows()
    holed[0]["tok_ref_output"], holed[1]["tok_ref_output"] = float("nan"), None
    assert [row.reference_ids for row in dataset.read(written(tmp_path / "set.jsonl", holed), SCHEMA)] == [
        (),
        (),
    ]


@pytest.mark.parametrize("column", ["tok_input", "input", "id"])
def test_a_value_that_is_needed_and_nan_is_named_as_missing(tmp_path: Path, column: str) -> None:
    holed = rows()
    holed[1][column] = float("nan")
    with pytest.raises(ArtifactError, match=f"row 1, column {column}: .* it is missing"):
        dataset.read(written(tmp_path / "set.jsonl", holed), SCHEMA)


def test_scoring_needs_no_column_of_token_ids(tmp_path: Path) -> None:
    scored = [{name: row[name] for name in mixtral_rows.SCORED} for row in rows()]
    samples = dataset.read_scored(written(tmp_path / "set.jsonl", scored), SCHEMA)
    assert [row.truth for row in samples] == ["4", "int main() {}"]
    with pytest.raises(ArtifactError, match="no column gt_output"):
        dataset.read_scored(
            written(tmp_path / "less.jsonl", [{"dataset": "MBXP", "id": "a_b", "input": ""}]), SCHEMA
        )


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip"])
def test_a_pickle_that_pandas_packed_is_read_whether_its_name_says_so_or_not(
    tmp_path: Path, suffix: str
) -> None:
    pandas = pytest.importorskip("pandas")
    columns = dataset.columns_of(rows())
    packed = tmp_path / f"set.pkl{suffix}"
    pandas.DataFrame(columns).to_pickle(packed)
    assert read_columns(packed) == columns
    assert read_columns(packed.rename(tmp_path / "renamed.pkl")) == columns


def test_packed_json_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl.gz"
    path.write_bytes(gzip.compress(written(tmp_path / "set.jsonl", rows()).read_bytes()))
    assert len(dataset.read(path, SCHEMA)) == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pkl.zst", b"\x28\xb5\x2f\xfd rest", "packed with zstd"),
        ("a.pkl.gz", gzip.compress(b"x" * 99)[:-9], "a damaged gzip file"),
        ("a.pkl.xz", b"\xfd7zXZ\0 nonsense", "a damaged xz file"),
        ("a.pkl.zip", b"PK\x03\x04 nonsense", "a damaged zip file"),
        ("a.jsonl.bz2", bz2.compress(bytes(1 << 30)), "refused: it unfolds to more than"),
        ("a.pkl.gz", gzip.compress(gzip.compress(bytes(1 << 25))), "no pickled DataFrame"),
    ],
)
def test_a_packed_file_is_damaged_or_a_bomb_or_read_and_which_is_said(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=said):
        dataset.read(tmp_path / name, SCHEMA)


@pytest.mark.parametrize(
    "column",
    [
        pyarrow.array([[[1]]]),
        pyarrow.array([{"a": [1]}]),
        pyarrow.array([[True, None]]),
        pyarrow.array([["a"]]),
        pyarrow.array([10**17], pyarrow.timestamp("ms")),
        pyarrow.array([b"\xff"], pyarrow.binary()),
    ],
)
def test_any_kind_of_column_in_parquet_ends_in_the_schemas_own_error(
    tmp_path: Path, column: pyarrow.Array
) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"dataset": column}), tmp_path / "set.parquet")
    with pytest.raises(ArtifactError):
        dataset.read(tmp_path / "set.parquet", SCHEMA)


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "set.jsonl", rows())
    before = read_columns(path)
    path.write_text("\n" + path.read_text().replace("\n", "\n \r\n"))
    assert read_columns(path) == before


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.parquet"
    twice = pyarrow.table([["a"], ["b"]], names=["input", "input"])
    pyarrow.parquet.write_table(twice, path)
    with pytest.raises(ArtifactError, match="exists 2 times"):
        dataset.read(path, SCHEMA)


def test_a_parquet_file_whose_run_lengths_stand_for_gigabytes_is_refused(tmp_path: Path) -> None:
    ids = pyarrow.array(np.zeros(20_000_000, np.int32))
    rows_ = pyarrow.ListArray.from_arrays(pyarrow.array([0, len(ids)], pyarrow.int32()), ids)
    path = tmp_path / "set.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"tok_input": rows_}), path, compression="zstd")
    assert path.stat().st_size < 100_000
    with pytest.raises(ArtifactError, match="refused: it unfolds to more than"):
        dataset.read(path, SCHEMA)


def test_a_lone_surrogate_survives_a_conversion_to_json_lines(tmp_path: Path) -> None:
    odd = rows()
    odd[0]["question"] = "\ud800"
    source = written(tmp_path / "set.jsonl", odd)
    write_columns(tmp_path / "again.jsonl", read_columns(source))
    assert read_columns(tmp_path / "again.jsonl") == read_columns(source)
    with pytest.raises(ArtifactError, match="cannot be written as parquet"):
        write_columns(tmp_path / "set.parquet", read_columns(source))
    assert not (tmp_path / "set.parquet").exists()


def test_a_cut_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "set.jsonl", rows())
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ArtifactError, match="line 2 is no JSON"):
        dataset.read(path, SCHEMA)


def test_rows_with_different_columns_are_refused(tmp_path: Path) -> None:
    uneven = rows()
    del uneven[1]["question"]
    with pytest.raises(ArtifactError, match=r"line 2 differs from line 1 in columns \['question'\]"):
        dataset.read(written(tmp_path / "set.jsonl", uneven), SCHEMA)


def test_what_is_no_dataset_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "b.jsonl").write_text("")
    (tmp_path / "c.jsonl").write_text("[1]\n")
    for name in ("a.parquet", "b.jsonl", "c.jsonl", "absent.pkl"):
        with pytest.raises(ArtifactError):
            dataset.read(tmp_path / name, SCHEMA)
    with pytest.raises(ConfigError, match=r"\.csv"):
        dataset.read(tmp_path / "d.csv", SCHEMA)


def test_a_loaded_dataset_knows_its_file_and_checksum(tmp_path: Path) -> None:
    path = written(tmp_path / "set.jsonl", rows())
    loaded = dataset.load(path, SCHEMA)
    assert (len(loaded.samples), loaded.source, loaded.sha256) == (2, str(path), sha256(path))


def test_lines_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\x89\xff\n")
    with pytest.raises(ArtifactError, match="line 1 is no JSON"):
        dataset.read(path, SCHEMA)


def test_a_parquet_file_whose_footer_lies_ends_no_process(tmp_path: Path) -> None:
    """Byte by byte: some of them made Arrow end the process."""
    path = tmp_path / "set.parquet"
    write_columns(path, dataset.columns_of(rows()))
    content = path.read_bytes()
    for place in range(len(content) - 400, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :])
        with contextlib.suppress(ArtifactError):
            dataset.read(path, SCHEMA)


def test_a_json_array_holds_one_object_a_row(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps(rows(), indent=4))
    assert [row.id for row in dataset.read(path, SCHEMA)] == ["train.5", "cpp_min_cost"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"a": 1}, {"a"', "is no JSON"),
        ('{"a": [1]}', "is no array of JSON objects"),
        ("[1, 2]", "is no array of JSON objects"),
        ('{"a": 1}\n{"a": 2}\n', "is no JSON"),
        ('[{"a": 1}, {"b": 1}]', r"object 2 differs from object 1 in columns \['a', 'b'\]"),
    ],
)
def test_a_json_file_that_is_no_array_of_rows_says_so(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text(text)
    with pytest.raises(ArtifactError, match=words):
        dataset.read(tmp_path / "set.json", SCHEMA)
