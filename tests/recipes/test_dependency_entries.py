"""Lists of dependencies: how they grow, how `ad` and `adr` reach them, and what an entry is called with."""

from __future__ import annotations

from typing import Any

import pytest

from assay.recipes.contract.cm import CM
from assay.recipes.contract.mlc import MLC
from assay.recipes.model import dependencies
from assay.recipes.model.dependencies import Inheritance
from assay.recipes.model.env import Env
from assay.recipes.model.variations import Choice, VariationGroup


def entry(tags: str, *names: str, **more: Any) -> dict[str, Any]:
    return {"tags": tags, **({"names": list(names)} if names else {}), **more}


@pytest.mark.parametrize(
    ("text", "tags"),
    [("a,b", ["a", "b"]), ("", []), (None, []), (["a", 1], ["a", "1"]), (",a,,b,", ["a", "b"])],
)
def test_tags_are_a_text_or_a_list(text: Any, tags: list[str]) -> None:
    assert dependencies.split_tags(text) == tags


@pytest.mark.parametrize(
    ("have", "more", "result"),
    [
        ([], [entry("a")], [entry("a")]),
        ([entry("a,b")], [entry("b,a", x=1)], [entry("b,a", x=1)]),
        ([entry("a")], [entry("a,b")], [entry("a"), entry("a,b")]),
        ([entry("a", "n", "m")], [entry("b", "m", "n")], [entry("b", "m", "n")]),
        ([entry("a", "n")], [entry("a", "m")], [entry("a", "n"), entry("a", "m")]),
        ([entry("a", "n"), entry("c")], [entry("b", "n")], [entry("b", "n"), entry("c")]),
    ],
)
def test_an_entry_of_the_same_names_or_tags_takes_the_place_of_the_old_one(
    have: list[Any], more: list[Any], result: list[Any]
) -> None:
    dependencies.append_entries(have, more)
    assert have == result


@pytest.mark.parametrize(
    ("addition", "result"),
    [
        ({"tags": "_x"}, entry("a,_y,_x", "n")),
        ({"tags": "_y,_x,_x"}, entry("a,_y,_x", "n")),
        ({"tags": ["_x"]}, entry("a,_y,_x", "n")),
        ({"tags": "_<<<UNKNOWN>>>"}, entry("a,_y", "n")),
        ({"tags": "_<<<KNOWN>>>"}, entry("a,_y,_k", "n")),
        ({"version": "3"}, entry("a,_y", "n", version="3")),
        ({"env": {"A": 1}}, entry("a,_y", "n", env={"A": 1})),
        ({"names": ["m"]}, entry("a,_y", "n", "m")),
        ({"tags": "_x", "enable_if_env": {"KNOWN": ["k"]}}, entry("a,_y,_x", "n")),
        ({"tags": "_x", "enable_if_env": {"KNOWN": ["other"]}}, entry("a,_y", "n")),
        ({"tags": "_x", "skip_if_env": {"KNOWN": ["k"]}}, entry("a,_y", "n")),
        ("no addition", entry("a,_y", "n")),
    ],
)
def test_an_addition_reaches_the_entries_of_its_name(addition: Any, result: dict[str, Any]) -> None:
    entries = [entry("a,_y", "n"), entry("b", "other")]
    assert dependencies.update_named(entries, {"n": addition}, {"KNOWN": "k"}) is None
    assert entries == [result, entry("b", "other")]


def test_variables_of_an_addition_are_merged_into_those_of_the_entry() -> None:
    entries = [entry("a", "n", env={"A": 1, "B": 1})]
    dependencies.update_named(entries, {"n": {"env": {"B": 2, "C": 2}}}, {})
    assert entries[0]["env"] == {"A": 1, "B": 2, "C": 2}


def test_an_addition_is_not_changed_by_what_it_is_given_to() -> None:
    addition = {"n": {"env": {"A": 1}}}
    entries = [entry("a", "n")]
    dependencies.update_named(entries, addition, {})
    entries[0]["env"]["A"] = 2
    assert addition["n"]["env"] == {"A": 1}


def test_the_first_name_that_no_entry_has_is_given_under_strict_alone() -> None:
    entries = [entry("a", "n")]
    additions = {"n": {"tags": "_x"}, "unknown": {"tags": "_y"}, "other": {}}
    assert dependencies.update_named(entries, additions, {}, strict=True) == "unknown"
    assert dependencies.update_named(entries, additions, {}) is None


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        ({}, {"n": {"tags": "a"}}, {"n": {"tags": "a"}}),
        ({"n": {"tags": "a,b"}}, {"n": {"tags": "b,c"}}, {"n": {"tags": "a,b,c"}}),
        ({"n": {"tags": "a"}}, {"n": {"version": "1"}}, {"n": {"tags": "a", "version": "1"}}),
        ({"n": {"version": "1"}}, {"n": {"version": "2"}}, {"n": {"version": "2"}}),
        ({"n": {"tags": "a"}}, {"m": {"tags": "b"}}, {"n": {"tags": "a"}, "m": {"tags": "b"}}),
        ({"n": "text"}, {"n": {"tags": "b"}}, {"n": {"tags": "b"}}),
    ],
)
def test_one_adr_over_another_unites_the_tags_of_a_name(below: Any, above: Any, merged: Any) -> None:
    before = {name: dict(value) for name, value in above.items()}
    dependencies.merge_additions(below, above)
    assert below == merged
    assert above == before


def test_the_long_spelling_lies_over_the_short_one() -> None:
    block = {"ad": {"n": {"version": "1", "tags": "a"}}, "add_deps": {"n": {"version": "2"}}}
    assert dependencies.additions(block, "ad", "add_deps") == {"n": {"version": "2", "tags": "a"}}
    assert block["ad"] == {"n": {"version": "1", "tags": "a"}}
    assert dependencies.additions({}, "ad", "add_deps") == {}


def inheritance(prefix: str = "CM_", applied: tuple[str, ...] = (), **groups: VariationGroup) -> Inheritance:
    dialect = MLC if prefix == "MLC_" else CM
    choice = Choice(applied, applied, groups, {})
    return Inheritance(dependencies.local_keys(dialect), choice, dialect)


def handed(entry: dict[str, Any], prefix: str = "CM_", **env: Any) -> dict[str, Any]:
    return dict(inheritance(prefix).child_env(entry, Env(env)))


@pytest.mark.parametrize(
    ("key", "is_seen"),
    [
        ("CM_PYTHON_BIN", True),
        ("PATH", True),
        ("CM_VERSION", False),
        ("CM_VERSION_MIN", False),
        ("CM_OUTPUT", False),
        ("CM_NAME", False),
        ("CM_TMP_ANYTHING", False),
        ("CM_GIT_URL", False),
        ("CM_EXTRA_CACHE_TAGS", False),
        ("CM_NAMES", True),
        ("MLC_VERSION", True),
    ],
)
def test_a_recipes_own_variables_are_not_handed_down(key: str, is_seen: bool) -> None:
    assert (key in handed(entry("a"), **{key: "x"})) is is_seen


def test_a_variable_that_is_not_resolved_is_not_handed_down() -> None:
    assert handed(entry("a"), A="<<<UNKNOWN>>>", B="x") == {"B": "x"}


def test_the_callers_variables_stay_as_they_were() -> None:
    env = Env({"CM_VERSION": "1", "A": "2"})
    inheritance().child_env(entry("a"), env)
    assert env == {"CM_VERSION": "1", "A": "2"}


def test_what_an_entry_forces_or_reuses_is_handed_down_after_all() -> None:
    assert handed(entry("a", force_env_keys=["CM_GIT_*"]), CM_GIT_URL="u", CM_NAME="n") == {"CM_GIT_URL": "u"}
    assert handed(entry("a", reuse_version=True), CM_VERSION="1", CM_VERSION_MIN="0", CM_NAME="n") == {
        "CM_VERSION": "1",
        "CM_VERSION_MIN": "0",
    }


@pytest.mark.parametrize(
    ("more", "tags"),
    [
        ({"update_tags_from_env": ["KIND", "ABSENT"]}, "a,x"),
        ({"update_tags_from_env": ["LIST"]}, "a,1,2"),
        ({"update_tags_from_env_with_prefix": {"_v.": ["KIND", "ABSENT"], "_w.": "KIND"}}, "a,_v.x,_w.x"),
        ({"update_tags_if_env": {"_gpu": {"enable_if_env": {"KIND": ["x"]}}}}, "a,_gpu"),
        ({"update_tags_if_env": {"_gpu": {"enable_if_env": {"KIND": ["y"]}}}}, "a"),
    ],
)
def test_tags_of_an_entry_are_completed_from_the_variables(more: dict[str, Any], tags: str) -> None:
    made = entry("a", **more)
    handed(made, KIND="x", LIST=[1, 2])
    assert made["tags"] == tags


def test_mlc_completes_tags_from_the_entrys_own_variables_and_fills_placeholders() -> None:
    made = entry(
        "a,_<<<KIND>>>", update_tags_from_env_with_prefix={"_v.": ["OWN"]}, env={"OWN": "<<<KIND>>>1"}
    )
    handed(made, "MLC_", KIND="x")
    assert made["tags"] == "a,_x,_v.x1"
    plain = entry("a,_<<<KIND>>>")
    handed(plain, KIND="x")
    assert plain["tags"] == "a,_<<<KIND>>>"


@pytest.mark.parametrize(
    ("tags", "skipped", "result"),
    [
        ("a", [], "a,_cpu,_batch.8,_fast"),
        ("a,-_fast", [], "a,-_fast,_cpu,_batch.8"),
        ("a", ["device"], "a,_batch.8,_fast"),
        ("a", ["device", "size"], "a,_fast"),
        ("a", ["unknown"], "a,_cpu,_batch.8,_fast"),
    ],
)
def test_an_entry_may_inherit_the_variations_of_its_parent(
    tags: str, skipped: list[str], result: str
) -> None:
    groups = {"device": VariationGroup(("cpu", "cuda"), "cpu"), "size": VariationGroup(("batch.#",), "")}
    made = entry(tags, inherit_variation_tags=True, skip_inherit_variation_groups=skipped)
    inheritance("CM_", ("cpu", "batch.8", "fast"), **groups).child_env(made, Env({}))
    assert made["tags"] == result
