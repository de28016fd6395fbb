"""What a pickle may and may not do to its reader."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data import dataframe_pickle
from assay.mlperf.data.dataset_file import read_columns, write_columns


class Gadget:
    """Pickles as a call of `function(*args)`."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = (function, args)

    def __reduce__(self) -> Any:
        return self.call


def opcodes(module: str, name: str) -> bytes:
    """A pickle that calls module.name('true'), spelled without importing it."""
    return f"c{module}\n{name}\n(S'true'\ntR.".encode()


@pytest.mark.parametrize(
    "gadget",
    [
        Gadget(os.system, "touch HACKED"),
        Gadget(eval, "open('HACKED', 'w')"),
        Gadget(exec, "open('HACKED', 'w')"),
        Gadget(subprocess.check_output, ["touch", "HACKED"]),
        Gadget(builtins.open, "HACKED", "w"),
        Gadget(__import__, "os"),
        [Gadget(os.mkdir, "HACKED")],
        {"_mgr": Gadget(os.putenv, "A", "B")},
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_runs_something_is_refused_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gadget: Any, protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "set.pkl"
    path.write_bytes(pickle.dumps(gadget, protocol))
    with pytest.raises(ArtifactError, match="refused: the pickle asks for"):
        dataframe_pickle.read(path.read_bytes(), path)
    assert not (tmp_path / "HACKED").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pandas", "read_pickle"),
        ("pandas.io.pickle", "read_pickle"),
        ("pandas.core.frame", "DataFrame.query"),
        ("numpy", "load"),
        ("numpy", "ndarray.tofile"),
        ("numpy.testing._private.utils", "runstring"),
        ("pyarrow.lib", "memory_map"),
        ("builtins", "getattr"),
        ("builtins", "slice.__class__"),
        ("copyreg", "_reconstructor"),
        ("functools", "partial"),
        ("operator", "attrgetter"),
    ],
)
def test_names_that_only_look_like_containers_are_refused(tmp_path: Path, module: str, name: str) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(opcodes(module, name))
    with pytest.raises(ArtifactError, match=f"asks for {module}.{name}"):
        dataframe_pickle.read(path.read_bytes(), path)


def test_a_dotted_name_of_protocol_4_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__base__\x93.")
    with pytest.raises(ArtifactError, match=r"asks for numpy\.dtype\.__base__"):
        dataframe_pickle.read(path.read_bytes(), path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a pickle",
        pickle.dumps([1, 2]),
        pickle.dumps(np.zeros(3)),
        b"cpandas\nDataFrame\n.",
        b"\x80\x04cpandas\nDataFrame\n)\x81}b.",
        b"cnumpy\ndtype\n(S'O'\ntR.",
        b"\x80\x04N.",
        b"\x80\x02(" * 10,
    ],
)
def test_anything_but_a_whole_dataframe_is_refused_without_a_traceback(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="no pickled DataFrame"):
        dataframe_pickle.read(path.read_bytes(), path)


def test_a_numpy_scalar_cannot_smuggle_an_object(tmp_path: Path) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(
        b"\x80\x04cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00O8\x85RC\x08AAAAAAAA\x86R."
    )
    with pytest.raises(ArtifactError, match="holds an object"):
        dataframe_pickle.read(path.read_bytes(), path)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("strings", ["object", "string[python]", "string[pyarrow]", "default"])
def test_every_kind_of_column_is_read_without_pandas(tmp_path: Path, strings: str, protocol: int) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"text": ["a", "été"], "ids": [[1, 2], [3]], "count": [2, 1], "number": [np.int64(4), np.int64(5)]}
    )
    if strings != "default":
        frame = frame.astype({"text": strings})
    frame.to_pickle(tmp_path / "set.pkl", protocol=protocol)
    assert dataframe_pickle.read((tmp_path / "set.pkl").read_bytes(), "set.pkl") == {
        "text": ["a", "été"],
        "ids": [[1, 2], [3]],
        "count": [2, 1],
        "number": [4, 5],
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    ("dtype", "given"),
    [
        ("category", ["a", "b", None, "a"]),
        ("category", [3, 4, 3, 4]),
        ("Int64", [1, 2, None, 3]),
        ("Int8", [1, 2, None, -3]),
        ("Float64", [1.5, None, 2.0, 3.0]),
        ("boolean", [True, None, False, True]),
        ("string[python]", ["x", None, "é", ""]),
        ("string[pyarrow]", ["x", None, "é", ""]),
        ("int64[pyarrow]", [1, None, 3, 4]),
        ("double[pyarrow]", [1.0, None, 3.0, 4.0]),
        ("bool[pyarrow]", [True, None, True, False]),
        ("object", [[1, 2], None, {"a": 1}, "x"]),
        ("float64", [1.0, None, 3.0, 4.0]),
        ("float32", [1.0, 2.0, 3.0, 4.0]),
        ("bool", [True, False, True, True]),
    ],
)
def test_every_dtype_that_holds_plain_values_is_read_and_a_missing_one_is_none(
    tmp_path: Path, dtype: str, given: list[Any], protocol: int
) -> None:
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "set.pkl"
    frame = pandas.DataFrame({"a": pandas.Series(given, dtype=dtype)})
    for part, expected in ((frame, given), (frame[2:], given[2:])):
        part.to_pickle(path, protocol=protocol)
        assert read_columns(path) == {"a": expected}


def test_lists_of_arrow_and_arrays_of_numpy_are_lists(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    import pyarrow

    path = tmp_path / "set.pkl"
    kind = pandas.ArrowDtype(pyarrow.list_(pyarrow.int64()))
    pandas.DataFrame(
        {
            "arrow": pandas.array([[1, 2], None, []], dtype=kind),
            "numpy": [np.array([1, 2]), np.array([], np.int32), float("nan")],
            "scalars": [np.int64(3), np.str_("q"), pandas.NA],
        }
    ).to_pickle(path)
    assert read_columns(path) == {
        "arrow": [[1, 2], None, []],
        "numpy": [[1, 2], [], None],
        "scalars": [3, "q", None],
    }


def test_a_column_of_another_kind_hinders_nobody_who_does_not_need_it(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "set.pkl"
    frame = pandas.DataFrame({"id": ["a", "b"], "when": pandas.date_range("2024", periods=2, tz="UTC")})
    frame["at"] = pandas.Series([pandas.Timestamp("2024"), pandas.NaT], dtype=object)
    frame.to_pickle(path)
    columns = read_columns(path)
    assert columns["id"] == ["a", "b"]
    assert repr(columns["when"][0]) == "a value of the kind DatetimeArray"
    assert columns["at"][1] is None
    with pytest.raises(ArtifactError, match="cannot be written as jsonl"):
        write_columns(tmp_path / "set.jsonl", columns)


def test_a_set_that_was_joined_to_itself_shares_its_lists_and_is_read(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    one = pandas.DataFrame({"ids": [list(range(1000, 1600)) for _ in range(50)]})
    pandas.concat([one] * 20).to_pickle(tmp_path / "set.pkl")
    assert read_columns(tmp_path / "set.pkl")["ids"] == one["ids"].tolist() * 20


def test_a_written_pickle_is_what_pandas_reads_back(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    write_columns(tmp_path / "set.pkl", {"id": ["a", "b"], "ids": [[1], [2, 3]], "len": [1, 2]})
    frame = pandas.read_pickle(tmp_path / "set.pkl")
    assert list(frame.columns) == ["id", "ids", "len"]
    assert frame["ids"].tolist() == [[1], [2, 3]]
    assert frame["len"].dtype == np.int64


def name(module: str, attribute: str) -> bytes:
    return b"c" + f"{module}\n{attribute}\n".encode()


def frame_of(block: bytes, columns: bytes = b"]X\1\0\0\0aa") -> bytes:
    """A pickled DataFrame of one column `a` whose values are the object that `block` makes."""
    numbers = name("numpy", "dtype") + b"(X\2\0\0\0O8tR"
    label_array = (
        name("numpy.core.multiarray", "_reconstruct") + b"(" + name("numpy", "ndarray") + b"(K\0tC\1btR"
    )
    label_array += b"(K\1(K\1t" + numbers + b"\x89" + columns + b"tb"
    axis = name("pandas.core.indexes.base", "_new_Index") + b"(" + name("pandas", "Index") + b"}X\4\0\0\0data"
    axis += label_array + b"stR"
    places = name("builtins", "slice") + b"(K\0K\1K\1tR"
    made = name("pandas._libs.internals", "_unpickle_block") + b"(" + block + places + b"K\2tR"
    manager = (
        name("pandas.core.internals.managers", "BlockManager")
        + b"("
        + made
        + b"\x85"
        + axis
        + axis
        + b"\x86tR"
    )
    return b"\x80\4" + name("pandas", "DataFrame") + b")R}X\4\0\0\0_mgr" + manager + b"sb."


DEEP = b"N" + b"2\x86" * 60
"""A value that is used twice at each of sixty levels: 2^60 values to whoever follows it."""
COPIED = b"(" + DEEP + DEEP + b"l"
NUMPY = name("numpy.core.multiarray", "_reconstruct") + b"(" + name("numpy", "ndarray") + b"(K\0tC\1btR"
OBJECTS = name("numpy", "dtype") + b"(X\2\0\0\0O8tR"
BYTES = name("numpy", "dtype") + b"(X\2\0\0\0u1tR"
ARROW = name("pyarrow.lib", "type_for_alias") + b"(%stR"


def numpy_array(shape: bytes, values: bytes, dtype: bytes = OBJECTS) -> bytes:
    return NUMPY + b"(K\1" + shape + dtype + b"\x89" + values + b"tb"


def arrow_array(kind: bytes, length: bytes, start: bytes, buffers: bytes) -> bytes:
    stored = b"(" + ARROW % kind + length + b"K\0" + start + buffers + b"]Nt"
    array = name("pyarrow.lib", "_restore_array") + b"(" + stored + b"tR"
    return name("pandas", "ArrowExtensionArray") + b")\x81}X\x08\0\0\0_pa_array" + array + b"sb"


def buffer(raw: bytes) -> bytes:
    return name("pyarrow.lib", "py_buffer") + b"(C" + bytes([len(raw)]) + raw + b"tR"


TEXT, HUGE = b"X\6\0\0\0string", b"\x8a\x08" + (1 << 60).to_bytes(8, "little")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\4" + name("builtins", "bytearray") + b"(" + HUGE + b"tR.",
        b"\x80\4" + name("builtins", "bytearray") + b"(C\1aX\1\0\0\0bX\1\0\0\0ctR.",
        b"\x80\4" + name("_codecs", "encode") + b"(X\1\0\0\0a" + DEEP + b"tR.",
        b"\x80\4}" + DEEP + b"Ns.",
        b"\x80\4\x8f(" + DEEP + b"\x90.",
        b"\x80\4(" + b"\x8a\x08" + (1 << 61).to_bytes(8, "little") + b"Nd.",
        b"\x80\4]r\xff\xff\xff\xff.",
        b"\x80\4]p99999999999999999999\n.",
        b"\x80\4\x96" + (1 << 40).to_bytes(8, "little") + b"abc.",
        b"\x80\4B\xff\xff\xff\x7fabc.",
        b"\x80\5\x97.",
        b"\x80\4]" + b"]a" * 5 + b".",
        b"\x80\4" + b"]" * 200_000 + b"a" * 199_999 + b".",
        b"\x80\4N" + b"\x85" * 200_000 + b".",
        frame_of(name("numpy", "ndarray") + b"((K\1tX\2\0\0\0O8C\x08AAAAAAAAtR"),
        frame_of(numpy_array(b"(K\1t", b"C\x08AAAAAAAA")),
        frame_of(numpy_array(b"(K\1t", DEEP)),
        frame_of(numpy_array(DEEP, b"]Na")),
        frame_of(numpy_array(COPIED, b"]Na")),
        frame_of(numpy_array(b"(" + HUGE + b"K\0t", b"]")),
        frame_of(numpy_array(b"(J\xff\xff\xff\xffJ\xff\xff\xff\xfft", b"]Na")),
        frame_of(numpy_array(b"(" + HUGE + b"K\0t", b"C\0", BYTES)),
        frame_of(numpy_array(b"(K\1t", b"C\1a", name("numpy", "dtype") + b"(" + DEEP + b"tR")),
        frame_of(numpy_array(b"(K\1t", b"C\1a", name("numpy", "dtype") + b"(X\6\0\0\0S99999tR")),
        frame_of(name("numpy._core.numeric", "_frombuffer") + b"(C\1a" + BYTES + b"(K\1t" + DEEP + b"tR"),
        frame_of(arrow_array(DEEP, b"K\1", b"K\0", b"(NNt")),
        frame_of(arrow_array(TEXT, HUGE, b"K\0", b"(NNNt")),
        frame_of(arrow_array(TEXT, b"K\1", HUGE, b"(N" + buffer(bytes(8)) + buffer(b"") + b"t")),
        frame_of(arrow_array(TEXT, b"K\1", b"K\0", b"(N" + buffer(bytes(7) + b"\x7f") + buffer(b"a") + b"t")),
        frame_of(arrow_array(TEXT, b"K\1", b"K\0", b"(N" + buffer(b"\xff" * 8) + buffer(b"a") + b"t")),
        frame_of(arrow_array(TEXT, COPIED, b"K\0", b"(NNNt")),
        frame_of(numpy_array(b"(K\1t", b"]Na"), columns=b"]" + DEEP + b"a"),
        frame_of(numpy_array(b"(K\1t", b"]Na"), columns=COPIED),
    ],
)
def test_no_hostile_pickle_reaches_memory_or_takes_more_than_its_size(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"no pickled DataFrame|refused"):
        read_columns(path)


@pytest.mark.parametrize("cell", [DEEP, b"]2a", b"]" * 200 + b"a" * 199, b"\x8a\xff" + b"\x7f" * 255])
def test_a_cell_that_unfolds_without_end_is_refused(tmp_path: Path, cell: bytes) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(frame_of(numpy_array(b"(K\1t", b"](" + cell + b"e")))
    if cell[:1] == b"\x8a":
        assert read_columns(path)["a"][0] > 1 << 2000
        return
    with pytest.raises(ArtifactError, match=r"refused: (it unfolds|more than 100 levels)"):
        read_columns(path)


def test_the_reader_of_a_cut_pickle_says_so(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    buffer = io.BytesIO()
    pandas.DataFrame({"ids": [[1, 2]] * 50}).to_pickle(buffer)
    path = tmp_path / "set.pkl"
    for length in (10, len(buffer.getvalue()) // 2, len(buffer.getvalue()) - 1):
        path.write_bytes(buffer.getvalue()[:length])
        with pytest.raises(ArtifactError, match="no pickled DataFrame"):
            dataframe_pickle.read(path.read_bytes(), path)
