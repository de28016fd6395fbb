"""The combined dataset: the file named, or the published one, the calibration set where that is asked for."""

from __future__ import annotations

from assay.doors.builtin.call import Answer, BuiltinCall
from assay.ground import files
from assay.mlperf.workloads import artifact
from assay.mlperf.workloads.mixtral_8x7b import DATASET_FILES as FILES


def action(call: BuiltinCall) -> Answer:
    calibration = "calibration" in call.selection.variations
    published = next(file.url for file in FILES if file.is_calibration is calibration)
    named = (
        ""
        if calibration
        else call.text("CM_DATASET_MIXTRAL_PREPROCESSED_PATH", "CM_DATASET_PREPROCESSED_PATH")
    )
    path = artifact.dataset(named or published, lambda progress: call.say(str(progress)), files=FILES)
    if (warning := artifact.warning(path, FILES)) is not None:
        call.say(f"assay: {warning}")
    key = "CM_CALIBRATION_DATASET_PATH" if calibration else "CM_DATASET_MIXTRAL_PREPROCESSED_PATH"
    usual = {} if calibration else {"CM_DATASET_PREPROCESSED_PATH": str(path)}
    return call.answer({key: str(path), **usual, "CM_DATASET_SHA256": files.sha256(path)})
