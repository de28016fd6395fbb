from __future__ import annotations

import pytest

from assay.ground import remote_size
from assay.ground.download import Remote
from assay.ground.errors import ArtifactError
from assay.ground.hub import Hub
from assay.mlperf.workloads import artifact
from tests.ground import flaky_server as flaky


def test_the_size_is_asked_and_nothing_is_fetched() -> None:
    with flaky.serving(b"x" * 1234) as server:
        assert remote_size.of(Remote(server.url("/rows.pkl"), token="secret")) == 1234
    assert server.methods == ["HEAD"] and server.requests[0]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("code", [403, 405, 501])
def test_a_server_that_forbids_the_question_leaves_the_size_unknown(code: int) -> None:
    with flaky.serving(b"", flaky.status(code)) as server:
        assert remote_size.of(Remote(server.url())) is None


def test_a_file_that_is_not_there_or_a_server_that_is_away_is_told() -> None:
    with flaky.serving(b"", flaky.status(404)) as server, pytest.raises(ArtifactError, match="HTTP 404"):
        remote_size.of(Remote(server.url("/a?X-Amz-Signature=hush")))
    with pytest.raises(ArtifactError, match="no answer") as raised:
        remote_size.of(Remote(server.url("/a?X-Amz-Signature=hush")))
    assert "hush" not in raised.value.message


def test_a_folder_at_an_address_is_as_large_as_its_files() -> None:
    with flaky.serving() as server:
        server.files |= {
            "/metadata/model.uri": server.url("/model").encode(),
            "/metadata/model.md5": f"{'0' * 32}  a.bin\n{'1' * 32}  b.bin\n".encode(),
            "/model/a.bin": b"a" * 70,
            "/model/b.bin": b"b" * 30,
        }
        assert artifact.listed_size(server.url("/metadata/model.uri"), Hub()) == 100
        assert artifact.listed_size(server.url("/model/a.bin"), Hub()) == 70
