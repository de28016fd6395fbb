"""requests.parquet: a row for each query and mode of a run, from which its latencies can be computed again.

docs/requests.md describes every column and where it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay.config import Mode, Scenario
from assay.ground import files
from assay.ground.errors import ArtifactError
from assay.mlperf import logs
from assay.mlperf.data.sample import Sample
from assay.mlperf.logs import RunRecord
from assay.mlperf.record.definitions import TokenColumns
from assay.mlperf.rounds.target import Score
from assay.mlperf.run import request_times
from assay.mlperf.run.journal import KeptAnswer
from assay.mlperf.run.request_times import RequestTimes
from assay.mlperf.run.run_spec import RunSpec

SCHEMA_VERSION = 1
VERSION_KEY = b"assay.requests.schema"
SCORE_PREFIX = "score."
WHY_PREFIX = "why."
NS_PER_MS, NS_PER_S = 1e6, 1e9
SHUFFLED = frozenset({"sample_index", "prompt_tokens", "answer_tokens"})
"""Samples come in any order: to compress these takes as long as all else, for a third of the bytes of the file."""
WRITTEN_AT_ONCE = 1 << 16
"""Rows; pyarrow's 1,024 cost a tenth more time, and more than these gain nothing."""
WORDS = ("scenario", "mode", "subset", "endpoint", "status", "verdict")
NUMBERS = (
    *("query", "sample_index", "prompt_tokens", "answer_tokens"),
    *("scheduled_ns", "issued_ns", "first_token_ns", "end_ns"),
)
"""With WORDS the columns of every row; others may stand beside them."""


def table(spec: RunSpec, times: RequestTimes, logged: RunRecord, samples: Sequence[Sample]) -> pa.Table:
    """The rows of one LoadGen run, in the order in which LoadGen issued its queries; not scored yet."""
    scheduled = _scheduled_ns(spec, len(times.end_ns))
    return _table(spec, times, scheduled, _start_ns(times, logged, scheduled), samples)


def _table(
    spec: RunSpec,
    times: RequestTimes,
    scheduled: NDArray[np.int64] | None,
    start: int,
    samples: Sequence[Sample],
) -> pa.Table:
    count, index = len(times.end_ns), times.sample_index
    arrived = {} if times.arrived_ns is None else {"arrived_ns": _known(times.arrived_ns, start)}
    subsets = {name: code for code, name in enumerate(dict.fromkeys(sample.subset for sample in samples))}
    codes = np.array([subsets[sample.subset] for sample in samples], np.int8)
    prompts = np.array([len(sample.prompt_ids) for sample in samples], np.int32)
    names, first_ns = _words([*subsets]), times.first_ns
    return pa.table(
        {
            "scenario": _word(spec.scenario.value, count),
            "mode": _word(spec.mode.value, count),
            "query": _pieces(count, lambda some: _column(np.arange(some.start, some.stop, dtype=np.int32))),
            "sample_index": _column(index),
            "subset": _pieces(count, lambda some: _coded(codes[index[some]], names)),
            "prompt_tokens": _pieces(count, lambda some: _column(prompts[index[some]])),
            "answer_tokens": _column(times.tokens),
            "scheduled_ns": _numbers(scheduled, count),
            "issued_ns": _pieces(count, lambda some: _column(times.issued_ns[some] - start)),
            "first_token_ns": _nulls(pa.int64(), count)
            if first_ns is None
            else _pieces(count, lambda some: _column(first_ns[some] - start)),
            **arrived,
            "end_ns": _pieces(count, lambda some: _column(times.end_ns[some] - start)),
            "endpoint": _no_words(count),
            "status": _word("answered", count),
            "verdict": _no_words(count),
        }
    )


def kept_rows(spec: RunSpec, answers: Sequence[KeptAnswer], samples: Sequence[Sample]) -> pa.Table:
    """The rows of answers that an earlier process had kept: of another clock, so without times."""
    index = np.array([answer.sample_index for answer in answers], np.int32)
    lengths = np.array([len(answer.token_ids) for answer in answers], np.int32)
    nothing = np.zeros(len(answers), np.int64)
    rows = _table(spec, RequestTimes(index, nothing, nothing, nothing, lengths), nothing, 0, samples)
    for name in ("scheduled_ns", "issued_ns", "first_token_ns", "end_ns"):
        rows = rows.set_column(rows.column_names.index(name), name, _numbers(None, len(rows)))
    query = pa.array(np.arange(spec.samples - len(answers), spec.samples, dtype=np.int32))
    rows = rows.set_column(rows.column_names.index("query"), "query", query)
    return rows.set_column(rows.column_names.index("status"), "status", _word("kept", len(rows)))


def of_run(rows: pa.Table, scenario: Scenario, mode: Mode) -> pa.Table:
    """The rows of one LoadGen run of a file that holds several."""
    import pyarrow.compute as pc  # takes as long as all else of pyarrow, and a plain run has no use for it

    is_own = pc.and_(pc.equal(rows["scenario"], scenario.value), pc.equal(rows["mode"], mode.value))
    return rows.filter(is_own)


def tpot_ns(rows: pa.Table) -> NDArray[np.float64]:
    """Time per output token of each row in ns: (end - first token) / (tokens - 1). NaN for an answer of fewer than two
    tokens, and where the first token is not known. Source: LoadGen, TPOT."""
    first, end, tokens = (
        np.asarray(rows[name].to_numpy(zero_copy_only=False), np.float64)
        for name in ("first_token_ns", "end_ns", "answer_tokens")
    )
    found: NDArray[np.float64] = np.full(len(end), np.nan)
    np.divide(end - first, tokens - 1, out=found, where=tokens > 1)
    return found


def token_columns(rows: pa.Table) -> TokenColumns | None:
    """The times of one run for `record.definitions`: sent is when LoadGen handed a query over. None where first
    tokens or the plan are not known."""
    if not len(rows) or rows["first_token_ns"].null_count or rows["scheduled_ns"].null_count:
        return None
    names = ("scheduled_ns", "issued_ns", "first_token_ns", "end_ns")
    scheduled, issued, first, end = (rows[name].to_numpy().astype(np.float64) / NS_PER_S for name in names)
    return TokenColumns(scheduled, issued, first, end, rows["answer_tokens"].to_numpy().astype(np.int64))


def with_scores(rows: pa.Table, scores: Sequence[Score], verdicts_of: Collection[str]) -> pa.Table:
    """The rows of an accuracy run with each answer's own scores, and its verdict by the metrics `verdicts_of`: wrong
    where one of them says so."""
    index = rows["sample_index"].to_numpy()
    verdicts = np.full(len(index), None, object)
    for score in scores:
        if not score.by_sample:
            continue
        values = np.array([score.by_sample.get(int(sample), np.nan) for sample in index])
        rows = rows.append_column(f"{SCORE_PREFIX}{score.metric}", pa.array(values, from_pandas=True))
        if score.why:
            said = [score.why.get(int(sample)) for sample in index]
            rows = rows.append_column(f"{WHY_PREFIX}{score.metric}", pa.array(said, pa.string()))
        if score.metric in verdicts_of:
            verdicts[(values > 0) & (verdicts != "wrong")] = "right"
            verdicts[values <= 0] = "wrong"
    place = rows.column_names.index("verdict")
    return rows.set_column(place, "verdict", pa.array(verdicts.tolist(), pa.string()))


def write(path: Path, runs: Sequence[pa.Table]) -> None:
    """All runs in one file, whole or not at all. Raises: EnvironmentProblem when the disk is full."""
    whole = pa.concat_tables(runs, promote_options="default")
    # A column that may have nulls takes a level for each row, which costs as much as its values.
    fields = [field.with_nullable(bool(whole[field.name].null_count)) for field in whole.schema]
    whole = pa.Table.from_arrays(whole.columns, schema=pa.schema(fields, {VERSION_KEY: str(SCHEMA_VERSION)}))
    with files.staged(path) as part:
        pq.write_table(
            whole,
            part,
            compression={name: "none" if name in SHUFFLED else "lz4" for name in whole.column_names},
            use_dictionary=[field.name for field in fields if pa.types.is_dictionary(field.type)],
            column_encoding={"query": "DELTA_BINARY_PACKED"},
            write_statistics=False,
            write_batch_size=WRITTEN_AT_ONCE,
        )


def read(path: Path) -> pa.Table:
    """Raises: ArtifactError for what is no requests.parquet, or one of a newer schema."""
    try:
        found = pq.read_table(path)
        version = int((found.schema.metadata or {})[VERSION_KEY])
        if version <= SCHEMA_VERSION:
            _refuse_other_columns(found.schema)
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise ArtifactError(f"{path} is no table of requests: {error}", "run the benchmark again") from error
    if version > SCHEMA_VERSION:
        raise ArtifactError(
            f"{path} has schema version {version}, this Assay reads {SCHEMA_VERSION} and older",
            "read it with the Assay that wrote it, or a newer one",
        )
    return found


def _refuse_other_columns(schema: pa.Schema) -> None:
    """Raises: KeyError for a column that is not there; TypeError for one of another kind."""
    for names, is_wanted in ((WORDS, _is_text), (NUMBERS, pa.types.is_integer)):
        for name in names:
            if not is_wanted(kind := schema.field(name).type):
                raise TypeError(f"column {name} holds {kind}")


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _word(word: str, count: int) -> pa.ChunkedArray:
    return _repeated(_coded(np.zeros(min(count, WRITTEN_AT_ONCE), np.int8), _words([word])), count)


def _coded(codes: NDArray[np.int8], words: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(_column(codes), words, safe=False)


def _words(words: Sequence[str]) -> pa.Array:
    """As `_column`."""
    texts = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))


def _column(values: NDArray[Any]) -> pa.Array:
    """The same memory. `pa.array` would import pandas to see whether this is one of its own: a fifth of a second."""
    whole = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(whole.dtype), len(whole), [None, pa.py_buffer(whole)])


def _numbers(values: NDArray[np.int64] | None, count: int) -> pa.Array | pa.ChunkedArray:
    """None = as many nulls."""
    return _nulls(pa.int64(), count) if values is None else _column(values)


def _known(arrived_ns: NDArray[np.int64], start: int) -> pa.Array:
    """Null for 0."""
    valid = pa.py_buffer(np.packbits(arrived_ns > 0, bitorder="little"))
    return pa.Array.from_buffers(pa.int64(), len(arrived_ns), [valid, pa.py_buffer(arrived_ns - start)])


def _no_words(count: int) -> pa.ChunkedArray:
    return _nulls(pa.string(), count)


def _nulls(kind: pa.DataType, count: int) -> pa.ChunkedArray:
    return _repeated(pa.nulls(min(count, WRITTEN_AT_ONCE), kind), count)


def _repeated(piece: pa.Array, count: int) -> pa.ChunkedArray:
    """`count` rows of a piece whose rows are all alike: the same memory again and again."""
    whole, rest = divmod(count, WRITTEN_AT_ONCE)
    return pa.chunked_array([*[piece] * whole, piece.slice(0, rest)], piece.type)


def _pieces(count: int, made: Callable[[slice], pa.Array]) -> pa.ChunkedArray:
    """A column made piece by piece: what is needed on the way stays small. To touch new memory takes longer than all
    else here, most of all in the large pages that numpy asks for from 4 MiB on."""
    starts = range(0, max(count, 1), WRITTEN_AT_ONCE)
    return pa.chunked_array([made(slice(at, min(at + WRITTEN_AT_ONCE, count))) for at in starts])


def _scheduled_ns(spec: RunSpec, count: int) -> NDArray[np.int64] | None:
    """When LoadGen planned each query; None where its log says that it planned otherwise than is known here, and
    where each query waits for the one before it."""
    if spec.scenario.is_one_by_one:
        return None
    if not spec.scenario.is_paced:
        return np.zeros(count, np.int64)
    planned = request_times.server_schedule_ns(spec.seeds, spec.target_qps, count)
    said = logs.read_detail(spec.out / logs.DETAIL_FILE).number("generated_query_duration")
    return planned[:-1] if planned[-1] == said else None


def _start_ns(times: RequestTimes, logged: RunRecord, scheduled: NDArray[np.int64] | None) -> int:
    """LoadGen's start on the clock of `times`. Where LoadGen tells its longest latency, that query tells the start;
    elsewhere it is as late as it can be: no query is issued before it was planned."""
    longest = logged.latencies.get("latency")
    if longest is not None and scheduled is not None:
        return int(_since(times.end_ns, scheduled).max()) - round(longest.max_ms * NS_PER_MS)
    return int(_since(times.issued_ns, scheduled).min())


def _since(times_ns: NDArray[np.int64], scheduled: NDArray[np.int64] | None) -> NDArray[np.int64]:
    return times_ns - scheduled if scheduled is not None and scheduled.any() else times_ns
