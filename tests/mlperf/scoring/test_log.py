import json
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.scoring import log
from tests.mlperf.scoring.conftest import write_log

ANSWERS = [(4, [3, 4, 5]), (0, [9]), (2, [])]


@pytest.mark.parametrize(("dtype", "code"), [("int32", "i"), ("int64", "q"), ("float", "f")])
def test_each_dtype_is_read_as_it_was_written(tmp_path: Path, dtype: str, code: str) -> None:
    records = log.read(write_log(tmp_path / "log.json", ANSWERS, code), dtype, vocab_size=100)
    assert [(r.qsl_idx, list(r.token_ids)) for r in records] == ANSWERS


@pytest.mark.parametrize(
    ("asked", "written", "code"),
    [("int32", "int64", "q"), ("int64", "int32", "i"), ("int32", "float", "f"), ("float", "int32", "i")],
)
def test_a_wrong_dtype_is_refused_and_the_right_one_named(
    tmp_path: Path, asked: str, written: str, code: str
) -> None:
    path = write_log(tmp_path / "log.json", [(0, [3, 4, 5, 17]), (1, [6, 7])], code)
    with pytest.raises(ArtifactError, match=f"--dtype {written}"):
        log.read(path, asked, vocab_size=100)


def test_ids_beyond_the_vocabulary_point_at_the_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="give the tokenizer of the model"):
        log.read(write_log(tmp_path / "log.json", [(0, [3, 5000, 1])]), "int32", vocab_size=100)


def test_an_unknown_dtype_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="int16"):
        log.read(write_log(tmp_path / "log.json", ANSWERS), "int16", vocab_size=100)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[\n]\n",
        '[{"seq_id": 0, "qsl_idx": 0, "data": "0300',
        '{"qsl_idx": 0}',
        "[7]",
        '[{"qsl_idx": 0}]',
        "",
    ],
)
def test_a_damaged_or_empty_log_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log.json"
    path.write_text(text)
    with pytest.raises(ArtifactError):
        log.read(path, "int32", vocab_size=100)


def test_half_an_id_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps([{"seq_id": 0, "qsl_idx": 0, "data": "030000"}]))
    with pytest.raises(ArtifactError, match="no multiple of 4"):
        log.read(path, "int32", vocab_size=100)
