"""Headers of an HTTP answer: what is no such header is nothing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from assay.ground import http_headers

MONDAY, LATER = "Mon, 02 Feb 2026 10:00:00 GMT", "Mon, 02 Feb 2026 10:00:01 GMT"


@pytest.mark.parametrize(
    ("text", "size"), [("12", 12), (" 7 ", 7), ("²", None), ("-1", None), ("1" * 19, None), ("", None)]
)
def test_a_length_is_a_whole_number_that_could_be_a_size(text: str, size: int | None) -> None:
    assert http_headers.content_length({"Content-Length": text}) == size


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bytes 5-9/10", (5, 10)),
        ("bytes 5-9/*", (5, None)),
        ("bytes */10", (None, 10)),
        ("items 5-9/10", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_range_has_its_first_byte_and_the_whole_size(
    text: str, found: tuple[int | None, int | None]
) -> None:
    assert http_headers.content_range({"Content-Range": text}) == found


def test_a_date_validates_only_a_file_that_was_surely_older_than_the_answer() -> None:
    assert http_headers.validator({"Last-Modified": MONDAY, "Date": LATER}) == MONDAY
    assert http_headers.validator({"Last-Modified": MONDAY, "Date": MONDAY}) is None
    assert http_headers.validator({"Last-Modified": MONDAY}) is None
    assert http_headers.validator({"Last-Modified": "yesterday", "Date": LATER}) is None


def test_a_strong_etag_goes_before_the_date_and_a_weak_one_is_none() -> None:
    dates = {"Last-Modified": MONDAY, "Date": LATER}
    assert http_headers.validator({"ETag": '"a1"', **dates}) == '"a1"'
    assert http_headers.validator({"ETag": 'W/"a1"'}) is None


def test_a_pause_is_seconds_or_a_date() -> None:
    assert http_headers.retry_after_s("120") == 120.0
    assert http_headers.retry_after_s("Mon, 05 Feb 2001 10:00:00 GMT") == 0.0
    soon = format_datetime(datetime.now(timezone.utc) + timedelta(hours=1), usegmt=True)
    assert 3000 < (http_headers.retry_after_s(soon) or 0) <= 3600
    assert http_headers.retry_after_s("soon") is None and http_headers.retry_after_s(None) is None
