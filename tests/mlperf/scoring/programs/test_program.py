import pytest

from assay.mlperf.scoring.programs.program import STARVED, ProgramVerdict, unfinished
from assay.sandbox.sandbox import ProgramOutcome


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (ProgramOutcome(None, False, "no space\n"), ProgramVerdict(None, "the sandbox failed: no space")),
        (ProgramOutcome(None, True, " "), ProgramVerdict(None, "the sandbox failed: no answer in time")),
        (ProgramOutcome(137, True, "", starved=True), STARVED),
        (ProgramOutcome(137, True, "1\n"), ProgramVerdict(False, "not ended in time")),
        (ProgramOutcome(1, False, "wrong"), None),
        (ProgramOutcome(0, False, ""), None),
    ],
)
def test_only_a_program_that_came_to_its_end_is_judged_further(
    outcome: ProgramOutcome, verdict: ProgramVerdict | None
) -> None:
    assert unfinished(outcome) == verdict
