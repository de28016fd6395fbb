"""The verbs of a submission: submit, check, audit, explain, rules, compliance --verify."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.mlperf.rounds import round as rounds
from tests import published
from tests.mlperf import run_folder


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(list(args))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = run_folder.write(tmp_path / "run")
    out = tmp_path / "tree"
    names = ("--submitter", "Tester", "--division", "closed", "--round", "v5.1", "--system", "box")
    assert run(capsys, "submit", str(folder), "--out", str(out), *names)[0] == 0
    return out


def test_submit_writes_packs_and_checks(tree: Path) -> None:
    assert tree.with_name("tree.tar.gz").is_file()
    assert tree.with_name("tree.tar.gz.sha256").is_file()
    assert (tree / "closed/Tester/results/box/mixtral-8x7b/Server/accuracy/accuracy.txt").is_file()


def test_submit_adds_to_the_folder_that_it_is_called_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [run_folder.write(tmp_path / name, scenarios=(name,)) for name in ("Offline", "Server")]
    (tmp_path / "tree").mkdir()
    monkeypatch.chdir(tmp_path / "tree")
    names = ("--submitter", "Tester", "--division", "closed", "--round", "v5.1", "--system", "box")
    codes = [run(capsys, "submit", str(folder), "--out", ".", *names)[0] for folder in runs]
    assert codes == [1, 0]  # Offline alone is no submission
    made = {path.parent.name for path in Path.cwd().rglob("accuracy")}
    assert made >= {"Offline", "Server"}
    assert (tmp_path / "tree.tar.gz").is_file()


def test_submit_says_what_is_unknown_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_folder.write(tmp_path / "run")
    record = json.loads((folder / "result.json").read_text())
    del record["system"]["cooling"]
    (folder / "result.json").write_text(json.dumps(record))
    code, out, _ = run(
        capsys,
        "submit",
        str(folder),
        "--submitter",
        "T",
        "--out",
        str(tmp_path / "t"),
        "--system",
        "box",
        "--json",
    )
    value = json.loads(out)
    assert code == 1  # as the tree is without a field
    assert value["unknown"] == {"box": ["cooling"]}
    assert [f["code"] for f in value["findings"]] == ["S2"]


def test_check_gives_0_when_clean_1_with_errors_and_2_for_a_missing_folder(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.csv"
    code, out, _ = run(capsys, "check", str(tree), "--round", "v5.1", "--csv", str(summary))
    assert (code, out.splitlines()[-1][:22]) == (0, "round v5.1: no errors ")
    assert len(summary.read_text().splitlines()) == 3
    (tree / "closed/Tester/calibration.md").unlink()
    code, out, _ = run(capsys, "check", str(tree), "--round", "v5.1", "--json")
    assert (code, json.loads(out)["summary"]["errors"]) == (1, 1)
    assert run(capsys, "check", str(tmp_path / "missing"))[0] == 2


def test_places_of_one_rule_stand_together_and_the_verdict_first_and_last(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system = next((tree / "closed/Tester/systems").glob("*.json"))
    fields = rounds.load("v5.1").fields.system
    system.write_text(json.dumps(json.loads(system.read_text()) | dict.fromkeys(fields, "")))
    _, out, _ = run(capsys, "check", str(tree), "--round", "v5.1", "--json")
    found = [each for each in json.loads(out)["findings"] if each["code"] == "S2"]
    _, out, _ = run(capsys, "check", str(tree), "--round", "v5.1")
    first, *_, last = out.splitlines()
    assert first == last and first.startswith("round v5.1: not a submission")
    assert len(found) > 5
    assert f"  {len(found) - 5} more of S2: --all" in out.splitlines()
    assert [each["message"] in out for each in found] == [place < 5 for place in range(len(found))]
    assert out.count(f"  fix:  {found[0]['fix']}") == out.count(f"error S2  {found[0]['path']}") == 1
    _, out, _ = run(capsys, "check", str(tree), "--round", "v5.1", "--all")
    assert all(each["message"] in out for each in found) and "more of S2" not in out


@pytest.mark.parametrize("workload", ["mixtral-8x7b", "mixtral-nano"])
def test_submit_ends_as_check_of_its_tree_and_an_example_is_expected_to_have_errors(
    workload: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_folder.write(tmp_path / "run", workload=workload, modes=("performance",))
    out, names = str(tmp_path / "tree"), ("--submitter", "T", "--round", "v5.1")
    made, said, _ = run(capsys, "submit", str(folder), "--out", out, *names)
    judged, told, _ = run(capsys, "check", out, "--round", "v5.1")
    as_json = json.loads(run(capsys, "check", out, "--round", "v5.1", "--json")[1])["summary"]
    is_example = workload == "mixtral-nano"
    assert made == judged == int(not is_example) and as_json["errors"] > 0
    assert (as_json["is_submission"], as_json["is_example"]) == (False, is_example)
    first = "mixtral-nano is in no round: its findings are by the rules of mixtral-8x7b"
    assert said.startswith(first) == told.startswith(first) == is_example
    assert ("example tree only" in told) == is_example
    assert run(capsys, "check", out, "--round", "v5.1", "--strict")[0] == 1


def test_strict_counts_warnings(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "extra").mkdir()
    assert run(capsys, "check", str(tree), "--round", "v5.1")[0] == 0
    assert run(capsys, "check", str(tree), "--round", "v5.1", "--strict")[0] == 1


def test_without_a_round_a_tree_is_written_and_judged_in_its_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_folder.write(tmp_path / "run")
    words = ("--out", str(tmp_path / "t"), "--submitter", "T", "--system", "box", "--json")
    assert json.loads(run(capsys, "submit", str(folder), *words)[1])["summary"]["round"] == "v5.1"
    judged = json.loads(run(capsys, "check", str(tmp_path / "t"), "--json")[1])
    assert judged["summary"]["round"] == "v5.1"


def test_audit_gives_1_for_a_misstatement_and_0_for_a_right_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "README.md"
    path.write_text(published.report())
    code, out, _ = run(capsys, "audit", str(path), "--json")
    assert code == 1
    assert json.loads(out)["summary"]["errors"] == 9
    path.write_text(published.right())
    assert run(capsys, "audit", str(path))[:2] == (0, "0 errors, 0 warnings, 0 notes\n")


@pytest.mark.parametrize("code", ["P10", "p10", "R3"])
def test_explain_gives_rule_source_and_fix(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "explain", code)
    assert status == 0
    assert out.startswith(code.upper())
    assert "source" in out
    assert "fix" in out


def test_an_unknown_code_gets_its_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "explain", "P100")
    assert code == 2
    assert "did you mean" in err


def test_explain_takes_several_codes_lists_all_in_natural_order_and_no_list_as_a_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = run(capsys, "explain", "A1", "p6")
    assert [line[:2] for line in out.splitlines() if line[:2] in ("A1", "P6")] == ["A1", "P6"]
    _, out, _ = run(capsys, "explain")
    codes = [line.split()[0] for line in out.splitlines()[:-1]]
    assert codes == sorted(codes, key=lambda code: (code[0], int(code[1:]))) and len(codes) > 80
    assert run(capsys, "explain", "A1", "ZZ")[::2] == (
        2,
        "assay: no finding has the code 'ZZ'\n  try: `assay explain` lists all codes\n",
    )


def test_a_file_of_a_run_is_answered_with_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_folder.write(tmp_path / "run")
    code, _, err = run(capsys, "report", str(folder / "result.json"))
    assert code == 2 and f"try: its run folder: {folder}" in err


def test_a_round_in_the_place_of_a_workload_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "rules", "v6.0")
    assert code == 2 and "try: assay rules --round v6.0" in err


def test_rules_show_gates_limits_and_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "rules", "mixtral-8x7b", "--round", "4.1-dev")
    assert code == 0
    for figure in ("45.036189", "131.31", "160.49", "3066443479025735752", "2000 ms", "200 ms", "1 to 1024"):
        assert figure in out
    assert json.loads(run(capsys, "rules", "--json")[1])["round"]["name"] == "v6.0"
    newest = rounds.rounds_of("llama2-70b-99")[-1]
    assert json.loads(run(capsys, "rules", "llama2-70b-99", "--json")[1])["round"]["name"] == newest


def test_rules_refuse_mixtral_outside_its_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "rules", "mixtral-8x7b", "--round", "v6.1")
    assert code == 2
    assert "dropped after v6.0" in err


def test_a_test_with_limits_needs_the_run_that_it_belongs_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.json"
    log.write_text(run_folder.answers(1))
    status, _, err = run(capsys, "compliance", str(tmp_path), "--verify", str(log), "--test", "TEST09")
    assert status == 2
    assert "TEST09 needs the limits of its round" in err


@pytest.mark.parametrize(("count", "code"), [(100, 0), (0, 1)])
def test_a_sampled_log_is_verified_and_filed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, code: int
) -> None:
    log = tmp_path / "log.json"
    log.write_text(run_folder.answers(count))
    status, out, _ = run(
        capsys, "compliance", str(tmp_path), "--verify", str(log), "--scenario", "server", "--json"
    )
    assert status == code
    assert json.loads(out)["tests"]["TEST06 Server"]["samples"] == count
    assert (tmp_path / "Server/compliance/TEST06/verify_accuracy.txt").is_file()


def test_a_run_folder_is_no_tree_and_its_tree_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests import fakes

    fakes.result().write(tmp_path)
    assert main(["check", str(tmp_path)]) == 2
    assert f"assay submit {tmp_path} --submitter NAME --out TREE" in capsys.readouterr().err
    (tmp_path / "submission").mkdir()
    assert main(["check", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "is a run folder, not a submission tree" in said and f"assay check {tmp_path}/submission" in said
