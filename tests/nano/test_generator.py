"""What the grammars write: the same each time, apart between splits, right by their own rules, no rote learning."""

from __future__ import annotations

import re
from itertools import islice, pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from assay.nano.generator import distinct_samples, training_stream, write_sample
from assay.nano.grammar.instruction import write_instruction
from assay.nano.grammar.problem import LARGEST, write_problem
from assay.nano.grammar.program import write_program
from assay.nano.grammar.prompt import STOP_SEQUENCE
from assay.nano.grammar.sample import SUBSETS, GeneratedSample, split_of
from assay.nano.grammar.step import LANGUAGES, STEPS
from assay.nano.rows import DATASET_SEED

NUM_TRAINING = 6000


@pytest.fixture(scope="module")
def training() -> list[GeneratedSample]:
    return list(islice(training_stream(2026), NUM_TRAINING))


@pytest.fixture(scope="module")
def testing() -> list[GeneratedSample]:
    return [s for subset in SUBSETS for s in distinct_samples(subset, "test", 200, DATASET_SEED)]


def test_the_same_seed_writes_the_same_samples() -> None:
    once, again = (list(islice(training_stream(11), 30)) for _ in range(2))
    assert once == again
    assert list(islice(training_stream(11, start=20), 10)) == once[20:]
    assert list(islice(training_stream(12), 30)) != once


def test_no_test_exercise_or_prompt_is_ever_trained_on(
    training: list[GeneratedSample], testing: list[GeneratedSample]
) -> None:
    assert all(split_of(s.content) == "train" for s in training)
    assert not {s.content for s in training} & {s.content for s in testing}
    assert not {s.prompt for s in training} & {s.prompt for s in testing}


def test_calibration_shares_no_exercise_with_test_or_training(
    training: list[GeneratedSample], testing: list[GeneratedSample]
) -> None:
    apart = {
        s.content for subset in SUBSETS for s in distinct_samples(subset, "calibration", 50, DATASET_SEED)
    }
    assert not apart & {s.content for s in [*training, *testing]}


def test_the_test_asks_for_chains_of_operations_that_training_never_shows(
    training: list[GeneratedSample], testing: list[GeneratedSample]
) -> None:
    def chain(sample: GeneratedSample) -> str:
        return "|".join(step.split()[0] for step in sample.content.split("|"))

    def pairs(sample: GeneratedSample) -> set[tuple[str, str]]:
        domain, *steps, _ = (word.split(":")[0] for word in sample.content.split())
        return {(f"{domain} {a}", b) for a, b in pairwise(steps)}

    known_chains = {chain(s) for s in training if s.subset == "GSM8K"}
    new_chains = [s for s in testing if s.subset == "GSM8K" and chain(s) not in known_chains]
    known_pairs = {pair for s in training if s.subset == "MBXP" for pair in pairs(s)}
    new_pairs = [s for s in testing if s.subset == "MBXP" and not pairs(s) <= known_pairs]
    assert len(new_chains) > 20
    assert len(new_pairs) > 20


def test_every_working_in_a_problem_is_true_and_leads_to_its_answer() -> None:
    operations = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
    }
    for i in range(500):
        sample = write_problem(Random(i))
        workings = re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", sample.answer)
        assert len(workings) >= 2
        for left, sign, right, result in workings:
            assert operations[sign](int(left), int(right)) == int(result) <= LARGEST
        assert sample.answer.endswith(f"The answer is {sample.truth}.")
        assert sample.truth == workings[-1][3]


def test_prompts_have_the_official_beginnings() -> None:
    starts = {
        "OpenOrca": "<s>[INST] ",
        "GSM8K": "<s> [INST] As an expert problem solver solve s",
        "MBXP": "<s> [INST] Complete the following code. Be con",
    }
    for subset, start in starts.items():
        assert write_sample(subset, "train", "x").prompt.startswith(start)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_program_repeats_the_prompt_and_ends_with_the_stop_sequence(language: str) -> None:
    for i in range(40):
        sample = write_program(Random(i), language)
        assert sample.answer.startswith(sample.question)
        assert sample.answer.endswith(STOP_SEQUENCE)
        assert sample.answer.count("```") == 1
        assert sample.entry_point in sample.truth or language == "python"


def test_a_step_without_a_constant_has_none_in_its_content() -> None:
    for domain, kinds in STEPS.items():
        for kind in kinds:
            uses_constant = any("{k}" in template for template in kind.code)
            assert bool(kind.constant(Random(1)) != "") == uses_constant, (domain, kind.name)
            assert ("{k}" in kind.phrase) == uses_constant


def test_right_python_programs_pass_their_tests_and_broken_ones_do_not() -> None:
    broken = 0
    for i in range(60):
        sample = write_program(Random(i), "python")
        code = sample.answer.split("```")[0]
        assert _passes(code, sample)
        broken += not _passes(code.replace("return ", "return not "), sample)
    assert broken == 60


def test_instructions_keep_all_their_words_in_the_answer() -> None:
    for i in range(300):
        sample = write_instruction(Random(i))
        if sample.content.startswith(("sort", "reverse", "number")):
            asked = set(re.findall(r"\w+", sample.question.split(":", 1)[1]))
            assert asked <= set(re.findall(r"\w+", sample.answer))


def test_the_answer_of_the_nearest_training_prompt_is_rarely_right(
    training: list[GeneratedSample], testing: list[GeneratedSample]
) -> None:
    """The bound that says what memorising is worth; the copied program even gets the name that is asked for."""
    problems = [s for s in testing if s.subset == "GSM8K"]
    copied = _nearest(problems, [s for s in training if s.subset == "GSM8K"])
    assert np.mean([a.truth == b.truth for a, b in zip(problems, copied)]) <= 0.2
    programs = [s for s in testing if s.language == "python"]
    copied = _nearest(programs, [s for s in training if s.language == "python"])
    passed = []
    for asked, found in zip(programs, copied):
        renamed = found.answer.split("```")[0].replace(found.entry_point, asked.entry_point)
        passed.append(_passes(renamed, asked))
    assert np.mean(passed) <= 0.2


def _nearest(asked: list[GeneratedSample], known: list[GeneratedSample]) -> list[GeneratedSample]:
    """For each prompt the known one with the most rare words in common (cosine of weighted word counts)."""
    words: dict[str, int] = {}
    texts = [re.findall(r"\w+|[^\w\s]", s.prompt) for s in [*known, *asked]]
    for text in texts:
        for word in text:
            words.setdefault(word, len(words))
    counts = np.zeros((len(texts), len(words)), dtype=np.float32)
    for row, text in zip(counts, texts):
        np.add.at(row, [words[word] for word in text], 1)
    counts *= np.log(len(texts) / (counts > 0).sum(axis=0))
    counts /= np.linalg.norm(counts, axis=1, keepdims=True)
    best = (counts[len(known) :] @ counts[: len(known)].T).argmax(axis=1)
    return [known[i] for i in best]


def _passes(code: str, sample: GeneratedSample) -> bool:
    names: dict[str, Any] = {}
    try:
        exec(code + "\n" + sample.truth, names)
        names["check"](names[sample.entry_point])
    except Exception:
        return False
    return True
