"""A Mixtral checkpoint: the folder named, or the reference's revision from the hub."""

from __future__ import annotations

import psutil

from assay.config import Precision
from assay.doors.builtin.call import Answer, BuiltinCall
from assay.ground import settings
from assay.mlperf.workloads import artifact, mixtral_8x7b

STUB = "stub."


def action(call: BuiltinCall) -> Answer:
    published = mixtral_8x7b.MODEL
    source = call.text("MIXTRAL_CHECKPOINT_PATH") or _stub(call) or published.source
    if source == published.source and artifact.here(source, "checkpoint", call.hub) is None:
        ram_bytes = psutil.virtual_memory().total
        artifact.require_room(
            mixtral_8x7b.WORKLOAD.name, published, Precision.FLOAT16, ram_bytes, settings.home()
        )
    folder = artifact.model(source, call.hub, lambda progress: call.say(str(progress)))
    return call.answer(
        {
            "MIXTRAL_CHECKPOINT_PATH": str(folder),
            "CM_ML_MODEL_PATH": str(folder),
            "CM_ML_MODEL_SOURCE": source,
        }
    )


def _stub(call: BuiltinCall) -> str:
    """`_stub.OWNER/NAME@COMMIT` or `_stub.PATH`: another checkpoint than the reference's."""
    asked = [name.removeprefix(STUB) for name in call.selection.variations if name.startswith(STUB)]
    if not asked:
        return ""
    return f"hf:{asked[-1]}" if "@" in asked[-1] and not asked[-1].startswith("/") else asked[-1]
