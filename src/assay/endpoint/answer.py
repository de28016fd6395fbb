"""One answer, gathered from its events. Pure: bytes and times in, tokens and failure out."""

from __future__ import annotations

from collections.abc import Sequence

from assay.endpoint.api import Api
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.event_limit import EventTooLong
from assay.endpoint.failure import EndpointFailure, FailureKind, refusal
from assay.endpoint.framing import splitter
from assay.endpoint.http_response import BadResponse, HttpResponse
from assay.endpoint.tier import Tier

MOST_REFUSAL_BYTES = 65_536
DETAIL_CHARS = 500


class AnswerStream:
    """The part of one answer that has arrived. `stop`: generation ends once the last ids are these; () = never."""

    def __init__(self, api: Api, stop: Sequence[int] = ()) -> None:
        self._splitter, self._reader, self._stop = splitter(api.framing), api.reader(), list(stop)
        self._refusal = bytearray()
        self.http = HttpResponse()
        self.has_bytes = False
        self.ids: list[int] = []
        self._keeps_text = api.tier is Tier.C
        self.texts: list[str] = []
        """The pieces of an answer whose API gives no ids."""
        self.prompt_ids: tuple[int, ...] | None = None
        self.finish: Finish | None = None
        self.usage = Usage()
        self.failure: EndpointFailure | None = None
        self.is_cut = False
        """The stop sequence has arrived; later events of the server are ignored."""
        self.first_chunk_tokens = 0
        self.chunks_ns: list[int] = []
        """Arrival of each event with tokens, on the clock of `feed`."""
        self.last_token_ns = 0
        """Arrival of the last token, on the clock of `feed`."""

    @property
    def is_whole(self) -> bool:
        """All tokens have arrived; the server's counts may still follow."""
        return self.finish is not None or self.http.is_whole

    def feed(self, data: bytes, arrived_ns: int) -> None:
        """Reads one event. Raises nothing: a fault is put into `failure`, and the first one stays."""
        self.has_bytes = True
        try:
            body = self.http.feed(data)
        except BadResponse as error:
            return self.fail(FailureKind.DAMAGED, str(error))
        if self.http.status is None:
            return None
        if self.http.status != 200:
            self._refusal += body[: MOST_REFUSAL_BYTES - len(self._refusal)]
            if self.http.is_whole:
                self._refused(self.http.status)
            return None
        self._read(body, arrived_ns)
        if self.http.is_whole:
            self._end("the stream ended without a reason to stop")
        return None

    def lost(self, why: str) -> None:
        """The connection has closed."""
        self.http.close()
        if self.http.status not in (None, 200):
            self._refused(self.http.status or 0)
        elif not self.has_bytes:
            self.fail(FailureKind.CONNECT, why)
        else:
            self._end(why)

    def fail(self, kind: FailureKind, detail: str) -> None:
        if self.failure is None:
            self.failure = EndpointFailure(kind, detail[:DETAIL_CHARS], len(self.ids))

    def _read(self, body: bytes | None, arrived_ns: int) -> None:
        """`body` None = the stream has ended."""
        try:
            events = self._splitter.close() if body is None else self._splitter.feed(body)
        except EventTooLong as error:
            return self.fail(FailureKind.DAMAGED, str(error))
        read, take = self._reader.feed, self._take
        for event in events:
            if self.failure is not None or self.is_cut:
                break
            take(read(event), arrived_ns)
        return None

    def _end(self, why: str) -> None:
        self._read(None, self.last_token_ns)
        is_enough = self.finish is not None or (self.http.is_whole and self._is_counted())
        if not is_enough:
            self.fail(FailureKind.CUT, why)

    def _take(self, delta: Delta, arrived_ns: int) -> None:
        """Called for every token, so what most events lack is only looked for."""
        if delta.failure is not None:
            return self.fail(delta.failure.kind, delta.failure.detail)
        if delta.ids and self.finish is None:
            before = len(self.ids)
            self.ids += delta.ids
            self.chunks_ns.append(arrived_ns)
            self.last_token_ns = arrived_ns
            if not before:
                self.first_chunk_tokens = len(delta.ids)
            if self._stop and self._cut_after(before):
                self.finish, self.is_cut = Finish.STOP, True
                return None
        if self._keeps_text and delta.text:
            self.texts.append(delta.text)
            self.last_token_ns = arrived_ns
        if delta.prompt_ids is not None:
            self.prompt_ids = self.prompt_ids or delta.prompt_ids
        if delta.usage is not None:
            self.usage = delta.usage
        if delta.finish is not None:
            self.finish = self.finish or delta.finish
            if delta.finish is Finish.ABORT:
                self.fail(FailureKind.ABORTED, "the server says: aborted")
        return None

    def _cut_after(self, before: int) -> bool:
        """Whether the ids from index `before` on complete the stop sequence. Ids behind it are dropped."""
        width = len(self._stop)
        for end in range(max(width, before + 1), len(self.ids) + 1):
            if self.ids[end - width : end] == self._stop:
                del self.ids[end:]
                return True
        return False

    def _is_counted(self) -> bool:
        """Whether the answer is whole by the server's own count. Some servers give no finish reason."""
        if self._keeps_text:
            return bool(self.texts) and self.usage.completion_tokens is not None
        return bool(self.ids) and self.usage.completion_tokens == len(self.ids)

    def _refused(self, status: int) -> None:
        said = refusal(status, " ".join(self._refusal.decode("utf-8", "replace").split()))
        self.fail(said.kind, said.detail)
