"""An option of a SUT: its texts, its limits, and what is said of a wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from assay.config import OptionValue
from assay.ground.errors import ConfigError
from assay.mlperf.sut.option import BETWEEN, SutOption, text_of

ORDER = SutOption("order", str, "", "arrival", choices=("arrival", "longest"))
COUNT = SutOption("max_in_flight", int, "", least=1, most=64)
RATE = SutOption("rate", float, "", least=0.5)
STREAM = SutOption("stream", bool, "", True)
URL = SutOption("url", str, "", is_list=True)
KEY = SutOption("api_key_env", str, "", is_variable=True)


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        (ORDER, " longest ", "longest"),
        (COUNT, "64", 64),
        (RATE, "0.5", 0.5),
        (STREAM, "No", False),
        (STREAM, "1", True),
        (URL, f"http://a?x=1,2{BETWEEN}http://b{BETWEEN}", ("http://a?x=1,2", "http://b")),
        (KEY, "MY_KEY", "MY_KEY"),
    ],
)
def test_a_text_is_read_by_its_type_and_a_value_is_written_as_the_text_it_came_from(
    option: SutOption, text: str, value: OptionValue
) -> None:
    assert option.read(text) == value
    assert option.read(text_of(value)) == value == option.checked(value)


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        (ORDER, "longst", "did you mean longest?"),
        (ORDER, "", "empty value"),
        (COUNT, "0", "a whole number from 1 to 64"),
        (COUNT, "2.5", "a whole number from 1 to 64"),
        (COUNT, "9" * 5000, "a whole number from 1 to 64"),
        (RATE, "nan", "a number from 0.5"),
        (RATE, "inf", "a number from 0.5"),
        (STREAM, "maybe", "--stream or --no-stream"),
    ],
)
def test_a_wrong_text_is_refused_with_the_right_one(option: SutOption, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        option.read(text)
    assert said in str(error.value)


def test_a_secret_given_in_place_of_its_variable_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as error:
        KEY.read("sk-12345")
    assert "name of an environment variable" in str(error.value) and "12345" not in str(error.value)


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "Max-In"},
        {"name": "n", "type": int, "choices": ("a",)},
        {"name": "n", "type": int, "is_list": True},
        {"name": "n", "type": bytes},
        {"name": "n", "choices": ("a",), "default": "b"},
        {"name": "n", "type": int, "least": 2, "default": 1},
    ],
)
def test_a_declaration_that_cannot_be_offered_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SutOption(**{"type": str, "help": "", **facts})
