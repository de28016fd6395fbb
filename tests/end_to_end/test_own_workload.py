"""A workload that another package brings, as docs/extending.md shows it: the example itself is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import assay as tested
from tests import word_tokenizer

SOURCE = Path(tested.__file__).parents[1]
"""Of the package that is tested: another one may be installed."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "extending.md"
WORDS = ["<unk>", "<s>", "</s>", "What", "is", "the", "capital", "of", "Rome", "Paris", "Oslo", "Lima"]
ROWS, WRONG = 40, 3


def blocks(section: str, language: str) -> list[str]:
    """The blocks of a language in one section of the document."""
    text = DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def install(site: Path, name: str, code: str, entry: str) -> None:
    """As pip leaves a package: its module, and its metadata beside it."""
    (site / f"{name}.py").write_text(code)
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[assay.workloads]\n{entry}\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    code = blocks("A workload of your own", "python")[0]
    install(folder, "capitals", code, "capitals = capitals:WORKLOAD")
    parks = 'import dataclasses, capitals\nWORKLOAD = dataclasses.replace(capitals.WORKLOAD, name="parks", '
    install(folder, "parks", f'{parks}own_rules=None, official="")\n', "parks = parks:WORKLOAD")
    install(folder, "brief", blocks("A metric", "python")[0], "brief = brief:WORKLOAD")
    install(folder, "torn", "import no_such_thing\n", "torn = torn:WORKLOAD")
    install(folder, "hollow", "WORKLOAD = 3\n", "hollow = hollow:WORKLOAD")
    return folder


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer")
    word_tokenizer.write(path, WORDS, "<unk>")
    return path


@pytest.fixture(scope="module")
def capitals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 questions; the reference answers of the first three are wrong."""
    rows = []
    for number in range(ROWS):
        capital = WORDS[8 + number % 4]
        said = WORDS[8 + (number + 1) % 4] if number < WRONG else capital
        ids = [WORDS.index(said)] * 2
        truth = f"{capital} {capital}"
        rows.append(
            {"question": "?", "capital": truth, "prompt_ids": [1, 3, 4, 5, number % 7], "answer_ids": ids}
        )
    path = tmp_path_factory.mktemp("data") / "capitals.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def assay(site: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{SOURCE}", "COLUMNS": "200", **env}
    command = [sys.executable, "-m", "assay", *words]
    return subprocess.run(command, env=whole, capture_output=True, text=True, timeout=300, check=False)


def test_a_package_s_workload_runs_to_report_tree_and_check(
    site: Path, tokenizer: Path, capitals: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("--dataset", str(capitals), "--tokenizer", str(tokenizer), "--sut", "echo", "--out", str(out))
    done = assay(site, "bench", "capitals", *words, "--submit", "--allow-fake")
    assert "Exact match" in done.stdout, done.stdout + done.stderr
    result = json.loads((out / "result.json").read_text())
    accuracy = next(run for run in result["runs"] if run["mode"] == "accuracy")
    scores = {score["metric"]: score for score in accuracy["scores"]}
    assert scores["exact_match"]["value"] == 100 * (ROWS - WRONG) / ROWS and scores["exact_match"]["met"]
    assert (scores["words_per_answer"]["value"], scores["words_per_answer"]["high"]) == (2.0, 2.5)
    assert "'exact_match': 92.5" in (out / "Offline/accuracy/accuracy.txt").read_text()
    assert "1 to 2.5" in (out / "README.md").read_text()
    tree = out / "submission"
    assert list(tree.glob("open/*/results/*/capitals/Offline/performance/run_1/mlperf_log_detail.txt"))
    found = json.loads(assay(site, "check", str(tree), "--round", "v6.0", "--json").stdout)
    assert found


def test_an_answer_over_the_upper_limit_misses_its_target(
    site: Path, tokenizer: Path, capitals: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in capitals.read_text().splitlines()]
    long = [{**row, "answer_ids": row["answer_ids"] * 2} for row in rows]
    (tmp_path / "long.jsonl").write_text("".join(json.dumps(row) + "\n" for row in long))
    out, data = tmp_path / "run", str(tmp_path / "long.jsonl")
    words = ("--dataset", data, "--tokenizer", str(tokenizer), "--sut", "echo", "--mode", "accuracy")
    assay(site, "bench", "capitals", *words, "--out", str(out))
    scores = json.loads((out / "result.json").read_text())["runs"][0]["scores"]
    assert [(score["metric"], score["met"]) for score in scores] == [
        ("exact_match", False),
        ("words_per_answer", False),
    ]


@pytest.mark.parametrize("scenario", ["interactive", "singlestream"])
def test_every_scenario_that_it_declares_goes_through_loadgen(
    site: Path, tokenizer: Path, capitals: Path, tmp_path: Path, scenario: str
) -> None:
    out = tmp_path / "run"
    words = ("--dataset", str(capitals), "--tokenizer", str(tokenizer), "--sut", "echo", "--out", str(out))
    done = assay(site, "bench", "capitals", *words, "--scenario", scenario)
    assert done.returncode == 0, done.stdout + done.stderr
    name = {"interactive": "Interactive", "singlestream": "SingleStream"}[scenario]
    conf = (out / name / "user.conf").read_text()
    key = {"interactive": "capitals-interactive.Server.ttft_latency = 500"}
    assert key.get(scenario, "capitals.SingleStream.target_latency = ") in conf
    log = (out / name / "performance/run_1/mlperf_log_detail.txt").read_text()
    in_loadgen = {"interactive": "Server"}.get(scenario, name)
    assert f'"key": "effective_scenario", "value": "{in_loadgen}"' in log


def test_a_scenario_that_it_does_not_know_is_refused_by_name(site: Path) -> None:
    done = assay(site, "bench", "capitals", "--scenario", "multistream", "--sut", "echo")
    assert done.returncode == 2
    assert "MultiStream is not run: no round measures a language model in it" in done.stderr


def test_a_dataset_of_another_schema_names_what_is_missing(
    site: Path, tokenizer: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.jsonl").write_text('{"question": "?", "capitol": "Rome"}\n')
    words = ("--dataset", str(tmp_path / "other.jsonl"), "--tokenizer", str(tokenizer), "--sut", "echo")
    done = assay(site, "bench", "capitals", *words)
    assert done.returncode == 3 and "no column capital" in done.stderr


def test_a_broken_entry_is_told_with_its_package_and_stops_nobody(site: Path) -> None:
    listed = assay(site, "list").stdout
    assert "capitals" in listed and "workload 'torn' of package torn cannot be used" in listed
    assert "hollow:WORKLOAD is not a Workload" in assay(site, "plan", "hollow").stderr
    assert "did you mean capitals?" in assay(site, "bench", "capital").stderr


def test_one_more_metric_stands_in_report_and_record(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = assay(
        site, "bench", "brief", "--sut", "echo", "--samples", "6", "--mode", "accuracy", "--out", str(out)
    )
    assert "Brief answers" in done.stdout, done.stdout + done.stderr
    scores = json.loads((out / "result.json").read_text())["runs"][0]["scores"]
    assert scores[-1]["metric"] == "brief" and scores[-1]["unit"] == "%" and scores[-1]["n"] == 6


def test_a_round_of_ones_own_judges_its_own_workload(
    site: Path, tokenizer: Path, capitals: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "rounds").mkdir(parents=True)
    (home / "rounds/club.toml").write_text(blocks("A round", "toml")[0])
    rules = assay(site, "rules", "mixtral-8x7b", "--round", "club", ASSAY_HOME=str(home)).stdout
    assert "75" in rules
    out = tmp_path / "run"
    words = ("--dataset", str(capitals), "--tokenizer", str(tokenizer), "--sut", "echo", "--out", str(out))
    done = assay(site, "bench", "parks", *words, "--mode", "accuracy", ASSAY_HOME=str(home))
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((out / "result.json").read_text())
    assert result["round"] == "club"
    assert result["runs"][0]["scores"][0]["low"] == 90.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "club"\n', "club.toml is no round: 'run' is missing"),
        ('name = "club"\nbased_on = "v6"\n', "based_on is 'v6'"),
        ('name = "other"\nbased_on = "v6.0"\n', "calls itself 'other'"),
        ("name = ", "club.toml is no round"),
        ('name = "club"\nbased_on = "v6.0"\n[workloads.parks]\ntitle = "Parks"\n', "'suites' is missing"),
    ],
)
def test_a_broken_round_of_ones_own_is_told_with_its_file(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "rounds").mkdir()
    (tmp_path / "rounds/club.toml").write_text(text)
    done = assay(tmp_path, "rules", "mixtral-8x7b", "--round", "club", ASSAY_HOME=str(tmp_path))
    assert done.returncode == 2 and said in done.stderr
