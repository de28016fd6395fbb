"""Judge a submission tree by the rules of its round."""

from __future__ import annotations

from pathlib import Path

from assay.doors import cm
from assay.doors.builtin.call import Answer, BuiltinCall
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.checker import check
from assay.mlperf.checker.finding import Severity
from assay.recipes.errors import GENERAL, RecipeFault


def action(call: BuiltinCall) -> Answer:
    """Errors fail it, unless `_short-run` is asked for: then they are told."""
    root = call.text("CM_MLPERF_INFERENCE_SUBMISSION_DIR")
    if not root:
        raise ConfigError("no submission tree was named", "--submission_dir=DIR")
    round_ = workloads.round_of(cm.from_cm(call.selection, call.env, call.defaults).round)
    report = check.check(Path(root), round_, call.text("CM_MLPERF_SUBMITTER") or None)
    for finding in report.findings:
        call.say(f"{finding.severity.value} {finding.code} {finding.path or '.'}: {finding.message}")
    errors = report.count(Severity.ERROR)
    call.say(f"round {report.round}: {errors} errors, {len(report.rows)} results")
    if report.fails and "short-run" not in call.selection.variations:
        raise RecipeFault(f"{root} has {errors} errors in round {report.round}", GENERAL, "assay check DIR")
    return call.answer({"CM_MLPERF_SUBMISSION_CHECKER_ERRORS": str(errors)})
