"""The module that makes the course's own word vectors, with an encoder that says the same of all words."""

from dataclasses import replace

import numpy as np
import pytest

from course.measuring import word_vectors
from utils.data import SAMPLE_FOLDER, DataSource, load_sample, tokenize
from utils.embeddings import read_word_vectors


def test_words_seen_twice_and_those_of_the_sample_get_vectors_in_a_file(tmp_path, monkeypatch):
    texts = ["zyzzyva twice", "zyzzyva and onceonly"]
    path, asked = tmp_path / "assets" / "vectors.bin", []

    def distil_words(words, dim):
        asked.append(words)
        return np.ones((len(words), dim), np.float32)

    monkeypatch.setattr(word_vectors, "DISTILLED_FILE", path)
    monkeypatch.setattr(word_vectors, "distil_words", distil_words)
    monkeypatch.setattr(word_vectors, "find_goemotions", lambda: DataSource("cache", SAMPLE_FOLDER))
    data = replace(load_sample("train"), texts=texts)
    monkeypatch.setattr(word_vectors, "load_goemotions", lambda split: data)
    for _ in range(2):  # the second time the file is there
        word_vectors.main()
    words, values = read_word_vectors(path)
    assert words == asked[0] == asked[1] and values.shape == (len(words), 100)
    lines = (SAMPLE_FOLDER / "train.tsv").read_text(encoding="utf-8").splitlines()
    sample = {word for line in lines for word in tokenize(line.split("\t")[0])}
    assert "zyzzyva" in words and "onceonly" not in words
    assert len(words) == len(set(words)) and set(words) == sample | {"zyzzyva"}


def test_the_sample_is_no_data_to_make_them_from(tmp_path, monkeypatch):
    monkeypatch.setattr(word_vectors, "DISTILLED_FILE", tmp_path / "vectors.bin")
    monkeypatch.setattr(
        word_vectors, "find_goemotions", lambda: DataSource("sample", SAMPLE_FOLDER)
    )
    with pytest.raises(SystemExit, match="set GOEMOTIONS_DIR"):
        word_vectors.main()
    assert not list(tmp_path.iterdir())
