"""TEST09 verified: are the answers of a performance run as long, in the mean, as the reference model's?

Source: compliance/TEST09 of mlcommons/inference, run_verification.py: the mean is over the entries of the log, and an
entry without ids counts as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.ground.errors import ArtifactError
from assay.mlperf.logs.accuracy import read_accuracy


@dataclass(frozen=True)
class LengthVerdict:
    """What TEST09 found, in tokens."""

    mean: float
    low: float
    high: float
    """Limits of the mean, both inclusive."""
    shortest: int
    longest: int
    samples: int

    @property
    def passed(self) -> bool:
        return self.low <= self.mean <= self.high

    @property
    def words(self) -> str:
        """`passed: 1280.11 tokens in the mean over 6396 answers`."""
        said = "passed" if self.passed else "FAILED"
        return f"{said}: {self.mean:.2f} tokens in the mean over {self.samples} answers"

    @property
    def reasons(self) -> tuple[str, ...]:
        if self.passed:
            return ()
        return (f"the mean of {self.mean:.2f} tokens is not between {self.low} and {self.high}",)

    def text(self) -> str:
        """verify_output_len.txt, whose last line checkers read."""
        lines = [
            f"Total samples: {self.samples}",
            f"Mean output tokens: {self.mean:.2f}",
            f"Min output tokens: {self.shortest}",
            f"Max output tokens: {self.longest}",
            f"Min threshold: {self.low}",
            f"Max threshold: {self.high}",
            f"Min check pass: {self.mean >= self.low}",
            f"Max check pass: {self.mean <= self.high}",
            "TEST PASS" if self.passed else "TEST FAIL",
        ]
        return "\n".join(lines) + "\n"


def verify(log: Path, low: float, high: float) -> LengthVerdict:
    """Raises: ArtifactError when the log is missing or damaged, or holds no answers."""
    lengths = [len(entry.token_ids) for entry in read_accuracy(log, "int32")]
    if not lengths:
        raise ArtifactError(f"{log} holds no answers", "run `assay compliance RUN` again")
    mean = sum(lengths) / len(lengths)
    return LengthVerdict(mean, low, high, min(lengths), max(lengths), len(lengths))
