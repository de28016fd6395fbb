"""What CM's variables ask for around the benchmark: submission, checks, packing, cleaning, a container.

It becomes a `Delivery`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from assay.config import ContainerRequest, Delivery, EarlierRun, MayFetch
from assay.doors import cm_artifacts
from assay.doors.cm_settings import is_on
from assay.ground.errors import ConfigError
from assay.recipes.model.selection import Selection

USUAL = Delivery(
    allow_fake=True,
    earlier_run=EarlierRun.REUSE,
    is_tree_beside_run=True,
    default_submitter="MLCommons",
)
"""Of a command line that asks for nothing. The submitter is that of cm4mlops, get-mlperf-inference-sut-description."""


def delivery(selection: Selection, env: Mapping[str, Any]) -> Delivery:
    """Read from canonical (CM_) variables and run-mlperf's variations. Raises: ConfigError."""
    asked = set(selection.variations)

    def on(key: str, usual: bool = False) -> bool:
        # An empty value is no answer: CM's command lines carry many.
        return is_on(env[key]) if str(env.get(key, "")).strip() else usual

    whole = "submission" in asked
    submits = whole or bool(asked & {"performance-only", "accuracy-only", "populate-readme"})
    skipped = on("CM_MLPERF_SKIP_SUBMISSION_GENERATION") or "find-performance" in asked
    clean_all = on("CM_MLPERF_CLEAN_ALL")
    is_replaced = clean_all or on("CM_RERUN")
    return dataclasses.replace(
        USUAL,
        submit=on("CM_MLPERF_SUBMISSION_RUN", submits) and not skipped,
        full=_is_full(asked, str(env.get("CM_MLPERF_SUBMISSION_GENERATION_STYLE", ""))),
        check=on("CM_RUN_SUBMISSION_CHECKER", whole) and not skipped,
        pack=on("CM_TAR_SUBMISSION_DIR", whole) and not skipped,
        compliance=on("CM_MLPERF_LOADGEN_COMPLIANCE", whole or "compliance" in asked),
        earlier_run=EarlierRun.REPLACE if is_replaced else EarlierRun.REUSE,
        clean_submission=on("CM_MLPERF_CLEAN_SUBMISSION_DIR", clean_all),
        gate=on("CM_ASSAY_GATE"),
        unsafe_no_sandbox=on("CM_ASSAY_UNSAFE_NO_SANDBOX"),
        may_fetch=_may_fetch(on),
        container=_container(env, on) if on("CM_MLPERF_USE_DOCKER", on("CM_RUN_DOCKER_CONTAINER")) else None,
    )


def _may_fetch(on: Any) -> MayFetch:
    """Each of upstream's variables is of one model; one that forbids it forbids it."""
    forbidden = {what for key, (what, _) in cm_artifacts.download_keys().items() if not on(key, True)}
    return MayFetch(model="model" not in forbidden, dataset="dataset" not in forbidden)


def _is_full(asked: set[str], style: str) -> bool:
    words = {word for word in (style.strip().lower(), *(asked & {"short", "full"})) if word}
    if not words <= {"short", "full"}:
        raise ConfigError(
            f"CM_MLPERF_SUBMISSION_GENERATION_STYLE={style}: short and full are its two", "short or full"
        )
    if len(words) > 1:
        raise ConfigError(
            f"the generation style is asked for twice: CM_MLPERF_SUBMISSION_GENERATION_STYLE={style} and "
            f"variation _{'short' if style == 'full' else 'full'}",
            "leave one of them out",
        )
    return "short" not in words


def _container(env: Mapping[str, Any], on: Any) -> ContainerRequest:
    engine = str(env.get("CM_CONTAINER_TOOL") or env.get("CM_ASSAY_CONTAINER") or "").lower() or None
    if engine not in (None, "podman", "docker"):
        raise ConfigError(f"{engine!r} is not a container engine known here", "podman or docker")
    return ContainerRequest(
        engine=engine,
        base=str(env.get("CM_ASSAY_CONTAINER_BASE") or "") or None,
        privileged=on("CM_DOCKER_PRIVILEGED_MODE"),
        reuse=on("CM_DOCKER_REUSE_EXISTING_CONTAINER"),
        detached=on("CM_DOCKER_DETACHED_MODE"),
        keep=on("CM_DOCKER_CONTAINER_KEEP_ALIVE"),
    )
