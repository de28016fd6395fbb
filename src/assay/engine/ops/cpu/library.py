"""The C face of our kernels: its structs and functions, typed for Python. No logic.

Each struct mirrors the one of the same name in the C++ sources, field by field.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_float, c_int, c_int64, c_void_p
from pathlib import Path

from torch import Tensor


class Group(ctypes.Structure):
    _fields_ = (("words", c_void_p), ("scale", c_void_p), ("offset", c_void_p))


class Matrix(ctypes.Structure):
    _fields_ = (
        ("group", POINTER(Group)),
        ("groups", c_int),
        ("panels", c_int),
        ("steps", c_int),
        ("columns", c_int),
        ("depth", c_int),
        ("is_tiled", c_int),
        ("is_int8", c_int),
    )


class RowRoom(ctypes.Structure):
    _fields_ = (("values", c_void_p), ("scale", c_void_p), ("tiles", c_void_p))


class Heads(ctypes.Structure):
    _fields_ = (("query", c_int), ("kv", c_int), ("channels", c_int))


class Ragged(ctypes.Structure):
    _fields_ = (
        ("rows", c_int),
        ("sequences", c_int),
        ("positions", c_void_p),
        ("row_start", c_void_p),
        ("context", c_void_p),
        ("table_start", c_void_p),
        ("table", c_void_p),
    )


class Cache(ctypes.Structure):
    _fields_ = (("keys", c_void_p), ("values", c_void_p), ("is_int8", c_int))


class Attention(ctypes.Structure):
    _fields_ = (
        ("norm", c_void_p),
        ("eps", c_float),
        ("qkv", Matrix),
        ("out", Matrix),
        ("qkv_bias", c_void_p),
        ("out_bias", c_void_p),
        ("q_norm", c_void_p),
        ("k_norm", c_void_p),
        ("heads", Heads),
        ("turn", c_void_p),
    )


class Moe(ctypes.Structure):
    _fields_ = (
        ("norm", c_void_p),
        ("eps", c_float),
        ("router", c_void_p),
        ("experts", c_int),
        ("active", c_int),
        ("renormalises", c_int),
        ("gate_up", Matrix),
        ("down", Matrix),
    )


class RoutingPointers(ctypes.Structure):
    _fields_ = (
        ("h", c_void_p),
        ("start", c_void_p),
        ("row", c_void_p),
        ("place", c_void_p),
        ("weight", c_void_p),
    )


class Room(ctypes.Structure):
    _fields_ = (
        ("h", c_void_p),
        ("qkv", c_void_p),
        ("turned", c_void_p),
        ("attended", c_void_p),
        ("inner", c_void_p),
        ("experts", c_void_p),
        ("row_room", RowRoom),
    )


class Source(ctypes.Structure):
    _fields_ = (
        ("first", c_void_p),
        ("second", c_void_p),
        ("rows", c_int),
        ("depth", c_int),
        ("is_bf16", c_int),
    )


P = c_void_p
SIGNATURES = {
    "assay_configure": (c_int, c_int, c_int, c_int),
    "assay_best_set": (),
    "assay_best_vectors": (),
    "assay_portable_for": (),
    "assay_permit_tiles": (),
    "assay_huge_pages": (P, c_int64),
    "assay_pack": (POINTER(Source), POINTER(Matrix), c_int),
    "assay_norm": (P, P, c_float, c_int, c_int, P),
    "assay_product": (POINTER(Matrix), P, c_int, POINTER(RowRoom), P),
    "assay_add_attention": (POINTER(Attention), POINTER(Cache), POINTER(Ragged), POINTER(Room), P),
    "assay_attend": (POINTER(Attention), POINTER(Cache), POINTER(Ragged), POINTER(Room)),
    "assay_take": (P, P, c_int, c_int, c_int, P),
    "assay_route": (POINTER(Moe), P, c_int, POINTER(RoutingPointers)),
    "assay_add_experts": (POINTER(Moe), POINTER(RoutingPointers), c_int, POINTER(Room), P),
    "assay_argmax": (P, c_int, c_int, P),
}


def load(path: Path) -> ctypes.CDLL:
    """The library with typed functions. Raises: OSError when it cannot be loaded."""
    library = ctypes.CDLL(str(path))
    for name, arguments in SIGNATURES.items():
        function = getattr(library, name)
        function.argtypes = arguments
        function.restype = None if arguments else c_int
    library.assay_portable_for.restype = ctypes.c_char_p
    return library


def at(tensor: Tensor) -> int:
    """Address of a contiguous tensor."""
    assert tensor.is_contiguous(), "kernels read contiguous tensors only"
    return int(tensor.data_ptr())
