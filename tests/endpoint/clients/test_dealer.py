from __future__ import annotations

import msgspec

from assay.endpoint.clients.crossing import Order
from assay.endpoint.clients.dealer import AHEAD, Dealer


def orders(*numbers: int) -> list[Order]:
    return [(number, 0, msgspec.Raw(b"")) for number in numbers]


def numbers(dealt: dict[int, list[Order]]) -> dict[int, list[int]]:
    return {process: [order[0] for order in given] for process, given in dealt.items()}


def test_an_order_goes_to_the_process_with_the_fewest_open_ones() -> None:
    dealer = Dealer(2, 8)
    assert numbers(dealer.deal(orders(1, 2, 3))) == {0: [1, 3], 1: [2]}
    dealer.ended(0, [1, 3])
    assert numbers(dealer.deal(orders(4))) == {0: [4]}


def test_what_nobody_may_hold_yet_waits_in_its_order_for_whoever_is_free_first() -> None:
    dealer = Dealer(2, 1)
    assert numbers(dealer.deal(orders(*range(7)))) == {0: [0, 2], 1: [1, 3]}
    assert len(dealer.open[0] or ()) == AHEAD
    dealer.ended(1, [1, 3])
    assert numbers(dealer.deal()) == {1: [4, 5]}


def test_what_a_dead_process_held_is_told_and_the_others_go_on() -> None:
    dealer = Dealer(2, 1)
    dealer.deal(orders(*range(6)))
    assert dealer.lost(0) == [0, 2] and not dealer.is_alone
    dealer.ended(0, [0])  # too late: it is nobody's any more
    dealer.ended(1, [1])
    assert numbers(dealer.deal()) == {1: [4]}


def test_the_last_process_takes_what_waits_with_it() -> None:
    dealer = Dealer(1, 1)
    dealer.deal(orders(*range(4)))
    assert dealer.lost(0) == [0, 1, 2, 3] and dealer.is_alone
    assert dealer.deal(orders(9)) == {}
