"""`cmind.utils` as recipes call it, loaded by its path: it must not need anything of Assay."""

from __future__ import annotations

import datetime
import json
import re
import runpy
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.recipes.contract.hooks import SHIM

MODULE = "assay/recipes/contract/shim/children/cmind/utils.py"
utils = SimpleNamespace(**runpy.run_path(str(SHIM.parents[3] / MODULE)))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=3),
    max_leaves=8,
)
NESTED = st.dictionaries(
    st.sampled_from("abc"),
    st.integers(0, 3)
    | st.lists(st.integers(0, 3), max_size=3)
    | st.dictionaries(st.sampled_from("xy"), st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2)),
)


# ---------------------------------------------------------------------- files


@settings(max_examples=20)
@given(st.dictionaries(st.text("ab", min_size=1, max_size=3), JSON, max_size=3))
def test_what_is_saved_as_json_or_yaml_is_loaded_again(value: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("json", "yaml"):
            path = f"{folder}/f.{kind}"
            assert getattr(utils, f"save_{kind}")(path, meta=value) == {"return": 0}
            assert getattr(utils, f"load_{kind}")(path) == {"return": 0, "meta": value}


def test_a_saved_json_file_is_sorted_indented_and_ends_a_line(tmp_path: Path) -> None:
    utils.save_json(str(tmp_path / "f"), {"b": 1, "a": 2})
    assert (tmp_path / "f").read_text() == '{\n  "a": 2,\n  "b": 1\n}\n'
    utils.save_json(str(tmp_path / "f"), {"b": 1, "a": 2}, indent=None, sort_keys=False)
    assert (tmp_path / "f").read_text() == '{"b": 1, "a": 2}\n'
    utils.save_json(str(tmp_path / "f"))
    assert json.loads((tmp_path / "f").read_text()) == {}


@pytest.mark.parametrize("load", ["load_txt", "load_json", "load_yaml", "load_yaml_and_json"])
def test_a_missing_file_is_number_16_where_it_is_asked_about(load: str, tmp_path: Path) -> None:
    answer = getattr(utils, load)(str(tmp_path / "none"), check_if_exists=True)
    assert answer["return"] == 16 and str(tmp_path / "none") in answer["error"]


@pytest.mark.parametrize("load", ["load_txt", "load_json", "load_yaml"])
def test_a_missing_file_is_an_exception_where_it_is_not(load: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(utils, load)(str(tmp_path / "none"))


def test_of_both_files_of_a_description_json_lies_over_yaml(tmp_path: Path) -> None:
    base = str(tmp_path / "_cm")
    assert utils.load_yaml_and_json(base) == {"return": 0, "meta": {}}
    (tmp_path / "_cm.yaml").write_text("a: 1\nb: 2\n")
    assert utils.load_yaml_and_json(base, check_if_exists=True)["meta"] == {"a": 1, "b": 2}
    (tmp_path / "_cm.json").write_text('{"b": 3}')
    assert utils.load_yaml_and_json(base)["meta"] == {"a": 1, "b": 3}
    (tmp_path / "_cm.yaml").write_text("")
    assert utils.load_yaml_and_json(base)["meta"] == {"b": 3}


def test_a_text_is_loaded_whole_in_lines_and_matched(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert utils.save_txt(str(path), "gcc 12.3\nä") == {"return": 0}
    answer = utils.load_txt(str(path), split=True, match_text=r"gcc (\d+)")
    assert (answer["string"], answer["list"], answer["match"][1]) == ("gcc 12.3\nä", ["gcc 12.3", "ä"], "12")
    assert utils.load_txt(str(path), match_text="clang")["match"] is None
    refused = utils.load_txt(str(path), match_text="clang", fail_if_no_match="no clang")
    assert refused == {"return": 1, "error": "no clang", "string": "gcc 12.3\nä"}
    assert "list" not in utils.load_txt(str(path)) and "match" not in utils.load_txt(str(path))


def test_a_text_may_be_removed_once_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("x")
    assert utils.load_txt(str(path), remove_after_read=True)["string"] == "x"
    assert not path.exists()


# ---------------------------------------------------------------------- dictionaries


@pytest.mark.parametrize(
    ("flags", "merged"),
    [
        ({}, {"l": [2, 3], "d": {"k": [1, 2, 2], "n": 1}, "s": 2, "t": 1}),
        ({"append_lists": True}, {"l": [1, 2, 2, 3], "d": {"k": [1, 2, 2], "n": 1}, "s": 2, "t": 1}),
        (
            {"append_lists": True, "append_unique": True},
            {"l": [1, 2, 3], "d": {"k": [1, 2, 2], "n": 1}, "s": 2, "t": 1},
        ),
    ],
)
def test_lists_are_appended_where_asked_and_always_below_the_top(
    flags: dict[str, bool], merged: dict[str, Any]
) -> None:
    first = {"l": [1, 2], "d": {"k": [1, 2]}, "s": 1, "t": 1}
    second = {"l": [2, 3], "d": {"k": [2], "n": 1}, "s": 2}
    answer = utils.merge_dicts({"dict1": first, "dict2": second, **flags})
    assert answer == {"return": 0, "merged": merged}
    assert answer["merged"] is first


@given(NESTED, NESTED)
def test_merging_keeps_every_name_and_changes_only_the_first(a: dict[str, Any], b: dict[str, Any]) -> None:
    before = json.dumps(b, sort_keys=True)
    merged = utils.merge_dicts({"dict1": json.loads(json.dumps(a)), "dict2": b})["merged"]
    assert merged.keys() == a.keys() | b.keys()
    assert json.dumps(b, sort_keys=True) == before
    assert {key: merged[key] for key in a.keys() - b.keys()} == {key: a[key] for key in a.keys() - b.keys()}
    plain = {key for key, value in b.items() if isinstance(value, int)}
    assert {key: merged[key] for key in plain} == {key: b[key] for key in plain}


def test_a_part_of_an_input_is_taken_or_left_out() -> None:
    given_ = {"a": 1, "b": 2, "c": 3}
    assert utils.sub_input(given_, ["a", "c", "z"]) == {"a": 1, "c": 3}
    assert utils.sub_input(given_, ["a", "c"], reverse=True) == {"b": 2}


def test_an_env_text_is_a_dictionary_and_a_value_may_hold_equal_signs() -> None:
    answer = utils.convert_env_to_dict("A=1\n B = x=y \nno equal sign\nC=\n")
    assert answer == {"return": 0, "dict": {"A": "1", "B": "x=y", "C": ""}}


@pytest.mark.parametrize(
    ("given_", "tags"),
    [
        ({"tags": " a, b ,,c"}, ["a", "b", "c"]),
        ({"tags": ["a", "b"]}, ["a", "b"]),
        ({"tags": ""}, []),
        ({}, []),
    ],
)
def test_tags_are_a_list(given_: dict[str, Any], tags: list[str]) -> None:
    assert utils.convert_tags_to_list(given_) == tags


# ---------------------------------------------------------------------- names, versions, truth


def test_an_object_has_a_name_a_uid_or_both() -> None:
    assert [utils.assemble_cm_object(*pair) for pair in (("a", "u"), ("a", ""), ("", "u"))] == [
        "a,u",
        "a",
        "u",
    ]


@pytest.mark.parametrize(
    ("text", "is_uid"),
    [
        ("5b4e0237da074764", True),
        ("0123456789abcde.", True),
        ("5b4e0237da07476", False),
        ("5b4e0237da0747640", False),
        ("5B4E0237DA074764", False),
        ("g123456789abcdef", False),
        ("5b4e0237da07476\n", False),
    ],
)
def test_a_uid_is_known_by_its_sixteen_digits(text: str, is_uid: bool) -> None:
    assert utils.is_cm_uid(text) is is_uid


def test_new_uids_are_uids_and_differ() -> None:
    made = {utils.gen_uid()["uid"] for _ in range(20)}
    assert len(made) == 20 and all(map(utils.is_cm_uid, made))


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("1.10", "1.9", 1),
        ("1.2", "1.2.0", 0),
        ("1.2", "1.2.1", -1),
        ("2.0rc1", "2.0", 0),
        ("x", "0", 0),
        ("", "0.1", -1),
        (3, "3.0", 0),
    ],
)
def test_versions_are_compared_by_their_numbers(left: Any, right: Any, order: int) -> None:
    assert utils.compare_versions(left, right) == order


VERSION = st.lists(st.integers(0, 20), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@given(VERSION, VERSION, VERSION)
def test_versions_are_in_one_order(a: str, b: str, c: str) -> None:
    compare = utils.compare_versions
    assert compare(a, b) == -compare(b, a)
    assert compare(a, a) == compare(a, a + ".0") == 0
    if compare(a, b) <= 0 and compare(b, c) <= 0:
        assert compare(a, c) <= 0


@pytest.mark.parametrize(
    ("value", "truth"), [("Yes", True), (True, True), ("ON", True), ("1", False), ("", False)]
)
def test_a_variable_is_true_yes_or_on(value: Any, truth: bool) -> None:
    assert utils.check_if_true_yes_on({"K": value}, "K") is truth
    assert utils.check_if_true_yes_on({}, "K") is False


def test_the_moment_is_told_whole_and_in_parts() -> None:
    answer = utils.get_current_date_time()
    moment = datetime.datetime.fromisoformat(answer["iso_datetime"])
    assert abs(datetime.datetime.now() - moment) < datetime.timedelta(minutes=5)
    parts = answer["array"]
    assert moment.timetuple()[:6] == tuple(parts.values())
    assert [name.partition("_")[2] for name in parts] == ["year", "month", "day", "hour", "minute", "second"]


# ---------------------------------------------------------------------- modules and commands


def test_a_module_is_loaded_by_folder_and_name(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("VALUE = 7\n")
    answer = utils.load_python_module({"path": str(tmp_path), "name": "m"})
    assert answer["return"] == 0 and answer["code"].VALUE == 7
    missing = utils.load_python_module({"path": str(tmp_path), "name": "n"})
    assert missing["return"] == 1 and "n.py" in missing["error"]


def test_a_command_runs_in_its_folder_and_a_failure_has_its_number(tmp_path: Path) -> None:
    assert utils.run_system_cmd({"cmd": "touch here", "path": str(tmp_path)}) == {"return": 0, "rc": 0}
    assert (tmp_path / "here").exists()
    failed = utils.run_system_cmd({"cmd": "exit 3"})
    assert failed == {"return": 1, "error": "command failed with exit 3: exit 3"}
    assert utils.run_system_cmd({"cmd": "exit 3", "ignore_status": True}) == {"return": 0, "rc": 3}


def test_there_is_no_clipboard_and_the_debugger_stops_only_for_its_own_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert utils.copy_to_clipboard({"string": "x"}) == {"return": 0}
    stops: list[int] = []
    monkeypatch.setattr("sys.breakpointhook", lambda *words, **named: stops.append(1))
    for asked, env in (("", {}), ("id", {}), ("id", {"CM_TMP_DEBUG_UID": "other"}), ("id", None)):
        utils.debug_here(env_debug_uid=asked, env=env).breakpoint()
    assert stops == []
    utils.debug_here(env_debug_uid="id", env={"CM_TMP_DEBUG_UID": "id"}).breakpoint()
    assert stops == [1]


def test_every_helper_says_what_it_does() -> None:
    functions = [f for f in vars(utils).values() if callable(f) and getattr(f, "__module__", "") != "re"]
    assert len(functions) >= 20
    assert [f.__name__ for f in functions if not re.search(r"\w", f.__doc__ or "")] == []
