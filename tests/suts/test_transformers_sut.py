from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assay.config import Device, Precision
from assay.ground import memory
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import Answer, FirstToken, Query, SutSpec
from assay.mlperf.workloads.workload import Decoding, Generation
from assay.suts import transformers_load
from assay.suts import transformers_sut as transformers

VOCAB = 64
STOP = (5, 6)


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.answers: dict[int, list[int]] = {}
        self.firsts: list[FirstToken] = []
        self.lock = threading.Lock()

    def first_tokens(self, tokens: Sequence[FirstToken]) -> None:
        self.firsts += tokens

    def done(self, answers: Sequence[Answer]) -> None:
        with self.lock:
            self.answers |= {a.id: list(a.token_ids) for a in answers}

    def progress(self, message: str) -> None:
        pass


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded Mixtral of a few thousand parameters, in Hugging Face format."""
    import torch
    from transformers import MixtralConfig, MixtralForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(3)
    config = MixtralConfig(
        vocab_size=VOCAB,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_local_experts=4,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.4,
    )
    MixtralForCausalLM(config).save_pretrained(folder)
    return folder


def sample(index: int, *prompt: int, subset: str = "GSM8K", stop: tuple[int, ...] = (2,)) -> Sample:
    return Sample(index, f"t.{index}", subset, "p", prompt, "1", (), stop)


SAMPLES = [sample(i, 1, *range(3 + i, 9 + 3 * i)) for i in range(7)]


def spec(checkpoint: Path | None, **changes: object) -> SutSpec:
    values: dict[str, object] = {
        "kind": "transformers",
        "checkpoint": checkpoint,
        "device": Device.CPU,
        "precision": Precision.FLOAT32,
        "batch": 1,
        "generation": Generation(min_new_tokens=2, max_new_tokens=12, eos_id=2),
        "server": False,
    }
    return SutSpec(**{**values, **changes})  # type: ignore[arg-type]


def answers(made: SutSpec, samples: Sequence[Sample] = SAMPLES) -> Collected:
    sink = Collected()
    sut = transformers.build(made, samples, sink)
    sut.issue([Query(100 + s.index, s.index) for s in samples])
    sut.flush()
    sut.close()
    return sink


def test_every_query_is_answered_once_under_its_own_id(checkpoint: Path) -> None:
    sink = answers(spec(checkpoint))
    assert sorted(sink.answers) == [100 + s.index for s in SAMPLES]
    assert all(2 <= len(ids) <= 12 for ids in sink.answers.values())
    assert sink.firsts == []


def test_another_data_set_is_answered_by_the_model_that_is_loaded(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under its own rules, as a model that was loaded for it."""
    short = Generation(min_new_tokens=2, max_new_tokens=5, eos_id=2)
    later = [sample(i, 1, *range(20 + i, 24 + 2 * i)) for i in range(9)]
    sink = Collected()
    sut = transformers.build(spec(checkpoint), SAMPLES, sink)
    monkeypatch.setattr(transformers_load, "load", None)
    sut.renew(spec(checkpoint, generation=short), later)
    sut.issue([Query(100 + s.index, s.index) for s in later])
    sut.flush()
    with pytest.raises(ArtifactError, match="another tokenizer"):
        sut.renew(spec(checkpoint), [sample(0, 1, 10**6)])
    sut.close()
    monkeypatch.undo()
    assert sink.answers == answers(spec(checkpoint, generation=short), later).answers


def test_a_batch_gives_the_tokens_of_one_at_a_time(checkpoint: Path) -> None:
    one = answers(spec(checkpoint)).answers
    assert answers(spec(checkpoint, batch=3)).answers == one
    assert answers(spec(checkpoint, batch=7), SAMPLES[::-1]).answers == one


def test_the_tokens_are_those_of_plain_greedy_argmax(checkpoint: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    ids, new = list(SAMPLES[2].prompt_ids), []
    with torch.inference_mode():
        while len(new) < 12:
            logits = model(torch.tensor([ids])).logits[0, -1]
            if len(new) < 2:
                logits[2] = -torch.inf
            new.append(int(logits.argmax()))
            ids.append(new[-1])
            if new[-1] == 2:
                break
    assert answers(spec(checkpoint)).answers[102] == transformers.finish(
        new, SAMPLES[2], spec(None).generation
    )


def test_first_tokens_are_told_once_each_in_server(checkpoint: Path) -> None:
    sink = answers(spec(checkpoint, batch=3, server=True))
    assert sorted(t.id for t in sink.firsts) == sorted(sink.answers)
    for told in sink.firsts:
        assert sink.answers[told.id][0] == told.token_id


def test_a_program_ends_with_its_stop_sequence(checkpoint: Path) -> None:
    free = answers(spec(checkpoint)).answers[103]
    stop = tuple(free[2:4])
    program = [sample(3, *SAMPLES[3].prompt_ids, subset="MBXP", stop=stop)]
    ended = answers(spec(checkpoint), program).answers[103]
    assert tuple(ended[-2:]) == stop
    assert ended == free[: len(ended)]


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.FLOAT32])
def test_precision_is_read_back_from_the_weights(checkpoint: Path, precision: Precision) -> None:
    sut = transformers.build(spec(checkpoint, precision=precision), SAMPLES, Collected())
    used = sut.used()
    sut.close()
    assert used.precision == precision.value
    assert used.details["parameters"] > 0
    assert not used.is_fake


RULES = Generation(min_new_tokens=2, max_new_tokens=12, eos_id=2)


@pytest.mark.parametrize(
    ("ids", "stop", "kept"),
    [
        ([5, 7, 2, 2, 0], (), [5, 7]),
        ([7, 5, 6, 9, 5, 6], STOP, [7, 5, 6]),
        ([7, 5, 6, 9], (), [7, 5, 6, 9]),
        ([5, 7, 0], (), [5, 7, 0]),
        ([2, 2], (), [2, 2]),
        ([9, 2], (), [9, 2]),
        ([7, 8, 9], STOP, [7, 8, 9]),
    ],
)
def test_answers_are_cut_as_the_reference_cuts_them(
    ids: list[int], stop: tuple[int, ...], kept: list[int]
) -> None:
    assert transformers.finish(ids, sample(0, 1, stop=stop), RULES) == kept


def test_a_dataset_of_another_tokenizer_is_refused_before_loading(checkpoint: Path) -> None:
    with pytest.raises(ArtifactError, match="another tokenizer"):
        transformers.build(spec(checkpoint), [sample(0, 1, VOCAB)], Collected())


def test_a_missing_or_wrong_checkpoint_is_named(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="--checkpoint"):
        transformers.build(spec(None), SAMPLES, Collected())
    with pytest.raises(ArtifactError, match=r"config\.json is missing"):
        transformers.build(spec(tmp_path), SAMPLES, Collected())
    (tmp_path / "config.json").write_text((checkpoint / "config.json").read_text())
    with pytest.raises(ArtifactError, match="safetensors"):
        transformers.build(spec(tmp_path), SAMPLES, Collected())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ArtifactError, match="not a whole safetensors file"):
        transformers.build(spec(tmp_path), SAMPLES, Collected())


def test_a_checkpoint_that_lacks_a_tensor_is_refused_not_filled_at_random(
    checkpoint: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(checkpoint / "model.safetensors")
    lost = next(name for name in tensors if "input_layernorm" in name)
    del tensors[lost]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_text((checkpoint / "config.json").read_text())
    with pytest.raises(ArtifactError, match=r"1 missing tensors, as .*input_layernorm"):
        transformers.build(spec(tmp_path), SAMPLES, Collected())


def test_what_a_load_would_miss_is_told_before_it(checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(checkpoint / "model.safetensors")
    assert transformers_load.prepare(checkpoint, SAMPLES) == sum(
        tensor.numel() for tensor in tensors.values()
    )
    (tmp_path / "config.json").write_text((checkpoint / "config.json").read_text())
    norm = next(name for name in tensors if "input_layernorm" in name)
    whole, short = tensors[norm], tensors[norm][:-1].contiguous()
    cases = [
        ({norm: None}, "1 missing tensors, as .*input_layernorm"),
        ({norm: short}, "1 mismatched tensors, as .*input_layernorm"),
        ({"more.weight": whole.clone()}, None),  # passed over by transformers
        ({"model.embed_tokens.weight": None}, None),  # names that only transformers can tell
    ]
    for changes, words in cases:
        kept = {name: tensor for name, tensor in {**tensors, **changes}.items() if tensor is not None}
        save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
        if words is None:
            transformers_load.prepare(tmp_path, SAMPLES)
        else:
            with pytest.raises(ArtifactError, match=words):
                transformers_load.prepare(tmp_path, SAMPLES)


def test_quantised_weights_without_a_word_in_the_config_are_not_taken_for_numbers(
    checkpoint: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    tensors = load_file(checkpoint / "model.safetensors")
    name = next(name for name in tensors if ".experts." in name)
    tensors[name] = tensors[name].to(torch.float8_e4m3fn)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_text((checkpoint / "config.json").read_text())
    with pytest.raises(ConfigError, match=r"already quantised: .* is F8_E4M3"):
        transformers.build(spec(tmp_path), SAMPLES, Collected())


def test_what_the_checkpoint_prefers_is_not_followed_answers_are_greedy(
    checkpoint: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(checkpoint, tmp_path, dirs_exist_ok=True)
    wishes = {"repetition_penalty": 5.0, "no_repeat_ngram_size": 1, "suppress_tokens": [*range(3, 60)]}
    (tmp_path / "generation_config.json").write_text(json.dumps(wishes))
    assert answers(spec(tmp_path)).answers == answers(spec(checkpoint)).answers


def test_the_digest_is_of_the_weights_that_were_loaded(checkpoint: Path, tmp_path: Path) -> None:
    import shutil

    def digest(folder: Path) -> str | None:
        sut = transformers.build(spec(folder), SAMPLES, Collected())
        sut.close()
        return sut.used().weights_sha256

    shutil.copytree(checkpoint, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "model.safetensors", tmp_path / "consolidated.safetensors")
    assert digest(tmp_path) == digest(checkpoint)


def test_too_little_memory_is_refused_with_the_figures(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(EnvironmentProblem, match=r"[kMG]B are free"):
        transformers.build(spec(checkpoint), SAMPLES, Collected())


def test_a_failure_while_computing_reaches_whoever_waits(checkpoint: Path) -> None:
    sut = transformers.build(spec(checkpoint), SAMPLES, Collected())
    sut.issue([Query(1, 999)])
    with pytest.raises(Exception, match="transformers stopped"):
        sut.flush()
    sut.close()


def test_the_fixture_is_a_mixtral(checkpoint: Path) -> None:
    assert json.loads((checkpoint / "config.json").read_text())["architectures"] == ["MixtralForCausalLM"]


def test_any_of_several_end_of_sequence_ids_ends_an_answer() -> None:
    llama = replace(RULES, more_eos_ids=(3, 4))
    assert transformers.finish([5, 7, 4, 2], sample(0, 1), llama) == [5, 7]


def test_beams_answer_what_transformers_own_beam_search_does(checkpoint: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    rules = replace(RULES, decoding=Decoding(beams=4))
    made = answers(spec(checkpoint, batch=2, server=True, generation=rules))
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    for number, each in enumerate(SAMPLES):
        asked = torch.tensor([each.prompt_ids])
        out = model.generate(
            asked,
            attention_mask=torch.ones_like(asked),
            do_sample=False,
            num_beams=4,
            early_stopping=True,
            min_new_tokens=2,
            max_new_tokens=12,
            eos_token_id=2,
            pad_token_id=2,
        )
        ids = out[0, len(each.prompt_ids) :].tolist()
        assert list(made.answers[100 + number]) == transformers.finish(ids, each, rules)
        assert {token.id: token.token_id for token in made.firsts}[100 + number] == ids[0]


def test_a_model_that_is_spread_answers_as_one_that_is_not_and_says_what_is_where(
    checkpoint: Path, tmp_path: Path
) -> None:
    pytest.importorskip("accelerate")
    whole = {
        "model.embed_tokens": "cpu",
        "model.layers.0": "cpu",
        "model.layers.1": "disk",
        "model.norm": "cpu",
        "model.rotary_emb": "cpu",
        "lm_head": "cpu",
    }
    (tmp_path / "map.json").write_text(json.dumps(whole))
    answers = []
    for options in ({}, {"device_map": str(tmp_path / "map.json")}):
        sink = Collected()
        sut = transformers.build(spec(checkpoint, options=options), SAMPLES, sink)
        sut.issue([Query(index, index) for index in range(len(SAMPLES))])
        sut.flush()
        used = sut.used()
        sut.close()
        answers.append(sink.answers)
    assert answers[0] == answers[1]
    assert used.device == "cpu+disk" and used.precision == "float32"
    assert used.details["device_map"] == whole
    shares = used.details["devices"]
    assert sum(row["parameters"] for row in shares.values()) == used.details["parameters"]
    assert shares["disk"]["bytes"] > 0 and used.notes[0].startswith("weights are spread by accelerate: cpu ")


def test_memory_that_is_limited_puts_the_rest_on_disk(checkpoint: Path) -> None:
    pytest.importorskip("accelerate")
    sut = transformers.build(spec(checkpoint, options={"cpu_memory_gib": 0.0001}), SAMPLES, Collected())
    used = sut.used()
    sut.close()
    assert "disk" in used.details["devices"] and "disk" in used.device
