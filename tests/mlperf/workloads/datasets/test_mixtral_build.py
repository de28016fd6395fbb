"""Builds a set from rows that we write in the schemas of GSM8K, MBXP and OpenOrca."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.data import tokenizer
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.scoring.log import Record
from assay.mlperf.scoring.programs.program import Grading, Program, ProgramVerdict
from assay.mlperf.scoring.score import score
from assay.mlperf.workloads.datasets import mixtral_build
from assay.mlperf.workloads.datasets.building import Order
from assay.mlperf.workloads.datasets.mixtral_rows import SCHEMA
from assay.mlperf.workloads.scorers.mixtral_scorers import SCORERS
from assay.nano.rows import COLUMNS


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """One id per byte, and a template that adds `<s>` as a Llama tokenizer does."""
    from tokenizers import AddedToken, decoders, models, pre_tokenizers, processors
    from tokenizers import Tokenizer as Fast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    fast = Fast(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    fast.add_special_tokens([AddedToken("<s>", special=True), AddedToken("</s>", special=True)])
    fast.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 256)])
    folder = tmp_path_factory.mktemp("letters")
    fast.save(str(folder / "tokenizer.json"))
    return tokenizer.load(folder)


def lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    gsm8k = [
        {
            "question": f"What is {n} plus 1,000?",
            "answer": f"It is <<{n}+1000={n + 1000}>>more.\n#### 1,00{n}",
        }
        for n in range(9)
    ]
    instruct = [
        {
            "id": f"flan.{n}",
            "system_prompt": "Be kind." if n % 2 else "",
            "question": f"Say {n}",
            "response": f"It is {n}.",
        }
        for n in range(6)
    ]
    folder = tmp_path / "mbxp"
    folder.mkdir()
    for language in ("python", "ruby"):
        rows = [
            {
                "prompt": f"# {language} {n}\n",
                "entry_point": f"f_{n}",
                "test": f"check {n}",
                "language": language,
                "canonical_solution": None if n == 0 else f"good {n}" if n % 2 else f"bad {n}",
            }
            for n in range(7)
        ]
        lines(folder / f"{language}.jsonl", rows)
    return {
        "gsm8k": lines(tmp_path / "train.jsonl", gsm8k),
        "mbxp": folder,
        "instruct": lines(tmp_path / "instruct.jsonl", instruct),
    }


def good_ones_pass(programs: Sequence[Program]) -> Grading:
    return Grading([ProgramVerdict("good" in program.solution) for program in programs])


def test_blocks_stand_in_the_official_order_and_schema(
    sources: Mapping[str, Path], letters: Tokenizer
) -> None:
    columns = mixtral_build.build(Order(sources, letters, 8))
    assert set(columns) == set(COLUMNS)
    assert columns["dataset"] == ["GSM8K"] * 3 + ["OpenOrca"] * 3 + ["MBXP"] * 2
    samples = SCHEMA.samples(columns, "built")
    assert {sample.language for sample in samples} == {None, "python", "ruby"}
    assert all(sample.prompt_ids[:2] == (256, 256) for sample in samples), "BOS stands twice"
    assert samples[0].prompt.startswith("<s> [INST] As an expert problem solver")
    assert samples[3].prompt.startswith("<s>[INST] ")
    assert samples[6].prompt.startswith("<s> [INST] Complete the following code. Be con")
    assert samples[0].id.startswith("train.")


def test_the_reference_answers_score_one_hundred_and_planted_errors_are_counted(
    sources: Mapping[str, Path], letters: Tokenizer
) -> None:
    samples = SCHEMA.samples(mixtral_build.build(Order(sources, letters, 12, grade=good_ones_pass)), "built")
    records = [Record(sample.index, sample.reference_ids) for sample in samples]
    perfect = {s.metric: s.value for s in score(records, samples, letters, good_ones_pass, SCORERS)}
    assert [perfect[m] for m in ("rouge1", "rouge2", "rougeL", "gsm8k", "mbxp")] == [100.0] * 5
    records[0] = Record(0, letters.encode("The answer is 5."))
    records[-1] = Record(11, letters.encode("nothing"))
    records[-2] = Record(10, [])
    planted = {s.metric: s.value for s in score(records, samples, letters, good_ones_pass, SCORERS)}
    assert (planted["gsm8k"], planted["mbxp"], planted["rouge1"]) == (75.0, 50.0, 100.0)


def test_a_gsm8k_answer_ends_in_the_official_phrase_without_calculator_marks(
    sources: Mapping[str, Path], letters: Tokenizer
) -> None:
    columns = mixtral_build.build(Order(sources, letters, 3))
    assert columns["gt_output"][0].isdigit()
    assert columns["ref_output"][0] == f"It is more.\nThe answer is {columns['gt_output'][0]}."


def test_a_program_ends_with_the_stop_sequence_and_its_ids(
    sources: Mapping[str, Path], letters: Tokenizer
) -> None:
    sample = SCHEMA.samples(mixtral_build.build(Order(sources, letters, 3)), "built")[-1]
    assert sample.subset == "MBXP"
    assert sample.reference_ids[-len(sample.stop_ids) :] == sample.stop_ids
    assert letters.decode([sample.stop_ids]) == ["\n```\n"]


def test_the_same_seed_gives_the_same_set_and_another_seed_another(
    sources: Mapping[str, Path], letters: Tokenizer
) -> None:
    first = mixtral_build.build(Order(sources, letters, 9, seed=1))
    assert mixtral_build.build(Order(sources, letters, 9, seed=1)) == first
    assert mixtral_build.build(Order(sources, letters, 9, seed=2)) != first


def test_only_programs_that_pass_are_taken_when_asked(
    sources: Mapping[str, Path], letters: Tokenizer
) -> None:
    columns = mixtral_build.build(Order(sources, letters, 12, grade=good_ones_pass))
    assert all("good" in text for text in columns["ref_output"][8:])


def test_a_missing_language_stops_the_choice_instead_of_dropping_its_rows(
    sources: Mapping[str, Path], letters: Tokenizer
) -> None:
    def ungraded(programs: Sequence[Program]) -> Grading:
        return Grading([ProgramVerdict(None, "no ruby") for _ in programs])

    with pytest.raises(ConfigError, match="cannot be graded: no ruby"):
        mixtral_build.build(Order(sources, letters, 3, grade=ungraded))


def test_too_few_rows_are_said_with_their_number(sources: Mapping[str, Path], letters: Tokenizer) -> None:
    with pytest.raises(ConfigError, match=r"10 rows of .* were asked for, and 5 can be used of"):
        mixtral_build.build(Order(sources, letters, 30))


def test_rows_beyond_the_limits_of_the_rules_are_left_out(
    sources: Mapping[str, Path], letters: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixtral_build, "ANSWER_TOKENS_MAX", 3)
    with pytest.raises(ConfigError, match="0 can be used of 5 problems: 5 too long"):
        mixtral_build.build(Order(sources, letters, 3))


def test_a_source_of_another_kind_is_named_with_its_line(
    sources: Mapping[str, Path], letters: Tokenizer
) -> None:
    lines(sources["instruct"], [{"id": "x", "question": "y"}])
    with pytest.raises(ArtifactError, match=r"instruct\.jsonl: line 1 has no system_prompt, response"):
        mixtral_build.build(Order(sources, letters, 3))


@pytest.mark.parametrize("value", [0.5, None, ["x"], {}])
def test_a_value_that_is_no_text_is_named_with_its_line(
    sources: Mapping[str, Path], letters: Tokenizer, value: object
) -> None:
    lines(sources["instruct"], [{"id": "x", "question": "y", "system_prompt": "", "response": value}])
    with pytest.raises(ArtifactError, match=r"instruct\.jsonl: line 1, response: text expected, not"):
        mixtral_build.build(Order(sources, letters, 3))


def test_a_set_built_from_the_real_data_scores_one_hundred(
    real_data: Path, letters: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One id per byte makes long prompts; the limits are not what is tested here.
    monkeypatch.setattr(mixtral_build, "PROMPT_TOKENS_MAX", 100_000)
    monkeypatch.setattr(mixtral_build, "ANSWER_TOKENS_MAX", 100_000)
    real = {
        "gsm8k": real_data / "gsm8k/train.jsonl",
        "mbxp": real_data / "mbxp",
        "instruct": real_data / "instruct/instruct-5000.jsonl",
    }
    samples = SCHEMA.samples(mixtral_build.build(Order(real, letters, 300, seed=7)), "built")
    records = [Record(s.index, s.reference_ids) for s in samples if s.subset != "MBXP"]
    values = {s.metric: s.value for s in score(records, samples, letters, good_ones_pass, SCORERS)}
    assert [values[m] for m in ("rouge1", "rouge2", "rougeL", "gsm8k")] == [100.0] * 4
