"""The system description of a submission, as far as this machine can be asked."""

from __future__ import annotations

from assay.doors.builtin.call import Answer, BuiltinCall
from assay.machine import probe


def action(call: BuiltinCall) -> Answer:
    fields = {name: entry.get("value") or "" for name, entry in probe.describe().items()}
    fields["system_name"] = call.text("CM_HW_NAME") or fields.get("system_name", "")
    fields["submitter"] = call.text("CM_MLPERF_SUBMITTER")
    return call.answer({"CM_HW_NAME": fields["system_name"]}, {"CM_SUT_META": fields})
