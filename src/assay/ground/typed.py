"""Plain JSON values -> typed frozen values, by the type hints of a dataclass. Knows no class of its own.

Understands dataclasses, enums, Path, unions, tuples, lists, mappings with text or enum keys, and plain scalars.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Hint: TypeAlias = Any
"""A type as `get_type_hints` gives it: a class, or a form such as `tuple[int, ...]`."""


def typed(kind: type[T], plain: object, name: str) -> T:
    """`plain` as a value of `kind`; `name` is what messages call it. Keys that `kind` lacks are passed over.

    Raises: ValueError that names the key: absent without a default, or of another type.
    """
    return cast(T, _value(kind, plain, name))


def _value(kind: Hint, plain: object, name: str) -> object:
    outer: Hint = get_origin(kind)
    if kind is Any or kind is object:
        return plain
    if outer in (Union, types.UnionType):
        return _one_of(get_args(kind), plain, name)
    if outer is tuple or outer is list:
        return _sequence(kind, plain, name)
    if outer is not None and issubclass(outer, Mapping):
        key_kind, value_kind = get_args(kind)
        found = _of(dict, plain, name)
        return {_value(key_kind, k, name): _value(value_kind, v, f"{name}.{k}") for k, v in found.items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, _of(dict, plain, name), name)
    if issubclass(kind, Enum):
        return _enum(kind, plain, name)
    if kind is float and type(plain) is int:
        return plain  # JSON writes 1.0 as it likes
    return Path(_of(str, plain, name)) if kind is Path else _of(kind, plain, name)


def _of(kind: type[T], plain: object, name: str) -> T:
    if type(plain) is not kind:  # a boolean is no number here
        raise ValueError(f"{name} is {str(plain)[:60]!r}, which is no {kind.__name__}")
    return plain


def _one_of(kinds: tuple[Hint, ...], plain: object, name: str) -> object:
    """The first kind that the value is of; None is of the kind None alone."""
    if plain is None and type(None) in kinds:
        return None
    others = [kind for kind in kinds if kind is not type(None)]
    for kind in others[:-1]:
        try:
            return _value(kind, plain, name)
        except ValueError:
            continue
    return _value(others[-1], plain, name)


def _sequence(kind: Hint, plain: object, name: str) -> object:
    parts = get_args(kind)
    values = _of(list, plain, name)
    is_list = get_origin(kind) is list  # type: ignore[comparison-overlap]
    if is_list or parts[-1] is Ellipsis:
        parts = (parts[0],) * len(values)
    if len(parts) != len(values):
        raise ValueError(f"{name} holds {len(values)} values, not {len(parts)}")
    made = [_value(part, value, f"{name}[{i}]") for i, (part, value) in enumerate(zip(parts, values))]
    return made if is_list else tuple(made)


def _enum(kind: type[Enum], plain: object, name: str) -> Enum:
    try:
        return kind(plain)
    except ValueError:
        words = ", ".join(str(member.value) or "''" for member in kind)
        raise ValueError(f"{name} is {str(plain)[:60]!r}, none of {words}") from None


def _dataclass(kind: Hint, plain: dict[str, object], name: str) -> object:
    hints, given = _hints(kind), {}
    for field in dataclasses.fields(kind):
        if field.name in plain:
            given[field.name] = _value(hints[field.name], plain[field.name], f"{name}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{name} has no {field.name}")
    return kind(**given)


@lru_cache
def _hints(kind: Hint) -> dict[str, Hint]:
    return get_type_hints(kind)
