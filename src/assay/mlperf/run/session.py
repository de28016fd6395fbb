"""Session: one loaded SUT and the LoadGen runs made against it. The parent only supervises.

    with Session(sut_module="assay.suts.echo", spec=spec, samples=samples, wheel=wheel, log_dir=folder) as
    session:
        session.used            # read back from the loaded SUT
        session.probe(64)       # samples/s without LoadGen, to choose target_qps
        session.run(run_spec)   # RunRecord

Three processes: the parent, the SUT process (loads once, outlives all runs), and for each run a fresh LoadGen
child that talks to the SUT process directly. The death of either ends the run as RunFailed with the reason;
after that, and after Ctrl-C (Interrupted), both are gone and the session takes no more runs.
"""

from __future__ import annotations

import dataclasses
import selectors
import shutil
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from assay.config import Mode, Scenario
from assay.ground import files
from assay.ground.count import size_text
from assay.ground.errors import ArtifactError, ConfigError, Interrupted, RunFailed
from assay.mlperf import logs
from assay.mlperf.compliance import audit_config
from assay.mlperf.data.sample import Sample
from assay.mlperf.logs import names
from assay.mlperf.logs.accuracy import read_accuracy
from assay.mlperf.rounds.round import Wheel
from assay.mlperf.run import loadgen_memory, user_conf, wheels
from assay.mlperf.run.counting import Counting
from assay.mlperf.run.loadgen_job import Count, LoadGenJob
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.run.trial import StopRule, Tally
from assay.mlperf.sut.host import SutHost, start_child
from assay.mlperf.sut.interface import SutSpec, Used
from assay.mlperf.sut.message import Build, Failure
from assay.mlperf.sut.progress import OnProgress, Progress, Watchdog, ignore

__all__ = ["Progress", "RunSpec", "Session"]

WATCH_SECONDS = 0.5
"""Seconds between two looks of the parent at its children while nothing happens."""
END_SECONDS = 10.0
"""How long the LoadGen child may take to end after its last word."""

Result = TypeVar("Result")


class Session:
    """Load a SUT and run LoadGen against it. A context manager: leaving it ends both children.

    sut_module: dotted name of a module that satisfies `SutModule`. log_dir: where sut.log and one log per
    LoadGen run are written. answer_timeout_s: longest time without any answer (None: derived from the pace,
    see Watchdog). load_timeout_s: longest time to load (None: no limit).
    """

    def __init__(
        self,
        *,
        sut_module: str,
        spec: SutSpec,
        samples: Sequence[Sample],
        wheel: Wheel,
        log_dir: Path,
        on_progress: OnProgress = ignore,
        answer_timeout_s: float | None = None,
        load_timeout_s: float | None = None,
    ) -> None:
        self._build = Build(sut_module, spec, samples)
        self._wheel, self._log_dir, self._on_progress = wheel, log_dir, on_progress
        self._answer_timeout_s, self._load_timeout_s = answer_timeout_s, load_timeout_s
        self._host: SutHost | None = None
        self._over = ""
        self._is_released = False

    def __enter__(self) -> Session:
        """Fetches the wheel, then loads the SUT. Raises: AssayError of either; Interrupted on Ctrl-C."""
        self._loadgen = wheels.obtain(self._wheel)
        self._on_progress(Progress("loading"))
        log = self._log_dir / "sut.log"
        self._supervised(lambda: self._start(log))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        host, self._host = self._host, None
        if host is not None and error is None and not self._over:
            host.close()
        elif host is not None:
            host.end()

    def release(self) -> None:
        """The SUT ends while the caller goes on; leaving the session waits for it. No run may follow."""
        self._loaded().begin_close()
        self._is_released = True

    @property
    def used(self) -> Used:
        """What really runs; refreshed after each run."""
        return self._loaded().used

    def renew(self, spec: SutSpec, samples: Sequence[Sample]) -> None:
        """The runs from here on are over another data set; the model is not loaded again where the SUT can do without.

        spec: as before but for generation rules and what is asked of the answers. Raises: as loading does.
        """
        host = self._loaded()
        with host.phase("loading"):
            self._supervised(lambda: host.renew(spec, samples))
        self._build = dataclasses.replace(self._build, spec=spec, samples=samples)

    def probe(self, count: int) -> float:
        """Samples/s of a short pass over `count` samples straight to the SUT, without LoadGen."""
        host = self._loaded()
        with host.phase("probe"):
            self._on_progress(Progress("probe", total=count))
            return self._supervised(
                lambda: host.probe(count, len(self._build.samples), self._answer_timeout_s)
            )

    def run(self, spec: RunSpec) -> logs.RunRecord:
        """One LoadGen run, its logs in `spec.out`, its settings checked against what was asked.

        Raises: RunFailed when a child dies, an answer never comes, the logs are incomplete, or LoadGen ran
        with other settings or seeds; EnvironmentProblem when memory or disk do not suffice; Interrupted on
        Ctrl-C.
        """
        host = self._loaded()
        spec = dataclasses.replace(spec, reads_audit_config=self._wheel.reads_audit_config)
        _prepare(spec)
        size = max(spec.expected_samples, 1)
        pregenerates = spec.scenario is Scenario.OFFLINE and spec.mode is Mode.PERFORMANCE
        needed_mb = loadgen_memory.needed_mb(self._wheel, spec.samples if pregenerates else 1, size)
        what = f"LoadGen {self._wheel.version} over {size:,} samples"
        with loadgen_memory.reserved(needed_mb, what), host.phase(spec.title):
            self._supervised(lambda: self._perform(host, spec))
            self._supervised(host.refresh)
        return checked(spec, self._wheel.version)

    def trial(self, spec: RunSpec, stop: StopRule) -> tuple[Tally, logs.RunRecord | None]:
        """A Server run that ends as soon as `stop` tells; with LoadGen's record where it came to its own end.

        Afterwards the SUT owes no answers of it. Raises: as `run`.
        """
        host = self._loaded()
        _prepare(spec)
        with host.phase(spec.title):
            tally = self._supervised(lambda: self._perform(host, spec, stop))
            if tally is None:
                raise RunFailed("the trial ended without a word", f"see {self._log_dir}")
            if not tally.is_whole:
                self._supervised(lambda: host.drain(self._answer_timeout_s))
            self._supervised(host.refresh)
        return tally, checked(spec, self._wheel.version) if tally.is_whole else None

    def _start(self, log: Path) -> None:
        self._host = SutHost(self._build, log, self._on_progress, self._load_timeout_s)

    def _loaded(self) -> SutHost:
        if self._over:
            raise RunFailed(f"the session is over: {self._over}", "start the job again")
        if self._host is None or self._is_released:
            why = "has released its SUT" if self._is_released else "has not started"
            raise RunFailed(f"the session {why}", "use it as a context manager")
        return self._host

    def _supervised(self, step: Callable[[], Result]) -> Result:
        """Run one step; whatever breaks it also ends the SUT process and the session."""
        try:
            return step()
        except KeyboardInterrupt:
            self._end("it was interrupted")
            raise Interrupted("stopped by the user", "what was finished is kept in the run folder") from None
        except BaseException as error:
            self._end(str(error))
            raise

    def _end(self, why: str) -> None:
        self._over = why
        if self._host is not None:
            self._host.end()

    def _perform(self, host: SutHost, spec: RunSpec, stop: StopRule | None = None) -> Tally | None:
        """Run one LoadGen child from start to end. Returns the tally of a trial."""
        host.begin(spec.mode)
        log = self._log_dir / f"loadgen-{spec.title.replace(' ', '-').lower()}.log"
        child, control = start_child("the LoadGen child", "assay.mlperf.run.loadgen", log)
        places = host.used.batch or 0
        counting = Counting(spec, places, self._on_progress, Watchdog(self._answer_timeout_s))
        try:
            control.send(self._job(host, spec, stop))
            tally = self._listen(host, control, counting, log)
            if child.wait(END_SECONDS) != 0:
                raise RunFailed(child.death(), f"see {log}")
            return tally
        except BrokenPipeError:
            raise RunFailed(child.death(), f"see {log}") from None
        finally:
            child.end()
            control.close()

    def _job(self, host: SutHost, spec: RunSpec, stop: StopRule | None) -> LoadGenJob:
        return LoadGenJob(
            wheel=self._loadgen,
            address=host.address,
            key=spec.loadgen_key,
            scenario=spec.scenario.in_loadgen,
            is_accuracy=spec.mode is Mode.ACCURACY,
            samples=spec.samples,
            user_conf=spec.user_conf,
            audit_conf=spec.audit_conf,
            answer_seed=spec.answer_seed,
            out=spec.out,
            times=spec.times,
            stop=stop,
            journal=spec.journal,
            asks=spec.asks,
            watches_latency=spec.scenario.reports_first_tokens and stop is None,
        )

    def _listen(self, host: SutHost, control: Connection, counting: Counting, log: Path) -> Tally | None:
        """Follow both children until the LoadGen child closes its connection. Returns the last tally that it sent.

        Raises: AssayError when either of them fails, RunFailed when answers are overdue.
        """
        tally = None
        with selectors.DefaultSelector() as selector:
            selector.register(control, selectors.EVENT_READ)
            selector.register(host.control, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select(WATCH_SECONDS)}
                if host.control in ready and host.hear():
                    counting.watchdog.heard()
                    counting.heard_of(host.worst_endpoint)
                if control in ready:
                    message = _received(control)
                    if message is None:
                        return tally
                    if isinstance(message, Failure):
                        self._blame_sut_first(host)
                        raise message.to_error(log)
                    if isinstance(message, Count):
                        counting.saw(message)
                    if isinstance(message, Tally):
                        tally = message
                if not ready:
                    counting.tell()
                counting.refuse_silence(host.child.log)

    def _blame_sut_first(self, host: SutHost) -> None:
        """The LoadGen child often only sees its connection close; the SUT process knows why, or died."""
        if host.child.wait(1.0) is not None:
            raise host.failure()
        host.hear()


def _received(control: Connection) -> object | None:
    """The next message; None when the other end has gone."""
    try:
        message: object = control.recv()
    except (EOFError, OSError):
        return None
    return message


def checked(spec: RunSpec, version: str) -> logs.RunRecord:
    """What LoadGen left of one run. `version`: of its wheel.

    Raises: RunFailed when the logs are incomplete, or tell of other settings or seeds than `spec`.
    """
    try:
        detail = logs.read_detail(spec.out / logs.DETAIL_FILE)
    except ArtifactError as error:
        raise RunFailed(f"LoadGen left no usable log: {error.message}", _disk_hint(spec.out)) from error
    record = logs.record_of(detail)
    if not record.is_complete or (spec.mode is Mode.PERFORMANCE and not record.validity):
        raise RunFailed(f"LoadGen's log in {spec.out} stops before the end of the run", _disk_hint(spec.out))
    if differences := user_conf.differences(spec, detail.values):
        raise RunFailed(
            f"LoadGen {version} ran with other settings: " + "; ".join(differences),
            "use a LoadGen wheel of this round; `assay doctor` lists them",
        )
    if spec.mode is Mode.ACCURACY:
        _refuse_incomplete_answers(spec)
    return record


def _prepare(spec: RunSpec) -> None:
    """Write the settings and refuse a folder that already holds a run."""
    if any(spec.out.glob(names.LOG_FILES)):
        raise ConfigError(f"{spec.out} already holds the logs of a run", "choose a new folder")
    files.write_text(spec.user_conf, user_conf.text(spec))
    if spec.audit_conf is not None:
        files.write_text(spec.audit_conf, audit_config.text(spec.compliance))
    spec.out.mkdir(parents=True, exist_ok=True)


def _refuse_incomplete_answers(spec: RunSpec) -> None:
    """LoadGen does not notice a full disk; its accuracy log then lacks its end."""
    path = spec.out / logs.ACCURACY_FILE
    try:
        entries = sum(1 for _ in read_accuracy(path))
    except ArtifactError as error:
        raise RunFailed(error.message, _disk_hint(spec.out)) from error
    if entries != spec.samples:
        raise RunFailed(f"{path} holds {entries} answers of {spec.samples}", _disk_hint(spec.out))


def _disk_hint(folder: Path) -> str:
    return f"{size_text(shutil.disk_usage(folder).free)} are free on its disk; see the logs beside it and run again"
