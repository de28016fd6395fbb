"""The replicas of one SUT on a cluster: placed, held against each other, loaded; then called, each in its actor."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from assay.ground import errors
from assay.ground.errors import ArtifactError, AssayError, ConfigError, RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.channel import Channel, Frame
from assay.mlperf.sut.interface import SutSpec, Used
from assay.mlperf.sut.message import Failure
from assay.suts import ray_node, ray_wire
from assay.suts.ray_cluster import Cluster, Node
from assay.suts.ray_layout import ReplicaLayout
from assay.suts.ray_node import NodeFacts
from assay.suts.ray_replica import Heard, Loaded, Replica, Setup

HEAR_S = 2.0
"""Longest time between two messages of a replica: it also says that there is nothing to tell."""
ASK_S = 180.0
"""Longest wait for an answer of a replica that is not loading; the first one waits for its process too."""
CLOSE_S = 6.0
"""Longest wait until all have released what they hold; then they are killed. A choice."""
MOST_SAID, MOST_CHARS = 10, 300
"""Of differences between nodes, and of what Ray says of a failure."""
THREADS = {"hear": 1, "ask": 1, "load": 1}
"""Of an actor: calls of one group keep their order."""

T = TypeVar("T")


class ReplicaNews(NamedTuple):
    """What came back from listening to a replica."""

    rank: int
    outcome: Heard | Exception


@dataclass(frozen=True)
class Clock:
    """How a node's time of day stands to ours."""

    ahead_ms: float
    within_ms: float
    """Half of the round trip in which it was asked."""


class Member:
    """One replica: its actor, where it is, and what it loaded."""

    def __init__(self, rank: int, actor: Any, node: Node) -> None:
        self.rank, self.actor, self.node = rank, actor, node
        self.used: Used | None = None
        self.load_s = 0.0
        self.cut: tuple[float, str] | None = None
        """When its wire broke, on the monotonic clock, and why; Ray or the replica may know better."""
        self._wire: Channel | None = None
        self._hear = actor.hear.options(concurrency_group="hear")

    @property
    def name(self) -> str:
        return f"replica {self.rank} on {self.node.name}"

    def loaded(self, told: Loaded, secret: bytes) -> None:
        """From now on it can be asked. Raises: RunFailed when it cannot be reached."""
        self.used, self.load_s = told.used, told.seconds
        self._wire = ray_wire.connect(self.node.address, told.port, secret)

    def issue(self, numbers: NDArray[np.int64], indices: NDArray[np.int32]) -> None:
        self._send(lambda wire: wire.issue(numbers.astype(np.uint64), indices))

    def flush(self) -> None:
        self._send(Channel.flush)

    def receive(self) -> Frame | None:
        """What it answers next; None = nothing any more."""
        try:
            frame = self._wire.receive() if self._wire else None
        except OSError as error:
            self._break(str(error))
            return None
        if frame is None:
            self._break("it was closed")
        return frame

    def hang_up(self) -> None:
        if self._wire is not None:
            self._wire.hang_up()

    def _send(self, send: Callable[[Channel], None]) -> None:
        """Nothing once the wire is broken: half a frame may be on it."""
        if self._wire is None or self.cut is not None:
            return
        try:
            send(self._wire)
        except BlockingIOError:
            self._break(f"it took nothing for {ray_wire.SEND_S:g} s")
        except OSError as error:
            self._break(str(error))

    def _break(self, why: str) -> None:
        if self.cut is None:
            self.cut = time.monotonic(), f"its connection broke: {why}"

    def listen(self, told: SimpleQueue[ReplicaNews | None]) -> None:
        """What it has to tell next is put into `told`, or the reason why it never will."""

        def tell(future: Any) -> None:
            error = future.exception()
            told.put(ReplicaNews(self.rank, error if error is not None else future.result()))

        self._hear.remote(HEAR_S).future().add_done_callback(tell)


class ReplicaGroup:
    """All replicas of one layout."""

    def __init__(self, cluster: Cluster, layout: ReplicaLayout, timeout_s: float) -> None:
        """Actors in their places, nothing loaded. Raises: EnvironmentProblem without room, RunFailed."""
        import ray
        from ray.util.placement_group import placement_group_table
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        self._ray, self._cluster, self.layout = ray, cluster, layout
        self.facts: dict[str, NodeFacts] = {}
        """Node name -> what it is."""
        self.clocks: dict[str, Clock] = {}
        self._place = cluster.place([layout.bundle] * layout.replicas, timeout_s)
        made = ray.remote(concurrency_groups=THREADS)(Replica)
        actors = [
            made.options(
                num_cpus=layout.bundle.get("CPU", 0),
                num_gpus=layout.bundle.get("GPU", 0),
                max_restarts=0,
                scheduling_strategy=PlacementGroupSchedulingStrategy(self._place, bundle),
            ).remote(f"replica {bundle}")
            for bundle in range(layout.replicas)
        ]
        nodes = {node.id: node for node in cluster.nodes()}
        table = placement_group_table(self._place)["bundles_to_node_id"]
        self.members = [Member(rank, actor, nodes[table[rank]]) for rank, actor in enumerate(actors)]

    def check(self, folders: Sequence[Path], packages: Sequence[str]) -> None:
        """Every node has the same model and the same libraries. Raises: ConfigError with the list of what differs."""
        firsts = {member.node.name: member for member in reversed(self.members)}
        for name, member in sorted(firsts.items()):
            (self.facts[name],) = self._ask([member], "facts", list(folders), list(packages))
            began = time.time_ns()
            (now,) = self._ask([member], "clock")
            ended = time.time_ns()
            self.clocks[name] = Clock((now - (began + ended) / 2) / 1e6, (ended - began) / 2e6)
        if unlike := ray_node.differences(self.facts):
            more = f"; and {len(unlike) - MOST_SAID} more" if len(unlike) > MOST_SAID else ""
            raise ConfigError(
                f"the nodes of the cluster are not alike: {'; '.join(unlike[:MOST_SAID])}{more}",
                "the same model at the same path, and the same packages, on every node",
            )

    def load(self, module: str, spec: SutSpec, samples: Sequence[Sample]) -> None:
        """Every replica loads, all at once. Raises: what a replica raises, with its name; ArtifactError for different
        weights."""
        shipped, secret = self._ray.put(list(samples)), ray_wire.secret()
        places: Counter[str] = Counter()
        calls = []
        for member in self.members:
            share = self.layout.cores_of(places[member.node.address])
            setup = Setup(module, spec, *share, member.node.address, secret)
            places[member.node.address] += 1
            calls.append(member.actor.load.options(concurrency_group="load").remote(setup, shipped))
        for member, told in zip(self.members, self._all(self.members, calls, None)):
            member.loaded(_told(member, told), secret)
        digests = {member.name: member.used.weights_sha256 for member in self.members if member.used}
        if len(set(digests.values())) > 1:
            said = "; ".join(f"{name}: {str(digest)[:16]}" for name, digest in digests.items())
            raise ArtifactError(
                f"the replicas loaded different weights ({said})", "the same files on every node"
            )

    def refresh(self, ranks: Sequence[int]) -> dict[int, str]:
        """Ask these replicas what is in use now; why those do not say that do not."""
        silent = {}
        members = [self.members[rank] for rank in ranks]
        calls = self._called(members, "used")
        for member, call in zip(members, calls):
            try:
                member.used = _told(member, self._one(member, call, ASK_S))
            except AssayError as error:
                silent[member.rank] = error.message
        return silent

    def memory_bytes(self) -> int:
        """Of all SUT processes and what they started."""
        return sum(self._ask(self.members, "memory_bytes"))

    def kill(self, rank: int) -> None:
        """End its actor, and with it all that it started; it may be gone already."""
        self.members[rank].hang_up()
        self._ray.kill(self.members[rank].actor, no_restart=True)

    def close(self, ranks: Sequence[int]) -> None:
        """These replicas release what they hold; then all actors end."""
        calls = [self.members[rank].actor.close.options(concurrency_group="ask").remote() for rank in ranks]
        self._ray.wait(calls, num_returns=len(calls), timeout=CLOSE_S) if calls else None
        for member in self.members:
            self.kill(member.rank)
        self._cluster.remove(self._place)

    def _ask(self, members: Sequence[Member], method: str, *arguments: object) -> list[Any]:
        return self._all(members, self._called(members, method, *arguments), ASK_S)

    def _called(self, members: Sequence[Member], method: str, *arguments: object) -> list[Any]:
        return [
            getattr(member.actor, method).options(concurrency_group="ask").remote(*arguments)
            for member in members
        ]

    def _all(self, members: Sequence[Member], calls: Sequence[Any], timeout_s: float | None) -> list[Any]:
        """What all calls give. Raises: as `_one`."""
        return [self._one(member, call, timeout_s) for member, call in zip(members, calls)]

    def _one(self, member: Member, call: Any, timeout_s: float | None) -> Any:
        """What a call gives. Raises: RunFailed when it gives nothing, with the replica's name."""
        try:
            return self._ray.get(call, timeout=timeout_s)
        except self._ray.exceptions.GetTimeoutError as error:
            raise RunFailed(
                f"{member.name} did not answer within {timeout_s:g} s", "see its machine"
            ) from error
        except self._ray.exceptions.RayError as error:
            raise RunFailed(f"{member.name} failed: {words_of(error)}", "see its machine") from error


def words_of(error: BaseException) -> str:
    """What Ray says of a failure, in one line: why an actor is dead, else the last line that names an error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    dead = [line for line in lines if line.startswith("The actor is dead because")]
    errors_said = [line for line in reversed(lines) if "Error" in line]
    return (dead + errors_said + lines[:1] + [type(error).__name__])[0][:MOST_CHARS]


def _told(member: Member, told: T | Failure) -> T:
    """Raises: the error that a replica told in place of what it was asked for."""
    if isinstance(told, Failure):
        raise getattr(errors, told.kind, RunFailed)(f"{member.name}: {told.message}", told.hint)
    return told
