"""CM and MLC answer every question of `Dialect`; where they differ, each as its tool does."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.recipes.contract.cm import CM, parsed_names
from assay.recipes.contract.dialect import CACHE_UID, SCRIPT_UID, Dialect
from assay.recipes.contract.dialects import DIALECTS
from assay.recipes.contract.mlc import MLC
from assay.recipes.contract.names import ArtifactName

BOTH = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
QUESTIONS = sorted(
    set(get_type_hints(Dialect)) | {n for n, v in vars(Dialect).items() if callable(v) and n[0] != "_"}
)
KINDS = {"bool": bool, "str": str, "tuple": tuple, "frozenset": frozenset}


def kind_of(name: str) -> type:
    hint = get_type_hints(Dialect)[name]
    return KINDS[getattr(hint, "__origin__", hint).__name__]


@BOTH
@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_has_an_answer_of_its_type(dialect: Dialect, name: str) -> None:
    answer = getattr(dialect, name)
    assert callable(answer) if name not in get_type_hints(Dialect) else isinstance(answer, kind_of(name))


def test_neither_answers_what_nobody_asks() -> None:
    known = {name for dialect in (CM, MLC) for name in dir(dialect) if not name.startswith("_")}
    assert known == set(QUESTIONS)


def test_a_question_is_only_there_where_the_two_differ() -> None:
    plain = [name for name in QUESTIONS if name in get_type_hints(Dialect)]
    same = {name for name in plain if getattr(CM, name) == getattr(MLC, name)}
    assert same == {"default_owner"}  # the owner of both tools' recipes


@BOTH
def test_the_uids_of_the_automations_are_uids(dialect: Dialect) -> None:
    for uid in (SCRIPT_UID, CACHE_UID):
        assert ArtifactName.parse(f"name,{uid}").uid == uid
    assert DIALECTS[dialect.name] is dialect
    assert dialect.key("A") == f"{dialect.prefix}A" == f"{dialect.name.upper()}_A"


@BOTH
def test_two_folders_of_one_home_never_meet(dialect: Dialect) -> None:
    names = [dialect.entry_folder("get-gcc", uid) for uid in ("0123456789abcdef", "1123456789abcdef")]
    assert len(set(names)) == 2 and all(Path(name).name == name for name in names)
    assert dialect.repositories_folder(Path("/h")).is_relative_to("/h")


@pytest.mark.parametrize(
    ("dialect", "word", "is_tags"),
    [
        (CM, "detect os", True),
        (CM, "detect,os", False),
        (MLC, "detect,os", True),
        (MLC, "detect os", True),
        (CM, "detect-os", False),
        (MLC, "detect-os", False),
        (MLC, "", False),
    ],
)
def test_a_word_of_the_command_line_is_tags_or_a_name(dialect: Dialect, word: str, is_tags: bool) -> None:
    assert dialect.is_tags(word) is is_tags


# ---------------------------------------------------------------------- values

PLAIN = st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=3)
STATE = st.dictionaries(
    st.sampled_from("ab"), PLAIN | st.dictionaries(st.sampled_from("xy"), PLAIN, max_size=2)
)


@pytest.mark.parametrize(
    ("dialect", "merged"),
    [(CM, {"l": [1, 2, 3], "d": {"k": [1, 2, 2, 3]}}), (MLC, {"l": [1, 2, 3], "d": {"k": [1, 2, 3]}})],
    ids=["cm", "mlc"],
)
def test_lists_of_a_state_meet_as_in_the_tool(dialect: Dialect, merged: dict[str, Any]) -> None:
    state = {"l": [1, 2], "d": {"k": [1, 2]}}
    dialect.merge(state, {"l": [2, 3], "d": {"k": [2, 3]}})
    assert state == merged


@BOTH
@given(first=STATE, second=STATE)
def test_a_merged_state_has_all_names_and_the_newer_plain_values(
    dialect: Dialect, first: dict[str, Any], second: dict[str, Any]
) -> None:
    more = copy.deepcopy(second)
    state = dialect.merge(first, second)
    assert second == more and state.keys() >= second.keys()
    assert all(state[key] == value for key, value in second.items() if isinstance(value, int))


@pytest.mark.parametrize(
    ("have", "value", "of_cm", "of_mlc"),
    [
        (["a"], ["a", "b"], ["a", "b"], ["a", "b"]),
        (["a", "c"], ["b", "a"], ["b", "a"], ["a", "c", "b"]),
        (None, ["b"], ["b"], ["b"]),
        (["a"], "b", "b", "b"),
        ("a", ["b"], ["b"], ["b"]),
    ],
)
def test_a_variable_that_is_set_again_takes_the_new_value_and_mlc_adds_lists(
    have: Any, value: Any, of_cm: Any, of_mlc: Any
) -> None:
    kept = copy.deepcopy(have)
    assert (CM.env_value(have, value), MLC.env_value(have, value)) == (of_cm, of_mlc)
    assert have == kept


def test_cm_tries_new_conditions_first_and_mlc_last() -> None:
    before, new = [{"n": 1}], [{"n": 2}, {"n": 3}]
    assert [block["n"] for block in CM.in_order(before, new)] == [2, 3, 1]
    assert [block["n"] for block in MLC.in_order(before, new)] == [1, 2, 3]


def test_only_mlc_says_something_of_the_host_before_any_recipe_runs() -> None:
    assert CM.host_values() == CM.os_info() == CM.inherited_values({"USER": "u"}) == {}
    assert MLC.host_values()["MLC_HOST_OS_TYPE"] == "linux"
    assert MLC.os_info()["env"] == MLC.host_values()
    assert MLC.inherited_values({"USER": "u", "SHELL": "s"}) == {"USER": "u"}


# ---------------------------------------------------------------------- what a hook sees of the request


def test_the_input_of_cm_is_the_request_with_its_names_in_parts() -> None:
    inputs = {"action": "run", "automation": "script", "artifact": "detect-os", "env": {"A": "old"}}
    told = CM.top_input(inputs, {"env": {"A": "new"}})
    assert told["env"] == {"A": "new"} and told["action"] == "run"
    assert told["parsed_automation"] == [("script", SCRIPT_UID)]
    assert told["parsed_artifact"] == [("detect-os", "")]
    assert CM.nested_input(inputs, {"verbose": True})["verbose"] is True


@pytest.mark.parametrize(
    ("artifact", "parts"),
    [
        ("", None),
        ("detect os", None),
        ("a,5b4e0237da074764", [("a", "5b4e0237da074764")]),
        ("own@repo:a", [("a", ""), ("own@repo", "")]),
    ],
)
def test_a_name_is_parsed_where_it_is_one(artifact: str, parts: list[tuple[str, str]] | None) -> None:
    assert parsed_names({"artifact": artifact}).get("parsed_artifact") == parts


def test_the_input_of_mlc_hides_what_the_tool_keeps_and_tells_the_command() -> None:
    inputs = {
        "action": "run",
        "automation": "script",
        "tags": "a",
        "cmd": ["a", "--j"],
        "silent": True,
        "x": 1,
    }
    assert MLC.top_input(inputs, {"env": {}}) == {
        "tags": "a",
        "x": 1,
        "env": {},
        "details": "a",
        "mlc_run_cmd": "mlc run script a --j",
    }
    assert "details" not in MLC.top_input({"cmd": ["--j"]}, {})
    told = MLC.nested_input({"action": "run", "x": 1}, {"verbose": True, "recursion": True})
    assert told == {"x": 1, "recursion": True}
