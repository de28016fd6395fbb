from __future__ import annotations

import pytest

from assay.ground import errors
from assay.ground.errors import AssayError, did_you_mean


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.ConfigError, 2),
        (errors.EnvironmentProblem, 3),
        (errors.ArtifactError, 3),
        (errors.RunFailed, 4),
        (errors.RecipeError, 4),
        (errors.Interrupted, 130),
    ],
)
def test_each_kind_of_failure_has_the_exit_code_of_the_table(kind: type[AssayError], code: int) -> None:
    assert kind("x").exit_code == code
    assert f"{kind.__name__} " in (errors.__doc__ or "")


def test_a_hint_stands_on_a_line_of_its_own_and_only_where_there_is_one() -> None:
    assert str(AssayError("no such file", "another name")) == "no such file\n  try: another name"
    assert str(AssayError("no such file")) == "no such file"


def test_of_many_near_words_three_are_offered() -> None:
    known = [f"mixtral-{name}" for name in ("delta", "gamma", "alpha", "omega")]
    assert did_you_mean("mixtral", known) == "did you mean mixtral-alpha or mixtral-delta or mixtral-gamma?"


def test_where_nothing_is_known_nothing_is_offered() -> None:
    assert did_you_mean("x", []) == ""
