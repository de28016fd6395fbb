"""A submission tree from a run folder."""

from __future__ import annotations

from pathlib import Path

from assay.doors import cm
from assay.doors.builtin.call import Answer, BuiltinCall
from assay.doors.cm_delivery import USUAL
from assay.doors.cm_settings import is_on
from assay.doors.submission import tree_request
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.submission.pack import archive_of, pack
from assay.mlperf.submission.write import write


def action(call: BuiltinCall) -> Answer:
    config = cm.from_cm(call.selection, call.env, call.defaults)
    results = call.text("CM_MLPERF_INFERENCE_RESULTS_DIR") or str(config.paths.out or "")
    if not results or config.submission.out is None:
        raise ConfigError(
            "a run folder and the tree's folder are needed", "--results_dir=RUN --submission_dir=DIR"
        )
    round_ = workloads.round_of(config.round)
    request = tree_request(config.submission, round_, USUAL.default_submitter)
    written = write([Path(results)], request, config.submission.out)
    env = {"CM_MLPERF_INFERENCE_SUBMISSION_DIR": str(written.root)}
    if is_on(call.text("CM_TAR_SUBMISSION_DIR")):
        archive = archive_of(written.root)
        pack(written.root, archive)
        env["CM_MLPERF_INFERENCE_SUBMISSION_TAR_FILE"] = str(archive)
    return call.answer(env)
