"""Truth of a word, values as JSON, tags of a cache entry, folders that go, and the usage of an action."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.recipes.actions import usage
from assay.recipes.contract.json_text import json_text
from assay.recipes.contract.truth import FALSE_WORDS, TRUE_WORDS, is_off
from assay.recipes.home.cache_rule import HOW_TO_RUN, tags_from_env
from assay.recipes.home.removal import remove_folder
from assay.recipes.tools.records import as_json, version_lines


@pytest.mark.parametrize("value", ["no", "OFF", " false ", "0", 0, False, "", "  "])
def test_a_value_is_off_where_its_word_says_so(value: Any) -> None:
    assert is_off(value)


@pytest.mark.parametrize("value", ["yes", 1, "none", None, "00"])
def test_any_other_value_is_not(value: Any) -> None:
    assert not is_off(value)


def test_no_word_means_both() -> None:
    assert not TRUE_WORDS & FALSE_WORDS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{\n  "a": [\n    true,\n    null\n  ],\n  "b": 1\n}'),
        ({1: "x", "a": {None: 2}}, '{\n  "1": "x",\n  "a": {\n    "None": 2\n  }\n}'),
        ({"p": Path("/a")}, '{\n  "p": "/a"\n}'),
        ([{2: Path("/a"), "b": 1}], '[\n  {\n    "2": "/a",\n    "b": 1\n  }\n]'),
    ],
)
def test_any_value_has_a_text_with_sorted_names(value: Any, text: str) -> None:
    assert json_text(value) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_a_value_of_json_comes_back(value: Any) -> None:
    assert json.loads(json_text(value)) == value
    assert json.loads(as_json(value)) == value


class Described:
    def as_json(self) -> dict[str, Any]:
        return {"of": "itself", "odd": object()}


def test_members_without_a_form_are_left_out_of_a_record() -> None:
    value = {"keep": (1, 2), "object": object(), "list": [object(), 3], "described": Described(), 5: b"bytes"}
    assert json.loads(as_json(value)) == {"keep": [1, 2], "list": [3], "described": {"of": "itself"}}


class Ran:
    version_info = (
        {"get,python": {"version": "3.11"}, "get,none": {"version": ""}},
        {"get,cmake": {"version": "3"}},
    )


def test_recipes_with_a_version_have_a_line() -> None:
    lines = version_lines(Ran())  # type: ignore[arg-type]
    assert lines[1:-1] == ["Versions of dependencies:", "* get,python: 3.11", "* get,cmake: 3"]


@pytest.mark.parametrize(
    ("items", "tags"),
    [
        ([{"env": "V"}], ["deps-a", "deps-b"]),
        ([{"env": "V", "prefix": "x-"}], ["deps-x-a", "deps-x-b"]),
        ([{"env": "V"}, {"env": "V"}], ["deps-a", "deps-b"]),
        ([{"env": "ABSENT"}], []),
        (None, []),
    ],
)
def test_variables_that_are_part_of_the_key_become_tags(items: Any, tags: list[str]) -> None:
    assert tags_from_env({"extra_cache_tags_from_env": items}, {"V": " a,b "}) == tags


def test_how_to_run_is_no_part_of_what_was_run() -> None:
    assert {"quiet", "new", "cache", "lock", "env"} <= HOW_TO_RUN
    assert not {"version", "url", "model"} & HOW_TO_RUN


def test_a_folder_with_read_only_files_is_removed(tmp_path: Path) -> None:
    inner = tmp_path / "folder" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").write_text("")
    (inner / "file").chmod(0o400)
    inner.chmod(0o500)
    remove_folder(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    remove_folder(tmp_path / "folder")  # gone already: nothing to do


def test_of_a_link_only_the_link_is_removed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "file").write_text("")
    (tmp_path / "link").symlink_to(target)
    remove_folder(tmp_path / "link")
    assert (target / "file").exists() and not (tmp_path / "link").is_symlink()


def documented() -> None:
    """Says what it does,
    in a few words.

    And more.
    """


@pytest.mark.parametrize(
    ("action", "automation", "form"),
    [
        ("add", "script", "add script [REPO:]NAME [--tags=a,b] [--meta.KEY=VALUE]"),
        ("pull", "repo", usage.FORMS["pull repo"]),
        ("strange_", "cache", "strange cache"),
    ],
)
def test_the_usage_of_an_action_is_its_form_and_its_first_words(
    action: str, automation: str, form: str
) -> None:
    assert usage.usage(action, automation, documented) == f"{form}\n  Says what it does, in a few words."


def test_run_has_a_page_of_its_own() -> None:
    assert usage.usage("run", "script", documented) == usage.RUN
    assert usage.forms("run") == usage.RUN
    assert usage.forms("uid") == "uid"
