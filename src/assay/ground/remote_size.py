"""How large the file at an address is, asked of its server without fetching it."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

from assay.ground import http_headers
from assay.ground.download import Remote
from assay.ground.errors import ArtifactError

STALL_S = 15.0
"""Longest silence of the server. A choice, shorter than a download's: a plan waits for it."""
GONE = frozenset({404, 410})


def of(remote: Remote) -> int | None:
    """Bytes; None where the server does not say: a signed address may forbid HEAD and give the file all the same.

    Raises: ArtifactError when there is no such file, or nobody answers.
    """
    try:
        request = urllib.request.Request(remote.url, method="HEAD", headers={"User-Agent": "assay"})
        if remote.token:
            request.add_unredirected_header("Authorization", f"Bearer {remote.token}")
        with urllib.request.urlopen(request, timeout=STALL_S) as response:
            return http_headers.content_length(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in GONE:
                return None
            raise ArtifactError(
                f"{remote.shown}: HTTP {error.code} {error.reason}", "check the address"
            ) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ArtifactError(
            f"{remote.shown}: no answer ({reason})", "check the address and the network"
        ) from error
