"""A report as the checks get it: text, and what lies beside it, without a file that has to be made."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from assay.audit.evidence import Evidence
from assay.audit.subject import Subject, load
from assay.mlperf.checker.finding import Finding
from assay.mlperf.logs.detail import JUDGED_KEYS, DetailLog, parse
from tests import published

OWN = """# mixtral-8x7b, round v5.1

```bash
assay bench mixtral-8x7b --round v5.1 --precision float16 --style valid
```

Model precision: float16
Dataset: {samples} of 15000 samples

## Offline

### Accuracy

| metric | value | target | verdict |
|---|---|---|---|
| GSM8K accuracy | {gsm8k} | >= 72.9234 | {verdict} |

### Performance

| metric | value |
|---|---|
| Tokens per second | {tokens} |

LoadGen says {word}.
"""


def own(**values: str) -> str:
    """A report in Assay's form with one metric."""
    right = {
        "samples": "15000",
        "gsm8k": "73.5 % (n = 5000)",
        "verdict": "met",
        "tokens": "100 tokens/s",
        "word": "VALID",
    }
    return OWN.format(**{**right, **values})


def subject(text: str, beside: Evidence | None = None, precision: str | None = None) -> Subject:
    """The report with `beside` as the files of each of its scenarios. Raises: ConfigError as `load` does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "README.md"
        path.write_text(text)
        found = load(path, Path(folder), None, None)
    files = dict.fromkeys(found.files, beside or Evidence())
    return dataclasses.replace(found, files=files, precision=precision)


def of_cm(**parts: object) -> str:
    """CM's report without a fault; `command`, `accuracy`, `performance`, `precision` take the place of its own."""
    right = {
        "command": published.RIGHT_COMMAND,
        "accuracy": published.RIGHT,
        "performance": "`Tokens per second`: `0.5`",
        "precision": "float16",
    }
    return published.report(**{**right, **parts})  # type: ignore[arg-type]


def log(**values: float | str) -> DetailLog:
    """A detail log with these keys; a dot of a key is written as `__`."""
    records = [{"key": key.replace("__", "."), "value": value} for key, value in values.items()]
    return parse("\n".join(f":::MLLOG {json.dumps(record)}" for record in records).encode(), JUDGED_KEYS)


def told(check: Callable[[Subject], Iterator[Finding]], asked: Subject) -> list[tuple[str, str, str, str]]:
    """Code, severity, what was found and what is expected, of each finding of one check."""
    return [(f.code, f.severity.value, f.found, f.expected) for f in check(asked)]
