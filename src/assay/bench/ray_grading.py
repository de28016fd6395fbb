"""Programs graded by all machines of a Ray cluster: each takes a part at a time, into its own sandbox."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from assay.ground import settings
from assay.mlperf.scoring.programs.grader import Grade, Progress
from assay.mlperf.scoring.programs.mbxp import Grading, Program, ProgramVerdict
from assay.suts.ray import KIND
from assay.suts.ray_cluster import Cluster
from assay.suts.ray_group import words_of

PARTS_EACH, LEAST_PROGRAMS = 4, 24
"""Parts for each machine, and the fewest programs of one: each part proves the sandbox and its languages anew."""


class Machines(Protocol):
    """What grades parts."""

    @property
    def names(self) -> Sequence[str]: ...

    def start(self, name: str, programs: Sequence[Program]) -> None:
        """One part at a time for each."""

    def wait(self) -> tuple[str, Grading | str]:
        """The next machine that is done with its part: its verdicts, or why it gives none."""


@dataclasses.dataclass(frozen=True)
class RayGrade(Grade):
    """A Grader as `Grade` is, on a cluster. Without a machine that can grade, all programs are ungraded."""

    address: str | None = None
    """As `--ray-address` has it; None = a cluster of this machine alone."""

    def __call__(self, programs: Sequence[Program]) -> Grading:
        """Raises: EnvironmentProblem when there is no such cluster."""
        cluster = Cluster(self.address)
        try:
            grade = Grade(self.workers, self.unsafe, None, self.lcb_tests)
            return spread(RayMachines(cluster, grade), programs, self.progress)
        finally:
            cluster.close()


def on_ray(grade: Grade, address: str | None) -> RayGrade:
    """The same grading on a cluster. Raises: ConfigError for what is no address of one."""
    if address is not None:
        KIND.option("ray_address").read(address)
    return RayGrade(grade.workers, grade.unsafe, grade.progress, grade.lcb_tests, address)


class RayMachines:
    """The nodes of a cluster; a part takes all processors of its node."""

    def __init__(self, cluster: Cluster, grade: Grade) -> None:
        import ray

        self._ray, self._grade = ray, grade
        self._nodes = {node.name: node for node in cluster.nodes()}
        self.names = list(self._nodes)
        self._running: dict[Any, str] = {}

    def start(self, name: str, programs: Sequence[Program]) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        node = self._nodes[name]
        call = self._ray.remote(_graded).options(
            num_cpus=node.cpus,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
        )
        self._running[call.remote(self._grade, list(programs), settings.current())] = name

    def wait(self) -> tuple[str, Grading | str]:
        (done,), _ = self._ray.wait(list(self._running))
        name = self._running.pop(done)
        try:
            found: Grading = self._ray.get(done)
        except self._ray.exceptions.RayError as error:
            return name, words_of(error)
        return name, found


def _graded(grade: Grade, programs: Sequence[Program], given: settings.Settings) -> Grading:
    """On the node."""
    settings.adopt(given)
    return grade(programs)


def spread(machines: Machines, programs: Sequence[Program], progress: Progress | None = None) -> Grading:
    """Every program graded once. The part of a machine that fails goes to another; that machine gets no more."""
    waiting = deque(parts(len(programs), len(machines.names)))
    idle = deque(machines.names)
    running: dict[str, range] = {}
    verdicts: dict[int, ProgramVerdict] = {}
    sandboxes: dict[str, Mapping[str, object]] = {}
    failed: dict[str, str] = {}
    while waiting or running:
        while waiting and idle:
            name = idle.popleft()
            running[name] = waiting.popleft()
            machines.start(name, [programs[i] for i in running[name]])
        if not running:
            break
        name, outcome = machines.wait()
        part = running.pop(name)
        if isinstance(outcome, str):
            failed[name] = outcome
            waiting.appendleft(part)
            continue
        verdicts |= zip(part, outcome.verdicts)
        if outcome.sandbox:
            sandboxes[name] = outcome.sandbox
        idle.append(name)
        if progress:
            progress(len(verdicts), len(programs))
    lost = ProgramVerdict(
        None, "no machine could grade it: " + "; ".join(f"{n}: {w}" for n, w in failed.items())
    )
    return Grading([verdicts.get(i, lost) for i in range(len(programs))], joined(sandboxes))


def parts(programs: int, machines: int) -> list[range]:
    """Places of the programs of each part."""
    size = max(LEAST_PROGRAMS, -(-programs // max(1, PARTS_EACH * machines)))
    return [range(start, min(start + size, programs)) for start in range(0, programs, size)]


def joined(sandboxes: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """One description of the sandboxes of all machines: as safe as the least safe of them."""
    if not sandboxes:
        return {}
    kinds = dict.fromkeys(str(each["kind"]) for each in sandboxes.values())
    first = next(iter(sandboxes.values()))
    return {
        **first,
        "kind": " and ".join(kinds),
        "safe": all(each["safe"] for each in sandboxes.values()),
        "machines": list(sandboxes),
    }
