"""Mounts of paths whose names have the characters that options are made of."""

import csv

import pytest

from assay.ground.bind_mount import bind_mount


@pytest.mark.parametrize("name", ["plain", "a:ro", "a,readonly", 'a"b', "a\nb", "a=b"])
def test_a_path_stays_one_field_of_its_line(name: str) -> None:
    option, value = bind_mount(f"/{name}", f"/in/{name}", "readonly")
    assert option == "--mount"
    assert next(csv.reader(value.splitlines(keepends=True))) == [
        "type=bind",
        f"source=/{name}",
        f"target=/in/{name}",
        "readonly",
    ]
