"""TypeScript to JavaScript for many programs in one process: the fast way round `tsc`'s second per program.

Used only for programs of which it is certain that tsc would end with status 2 and emit the same text; the
others are left to tsc itself (the rules stand in inside/transpile.js).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from assay.mlperf.scoring.programs.language import COMPILE_S, INSIDE, Language
from assay.sandbox.sandbox import Sandbox

CHUNK_PROGRAMS = 100
"""Programs for one process of node. A choice: its start is shared, and a program that kills it costs so many of the
fast way."""
_OUTPUT_BYTES = 64 << 20
"""What is kept of its output. A choice, far above 100 programs of some KB; beyond it tsc decides."""


def transpile(sandbox: Sandbox, javascript: Language, sources: Sequence[bytes]) -> list[bytes | None]:
    """JavaScript of each source, or None where only tsc may decide (all of them when the helper died)."""
    node = javascript.command[0]
    outcome = sandbox.run(
        (node, "/opt/inside/transpile.js", "/opt/node_modules/typescript", "sources"),
        "sources",
        "\n".join(json.dumps(source.decode("utf-8")) for source in sources).encode(),
        {**javascript.readable, "inside": INSIDE},
        limits=dataclasses.replace(sandbox.limits, wall_s=COMPILE_S, output_bytes=_OUTPUT_BYTES),
    )
    *lines, _ = outcome.output.split("\n")
    if outcome.status != 0 or len(lines) != len(sources):  # it died, or printed more than is kept
        return [None] * len(sources)
    answers = [json.loads(line) for line in lines]
    return [answer["js"].encode("utf-8", "replace") if "js" in answer else None for answer in answers]
