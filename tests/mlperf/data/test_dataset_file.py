"""Files of a dataset by their names; what is in them: test_dataset.py, test_dataset_pickle.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.data import dataset_file


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pkl", "pickle"),
        ("a.PICKLE", "pickle"),
        ("a.parquet", "parquet"),
        ("a.jsonl", "jsonl"),
        ("a.json", "json"),
    ],
)
def test_the_suffix_says_the_format(name: str, kind: str) -> None:
    assert dataset_file.format_of(Path(name)) == kind
    assert dataset_file.is_dataset_name(Path(name)) and dataset_file.is_dataset_name(Path(f"{name}.gz"))


@pytest.mark.parametrize("name", ["a.csv", "a", "a.gz", "pkl", "a.pkl.txt"])
def test_another_suffix_is_refused_with_those_that_are_known(name: str) -> None:
    assert not dataset_file.is_dataset_name(Path(name))
    with pytest.raises(ConfigError, match="unknown kind") as told:
        dataset_file.format_of(Path(name))
    assert ".parquet" in told.value.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"a\.json: no such dataset file"):
        dataset_file.read_columns(tmp_path / "a.json")


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet", ".pkl"])
def test_what_is_written_is_read_again(suffix: str, tmp_path: Path) -> None:
    columns = {"input": ["a", "ü"], "tok_input": [[1, 2], [3]]}
    path = tmp_path / f"set{suffix}"
    dataset_file.write_columns(path, columns)
    assert dataset_file.read_columns(path) == columns


def test_a_folder_is_refused_with_the_dataset_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("")
    (tmp_path / "older.json").mkdir()
    with pytest.raises(ConfigError, match="holds no dataset file"):
        dataset_file.read_columns(tmp_path)
    (tmp_path / "set.pkl.gz").write_bytes(b"")
    assert dataset_file.in_folder(tmp_path) == [tmp_path / "set.pkl.gz"]
    (tmp_path / "acc.parquet").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"dataset files: acc\.parquet, set\.pkl\.gz") as told:
        dataset_file.read_columns(tmp_path)
    assert told.value.hint == f"name one: {tmp_path / 'acc.parquet'}"
