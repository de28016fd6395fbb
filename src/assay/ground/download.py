"""Fetches a remote file whole: resumed by byte range, retried, checked, then renamed into place.

Knows HTTP; not where models and datasets live (that is `mlperf.workloads.artifact`). What has arrived waits in
`.NAME.part` beside the target with the server's validator in `.NAME.part.json`, so the next attempt, or the
next process, goes on where this one stopped and never glues two versions of a file together. What a server says of
sizes is held against the bytes that come: more are as wrong as fewer. Messages name addresses without their secrets.
"""

from __future__ import annotations

import http.client
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.ground import http_headers, lock
from assay.ground.count import size_text
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.ground.partial import Partial
from assay.ground.redact import addresses

CHUNK_BYTES = 1 << 20
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which another attempt may succeed. Source: RFC 9110 section 15, RFC 6585 section 4."""


@dataclass(frozen=True)
class Remote:
    """A file to fetch and what is known of it beforehand."""

    url: str
    sha256: str | None = None
    md5: str | None = None
    """Used only where no SHA-256 is published."""
    size_bytes: int | None = None
    token: str | None = field(default=None, repr=False)
    """Bearer token for this host; never sent on to the host of a redirect."""
    token_hint: str = "this address needs a login that Assay has no token for"
    """What to do when the server answers 401 or 403."""

    @property
    def shown(self) -> str:
        """The address for a message: without password and signature."""
        return addresses(self.url)

    @property
    def has_hash(self) -> bool:
        return self.sha256 is not None or self.md5 is not None


@dataclass(frozen=True)
class DownloadProgress:
    name: str
    done_bytes: int
    total_bytes: int | None
    bytes_per_s: float

    @property
    def eta_s(self) -> float | None:
        """Seconds to go at the present pace; None while size or pace is unknown."""
        if self.total_bytes is None or self.bytes_per_s <= 0:
            return None
        return (self.total_bytes - self.done_bytes) / self.bytes_per_s

    def __str__(self) -> str:
        if self.total_bytes is None:
            return f"{self.name}: {size_text(self.done_bytes)}"
        share = f"{self.name}: {size_text(self.done_bytes)} of {size_text(self.total_bytes)}"
        return share if self.eta_s is None else f"{share}, {self.eta_s:.0f} s to go"


Report = Callable[[DownloadProgress], None]


def silent(_: DownloadProgress) -> None:
    """Ignores progress."""


@dataclass(frozen=True)
class Patience:
    """How long to go on over a bad connection."""

    stall_s: float = 60.0
    """Longest silence of the server."""
    attempts: int = 6
    """Attempts in a row that bring no byte."""
    pause_s: float = 1.0
    """First pause between attempts; doubles each time."""
    wait_s_max: float = 120.0
    """Longest Retry-After that is honoured; a longer one is reported instead."""
    report_every_s: float = 0.5
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


def fetch(remote: Remote, target: Path, report: Report = silent, patience: Patience | None = None) -> Path:
    """Fetch `remote` to `target`. A target that exists is used as it is: it was checked before its rename.

    Raises: ArtifactError (refused, gone, wrong hash, line given up), EnvironmentProblem (disk).
    """
    if target.is_file():
        return target
    try:
        with lock.held(target):
            if not target.is_file():
                _fetch_locked(remote, target, report, patience or Patience())
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {target}: {error.strerror or error}",
            "free space or permissions; what has arrived is kept and resumed",
        ) from error
    return target


def require_space(folder: Path, needed_bytes: int, what: str) -> None:
    """Raises: EnvironmentProblem with both figures when `folder`'s disk cannot take `needed_bytes`."""
    free = free_bytes(folder)
    if free < needed_bytes:
        raise EnvironmentProblem(
            f"{what} takes {size_text(needed_bytes)} and {folder} has {size_text(free)} free",
            "free space, or move the store with ASSAY_HOME",
        )


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk that holds `folder`, or would hold it."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


class _Again(Exception):
    """This attempt failed, and another one may succeed; `after_s`: the pause that the server asks for."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


def _fetch_locked(remote: Remote, target: Path, report: Report, patience: Patience) -> None:
    part = Partial(target)
    while True:
        _receive_all(remote, part, target, report, patience)
        wrong = part.mismatch(remote.size_bytes, remote.sha256, remote.md5)
        if wrong is None:
            part.become(target)
            return
        part.drop()
        if not part.was_resumed:  # a file glued from two attempts gets one clean chance
            raise ArtifactError(
                f"{remote.shown}: {wrong}", "the file at this address is not the one expected"
            )
        part.was_resumed = False


def _receive_all(remote: Remote, part: Partial, target: Path, report: Report, patience: Patience) -> None:
    """Attempts until everything has arrived."""
    fruitless, furthest = 0, part.size_bytes
    while True:
        try:
            _attempt(remote, part, target, report, patience)
            return
        except _Again as again:
            fruitless = fruitless + 1 if part.size_bytes <= furthest else 1
            furthest = max(furthest, part.size_bytes)  # so a file that keeps changing ends too
            if fruitless >= patience.attempts:
                raise ArtifactError(
                    f"{remote.shown}: {again}; given up after {fruitless} attempts without progress",
                    "run the same command later: what has arrived is kept and resumed",
                ) from again
            pause = again.after_s if again.after_s is not None else patience.pause_s * 2 ** (fruitless - 1)
            patience.sleep(pause)


def _attempt(remote: Remote, part: Partial, target: Path, report: Report, patience: Patience) -> None:
    """One request. Raises: _Again when a further one may bring more."""
    validator = part.validator(remote.url)
    if part.size_bytes and validator is None and not remote.has_hash:
        part.drop()  # nothing could tell whether the rest belongs to it
    offset = part.size_bytes
    try:
        with _open(_request(remote, offset, validator), patience.stall_s) as response:
            total = _accept(remote, part, response, offset)
            if total is not None:
                require_space(target.parent, total - part.size_bytes, target.name)
            _copy(response, part, target.name, total, report, patience)
    except urllib.error.HTTPError as error:
        with error:
            _refused(remote, part, error, offset, patience)


def _open(request: urllib.request.Request, stall_s: float) -> Any:
    """The response, redirects followed. Raises: HTTPError, _Again when nobody answers."""
    try:
        return urllib.request.urlopen(request, timeout=stall_s)
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError) or not isinstance(error.reason, OSError):
            raise ArtifactError(
                f"{addresses(request.full_url)}: {error.reason}", "check the address and the certificates"
            ) from error
        raise _Again(f"no answer ({error.reason})") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Again(f"no answer ({error or type(error).__name__})") from error
    except ValueError as error:  # an address that is none, ours or that of a redirect
        raise ArtifactError(f"{addresses(request.full_url)}: {error}", "check the address") from error


def _read(response: Any) -> bytes:
    try:
        chunk: bytes = response.read1(CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _Again(f"the line broke ({error or type(error).__name__})") from error
    return chunk


def _request(remote: Remote, offset: int, validator: str | None) -> urllib.request.Request:
    if not remote.url.startswith(("http://", "https://")):
        raise ArtifactError(f"{remote.shown!r} is not an address", "http:// or https://")
    try:
        request = urllib.request.Request(
            remote.url, headers={"User-Agent": "assay", "Accept-Encoding": "identity"}
        )
    except ValueError as error:
        raise ArtifactError(f"{remote.shown!r} is not an address: {error}", "check the address") from error
    if remote.token:
        request.add_unredirected_header("Authorization", f"Bearer {remote.token}")
    if offset:
        request.add_header("Range", f"bytes={offset}-")
        if validator:
            request.add_header("If-Range", validator)
    return request


def _accept(remote: Remote, part: Partial, response: Any, offset: int) -> int | None:
    """Make `part` ready for the body that follows. Returns the size of the whole file in bytes, or None."""
    if (
        response.status not in (200, 206)
        or response.headers.get("Content-Encoding", "identity") != "identity"
    ):
        raise ArtifactError(
            f"{remote.shown}: HTTP {response.status}, which is not the file as it is", "check the address"
        )
    validator = http_headers.validator(response.headers)
    if response.status == 206:
        first, total = http_headers.content_range(response.headers)
        if first != offset or not part.goes_on(remote.url, validator, total):
            part.drop()
            raise _Again("the file changed on the server", 0.0)
        part.was_resumed = True
    else:
        total = http_headers.content_length(response.headers)
        part.start(remote.url, validator, total)
    if total is not None and remote.size_bytes is not None and total != remote.size_bytes:
        part.drop()
        raise ArtifactError(
            f"{remote.shown}: the server offers {total} bytes, {remote.size_bytes} are expected",
            "the file at this address is not the one expected",
        )
    return total if total is not None else remote.size_bytes


def _copy(
    response: Any, part: Partial, name: str, total: int | None, report: Report, patience: Patience
) -> None:
    done = first = part.size_bytes
    started = told = patience.now()
    with part.path.open("ab") as file:
        while chunk := _read(response):
            file.write(chunk)
            done += len(chunk)
            if total is not None and done > total:
                break
            now = patience.now()
            if now - told >= patience.report_every_s:
                told = now
                report(DownloadProgress(name, done, total, (done - first) / (now - started)))
    if total is not None and done > total:
        part.drop()
        raise _Again(f"more came than the {total} bytes of the file")
    if total is not None and done < total:
        raise _Again(f"cut short at {done} of {total} bytes")
    elapsed_s = patience.now() - started
    report(DownloadProgress(name, done, total, (done - first) / elapsed_s if elapsed_s > 0 else 0.0))


def _refused(
    remote: Remote, part: Partial, error: urllib.error.HTTPError, offset: int, patience: Patience
) -> None:
    """An answer without a file. Returns when everything is here already; raises otherwise."""
    where = f"{remote.shown}: HTTP {error.code}"
    if error.code == 416 and offset:
        if http_headers.content_range(error.headers)[1] == offset:
            part.was_resumed = True
            return
        part.drop()
        raise _Again("the file on the server is shorter than what is here", 0.0)
    if error.code in (401, 403):
        raise ArtifactError(f"{where}: access refused", remote.token_hint) from error
    if error.code in RETRIED:
        after_s = http_headers.retry_after_s(error.headers.get("Retry-After"))
        if after_s is not None and after_s > patience.wait_s_max:
            raise ArtifactError(
                f"{where}: the server asks to wait {after_s:.0f} s", "try again then"
            ) from error
        raise _Again(f"HTTP {error.code}", after_s)
    raise ArtifactError(f"{where} {error.reason}", "check the address") from error
