from __future__ import annotations

from assay.config import Division, SubmissionRequest
from assay.doors.submission import tree_request
from assay.mlperf.rounds import round as rounds
from assay.report import readme

ROUND = rounds.load("v5.1")


def test_who_is_asked_for_submits_else_the_default() -> None:
    asked = SubmissionRequest("Me", Division.CLOSED, "box")
    request = tree_request(asked, ROUND, "nobody")
    assert (request.submitter, request.division, request.system_name) == ("Me", "closed", "box")
    assert tree_request(SubmissionRequest(), ROUND, "nobody").submitter == "nobody"


def test_a_fake_run_is_allowed_only_where_it_is_said() -> None:
    assert not tree_request(SubmissionRequest(), ROUND, "x").allow_fake
    assert tree_request(SubmissionRequest(), ROUND, "x", allow_fake=True).allow_fake


def test_the_readme_of_an_entry_is_the_report() -> None:
    request = tree_request(SubmissionRequest(), ROUND, "x")
    assert request.readme is readme.render
    assert request.round is ROUND
