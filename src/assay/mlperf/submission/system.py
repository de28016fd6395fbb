"""systems/<system>.json: probed values and the submitter's own; fields without a value are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf.rounds import toml_text
from assay.mlperf.rounds.round import Round
from assay.mlperf.submission.source import FinishedRun

NO_ACCELERATOR = {
    "accelerators_per_node": "0",
    "accelerator_model_name": "N/A",
    "accelerator_memory_capacity": "N/A",
    "accelerator_host_interconnect": "N/A",
    "accelerator_interconnect": "N/A",
    "accelerator_memory_configuration": "N/A",
}
"""Fields of a run on the CPU: it used no accelerator, whatever the machine holds."""


@dataclass(frozen=True)
class Description:
    fields: Mapping[str, str]
    unknown: tuple[str, ...]
    """Required fields without a value; written empty, so that the checker names them."""


def describe(
    run: FinishedRun, round_: Round, division: str, submitter: str, name: str, said: Mapping[str, str]
) -> Description:
    """The description of one system. What the submitter `said` overrides what was probed."""
    known = (*round_.fields.system, *round_.fields.network)
    facts = {
        "number_of_nodes": "1",
        "system_type": _suite(run, round_),
        "framework": run.result.used.backend if run.result.used else "",
    }
    probed = {field: value for field, value in run.probed().items() if field in known}
    merged = {**facts, **probed, **(NO_ACCELERATOR if run.device == "cpu" else {}), **said}
    merged |= {"division": division, "submitter": submitter, "system_name": said.get("system_name", name)}
    wanted = known if division == "network" else round_.fields.system
    fields = {field: merged.get(field, "") for field in wanted}
    unknown = tuple(f for f in wanted if not fields[f] and f not in round_.fields.may_be_empty)
    return Description(fields, unknown)


def _suite(run: FinishedRun, round_: Round) -> str:
    """The first suite of the workload in its round: `edge` for llama3.1-8b-edge."""
    rules = round_.workloads.get(run.result.workload)
    return rules.suites[0] if rules else "datacenter"


def read_said(path: Path | None, system: str, round_: Round) -> dict[str, str]:
    """What system.toml says of a system: its plain keys, and those of a table with the system's name.

    Raises: ConfigError when the file is missing or no TOML, and for a field that the round's descriptions have not.
    """
    if path is None:
        return {}
    try:
        tree = toml_text.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        hint = 'a TOML file of system fields, as status = "available"'
        raise ConfigError(f"cannot read {path}: {error}", hint) from error
    own = tree.get(system)
    plain = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    said = {**plain, **(own if isinstance(own, dict) else {})}
    known = (*round_.fields.system, *round_.fields.network)
    for field in said:
        if field not in known:
            raise ConfigError(f"{path}: unknown field {field!r}", did_you_mean(field, known))
    return {key: str(value) for key, value in said.items()}
