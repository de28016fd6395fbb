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
    ("text", "said"),
    [
        ("[]", "holds no answers"),
        ('[{"seq_id": 0, "qsl_idx": 0, "data": "0300', "no whole JSON"),
        ('{"qsl_idx": 0}', "no list of answers"),
        ("[7]", "entry 0"),
        ('[{"qsl_idx": 0}]', "entry 0"),
        ('[{"qsl_idx": 0, "data": "xyz"}]', "entry 0"),
        ('[{"qsl_idx": -1, "data": "03000000"}]', "no sample index"),
        ('[{"qsl_idx": 0.5, "data": "03000000"}]', "no sample index"),
        ('[{"qsl_idx": 0, "data": 5}]', "entry 0"),
        ("[" * 100_000, "no whole JSON"),
    ],
)
def test_a_damaged_log_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "log.json"
    path.write_text(text)
    with pytest.raises(ArtifactError, match=said):
        log.read(path, "int32", vocab_size=100)


def test_bytes_that_are_no_text_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArtifactError, match="no whole JSON"):
        log.read(tmp_path / "log.json", "int32", vocab_size=100)
    with pytest.raises(ArtifactError, match="No such file"):
        log.read(tmp_path / "absent.json", "int32", vocab_size=100)


def test_half_an_id_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps([{"qsl_idx": 0, "data": "030000"}]))
    with pytest.raises(ArtifactError, match="no int32 token ids"):
        log.read(path, "int32", vocab_size=100)
