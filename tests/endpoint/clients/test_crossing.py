from __future__ import annotations

import random

import msgspec

from assay.endpoint.audit import AnswerTerms
from assay.endpoint.clients.crossing import (
    CAME,
    ORDERS_IN,
    SETTING,
    Came,
    ClientSetting,
    EndedStream,
    FrameKind,
    FrameReader,
    WrittenQuestion,
    frame,
    packed,
)
from assay.endpoint.exchange import ClientLimits

TERMS = AnswerTerms((1, 2, 70_000), (13,), 2, 32, (2, 9))


def test_frames_come_whole_wherever_the_stream_is_cut() -> None:
    sent = [frame(FrameKind.CAME, Came([(n, 5, 10**18)], [], [])) for n in range(20)] + [
        frame(FrameKind.HANDS_OVER, True)
    ]
    stream, draw = b"".join(sent), random.Random(3)
    for _ in range(20):
        cuts = sorted(draw.sample(range(len(stream)), 12))
        reader = FrameReader()
        got = [f for a, b in zip([0, *cuts], [*cuts, len(stream)]) for f in reader.feed(stream[a:b])]
        assert [kind for kind, _ in got] == [FrameKind.CAME] * 20 + [FrameKind.HANDS_OVER]
        assert [CAME.decode(value).firsts for _, value in got[:-1]] == [[(n, 5, 10**18)] for n in range(20)]


def test_a_question_that_was_written_beforehand_is_the_one_that_arrives() -> None:
    question = WrittenQuestion(b'{"prompt": [1]}', TERMS)
    orders = frame(FrameKind.ORDERS, [(7, 123, msgspec.Raw(packed(question)))])
    ((kind, value),) = FrameReader().feed(orders)
    assert kind is FrameKind.ORDERS and ORDERS_IN.decode(value) == [(7, 123, question)]


def test_a_setting_and_an_end_cross_unchanged() -> None:
    setting = ClientSetting("vllm", ("http://a:1",), "token", ClientLimits(in_flight=3))
    assert SETTING.decode(packed(setting)) == setting
    ended = EndedStream(2**40, "http://a:1", 1, 2, 3, 4, True, 5, ("http://b:1",), None, "CUT", "gone")
    assert CAME.decode(packed(Came([], [(1, [2, 3])], [ended]))).ended == [ended]
