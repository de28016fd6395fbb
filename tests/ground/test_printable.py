from __future__ import annotations

import pytest

from assay.ground.printable import indented, one_line, printable


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),  # the one-character form of ESC [
        ("50 %\rdone", "50 %\\rdone"),
        ("a\x08\x7fb", "a\\x08\\x7fb"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("name\udcff", "name\\xff"),  # a byte that is no UTF-8, as the file system gives it
        ("\ud800", "\\ud800"),
        ("line\u2028line", "line\\u2028line"),
    ],
)
def test_a_character_without_a_picture_is_shown_as_an_escape(foreign: str, shown: str) -> None:
    assert printable(foreign) == one_line(foreign) == shown
    assert printable(foreign).encode("utf-8")


@pytest.mark.parametrize("text", ["", "llama2-70b-99.9", "naïve 模型 ≥ 5 µs", "two lines\n\tone indented"])
def test_text_that_can_be_printed_comes_back_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_a_name_with_a_line_end_cannot_pass_for_a_line_of_its_own() -> None:
    assert one_line("x\nassay: all is well\t!") == "x\\nassay: all is well\\t!"


def test_only_the_first_line_of_a_message_begins_at_the_margin() -> None:
    assert indented("a\nassay: fine\n  try: b\n") == "a\n  assay: fine\n  try: b\n"
