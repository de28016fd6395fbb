"""Rules of the system description, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from assay.mlperf.checker.rule import Fault
from assay.mlperf.checker.rules import system
from assay.mlperf.checker.subjects import DescribedSystem
from tests.mlperf.checker.parts import Parts, only

CASES: list[tuple[Callable[[DescribedSystem], Iterator[Fault]], str, Any, Any]] = [
    (system.known_values, "status", "RDI", "soon"),
    (system.known_values, "system_type", "datacenter,edge", "cloud"),
    (system.required_fields, "host_memory_capacity", "N/A", ""),
    (system.required_fields, "framework", "Assay", None),
    (system.unknown_fields, "power_supply_details", "1 kW", None),
    (system.unknown_fields, "disk_controllers", "none", None),
    (system.owner, "submitter", "tester", "Somebody"),
    (system.owner, "division", "closed", "open"),
    (system.network_fields, "is_network", "False", "True"),
    (system.whole_numbers, "number_of_nodes", "2", "two"),
    (system.texts, "status", "available", 1),
]


@pytest.mark.parametrize(
    ("rule", "field", "good", "bad"), CASES, ids=[f"{c[0].__name__}-{c[1]}" for c in CASES]
)
def test_a_field_passes_or_is_one_fault(
    parts: Parts, rule: Callable[[DescribedSystem], Iterator[Fault]], field: str, good: Any, bad: Any
) -> None:
    assert list(rule(parts.described(**{field: good}))) == []
    if rule is system.unknown_fields:
        assert only(rule(parts.described(colour="red"))).found == "colour"
    else:
        assert only(rule(parts.described(**{field: bad}))).path == parts.system.file


def test_a_required_field_may_be_empty_where_the_round_says_so(parts: Parts) -> None:
    empty = parts.system.submitter.round.fields.may_be_empty[0]
    assert list(system.required_fields(parts.described(**{empty: ""}))) == []


def test_a_description_that_is_no_json_is_told_once(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(system.readable(parts.system)) == []
    monkeypatch.setitem(parts.tree.faults, parts.system.file, "not JSON")
    monkeypatch.setitem(vars(parts.system), "fields", None)
    assert only(system.readable(parts.system)).found == "not JSON"
