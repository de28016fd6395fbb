"""TEST07 verified: are the answers of a performance run as right as they must be?

Source: compliance/TEST07 of mlcommons/inference, run_verification.py: the score is the evaluator's exact_match over a
set of questions that the performance run was asked.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreVerdict:
    """What TEST07 found, in percent."""

    score: float | None
    """exact_match; None when it could not be measured, which fails."""
    threshold: float
    """Inclusive."""
    samples: int
    printed: str
    """What accuracy.txt would say."""

    @property
    def passed(self) -> bool:
        return self.score is not None and self.score >= self.threshold

    @property
    def words(self) -> str:
        """`passed: exact_match 63.1 over 990 answers`."""
        return (
            f"{'passed' if self.passed else 'FAILED'}: exact_match {self.score} over {self.samples} answers"
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        return () if self.passed else (f"exact_match {self.score} is below {self.threshold}",)

    def text(self) -> str:
        """verify_accuracy.txt, whose last line checkers read."""
        lines = [
            self.printed,
            "TEST07 Verification Summary",
            f"Accuracy score: {self.score}",
            f"Accuracy threshold: {self.threshold}",
            f"Accuracy check pass: {self.passed}",
            "TEST PASS" if self.passed else "TEST FAIL",
        ]
        return "\n".join(lines) + "\n"
