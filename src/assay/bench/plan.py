"""The plan of a benchmark: bytes, disk, memory, minutes and blockers, before anything is downloaded or run.

Looks at what `assay bench` looks at first, by the same `preparation`, lets the SUT's planner examine it, and times a
few matrix products; the rest is arithmetic. What stands in the way is collected, not raised: the plan shows all of it.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.bench import cost, expected_samples, fetching, known_model, model_sizes, preparation, room
from assay.bench.expected_samples import ExpectedSamples
from assay.bench.known_model import KnownModel
from assay.bench.obstacles import Obstacles
from assay.bench.preparation import NO_HUB, Preparation
from assay.config import Division, Request, Style
from assay.ground import memory
from assay.ground.errors import AssayError, EnvironmentProblem
from assay.ground.hub import Hub
from assay.mlperf.data import tokenizer
from assay.mlperf.run import wheels
from assay.mlperf.sut.planner import SutPlanner, SutWork

LOADGEN_WHEEL_BYTES = 1_000_000


@dataclass(frozen=True)
class Blocker:
    """A reason why the benchmark cannot run, and what to do."""

    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True)
class Plan:
    """The needs of `assay bench` with the same options. Bytes, seconds."""

    workload: str
    sut: str
    precision: str
    samples: int | None
    """None when the dataset is not there."""
    answer_tokens: float | None
    """Mean tokens per answer that the minutes are for."""
    parameters: int | None
    weight_bytes: int | None
    """In the precision asked for."""
    sizes: model_sizes.ModelSizes | None
    """Of the workload's published model; None where it has none."""
    could_run: tuple[str, ...]
    """Published models that the free memory holds, with how; said where this one is too large."""
    download_bytes: int
    read_bytes: int
    disk_bytes: int
    ram_bytes: int | None
    """None where the model is to be counted and is not known."""
    ram_free_bytes: int
    parts: dict[str, float]
    """Part of the run -> seconds; empty when no estimate can be made."""
    seconds_at_least: float | None
    """With every prompt of one token, while the dataset is away: `parts` have the longest prompts then."""
    seconds_at_most: float | None
    """With every answer at the longest that is allowed."""
    blockers: tuple[Blocker, ...]
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        return sum(self.parts.values()) if self.parts else None


def make(request: Request, hub: Hub = NO_HUB) -> Plan:
    """Never raises for a job that cannot run: its blockers say why. `hub`: where its cache is looked for."""
    # As the SUT process has it: spinning threads slow a step a hundred times on a busy machine.
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")
    return _plan(preparation.of_request(request, hub))


def _plan(prepared: Preparation) -> Plan:
    config, way = prepared.config, Obstacles(list(prepared.problems))
    facts = _facts(prepared, way)
    model, work, rows = facts.model, facts.work, facts.rows
    free, ram = memory.available(), cost.ram_bytes(work)
    fetched, wheel = _fetched_bytes(prepared), _wheel_bytes(prepared)
    logs = cost.log_bytes(work) + 3 * wheel
    is_too_large = _is_too_large(prepared, facts, ram, free, way)
    way.past(lambda: room.refuse_full_disk(config.paths.out or Path.cwd(), logs))
    is_blocked = bool(way.found) or prepared.is_done
    time = _Seconds() if is_blocked else _seconds(facts)
    return Plan(
        workload=config.workload,
        sut=config.sut,
        precision=config.precision.value,
        samples=len(rows.samples) or None,
        answer_tokens=sum(rows.tokens) / len(rows.tokens) if rows.tokens else None,
        parameters=model.parameters,
        weight_bytes=model.weight_bytes(config.precision) or None,
        sizes=model_sizes.of(prepared.workload),
        could_run=tuple(model_sizes.could_run(model_sizes.table(), free)) if is_too_large else (),
        download_bytes=fetched + wheel,
        read_bytes=work.read_bytes,
        disk_bytes=logs + fetched,
        ram_bytes=None if _lacks_model(prepared, model) else ram,
        ram_free_bytes=free,
        parts=time.parts,
        seconds_at_least=time.at_least,
        seconds_at_most=time.at_most,
        blockers=tuple(Blocker(each.message, each.hint, each.exit_code) for each in way.found),
        notes=(
            *_notes(prepared),
            *filter(None, [known_model.other_weights(prepared)]),
            *facts.notes,
            *rows.notes,
            *([] if is_blocked else _time_notes(work, time)),
        ),
    )


@dataclass(frozen=True)
class _Facts:
    """What the sums are made of."""

    model: KnownModel
    rows: ExpectedSamples
    work: cost.Work
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Seconds:
    """As the fields of a plan."""

    parts: dict[str, float] = field(default_factory=dict)
    at_least: float | None = None
    at_most: float | None = None


def _facts(prepared: Preparation, way: Obstacles) -> _Facts:
    """What the model, the samples and the SUT's planner tell; `way` gets what stands in it."""
    model = way.past(lambda: known_model.of(prepared)) or KnownModel()
    way.past(lambda: known_model.refuse_unable(prepared))
    rows = way.past(lambda: expected_samples.of(prepared, model)) or ExpectedSamples()
    sut = _sut_work(prepared, model, rows)
    examined = None
    if sut is not None and (planner := _planner(prepared)) is not None:
        here = dataclasses.replace(sut, tokens=(), samples=() if rows.shortest else rows.samples)
        examined = way.past(lambda: planner.examine(here))
        sut = sut if examined is not None else None
        way.add(examined.blockers if examined else ())
    work = _work(prepared, model, rows, sut)
    notes = examined.notes if examined else ()
    if sut is not None and cost.sut_bytes(work) is None:
        notes = (*notes, f"the memory of the {prepared.config.sut} SUT is not known and not counted")
    return _Facts(model, rows, work, notes)


def _sut_work(prepared: Preparation, model: KnownModel, rows: ExpectedSamples) -> SutWork | None:
    """None without a job, or without the model that the SUT needs."""
    job, spec = prepared.job, prepared.spec
    if job is None or spec is None or (job.kind.needs_checkpoint and model.shape is None):
        return None
    return SutWork(
        spec=spec,
        workload=prepared.config.workload,
        samples=rows.samples,
        tokens=rows.tokens,
        longest_answer=job.rules.max_new_tokens or 0,
        model_config=model.config,
        is_closed=prepared.config.submission.division is not Division.OPEN,
    )


def _work(prepared: Preparation, model: KnownModel, rows: ExpectedSamples, sut: SutWork | None) -> cost.Work:
    config, dataset = prepared.config, prepared.config.paths.dataset
    folder = config.paths.tokenizer or prepared.checkpoint
    return cost.Work(
        config=config,
        job=prepared.job,
        samples=rows.samples,
        tokens=rows.tokens,
        sut=sut,
        planner=_planner(prepared),
        weight_bytes=model.weight_bytes(config.precision),
        read_bytes=model.read_bytes + (dataset.stat().st_size if dataset and prepared.data else 0),
        tokenizer=tokenizer.file_of(folder) if folder else None,
        slowdown=cost.slowdown(),
    )


def _planner(prepared: Preparation) -> SutPlanner | None:
    return prepared.kind.load_planner() if prepared.kind else None


def _lacks_model(prepared: Preparation, model: KnownModel) -> bool:
    return prepared.kind is not None and prepared.kind.needs_checkpoint and model.parameters is None


def _is_too_large(prepared: Preparation, facts: _Facts, ram: int, free: int, way: Obstacles) -> bool:
    """Whether the model does not fit; `way` gets why, and what else there is no room for."""
    precision = prepared.config.precision
    if (job := prepared.job) is not None:
        way.past(lambda: room.refuse_loadgen(job, len(facts.rows.samples), free))
    before = len(way.found)
    way.past(lambda: room.refuse_large_model(facts.model, prepared.kind, precision, ram, free))
    is_too_large = len(way.found) > before
    if any(isinstance(each, EnvironmentProblem) for each in way.found):  # said already, in finer words
        way.past(lambda: fetching.refuse_full_store(prepared.wanted))
    else:
        way.add(prepared.no_room)
    return is_too_large


def _seconds(facts: _Facts) -> _Seconds:
    """A planner may time for seconds, so this is asked of a job that can run alone."""
    work, shortest = facts.work, facts.rows.shortest
    parts, most = cost.seconds(work)
    if not parts or not shortest or work.sut is None:
        return _Seconds(parts, None, most)
    short = dataclasses.replace(work, samples=shortest, sut=dataclasses.replace(work.sut, samples=shortest))
    least = sum(cost.seconds(short)[0].values())
    return _Seconds(parts, min(least, sum(parts.values())), most)


def _notes(prepared: Preparation) -> list[str]:
    config = prepared.config
    notes = [
        f"{config.paths.out} holds a finished run: it is taken as it is, and nothing is run"
    ] * prepared.is_done
    most = prepared.workload.test_samples
    if config.style is Style.TEST and config.limits.samples is None and most is not None:
        notes.append(
            f"a test-style run takes {most} samples of {prepared.workload.name} where --samples says no other number; "
            "--style fast takes all"
        )
    notes += [f"fetched first, when bench is told --yes: {each}" for each in prepared.wanted]
    if prepared.accuracy_data is not None:
        notes.append(
            f"the accuracy run has a data set of its own, {len(prepared.accuracy_data.samples):,} rows: it is counted "
            "here as if it had the other one; `--mode accuracy` counts it alone"
        )
    return [*notes, *prepared.notes]


def _time_notes(work: cost.Work, time: _Seconds) -> list[str]:
    """Why no time is said, or what is not in it."""
    if not time.parts:
        is_known = work.samples and work.sut
        return (
            [f"how fast the {work.config.sut} SUT answers is not known, so no time is said"]
            if is_known
            else []
        )
    is_paced = any(scenario.is_paced for scenario in work.config.scenarios)
    has_model = work.sut is not None and bool(work.sut.model_config)
    return ["Server runs are counted at the pace of Offline"] if is_paced and has_model else []


def _fetched_bytes(prepared: Preparation) -> int:
    """Of model and dataset that are to be fetched, where their sizes are known."""
    return sum(each.size_bytes or 0 for each in prepared.wanted)


def _wheel_bytes(prepared: Preparation) -> int:
    """Of LoadGen's wheel, where it is to be fetched."""
    try:
        return LOADGEN_WHEEL_BYTES if prepared.job and not wheels.is_stored(prepared.job.wheel) else 0
    except AssayError:  # no wheel for this Python: the preparation says so
        return 0


def to_dict(plan: Plan) -> dict[str, Any]:
    """Plain JSON values, with the sum of the seconds."""
    return {
        **dataclasses.asdict(plan),
        "seconds": plan.seconds,
        "minutes": None if plan.seconds is None else plan.seconds / 60,
    }
