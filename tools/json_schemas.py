"""Writes docs/schema/*.json: JSON Schema of result.json and of run.yaml, made of the types that read them.

    python tools/json_schemas.py            writes them
    python tools/json_schemas.py --check    exit 1 where one is not up to date

Descriptions are the texts under the fields. result.json: docs/result.md says more. A run.yaml is read as text by the
readers of the flags, so its schema lets through every form that they take, as `600s` and `OFFLINE`.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import json
import re
import sys
import textwrap
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from assay import suts
from assay.config import BenchmarkConfig, Delivery
from assay.doors.run_file import DELIVERY, WORDS
from assay.mlperf.record.result import RunResult
from assay.mlperf.record.result_schema import SCHEMA_VERSION
from assay.mlperf.sut.option import SutOption

FOLDER = Path(__file__).parents[1] / "docs" / "schema"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Path: {"type": "string"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
}
NULL: Schema = {"type": "null"}
AS_TEXT: Schema = {"type": ["string", "number", "null"]}
"""A setting of run.yaml that is read as text: YAML makes a number of `round: 6.0`."""


def documents() -> dict[str, Schema]:
    """File name -> schema."""
    return {"result.schema.json": result_schema(), "run.schema.json": run_schema()}


def result_schema() -> Schema:
    """Of result.json in the present version. Fields of later versions pass."""
    defs: dict[str, Schema] = {}
    found = _of(RunResult, defs)
    name = found["$ref"].rpartition("/")[2]
    record = defs.pop(name)
    record["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": DIALECT,
        "title": f"result.json of Assay, schema version {SCHEMA_VERSION}",
        **record,
        "required": [*record["required"], "schema_version"],
        "$defs": dict(sorted(defs.items())),
    }


def run_schema() -> Schema:
    """Of run.yaml, and of the config.json of a run. Keys that Assay refuses do not pass."""
    defs: dict[str, Schema] = {}
    properties = _settings(BenchmarkConfig, defs)
    properties["sut_options"] = {"type": ["object", "null"], "properties": _options()}
    properties["origin"] = {"description": "Of config.json: where each value came from. It is passed over."}
    properties |= {word: properties[name] for word, name in WORDS.items()}
    properties[DELIVERY] = {"anyOf": [_partial(Delivery, defs), NULL]}
    return {
        "$schema": DIALECT,
        "title": "run.yaml of Assay, and config.json of a run",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": dict(sorted(defs.items())),
    }


def _of(hint: Any, defs: dict[str, Schema]) -> Schema:
    """The JSON that `ground.typed` takes for a type; dataclasses go into `defs`."""
    if hint in SCALARS:
        return dict(SCALARS[hint])
    outer, parts = get_origin(hint), get_args(hint)
    if outer in (Union, types.UnionType):
        return _any_of([_of(part, defs) for part in parts])
    if outer in (tuple, list):
        if outer is list or parts[-1] is Ellipsis:
            return {"type": "array", "items": _of(parts[0], defs)}
        items = [_of(part, defs) for part in parts]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if outer is not None and issubclass(outer, Mapping):
        return {"type": "object", "additionalProperties": _of(parts[1], defs)}
    if issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if hint.__name__ not in defs:
        defs[hint.__name__] = {}  # a class that holds itself ends here
        defs[hint.__name__] = _dataclass(hint, defs)
    return {"$ref": f"#/$defs/{hint.__name__}"}


def _any_of(parts: Sequence[Schema]) -> Schema:
    """One list of types where no part says more than its type."""
    if all(set(part) == {"type"} for part in parts):
        return {"type": [part["type"] for part in parts]}
    return {"anyOf": list(parts)}


def _dataclass(kind: Any, defs: dict[str, Schema]) -> Schema:
    hints, told = get_type_hints(kind), _descriptions(kind)
    fields = dataclasses.fields(kind)
    return {
        "type": "object",
        "description": _line(kind.__doc__ or ""),
        "properties": {f.name: _told(_of(hints[f.name], defs), told.get(f.name)) for f in fields},
        "required": [
            f.name
            for f in fields
            if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        ],
    }


def _partial(kind: Any, defs: dict[str, Schema]) -> Schema:
    """A group of which any key may be left out, and none added; so are the groups in it."""
    hints, told = get_type_hints(kind), _descriptions(kind)
    properties = {}
    for field in dataclasses.fields(kind):
        groups = [part for part in _members(hints[field.name]) if dataclasses.is_dataclass(part)]
        found = _of(hints[field.name], defs) if not groups else _partial(groups[0], defs)
        found = _any_of([found, NULL]) if groups and type(None) in _members(hints[field.name]) else found
        properties[field.name] = _told(found, told.get(field.name))
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _settings(kind: Any, defs: dict[str, Schema]) -> dict[str, Schema]:
    """The fields of BenchmarkConfig as run.yaml may give them: text that a flag's reader takes, or a group of them."""
    hints, told = get_type_hints(kind), _descriptions(kind)
    found = {}
    for field in dataclasses.fields(kind):
        if field.name.endswith("_source"):
            continue  # stands where its path would
        members = [part for part in _members(hints[field.name]) if part is not type(None)]
        if dataclasses.is_dataclass(members[0]):
            group = {
                "type": "object",
                "properties": _settings(members[0], defs),
                "additionalProperties": False,
            }
            schema = _any_of([group, NULL])
        else:
            schema = _setting(members[0], defs)
        found[field.name] = _told(schema, told.get(field.name))
    return found


def _setting(hint: Any, defs: dict[str, Schema]) -> Schema:
    """One value; of several choices a list, or a text with commas."""
    if get_origin(hint) is tuple:
        one = get_args(hint)[0]
        return _any_of([{"type": "array", "items": _word(one, defs), "minItems": 1}, _words(one, defs), NULL])
    is_choice = isinstance(hint, type) and issubclass(hint, Enum)
    return _any_of([_word(hint, defs), NULL]) if is_choice else dict(AS_TEXT)


def _word(kind: type[Enum], defs: dict[str, Schema]) -> Schema:
    """A choice: its values for an editor to offer, and the same in any case."""
    values = [str(member.value).lower() for member in kind]
    pattern = rf"^\s*({'|'.join(map(_any_case, values))})\s*$"
    defs[kind.__name__] = {"anyOf": [{"enum": values}, {"type": "string", "pattern": pattern}]}
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _words(kind: type[Enum], defs: dict[str, Schema]) -> Schema:
    """Choices with commas between them, of which some may be empty."""
    one = "|".join(_any_case(str(member.value)) for member in kind)
    defs[f"{kind.__name__}s"] = {"type": "string", "pattern": rf"^[\s,]*({one})(\s*,\s*({one})?)*\s*$"}
    return {"$ref": f"#/$defs/{kind.__name__}s"}


def _any_case(word: str) -> str:
    return "".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else re.escape(c) for c in str(word))


def _options() -> dict[str, Schema]:
    """Every option of Assay's own SUTs; those of other packages pass, as any name does."""
    found: dict[str, list[tuple[str, SutOption]]] = {}
    for name in suts.TABLE:
        for option in suts.kind(name).options:
            found.setdefault(option.name, []).append((name, option))
    return {
        name: {"description": "; ".join(f"{sut}: {option.help}" for sut, option in takers)}
        for name, takers in sorted(found.items())
    }


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _told(schema: Schema, text: str | None) -> Schema:
    return {"description": text, **schema} if text else schema


@cache
def _descriptions(kind: Any) -> dict[str, str]:
    """Field -> the text that stands below it in the source."""
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(made, ast.ClassDef)
    found = {}
    for field, below in zip(made.body, made.body[1:]):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[field.target.id] = _line(str(below.value.value))
    return found


def _line(text: str) -> str:
    """The text of a docstring in one line, in the words of JSON."""
    return re.sub(r"\bNone\b", "null", " ".join(text.split()))


def text_of(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    asked = parser.parse_args()
    stale = [name for name, schema in documents().items() if not _is_in(FOLDER / name, text_of(schema))]
    if asked.check:
        sys.stderr.write("".join(f"docs/schema/{name} is not up to date\n" for name in stale))
        return int(bool(stale))
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(text_of(documents()[name]), encoding="utf-8")
    return 0


def _is_in(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
