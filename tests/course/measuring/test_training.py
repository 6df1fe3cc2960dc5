"""What the models of several units are trained from."""

import numpy as np

from course.measuring.training import principal_vectors
from utils.data import Vocabulary, load_sample
from utils.embeddings import distilled_vectors


def test_principal_vectors_are_the_distilled_ones_on_their_first_axes_at_their_scale():
    vocabulary = Vocabulary.from_texts(load_sample("train").texts)  # thousands of words
    values = principal_vectors(vocabulary, 20)
    assert values.dtype == np.float32 and not values[Vocabulary.PAD].any()
    whole = distilled_vectors(vocabulary, 100).values.astype(np.float64)
    U, S, _ = np.linalg.svd(whole - whole.mean(axis=0), full_matrices=False)
    expected = U[:, :20] * S[:20] * np.sqrt(100 / 20)
    words = np.arange(len(vocabulary)) != Vocabulary.PAD
    np.testing.assert_allclose(np.abs(values[words]), np.abs(expected[words]), atol=1e-3)
