import pytest

from assay.mlperf.scoring.gsm8k import find_number, is_right


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("The answer is 14,000.", "14000"),
        ("The answer is 7. No, wait. The answer is 5", "5"),
        ("The answer is $70.00", "70.00"),
        ("The answer is: one thousand. Total 1,000", "1000"),
        ("41\nQ: How many? The answer is 42", "41"),
        ("The answer is 1/2", "1"),
        ("The answer is .5", ".5"),
        ("2-5 people came, so 3", "3"),
        ("The answer is - 7", "7"),
        ("The answer is -7", "-7"),
        ("3.5,4", "4"),
        ("1,,,2", "12"),
        ("the answer is 3, or 4", "4"),
        ("no number at all", ""),
        ("", ""),
    ],
)
def test_the_number_of_an_answer_is_the_official_one(answer: str, number: str) -> None:
    assert find_number(answer) == number


def test_numbers_are_compared_as_numbers() -> None:
    assert is_right("The answer is 70.00", "70")
    assert not is_right("The answer is 71", "70")


def test_an_answer_without_a_number_is_wrong_not_zero() -> None:
    assert not is_right("none", "0")


def test_a_megabyte_of_commas_does_not_make_the_pattern_backtrack_for_hours() -> None:
    assert find_number("," * 1_000_000) == ""
