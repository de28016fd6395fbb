"""The width of logged token ids is told by their bytes, and by counts that are twice or half of what they should be."""

from __future__ import annotations

import json
import struct

import pytest

from assay.mlperf.logs.width import answers_in, kind_of, misread
from assay.mlperf.submission.truncate import GAP

IDS = [1, 28705, 13, 2, 450, 0, 31999, 7]
FORMS = {"int32": "i", "int64": "q", "float": "f"}


def packed(kind: str, ids: list[int]) -> bytes:
    return struct.pack(f"<{len(ids)}{FORMS[kind]}", *ids)


def log(kind: str, answers: list[list[int]]) -> bytes:
    rows = [
        json.dumps({"seq_id": i, "qsl_idx": i, "data": packed(kind, a).hex().upper()})
        for i, a in enumerate(answers)
    ]
    return ("[\n" + ",\n".join(rows) + "\n]\n").encode()


def cut(content: bytes, gap: bytes = GAP) -> bytes:
    return content[:4096] + gap + content[-4096:]


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("gap", [b"", GAP, GAP.replace(b"\n", b"\r\n")])
def test_the_kind_is_told_from_a_log_whole_or_cut(kind: str, gap: bytes) -> None:
    content = log(kind, [IDS * 20] * 30)
    assert kind_of(answers_in(cut(content, gap) if gap else content)) == kind


@pytest.mark.parametrize("answer", [b"", b"abc", b"\xff" * 8, packed("int64", [0, 0]) + b"\x00\x00\x00"])
def test_what_is_no_id_has_no_kind(answer: bytes) -> None:
    assert kind_of([answer]) == ""


@pytest.mark.parametrize(
    ("kind", "printed", "performed", "told"),
    [
        ("int64", 342.0, 171.0, ("int64", "int32", 171.0)),
        ("int64", 342.0, 160.0, ("int64", "int32", 171.0)),  # the runs differ a little, the log decides
        ("int64", 342.0, None, None),  # a cut log alone does not say how long all answers are
        ("int64", 171.0, 171.0, None),
        ("int32", 342.0, 342.0, None),
        ("int32", 171.0, 342.0, ("int32", "int64", 342.0)),
        ("float", 171.0, 342.0, ("float", "int64", 342.0)),
        ("int32", 342.0, 171.0, None),  # of another length, and the log says that the width is right
        ("", 342.0, 171.0, ("int64", "int32", 171.0)),
        ("", 342.0, 160.0, None),
        ("", 171.0, 342.0, ("int32", "int64", 342.0)),
    ],
)
def test_a_wrong_width_is_told_from_cut_logs_and_counts(
    kind: str, printed: float, performed: float | None, told: tuple[str, str, float] | None
) -> None:
    kept = cut(log(kind, [IDS * 20] * 30)) if kind else None
    wrong = misread(printed, kept, performed)
    assert (wrong and (wrong.logged, wrong.scored, wrong.tokens_per_sample)) == told


@pytest.mark.parametrize(
    ("kind", "printed", "told"), [("int64", 8.0, "int32"), ("int32", 2.0, "int64"), ("int64", 4.0, None)]
)
def test_a_whole_log_needs_no_performance_run(kind: str, printed: float, told: str | None) -> None:
    wrong = misread(printed, log(kind, [IDS[:3], IDS[:5]]), None)
    assert (wrong and wrong.scored) == told
