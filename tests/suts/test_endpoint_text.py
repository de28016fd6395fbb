from __future__ import annotations

import pytest

from assay.endpoint.failure import EndpointFailure
from assay.mlperf.data.sample import Sample
from assay.suts.endpoint_text import TextTokens, prompt_texts
from tests.suts.word_tokenizer import WordTokenizer

EXACT = TextTokens(WordTokenizer(), True, 2)


class Merging(WordTokenizer):
    """Two words that lie side by side become one, as a merge across pieces does."""

    def encode(self, text: str) -> list[int]:
        return [one for one in super().encode(text) if one != 8]


@pytest.mark.parametrize("counted", [3, 4])  # the end-of-sequence id may be counted
def test_the_ids_of_a_text_are_exact_where_the_way_back_and_the_count_agree(counted: int) -> None:
    assert EXACT.answer(" é7 é8 é9", counted) == [7, 8, 9]
    assert EXACT.first(" é7") == 7


@pytest.mark.parametrize(
    ("text", "counted", "said"),
    [
        (" é7 é8", None, "counts no tokens"),
        (" é7 é8", 5, "2 ids, and the server counts 5"),
        ("é7  é8", 2, "another text"),
    ],
)
def test_a_text_that_nobody_vouches_for_has_failed(text: str, counted: int | None, said: str) -> None:
    found = EXACT.answer(text, counted)
    assert isinstance(found, EndpointFailure) and said in found.detail


def test_without_exactness_the_servers_count_is_what_counts() -> None:
    loose = TextTokens(WordTokenizer(), False, 2)
    assert loose.answer(" é7 é8", 3) == [7, 8, 2] and loose.answer(" é7 é8", 1) == [7]
    assert loose.answer(" é7 é8", None) == [7, 8]
    blind = TextTokens(None, False, 2)
    assert blind.answer("any", 2) == [2, 2] and blind.first("any") == 2
    assert isinstance(blind.answer("any", None), EndpointFailure)


def test_prompts_are_vouched_for_by_their_way_back() -> None:
    samples = [Sample(i, f"{i}", "", "", (7, 8 + i), "", (), ()) for i in range(2)]
    assert prompt_texts(samples, WordTokenizer()) == ({0: " é7 é8", 1: " é7 é9"}, "")
    texts, why = prompt_texts(samples, Merging())
    assert why.startswith("1 of 2 prompts are other ids") and "row 0" in why and texts[0] == " é7 é8"
    assert "--tokenizer" in prompt_texts(samples, None)[1]
