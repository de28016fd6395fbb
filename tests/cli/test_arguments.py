"""How the options of a verb are read: nothing is dropped in silence, and nothing is guessed."""

from __future__ import annotations

import argparse

import pytest

from assay.cli.arguments import Parser, options, refuse_unclear
from assay.ground.errors import ConfigError


def parser() -> Parser:
    made = Parser(prog="assay x", allow_abbrev=False)
    made.add_argument("--style", choices=["test", "fast", "valid"])
    made.add_argument("--samples", type=int)
    made.add_argument("--json", action="store_true")
    made.add_argument("--note", action="append")
    below = made.add_subparsers().add_parser("deep")
    below.add_argument("--seed", type=int)
    return made


def test_a_wrong_choice_names_the_near_one() -> None:
    with pytest.raises(ConfigError, match=r"assay x: argument --style: invalid choice: 'vald'") as error:
        parser().parse_args(["--style", "vald"])
    assert error.value.hint == "did you mean valid?"


def test_a_choice_that_is_near_none_names_them_all() -> None:
    with pytest.raises(ConfigError) as error:
        parser().parse_args(["--style", "quickly"])
    assert error.value.hint == "one of: fast, test, valid"


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--samples", "many"], "invalid int value: 'many'"), (["--samples"], "expected one argument")],
)
def test_another_error_names_the_help(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        parser().parse_args(words)
    assert error.value.hint == "`assay x --help` lists its options"


@pytest.mark.parametrize("value", ["-1s", "-inf", "-NaN", "-.5"])
def test_a_value_below_zero_is_for_its_option_to_refuse(value: str) -> None:
    assert parser().parse_args(["--note", value]).note == [value]


def test_a_parser_below_a_verb_raises_too() -> None:
    with pytest.raises(ConfigError, match="assay x deep"):
        parser().parse_args(["deep", "--seed", "x"])


@pytest.mark.parametrize("dash", ["\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}", "\N{EN DASH}\N{EN DASH}"])
def test_a_long_dash_is_told_with_the_option_that_is_meant(dash: str) -> None:
    with pytest.raises(ConfigError, match="begins with a long dash") as error:
        refuse_unclear([f"{dash}style", "test"], parser())
    assert error.value.hint == "--style"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--samples", "1", "--samples", "2"], "--samples is given twice: 1 and 2"),
        (["--samples=1", "--samples", "2"], "--samples is given twice: 1 and 2"),
        (["--samples", "1", "deep", "--samples=3"], "--samples is given twice: 1 and 3"),
        (["deep", "--seed=1", "--seed=2"], "--seed is given twice: 1 and 2"),
        (["--samples", "1", "--samples"], "--samples is given twice: 1 and "),
    ],
)
def test_two_values_of_one_option_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        refuse_unclear(words, parser())


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--samples", "1", "--samples=1"],
        ["--json", "--json"],
        ["--note", "a", "--note", "b"],
        ["--unknown", "1", "--unknown", "2"],
        ["--samples", "1", "--", "--samples", "2"],
        ["-x", "-"],
    ],
)
def test_what_is_clear_is_left_to_argparse(words: list[str]) -> None:
    refuse_unclear(words, parser())


def test_the_options_of_a_parser_are_those_below_it_too() -> None:
    found = options(parser())
    assert {"--style", "--samples", "--json", "--note", "--seed", "-h", "--help"} == set(found)
    assert isinstance(found["--seed"], argparse.Action)
