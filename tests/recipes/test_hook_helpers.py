"""What hooks ask of the automation `utils`: truth, downloads, archives, commands."""

from __future__ import annotations

import http.server
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract import helpers


@pytest.mark.parametrize(
    ("value", "is_true", "is_false"),
    [
        ("Yes", True, False),
        (1, True, False),
        ("off", False, True),
        (0, False, True),
        ("", False, False),
        (None, False, False),
    ],
)
def test_a_value_may_be_neither_true_nor_false(value: Any, is_true: bool, is_false: bool) -> None:
    assert (helpers.is_true(value), helpers.is_false(value)) == (is_true, is_false)


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if "gone" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", "9" if "short" in self.path else "5")
        self.end_headers()
        self.wfile.write(b"12345")

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("filename", "place"),
    [(None, "model.bin"), ("other.bin", "other.bin"), ("deep/other.bin", "deep/other.bin")],
)
def test_a_file_arrives_whole_under_its_name(
    filename: str | None, place: str, address: str, tmp_path: Path
) -> None:
    asked = {"url": f"{address}/a/model.bin?sig=x", "path": str(tmp_path), "filename": filename}
    answer = helpers.download_file(asked)
    assert answer == {"return": 0, "filename": Path(place).name, "path": str(tmp_path / place), "size": 5}
    assert (tmp_path / place).read_bytes() == b"12345"


@pytest.mark.parametrize(("path", "words"), [("gone", "cannot download"), ("short", "")])
def test_a_file_that_does_not_arrive_whole_is_not_there(
    path: str, words: str, address: str, tmp_path: Path
) -> None:
    answer = helpers.download_file({"url": f"{address}/{path}?sig=secret", "path": str(tmp_path)})
    assert answer["return"] == 1
    assert words in answer["error"] and "secret" not in answer["error"]
    assert not (tmp_path / path).exists()


@pytest.mark.parametrize("url", ["no address", "http://[", "ftp://127.0.0.1:1/x", "http://127.0.0.1:1/x"])
def test_an_address_that_leads_nowhere_is_an_error_not_an_exception(url: str, tmp_path: Path) -> None:
    assert helpers.download_file({"url": url, "filename": "f", "path": str(tmp_path)})["return"] == 1


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "STALL_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the connection is made, and nothing answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/f"
        answer = helpers.download_file({"url": url, "path": str(tmp_path)})
    assert answer["return"] == 1 and "timed out" in answer["error"]


def test_an_archive_is_unpacked_without_its_first_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("top/inner/file", "x")
    asked = {"filename": str(tmp_path / "a.zip"), "path": str(tmp_path / "out"), "strip_folders": 1}
    answer = helpers.unzip_file(asked)
    assert answer["return"] == 0
    assert (tmp_path / "out/inner/file").read_text() == "x"


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_what_is_no_archive_is_an_error(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    if content is not None:
        path.write_bytes(content)
    answer = helpers.unzip_file({"filename": str(path), "path": str(tmp_path / "out")})
    assert answer["return"] == 1 and answer["error"]


def test_a_command_gives_its_status_and_what_it_said(tmp_path: Path) -> None:
    answer = helpers.system({"cmd": "pwd; echo wrong >&2; exit 3", "path": str(tmp_path)})
    assert (answer["return"], answer["ret"]) == (0, 3)
    assert (answer["stdout"].strip(), answer["stderr"].strip()) == (str(tmp_path), "wrong")
    assert answer["std"] == f"{tmp_path}\nwrong"


def test_all_files_below_the_working_folder_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    (place / "sub").mkdir(parents=True)
    for name in ("b", "sub/a"):
        (place / name).write_text("")
    monkeypatch.chdir(place)
    assert helpers.list_files_recursively({})["files"] == f"{place}/b,{place}/sub/a"


def test_each_action_is_found_by_its_name() -> None:
    assert all(action.__name__ == name for name, action in helpers.ACTIONS.items())
    assert helpers.get_host_os_info()["info"]["platform"]
