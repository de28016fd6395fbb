import pytest

from assay.mlperf.scoring.programs.mbxp import program
from tests.mlperf.scoring.conftest import sample


@pytest.mark.parametrize(
    ("id", "answer", "solution"),
    [
        ("cpp_f", " int f() {}\n```\nThis adds.", " int f() {}\n"),
        ("python_f", "\n\n def f(): pass\n```", "def f(): pass\n"),
        ("ruby_f", " def f() end", " def f() end"),
        ("php_my\\_f", "$a\\_b = 1;", "$a_b = 1;"),
        ("javascript_f", "```js\nlet a```", ""),
    ],
)
def test_an_answer_becomes_a_program_by_the_official_cuts(id: str, answer: str, solution: str) -> None:
    assert program(sample(0, "MBXP", "test", id), answer).solution == solution


def test_language_and_entry_point_are_parted_at_the_first_underscore() -> None:
    made = program(sample(0, "MBXP", "t", "typescript_min_cost"), "x")
    assert (made.language, made.entry_point, made.test) == ("typescript", "min_cost", "t")
