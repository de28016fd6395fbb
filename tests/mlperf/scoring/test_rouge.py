import pytest

from assay.mlperf.scoring.rouge import METRICS, f_measures

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
    original = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(list(METRICS), use_stemmer=True)
    ours = f_measures([r for r, _ in PAIRS], [p for _, p in PAIRS])
    for n, (reference, prediction) in enumerate(PAIRS):
        theirs = original.score(reference.strip(), prediction.strip())
        for metric in METRICS:
            assert ours[metric][n] == pytest.approx(theirs[metric].fmeasure, abs=1e-12)


def test_an_empty_answer_scores_zero() -> None:
    assert f_measures(["words"], [""]) == {metric: [0.0] for metric in METRICS}
