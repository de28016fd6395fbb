"""What stands in the way of a server that Assay would start: its program, the rules, and room for the model."""

from __future__ import annotations

import re

from assay.endpoint.apis import api_named
from assay.ground.count import size_text
from assay.ground.errors import AssayError, EnvironmentProblem
from assay.machine import probe
from assay.mlperf.sut.planner import Examined, SutSeconds, SutWork
from assay.suts import (
    endpoint_rules,
    serve_command,
    serve_devices,
    serve_pace,
    serve_program,
    server_config,
    server_settings,
)
from assay.suts import shape as shapes
from assay.suts.endpoint_plan import ram_bytes as client_bytes
from assay.suts.serve import KIND
from assay.suts.serve_devices import DeviceNeed
from assay.suts.serve_pace import ServePace

PORT = 8000
"""Stands in the command that is examined; the run takes a free one."""
NO_PACE = (
    "how fast it answers is not known: this command has made no run here yet; `assay plan … --sut endpoint --url URL` "
    "asks a server that is up"
)
_MIB = re.compile(r"(\d+) MiB")


def examine(work: SutWork) -> Examined:
    """Starts nothing. Raises: ConfigError for options that the run refuses."""
    options = KIND.values(work.spec.options)
    server, words = str(options["server"]), _command(work)
    api = api_named(serve_command.api_of(server, options["api"]))
    dialect = endpoint_rules.dialect_of(api.name)
    found = endpoint_rules.of_command(dialect, words, work.spec, work.samples)
    broken, notes = endpoint_rules.for_plan(found, work.is_closed)
    blockers: list[AssayError] = [*broken]
    try:
        serve_program.refuse_missing(server, words[0])
    except EnvironmentProblem as missing:
        blockers.insert(0, missing)
    if work.model_config:
        shape = shapes.of(dict(work.model_config), work.workload)
        settings = server_settings.from_command(dialect, server_config.expanded(dialect, words))
        held = serve_devices.need(shape, work.spec.precision, settings)
        blockers += _room(held)
        notes = (*notes, f"{held.words()}{_capacity(held)}")
    pace = _pace(work)
    told = pace.words() if pace is not None else NO_PACE
    return Examined(blockers=tuple(blockers), notes=(*notes, told))


def ram_bytes(work: SutWork) -> int | None:
    """Of the client, and of the weights where no accelerator would hold them."""
    if _accelerator() is not None:
        return client_bytes(work)
    if not work.model_config:
        return None
    shape = shapes.of(dict(work.model_config), work.workload)
    return client_bytes(work) + shape.weight_bytes(work.spec.precision)


def seconds(work: SutWork) -> SutSeconds | None:
    """As its fastest run here was; None before the first."""
    pace = _pace(work)
    if pace is None:
        return None
    longest = work.longest_answer * len(work.samples)
    return SutSeconds(pace.start_s, sum(work.tokens) / pace.tokens_per_s, longest / pace.tokens_per_s)


def _command(work: SutWork) -> list[str]:
    """Raises: ConfigError for options that the run refuses."""
    spec = work.spec
    return serve_command.command(KIND.values(spec.options), spec.checkpoint, PORT, spec.precision)


def _pace(work: SutWork) -> ServePace | None:
    checkpoint = work.spec.checkpoint
    return None if checkpoint is None else serve_pace.recall(serve_pace.key(_command(work), PORT, checkpoint))


def _accelerator() -> tuple[int, float] | None:
    """(devices, bytes of each) of this machine; None without one."""
    found = probe.accelerators()
    count, memory = found["accelerators_per_node"].value, found["accelerator_memory_capacity"].value
    size = _MIB.search(memory or "")
    return (int(count), int(size[1]) * 2**20) if count and count.isdecimal() and int(count) and size else None


def _room(held: DeviceNeed) -> list[EnvironmentProblem]:
    known = _accelerator()
    if known is None:
        return []
    count, memory = known
    wanted = held.parts * held.copies
    if wanted > count:
        return [
            EnvironmentProblem(
                f"the server's arguments ask for {wanted} devices, and {count} are here", "--server-args"
            )
        ]
    if held.tokens_in(memory) <= 0:
        enough = max(2, -int(-held.weight_bytes * held.parts // (serve_devices.SHARE * memory)))
        return [
            EnvironmentProblem(
                f"{held.words()}, and one has {size_text(memory)}",
                f"--server-args with tensor parallel over {enough} or more devices, or a smaller format",
            )
        ]
    return []


def _capacity(held: DeviceNeed) -> str:
    known = _accelerator()
    if known is None:
        return "; this machine has no accelerator, so its memory holds them"
    return (
        f"; with {size_text(known[1])}, room for {max(0, held.tokens_in(known[1])):,} tokens at the same time"
    )
