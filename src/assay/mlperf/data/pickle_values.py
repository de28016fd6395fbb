"""Reads a pickle as data: plain containers, and records of the calls that it asks for. None of them is made.

A pickle is a program for a small stack machine. This is that machine with its dangerous half left out: a name
gives a `PickledName` and a call gives a `Called`, whatever they are; no class of a library is ever touched.
Source of the opcodes: the documentation in Python's own `pickletools`, which also decodes their arguments.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KEY_INT_MAX = 1 << 32
"""Whole numbers as keys: greater ones can be chosen so that all of them collide."""
_NUMBERS = re.compile(rb"(?:K.|M..|J....|G.{8}|[N\x88\x89])+", re.DOTALL)
"""A run of opcodes that only push a number, a truth value or None."""
_OPCODES = {opcode.code.encode("latin1"): opcode for opcode in pickletools.opcodes}
_VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
}
"""Opcodes whose argument is the value that they push."""


@dataclass(frozen=True)
class PickledName:
    """A name of the file, never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, eq=False, repr=False)
class Called:
    """What the file wanted made: the name, the arguments and, where it gives one, the state."""

    name: PickledName
    args: tuple[Any, ...]
    states: list[Any]

    @property
    def kind(self) -> str:
        return self.name.name

    @property
    def state(self) -> Any:
        return self.states[-1] if self.states else None

    def __repr__(self) -> str:
        return f"<{self.name}>"


Resolve = Callable[[Called], Any]


def load(content: bytes, allow: Callable[[PickledName], None], resolve: Resolve) -> Any:
    """The value of a pickle of any protocol.

    `allow` raises for a name that is refused; `resolve` may give a plain value for a call, else gives it back.
    Time and memory are in proportion to the bytes; a value that is used twice is there once.

    Raises: pickle.UnpicklingError, and what a damaged file makes the decoding of an argument raise: ValueError,
    TypeError, AttributeError, LookupError.
    """
    return _Machine(content, allow, resolve).run()


class _Machine:
    def __init__(self, content: bytes, allow: Callable[[PickledName], None], resolve: Resolve) -> None:
        self.content, self.file = content, io.BytesIO(content)
        self.allow, self.resolve = allow, resolve
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        """The stacks below each mark."""
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        while code := self.file.read(1):
            if code in b"KMJGN\x88\x89":
                self._numbers()
                continue
            opcode = _OPCODES.get(code)
            if opcode is None:
                raise pickle.UnpicklingError(f"byte {code!r} is no opcode")
            argument = opcode.arg.reader(self.file) if opcode.arg else None
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in _VALUES:
                self.stack.append(bytes(argument) if isinstance(argument, bytearray) else argument)
            elif act := _ACTS.get(opcode.name):
                act(self, argument)
            else:
                raise pickle.UnpicklingError(f"opcode {opcode.name} is not one of a DataFrame's")
        raise pickle.UnpicklingError("it ends too early")

    def _numbers(self) -> None:
        """Token ids come by the million: a run of them goes to Python's own reader, which is quick."""
        start = self.file.tell() - 1
        found = _NUMBERS.match(self.content, start)
        if found is None:
            raise pickle.UnpicklingError("a number is cut short")
        self.stack += pickle.loads(b"(" + found[0] + b"l.")
        self.file.seek(found.end())

    def items(self) -> list[Any]:
        """What lies above the last mark."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.items()

    def drop_mark(self, _: Any) -> None:
        self.items()

    def get(self, index: Any) -> None:
        self.stack.append(self.memo[int(index)])

    def put(self, index: Any) -> None:
        if not 0 <= int(index) < KEY_INT_MAX:
            raise pickle.UnpicklingError("a place of the memo that is out of range")
        self.memo[int(index)] = self.stack[-1]

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise pickle.UnpicklingError("a tuple of values that are not there")
        items = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        self.stack.append(items)

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise pickle.UnpicklingError("items for what is no list")
        target += items

    def update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise pickle.UnpicklingError("keys and values for what is no dict")
        target.update(zip(map(_key, items[::2]), items[1::2]))

    def unite(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, set):
            raise pickle.UnpicklingError("items for what is no set")
        target.update(map(_key, items))

    def name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise pickle.UnpicklingError("a name that is no text")
        found = PickledName(module, name)
        self.allow(found)
        self.stack.append(found)

    def stack_name(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.name(module, name)

    def call(self, _: Any) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, PickledName) or not isinstance(args, tuple):
            raise pickle.UnpicklingError("a call of what is no name")
        self.stack.append(self.resolve(Called(function, args, [])))

    def build(self, _: Any) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], Called):
            raise pickle.UnpicklingError("a state for what has none")
        self.stack[-1].states.append(state)


def _key(value: Any) -> Any:
    if type(value) in (str, bytes) or (type(value) is int and abs(value) < KEY_INT_MAX):
        return value
    raise pickle.UnpicklingError(f"a key of type {type(value).__name__}")


_ACTS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda m, _: None),
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.drop_mark,
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    "MEMOIZE": lambda m, _: m.put(len(m.memo)),
    "EMPTY_TUPLE": lambda m, _: m.stack.append(()),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_SET": lambda m, _: m.stack.append(set()),
    "GLOBAL": lambda m, name: m.name(*name.split(" ", 1)),
    "STACK_GLOBAL": _Machine.stack_name,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.call),
    "BUILD": _Machine.build,
    "TUPLE": lambda m, _: _above(m, tuple),
    "LIST": lambda m, _: _above(m, list),
    "FROZENSET": lambda m, _: _above(m, lambda items: frozenset(map(_key, items))),
    "DICT": lambda m, _: _above(m, lambda items: dict(zip(map(_key, items[::2]), items[1::2]))),
    "APPENDS": lambda m, _: m.extend(m.items()),
    "ADDITEMS": lambda m, _: m.unite(m.items()),
    "SETITEMS": lambda m, _: m.update(m.items()),
    "APPEND": lambda m, _: m.extend([m.stack.pop()]),
    "SETITEM": lambda m, _: m.update([m.stack.pop(-2), m.stack.pop()]),
}


def _above(machine: _Machine, make: Callable[[list[Any]], Any]) -> None:
    made = make(machine.items())
    machine.stack.append(made)
