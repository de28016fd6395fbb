"""A download ends whole and checked, whatever the server does; tested against one that misbehaves."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import namedtuple
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest

from assay.ground import download
from assay.ground.download import DownloadProgress, Patience, Remote
from assay.ground.errors import ArtifactError, EnvironmentProblem
from tests.ground import flaky_server as flaky

BODY = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()


class Sleeper:
    def __init__(self) -> None:
        self.pauses_s: list[float] = []

    def __call__(self, pause_s: float) -> None:
        self.pauses_s.append(pause_s)


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def patience(sleeper: Sleeper) -> Patience:
    return Patience(stall_s=0.5, attempts=3, sleep=sleeper)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "store" / "file.bin"


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_a_file_arrives_whole_checked_and_leaves_nothing_beside_it(target: Path) -> None:
    with flaky.serving(BODY) as server:
        download.fetch(Remote(server.url(), sha256=SHA256, size_bytes=len(BODY)), target)
    assert target.read_bytes() == BODY
    assert left_over(target) == []


def test_a_file_that_is_there_is_not_asked_for_again(target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"here")
    with flaky.serving(BODY) as server:
        download.fetch(Remote(server.url()), target)
        assert server.requests == []
    assert target.read_bytes() == b"here"


def test_a_truncated_answer_is_continued_from_its_last_byte(target: Path, patience: Patience) -> None:
    with flaky.serving(BODY, flaky.truncated(1000), flaky.truncated(500)) as server:
        download.fetch(Remote(server.url(), sha256=SHA256), target, patience=patience)
        assert [request.get("Range") for request in server.requests] == [None, "bytes=1000-", "bytes=1500-"]
        assert server.requests[1]["If-Range"] == '"v1"'
    assert target.read_bytes() == BODY


def test_a_stalled_answer_is_given_up_and_continued(target: Path, patience: Patience) -> None:
    released = threading.Event()
    with flaky.serving(BODY, flaky.stalled(4096, released)) as server:
        try:
            download.fetch(Remote(server.url(), sha256=SHA256), target, patience=patience)
        finally:
            released.set()
        assert server.requests[1]["Range"] == "bytes=4096-"
    assert target.read_bytes() == BODY


def test_another_process_goes_on_where_the_last_one_gave_up(target: Path, sleeper: Sleeper) -> None:
    once = Patience(attempts=1, sleep=sleeper)
    with flaky.serving(BODY, flaky.truncated(7000)) as server:
        with pytest.raises(ArtifactError, match="cut short at 7000 of 256000 bytes") as caught:
            download.fetch(Remote(server.url()), target, patience=once)
        assert "resumed" in caught.value.hint
        assert not target.exists()
        download.fetch(Remote(server.url()), target, patience=once)
        assert server.requests[1]["Range"] == "bytes=7000-"
    assert target.read_bytes() == BODY


def test_two_versions_of_a_file_are_never_glued_together(target: Path, patience: Patience) -> None:
    newer = b"another file" * 999
    script = (flaky.truncated(1000), flaky.changed(newer, '"v2"'))
    with flaky.serving(BODY, *script) as server:
        download.fetch(Remote(server.url()), target, patience=patience)
    assert target.read_bytes() == newer


def test_a_server_that_ignores_if_range_is_found_out_by_its_etag(target: Path, patience: Patience) -> None:
    newer = bytes(reversed(BODY))

    def careless(handler: flaky.Handler) -> None:
        handler.served.body, handler.served.etag = newer, '"v2"'
        del handler.headers["If-Range"]
        flaky.good(handler)

    with flaky.serving(BODY, flaky.truncated(1000), careless) as server:
        download.fetch(Remote(server.url()), target, patience=patience)
    assert target.read_bytes() == newer


def test_without_a_validator_or_a_hash_a_broken_download_starts_over(
    target: Path, patience: Patience
) -> None:
    with flaky.serving(BODY, flaky.truncated(1000)) as server:
        server.etag = None
        download.fetch(Remote(server.url()), target, patience=patience)
        assert server.requests[1]["Range"] is None
    assert target.read_bytes() == BODY


def test_everything_here_already_is_told_by_416_and_kept(target: Path, patience: Patience) -> None:
    target.parent.mkdir()
    target.with_name(".file.bin.part").write_bytes(BODY)
    with flaky.serving(BODY) as server:
        download.fetch(Remote(server.url(), sha256=SHA256), target, patience=patience)
        assert len(server.requests) == 1
    assert target.read_bytes() == BODY


def test_more_here_than_on_the_server_is_dropped_and_fetched_again(target: Path, patience: Patience) -> None:
    target.parent.mkdir()
    target.with_name(".file.bin.part").write_bytes(BODY + b"more")
    with flaky.serving(BODY) as server:
        download.fetch(Remote(server.url(), sha256=SHA256), target, patience=patience)
        assert [request.get("Range") for request in server.requests] == ["bytes=256004-", None]
    assert target.read_bytes() == BODY


def test_spoiled_bytes_of_an_earlier_attempt_get_one_clean_chance(target: Path, patience: Patience) -> None:
    target.parent.mkdir()
    target.with_name(".file.bin.part").write_bytes(b"x" * 1000)
    with flaky.serving(BODY) as server:
        download.fetch(Remote(server.url(), sha256=SHA256), target, patience=patience)
        assert [request.get("Range") for request in server.requests] == ["bytes=1000-", None]
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("name", ["sha256", "md5"])
def test_a_wrong_hash_is_refused_with_both_values_and_nothing_is_kept(name: str, target: Path) -> None:
    expected = "0" * 32
    with flaky.serving(BODY) as server:
        remote = Remote(server.url(), **{name: expected})
        with pytest.raises(ArtifactError, match=f"{name} is {hashlib.new(name, BODY).hexdigest()}, 0000"):
            download.fetch(remote, target)
    assert left_over(target) == []
    assert not target.exists()


def test_another_size_than_expected_is_refused_before_the_body_is_read(target: Path) -> None:
    with (
        flaky.serving(BODY) as server,
        pytest.raises(ArtifactError, match="offers 256000 bytes, 5 are expected"),
    ):
        download.fetch(Remote(server.url(), size_bytes=5), target)


def test_a_redirect_is_followed_and_the_token_stays_with_the_first_host(target: Path) -> None:
    with flaky.serving(BODY) as storage, flaky.serving() as hub:
        hub.script.append(flaky.status(302, Location=storage.url("/cdn/file.bin")))
        remote = Remote(hub.url(), sha256=SHA256, token="secret")
        download.fetch(remote, target)
        assert hub.requests[0]["Authorization"] == "Bearer secret"
        assert storage.requests[0]["Authorization"] is None
    assert target.read_bytes() == BODY
    assert "secret" not in repr(remote)


def test_a_resumed_download_keeps_its_range_through_a_redirect(target: Path, patience: Patience) -> None:
    with flaky.serving(BODY, flaky.truncated(1000)) as storage, flaky.serving() as hub:
        hub.script += [flaky.status(302, Location=storage.url())] * 2
        download.fetch(Remote(hub.url(), sha256=SHA256), target, patience=patience)
        assert storage.requests[1]["Range"] == "bytes=1000-"
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_access_says_which_token_to_set(code: int, target: Path, sleeper: Sleeper) -> None:
    with flaky.serving(BODY, flaky.status(code)) as server:
        remote = Remote(server.url(), token_hint="set HF_TOKEN")
        with pytest.raises(ArtifactError, match=f"HTTP {code}: access refused") as caught:
            download.fetch(remote, target, patience=Patience(sleep=sleeper))
    assert caught.value.hint == "set HF_TOKEN"
    assert sleeper.pauses_s == []


def test_a_missing_file_is_not_asked_for_twice(target: Path) -> None:
    with flaky.serving(BODY, flaky.status(404)) as server:
        with pytest.raises(ArtifactError, match="HTTP 404"):
            download.fetch(Remote(server.url()), target)
        assert len(server.requests) == 1


def test_a_busy_server_is_given_the_pause_it_asks_for(
    target: Path, patience: Patience, sleeper: Sleeper
) -> None:
    soon = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=60), usegmt=True)
    script = (flaky.status(429, Retry_After="7"), flaky.status(503, Retry_After=soon))
    with flaky.serving(BODY, *script) as server:
        download.fetch(Remote(server.url()), target, patience=patience)
    assert sleeper.pauses_s[0] == 7
    assert 50 < sleeper.pauses_s[1] <= 60
    assert target.read_bytes() == BODY


def test_a_pause_longer_than_our_patience_is_reported_instead_of_slept(
    target: Path, sleeper: Sleeper
) -> None:
    with (
        flaky.serving(BODY, flaky.status(503, Retry_After="86400")) as server,
        pytest.raises(ArtifactError, match="asks to wait 86400 s"),
    ):
        download.fetch(Remote(server.url()), target, patience=Patience(sleep=sleeper))
    assert sleeper.pauses_s == []


def test_pauses_grow_and_end(target: Path, patience: Patience, sleeper: Sleeper) -> None:
    with (
        flaky.serving(BODY, *[flaky.status(500)] * 3) as server,
        pytest.raises(ArtifactError, match="HTTP 500; given up after 3 attempts without progress"),
    ):
        download.fetch(Remote(server.url()), target, patience=patience)
    assert sleeper.pauses_s == [1, 2]


def test_a_file_that_changes_at_every_request_ends_as_an_error(target: Path, patience: Patience) -> None:
    def moody(handler: flaky.Handler) -> None:
        handler.served.etag = f'"v{len(handler.served.requests)}"'
        flaky.good(handler, upto=1000)

    with flaky.serving(BODY, *[moody] * 20) as server, pytest.raises(ArtifactError, match="given up"):
        download.fetch(Remote(server.url()), target, patience=patience)


def test_nobody_listening_is_an_error_with_the_address(target: Path, patience: Patience) -> None:
    with flaky.serving(BODY) as server:
        url = server.url()
    with pytest.raises(ArtifactError, match="no answer"):
        download.fetch(Remote(url), target, patience=patience)


def test_a_full_disk_is_seen_before_the_body_is_read(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 1000))
    with (
        flaky.serving(BODY) as server,
        pytest.raises(EnvironmentProblem, match=r"file.bin takes [\d.]+ kB and .* has 1.0 kB free"),
    ):
        download.fetch(Remote(server.url()), target)
    assert target.with_name(".file.bin.part").stat().st_size == 0


def test_progress_tells_share_pace_and_time_to_go(target: Path) -> None:
    seen: list[DownloadProgress] = []
    clock = iter(range(10_000))
    patience = Patience(report_every_s=0.5, now=lambda: float(next(clock)))
    with flaky.serving(BODY) as server:
        download.fetch(Remote(server.url()), target, seen.append, patience)
    assert seen[-1].done_bytes == seen[-1].total_bytes == len(BODY)
    assert seen[-1].eta_s == 0
    assert str(DownloadProgress("w", 25_000_000, 100_000_000, 2.5e6)) == "w: 25.0 MB of 100.0 MB, 30 s to go"


def test_two_who_want_the_same_file_fetch_it_once(target: Path) -> None:
    with flaky.serving(BODY) as server:
        remote = Remote(server.url(), sha256=SHA256)
        both = [threading.Thread(target=download.fetch, args=(remote, target)) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join(10)
        assert len(server.requests) == 1
    assert left_over(target) == []


def test_other_schemes_are_not_addresses(target: Path) -> None:
    with pytest.raises(ArtifactError, match="is not an address"):
        download.fetch(Remote("ftp://example.org/x"), target)


def says(status: int, body: bytes, **headers: str) -> flaky.Behaviour:
    """An answer of exactly these headers and bytes."""

    def behave(handler: flaky.Handler) -> None:
        handler.head(status, **headers)
        handler.wfile.write(body)

    return behave


@pytest.mark.parametrize(
    "again",
    [
        says(206, BODY[900:], Content_Range=f"bytes 1000-{len(BODY) - 1}/{len(BODY)}", ETag='"v1"'),
        says(
            206, BODY[1000:] + b"more", Content_Range=f"bytes 1000-{len(BODY) - 1}/{len(BODY)}", ETag='"v1"'
        ),
        says(206, BODY[1000:], Content_Range="bytes 1000-9/10", ETag='"v1"'),
        says(206, BODY[1000:], Content_Range=f"bytes 1000-{len(BODY)}/{len(BODY) + 1}", ETag='"v1"'),
        says(206, b"other" + BODY[1005:], Content_Range=f"bytes 1000-{len(BODY) - 1}/{len(BODY)}"),
        says(206, BODY[1000:], Content_Range="bytes ²-3/4", ETag='"v1"'),
    ],
)
def test_an_answer_that_does_not_go_on_where_the_bytes_end_is_dropped(
    target: Path, patience: Patience, again: flaky.Behaviour
) -> None:
    with flaky.serving(BODY, flaky.truncated(1000), again) as server:
        download.fetch(Remote(server.url()), target, patience=patience)
    assert target.read_bytes() == BODY
    assert left_over(target) == []


def test_more_bytes_than_are_expected_are_never_the_file(target: Path, patience: Patience) -> None:
    script = [says(200, BODY + b"more")] * 9
    with (
        flaky.serving(BODY, *script) as server,
        pytest.raises(ArtifactError, match="more came than the 256000 bytes"),
    ):
        download.fetch(Remote(server.url(), size_bytes=len(BODY)), target, patience=patience)
    assert not target.exists()


def test_a_date_of_the_very_second_tells_no_two_versions_apart(target: Path, patience: Patience) -> None:
    now = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=5), usegmt=True)
    cut = says(200, b"old" + BODY[3:1000], Last_Modified=now, Content_Length=str(len(BODY)))
    with flaky.serving(BODY, cut) as server:
        download.fetch(Remote(server.url()), target, patience=patience)
        assert [request.get("Range") for request in server.requests] == [None, None]
    assert target.read_bytes() == BODY


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Length": "²"},
        {"Content_Length": "9" * 5000},
        {"Content_Length": "-1"},
        {"Content_Range": "bytes ٣-4/5"},
        {"ETag": '"\x01"', "Last_Modified": "Mon, 99 Foo 99999999999999999999 99:99:99 GMT"},
        {"Last_Modified": "1"},
    ],
)
def test_no_header_of_a_server_ends_in_anything_but_the_file_or_an_error(
    target: Path, patience: Patience, headers: dict[str, str]
) -> None:
    with flaky.serving(BODY) as server:
        server.script += [lambda handler: raw_head(handler, headers)] * 9
        try:
            download.fetch(Remote(server.url()), target, patience=patience)
        except ArtifactError:
            assert not target.exists()
        else:
            assert target.read_bytes() == BODY


def raw_head(handler: flaky.Handler, headers: dict[str, str]) -> None:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    handler.wfile.write("\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode())
    handler.wfile.write(BODY)


@pytest.mark.parametrize(
    "after", ["²", "9" * 5000, "Mon, 01 Jan 99999 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 +9999", "soon"]
)
def test_a_pause_that_makes_no_sense_is_not_kept(
    target: Path, patience: Patience, sleeper: Sleeper, after: str
) -> None:
    def busy(handler: flaky.Handler) -> None:
        handler.wfile.write(
            f"HTTP/1.1 503 Busy\r\nRetry-After: {after}\r\nContent-Length: 0\r\n\r\n".encode()
        )

    with flaky.serving(BODY, busy) as server:
        download.fetch(Remote(server.url()), target, patience=patience)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize(
    "answer",
    [says(204, b""), says(200, b"x", Content_Encoding="gzip"), says(302, b"", Location="http://[::1/x")],
)
def test_an_answer_that_is_not_the_file_is_refused(target: Path, answer: flaky.Behaviour) -> None:
    with flaky.serving(BODY, answer) as server, pytest.raises(ArtifactError):
        download.fetch(Remote(server.url()), target)
    assert not target.exists()


def test_errors_show_an_address_without_its_password_and_signature(target: Path) -> None:
    with flaky.serving(BODY, flaky.status(404)) as server:
        url = server.url("/f?sig=geheim").replace("//", "//me:geheim@")
        with pytest.raises(ArtifactError) as caught:
            download.fetch(Remote(url), target)
    assert "geheim" not in str(caught.value)
