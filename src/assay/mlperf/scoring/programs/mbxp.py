"""MBXP: the program in an answer. `grader.py` runs it.

Source of every rule here: evaluate-accuracy.py of the mixtral-8x7b reference (mxeval e09974f9).
"""

from __future__ import annotations

from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring.programs.program import Program

FENCE = "```"
GRADED = ("cpp", "javascript", "php", "python", "ruby", "typescript")
"""Languages that count; a sample of any other is left out of both sides of pass@1."""


def program(sample: Sample, answer: str) -> Program:
    """The program of an MBXP answer: cut at the first code fence, Markdown's escaped `_` undone.

    The prompt is not put in front: the model repeats its code.
    """
    language, entry_point = sample.id.split("_", 1)
    solution = answer.split(FENCE, 1)[0]
    if language == "python":
        solution = solution.lstrip()
    return Program(language, entry_point, solution.replace("\\_", "_"), sample.truth)
