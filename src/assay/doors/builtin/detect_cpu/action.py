"""The processor, in the variables that recipes read; what is not known is left out."""

from __future__ import annotations

from assay.doors.builtin.call import Answer, BuiltinCall
from assay.machine import probe

NAMES = {
    "host_processor_model_name": "CM_HOST_CPU_MODEL_NAME",
    "host_processors_per_node": "CM_HOST_CPU_SOCKETS",
    "host_processor_core_count": "CM_HOST_CPU_TOTAL_PHYSICAL_CORES",
    "host_processor_frequency": "CM_HOST_CPU_MAX_MHZ",
    "host_processor_caches": "CM_HOST_CPU_CACHES",
    "host_memory_capacity": "CM_HOST_MEMORY_CAPACITY",
    "host_storage_capacity": "CM_HOST_DISK_CAPACITY",
}
"""Field of a system description -> variable."""


def action(call: BuiltinCall) -> Answer:
    fields = probe.describe()
    found = {key: fields.get(field, {}).get("value") for field, key in NAMES.items()}
    return call.answer({key: value for key, value in found.items() if value})
