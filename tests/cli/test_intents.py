"""Words of other tools are answered with ours; each of ours that a hint names is there."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from assay.cli import arguments, guard, intents
from assay.cli.verbs import CM_VERBS, VERBS
from assay.ground.errors import ConfigError

OF_OPTIONS = [
    hint for said in intents.OPTIONS.values() for hint in ((said,) if isinstance(said, str) else said)
]
HINTS = [*OF_OPTIONS, *intents.VERBS.values()]


def hint_of(*words: str) -> str:
    with pytest.raises(ConfigError, match="does not know") as error:
        guard._run_own(words[0], list(words[1:]))
    return error.value.hint


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("bench --concurrency 8", "--batch N; of a server --max-in-flight N"),
        ("tune --concurrency 8", "--batch N; of a server --max-in-flight N"),
        ("load mixtral-nano --url http://a --batch 8", "--concurrency N"),
        ("load mixtral-nano --url http://a --rps 8", "--rate QPS"),
        ("bench --rps 8", "--target-qps QPS"),
        ("load mixtral-nano --url http://a --min-duration 8s", "--duration T"),
        (
            "bench --max-num-seqs 8",
            '--batch N; of a server --max-in-flight N, or --sut serve --server-args "--max-num',
        ),
        (
            "bench --sut serve --server vllm --tensor-parallel-size 4",
            '--server-args "--tensor-parallel-size …"',
        ),
        ("plan --sut serve --max-model-len=8", '--server-args "--max-model-len …"'),
        ("load mixtral-nano --url http://a --max-model-len 8", "--url URL: the server there"),
        ("probe --url http://a", "the URL without an option: `assay probe URL`"),
        ("load mixtral-nano --url http://a --num-prompts 100", "--duration T: a level is as long"),
        (
            "load mixtral-nano --url http://a -tp 4",
            "--url URL: the server there was started with its own -tp",
        ),
        ("bench -tp 4", '--server-args "-tp …"'),
        ("load mixtral-nano --base-url http://a --port 8000", "--url http://HOST:PORT"),
        ("load --base-url http://a mixtral-nano --api-key x", "--api-key-env NAME"),
        ("load mixtral-nano --url http://a --backend vllm", "--api API"),
        ("score --base-url http://a", "`assay bench WORKLOAD --sut endpoint --url URL`"),
        ("compare a b --quantization int8", "`assay compare --help`"),
    ],
)
def test_a_hint_fits_the_verb(line: str, hint: str) -> None:
    assert hint_of(*line.split()).startswith(hint)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_no_hint_names_first_what_the_verb_does_not_know(verb: str) -> None:
    known = arguments.options(arguments.parser_of(verb, import_module(f"assay.cli.{VERBS[verb][0]}")))
    for word in intents.OPTIONS:
        first = re.match(r"--[a-z-]+", intents.option(word, known))
        assert first is None or first[0] in known, word


@pytest.mark.parametrize(
    ("verb", "words", "name", "value"),
    [
        ("load", "mixtral-nano --url http://a --request-rate 4 --max-concurrency 8", "rate", "4"),
        ("load", "mixtral-nano --url http://a --request-rate 4 --max-concurrency 8", "concurrency", "8"),
        ("load", "mixtral-nano --base-url http://a", "url", ["http://a"]),
        ("bench", "--base-url http://a --num-prompts 8", "limits.samples", "8"),
        ("bench", "--request-rate 4 --max-concurrency 8", "limits.target_qps", "4"),
        ("bench", "--request-rate 4 --max-concurrency 8", "sut_options.max_in_flight", ["8"]),
    ],
)
def test_names_of_vllm_bench_serve_are_taken(verb: str, words: str, name: str, value: object) -> None:
    parser = arguments.parser_of(verb, import_module(f"assay.cli.{verb}"))
    assert getattr(parser.parse_args(words.split()), name) == value


def test_no_word_of_ours_is_answered_as_one_of_another_tool() -> None:
    assert not set(intents.VERBS) & {*VERBS, *CM_VERBS}


@pytest.mark.parametrize("hint", sorted(set(HINTS)))
def test_a_verb_that_a_hint_names_is_a_verb(hint: str) -> None:
    assert set(re.findall(r"\bassay ([a-z]+)\b", hint)) <= {*VERBS, *CM_VERBS}


def test_an_option_is_written_with_its_dashes_and_a_verb_without() -> None:
    assert all(option.startswith("-") for option in intents.OPTIONS)
    assert not any(verb.startswith("-") for verb in intents.VERBS)
