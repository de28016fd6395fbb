"""Words of other tools are answered with ours; each of ours that a hint names is there."""

from __future__ import annotations

import re

import pytest

from assay.cli import intents
from assay.cli.verbs import CM_VERBS, VERBS

HINTS = [*intents.OPTIONS.values(), *intents.VERBS.values()]


def test_no_word_of_ours_is_answered_as_one_of_another_tool() -> None:
    assert not set(intents.VERBS) & {*VERBS, *CM_VERBS}


@pytest.mark.parametrize("hint", sorted(set(HINTS)))
def test_a_verb_that_a_hint_names_is_a_verb(hint: str) -> None:
    assert set(re.findall(r"\bassay ([a-z]+)\b", hint)) <= {*VERBS, *CM_VERBS}


def test_an_option_is_written_with_its_dashes_and_a_verb_without() -> None:
    assert all(option.startswith("-") for option in intents.OPTIONS)
    assert not any(verb.startswith("-") for verb in intents.VERBS)
