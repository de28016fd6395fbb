"""The C face of our kernels: its structs and functions, typed for Python. No logic.

Each struct mirrors the one of the same name in the C++ sources, field by field.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_float, c_int, c_int64, c_void_p
from pathlib import Path

from torch import Tensor


class Grouped(ctypes.Structure):
    _fields_ = (
        ("groups", c_int),
        ("start", c_void_p),
        ("row", c_void_p),
        ("a", c_void_p),
        ("a_stride", c_int64),
        ("weight", c_void_p),
        ("panels", c_int),
        ("steps", c_int),
    )


class Scales(ctypes.Structure):
    _fields_ = (("row", c_void_p), ("column", c_void_p), ("offset", c_void_p))


class Source(ctypes.Structure):
    _fields_ = (
        ("first", c_void_p),
        ("second", c_void_p),
        ("rows", c_int),
        ("depth", c_int),
        ("is_bf16", c_int),
    )


class Heads(ctypes.Structure):
    _fields_ = (("query", c_int), ("kv", c_int), ("channels", c_int))


class Ragged(ctypes.Structure):
    _fields_ = (
        ("sequences", c_int),
        ("row_start", c_void_p),
        ("context", c_void_p),
        ("table_start", c_void_p),
        ("table", c_void_p),
    )


class Cache(ctypes.Structure):
    _fields_ = (("keys", c_void_p), ("values", c_void_p))


P = c_void_p
SIGNATURES = {
    "assay_configure": (c_int, c_int),
    "assay_has_vector": (),
    "assay_huge_pages": (P, c_int64),
    "assay_pack_bf16": (POINTER(Source), c_int, c_int, P),
    "assay_pack_int8": (POINTER(Source), c_int, c_int, P, P, P),
    "assay_norm": (P, P, c_float, c_int, c_int, P),
    "assay_quantise": (P, c_int, c_int, P, c_int64, P),
    "assay_product_bf16": (POINTER(Grouped), P, c_int, c_int),
    "assay_product_int8": (POINTER(Grouped), POINTER(Scales), P, c_int, c_int),
    "assay_gate_up_bf16": (POINTER(Grouped), P, c_int),
    "assay_gate_up_int8": (POINTER(Grouped), POINTER(Scales), P, c_int),
    "assay_attend": (P, P, P, POINTER(Heads), POINTER(Ragged), POINTER(Cache), P, P),
    "assay_route": (P, P, c_int, c_int, c_int, c_int, P, P, P, P),
    "assay_combine": (P, P, P, c_int, c_int, c_int, P),
}


def load(path: Path) -> ctypes.CDLL:
    """The library with typed functions. Raises: OSError when it cannot be loaded."""
    library = ctypes.CDLL(str(path))
    for name, arguments in SIGNATURES.items():
        function = getattr(library, name)
        function.argtypes = arguments
        function.restype = c_int if name == "assay_has_vector" else None
    return library


def at(tensor: Tensor) -> int:
    """Address of a contiguous tensor."""
    assert tensor.is_contiguous(), "kernels read contiguous tensors only"
    return int(tensor.data_ptr())
