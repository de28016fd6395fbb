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
from assay.mlperf import dataframe_pickle


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
        dataframe_pickle.read(path)
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
        dataframe_pickle.read(path)


def test_a_dotted_name_of_protocol_4_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__base__\x93.")
    with pytest.raises(ArtifactError, match=r"asks for numpy\.dtype\.__base__"):
        dataframe_pickle.read(path)


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
        dataframe_pickle.read(path)


def test_a_numpy_scalar_cannot_smuggle_an_object(tmp_path: Path) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(
        b"\x80\x04cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00O8\x85RC\x08AAAAAAAA\x86R."
    )
    with pytest.raises(ArtifactError, match="holds an object"):
        dataframe_pickle.read(path)


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
    assert dataframe_pickle.read(tmp_path / "set.pkl") == {
        "text": ["a", "été"],
        "ids": [[1, 2], [3]],
        "count": [2, 1],
        "number": [4, 5],
    }


def test_a_written_pickle_is_what_pandas_reads_back(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    from assay.mlperf.dataset_file import write_columns

    write_columns(tmp_path / "set.pkl", {"id": ["a", "b"], "ids": [[1], [2, 3]], "len": [1, 2]})
    frame = pandas.read_pickle(tmp_path / "set.pkl")
    assert list(frame.columns) == ["id", "ids", "len"]
    assert frame["ids"].tolist() == [[1], [2, 3]]
    assert frame["len"].dtype == np.int64


def test_the_reader_of_a_cut_pickle_says_so(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    buffer = io.BytesIO()
    pandas.DataFrame({"ids": [[1, 2]] * 50}).to_pickle(buffer)
    path = tmp_path / "set.pkl"
    for length in (10, len(buffer.getvalue()) // 2, len(buffer.getvalue()) - 1):
        path.write_bytes(buffer.getvalue()[:length])
        with pytest.raises(ArtifactError, match="no pickled DataFrame"):
            dataframe_pickle.read(path)
