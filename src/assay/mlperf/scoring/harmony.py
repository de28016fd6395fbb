"""Finds the answer in a text of the Harmony chat format with its special tokens.

Source of every rule here: eval_accuracy.py of the gpt-oss-120b reference.
"""

from __future__ import annotations

import re

from assay.mlperf.scoring import answer_forms

_FINAL = re.compile(r"<\|channel\|>final[^<]*<\|message\|>(.*?)(?:<\|return\|>|$)", re.DOTALL)
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_FENCES = (re.compile(r"```python(.*?)```", re.DOTALL), re.compile(r"```(.*?)```", re.DOTALL))
_TAG = re.compile(r"^(?:python|py)\s*\n", re.IGNORECASE)


def final(text: str) -> str:
    """The first message of the channel `final`; the whole text where there is none."""
    text = text.strip()
    found = _FINAL.search(text)
    return found.group(1).strip() if found else text


def letter(text: str, last: str) -> str | None:
    """The letter that the final message begins with (whatever stands before it), else the first one after "Answer"
    in it, else the last that is stated anywhere in the text, as `answer_forms.stated_letter` reads it.

    So a final message that begins with the article "A" answers A.
    """
    said = answer_forms.unwrapped(_BOLD.sub(r"\1", final(text))).strip()
    patterns = (
        rf"^[^a-zA-Z]*([A-{last}])(?:[^a-zA-Z]|$)",
        rf"\bAnswer\s*[:.]?\s*([A-{last}])\b",
    )
    for pattern in patterns:
        if found := re.search(pattern, said, re.IGNORECASE):
            return found.group(1).upper()
    return answer_forms.stated_letter(text, last)


def program(text: str) -> str | None:
    """The last ```python block of the final message, else its last plain block, else the same of the whole text."""
    text = text.strip()
    for part in dict.fromkeys((final(text), text)):
        for fence in _FENCES:
            if found := fence.findall(part):
                return _TAG.sub("", found[-1].strip())
    return None
