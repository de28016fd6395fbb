"""The benchmark itself: tags and variables become a config, the config is run and delivered."""

from __future__ import annotations

from assay.config import Request
from assay.doors import cm
from assay.doors.builtin.call import Answer, BuiltinCall
from assay.doors.cm_delivery import delivery


def action(call: BuiltinCall) -> Answer:
    config = cm.from_cm(call.selection, call.env, call.defaults)
    asked = delivery(call.selection, {**call.defaults, **call.env})
    made = call.deliver(Request(config, asked), call.hub)
    env = {"CM_MLPERF_INFERENCE_RESULTS_DIR": str(made.folder)}
    if made.tree is not None:
        env["CM_MLPERF_INFERENCE_SUBMISSION_DIR"] = str(made.tree)
    if made.archive is not None:
        env["CM_MLPERF_INFERENCE_SUBMISSION_TAR_FILE"] = str(made.archive)
    return call.answer(env)
