"""Addresses as they may be shown: without passwords, tokens and signatures.

Every message, log and kept record that names an address passes it through here.
"""

from __future__ import annotations

import re

HIDDEN = "***"
# A path has lost one of the two slashes. An address of the hub has none.
# The user part may hold a "/" or "?" that nobody quoted; `:` with digits and a "/" is a port and not a password.
_ADDRESS = re.compile(
    r"(?P<scheme>\b(?:[a-z][a-z0-9+.-]{0,20}://|(?:https?|ftp|ssh|git|s3|ray):/|hf:))"
    r"(?P<user>[^\s/?#@:'\"<>]*(?::(?!\d+/)[^\s@'\"<>]*(?:@[^\s/?#@'\"<>]*)*)?@)?"
    r"(?P<place>[^\s?#'\"<>]*)"
    r"(?P<query>\?[^\s#'\"<>]*)?"
    r"(?P<fragment>#[^\s'\"<>]*)?",
    re.IGNORECASE,
)
_VALUE = re.compile(r"=[^&;]*")


def addresses(text: str) -> str:
    """`text` with each address in it as it may be shown.

    The user part becomes `***` (a token may stand there alone), and so does each value of the query, for signed
    addresses carry their signature in it. `https://me:secret@host/f?sig=abc` becomes `https://***@host/f?sig=***`.
    The user of an address that is not http stays when it has no password: `ssh://git@host/name`.
    """
    return _ADDRESS.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    user, query, fragment = found["user"] or "", found["query"] or "", found["fragment"] or ""
    if user and (found["scheme"].lower().startswith("http") or ":" in user):
        user = f"{HIDDEN}@"
    if query:
        query = _VALUE.sub(f"={HIDDEN}", query) if "=" in query else f"?{HIDDEN}"
    if fragment:
        fragment = _VALUE.sub(f"={HIDDEN}", fragment)
    return f"{found['scheme']}{user}{found['place']}{query}{fragment}"
