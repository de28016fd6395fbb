"""The LoadGen child: one run of MLCommons LoadGen against the SUT process, then the process ends.

The only file that imports `mlperf_loadgen`. A second run in one process would silently lose its settings
(LoadGen counts configuration files in a process-wide variable), so there is none. Python does as little as
possible here: LoadGen's issue thread needs the interpreter lock for every query, and whoever holds it delays
Server queries.

Started by `session` through `child_main`.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from types import ModuleType

import numpy as np

from assay.ground.errors import RunFailed
from assay.mlperf.rounds.early_stopping import Judgement
from assay.mlperf.run import strays
from assay.mlperf.run.journal import Keeper
from assay.mlperf.run.live import RunningLatencies
from assay.mlperf.run.loadgen_job import Count, LoadGenJob
from assay.mlperf.run.request_times import Recorder
from assay.mlperf.run.trial import LateCount
from assay.mlperf.sut.channel import Channel, Frame, Kind
from assay.mlperf.sut.message import Failure

FAILED = 4
COUNT_SECONDS = 0.25
"""How often the parent hears of progress."""
SWITCH_SECONDS = 0.0005
"""Longest wait of LoadGen's issue thread for the interpreter lock (Python's default is 5 ms)."""
TOKEN_BYTES = 4


class Relay:
    """Passes queries from LoadGen to the SUT and answers back, and counts both."""

    def __init__(self, binding: ModuleType, channel: Channel, keeper: Keeper | None = None) -> None:
        self._binding, self._channel, self._keeper = binding, channel, keeper
        self._open: set[int] = set()
        self._begun: set[int] = set()
        """Open queries whose first token came."""
        self.issued = self.done = self.tokens = 0
        self.times = Recorder()

    def issue(self, ids: Sequence[int], indices: Sequence[int]) -> None:
        """Called by LoadGen."""
        query_ids, sample_indices = np.array(ids, np.uint64), np.array(indices, np.int32)
        if self._keeper is not None:
            sample_indices = self._keeper.issued(ids, sample_indices)
        self.times.issued.add(query_ids, sample_indices)
        self._open.update(ids)
        self.issued += len(ids)
        self._channel.issue(query_ids, sample_indices)

    def flush(self) -> None:
        """Called by LoadGen when no more queries will come soon."""
        self._channel.flush()

    def receive(self) -> None:
        """Hand answers to LoadGen until the SUT closes the connection. Raises: RunFailed for a bad answer."""
        while (frame := self._channel.receive()) is not None:
            if frame.kind is Kind.FIRST:
                self._first_tokens(frame)
            elif frame.kind is Kind.DONE:
                self._answers(frame)
            else:
                raise RunFailed(
                    f"the SUT sent a {frame.kind.name} frame", "the SUT process is not Assay's own"
                )

    def _first_tokens(self, frame: Frame) -> None:
        ids = frame.ids.tolist()
        self._refuse_unknown(ids)
        if not self._begun.isdisjoint(ids):
            raise strays.first_token(ids, self._begun, self.times.issued)
        self._begun.update(ids)
        if self._keeper is not None:
            self._keeper.began(ids, frame.values.tolist())
        start = frame.values.ctypes.data
        addresses = range(start, start + TOKEN_BYTES * len(ids), TOKEN_BYTES)
        response = self._binding.QuerySampleResponse
        self.times.first.add(frame.ids, frame.values)
        self.times.arrived.append(frame.arrived_ns.tobytes())
        self._binding.FirstTokenComplete([response(i, a, TOKEN_BYTES, 1) for i, a in zip(ids, addresses)])

    def _answers(self, frame: Frame) -> None:
        ids, counts = frame.ids.tolist(), frame.values.tolist()
        self._refuse_unknown(ids)
        if self._keeper is not None:
            self._keeper.answered(ids, counts, frame.tokens)
        response = self._binding.QuerySampleResponse
        address, responses = frame.tokens.ctypes.data, []
        for query, count in zip(ids, counts):
            size = TOKEN_BYTES * count
            responses.append(response(query, address, size, count))
            address += size
        self._open.difference_update(ids)
        self._begun.difference_update(ids)
        self.times.done.add(frame.ids, frame.values)
        self._binding.QuerySamplesComplete(responses)  # copies what it keeps: `frame` may go afterwards
        self.done += len(ids)
        self.tokens += sum(counts)

    def _refuse_unknown(self, ids: list[int]) -> None:
        """LoadGen takes an id for a memory address, so an id of the SUT's own invention would crash it."""
        if not self._open.issuperset(ids) or len(set(ids)) != len(ids):
            raise strays.answer(ids, self._open, self.times.issued)


class LoadgenRun:
    """One LoadGen test and its reports to the parent."""

    def __init__(self, job: LoadGenJob, control: Connection) -> None:
        sys.path.insert(0, str(job.wheel))
        import mlperf_loadgen

        self._binding: ModuleType = mlperf_loadgen
        self._job, self._control = job, control
        self._telling, self._looking = threading.Lock(), threading.Lock()
        keeper = Keeper(job.journal, job.asks) if job.journal is not None else None
        self._relay = Relay(mlperf_loadgen, Channel.connect(job.address), keeper)
        self._late = LateCount(job.stop) if job.stop is not None else None
        self._latencies = RunningLatencies() if job.watches_latency else None

    def perform(self) -> None:
        """Blocks until LoadGen has its answers and has written its logs."""
        binding, job, relay = self._binding, self._job, self._relay
        settings = self._settings()
        logs = binding.LogSettings()
        logs.enable_trace = False
        logs.log_output.outdir = str(job.out)
        sut = binding.ConstructFastSUT(relay.issue, relay.flush)
        # The SUT has the samples: LoadGen loads none.
        library = binding.ConstructQSL(job.samples, job.samples, _nothing, _nothing)
        threading.Thread(target=self._receive, daemon=True).start()
        threading.Thread(target=self._count, daemon=True).start()
        binding.StartTestWithLogSettings(sut, library, settings, logs, str(job.audit_conf or ""))
        if job.times is not None:
            relay.times.save(job.times)
        self._tell(self._so_far())
        if self._late is not None:
            self._looking.acquire()  # for good: the counting thread must send no tally after this one
            tally = self._late.look(relay.times, time.monotonic_ns())
            self._tell(dataclasses.replace(tally, is_whole=True))

    def _settings(self) -> object:
        binding, job = self._binding, self._job
        settings = binding.TestSettings()
        settings.scenario = getattr(binding.TestScenario, job.scenario)
        settings.mode = binding.TestMode.AccuracyOnly if job.is_accuracy else binding.TestMode.PerformanceOnly
        # Three arguments: the fourth changed its meaning between LoadGen 4.1 and 5.0; its default
        # is right in both.
        status = settings.FromConfig(str(job.user_conf), job.key, job.scenario)
        if status != 0:
            raise RunFailed(
                f"LoadGen refused {job.user_conf} ({os.strerror(abs(status))})", "see its log for the line"
            )
        if job.answer_seed is not None:
            settings.accuracy_log_probability = 1.0
            settings.accuracy_log_rng_seed = job.answer_seed
        return settings

    def _receive(self) -> None:
        try:
            self._relay.receive()
        except Exception as error:
            self.fail(error)
        else:
            self.fail(RunFailed("the SUT process closed the connection during the run", "see the SUT's log"))

    def _count(self) -> None:
        told = (-1, -1)
        while True:
            now = (self._relay.issued, self._relay.done)
            if now != told:
                self._tell(self._so_far())
                told = now
                self._stop_when_sure()
            time.sleep(COUNT_SECONDS)

    def _so_far(self) -> Count:
        relay = self._relay
        counts = relay.issued, relay.done, relay.tokens
        if self._latencies is None:
            return Count(*counts)
        with self._looking:
            return Count(*counts, self._latencies.look(relay.times, time.monotonic_ns()))

    def _stop_when_sure(self) -> None:
        """End the process at once when a trial has its result."""
        if self._late is None:
            return
        with self._looking:
            tally = self._late.look(self._relay.times, time.monotonic_ns())
            if tally.verdict is not Judgement.UNSURE:
                self._tell(tally)
                os._exit(0)

    def fail(self, error: BaseException) -> None:
        """End the process here and now: LoadGen would wait for its answers for ever."""
        traceback.print_exception(error)
        sys.stderr.flush()
        self._tell(Failure.of(error, "the LoadGen run failed"))
        os._exit(FAILED)

    def _tell(self, message: object) -> None:
        with self._telling:
            try:
                self._control.send(message)
            except (BrokenPipeError, ConnectionResetError):
                os._exit(FAILED)  # the parent has gone


def _nothing(_indices: Sequence[int]) -> None:
    """Loading and unloading samples: the SUT process holds them all."""


def main(control: Connection) -> int:
    sys.setswitchinterval(SWITCH_SECONDS)
    job: LoadGenJob = control.recv()
    try:
        run = LoadgenRun(job, control)
    except (ImportError, OSError) as error:
        traceback.print_exception(error)
        control.send(Failure.of(error, "the LoadGen child could not start"))
        return FAILED
    try:
        run.perform()
    except Exception as error:
        run.fail(error)
    sys.stdout.flush()
    os._exit(0)  # the SUT's connection closes with the process; the receiving thread must not see it first
