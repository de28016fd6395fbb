"""What a user writes becomes a value, or a sentence that says what may stand there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.config import Mode, Precision, Scenario
from assay.doors import readers
from assay.ground.errors import ConfigError


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (readers.choice(Scenario), " OFFLINE ", Scenario.OFFLINE),
        (readers.choices(Mode), "accuracy,performance,accuracy", (Mode.PERFORMANCE, Mode.ACCURACY)),
        (readers.precision, "BFloat16", Precision.BFLOAT16),
        (readers.count, " 12 ", 12),
        (readers.rate, "0.5", 0.5),
        (readers.rate, "Auto", None),
        (readers.seconds, "1.5 m", 90.0),
        (readers.place, "hf:owner/name@main", "hf:owner/name@main"),
        (readers.place, "https://host/a//b?c=d", "https://host/a//b?c=d"),
        (readers.place, "file:///tmp/a%20b", Path("/tmp/a b")),
        (readers.dataset_place, "https://host/rows.json", "https://host/rows.json"),
        (readers.word, " Somebody ", "Somebody"),
        (readers.sut, "echo", "echo"),
    ],
)
def test_a_text_is_read(read: Callable[[str], Any], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (readers.choice(Mode), "acc", "did you mean accuracy"),
        (readers.choices(Scenario), " , ", "name at least one"),
        (readers.precision, "w8a8", "did you mean int8"),
        (readers.count, "1.5", "whole number from 1"),
        (readers.rate, "inf", "auto"),
        (readers.rate, "inf", "--scenario offline asks all at once"),
        (readers.seconds, "-1s", "600s, 10m or 500ms"),
        (readers.place, "ftp://host/model", "no address that Assay fetches from"),
        (readers.dataset_place, "hf:owner/name", "is a model, not a dataset"),
        (readers.word, "  ", "empty"),
        (readers.sut, "ecko", "did you mean echo"),
    ],
)
def test_another_text_is_refused_with_what_may_stand_there(
    read: Callable[[str], Any], text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert said in str(error.value)


def test_the_one_dataset_of_a_folder_is_meant(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n")
    assert readers.dataset_path(str(tmp_path)) == rows
    assert readers.dataset_place(str(tmp_path)) == rows
    (tmp_path / "more.jsonl").write_text("{}\n")
    assert readers.dataset_path(str(tmp_path)) == tmp_path
