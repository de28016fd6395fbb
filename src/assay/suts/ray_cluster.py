"""A Ray cluster: the one that runs at an address, or one of our own on this machine, which ends with this process."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.ground import cores, scratch
from assay.ground.errors import AssayError, ConfigError, EnvironmentProblem, RunFailed
from assay.suts import ray_environment
from assay.suts.ray import AUTO

OBJECT_STORE_BYTES = 1 << 30
"""Holds the samples, and answers on their way. Ray itself would take 30 % of the memory."""
SOCKET_TAIL_BYTES = 70
"""What Ray puts behind its folder in the name of a socket, of the 107 bytes that one may have."""
REACH_S = 5.0
"""Longest wait for a connection to the head."""
LOOKS = 3
"""So many looks in a row without a connection, and the head is lost: 15 s, or 30 s where nothing answers at all."""


@dataclass(frozen=True)
class Node:
    """A machine of the cluster that is up."""

    id: str
    name: str
    address: str
    cpus: float
    gpus: float


class Cluster:
    """A connection to one; `close` ends what was started here."""

    def __init__(self, address: str | None) -> None:
        """`address`: as `--ray-address` has it; None = start one here. Raises: EnvironmentProblem, ConfigError."""
        ray_environment.set_for(is_own_cluster=address is None)
        import ray

        self._ray = ray
        self._at_end, self._is_closed = ExitStack(), threading.Event()
        self.is_own = address is None
        quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        try:
            if address is None:
                folder = self._at_end.enter_context(scratch.folder("assay-ray-", place=_place()))
                ray.init(
                    address="local",  # else a variable of the user's would name another cluster
                    num_cpus=cores.usable(),
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE_BYTES,
                    _temp_dir=str(folder),
                    **quiet,
                )
            else:
                if address != AUTO:
                    _reach(address)
                ray.init(address=address, **quiet)
        except AssayError:
            raise
        except Exception as error:  # Ray has no class of its own for what keeps it from starting
            self._at_end.close()
            raise EnvironmentProblem(
                f"Ray cannot be started here: {_first_line(error)}"
                if address is None
                else f"the Ray cluster at {address} cannot be joined: {_first_line(error)}",
                "see the SUT's log"
                if address is None
                else "`ray start --head` on one machine, `ray start --address=HEAD:6379` on each other one",
            ) from error
        self.head = str(ray.get_runtime_context().gcs_address)

    def nodes(self) -> list[Node]:
        """Those that are up, by name."""
        found = [
            Node(
                node["NodeID"],
                node["NodeName"]
                if node["NodeName"] != node["NodeManagerAddress"]
                else node["NodeManagerHostname"],
                node["NodeManagerAddress"],
                float(node["Resources"].get("CPU", 0)),
                float(node["Resources"].get("GPU", 0)),
            )
            for node in self._ray.nodes()
            if node["Alive"]
        ]
        return sorted(_told_apart(found), key=lambda node: node.name)

    def place(self, bundles: Sequence[dict[str, float]], timeout_s: float) -> Any:
        """A placement group with room for each bundle, spread over the nodes. Raises: EnvironmentProblem."""
        from ray.util.placement_group import placement_group, remove_placement_group

        group = placement_group(list(bundles), strategy="SPREAD")
        if not group.wait(timeout_s):
            remove_placement_group(group)
            asked = " and ".join(f"{amount:g} {name}" for name, amount in bundles[0].items())
            have = "; ".join(f"{node.name}: {node.cpus:g} CPU, {node.gpus:g} GPU" for node in self.nodes())
            raise EnvironmentProblem(
                f"the cluster has no room for {len(bundles)} replicas of {asked} each after {timeout_s:g} s ({have})",
                "fewer --replicas, --cpus-per-replica or --gpus-per-replica; or wait until others are done",
            )
        return group

    def remove(self, group: Any) -> None:
        from ray.util.placement_group import remove_placement_group

        remove_placement_group(group)

    def watch(self, tell: Callable[[RunFailed], None]) -> None:
        """From now on look whether the head is there; `tell`, once, when it is lost."""
        threading.Thread(target=self._watch, args=(tell,), name="ray head", daemon=True).start()

    def close(self) -> None:
        """Release it; a cluster of our own is gone afterwards."""
        self._is_closed.set()
        self._ray.shutdown()
        self._at_end.close()

    def _watch(self, tell: Callable[[RunFailed], None]) -> None:
        missed = 0
        while missed < LOOKS:
            if self._is_closed.wait(REACH_S):
                return
            try:
                _reach(self.head)
                missed = 0
            except EnvironmentProblem:
                missed += 1
        tell(
            RunFailed(f"the head of the Ray cluster, {self.head}, is lost", "see its machine, then run again")
        )


def _told_apart(nodes: Sequence[Node]) -> list[Node]:
    """With names that no two have: several nodes may be on one machine."""
    names = Counter(node.name for node in nodes)
    return [replace(n, name=f"{n.name} ({n.id[:6]})") if names[n.name] > 1 else n for n in nodes]


def _reach(address: str) -> None:
    """Raises: EnvironmentProblem when nothing listens there, ConfigError for what is no address."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"{address} is no address of a Ray cluster", "HOST:PORT as `ray start --head` prints it"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_S).close()
    except OSError as error:
        raise EnvironmentProblem(
            f"no Ray cluster answers at {address}: {error.strerror or error}",
            "`ray start --head` starts one; its port is 6379 unless another was asked for",
        ) from error


def _place() -> Path | None:
    """Where Ray's folder is made; None = where temporary files go, if the names of sockets in it are not too long."""
    usual = Path(tempfile.gettempdir()).resolve()
    is_short = len(str(usual)) + len("/assay-ray-12345678") + SOCKET_TAIL_BYTES <= 107
    return None if is_short else Path("/tmp")


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
