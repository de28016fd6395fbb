"""The headers of an HTTP answer that a download goes by, read as the RFC has them. Pure; anything else in them is
nothing: a server is not trusted."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-[0-9]{1,18}|\*)/([0-9]{1,18}|\*)")
_WHOLE = re.compile(r"[0-9]{1,18}")
"""Not `str.isdigit`, which takes "²"; and no number that could not be a size."""
_STRONG_ETAG = re.compile(r'"[!#-~]*"')


def content_length(headers: Any) -> int | None:
    """Bytes of the body; None where the server does not say."""
    text = headers.get("Content-Length", "").strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def content_range(headers: Any) -> tuple[int | None, int | None]:
    """(first byte of this answer, bytes of the whole file); None for a number that the server does not give."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if match is None:
        return None, None
    return (None if match[1] is None else int(match[1])), (None if match[2] == "*" else int(match[2]))


def validator(headers: Any) -> str | None:
    """A validator fit for If-Range: a strong ETag, else a date that is surely older than the answer.

    Source: RFC 9110 sections 13.1.5 and 8.8.2.2: a file may change twice within the second that a date tells.
    """
    etag = headers.get("ETag")
    if etag is not None and _STRONG_ETAG.fullmatch(etag):
        return str(etag)
    changed, answered = headers.get("Last-Modified"), headers.get("Date")
    changed_at, answered_at = _date(changed), _date(answered)
    if changed_at is None or answered_at is None or answered_at - changed_at < timedelta(seconds=1):
        return None
    return str(changed)


def retry_after_s(text: str | None) -> float | None:
    """Seconds or a date. Source: RFC 9110 section 10.2.3."""
    if text is None:
        return None
    if _WHOLE.fullmatch(text.strip()):
        return float(text)
    date = _date(text)
    return None if date is None else max(0.0, (date - datetime.now(timezone.utc)).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
        return date if date.tzinfo is not None else date.replace(tzinfo=timezone.utc)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
