"""Signs that a dataset or a tokenizer is another workload's: several read the same form of rows."""

from __future__ import annotations

from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.workloads.workload import Workload


def unlike(workload: Workload, rows: int, eos_id: int | None = None) -> list[str]:
    """A sentence for each sign that these are not `workload`'s; empty for none, which proves nothing.

    rows: of the dataset. eos_id: what the tokenizer says ends an answer; None = it does not say.
    """
    found = []
    ends = (workload.eos_id, *workload.more_eos_ids)
    if eos_id is not None and eos_id not in ends:
        own = " or ".join(map(str, ends))
        found.append(f"the tokenizer ends answers with token {eos_id}, {workload.name} with {own}")
    others = [each.name for each in workloads.TABLE.values() if rows in whole_sets(each)]
    if others and rows not in whole_sets(workload):
        found.append(f"{rows:,} rows are the whole set of {others[0]}, not of {workload.name}")
    return found


def whole_sets(workload: Workload) -> tuple[int, ...]:
    """Rows of its whole sets, by the newest round that holds it; empty for a workload in no round."""
    if workload.own_dataset is not None:
        return ()
    try:
        rules = workloads.round_of(None, workload.name).workload(workload.name)
    except ConfigError:
        return ()
    return tuple(filter(None, (rules.dataset_samples, rules.accuracy_samples)))
