from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.suts import ray_node


def test_a_node_tells_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(ray_node.WHOLE_BYTES + 1)
    facts = ray_node.facts([tmp_path, tmp_path / "none"], ["pytest", "no-such-package"])
    assert facts.files[str(tmp_path / "config.json")].startswith("SHA-256 ")
    assert facts.files[str(tmp_path / "model.safetensors")] == f"{ray_node.WHOLE_BYTES + 1} bytes"
    assert facts.missing == (str(tmp_path / "none"),)
    assert {"python", "numpy", "pytest"} <= facts.versions.keys() and "no-such-package" not in facts.versions
    assert facts.cores >= 1 and facts.system["kernel"]


def test_nodes_that_are_alike_have_no_differences(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    facts = ray_node.facts([tmp_path])
    assert ray_node.differences({"a": facts, "b": replace(facts, host="other", cores=99)}) == []


def test_each_difference_is_named_with_both_nodes(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    facts = ray_node.facts([tmp_path])
    path = str(tmp_path / "config.json")
    other = replace(facts, versions={**facts.versions, "numpy": "0.1"}, files={path: "other"})
    lacking = replace(facts, missing=("/models/m",), files={})
    assert ray_node.differences({"a": facts, "b": other, "c": lacking}) == [
        "c lacks /models/m",
        f"numpy is {facts.versions['numpy']} on a, 0.1 on b",
        f"{path} is {facts.files[path]} on a, other on b",
    ]
    gone = replace(facts, versions={"python": facts.versions["python"]})
    assert "numpy is absent on b" not in ray_node.differences({"a": facts, "b": gone})[0]
    assert any(said.endswith("absent on b") for said in ray_node.differences({"a": facts, "b": gone}))
