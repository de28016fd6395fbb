"""How many replicas one head can feed: costs measured on this machine, put into a model of 8, 64 and 512 replicas.

    python benchmarks/ray_dispatch.py [--seconds S]

Measured, in processor seconds of the process that dispatches, so that they hold on a busy machine too: a frame of a
replica (read from the wire, the dispatcher, the answers handed on, a frame of new queries), and what each answer of 145
tokens adds. Modelled: replicas finish answers at random moments, each a frame of its own; the head takes frames one
after the other. Prints one JSON object: for each number of replicas and pace the share of time that the head is busy,
how long an answer waits for it, and the answers per second at which it saturates.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import sys
import time

import numpy as np

from assay.machine import probe
from assay.mlperf.sut.channel import Channel
from assay.mlperf.sut.interface import Answer
from assay.suts.ray_dispatch import Dispatcher

TOKENS, ROOM = 145, 128
REPLICAS, PACES = (8, 64, 512), (1.0, 10.0, 100.0, 1000.0)
"""Answers/s of each replica: a 405 B model on a node, a 70 B one, an 8 B one, a toy."""
SIZES = (1, 256)
"""Answers of a frame, between which the cost of one more is found."""
NETWORK_S = 0.0005
"""There and back between two machines."""


def replica(port: int, answers: int, frames: int) -> None:
    """The other end, in a process of its own: a frame of answers, then what comes of it is read."""
    wire = Channel(socket.create_connection(("127.0.0.1", port)))
    row = np.zeros(TOKENS, np.int32)
    told = [Answer(n, row) for n in range(answers)]  # type: ignore[arg-type]
    for _ in range(frames):
        wire.done(told)
        wire.receive()
        wire.receive()
    os._exit(0)


def frame_s(answers: int, frames: int) -> float:
    """Processor seconds of this process for one frame of answers, handed on, and one of queries; no dispatcher."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = os.fork()
        if not child:
            replica(listener.getsockname()[1], answers, frames)
        wire = Channel(listener.accept()[0])
    numbers, indices = np.arange(answers, dtype=np.uint64), np.zeros(answers, np.int32)
    before = time.process_time()
    for _ in range(frames):
        frame = wire.receive()
        assert frame is not None
        wire.issue(numbers, indices)
        ends = np.cumsum(frame.values)
        starts = (ends - frame.values).tolist()
        wire.done(
            [
                Answer(id_, frame.tokens[start:end])  # type: ignore[arg-type]
                for id_, start, end in zip(frame.ids.tolist(), starts, ends.tolist())
            ]
        )
    spent = time.process_time() - before
    os.waitpid(child, 0)
    wire.close()
    return spent / frames


def dispatching_s(replicas: int, answers: int, turns: int = 300) -> float:
    """Processor seconds of the dispatcher for one frame: answers taken, as many queries given."""
    dispatcher = Dispatcher([ROOM * 4] * replicas)
    count = replicas * ROOM * 2
    dispatcher.add(np.arange(count, dtype=np.uint64), np.zeros(count, np.int32))
    held = {share.replica: share.numbers for share in dispatcher.shares()}
    spent = 0.0
    for turn in range(turns):
        replica = turn % replicas
        numbers, rest = held[replica][:answers], held[replica][answers:]
        before = time.process_time()
        dispatcher.done(replica, numbers)
        dispatcher.add(numbers.astype(np.uint64), np.zeros(len(numbers), np.int32))
        shares = dispatcher.shares()
        spent += time.process_time() - before
        held[replica] = rest
        for share in shares:
            held[share.replica] = np.concatenate([held[share.replica], share.numbers])
    return spent / turns


def model(replicas: int, pace: float, frame: float, seconds: float) -> dict[str, float]:
    """Answers at random moments until `seconds` have passed; waits from the end of one until the head handed it on."""
    dice = random.Random(replicas)
    now = head_free = busy = 0.0
    waits: list[float] = []
    while now < seconds:
        now += dice.expovariate(pace * replicas)
        head_free = max(head_free, now + NETWORK_S / 2) + frame
        busy += frame
        waits.append(head_free - now)
    return {
        "replicas": replicas,
        "answers_per_s_each": pace,
        "answers_per_s": round(len(waits) / max(seconds, head_free), 1),
        "head_busy": round(min(busy, head_free) / max(seconds, head_free), 4),
        "wait_p50_ms": round(1e3 * float(np.percentile(waits, 50)), 3),
        "wait_p99_ms": round(1e3 * float(np.percentile(waits, 99)), 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="modelled time of each case")
    asked = parser.parse_args()
    few, many = (frame_s(size, frames) for size, frames in zip(SIZES, (4000, 400)))
    rows, costs = [], []
    for replicas in REPLICAS:
        small, large = (dispatching_s(replicas, size) for size in (1, ROOM))
        more = max(0.0, (many - few) / (SIZES[1] - SIZES[0])) + max(0.0, (large - small) / (ROOM - 1))
        frame = few + small
        costs.append(
            {
                "replicas": replicas,
                "frame_us": round(1e6 * frame, 1),
                "dispatcher_us": round(1e6 * small, 1),
                "answer_more_us": round(1e6 * more, 2),
                "saturates_at_answers_per_s": round(1 / frame),
                "saturates_in_batches_at": round(ROOM / (frame + (ROOM - 1) * more)),
            }
        )
        rows += [model(replicas, pace, frame, asked.seconds) for pace in PACES]
    report = {
        "benchmark": "ray_dispatch",
        "processor": probe.fields()["host_processor_model_name"].value,
        "load_1min": round(os.getloadavg()[0], 1),
        "costs": costs,
        "model": rows,
    }
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
