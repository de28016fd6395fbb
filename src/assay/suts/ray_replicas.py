"""Replicas of another SUT as one, in the SUT process: queries are shared out, answers come together, each once.

The caller's thread hands queries out; a thread for each replica takes in its answers, and one what Ray and the replicas
tell beside them. A replica that is lost has its queries answered by the others; without any, or without the head of the
cluster, the run ends at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from assay.ground.errors import AssayError, RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.channel import Frame, Kind
from assay.mlperf.sut.interface import Answer, FirstToken, Query, Sink, SutSpec, Used
from assay.mlperf.sut.kind import SutKind
from assay.suts import ray_group, ray_report
from assay.suts.ray_cluster import Cluster
from assay.suts.ray_dispatch import Dispatcher
from assay.suts.ray_group import Member, ReplicaGroup, ReplicaNews
from assay.suts.ray_layout import ReplicaLayout
from assay.suts.ray_report import RunCounts
from assay.suts.ray_silence import Silences

ROOM_BATCHES = 2
"""A replica holds so many of its batches: the next one is there when a place is free."""
ROOM = 16384
"""Queries that a replica without a batch holds."""
LOOK_S = 1.0
"""How often silent replicas are looked for."""
CUT_S = 5.0
"""A replica whose connection broke is given up after so long: until then itself or Ray may say why."""


class RaySut:
    """All replicas of one layout, loaded by `load`."""

    def __init__(
        self,
        cluster: Cluster,
        layout: ReplicaLayout,
        options: Mapping[str, Any],
        kind: SutKind,
        spec: SutSpec,
        sink: Sink,
        notes: Sequence[str] = (),
    ) -> None:
        self._cluster, self._kind, self._spec, self._sink = cluster, kind, spec, sink
        self._notes = tuple(notes)
        sink.progress(f"placing {layout.words} on {len(cluster.nodes())} node(s)")
        self._group = ReplicaGroup(cluster, layout, float(options["placement_timeout"]))
        count = layout.replicas
        self._changed = threading.Condition()
        self._dispatcher = Dispatcher([1] * count)
        self._told: SimpleQueue[ReplicaNews | None] = SimpleQueue()
        self._silences = Silences(count, float(options["replica_timeout"]))
        self._gone: dict[int, str] = {}
        self._broken: AssayError | None = None
        self._is_flushing = self._is_loaded = False
        self._handing_in = 0
        """Number of threads between the dispatcher and the sink: they hold answers that no longer count as open and
        are not with LoadGen yet."""
        self._runs: list[list[dict[str, Any]]] = []
        self._slow: list[str] = []
        self._counts = RunCounts(count)
        for member in self._group.members:
            member.listen(self._told)
        self._thread = threading.Thread(target=self._work, name="ray", daemon=True)
        self._thread.start()

    def load(self, samples: Sequence[Sample]) -> None:
        """Raises: ConfigError for nodes that are not alike, and what a replica raises while it loads."""
        folders = [folder for folder in (self._spec.checkpoint, self._spec.tokenizer) if folder is not None]
        self._group.check(sorted(set(folders)), [self._kind.package] if self._kind.package else [])
        self._group.load(self._kind.module, self._spec, samples)
        with self._changed:
            self._raise_broken()
            self._is_loaded = True
            rooms = [self._room(member.used) for member in self._group.members]
            self._dispatcher = Dispatcher(rooms)
        for member in self._group.members:
            threading.Thread(target=self._take_in, args=(member,), name=member.name, daemon=True).start()

    def used(self) -> Used:
        group, members = self._group, self._group.members
        for rank, why in group.refresh(self._dispatcher.alive).items():
            self._lose(rank, why)
        with self._changed:
            self._raise_broken()
            rows = self._counts.rows([m.node.name for m in members], [m.load_s for m in members], self._gone)
            self._counts = RunCounts(len(members))
            gone = {members[rank].name: why for rank, why in sorted(self._gone.items())}
            taken_over = self._dispatcher.taken_over
        if rows:
            self._runs.append([row.to_dict() for row in rows])
            self._slow = ray_report.slow(rows)
        replicas = {m.name: m.used for m in members if m.used is not None and m.name not in gone}
        if not replicas:
            raise RunFailed(f"no replica is left ({self._reasons()})", "see the SUT's log")
        nodes = {
            name: {"system": dict(facts.system), "cores": facts.cores, "clock": asdict(group.clocks[name])}
            for name, facts in group.facts.items()
        }
        details = {"layout": group.layout.words, "nodes": nodes, "runs": self._runs}
        return ray_report.merged(
            self._kind.name, version("ray"), replicas, gone, taken_over, (*self._notes, *self._slow), details
        )

    def issue(self, queries: Sequence[Query]) -> None:
        """Raises: RunFailed when no replica is left or the head is lost."""
        ids = np.fromiter((query.id for query in queries), np.uint64, len(queries))
        indices = np.fromiter((query.sample_index for query in queries), np.int32, len(queries))
        with self._changed:
            self._raise_broken()
            self._is_flushing = False
            self._dispatcher.add(ids, indices)
            self._give()

    def flush(self) -> None:
        """Wait until every query is answered. Raises: as `issue`."""
        with self._changed:
            self._is_flushing = True
            self._flush_replicas()
            self._changed.wait_for(
                lambda: not (self._dispatcher.open or self._handing_in) or self._broken is not None
            )
            self._raise_broken()

    def close(self) -> None:
        self.close_replicas()
        self._cluster.close()

    def close_replicas(self) -> None:
        """The cluster stays."""
        self._told.put(None)
        self._thread.join()
        self._group.close(self._dispatcher.alive)

    @property
    def batch(self) -> int | None:
        """Of all replicas together; None = they have no such number."""
        batches = [member.used.batch for member in self._group.members if member.used and member.used.batch]
        return sum(batches) or None

    @property
    def memory_bytes(self) -> int:
        """Of all replicas together, as they are now."""
        return self._group.memory_bytes()

    def _room(self, used: Used | None) -> int:
        return ROOM_BATCHES * used.batch if used and used.batch else ROOM

    # With the lock held.

    def _give(self) -> None:
        for share in self._dispatcher.shares():
            now, held = time.monotonic(), int(self._dispatcher.loads[share.replica])
            self._counts.given(share.replica, now, held)
            self._silences.given(share.replica, now, held - len(share.numbers))
            self._group.members[share.replica].issue(share.numbers, share.indices)
        if self._is_flushing:
            self._flush_replicas()

    def _flush_replicas(self) -> None:
        """Once all queries are handed out; again when one was handed out anew."""
        if self._dispatcher.open and not self._dispatcher.waiting:
            for rank in self._dispatcher.alive:
                self._group.members[rank].flush()

    def _raise_broken(self) -> None:
        if self._broken is not None:
            raise self._broken

    # In a thread for each replica.

    def _take_in(self, member: Member) -> None:
        """Its answers, until there will be none any more."""
        while (frame := member.receive()) is not None:
            with self._changed:
                self._silences.answered(member.rank, time.monotonic())
            if frame.kind is Kind.FIRST:
                self._first_tokens(member.rank, frame)
            elif frame.kind is Kind.DONE:
                self._answers(member.rank, frame)

    def _first_tokens(self, rank: int, frame: Frame) -> None:
        with self._changed:
            # Handed in before the lock is left: if the replica is lost now, another's answer comes later.
            places, ids = self._dispatcher.first_tokens(rank, frame.ids.astype(np.int64))
            self._sink.first_tokens(list(map(FirstToken, ids.tolist(), frame.values[places].tolist())))

    def _answers(self, rank: int, frame: Frame) -> None:
        counts = frame.values
        with self._changed:
            places, ids = self._dispatcher.done(rank, frame.ids.astype(np.int64))
            if not len(places):  # of a replica that was lost
                return
            self._counts.answered(rank, time.monotonic(), len(places), int(counts[places].sum()))
            self._give()
            self._handing_in += 1
        ends = np.cumsum(counts)
        starts = (ends - counts)[places].tolist()
        self._sink.done(
            [
                Answer(id_, frame.tokens[start:end])  # type: ignore[arg-type]
                for id_, start, end in zip(ids.tolist(), starts, ends[places].tolist())
            ]
        )
        with self._changed:
            self._handing_in -= 1
            self._changed.notify_all()

    # In the thread that takes in what else is told.

    def _work(self) -> None:
        looked = time.monotonic()
        while True:
            try:
                told = self._told.get(timeout=LOOK_S)
                if told is None:
                    return
                self._take(told)
            except Empty:
                pass
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                self._lose_silent(looked)

    def _take(self, told: ReplicaNews) -> None:
        rank, outcome = told
        if rank in self._gone:
            return
        with self._changed:
            self._silences.heard(rank, time.monotonic())
        if isinstance(outcome, Exception):
            self._lose(rank, ray_group.words_of(outcome))
            return
        member = self._group.members[rank]
        for line in outcome.lines:
            self._sink.progress(f"{member.name}: {line}")
        if outcome.worst_endpoint:
            self._sink.worst_endpoint(outcome.worst_endpoint)
        if outcome.failure is not None:
            self._lose(rank, outcome.failure.message)
        else:
            member.listen(self._told)

    def _lose_silent(self, now: float) -> None:
        with self._changed:
            alive, loads = self._dispatcher.alive, self._dispatcher.loads.tolist()
            silent = {r: self._silences.why_lost(r, now, loads[r], len(alive) > 1) for r in alive}
        for rank in alive:
            if why := silent[rank]:
                self._lose(rank, why)
            elif (cut := self._group.members[rank].cut) and now - cut[0] > CUT_S:
                self._lose(rank, cut[1])

    def _lose(self, rank: int, why: str) -> None:
        """Others answer its queries. Raises: RunFailed when there are none, which ends the process."""
        name = self._group.members[rank].name
        with self._changed:
            if rank in self._gone:
                return
            self._gone[rank] = why
            self._group.kill(rank)
            open_ = self._dispatcher.lose(rank)
            self._sink.progress(f"{name} is lost: {why}; {open_} of its queries go to others")
            if not self._is_loaded:
                return  # whoever waits for it to load tells why
            try:
                self._give()
            except RunFailed as error:
                self.break_off(RunFailed(f"{error.message} ({self._reasons()})", error.hint))

    def _reasons(self) -> str:
        """Why each replica that is gone is gone."""
        return "; ".join(f"{self._group.members[rank].name}: {why}" for rank, why in self._gone.items())

    def break_off(self, error: RunFailed) -> None:
        """In whatever thread: nothing can go on. Raises: `error`, which the process tells as it ends."""
        with self._changed:
            self._broken = error
            self._changed.notify_all()
        raise error
