"""LoadGen's log files as typed values. They are read as what they may be: cut short, binary, or hostile."""

from assay.mlperf.logs.accuracy import LoggedAnswer, read_accuracy
from assay.mlperf.logs.detail import DetailLog, read_detail
from assay.mlperf.logs.names import ACCURACY_FILE, DETAIL_FILE, SUMMARY_FILE
from assay.mlperf.logs.record import (
    Distribution,
    RunRecord,
    read_record,
    record_of,
)

__all__ = [
    "ACCURACY_FILE",
    "DETAIL_FILE",
    "SUMMARY_FILE",
    "DetailLog",
    "Distribution",
    "LoggedAnswer",
    "RunRecord",
    "read_accuracy",
    "read_detail",
    "read_record",
    "record_of",
]
