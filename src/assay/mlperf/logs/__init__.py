"""LoadGen's log files as typed values. The files may be cut short, binary or hostile.

The answers of an accuracy log: `logs.accuracy`, which needs numpy and is not imported with the rest.
"""

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
    "RunRecord",
    "read_detail",
    "read_record",
    "record_of",
]
