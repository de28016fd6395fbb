"""A round of one's own is held to the form of Assay's rounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.ground import settings
from assay.ground.errors import ConfigError
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds import toml_shape

SHAPE = toml_shape.learnt(
    [
        {
            "name": "a",
            "run": {"ms": 1},
            "workloads": {"w": {"targets": {"m": {"low": 1.5}}, "required": ["x"]}},
        },
        {"name": "b", "workloads": {"v": {"equal": True}}, "wheels": [{"version": "1"}]},
    ]
)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {
            "name": "c",
            "workloads": {"new": {"targets": {"other": {"low": 3}}, "equal": False, "required": []}},
        },
        {"wheels": [{"version": "2"}, {"version": "3"}]},
    ],
)
def test_what_the_known_rounds_have_may_stand_there(tree: dict[str, object]) -> None:
    toml_shape.refuse_other(tree, SHAPE, "f.toml")


@pytest.mark.parametrize(
    ("tree", "said", "hint"),
    [
        ({"nam": "c"}, "nothing reads 'nam' in the top", "did you mean name?"),
        (
            {"workloads": {"w": {"targets": {"m": {"lowest": 1}}}}},
            "nothing reads 'lowest' in [workloads.w.targets.m]",
            "low",
        ),
        ({"run": {"ms": "1"}}, "run.ms is '1', a text", "a number belongs there"),
        ({"workloads": {"w": {"equal": 1}}}, "workloads.w.equal is 1, a number", "true or false"),
        ({"workloads": {"w": {"required": [1]}}}, "workloads.w.required.0 is 1", "a text"),
        ({"wheels": {}}, "wheels is {}, a table", "a list"),
    ],
)
def test_what_none_of_them_has_is_named_with_its_place(tree: dict[str, object], said: str, hint: str) -> None:
    with pytest.raises(ConfigError) as told:
        toml_shape.refuse_other(tree, SHAPE, "f.toml")
    assert told.value.message.startswith("f.toml: ") and said in told.value.message
    assert hint in told.value.hint


def test_a_misspelt_limit_of_ones_own_round_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    (tmp_path / "rounds").mkdir()
    text = 'based_on = "v6.0"\nname = "club"\n[workloads."mixtral-8x7b".targets.gsm8k]\n{} = {}\n'
    own = tmp_path / "rounds/club.toml"
    own.write_text(text.format("lowest", "75.0"))
    with pytest.raises(ConfigError, match="nothing reads 'lowest'"):
        rounds.load("club")
    own.write_text(text.format("low", '"x"'))
    with pytest.raises(ConfigError, match="low is 'x', a text"):
        rounds.load("club")
    own.write_text(text.format("low", "75.0"))
    assert rounds.load("club").workload("mixtral-8x7b").targets["gsm8k"].low == 75.0
