"""Records of older versions become records of the present one, step by step, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ground.errors import ArtifactError
from assay.mlperf.record import result_schema
from assay.mlperf.record.result_schema import SCHEMA_VERSION, migrated

PLACE = Path("run/result.json")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def first(**changes: Any) -> dict[str, Any]:
    """A record of schema 1, as far as a step looks at it."""
    record = {
        "schema_version": 1,
        "asked": {"workload": "llama2-70b-99", "paths": {"checkpoint": "/m", "dataset": "/d", "home": "/h"}},
        "used": {"name": "echo", "details": {"threads": 2, "notes": ["slow"]}},
        "model": "llama",
        "runs": [],
    }
    return {**record, **changes}


def test_a_record_of_the_present_version_is_as_it_was() -> None:
    record = {"schema_version": SCHEMA_VERSION, "anything": [1]}
    found = migrated(record, PLACE)
    assert found == record and found is not record


def test_there_is_a_step_from_every_older_version() -> None:
    assert sorted(result_schema.STEPS) == list(range(1, SCHEMA_VERSION))


def test_schema_1_keeps_what_needs_no_change() -> None:
    found = migrated(first(), PLACE)
    assert found["schema_version"] == SCHEMA_VERSION
    assert found["asked"] == first()["asked"]
    assert (found["model"], found["runs"]) == ("llama", [])


@pytest.mark.parametrize("source", ["hf:OWNER/NAME", "https://host/set.pkl", "http://host/x"])
@pytest.mark.parametrize("name", ["checkpoint", "dataset"])
def test_a_source_moves_to_a_field_of_its_own(name: str, source: str) -> None:
    asked = {"paths": {"checkpoint": None, "dataset": None, name: source}}
    paths = migrated(first(asked=asked), PLACE)["asked"]["paths"]
    assert paths == {"checkpoint": None, "dataset": None, f"{name}_source": source}


def test_notes_of_the_sut_are_no_details() -> None:
    used = migrated(first(), PLACE)["used"]
    assert used == {"name": "echo", "details": {"threads": 2}, "notes": ["slow"]}
    assert migrated(first(used={"details": {}}), PLACE)["used"] == {"details": {}, "notes": []}


@pytest.mark.parametrize("empty", [None, "", {}])
def test_what_was_empty_is_null(empty: object) -> None:
    found = migrated(first(used=empty, model=empty), PLACE)
    assert (found["used"], found["model"]) == (None, None)


def test_the_record_that_is_given_is_not_changed() -> None:
    record = first(asked={"paths": {"checkpoint": "hf:a/b"}})
    migrated(record, PLACE)
    assert record == first(asked={"paths": {"checkpoint": "hf:a/b"}})


@pytest.mark.parametrize("author", ["9.1.0", None])
def test_a_newer_record_is_refused_by_file_version_and_writer(author: str | None) -> None:
    record = {"schema_version": SCHEMA_VERSION + 1} | ({"assay": author} if author else {})
    with pytest.raises(ArtifactError) as refused:
        migrated(record, PLACE)
    assert refused.value.message.startswith(f"{PLACE} has schema version {SCHEMA_VERSION + 1}")
    assert f"Assay {author or 'of a later release'}: that one" in refused.value.hint


@pytest.mark.parametrize("version", [None, True, 0, -1, "1", 1.0, [1]])
def test_what_has_no_version_is_no_record(version: object) -> None:
    with pytest.raises(ValueError, match="no schema_version"):
        migrated({"schema_version": version}, PLACE)


@pytest.mark.parametrize("missing", ["asked", "used"])
def test_a_record_that_lacks_a_part_of_its_version_is_none(missing: str) -> None:
    record = first()
    del record[missing]
    with pytest.raises(ValueError, match=f"no record of schema version 1: .*{missing}"):
        migrated(record, PLACE)


@pytest.mark.parametrize("paths", ["ab", [""], [1], 3])
def test_paths_of_another_kind_make_it_no_record(paths: object) -> None:
    with pytest.raises(ValueError, match="no record of schema version 1"):
        migrated(first(asked={"paths": paths}), PLACE)


@given(JSON, JSON, JSON)
def test_nothing_but_a_sentence_comes_of_any_values(asked: Any, used: Any, whole: Any) -> None:
    for record in (whole, first(asked=asked, used=used), {"schema_version": 1, "asked": {"paths": asked}}):
        try:
            assert migrated(record, PLACE)["schema_version"] == SCHEMA_VERSION
        except ValueError as refused:
            assert "schema" in str(refused)
