"""The prompt shapes of the three subsets, as texts that already begin with the BOS mark.

Source: the beginnings that the official data set shows ("<s>[INST] ", "<s> [INST] As an expert problem solver
solve s", "<s> [INST] Complete the following code. Be con"); what follows them is our own wording.
"""

from __future__ import annotations

FENCE = "```"
STOP_SEQUENCE = f"\n{FENCE}\n"
"""Ends a program; the data set's stop sequence for MBXP."""


def instruction_prompt(system: str, question: str) -> str:
    return f"<s>[INST] {system} {question} [/INST]"


def problem_prompt(question: str) -> str:
    return f"<s> [INST] As an expert problem solver solve step by step.\nQ: {question}\nA: [/INST]"


def program_prompt(fence_name: str, code: str) -> str:
    """`code` is the head of the program; the answer repeats it, completes it and closes the fence."""
    return (
        f"<s> [INST] Complete the following code. Be concise.\n{FENCE}{fence_name}\n{code}\n{FENCE} [/INST]\n"
        f"{FENCE}{fence_name}\n"
    )
