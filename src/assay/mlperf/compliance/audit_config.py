"""audit.config: what a compliance test changes in LoadGen's settings."""

from __future__ import annotations

from collections.abc import Mapping

from assay.ground.errors import ConfigError, did_you_mean

AUDITS: Mapping[str, Mapping[str, int]] = {
    # Source: inference/compliance/nvidia/TEST06/audit.config
    "TEST06": {
        "mode": 2,
        "accuracy_log_rng_seed": 720381539243781796,
        "accuracy_log_sampling_target": 100,
        "min_query_count": 100,
        "min_duration": 0,
        "sample_concatenate_permutation": 0,
    },
    # Source: inference/compliance/TEST07/gpt-oss-120b/audit.config
    "TEST07": {
        "mode": 2,
        "accuracy_log_rng_seed": 720381539243781796,
        "accuracy_log_sampling_target": 990,
        "min_query_count": 990,
        "min_duration": 0,
        "performance_issue_unique": 1,
        "sample_concatenate_permutation": 0,
    },
    # Source: inference/compliance/TEST09/gpt-oss-120b/audit.config
    "TEST09": {
        "mode": 2,
        "accuracy_log_rng_seed": 720381539243781796,
        "accuracy_log_sampling_target": 10000,
        "min_query_count": 6396,
        "min_duration": 0,
        "performance_issue_unique": 1,
        "sample_concatenate_permutation": 0,
    },
}


def settings(test: str) -> Mapping[str, int]:
    """Key -> value of a compliance test. Raises: ConfigError for a test that Assay does not know."""
    if test not in AUDITS:
        raise ConfigError(f"unknown compliance test {test!r}", did_you_mean(test, AUDITS))
    return AUDITS[test]


def text(test: str) -> str:
    """The file's content. Example line: `*.*.min_query_count = 100`."""
    return "".join(f"*.*.{key} = {value}\n" for key, value in settings(test).items())
