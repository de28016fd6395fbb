"""How many replicas one head can feed: costs measured on this machine, put into a model of 8, 64 and 512 replicas.

    python benchmarks/ray_dispatch.py [--seconds S]

Measured, in processor seconds of the process that dispatches, so that they hold on a busy machine too: a telling of
a replica (a call of Ray and back, the dispatcher, the answers handed on), and what each answer of 145 tokens adds.
Modelled: replicas finish answers at random moments; what is finished while a telling is under way waits for the next;
the head takes tellings one after the other. Prints one JSON object: for each number of replicas and pace the share of
time that the head is busy, how long an answer waits for it, and the answers per second at which it saturates.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import sys
import time
from queue import SimpleQueue
from typing import Any

import numpy as np

from assay.machine import probe
from assay.suts.ray_cluster import Cluster
from assay.suts.ray_dispatch import Dispatcher
from assay.suts.ray_replica import Heard
from assay.suts.ray_sut import LISTENERS

TOKENS, ROOM = 145, 128
REPLICAS, PACES = (8, 64, 512), (1.0, 10.0, 100.0, 1000.0)
"""Answers/s of each replica: a 405 B model on a node, a 70 B one, an 8 B one, a toy."""
SIZES = (1, 256)
"""Answers of a telling, between which the cost of one more is found."""
NETWORK_S = 0.0005
"""There and back between two machines."""


class Teller:
    """An actor that tells of as many answers as it is asked for."""

    def hear(self, count: int) -> Heard:
        nothing = np.empty(0, np.int64)
        return Heard(
            0,
            nothing,
            np.empty(0, np.int32),
            np.arange(count),
            np.full(count, TOKENS, np.int32),
            np.zeros(count * TOKENS, np.int32),
        )


def telling_s(actor: Any, answers: int, calls: int) -> float:
    """Processor seconds of this process for one telling, without the dispatcher."""
    told: SimpleQueue[Any] = SimpleQueue()

    def listen() -> None:
        actor.hear.remote(answers).future().add_done_callback(lambda future: told.put(future.result()))

    listen()
    told.get()
    before = time.process_time()
    for _ in range(LISTENERS):
        listen()
    for _ in range(calls):
        heard = told.get()
        listen()
        ends = np.cumsum(heard.counts)
        [heard.tokens[start:end] for start, end in zip((ends - heard.counts).tolist(), ends.tolist())]
    return (time.process_time() - before) / calls


def dispatching_s(replicas: int, answers: int, turns: int = 300) -> float:
    """Processor seconds of the dispatcher for one telling: answers taken, as many queries given."""
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


def model(replicas: int, pace: float, telling: float, answer: float, seconds: float) -> dict[str, float]:
    """Events until `seconds` have passed; delays from the end of an answer until the head has handed it on."""
    dice = random.Random(replicas)
    finished: list[list[float]] = [[] for _ in range(replicas)]
    events = [(dice.expovariate(pace), 0, replica) for replica in range(replicas)]
    heapq.heapify(events)
    is_telling = [False] * replicas
    head_free = busy = 0.0
    delays: list[float] = []
    while events and events[0][0] < seconds:
        now, kind, replica = heapq.heappop(events)
        if kind == 0:  # an answer is finished
            finished[replica].append(now)
            heapq.heappush(events, (now + dice.expovariate(pace), 0, replica))
        else:  # its telling was taken
            is_telling[replica] = False
        if finished[replica] and not is_telling[replica]:
            told, finished[replica] = finished[replica], []
            cost = telling + answer * len(told)
            head_free = max(head_free, now + NETWORK_S / 2) + cost
            busy += cost
            delays += [head_free - end for end in told]
            is_telling[replica] = True
            heapq.heappush(events, (head_free + NETWORK_S / 2, 1, replica))
    return {
        "replicas": replicas,
        "answers_per_s_each": pace,
        "answers_per_s": round(len(delays) / seconds, 1),
        "head_busy": round(min(busy, head_free) / max(seconds, head_free), 4),
        "wait_p50_ms": round(1e3 * float(np.percentile(delays, 50)), 3),
        "wait_p99_ms": round(1e3 * float(np.percentile(delays, 99)), 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="modelled time of each case")
    asked = parser.parse_args()
    cluster = Cluster(None)
    import ray

    actor = ray.remote(Teller).remote()
    few, many = (telling_s(actor, size, calls) for size, calls in zip(SIZES, (800, 200)))
    cluster.close()
    rows, costs = [], []
    for replicas in REPLICAS:
        small, large = (dispatching_s(replicas, size) for size in (1, ROOM))
        answer = max(0.0, (many - few) / (SIZES[1] - SIZES[0])) + max(0.0, (large - small) / (ROOM - 1))
        telling = few + small - answer
        costs.append(
            {
                "replicas": replicas,
                "telling_us": round(1e6 * telling, 1),
                "dispatcher_us": round(1e6 * small, 1),
                "answer_us": round(1e6 * answer, 2),
                "saturates_at_answers_per_s": round(1 / (telling + answer)),
                "saturates_in_batches_at": round(ROOM / (telling + ROOM * answer)),
            }
        )
        rows += [model(replicas, pace, telling, answer, asked.seconds) for pace in PACES]
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
