"""The bytes of an answer, made once per request body and kept, so that a repeated request costs a look-up."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from assay.endpoint.api import Framing
from assay.endpoint.apis import APIS
from assay.endpoint.mock.ask import MockAsk
from assay.endpoint.mock.forms import MockTokens, Payload, payloads
from assay.endpoint.mock.script import FaultKind, LineEnd, MockFault, MockScript

_ENDS = {LineEnd.LF: b"\n", LineEnd.CRLF: b"\r\n", LineEnd.CR: b"\r"}
_FIRST_ID, _END_ID = 3, 1506
"""Between them lie the ids of answers: every workload's vocabulary has them, also that of mixtral-nano."""
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Piece:
    """One write to the socket: a chunk of HTTP's chunked coding."""

    data: bytes
    tokens: int
    """Number of tokens of the answer, up to and including this piece."""


@dataclass(frozen=True)
class MockAnswer:
    pieces: tuple[Piece, ...]
    tokens: int
    rest: bytes
    """All pieces after the first one, joined; used for answers without pace."""


def answer_to(ask: MockAsk, script: MockScript, cached: int, fault: MockFault | None) -> MockAnswer:
    """The whole answer. A fault that breaks it off is played by the connection."""
    said = _said(ask, script, cached, fault)
    events = list(payloads(script, ask, said))
    done = script.done and script.api not in ("tgi", "llamacpp", "ollama")
    if fault and fault.kind in (FaultKind.ERROR_EVENT, FaultKind.DAMAGED):
        bad = b'{"error":{"message":"scripted","code":500}}'
        kept = [event for event in events if event.tokens <= fault.after]
        events = [*kept, Payload(bad if fault.kind is FaultKind.ERROR_EVENT else b'{"cho', fault.after)]
    if done:
        events.append(Payload(b"[DONE]", len(said.ids)))
    pack = _packer(script)
    pieces = tuple(piece for event in events for piece in _pieces(event, script, pack))
    return MockAnswer(pieces, len(said.ids), b"".join(piece.data for piece in pieces[1:]))


def _said(ask: MockAsk, script: MockScript, cached: int, fault: MockFault | None) -> MockTokens:
    kind = fault.kind if fault else None
    natural = script.tokens or ask.max_tokens
    if fault and kind is FaultKind.SHORT:
        natural = fault.after
    elif ask.ignore_eos:
        natural = ask.max_tokens
    elif script.honours_min_tokens:
        natural = max(natural, ask.min_tokens)
    ends = natural < ask.max_tokens
    ids = _ids(ask, script, min(natural, ask.max_tokens))
    if ends and ids and script.api != "llamacpp":
        ids = (*ids[:-1], script.eos)
    if kind is FaultKind.BAD_ID:
        ids = tuple(script.vocabulary + one for one in ids)
    if (at := _stop(ids, ask, script)) is not None:
        ids, ends = ids[: at + 1], True
    finish = "abort" if kind is FaultKind.ABORT else "stop" if ends else "length"
    prompt = len(ask.prompt_ids) + (kind is FaultKind.WRONG_PROMPT)
    return MockTokens(ids, finish, len(ids) + (kind is FaultKind.WRONG_USAGE), cached, prompt)


def _ids(ask: MockAsk, script: MockScript, count: int) -> tuple[int, ...]:
    """The ids of an answer: always the same for one seed and prompt, whatever the length; without special ids."""
    seed = f"{script.seed}:{zlib.crc32(repr(ask.prompt_ids).encode())}"
    draw, end = random.Random(seed), min(script.vocabulary, _END_ID)
    return tuple(draw.randrange(_FIRST_ID, end) for _ in range(count))


def _stop(ids: tuple[int, ...], ask: MockAsk, script: MockScript) -> int | None:
    """Position of the first stop id that counts. Within the minimum none does."""
    least = ask.min_tokens if script.honours_min_tokens else 0
    return next((at for at, one in enumerate(ids) if one in ask.stop_ids and at >= least), None)


def _packer(script: MockScript) -> Callable[[bytes], bytes]:
    """Of the events of one answer, in their order: as they are, or as one gzip stream that is flushed after each."""
    if not script.gzip:
        return bytes
    packer = zlib.compressobj(wbits=31)
    return lambda event: packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH)


def _pieces(event: Payload, script: MockScript, pack: Callable[[bytes], bytes]) -> list[Piece]:
    end = _ENDS[script.line_end]
    if APIS[script.api].framing is Framing.JSON_LINES:
        framed = event.data + b"\n"
    else:
        comment = b": mock" + end + end if script.comments else b""
        framed = comment + b"data: " + event.data + end + end
    framed = pack(framed)
    size = script.split_bytes or len(framed)
    parts = [framed[at : at + size] for at in range(0, len(framed), size)]
    return [Piece(b"%x\r\n%b\r\n" % (len(part), part), event.tokens) for part in parts]
