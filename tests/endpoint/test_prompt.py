import pytest

from assay.endpoint.prompt import Prompt


def test_a_prompt_is_ids_or_text_and_not_both() -> None:
    assert Prompt(ids=(1, 2)).text is None
    for wrong in ({}, {"ids": (1,), "text": "a"}):
        with pytest.raises(ValueError, match="one of the two"):
            Prompt(**wrong)
