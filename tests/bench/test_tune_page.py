"""The page of a search: what was found, the bracket and every probe."""

from __future__ import annotations

import dataclasses

import pytest

from assay.bench import tune_page
from assay.bench.tune_record import Official, Tuned
from assay.bench.tune_search import Tried


def probe(rate: float, passed: bool, why: str = "the first guess") -> Tried:
    return Tried(rate, passed, why, "ended <early>", 1800, 8, 900, 800, 0, 17, 7.4, False, "probes/01")


FOUND = Tuned(
    "t",
    ("host=h", "workload=mixtral-nano"),
    "Server",
    40.0,
    {"ttft_ms": 2000.0, "tpot_ms": 200.0},
    full_rate=34.5,
    guess=39.56,
    guess_from="10 % above",
    probes=(probe(39.56, False), probe(32.5, True, "just below"), probe(35.0, False)),
    low=32.5,
    high=35.0,
    reason="it is narrow",
    official=(Official(32.2, "VALID", 0, 6, "t/official-1"),),
)


def test_a_page_has_the_verdict_every_probe_and_the_official_run() -> None:
    page = tune_page.render(FOUND)
    assert "Tune of mixtral-nano" in page and "VALID at 32.2 samples/s" in page and "<script" not in page
    assert "3 probes in 22 s; it is narrow" in page and "ttft 2000 ms, tpot 200 ms" in page
    assert page.count(">FAIL</td>") == 2 and "just below" in page and "ended &lt;early&gt;" in page
    assert "official-1" in page and "t/official-1" not in page


def test_the_bracket_is_drawn_as_it_was_after_each_probe() -> None:
    low, high = tune_page.narrowing(FOUND.probes).lines
    assert list(low.points) == [(2.0, 32.5), (3.0, 32.5)]
    assert list(high.points) == [(1.0, 39.56), (2.0, 39.56), (3.0, 35.0)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"official": ()}, "32.5 samples/s pass; no official run was made"),
        ({"official": (Official(32.2, "INVALID", 9, 6, ""),)}, "no official run of 1 was VALID"),
        ({"official": (), "low": None}, "no rate passes"),
        ({"official": (), "low": None, "reason": "", "probes": ()}, "the search has not ended"),
    ],
)
def test_what_was_not_found_is_said(more: dict[str, object], said: str) -> None:
    assert said in tune_page.render(dataclasses.replace(FOUND, **more))  # type: ignore[arg-type]
