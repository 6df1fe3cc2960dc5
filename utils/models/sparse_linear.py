"""The sparse linear baseline: TF-IDF and logistic regression with an L1 penalty."""

import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from utils.data import tokenize
from utils.models.classifier import TextClassifier

BUCKET = "{:010d}"  # the number of a bucket as a word of SparseLinear


class SparseLinear(TextClassifier):
    """L1 logistic regression on TF-IDF unigrams, one binary classifier a label.

    The L1 penalty sets most weights to exactly 0. Words left without any weight are dropped and the
    model is fitted once more on the others, so that the TF-IDF norm needs no dropped word.

    Parameters
    ----------
    C : inverse strength of the L1 penalty; smaller keeps fewer words
    letters : how many letters of a word count, None for all. With few, forms of one word share their
        weights ("thank", "thanks", "thankful"), so that a small model knows more words.
    pairs : whether pairs of neighbouring words count as well
    buckets : into how many buckets the words are hashed, None for none. Words of one bucket share their
        weights, and the file holds numbers of buckets, at about a byte each, where words were.

    Attributes after ``fit``
    ------------------------
    words : list of str, the vocabulary, alphabetical; with ``buckets``, their numbers as text
    idf : float array of shape (words,)
    coef : scipy CSR array of shape (words, labels)
    intercept : float array of shape (labels,)

    Source: Tibshirani (1996), "Regression shrinkage and selection via the lasso"; buckets: Weinberger et
    al. (2009), "Feature hashing for large scale multitask learning", arXiv 0902.2206 (without signs).

    What people get wrong: words whose weights are all 0 are left out of the file, but counted in
    the norm of TF-IDF when the others were fitted. The model that is read back is then another one.

    >>> from utils.models import SparseLinear
    >>> texts, labels = ["so glad", "so sad"] * 10, np.array([[1, 0], [0, 1]] * 10)
    >>> model = SparseLinear("ekman", ["joy", "sadness"], C=10).fit(texts, labels)
    >>> model.words, model.predict(["glad to be here", "how sad"]).tolist()
    (['glad', 'sad'], [[True, False], [False, True]])
    """

    def __init__(
        self,
        taxonomy,
        label_names,
        thresholds=None,
        *,
        C: float = 0.5,
        letters: int | None = None,
        pairs: bool = False,
        buckets: int | None = None,
    ):
        super().__init__(taxonomy, label_names, thresholds)
        self.C, self.letters, self.pairs, self.buckets = C, letters, pairs, buckets

    def _analyze(self, text: str) -> list[str]:
        words = [word[: self.letters] for word in tokenize(text)]
        if self.pairs:
            words += [" ".join(pair) for pair in pairwise(words)]
        if self.buckets is None:
            return words
        return [BUCKET.format(zlib.crc32(word.encode()) % self.buckets) for word in words]

    def fit(self, texts: Sequence[str], labels: np.ndarray) -> "SparseLinear":
        """Fit on comments and a matrix (n, labels) of 0/1 labels, or of a teacher's probabilities.

        Raises
        ------
        ValueError
            If a label is not between 0 and 1.
        """
        labels = np.asarray(labels)
        if not ((labels >= 0) & (labels <= 1)).all():
            raise ValueError("labels must lie between 0 and 1")
        # min_count 3 spares the solver the half of the vocabulary that L1 would drop anyway.
        vectorizer = TfidfVectorizer(analyzer=self._analyze, min_df=3, sublinear_tf=True)
        coef, _ = self._solve(vectorizer.fit_transform(texts), labels)
        kept = sorted(vectorizer.get_feature_names_out()[np.abs(coef).sum(axis=1) > 0])
        vectorizer = TfidfVectorizer(analyzer=self._analyze, vocabulary=kept, sublinear_tf=True)
        coef, self.intercept = self._solve(vectorizer.fit_transform(texts), labels)
        return self._set(kept, vectorizer.idf_, coef, self.intercept)

    def _solve(self, features, labels) -> tuple[np.ndarray, np.ndarray]:
        solver = LogisticRegression(C=self.C, l1_ratio=1.0, solver="liblinear", random_state=0)
        soft = not np.isin(labels, (0, 1)).all()
        if soft:  # each comment twice: as a yes that weighs p, and as a no that weighs 1 - p
            features = sparse.vstack([features, features], format="csr")
        coefs, intercepts = [], []
        for column in labels.T:
            if column.min() == column.max() and column[0] in (0, 1):
                # A label that is absent (or always there) has no solver to fit: it gets a constant.
                coefs.append(np.zeros(features.shape[1]))
                intercepts.append(20.0 if column[0] else -20.0)
                continue
            if soft:
                answers = np.repeat([1, 0], len(column))
                solver.fit(features, answers, np.concatenate([column, 1 - column]))
            else:
                solver.fit(features, column)
            coefs.append(solver.coef_[0])
            intercepts.append(solver.intercept_[0])
        return np.stack(coefs, axis=1), np.array(intercepts)

    def _set(self, words, idf, coef, intercept) -> "SparseLinear":
        self.words, self.idf = list(words), np.asarray(idf, dtype=np.float64)
        self.coef, self.intercept = sparse.csr_array(coef), np.asarray(intercept)
        self._vectorizer = TfidfVectorizer(
            analyzer=self._analyze, vocabulary=self.words, sublinear_tf=True
        )
        self._vectorizer.idf_ = self.idf
        return self

    def predict_proba(self, texts, batch_size=256):
        if len(texts) == 0:
            return np.zeros((0, len(self.label_names)), dtype=np.float32)
        features = self._vectorizer.transform(texts)
        return expit((features @ self.coef).toarray() + self.intercept).astype(np.float32)
