"""Who submits what, as the writer of submission trees is told it: made here for every door and verb."""

from __future__ import annotations

from assay.config import SubmissionRequest
from assay.mlperf.rounds.round import Round
from assay.mlperf.submission.tree_request import TreeRequest
from assay.report import readme


def tree_request(
    asked: SubmissionRequest, round_: Round, default_submitter: str, *, allow_fake: bool = False
) -> TreeRequest:
    """`default_submitter` submits when `asked` names nobody."""
    return TreeRequest(
        submitter=asked.submitter or default_submitter,
        division=asked.division.value,
        round=round_,
        readme=readme.render,
        system_name=asked.system_name,
        allow_fake=allow_fake,
    )
