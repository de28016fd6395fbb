"""`assay load`: levels of load on a server, without LoadGen. load.json is written after each level."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import assay
from assay import suts
from assay.bench import earlier, load_rows, load_server, run_start
from assay.bench.load_server import LoadRequest
from assay.bench.running import Reporter, now
from assay.doors import config_options
from assay.endpoint.address import parse
from assay.endpoint.exchange import ClientLimits
from assay.endpoint.load import figures, record
from assay.endpoint.load.drive import LevelProgress
from assay.endpoint.load.figures import Lengths
from assay.endpoint.load.fleet import LoadFleet
from assay.endpoint.load.level import LoadKind, LoadLevel
from assay.endpoint.load.process import LoadSetting
from assay.endpoint.load.record import LevelRecord, LevelStatus, LoadAsked, LoadRecord
from assay.endpoint.probe.identify import ServerIdentity
from assay.endpoint.probe.trial import Asker
from assay.endpoint.sampling import Sampling
from assay.ground.count import counted, number
from assay.ground.errors import ConfigError, Interrupted, RunFailed
from assay.mlperf.data import dataset
from assay.mlperf.data.dataset import Dataset
from assay.mlperf.data.sample import Sample
from assay.mlperf.run import job as jobs
from assay.mlperf.run.job import Job
from assay.mlperf.sut.option import BETWEEN
from assay.mlperf.sut.progress import Progress
from assay.report.words import four_digits
from assay.suts.endpoint_options import allow_files, clients_of

VERB, OTHER = "load", "--out a new folder, or --rerun"
RATE_STREAMS = 4096
"""Most requests that are open at a fixed rate; later ones wait, and their wait is counted."""
STALL_S = 120.0
"""Longest time without a byte, as the default of `--stall-timeout` of the endpoint SUT."""


def run(asked: LoadRequest, reporter: Reporter) -> tuple[Path, LoadRecord]:
    """The folder and what stands in it, with a note of the levels that an earlier call measured. What needs no server
    is looked at before one is asked. Raises: AssayError; Interrupted leaves a record that can be gone on with."""
    job, data = _job(asked)
    samples = job.choose(data.samples) if asked.samples else data.samples
    sampling = load_server.sampling(job, asked.answer_tokens)
    streams = max(RATE_STREAMS if each.kind is LoadKind.RATE else int(each.value) for each in asked.levels)
    clients = clients_of({"clients": asked.clients}, streams)
    wanted = _wanted(asked, sampling, data, len(samples))
    kept = _there(asked, wanted)
    if kept is not None:
        for said in kept.notes:
            reporter.say(said)
        if kept.is_whole:
            return kept.folder, kept.record.with_notes(kept.notes)
    allow_files(streams)
    asker, identity = load_server.server(asked)
    prompts = load_server.prompts(asker, sampling, samples)
    wanted = dataclasses.replace(wanted, api=asker.api.name, model=asker.model)
    if kept is None:
        fresh = _record(asked, wanted, asker, identity, data, samples, clients)
        if asked.is_anew and asked.out is not None:
            load_server.warm_up(asker, sampling, samples)  # a server that fails costs no earlier load
            earlier.remove_run(asked.out, VERB)
        with run_start.claimed(asked.out, record.is_blank) as folder:
            record.write(folder, fresh)
        kept = KeptLoad(folder, fresh)
    else:
        _refuse_other(kept, wanted)
    limits = ClientLimits(min(STALL_S, asked.timeout_s), asked.timeout_s, in_flight=RATE_STREAMS)
    setting = LoadSetting(wanted.api, wanted.urls, asked.key, prompts, asked.duration_s, asked.seed, limits)
    with run_start.held_alone(kept.folder):
        # Another load may have gone on with it meanwhile.
        kept = KeptLoad(kept.folder, record.read(kept.folder) or kept.record)
        _refuse_other(kept, wanted)
        load_server.warm_up(asker, sampling, samples)
        before = load_server.descriptions(asked, asker.model)
        if kept.taken and (told := record.changes(kept.record.servers, before)):
            raise ConfigError(f"{kept.folder} was measured on another server: {told}", OTHER)
        there = dataclasses.replace(kept.record, servers=before).with_notes(kept.mixture)
        with LoadFleet(setting, clients) as fleet:
            made = _levels(kept.folder, there, fleet, samples, reporter)
        for said in load_server.other_models(before, asked.key):
            reporter.say(said)
            made = made.with_notes((said,))
        record.write(kept.folder, made)
        return kept.folder, made.with_notes(kept.notes)


@dataclass(frozen=True)
class KeptLoad:
    """A load that is on disk."""

    folder: Path
    record: LoadRecord

    @property
    def taken(self) -> list[str]:
        """Labels of the levels that are not measured again."""
        return [each.level.label for each in self.record.levels if each.status is LevelStatus.COMPLETE]

    @property
    def notes(self) -> tuple[str, ...]:
        """Of the levels that are not measured again, if there are any."""
        if not self.taken:
            return ()
        labels, place = ", ".join(self.taken), self.folder / record.FILE
        unasked = "; the server was not asked" if self.is_whole else ""
        return (
            f"not measured again: {labels} of {self.record.started_at}, in {place}{unasked}; "
            "--rerun measures anew",
        )

    @property
    def mixture(self) -> tuple[str, ...]:
        """A note that stays in the record: a server that was started again need not say so."""
        if not self.taken:
            return ()
        earlier = f"{', '.join(self.taken)} by a call of {self.record.started_at}"
        return (f"measured by more than one call: {earlier}, the rest by one of {now()}",)

    @property
    def is_whole(self) -> bool:
        return len(self.taken) == len(self.record.levels)


def _job(asked: LoadRequest) -> tuple[Job, Dataset]:
    texts = {"sut": "endpoint", "modes": "performance", "sut_options.url": BETWEEN.join(asked.urls)}
    texts |= {"paths.dataset": str(asked.dataset)} if asked.dataset else {}
    texts |= {"limits.samples": str(asked.samples)} if asked.samples else {}

    config = config_options.build(asked.workload, texts, {})
    job = jobs.of(config, suts.of(config))
    path, own = config.paths.dataset, job.workload.own_dataset
    return job, own(config.style) if path is None and own else dataset.load(
        path or Path(), job.workload.schema
    )


def _wanted(asked: LoadRequest, sampling: Sampling, data: Dataset, samples: int) -> LoadAsked:
    """All but the API, which the server decides, as it does the model where none is named."""
    return LoadAsked(
        workload=asked.workload,
        dataset_sha256=data.sha256,
        samples=samples,
        urls=tuple(parse(url).text for url in asked.urls),
        api="",
        model=asked.model or "",
        duration_s=asked.duration_s,
        seed=asked.seed,
        least_tokens=sampling.min_tokens,
        most_tokens=sampling.max_tokens,
        ignores_eos=sampling.ignore_eos,
        levels=asked.levels,
        goodput=asked.goodput,
    )


def _there(asked: LoadRequest, wanted: LoadAsked) -> KeptLoad | None:
    """The same load in --out; None where nothing is there. Raises: ConfigError for any other, ArtifactError for a
    record that cannot be read."""
    if asked.out is None:
        return None
    if asked.is_anew:
        earlier.require_removable_run(asked.out, VERB)
        return None
    if (found := record.read(asked.out)) is None:
        earlier.refuse_taken(asked.out)
        return None
    if record.is_blank(asked.out):
        return None
    kept = KeptLoad(asked.out, found)
    there = found.asked
    _refuse_other(kept, dataclasses.replace(wanted, api=there.api, model=wanted.model or there.model))
    earlier.refuse_running(asked.out)
    return kept


def _refuse_other(kept: KeptLoad, wanted: LoadAsked) -> None:
    """Raises: ConfigError for a load with other settings than those that are wanted."""
    if told := record.differences(kept.record.asked, wanted):
        raise ConfigError(f"{kept.folder} holds another load: {told}", OTHER)


def _record(
    asked: LoadRequest,
    wanted: LoadAsked,
    asker: Asker,
    identity: ServerIdentity,
    data: Dataset,
    samples: Sequence[Sample],
    clients: int,
) -> LoadRecord:
    counts = [len(sample.prompt_ids) for sample in samples]
    is_salted = asker.api.has_salt
    notes = [f"{clients} client process{'es' if clients > 1 else ''} carried the streams"]
    if not is_salted:
        notes.append(
            "prompts come again and this API has no salt: a prefix cache makes later requests faster"
        )
    if not asker.takes_ids:
        notes.append("prompts are sent as text: their tokens are the server's own")
    return LoadRecord(
        asked=wanted,
        tier=asker.tier.value,
        server=" ".join(
            filter(None, (identity.kind or "a server that does not say what it is", identity.version))
        ),
        dataset=data.source,
        prompt_tokens=Lengths(min(counts), sum(counts) / len(counts), max(counts)),
        is_salted=is_salted,
        command=asked.command,
        assay=assay.__version__,
        started_at=now(),
        levels=tuple(map(LevelRecord, asked.levels)),
        notes=tuple(notes),
    )


def _levels(
    folder: Path, kept: LoadRecord, fleet: LoadFleet, samples: Sequence[Sample], reporter: Reporter
) -> LoadRecord:
    def waiting(first: int) -> int:
        return sum(each.status is not LevelStatus.COMPLETE for each in kept.levels[first:])

    level = kept.asked.levels[0]
    try:
        for place, level in enumerate(kept.asked.levels):
            if kept.levels[place].status is LevelStatus.COMPLETE:
                continue
            told = _told(reporter, level, kept.asked.duration_s, waiting(place + 1))
            made = _level(folder, kept, level, fleet, samples, told)
            kept = dataclasses.replace(kept.with_level(place, made), finished_at=now())
            record.write(folder, kept)
            reporter.say(words(made))
    except KeyboardInterrupt:  # wherever it comes, between two levels too
        record.write(folder, _stopped(kept))
        count = len(kept.levels)
        raise Interrupted(
            f"stopped at {level.label}; {count - waiting(0)} of {count} levels are in {folder / record.FILE}",
            f"the same command with --out {folder} goes on",
        ) from None
    return kept


def _level(
    folder: Path,
    kept: LoadRecord,
    level: LoadLevel,
    fleet: LoadFleet,
    samples: Sequence[Sample],
    told: Callable[[LevelProgress], None],
) -> LevelRecord:
    try:
        rows = fleet.run(level, told)
    except RunFailed as error:
        return LevelRecord(level, LevelStatus.FAILED, error.message)
    load_rows.append(folder, load_rows.table(level.label, rows, samples))
    made = figures.of_level(rows, kept.asked.duration_s, kept.asked.goodput)
    if not made.answered:
        first = next((row.failure.detail for row in rows if row.failure), "no request was due")
        return LevelRecord(level, LevelStatus.FAILED, f"no request was answered: {first}", made)
    return LevelRecord(level, LevelStatus.COMPLETE, "", made, load_rows.sheet(rows))


def _stopped(kept: LoadRecord) -> LoadRecord:
    levels = tuple(
        dataclasses.replace(each, status=LevelStatus.INTERRUPTED, reason="stopped by the user")
        if each.status is LevelStatus.WAITING
        else each
        for each in kept.levels
    )
    return dataclasses.replace(kept, levels=levels, finished_at=now())


def _told(
    reporter: Reporter, level: LoadLevel, duration_s: float, left: int
) -> Callable[[LevelProgress], None]:
    """Progress of a level, with the time that it and those after it will take."""

    def tell(seen: LevelProgress) -> None:
        rate = seen.ended / seen.seconds if seen.seconds else None
        eta_s = max(0.0, duration_s - seen.seconds) + left * duration_s
        reporter.progress(Progress(level.label, seen.ended, None, rate, eta_s))

    return tell


def words(made: LevelRecord) -> str:
    """A finished level in one line."""
    found = made.figures
    if found is None or not found.answered:
        return f"{made.level.label}: {made.status.value}, {made.reason}"
    failed = found.requests - found.answered
    return (
        f"{made.level.label}: {number(found.tokens_per_s)} tokens/s, "
        f"p99 first token {four_digits(found.ttft_ms['p99'])} ms, {counted(found.answered, 'answer')}"
        + (f", {failed} failed" if failed else "")
    )
