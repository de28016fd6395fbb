"""A submission tree from a run folder."""

from __future__ import annotations

from pathlib import Path

from assay.doors import cm
from assay.doors.builtin.call import Answer, Call
from assay.doors.cm_settings import is_on
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.submission.pack import pack
from assay.mlperf.submission.write import Request, write
from assay.report import readme


def action(call: Call) -> Answer:
    config = cm.from_cm(call.selection, call.env, call.defaults)
    results = call.text("CM_MLPERF_INFERENCE_RESULTS_DIR") or str(config.paths.out or "")
    if not results or config.submission.out is None:
        raise ConfigError(
            "a run folder and the tree's folder are needed", "--results_dir=RUN --submission_dir=DIR"
        )
    request = Request(
        submitter=config.submission.submitter or "MLCommons",
        division=config.submission.division.value,
        round=workloads.round_of(config.round),
        readme=readme.render,
        system_name=config.submission.system_name,
    )
    written = write([Path(results)], request, config.submission.out)
    env = {"CM_MLPERF_INFERENCE_SUBMISSION_DIR": str(written.root)}
    if is_on(call.text("CM_TAR_SUBMISSION_DIR")):
        archive = written.root.with_name(f"{written.root.name}.tar.gz")
        pack(written.root, archive)
        env["CM_MLPERF_INFERENCE_SUBMISSION_TAR_FILE"] = str(archive)
    return call.answer(env)
