"""The texts of an entry that Assay writes itself: what the run used, in the words of a submission."""

from __future__ import annotations

import shlex

from assay.config import Mode
from assay.mlperf.logs import detail, names
from assay.mlperf.submission.source import TreeEntry

TOKEN_INPUT = "int32 token ids"
"""`input_data_types` of a SUT that LoadGen hands sample indices, whose samples are token ids."""


def measurement(entry: TreeEntry) -> dict[str, str]:
    """The measurement file: input and weights as the run used them, not as it was asked."""
    precision = entry.run.precision
    return {
        "input_data_types": TOKEN_INPUT,
        "retraining": "no",
        "starting_weights_filename": entry.run.checkpoint,
        "weight_data_types": precision,
        "weight_transformations": f"loaded as {precision}",
    }


def mlperf_conf(entry: TreeEntry) -> str:
    """mlperf.conf as the run's log says it was (rounds to v4.1 file it; later ones have it inside LoadGen)."""
    log = entry.logs(Mode.PERFORMANCE).get(names.DETAIL_FILE)
    logged = detail.parse(log.read_bytes() if log is not None else b"", detail.JUDGED_KEYS)
    values, flags = logged.values, {True: 1, False: 0, None: None}
    settings = {
        "*.*.qsl_rng_seed": values.get("effective_qsl_rng_seed"),
        "*.*.sample_index_rng_seed": values.get("effective_sample_index_rng_seed"),
        "*.*.schedule_rng_seed": values.get("effective_schedule_rng_seed"),
    }
    own = {
        "min_duration": values.get("effective_min_duration_ms"),
        "min_query_count": values.get("effective_min_query_count"),
        "performance_sample_count_override": values.get("effective_performance_sample_count"),
        "sample_concatenate_permutation": flags[logged.flag("effective_sample_concatenate_permutation")],
        "use_token_latencies": flags[logged.flag("requested_use_token_latencies")],
    }
    settings |= {f"{entry.benchmark}.{entry.scenario}.{key}": value for key, value in own.items()}
    lines = [f"{key} = {value}" for key, value in settings.items() if value is not None]
    return "\n".join(["# Settings in effect, read back from mlperf_log_detail.txt.", *lines]) + "\n"


def code_readme(entry: TreeEntry) -> str:
    """README.md of the code folder: the command that was run."""
    return (
        f"# {entry.benchmark}\n\n"
        f"Run with Assay {entry.run.result.assay}.\n\n"
        f"```bash\n{shlex.join(entry.run.result.command)}\n```\n"
    )


def calibration_text(entry: TreeEntry) -> str:
    """What is known of quantisation: Assay casts or rounds the given weights, without calibration data."""
    return (
        "# Calibration\n\n"
        f"The weights are used as {entry.run.precision}, made from the given checkpoint alone. "
        "No calibration data is used.\n"
    )
