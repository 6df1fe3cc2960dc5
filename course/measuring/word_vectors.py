"""Make ``utils/assets/word_vectors.bin``: word vectors distilled from all-MiniLM-L6-v2.

Run ``python -m course.measuring.word_vectors`` with the extra ``transformer`` and the real GoEmotions. The
words are those that stand at least twice in the training comments, and those of the course sample.
"""

from utils.data import (
    SAMPLE_FOLDER,
    Vocabulary,
    find_goemotions,
    load_goemotions,
    read_split,
    tokenize,
)
from utils.embeddings import DISTILLED_FILE, distil_words, write_word_vectors


def main() -> None:
    if find_goemotions().kind == "sample":
        raise SystemExit(
            "Word vectors for the course need the real GoEmotions; set GOEMOTIONS_DIR."
        )
    words = list(Vocabulary.from_texts(load_goemotions("train").texts, min_count=2).words)
    sample = {
        word for text in read_split(SAMPLE_FOLDER / "train.tsv")[0] for word in tokenize(text)
    }
    words += sorted(sample - set(words))
    DISTILLED_FILE.parent.mkdir(exist_ok=True)
    size = write_word_vectors(DISTILLED_FILE, words, distil_words(words, dim=100))
    print(f"{DISTILLED_FILE.name}: {len(words):,} words, 100 dimensions, {size:,} bytes")


if __name__ == "__main__":
    main()
