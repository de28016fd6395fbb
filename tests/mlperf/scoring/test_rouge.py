import pytest
from rouge_score import rouge_scorer

from assay.ground.errors import EnvironmentProblem
from assay.mlperf.scoring.rouge import LSUM, METRICS, f_measures

PAIRS = [
    ("The quick brown foxes were jumping over dogs", "A quick brown fox jumped over the lazy dog"),
    ("Paris is the capital of France.\nIt lies on the Seine.", "  The capital is Paris, on the Seine!  "),
    ("", "something"),
    ("something", ""),
    ("été naïve 日本語", "ete naive 日本語 été"),
    ("a a a b", "a b b"),
    ("running runs ran easily flies", "run running ran easy fly"),
]


def test_figures_equal_those_of_google_rouge_score() -> None:
    metrics = (*METRICS, LSUM)
    original = rouge_scorer.RougeScorer(list(metrics), use_stemmer=True)
    ours = f_measures([r for r, _ in PAIRS], [p for _, p in PAIRS], metrics)
    for n, (reference, prediction) in enumerate(PAIRS):
        theirs = original.score(reference.strip(), prediction.strip())
        for metric in metrics:
            assert ours[metric][n] == pytest.approx(theirs[metric].fmeasure, abs=1e-12)


def test_an_empty_answer_scores_zero() -> None:
    assert f_measures(["words"], [""]) == {metric: [0.0] for metric in METRICS}


def test_a_figure_that_google_rouge_score_does_not_give_ends_the_scoring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = rouge_scorer.RougeScorer(["rouge1"], use_stemmer=True).score("a b c d", "a b")
    monkeypatch.setattr(rouge_scorer.RougeScorer, "score", lambda *_: wrong)
    with pytest.raises(EnvironmentProblem, match=r"rouge1 1\.0 where rouge-score gives 0\.66"):
        f_measures(["same words"] * 40, ["same words"] * 40, ["rouge1"])
