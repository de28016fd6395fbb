from __future__ import annotations

import pytest

from assay.endpoint.chunk_times import packed_gaps
from assay.endpoint.clients.crossing import Came, EndedStream
from assay.ground.errors import RunFailed
from assay.suts.endpoint_ledger import Ledger
from assay.suts.endpoint_text import TextTokens
from tests.suts.test_endpoint_sut import Collected

MS = 1_000_000
URLS = ("http://a:1", "http://b:1")


def ledger(tells_firsts: bool = True) -> tuple[Ledger, Collected]:
    sink = Collected()
    return Ledger(URLS, TextTokens(None, False, 2), tells_firsts, sink), sink


def test_an_answer_goes_to_loadgens_own_number_and_a_question_of_our_own_to_nobody() -> None:
    made, sink = ledger()
    theirs, ours = made.enter([901, None])
    came = Came(
        [(theirs, 5, 77), (ours, 6, 78)], [(theirs, [5, 7]), (ours, [6, 8])], [EndedStream(ours, URLS[0])]
    )
    made.came(came)
    assert sink.answers == {901: [5, 7]} and [tuple(one) for one in sink.firsts] == [(901, 5, 77)]
    made.came(Came([], [], [EndedStream(theirs, URLS[1], late_ns=9)]))
    made.wait()
    assert [ended.number for ended in made.own([ours])] == [ours]
    assert made.take_run().delays_ns == [9] and made.take_run().delays_ns == []


@pytest.mark.parametrize("tells_firsts", [True, False])
def test_a_failed_answer_is_completed_once_with_what_is_missing_of_it(tells_firsts: bool) -> None:
    made, sink = ledger(tells_firsts)
    numbers = made.enter([1, 2, 3])
    made.came(Came([(numbers[1], 5, 77), (numbers[2], 5, 78)], [(numbers[2], [5, 6])], []))
    cut = [EndedStream(number, URLS[0], failure="CUT", detail="gone") for number in numbers]
    made.came(Came([], [], cut))
    made.wait()
    assert sink.answers == {1: [2, 2], 2: [2, 2], 3: [5, 6]}
    assert {token.id: token.token_id for token in sink.firsts} == ({1: 2, 2: 5, 3: 5} if tells_firsts else {})
    assert (
        made.faults.sentences()[0].startswith("3 of 3 answers failed")
        and "(gone)" in made.faults.sentences()[0]
    )


def test_what_broke_the_client_is_told_to_whoever_waits_or_asks() -> None:
    made, _ = ledger()
    made.enter([1])
    made.broke(RuntimeError("odd"))
    for step in (made.wait, lambda: made.enter([2])):
        with pytest.raises(RunFailed, match="the client of the server stopped: odd"):
            step()


def test_who_failed_a_query_before_another_answered_it_is_counted_there() -> None:
    made, _ = ledger()
    (number,) = made.enter([1])
    made.came(Came([], [(number, [5, 6])], [EndedStream(number, URLS[1], handed_over=URLS[:1])]))
    assert (made.worst.tallies[URLS[0]].handed_over, made.take_run().handed_over) == (1, 1)
    assert made.faults.sentences() == ()


def test_other_tools_definitions_are_by_the_times_of_the_client() -> None:
    made, _ = ledger()
    one, two = made.enter([1, 2])
    gaps = packed_gaps([0, 10 * MS, 30 * MS])
    ended = [
        EndedStream(
            one,
            URLS[0],
            5 * MS,
            100 * MS,
            50 * MS,
            20 * MS,
            True,
            tokens=4,
            first_chunk_tokens=2,
            gaps_us=gaps,
        ),
        EndedStream(
            two, URLS[0], 0, 200 * MS, 50 * MS, 20 * MS, False, tokens=4, first_chunk_tokens=2, gaps_us=gaps
        ),
    ]
    made.came(Came([], [(one, [1] * 4), (two, [1] * 4)], ended))
    run = made.take_run()
    found = run.definitions()
    assert (run.stamped, run.unstamped) == (1, 1) and found.keys() == {
        "vllm bench serve",
        "guidellm",
        "AIPerf",
        "MLPerf Endpoints",
    }
    assert [told["TTFT"] for told in found.values()] == [pytest.approx(20.0)] * 4
    assert found["vllm bench serve"]["TPOT"] == found["AIPerf"]["ITL"] == pytest.approx(10.0)
    assert found["vllm bench serve"]["ITL"] == pytest.approx(20.0)
    assert found["guidellm"]["TPOT"] == pytest.approx(12.5) and found["MLPerf Endpoints"][
        "TPOT"
    ] == pytest.approx(15.0)
    assert found["AIPerf"]["requests/s"] == pytest.approx(2 / 0.15)
    assert made.take_run().definitions() == {}


def test_a_text_is_counted_as_the_server_counts_and_fails_where_nobody_counts() -> None:
    made, sink = ledger()
    counted, uncounted = made.enter([1, 2])
    texts: list[tuple[int, str, int | None]] = [(counted, "a b", 3), (uncounted, "a b", None)]
    firsts = [(counted, "a", 77), (uncounted, "a", 78)]
    made.came(Came([], [], [EndedStream(n, URLS[0]) for n in (counted, uncounted)], firsts, texts))
    assert sink.answers == {1: [2, 2, 2], 2: [2, 2]} and len(sink.firsts) == 2
    assert (
        "1 of 2 answers failed" in made.faults.sentences()[0] and "--tokenizer" in made.faults.sentences()[0]
    )
