"""Which steps wait for the disk: rows, seconds, seconds of waiting and GB read of each step. One JSON object.

    python benchmarks/engine_streamed_steps.py --checkpoint DIR [--samples 48] [--prompt 150]
        [--answer 8] [--budget 2048]

The checkpoint has a packed copy in int8 (`assay model random --precision int8` writes one); every expert is read in
every step. Beside it stands what as many threads, reading as much at a time, get from the copy in order, just before
and just after (engine_disk.py). `experts` counts the seconds in which a read was under way; `waiting_steps` are those
that wait for more than half of their time: GB read over their whole time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from assay.config import Precision
from assay.engine.api import Engine
from assay.engine.config import EngineConfig
from assay.engine.sequence import EngineRequest
from engine_disk import InOrder

IN_ORDER_S = 8.0
"""Of reading in order, before and after"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=48)
    parser.add_argument("--prompt", type=int, default=150, help="tokens of each")
    parser.add_argument("--answer", type=int, default=8)
    parser.add_argument("--budget", type=int, default=2048, help="rows of a step at most")
    args = parser.parse_args()
    config = EngineConfig(
        args.checkpoint,
        Precision.INT8,
        max_running=args.samples,
        token_budget=args.budget,
        typical_tokens=args.prompt + args.answer,
        weights="disk",
    )
    engine, rng = Engine(config), random.Random(0)
    assert engine.stream is not None
    in_order = InOrder(args.checkpoint)
    before = in_order.bytes_per_s(IN_ORDER_S)
    for number in range(args.samples):
        prompt = tuple(rng.randrange(3, engine.model.vocab_size) for _ in range(args.prompt))
        engine.add(EngineRequest(number, prompt, args.answer, args.answer))
    steps = []
    while engine.has_work:
        steps.append(measured(engine))
    clock = engine.stream.clock
    read = clock.bytes / clock.seconds
    engine.close()
    after = in_order.bytes_per_s(IN_ORDER_S)
    waiting = [step for step in steps if step["waiting_s"] > step["seconds"] / 2]
    print(
        json.dumps(
            {
                "checkpoint": str(args.checkpoint),
                "load_average": os.getloadavg(),
                "steps": steps,
                "seconds": round(sum(step["seconds"] for step in steps), 1),
                "waiting_s": round(sum(step["waiting_s"] for step in steps), 1),
                "gb_per_s": {
                    "experts": round(read / 1e9, 3),
                    "waiting_steps": round(
                        sum(step["gb_read"] for step in waiting) / sum(step["seconds"] for step in waiting), 3
                    ),
                    "in order": [round(each / 1e9, 3) for each in (before, after)],
                },
                "share_of_disk": round(2 * read / (before + after), 3),
            },
            indent=1,
        )
    )


def measured(engine: Engine) -> dict[str, Any]:
    assert engine.stream is not None
    waited, rows = engine.meter.nanoseconds["reading"], engine.meter.tokens
    read, began = engine.stream.clock.bytes, time.perf_counter()
    engine.step()
    return {
        "rows": engine.meter.tokens - rows,
        "seconds": round(time.perf_counter() - began, 2),
        "waiting_s": round((engine.meter.nanoseconds["reading"] - waited) / 1e9, 2),
        "gb_read": round((engine.stream.clock.bytes - read) / 1e9, 2),
    }


if __name__ == "__main__":
    main()
