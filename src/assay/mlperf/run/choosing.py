"""Which rows of a dataset a run uses: the first ones, or for a test-style run a spread over the subsets.

The official file holds its subsets one after the other, so that its first ten rows are of one subset and leave two
thirds of the metrics without a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assay.ground.errors import ArtifactError
from assay.mlperf.data.sample import Sample
from assay.mlperf.record import result
from assay.mlperf.record.run_folder import RunFolder


def spread(subsets: Sequence[str], count: int) -> list[int]:
    """`count` rows in the order of the file: each subset by its share, its rows evenly apart, its first included.

    What the shares leave over goes to the largest remainders, the earlier subset first. Example: 10 of 15,000 rows in
    three equal subsets are 4, 3 and 3.
    """
    sizes = Counter(subsets)
    shares = {name: count * size / len(subsets) for name, size in sizes.items()}
    taken = {name: int(share) for name, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: taken[name] - shares[name])
    for name in by_remainder[: count - sum(taken.values())]:
        taken[name] += 1
    places = {name: [row for row, subset in enumerate(subsets) if subset == name] for name in sizes}
    return sorted(
        rows[i * len(rows) // taken[name]] for name, rows in places.items() for i in range(taken[name])
    )


def take(samples: Sequence[Sample], count: int, *, is_spread: bool) -> list[Sample]:
    """The samples that are used, counted from 0 as LoadGen counts them; `row` tells where each lies in the file."""
    rows = spread([sample.subset for sample in samples], count) if is_spread else range(count)
    return at(samples, rows)


def at(samples: Sequence[Sample], rows: Sequence[int]) -> list[Sample]:
    """The samples of these rows, counted from 0."""
    return [
        samples[row] if row == index else replace(samples[row], index=index, file_row=row)
        for index, row in enumerate(rows)
    ]


def rows_of(samples: Sequence[Sample]) -> tuple[int, ...]:
    """The row of each sample, for the record; empty where they are the first of the file."""
    rows = tuple(sample.row for sample in samples)
    return rows if any(sample.row != sample.index for sample in samples) else ()


def of_log(log: Path, samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples that an accuracy log counts: all of the file, unless the run beside it used a spread of rows.

    Raises: ArtifactError when the run used rows that this dataset lacks.
    """
    run = RunFolder.of_log(log)
    try:
        rows = result.read(run.path).scored_dataset.rows_used
    except ArtifactError:
        return samples  # no run folder of Assay
    try:
        return at(samples, rows) if rows else samples
    except IndexError:
        raise ArtifactError(
            f"{run} names rows beyond the {len(samples)} of the dataset", "the dataset of that run"
        ) from None


def words(samples: Sequence[Sample]) -> str:
    """`4 of GSM8K, 3 of OpenOrca, 3 of MBXP`."""
    counts = Counter(sample.subset for sample in samples)
    return ", ".join(f"{count} of {name}" for name, count in counts.items())
