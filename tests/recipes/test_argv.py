"""CM's command line as data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.recipes.contract.argv import parse
from assay.recipes.contract.mlc_argv import parse as parse_mlc
from assay.recipes.errors import RecipeFault


def parsed(*words: str) -> dict[str, object]:
    return {
        key: value
        for key, value in parse(["run", "script", *words]).items()
        if key not in ("action", "automation", "cmd")
    }


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("--tags=a,b", {"tags": "a,b"}),
        ("-f", {"f": True}),
        ("--text-", {"text": False}),
        ("--v=False", {"v": "False"}),
        ("--env.A=1", {"env": {"A": "1"}}),
        ("--env.K,=a,b", {"env": {"K": ["a", "b"]}}),
        ("--env.K,=", {"env": {"K": []}}),
        ("--p= a = b ", {"p": "a = b"}),
        ("--a-b=1", {"a_b": "1"}),
        ("--adr.submission-checker.tags=_x", {"adr": {"submission-checker": {"tags": "_x"}}}),
        ("--e-n.v-x=1", {"e_n": {"v-x": "1"}}),
        ("--a,b=1,2", {"a,b": "1,2"}),
    ],
)
def test_a_flag_becomes_text_truth_list_or_nested_dictionary(word: str, expected: dict[str, object]) -> None:
    assert parsed(word) == expected


def test_the_last_of_two_equal_keys_wins() -> None:
    assert parsed("--env.A=1", "--env.A=2") == {"env": {"A": "2"}}


def test_the_first_plain_word_is_the_artifact_and_others_follow() -> None:
    assert parsed("a b", "c", "d") == {"artifact": "a b", "artifacts": ["c", "d"]}


def test_words_after_a_double_hyphen_are_left_alone() -> None:
    assert parsed("--a", "--", "-x", "y") == {"a": True, "unparsed_cmd": ["-x", "y"]}


def test_a_flag_in_the_place_of_the_automation_leaves_it_out() -> None:
    assert parse(["run", "--x", "script"]) == {
        "action": "run",
        "x": True,
        "artifact": "script",
        "cmd": ["--x", "script"],
    }


def test_a_file_is_put_over_what_came_before_and_under_what_follows(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"tags": "x", "env": {"A": "1"}}))
    assert parsed("--env.B=2", f"@{file}", "--tags=y") == {"env": {"A": "1"}, "tags": "y"}


def test_a_yaml_file_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("tags: x\n")
    assert parsed(f"@{file}") == {"tags": "x"}


@pytest.mark.parametrize("name", ["absent.json", "kind.txt"])
def test_an_absent_file_or_one_of_another_kind_is_error_16(name: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeFault) as caught:
        parsed(f"@{tmp_path / name}")
    assert caught.value.code == 16


def test_a_dotted_key_below_a_plain_value_is_an_error_that_names_both() -> None:
    with pytest.raises(RecipeFault, match="a is already '1'"):
        parsed("--a=1", "--a.b=2")


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_words_parse_or_fail_with_a_sentence(words: list[str]) -> None:
    try:
        found = parse(words)
    except RecipeFault as fault:
        assert fault.message
    else:
        assert isinstance(found["cmd"], list)


KEY = st.from_regex(r"[a-z][a-z_]{0,6}", fullmatch=True)
VALUE = st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=10).map(str.strip)


@given(st.dictionaries(KEY, VALUE, max_size=5))
def test_every_flag_comes_back_as_its_text(flags: dict[str, str]) -> None:
    assert parsed(*(f"--{key}={value}" for key, value in flags.items())) == flags


def test_mlc_takes_a_word_with_a_comma_as_tags_and_letters_one_by_one() -> None:
    found = parse_mlc(["run", "script", "get,gcc,_x", "-sv", "--a-b=1", "--env.K,=p,q"], interactive=True)
    assert found["tags"] == "get,gcc,_x"
    assert found["silent"] is True and found["verbose"] is True
    assert found["a_b"] == "1" and found["env"] == {"K": ["p", "q"]}


def test_mlc_is_quiet_without_a_terminal_and_refuses_letters_from_web_pages() -> None:
    assert parse_mlc(["run", "script", "a,b"], interactive=False)["quiet"] is True
    with pytest.raises(RecipeFault, match="not plain ASCII"):
        parse_mlc(["run", "script", "–quiet"], interactive=True)
