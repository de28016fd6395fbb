"""What stands in the way of a run against a server: asked of the server itself, without a token made."""

from __future__ import annotations

from assay.endpoint.address import parse
from assay.mlperf.sut.planner import Examined, SutSeconds, SutWork
from assay.suts import secret
from assay.suts.endpoint import KIND
from assay.suts.endpoint_options import exact_api, model_of, urls_of

PROCESS_BYTES = 120_000_000
"""Anonymous memory of its process without bodies. Source: measured with the embedded workload."""
BYTES_PER_ID = 16
"""Of a prompt, as a number and as JSON."""


def examine(work: SutWork) -> Examined:
    """Raises: ConfigError and EnvironmentProblem as the run would."""
    options = KIND.values(work.spec.options)
    exact_api(options)
    variable, model = options["api_key_env"], options["model"]
    token = secret.value(str(variable)) if variable else None
    name = model_of([parse(url) for url in urls_of(options)], str(model) if model else None, token)
    return Examined(notes=(f"the server serves {name}; how fast is not known before it is asked",))


def ram_bytes(work: SutWork) -> int:
    return PROCESS_BYTES + BYTES_PER_ID * sum(len(sample.prompt_ids) for sample in work.samples)


def seconds(work: SutWork) -> SutSeconds | None:
    return None
