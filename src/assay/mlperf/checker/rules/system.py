"""Rules of systems/<system>.json (S): who submits, on what, and whether every field says something."""

from __future__ import annotations

import json
from collections.abc import Iterator

from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import DESCRIBED, SYSTEM, DescribedSystem
from assay.mlperf.checker.submission import SUITES, System

STATUSES = ("available", "preview", "rdi")
CHECKER = "submission checkers (check_system_desc_id, SystemCheck)"
FIX = "edit the file, or give the field in system.toml and build the tree again with `assay submit`"

_POWER_FIELDS = """
power_management filesystem boot_firmware_version management_firmware_version other_hardware disk_drives
disk_controllers number_of_type_nics_installed nics_enabled_firmware nics_enabled_os nics_enabled_connected
network_speed_mbit power_supply_quantity_and_rating_watts power_supply_details system_power_only
"""
POWER_FIELDS = frozenset(_POWER_FIELDS.split())
"""Of systems with a power measurement. Source: SYSTEM_DESC_REQUIRED_FIELDS_POWER of the submission checkers."""
TEXTS = ("is_network", "status")
JOINED_TEXTS = ("framework", "operating_system", "host_processor_model_name", "accelerator_model_name")
"""Joined with text in the results line of the checkers before v6.0."""


@rule(
    "S1",
    of=DESCRIBED,
    title="status or system_type has an unknown value",
    source=f"{CHECKER}: VALID_AVAILABILITIES, system types",
    fix=FIX,
)
def known_values(described: DescribedSystem) -> Iterator[Fault]:
    status, suite = described.fields.get("status"), described.fields.get("system_type")
    if status and str(status).lower() not in STATUSES:
        yield Fault(described.file, "unknown status", str(status), " | ".join(STATUSES))
    if suite and suite not in SUITES:
        yield Fault(described.file, "unknown system_type", str(suite), " | ".join(SUITES))


@rule(
    "S2",
    of=DESCRIBED,
    title="a required field is missing, or empty where a value is needed",
    source=f"{CHECKER}: SYSTEM_DESC_REQUIRED_FIELDS, SYSTEM_DESC_MEANINGFUL_RESPONSE_REQUIRED_FIELDS",
    fix=FIX + '; "N/A" is a value, the number 0 is not (write "0")',
)
def required_fields(described: DescribedSystem) -> Iterator[Fault]:
    for name in described.round.fields.system:
        if name not in described.fields:
            yield Fault(described.file, f"{name} is missing", "no such field", f"a value for {name}")
        elif not described.fields[name] and name not in described.round.fields.may_be_empty:
            yield Fault(
                described.file, f"{name} is empty", repr(described.fields[name]), f"a value for {name}"
            )


@rule(
    "S3",
    of=DESCRIBED,
    severity=Severity.WARNING,
    title="an unknown field",
    source=f"{CHECKER}: fields that are not required",
    fix="remove the field, or correct its spelling",
)
def unknown_fields(described: DescribedSystem) -> Iterator[Fault]:
    fields = described.round.fields
    known = {*fields.system, *fields.network, "is_network", *POWER_FIELDS}
    for name in described.fields:
        if name not in known:
            yield Fault(
                described.file, "unknown field", name[:80], "a field of the round's system description"
            )


@rule(
    "S4",
    of=DESCRIBED,
    title="submitter or division differs from the folder",
    source=f"{CHECKER}: submitter and division against the path",
    fix=FIX,
)
def owner(described: DescribedSystem) -> Iterator[Fault]:
    submitter = described.system.submitter
    is_exact = submitter.round.layout == "old"  # of the division; the modular checker takes "Closed"
    for field, folder in (("submitter", submitter.name), ("division", submitter.division)):
        value = str(described.fields.get(field) or "")
        is_same = value.lower() == folder.lower() and (
            value == folder or field == "submitter" or not is_exact
        )
        if value and not is_same:
            yield Fault(described.file, f"{field} differs from the folder", value, folder)


@rule(
    "S5",
    of=DESCRIBED,
    title="is_network and the network fields do not fit the division",
    source=f"{CHECKER}: is_network, SYSTEM_DESC_REQUIRED_FIELDS_NETWORK_MODE",
    fix='in network/ set is_network to "True" and give every network field; in closed/ leave it out',
)
def network_fields(described: DescribedSystem) -> Iterator[Fault]:
    division = described.system.submitter.division
    value = str(described.fields.get("is_network", "")).lower()
    if division == "closed" and value == "true":
        yield Fault(described.file, "a network system in the closed division", value, "no is_network")
    if division != "network":
        return
    if value != "true":
        yield Fault(described.file, "not declared as a network system", value or "no is_network", '"True"')
    for name in described.round.fields.network:
        if name != "is_network" and not described.fields.get(name):
            yield Fault(described.file, f"{name} is missing or empty", "no value", f"a value for {name}")


@rule(
    "S6",
    of=SYSTEM,
    title="the system description is no JSON object",
    source=f"{CHECKER}: json.load (a traceback there)",
    fix="repair the JSON",
)
def readable(system: System) -> Iterator[Fault]:
    if system.fields is None and system.file in system.submitter.tree.faults:
        yield Fault(system.file, "unreadable", system.submitter.tree.faults[system.file], "a JSON object")


@rule(
    "S7",
    of=DESCRIBED,
    title="number_of_nodes or accelerators_per_node is no whole number",
    source="modular submission checker (from v6.0): the result exporter multiplies them; a warning before",
    fix='write a whole number as text, as "1"',
)
def whole_numbers(described: DescribedSystem) -> Iterator[Fault]:
    is_multiplied = described.round.layout == "new"
    severity = Severity.ERROR if is_multiplied else Severity.WARNING
    for name in ("number_of_nodes", "accelerators_per_node"):
        value = described.fields.get(name)
        if value and not str(value).strip().isdecimal():
            yield Fault(
                described.file,
                f"{name} is no whole number",
                str(value),
                'a whole number, as "1"',
                severity,
            )


@rule(
    "S8",
    of=DESCRIBED,
    title="a field of the system description is no text",
    source=f"{CHECKER}: they call .lower() on it, or join it with text (a traceback there)",
    fix='write the value in quotes, as "False"',
)
def texts(described: DescribedSystem) -> Iterator[Fault]:
    needed = TEXTS if described.round.layout == "new" else (*TEXTS, *JOINED_TEXTS)
    for name in needed:
        value = described.fields.get(name, "")
        if not isinstance(value, str) and not (value is None and name == "is_network"):
            yield Fault(described.file, f"{name} is no text", json.dumps(value)[:80], "a text")
