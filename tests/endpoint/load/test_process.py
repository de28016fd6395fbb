from __future__ import annotations

import dataclasses

import msgspec

from assay.endpoint.exchange import ClientLimits
from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.endpoint.load.drive import LoadShare
from assay.endpoint.load.process import LevelShare, LoadSetting, drive_of
from assay.endpoint.load.timing import LoadedRequest
from tests.endpoint.load.test_drive import closed, ignore, prompts
from tests.mock_server import mock

ROW = LoadedRequest(
    0, 3, 1, 2, ((5, 1), (9, 2)), 9, 64, None, "http://a", EndpointFailure(FailureKind.CUT, "x", 3)
)


def test_what_crosses_comes_out_as_it_went_in() -> None:
    setting = LoadSetting(
        "vllm", ("http://a",), "s3cret", prompts(), 1.5, 7, ClientLimits(), LoadShare(1, 2, "00ff")
    )
    for value in (setting, LevelShare(closed(3), 17), [ROW, dataclasses.replace(ROW, failure=None)]):
        kind = list[LoadedRequest] if isinstance(value, list) else type(value)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=kind) == value
    assert "s3cret" not in repr(setting)


def test_a_process_begins_at_the_time_that_holds_for_all() -> None:
    with mock() as server:
        url = server.text
        limits = ClientLimits(in_flight=4)
        drive = drive_of(
            LoadSetting("vllm", (url,), None, prompts(), 0.2, 1, limits, LoadShare(1, 2, "0a0b"))
        )
        rows = drive.run(closed(2), ignore)
        late = drive.run(closed(2), ignore, start_ns=1)
    assert rows and all(row.failure is None for row in rows)
    assert late and min(row.sent_ns for row in late) > 1e9  # its clock began long before
