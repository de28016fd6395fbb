"""How the options of a verb are read: nothing is dropped in silence, and nothing is guessed."""

from __future__ import annotations

import argparse
from importlib import import_module

import pytest

from assay.cli import intents
from assay.cli.arguments import Parser, RequestParser, add_common, options, parser_of, refuse_unclear
from assay.cli.verbs import VERBS
from assay.ground.errors import ConfigError


def parser() -> Parser:
    made = Parser(prog="assay x", allow_abbrev=False)
    made.add_argument("--style", choices=["test", "fast", "valid"])
    made.add_argument("--samples", type=int)
    made.add_argument("--dry", action="store_true")
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
    assert error.value.hint.startswith("`assay x --help` lists its options")


@pytest.mark.parametrize("value", ["-np 8 -c 16384", "--metrics --slots"])
def test_arguments_of_another_program_are_a_value(value: str) -> None:
    made = parser()
    made.add_argument("-n")
    assert made.parse_args(["--note", value]).note == [value]
    with pytest.raises(ConfigError) as error:
        made.parse_args(["--note", "--metrics"])
    assert "--note=VALUE" in error.value.hint


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
        ["--dry", "--dry"],
        ["--note", "a", "--note", "b"],
        ["--unknown", "1", "--unknown", "2"],
        ["--samples", "1", "--", "--samples", "2"],
        ["-x", "-"],
    ],
)
def test_what_is_clear_is_left_to_argparse(words: list[str]) -> None:
    refuse_unclear(words, parser())


def test_other_names_of_an_option_are_read_as_it_and_told_in_its_help() -> None:
    made = parser()
    add_common(made)
    samples = made._option_string_actions["--samples"]
    assert made.parse_args(["--limit", "3", "deep"]).samples == 3
    assert samples.option_strings == ["--samples"] and "(also: --limit" in (samples.help or "")
    with pytest.raises(ConfigError, match="argument --samples: expected one argument"):
        made.parse_args(["--limit"])


def test_a_name_that_the_verb_has_itself_is_no_other_name() -> None:
    made = Parser(prog="assay x")
    made.add_argument("--samples")
    own = made.add_argument("--limit")
    add_common(made)
    assert options(made)["--limit"] is own
    assert made.parse_args(["--limit", "1", "-n", "2"]).samples == "2"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_each_other_name_stands_for_one_option_of_a_verb(verb: str) -> None:
    known = options(parser_of(verb, import_module(f"assay.cli.{VERBS[verb][0]}")))
    others = [other for name, names in intents.ALIASES.items() if name in known for other in names]
    assert len(set(others)) == len(others) and not set(others) & set(intents.ALIASES)


def test_the_options_of_every_verb_are_those_of_its_last_word() -> None:
    made = Parser(prog="assay x")
    below = made.add_subparsers().add_parser("deep")
    add_common(made)
    assert "--json" not in made._option_string_actions
    assert {"--json", "-q", "--quiet", "-v", "--verbose"} <= set(below._option_string_actions)


def test_a_request_keeps_flags_that_recipes_know() -> None:
    made = RequestParser(prog="assay x", allow_abbrev=False)
    made.add_argument("request", nargs="*")
    add_common(made)
    assert made.parse_known_args(["a", "--quiet", "-v"])[0].request == ["a", "--quiet", "-v"]


def test_the_options_of_a_parser_are_those_below_it_too() -> None:
    found = options(parser())
    assert {"--style", "--samples", "--dry", "--note", "--seed", "-h", "--help"} == set(found)
    assert isinstance(found["--seed"], argparse.Action)


def test_a_verb_of_many_options_has_a_short_usage_and_one_of_few_names_them() -> None:
    from assay.cli import bench, check

    usage = parser_of("bench", bench).format_usage()
    assert usage == "usage: assay bench [WORKLOAD] [options]\n"
    assert "--strict" in parser_of("check", check).format_usage()


@pytest.mark.parametrize(
    ("verb", "words", "line"),
    [
        ("submit", ["r 1"], "assay submit 'r 1' --submitter NAME --out TREE"),
        ("check", [], "assay check FOLDER"),
        ("load", ["mixtral-nano"], "assay load mixtral-nano --url URL"),
    ],
)
def test_what_is_lacking_is_shown_as_a_whole_line(verb: str, words: list[str], line: str) -> None:
    with pytest.raises(ConfigError, match="arguments are required") as error:
        parser_of(verb, import_module(f"assay.cli.{VERBS[verb][0]}")).parse_known_args(words)
    assert error.value.hint == line
