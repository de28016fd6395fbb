import pytest

from assay.mlperf.scoring import sentences

pytest.importorskip("punkt")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "Dr. Smith sold it at 5 p.m. on Monday. Nobody came.",
            ["Dr. Smith sold it at 5 p.m. on Monday.", "Nobody came."],
        ),
        ("  One.   Two!  Three?  ", ["One.", "Two!", "Three?"]),
        ('He said: "It is over." She left.', ['He said: "It is over."', "She left."]),
        (
            "J. K. Rowling wrote it. (It sold well.) The U.S. Army did not.",
            ["J. K. Rowling wrote it.", "(It sold well.)", "The U.S. Army did not."],
        ),
        ("Already\non lines\nwithout points", ["Already\non lines\nwithout points"]),
        ("Stop !!! is not readable !!", ["Stop !", "!!", "is not readable !", "!"]),
        ("", [""]),
    ],
)
def test_sentences_are_those_of_nltk(text: str, lines: list[str]) -> None:
    assert sentences.on_lines(text) == "\n".join(lines)
