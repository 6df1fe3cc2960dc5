"""Logistic regressions on TF-IDF of words, word pairs and characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from course.measuring.teachers.base import Fold, texts_and_labels
from utils.data import tokenize

_TFIDF = partial(TfidfVectorizer, sublinear_tf=True)
FEATURES = {
    "words": partial(_TFIDF, analyzer=tokenize, min_df=2),
    "word pairs": partial(
        _TFIDF,
        tokenizer=tokenize,
        token_pattern=None,
        lowercase=False,
        ngram_range=(1, 2),
        min_df=2,
    ),
    "characters": partial(_TFIDF, analyzer="char_wb", ngram_range=(2, 5), min_df=3),
}


@dataclass
class LinearTeacher:
    """Each label on its own: features of :data:`FEATURES`, and the inverse penalty ``C``."""

    features: str
    C: float

    def fit(self, seed: int, checkpoint: Path, fold: Fold | None = None) -> None:
        texts, labels = texts_and_labels("train", fold)
        self.vectorizer = FEATURES[self.features]()
        solver = LogisticRegression(C=self.C, solver="liblinear", random_state=seed)
        self.model = OneVsRestClassifier(solver, n_jobs=1)
        self.model.fit(self.vectorizer.fit_transform(texts), labels)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.decision_function(self.vectorizer.transform(texts))

    def save(self, folder: Path) -> None:
        """Nothing: what it says of the comments is all that is used of it."""
