"""The course sample, and the official files if they are here."""

import re
from collections import Counter

import numpy as np
import pytest

from utils.data import (
    EMOTIONS,
    SAMPLE_FOLDER,
    SPLITS,
    DataError,
    load_goemotions,
    load_sample,
    read_split,
    tokenize,
)


@pytest.fixture(scope="module")
def sample() -> dict[str, tuple[list[str], np.ndarray, list[str]]]:
    return {split: read_split(SAMPLE_FOLDER / f"{split}.tsv") for split in SPLITS}


def test_the_sample_is_large_enough_for_every_label(sample):
    labels = np.concatenate([sample[split][1] for split in SPLITS])
    assert len(labels) >= 1400
    counts = dict(zip(EMOTIONS, labels.sum(axis=0, dtype=int).tolist(), strict=True))
    assert not {name: n for name, n in counts.items() if n < 40}
    assert 1 / 8 <= (labels.sum(axis=1) > 1).mean() <= 1 / 5
    for split in SPLITS:
        assert sample[split][1].any(axis=0).all(), f"a label is absent from {split}"


def test_the_sample_repeats_no_comment_and_no_id(sample):
    texts = [" ".join(tokenize(text)) for split in SPLITS for text in sample[split][0]]
    ids = [comment_id for split in SPLITS for comment_id in sample[split][2]]
    assert not [text for text, n in Counter(texts).items() if n > 1]
    assert not [comment_id for comment_id, n in Counter(ids).items() if n > 1]


def test_the_sample_names_no_user_and_no_address(sample):
    unfit = re.compile(r"https?:|www\.|\b[ur]/\w|@\w")
    assert not [text for split in SPLITS for text in sample[split][0] if unfit.search(text)]


def test_the_sample_shares_no_sentence_with_goemotions(sample, official):
    comments, sentences, runs = set(), set(), set()
    for split in SPLITS:
        for text in read_split(official / f"{split}.tsv")[0]:
            comments.add(" ".join(plain_words(text)))
            sentences |= long_sentences(text)
            runs |= runs_of_eight(text)
    shared = []  # where, not what: a comment of GoEmotions is not quoted, not even in a failure
    for split in SPLITS:
        for row, text in enumerate(sample[split][0], start=1):
            if " ".join(plain_words(text)) in comments:
                shared.append(f"{split}.tsv:{row} is a comment of GoEmotions")
            elif long_sentences(text) & sentences:
                shared.append(f"{split}.tsv:{row} has a sentence of GoEmotions")
            elif runs_of_eight(text) & runs:
                shared.append(f"{split}.tsv:{row} has eight words in a row from GoEmotions")
    assert not shared, "\n".join(shared)


def plain_words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower().replace("\u2019", "'"))


def long_sentences(text: str) -> set[str]:
    found = (plain_words(sentence) for sentence in re.split(r"[.!?\u2026]+", text))
    return {" ".join(words) for words in found if len(words) >= 4}


def runs_of_eight(text: str) -> set[str]:
    words = plain_words(text)
    return {" ".join(words[i : i + 8]) for i in range(len(words) - 7)}


def test_the_check_for_shared_sentences_can_fail():
    assert long_sentences("So. I was THERE with you! Ok") == {"i was there with you"}
    assert runs_of_eight("One two, three four five six seven eight!") == {
        "one two three four five six seven eight"
    }


def test_the_datasheet_stands_beside_the_sample():
    text = (SAMPLE_FOLDER / "README.md").read_text(encoding="utf-8")
    for part in ("Motivation", "Composition", "How it is checked", "Limits", "CC BY 4.0"):
        assert part in text


def test_the_sample_can_be_had_while_goemotions_is_there(write_files, fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("GOEMOTIONS_DIR", str(write_files(tmp_path)))
    assert len(load_goemotions("train").texts) == 2
    loaded = load_sample("dev", "sentiment")
    assert loaded.source.kind == "sample"
    assert loaded.texts == read_split(SAMPLE_FOLDER / "dev.tsv")[0]
    with pytest.raises(DataError, match="no split"):
        load_sample("nothing")
