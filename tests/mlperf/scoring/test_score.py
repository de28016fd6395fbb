import ast
import re
from collections.abc import Sequence

import numpy as np
import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring.log import Record
from assay.mlperf.scoring.programs.program import Grading, Program, ProgramVerdict
from assay.mlperf.scoring.score import accuracy_text, score
from assay.mlperf.workloads.scorers.mixtral_scorers import SCORERS, official_results
from tests.mlperf.scoring.conftest import WORDS, sample

SAMPLES = [
    sample(0, "GSM8K", "7"),
    sample(1, "OpenOrca", "the cat sat on a mat"),
    sample(2, "MBXP", "test", "ruby_run"),
    sample(3, "MBXP", "test", "kotlin_run"),
    sample(4, "GSM8K", "8"),
]


def ids(text: str) -> list[int]:
    return [WORDS.index(word) for word in text.split()]


def passes(programs: Sequence[Program]) -> Grading:
    return Grading(
        [ProgramVerdict("raise" not in program.solution) for program in programs], {"kind": "none"}
    )


def never(programs: Sequence[Program]) -> Grading:
    raise AssertionError("no program to grade")


def scored(
    answers: list[tuple[int, str]], words: Tokenizer, samples: Sequence[Sample] = SAMPLES, grade=passes
) -> dict[str, Score]:
    records = [Record(index, ids(text)) for index, text in answers]
    return {s.metric: s for s in score(records, samples, words, grade, SCORERS)}


ALL = [(0, "The answer is 7 ."), (1, "the cat sat on a mat"), (2, "puts 1 </s>"), (4, "so 9")]


def test_every_metric_is_there_with_its_n(words: Tokenizer) -> None:
    scores = scored(ALL, words)
    assert {metric: (s.value, s.n) for metric, s in scores.items()} == {
        "rouge1": (100.0, 1),
        "rouge2": (100.0, 1),
        "rougeL": (100.0, 1),
        "gsm8k": (50.0, 2),
        "mbxp": (100.0, 1),
        "tokens_per_sample": (4.0, 4),
    }


def test_the_record_says_what_held_the_programs(words: Tokenizer) -> None:
    assert scored(ALL, words)["mbxp"].details["sandbox"] == {"kind": "none"}


def test_special_tokens_count_as_tokens_but_are_not_text(words: Tokenizer) -> None:
    seen: list[Program] = []

    def grade(programs: Sequence[Program]) -> Grading:
        seen.extend(programs)
        return passes(programs)

    assert scored([(2, "puts 1 </s>")], words, grade=grade)["tokens_per_sample"].value == 3.0
    assert "</s>" not in seen[0].solution


def test_of_duplicates_the_first_counts_and_the_mean_falls_as_it_does_officially(words: Tokenizer) -> None:
    scores = scored([(0, "The answer is 7"), (0, "The answer is 9")], words)
    assert (scores["gsm8k"].value, scores["gsm8k"].n) == (100.0, 1)
    assert scores["tokens_per_sample"].value == 2.0
    assert scores["tokens_per_sample"].details["duplicates"] == 1


def test_the_interval_of_tokens_per_sample_lies_round_its_value_with_duplicates_too(words: Tokenizer) -> None:
    tokens = scored([*ALL, (1, "a dogs run")], words)["tokens_per_sample"]
    assert tokens.value is not None and tokens.interval is not None
    low, high = tokens.interval
    assert (low + high) / 2 == pytest.approx(tokens.value, abs=0.06)


def test_how_many_of_the_samples_were_answered_is_kept(words: Tokenizer) -> None:
    details = scored([(0, "The answer is 7"), (0, "The answer is 7")], words)["tokens_per_sample"].details
    assert (details["answered"], details["samples"]) == (1, len(SAMPLES))


def test_a_missing_subset_is_unmeasured_never_zero(words: Tokenizer) -> None:
    scores = scored([(1, "a dogs run")], words, grade=never)
    for metric in ("gsm8k", "mbxp"):
        assert scores[metric].value is None
        assert scores[metric].n == 0
        assert "no" in scores[metric].reason


def test_one_ungraded_program_withholds_the_total_and_says_why(words: Tokenizer) -> None:
    def grade(programs: Sequence[Program]) -> Grading:
        return Grading([ProgramVerdict(True), ProgramVerdict(None, "no ruby: apt install ruby")])

    samples = [sample(0, "MBXP", "t", "cpp_f"), sample(1, "MBXP", "t", "ruby_f")]
    mbxp = scored([(0, "puts 1"), (1, "puts 1")], words, samples, grade)["mbxp"]
    assert mbxp.value is None
    assert mbxp.ungraded == 1
    assert "no ruby: apt install ruby (1 answer)" in mbxp.reason
    assert mbxp.details["ruby"] == {"passed": 0, "run": 0, "ungraded": 1}


def test_languages_that_are_never_run_leave_both_sides_of_the_share(words: Tokenizer) -> None:
    scores = scored([(2, "puts 1"), (3, "raise 1")], words)
    assert (scores["mbxp"].value, scores["mbxp"].n) == (100.0, 1)
    assert scores["mbxp"].details["not counted"] == {"kotlin": 1}


def test_an_empty_log_is_refused(words: Tokenizer) -> None:
    with pytest.raises(ArtifactError, match="holds no answers"):
        score([], SAMPLES, words, never, SCORERS)


def test_a_log_of_another_dataset_is_refused(words: Tokenizer) -> None:
    with pytest.raises(ArtifactError, match="answers sample 5, the dataset has 5 rows"):
        score([Record(5, [3])], SAMPLES, words, never, SCORERS)


def test_ids_of_another_tokenizer_are_refused(words: Tokenizer) -> None:
    with pytest.raises(ArtifactError, match="outside the tokenizer"):
        score([Record(0, [31_999])], SAMPLES, words, never, SCORERS)


def test_an_empty_answer_is_wrong_and_counts_no_tokens(words: Tokenizer) -> None:
    scores = scored([(0, ""), (1, "")], words)
    assert scores["gsm8k"].value == 0.0
    assert scores["rouge1"].value == 0.0
    assert scores["tokens_per_sample"].value == 0.0


def test_official_keys_stand_in_the_official_order(words: Tokenizer) -> None:
    records = [Record(index, ids(text)) for index, text in ALL]
    results = official_results(score(records, SAMPLES, words, passes, SCORERS))
    assert results == {
        "rouge1": 100.0,
        "rouge2": 100.0,
        "rougeL": 100.0,
        "gsm8k": 50.0,
        "mbxp": 100.0,
        "gen_len": 20,
        "gen_num": 4,
        "gen_tok_len": 16,
        "tokens_per_sample": 4.0,
    }
    assert list(results)[:3] == ["rouge1", "rouge2", "rougeL"]


def test_accuracy_text_is_readable_by_the_patterns_of_a_checker(words: Tokenizer) -> None:
    records = [Record(index, ids(text)) for index, text in ALL]
    text = accuracy_text(official_results(score(records, SAMPLES, words, passes, SCORERS)))
    for metric, value in [("rouge1", "100.0"), ("gsm8k", "50.0"), ("tokens_per_sample", "4.0")]:
        found = re.search(rf"'{metric}':\s+'?([\d.]+)'?", text)
        assert found is not None
        assert found.group(1) == value
    assert ast.literal_eval(text.split("Results")[1].strip())["gen_num"] == 4


PATTERNS = {
    "v4.0": r".*'{}':\s([\d.]+).*",
    "v5.1": r".*'{}':\s+'?([\d.]+)'?.*",
}
"""How the checkers search a line: from the first round on without quotes, rouge1 to rougeL later with or without."""


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize(
    "value", [45.4, 0.0, 8e-05, 1.5e-7, 3053113, 8984408.4, np.float64(82.299), np.int64(7)]
)
def test_every_target_of_every_round_is_read_out_of_accuracy_text_whatever_its_value(
    pattern: str, value: float
) -> None:
    metrics = {
        metric
        for name in rounds.official_names()
        for rules in rounds.load(name).workloads.values()
        for metric in rules.targets
    }
    assert {"rouge1", "rougeLsum", "gen_len", "exact_match", "tokens_per_sample", "mbxp"} <= metrics
    for metric in metrics:
        lines = accuracy_text({"before": 1.0, metric: value, "after": 2.0}).splitlines()
        found = [match[1] for line in lines if (match := re.match(pattern.format(metric), line))]
        assert [float(text) for text in found] == [pytest.approx(float(value), abs=1e-12)]


def test_accuracy_text_leaves_out_what_has_no_value(words: Tokenizer) -> None:
    def ungraded(programs: Sequence[Program]) -> Grading:
        return Grading([ProgramVerdict(None, "no sandbox") for _ in programs])

    text = accuracy_text(
        official_results(score([Record(2, ids("puts 1"))], SAMPLES, words, ungraded, SCORERS))
    )
    for absent in ("rouge1", "gsm8k", "mbxp", "gen_len"):
        assert absent not in text
