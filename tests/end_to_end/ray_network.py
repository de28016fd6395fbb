"""A Ray cluster of three network namespaces on this machine, one of which is cut off in the middle of a run.

    unshare --net python -m tests.end_to_end.ray_network OUT MODE

Needs the right to make namespaces. Prints one JSON object: exit code and output of `assay bench`, and how many seconds
after the cut it ended. The wire is pulled (`ip link set … down`): no packet says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from assay.suts import ray_environment

HEAD, PORT = "10.99.0.1", 6379
NODES = 2
"""Beside the head."""
SILENCE_S = 10.0


def does(*words: str) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=240)


@contextmanager
def namespace(number: int) -> Iterator[list[str]]:
    """A network of its own on the bridge; the words before a command that runs there."""
    keeper = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    inside = ["nsenter", "--net", "--target", str(keeper.pid), "--"]
    try:
        theirs_is = Path(f"/proc/{keeper.pid}/ns/net")
        while theirs_is.readlink() == Path("/proc/self/ns/net").readlink():
            time.sleep(0.01)
        ours, theirs = f"out{number}", f"in{number}"
        does("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", str(keeper.pid))
        does("ip", "link", "set", ours, "master", "bridge0", "up")
        does(*inside, "ip", "address", "add", f"10.99.0.{number + 1}/24", "dev", theirs)
        for device in (theirs, "lo"):
            does(*inside, "ip", "link", "set", device, "up")
        yield inside
    finally:
        keeper.kill()
        keeper.wait()


@contextmanager
def ray_node(log_to: Path, *options: str, inside: list[str]) -> Iterator[None]:
    """A node of the cluster, until it is ended with all that it started."""
    sizes = ("--num-cpus=2", f"--object-store-memory={200 << 20}", "--block")
    words = [*inside, "ray", "start", *options, *sizes]
    with log_to.open("w", encoding="utf-8") as log:
        started = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        yield
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def await_nodes(count: int) -> None:
    """Raises: TimeoutError when the cluster has fewer after four minutes."""
    asked = "import ray, sys; ray.init('auto', logging_level='error'); print(sum(n['Alive'] for n in ray.nodes()))"
    environment = {**os.environ, "RAY_ADDRESS": f"{HEAD}:{PORT}"}
    end = time.monotonic() + 240
    while time.monotonic() < end:
        said = subprocess.run(
            [sys.executable, "-c", asked], capture_output=True, text=True, env=environment, timeout=240
        )
        if said.stdout.strip() == str(count):
            return
        time.sleep(1)
    raise TimeoutError(f"not {count} nodes: {said.stdout}{said.stderr[-2000:]}")


def main(out: Path, mode: str) -> int:
    ray_environment.set_for(is_own_cluster=True)
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "1"  # else nobody may join from another address
    with ExitStack() as stack:
        place = stack.enter_context(
            tempfile.TemporaryDirectory(dir="/tmp", prefix="n", ignore_cleanup_errors=True)
        )
        does("ip", "link", "set", "lo", "up")
        does("ip", "link", "add", "bridge0", "type", "bridge")
        does("ip", "address", "add", f"{HEAD}/24", "dev", "bridge0")
        does("ip", "link", "set", "bridge0", "up")
        head = (f"--node-ip-address={HEAD}", "--head", f"--port={PORT}", "--include-dashboard=false")
        stack.enter_context(ray_node(out.with_suffix(".head.log"), *head, f"--temp-dir={place}", inside=[]))
        await_nodes(1)
        # One after the other: they share a folder, in which each looks for the first free name of its sockets.
        for number in range(1, NODES + 1):
            inside = stack.enter_context(namespace(number))
            joins = (f"--address={HEAD}:{PORT}", f"--node-ip-address=10.99.0.{number + 1}")
            stack.enter_context(ray_node(out.with_suffix(f".node{number}.log"), *joins, inside=inside))
            await_nodes(number + 1)
        echo = ("--of", "echo", "--pace", "10", "--replicas", "3", "--cpus-per-replica", "2")
        cluster = ("--ray-address", f"{HEAD}:{PORT}", "--replica-timeout", str(SILENCE_S))
        words = ("bench", "mixtral-nano", "--sut", "ray", *echo, *cluster, "--mode", mode, "--samples", "300")
        log = out.with_suffix(".log")
        with log.open("w", encoding="utf-8") as written:
            started = subprocess.Popen(
                [sys.executable, "-m", "assay", *words, "--out", str(out)], stdout=written, stderr=written
            )
        while not (out / "Offline" / mode).is_dir() and started.poll() is None:
            time.sleep(0.05)
        time.sleep(2)
        does("ip", "link", "set", "out2", "down")
        cut = time.monotonic()
        try:
            code = started.wait(180)
        except subprocess.TimeoutExpired:
            started.kill()
            code = -1
        seconds = time.monotonic() - cut
    print(json.dumps({"code": code, "seconds": round(seconds, 1), "said": log.read_text(encoding="utf-8")}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
