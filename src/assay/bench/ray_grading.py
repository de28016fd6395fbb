"""Programs graded by all machines of a Ray cluster, each in its own sandbox, and texts held against their references:
each machine takes a part at a time."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from assay.ground import settings
from assay.ground.errors import EnvironmentProblem
from assay.mlperf.scoring import rouge
from assay.mlperf.scoring.programs.grader import Grade, Progress
from assay.mlperf.scoring.programs.program import Grading, Program, ProgramVerdict
from assay.suts.ray import KIND
from assay.suts.ray_cluster import Cluster
from assay.suts.ray_group import words_of

PARTS_EACH, LEAST_PROGRAMS = 4, 24
"""Parts for each machine, and the fewest programs of one: each part proves the sandbox and its languages anew. Choices:
with fewer parts a slow machine holds up the end, with more the proofs cost more than they share out."""
LEAST_PAIRS = 500
"""Of a part of texts: both libraries of ROUGE score some of each part, 20 at least."""
Work = Callable[[Sequence[Any]], Any]
"""What a machine makes of a part."""


class Machines(Protocol):
    """What works on parts."""

    @property
    def names(self) -> Sequence[str]: ...

    def start(self, name: str, part: Sequence[Any]) -> None:
        """One part at a time for each."""

    def wait(self) -> tuple[str, Any]:
        """The next machine that is done with its part: what it made of it, or, as a str, why it made nothing."""


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

    def f_measures(
        self, references: Sequence[str], predictions: Sequence[str], metrics: Sequence[str] = rouge.METRICS
    ) -> dict[str, list[float]]:
        """As `rouge.f_measures`. Raises: EnvironmentProblem when no machine can; as above."""
        cluster = Cluster(self.address)
        try:
            machines = RayMachines(cluster, partial(_compared, tuple(metrics)))
            return spread_texts(machines, list(zip(references, predictions)), metrics)
        finally:
            cluster.close()


def on_ray(grade: Grade, address: str | None) -> RayGrade:
    """The same grading on a cluster. Raises: ConfigError for what is no address of one."""
    if address is not None:
        KIND.option("ray_address").read(address)
    return RayGrade(grade.workers, grade.unsafe, grade.progress, grade.lcb_tests, address)


class RayMachines:
    """The nodes of a cluster; a part takes all processors of its node."""

    def __init__(self, cluster: Cluster, work: Work) -> None:
        import ray

        self._ray, self._work = ray, work
        self._nodes = {node.name: node for node in cluster.nodes()}
        self.names = list(self._nodes)
        self._running: dict[Any, str] = {}

    def start(self, name: str, part: Sequence[Any]) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        node = self._nodes[name]
        call = self._ray.remote(_worked).options(
            num_cpus=node.cpus,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
        )
        self._running[call.remote(self._work, list(part), settings.current())] = name

    def wait(self) -> tuple[str, Any]:
        (done,), _ = self._ray.wait(list(self._running))
        name = self._running.pop(done)
        try:
            found = self._ray.get(done)
        except self._ray.exceptions.RayError as error:
            return name, words_of(error)
        return name, found


def _worked(work: Work, part: Sequence[Any], given: settings.Settings) -> Any:
    """On the node."""
    settings.adopt(given)
    return work(part)


def _compared(metrics: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, list[float]]:
    """On the node. `pairs`: reference and answer."""
    return rouge.f_measures([truth for truth, _ in pairs], [answer for _, answer in pairs], metrics)


def spread(machines: Machines, programs: Sequence[Program], progress: Progress | None = None) -> Grading:
    """Every program graded once."""
    made, failed = worked(machines, programs, LEAST_PROGRAMS, progress)
    verdicts: dict[int, ProgramVerdict] = {}
    for part, _, grading in made:
        verdicts |= zip(part, grading.verdicts)
    lost = ProgramVerdict(None, f"no machine could grade it: {failed}")
    sandboxes = {name: grading.sandbox for _, name, grading in made if grading.sandbox}
    return Grading([verdicts.get(i, lost) for i in range(len(programs))], joined(sandboxes))


def spread_texts(
    machines: Machines, pairs: Sequence[tuple[str, str]], metrics: Sequence[str]
) -> dict[str, list[float]]:
    """metric -> F1 of each pair. Raises: EnvironmentProblem when a part could be done nowhere."""
    made, failed = worked(machines, pairs, LEAST_PAIRS, None)
    if sum(len(part) for part, _, _ in made) < len(pairs):
        raise EnvironmentProblem(f"no machine could compute ROUGE: {failed}", "leave out --workers ray")
    inorder = sorted(made, key=lambda each: each[0].start)
    return {metric: [share for _, _, shares in inorder for share in shares[metric]] for metric in metrics}


def worked(
    machines: Machines, items: Sequence[Any], least: int, progress: Progress | None
) -> tuple[list[tuple[range, str, Any]], str]:
    """Each part that was done, by whom, and what came of it; and why machines failed. The part of one that fails goes
    to another, and that machine gets no more. `least`: fewest items of a part."""
    waiting, idle = deque(parts(len(items), len(machines.names), least)), deque(machines.names)
    running: dict[str, range] = {}
    made: list[tuple[range, str, Any]] = []
    failed: dict[str, str] = {}
    while waiting or running:
        while waiting and idle:
            name = idle.popleft()
            running[name] = waiting.popleft()
            machines.start(name, [items[i] for i in running[name]])
        if not running:
            break
        name, outcome = machines.wait()
        part = running.pop(name)
        if isinstance(outcome, str):
            failed[name] = outcome
            waiting.appendleft(part)
            continue
        made.append((part, name, outcome))
        idle.append(name)
        if progress:
            progress(sum(len(done) for done, _, _ in made), len(items))
    return made, "; ".join(f"{name}: {why}" for name, why in failed.items())


def parts(items: int, machines: int, least: int) -> list[range]:
    """Places of the items of each part."""
    size = max(least, -(-items // max(1, PARTS_EACH * machines)))
    return [range(start, min(start + size, items)) for start in range(0, items, size)]


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
