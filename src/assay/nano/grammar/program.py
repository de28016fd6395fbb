"""Functions of two or three steps over a number, a list or a text, in six languages, with a test each.

Some ordered pairs of steps never meet in training, in any language; the rest of the test asks for steps with
constants that no training program has together.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from assay.nano.grammar.language import Case, body, head, write_test
from assay.nano.grammar.prompt import STOP_SEQUENCE, program_prompt
from assay.nano.grammar.sample import GeneratedSample, share, split_of
from assay.nano.grammar.step import ENDINGS, LANGUAGES, STEPS, Constant, Domain, Ending, StepKind, text_for
from assay.nano.grammar.words import ADJECTIVES, GROUPS, INGREDIENTS, NOUNS, PLACES

HELD_OUT_PAIRS = 0.12
"""Share of the ordered pairs of steps that training never sees. A choice; the stored answers hang on it."""
NUM_CASES = 5
"""Calls in a program's test."""
NAMES = (*ADJECTIVES, *(word for group in GROUPS.values() for word in group), *INGREDIENTS, *PLACES)
"""Of functions: none is a keyword or a library function of any of the six languages."""

ChosenStep = tuple[StepKind, Constant]


def write_program(rng: Random, language: str | None = None) -> GeneratedSample:
    """A random program of any split, in `language` or in one of the six."""
    language = language or rng.choice(LANGUAGES)
    domain: Domain = rng.choice(("number", "list", "text"))
    ending = rng.choice(ENDINGS[domain])
    num_steps = 2 if domain == "list" and ending.name != "items" else rng.choice((2, 3))
    steps = [(kind, kind.constant(rng)) for kind in rng.sample(STEPS[domain], num_steps)]
    name = rng.choice(NAMES)
    comment = ", then ".join([_phrase(step) for step in steps] + [ending.phrase])
    code_head = head(language, name, domain, ending.result, comment[0].upper() + comment[1:] + ".")
    lines = [kind.line(language, constant) for kind, constant in steps]
    code = code_head + "\n" + body(language, lines, text_for(language, ending.value))
    content = " ".join([domain, *(f"{kind.name}:{constant}" for kind, constant in steps), ending.name])
    return GeneratedSample(
        subset="MBXP",
        question=code_head,
        prompt=program_prompt(language, code_head),
        answer=code + STOP_SEQUENCE,
        truth=write_test(language, name, _cases(rng, domain, steps, ending)),
        content=content,
        split=split_of(content, held_out=_holds_a_new_pair(domain, [kind.name for kind, _ in steps])),
        language=language,
        entry_point=name,
    )


def _holds_a_new_pair(domain: Domain, names: list[str]) -> bool:
    return any(share(f"pair {domain} {first} {second}") < HELD_OUT_PAIRS for first, second in pairwise(names))


def _phrase(step: ChosenStep) -> str:
    kind, constant = step
    return kind.phrase.replace("{k}", str(constant))


def _cases(rng: Random, domain: Domain, steps: list[ChosenStep], ending: Ending) -> list[Case]:
    cases = []
    for _ in range(NUM_CASES):
        argument = _argument(rng, domain)
        value: Any = argument
        for kind, constant in steps:
            value = kind.meaning(value, constant)
        cases.append(Case(argument, ending.meaning(value)))
    return cases


def _argument(rng: Random, domain: Domain) -> Any:
    if domain == "number":
        return rng.randint(-15, 30)
    if domain == "list":
        return [rng.randint(0, 25) for _ in range(rng.randint(4, 8))]
    return rng.choice(NOUNS).capitalize() + rng.choice(("", " ", "Z")) + rng.choice(ADJECTIVES)
