"""What this package needs of `typing`, without the cost of importing and using it, and its two most used types.

A small recipe runs in about 60 ms. `typing` takes 3 of them to be imported, and its `NamedTuple` as many again: it
compiles a constructor and every annotation of each class. Type checkers read these names as the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as Any
    from typing import NamedTuple as NamedTuple
    from typing import Protocol as Protocol
else:
    from operator import itemgetter

    Any = Protocol = object

    class _Fields(type):
        """Makes a property of each annotated name, in the order they stand."""

        def __new__(mcs, name, bases, body):
            if bases != (tuple,):
                fields = tuple(body.get("__annotations__", ()))
                body["_fields"] = body["__match_args__"] = fields
                body["_defaults"] = {field: body[field] for field in fields if field in body}
                body.update({field: property(itemgetter(place)) for place, field in enumerate(fields)})
                body["__slots__"] = ()
            return super().__new__(mcs, name, bases, body)

    class NamedTuple(tuple, metaclass=_Fields):
        __slots__ = ()

        def __new__(cls, *values, **named):
            fields = cls._fields
            if named or len(values) != len(fields):
                known = cls._defaults | named
                try:
                    values += tuple([known.pop(field) for field in fields[len(values) :]])
                except KeyError as missing:
                    raise TypeError(f"{cls.__name__} needs {missing}") from None
                if len(values) != len(fields) or not known.keys() <= cls._defaults.keys():
                    raise TypeError(f"{cls.__name__} takes {', '.join(fields)}")
            return tuple.__new__(cls, values)

        @classmethod
        def _make(cls, values):
            """From all values in their order, unchecked: four times faster."""
            return tuple.__new__(cls, values)

        def _replace(self, **named):
            return type(self)(**(dict(zip(self._fields, self)) | named))

        def _asdict(self):
            return dict(zip(self._fields, self))

        def __repr__(self):
            pairs = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self))
            return f"{type(self).__name__}({pairs})"

        def __getnewargs__(self):
            return tuple(self)


# Values as recipes, hooks and command lines give them, by name: whatever YAML, JSON and Python can hold.
Values = dict[str, Any]
Given = Mapping[str, Any]  # such values that are only read
