import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.ground.files import sha256
from assay.mlperf.data import dataset
from assay.mlperf.data.dataset_file import write_columns
from assay.mlperf.workloads.datasets.mixtral_rows import SCHEMA
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


def test_inspect_names_the_workload_whose_form_a_file_has(
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
