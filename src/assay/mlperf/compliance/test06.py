"""Verifies TEST06: are the answers of a performance run the answers that were counted?

It is stricter than the official script in one point: a log with fewer answers than the test samples (100) fails,
where that script passes an empty one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError

SAMPLES_MIN = 100
"""Source: TEST06 audit.config, accuracy_log_sampling_target and min_query_count."""
EOS_ID = 2
"""Of Llama 2 and Mixtral; the round names another where the model has one (`RoundWorkload.eos_id`)."""
TOKEN_BYTES = 4
"""LoadGen logs int32 ids as Assay's SUTs hand them in."""


@dataclass(frozen=True)
class Verdict:
    """What TEST06 found. The three checks are those of the official script; `reasons` says what failed."""

    first_token: bool | None
    """First token reported = first token of the answer; None where the scenario reports none (Offline)."""
    eos: bool
    """No answer ends in more than one end-of-sequence id."""
    length: bool
    """The number of tokens reported is the number of ids logged."""
    samples: int
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.first_token is not False and self.eos and self.length and self.samples >= SAMPLES_MIN

    @property
    def words(self) -> str:
        """`passed over 100 answers`."""
        return f"{'passed' if self.passed else 'FAILED'} over {self.samples} answers"

    def text(self) -> str:
        """verify_accuracy.txt in the form that checkers read."""
        first = "Skipped" if self.first_token is None else str(self.first_token)
        lines = [
            f"First token check pass: {first}",
            f"EOS check pass: {self.eos}",
            f"Sample length check pass: {self.length}",
            "TEST06 verification complete" if self.passed else "TEST06 verification failed",
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Logged:
    """One entry of the sampled log."""

    index: int
    token_ids: Sequence[int]
    first_ids: Sequence[int]
    token_count: int


def verify(log: Path, scenario: str, eos_id: int = EOS_ID) -> Verdict:
    """Verify the sampled log of a TEST06 run.

    The log must hold SAMPLES_MIN answers: a set of fewer samples logs as many queries. Raises: ArtifactError when
    the log is missing, not LoadGen's, or holds other than int32 ids.
    """
    entries = list(_read(log))
    reasons = []
    if len(entries) < SAMPLES_MIN:
        reasons.append(f"{len(entries)} sampled answers, at least {SAMPLES_MIN} are needed")
    eos = [e.index for e in entries if _ends_twice(e.token_ids, eos_id)]
    length = [e.index for e in entries if len(e.token_ids) != e.token_count]
    first = [e.index for e in entries if not _begins_with(e)] if scenario != "Offline" else []
    for name, wrong in (("first token", first), ("end of sequence", eos), ("length", length)):
        if wrong:
            shown = ", ".join(str(index) for index in wrong[:5])
            reasons.append(f"{name}: {len(wrong)} of {len(entries)} answers differ (samples {shown})")
    enough = len(entries) >= SAMPLES_MIN
    return Verdict(
        first_token=None if scenario == "Offline" else not first and enough,
        eos=not eos and enough,
        length=not length and enough,
        samples=len(entries),
        reasons=tuple(reasons),
    )


def ending_twice(content: bytes, eos_id: int) -> tuple[int, ...]:
    """Sample indices of the logged answers that end in more than one end-of-sequence id.

    Raises: ValueError when the content is no log of int32 ids.
    """
    return tuple(entry.index for entry in _parsed(content) if _ends_twice(entry.token_ids, eos_id))


def _ends_twice(token_ids: Sequence[int], eos_id: int) -> bool:
    """Two trailing end-of-sequence ids. The very first id does not count: [2, 2] was v4.1's empty answer."""
    return len(token_ids) > 2 and token_ids[-1] == eos_id and token_ids[-2] == eos_id


def _begins_with(entry: Logged) -> bool:
    """A first token was reported, and it is the answer's own."""
    return bool(entry.first_ids) and entry.first_ids[0] == next(iter(entry.token_ids), None)


def _read(log: Path) -> Iterator[Logged]:
    try:
        yield from _parsed(log.read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{log} is no accuracy log of a TEST06 run: {error!r}", "run `assay compliance RUN` again"
        ) from error


def _parsed(content: bytes) -> list[Logged]:
    """Raises: ValueError."""
    try:
        entries = json.loads(content)
        if not isinstance(entries, list):
            raise ValueError("a JSON list is needed")
        return [
            Logged(
                index=int(entry["qsl_idx"]),
                token_ids=_ids(entry["data"]),
                first_ids=_ids(entry.get("token_data", "")),
                token_count=int(entry["token_count"]),
            )
            for entry in entries
        ]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(repr(error)) from error


def _ids(data: Any) -> list[int]:
    """Little-endian int32 ids from LoadGen's hex. Example: `0D00000002000000` is [13, 2]."""
    raw = bytes.fromhex(data)
    if len(raw) % TOKEN_BYTES:
        raise ValueError(f"{len(raw)} bytes are no int32 ids")
    return [
        int.from_bytes(raw[i : i + TOKEN_BYTES], "little", signed=True)
        for i in range(0, len(raw), TOKEN_BYTES)
    ]
