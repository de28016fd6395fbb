"""The benchmark itself: tags and variables become a config, the config is run and delivered."""

from __future__ import annotations

from assay.doors import cm
from assay.doors.builtin.call import Answer, Call, MayFetch
from assay.doors.cm_settings import is_on
from assay.doors.delivery import delivery


def action(call: Call) -> Answer:
    config = cm.from_cm(call.selection, call.env, call.defaults)
    may_fetch = MayFetch(
        model=is_on(call.text("CM_MLPERF_MODEL_MIXTRAL_8X7B_DOWNLOAD_TO_HOST") or "yes"),
        dataset=is_on(call.text("CM_MLPERF_DATASET_MIXTRAL_8X7B_DOWNLOAD_TO_HOST") or "yes"),
    )
    asked = delivery(call.selection, {**call.defaults, **call.env})
    made = call.deliver(config, asked, call.hub, may_fetch=may_fetch)
    env = {"CM_MLPERF_INFERENCE_RESULTS_DIR": str(made.folder)}
    if made.tree is not None:
        env["CM_MLPERF_INFERENCE_SUBMISSION_DIR"] = str(made.tree)
    if made.archive is not None:
        env["CM_MLPERF_INFERENCE_SUBMISSION_TAR_FILE"] = str(made.archive)
    return call.answer(env)
