"""Which compliance tests a benchmark owes, and what they need that is known before anything runs."""

from __future__ import annotations

from assay.config import BenchmarkConfig, Delivery, Division
from assay.ground.errors import ConfigError
from assay.mlperf.compliance import audit_config
from assay.mlperf.rounds.round_workload import RoundWorkload

USUAL = "TEST06"
SCORED = "TEST07"
"""The test whose answers are scored; it has a data set of its own."""


def is_due(config: BenchmarkConfig, delivery: Delivery) -> bool:
    """Whether compliance tests are to be run. Raises: ConfigError for a container: they do not go into one."""
    # Source: inference_policies: closed submissions owe compliance tests; cm4mlops leaves them out in open.
    if not delivery.compliance or config.submission.division is not Division.CLOSED:
        return False
    if delivery.container is not None:
        raise ConfigError(
            "compliance tests of a run in a container are not possible",
            "leave one of the two out: no compliance tests, or no container",
        )
    return True


def tests_of(rules: RoundWorkload) -> tuple[str, ...]:
    """The tests that the round demands of the workload; the usual one where it names none."""
    return rules.compliance or (USUAL,)


def refuse_missing(config: BenchmarkConfig, rules: RoundWorkload) -> None:
    """Raises: ConfigError for a test without its data set."""
    if SCORED in rules.compliance and config.paths.compliance_dataset is None:
        raise ConfigError(
            f"{SCORED} asks the questions of a data set of its own",
            "--compliance-dataset FILE (gpt-oss-120b: acc_eval_compliance_gpqa.parquet)",
        )


def refuse_small(test: str, samples: int) -> None:
    """Raises: ConfigError when the test sends each sample once and there are too few."""
    settings = audit_config.settings(test)
    least = settings["min_query_count"]
    if settings.get("performance_issue_unique") and samples < least:
        raise ConfigError(
            f"{test} asks {least:,} different samples, and there are {samples:,}", "the whole official set"
        )
