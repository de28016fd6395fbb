"""The type of the numbers in logged answers, and how their count changes when they are read as another type.

LoadGen keeps bytes; the official evaluators are told their type by --dtype. The reference SUTs of Mixtral and Llama 2
log int64 in Offline, and CM and MLC score int32: every id then counts twice, the second time as 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

ID_BYTES = {"int32": 4, "int64": 8, "float": 4}
VOCAB_MAX = 1 << 22
"""Above every vocabulary, and far below the smallest float that is not 0 when its bytes are read as int32."""
SURE, LIKELY = 0.10, 0.01
"""How far a count may be from the performance run's: where the log shows the type, and where counts alone speak."""
EXACT = 1e-4
"""accuracy.txt is rounded."""
ANY_GAP = re.compile(rb"\r?\n\r?\n\.\.\.\r?\n\r?\n")
"""The text that the official script puts between both ends of a cut log; on Windows with other line ends."""
_DATA = re.compile(rb'"data"\s*:\s*"([0-9A-Fa-f]*)("?)')
_TAIL = re.compile(rb'[0-9A-Fa-f]{16,}(?=")')


@dataclass(frozen=True)
class Misread:
    """Token ids that were scored as numbers of another width."""

    logged: str
    scored: str
    tokens_per_sample: float
    """As it would be with the type that was logged."""
    evidence: str


def are_halves(words: ArrayLike) -> bool:
    """Whether 32-bit numbers are the halves of 64-bit ids: every second one is then 0, as in no real answer."""
    values = np.asarray(words)
    return values.size >= 2 and values.size % 2 == 0 and not values[1::2].any() and bool(values[::2].any())


def kind_of(answers: Sequence[bytes]) -> str:
    """int32, int64 or float: what makes ids of all answers; empty where nothing does, or nothing is there."""
    whole = [answer for answer in answers if answer and len(answer) % 4 == 0]
    if not whole or len(whole) != len([answer for answer in answers if answer]):
        return ""
    if all(are_halves(np.frombuffer(answer, "<u4")) for answer in whole):
        return "int64"
    joined = b"".join(whole)
    if (np.frombuffer(joined, "<u4") < VOCAB_MAX).all():
        return "int32"
    floats = np.frombuffer(joined, "<f4")
    with np.errstate(invalid="ignore"):
        return "float" if ((floats >= 0) & (floats < VOCAB_MAX) & (floats == np.trunc(floats))).all() else ""


def answers_in(kept: bytes) -> list[bytes]:
    """Bytes of the answers in what a submission keeps of an accuracy log, of cut ones the whole ids next to the cut."""
    head, *rest = ANY_GAP.split(kept, maxsplit=1)
    found = [_hex(match[1], is_whole=bool(match[2])) for match in _DATA.finditer(head)]
    for after in rest:
        if tail := _TAIL.match(after):
            found.append(_hex(tail[0][len(tail[0]) % 16 :], is_whole=True))
        found += [_hex(match[1], is_whole=bool(match[2])) for match in _DATA.finditer(after)]
    return [answer for answer in found if answer]


def _hex(digits: bytes, *, is_whole: bool) -> bytes:
    keep = len(digits) // 2 * 2 if is_whole else len(digits) // 16 * 16
    return bytes.fromhex(digits[:keep].decode("ascii"))


def misread(printed: float, kept: bytes | None, performed: float | None) -> Misread | None:
    """Whether `printed` tokens per sample come of a wrong width, by what is at hand.

    kept: the accuracy log, whole or cut. performed: tokens per sample of the performance run.
    """
    answers = answers_in(kept) if kept else []
    kind = kind_of(answers)
    is_whole = bool(kept) and not ANY_GAP.search(kept or b"")
    for logged, scored in (("int64", "int32"), ("int32", "int64")):
        if kind and ID_BYTES[kind] != ID_BYTES[logged]:
            continue
        factor = ID_BYTES[logged] / ID_BYTES[scored]
        counted = sum(map(len, answers)) / ID_BYTES[logged] / len(answers) if kind and is_whole else None
        for true, slack in ((counted, EXACT), (performed, SURE if kind else LIKELY)):
            if true and abs(printed / factor / true - 1) <= slack:
                return Misread(kind or logged, scored, printed / factor, _evidence(kind, performed, counted))
    return None


def _evidence(kind: str, performed: float | None, counted: float | None) -> str:
    words = {
        "int64": "every second 32-bit number of the logged answers is 0",
        "int32": "the logged answers are ids as 32-bit numbers",
        "float": "the logged answers are ids as 32-bit floats",
    }
    said = [words[kind]] if kind else []
    said += [f"{counted:g} tokens per sample in the accuracy log"] if counted else []
    said += [f"{performed:g} in the performance run"] if performed else []
    return ", ".join(said)
