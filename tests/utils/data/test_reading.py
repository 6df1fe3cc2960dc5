"""Reading split files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.data import (
    SPLITS,
    DataError,
    describe,
    load_goemotions,
    read_split,
    validate_file,
)


@pytest.fixture
def load(write_files, fresh, monkeypatch, tmp_path):
    """Load a train.tsv with the given content."""

    def load(content: bytes | str, taxonomy: str = "emotions"):
        folder = write_files(tmp_path / "mine")
        content = content.encode() if isinstance(content, str) else content
        (folder / "train.tsv").write_bytes(content)
        monkeypatch.setenv("GOEMOTIONS_DIR", str(folder))
        return load_goemotions("train", taxonomy)

    return load


def test_load(files, load):
    dataset = load(files["train.tsv"])
    assert dataset.texts == ["What a kind gift!", "Plain weather today"]
    assert dataset.ids == ["a1", "a2"]
    assert dataset.labels.shape == (2, 28) and dataset.labels.dtype == np.uint8
    assert [np.flatnonzero(row).tolist() for row in dataset.labels] == [[0, 15], [27]]
    assert (dataset.taxonomy, dataset.split, len(dataset)) == ("emotions", "train", 2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "train.tsv is empty"),
        (b"\n\n", "train.tsv is empty"),
        (b"fine\t1\tid\nonly two\t1\n", "train.tsv:2 has 2 columns instead of 3"),
        (b"fine\t1\tid\n\nfine\t1\tid2\n", "train.tsv:2 has 1 columns instead of 3"),
        (b"a\ttab\t1\tid\n", "train.tsv:1 has 4 columns instead of 3"),
        (b"fine\t1\tid\nfine\t28\tid\n", "train.tsv:2 has label id 28, which is out of range"),
        (b"fine\t1,-1\tid\n", "train.tsv:1 has label id -1, which is out of range"),
        (b"x\t" + b"9" * 5000 + b"\tid\n", "train.tsv:1 has label id 9+... *, which is out of"),
        (b"text\tlabels\tid\n", "train.tsv:1 has 'labels' where a label id"),
        (b"fine\t\tid\n", "train.tsv:1 has '' where a label id"),
        (b"fine\t1,,2\tid\n", "train.tsv:1 has '' where a label id"),
        (b"fine\t1.0\tid\n", "train.tsv:1 has '1.0' where a label id"),
        ("fine\t\u0663\tid\n".encode(), "train.tsv:1 has '\u0663' where a label id"),
        (b"\t1\tid\n", "train.tsv:1 has an empty text"),
        (b"fine\t1\t\n", "train.tsv:1 has an empty comment id"),
        (b"fine\t1\tid\ncaf\xe9\t1\tid\n", "train.tsv:2 is not UTF-8"),
        ("fine\t1\tid\n".encode("utf-16"), "train.tsv:1 is not UTF-8"),
    ],
)
def test_a_bad_file_has_one_clear_error(load, content, said):
    with pytest.raises(DataError, match=said) as caught:
        load(content)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and len(message) < 500


def test_wrong_taxonomy_split_and_path(fresh, tmp_path):
    with pytest.raises(DataError, match="no taxonomy 'Ekman'; choose one of emotions, ekman"):
        load_goemotions("train", "Ekman")
    with pytest.raises(DataError, match="no split 'valid'; choose one of train, dev, test"):
        load_goemotions("valid")
    with pytest.raises(DataError, match="no file .*nowhere.tsv"):
        validate_file(tmp_path / "nowhere.tsv")
    with pytest.raises(DataError, match="is a folder"):
        validate_file(tmp_path)


def test_validate_file_counts_rows(write_files, tmp_path):
    assert validate_file(str(write_files(tmp_path) / "train.tsv")) == 2


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffone\t1\ta\ntwo\t2\tb\n",  # the mark of an editor on Windows
        "one\t1\ta\r\ntwo\t2\tb\r\n",  # git on Windows may rewrite line ends
        "one\t1\ta\ntwo\t2\tb",
        "one\t1\ta\ntwo\t 2 ,2\tb\n\n",
    ],
)
def test_harmless_differences_are_read(load, content):
    dataset = load(content)
    assert (dataset.texts, dataset.ids) == (["one", "two"], ["a", "b"])
    assert [np.flatnonzero(row).tolist() for row in dataset.labels] == [[1], [2]]


def test_quotes_and_rare_line_ends_stay_in_the_comment(load):
    texts = ['"Well, "quoted" he said', "a\u2028b\x85c\x0bd\x0ce\x1cf\rg", '"', " spaces "]
    assert load("".join(f"{t}\t27\tid{i}\n" for i, t in enumerate(texts))).texts == texts


comments = st.text(st.characters(exclude_characters="\t\n", exclude_categories=["Cs"])).filter(
    lambda text: text.strip()
)


@given(st.lists(st.tuples(comments, st.sets(st.integers(0, 27), min_size=1)), min_size=1))
def test_what_is_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "train.tsv"
    lines = [f"{t}\t{','.join(map(str, ids))}\tid{i}\n" for i, (t, ids) in enumerate(rows)]
    path.write_text("\ufeff" + "".join(lines), encoding="utf-8", newline="")
    texts, labels, _ = read_split(path)
    assert texts == [text for text, _ in rows]
    assert [set(np.flatnonzero(row).tolist()) for row in labels] == [ids for _, ids in rows]


def test_describe(load):
    facts = describe(load(b"one two three\t0,1\ta\none\t1\tb\n" + b"w " * 28 + b"\t27\tc\n"))
    assert facts["rows"] == 3
    assert facts["labels_per_comment"] == pytest.approx(4 / 3)
    assert facts["share_with_several_labels"] == pytest.approx(1 / 3)
    assert facts["rows_per_label"]["amusement"] == 2 and facts["rows_per_label"]["joy"] == 0
    assert facts["median_words"] == 3
    assert facts["share_within_27_words"] == pytest.approx(2 / 3)


@pytest.mark.usefixtures("official")
def test_the_official_files_have_the_published_facts():
    facts = {split: describe(load_goemotions(split, "emotions")) for split in SPLITS}
    assert [facts[split]["rows"] for split in SPLITS] == [43410, 5426, 5427]
    assert facts["train"]["labels_per_comment"] == pytest.approx(1.18, abs=0.005)
    rare = {name: facts["test"]["rows_per_label"][name] for name in ("grief", "relief", "pride")}
    assert rare == {"grief": 6, "relief": 11, "pride": 16}
    assert all(facts[split]["share_within_27_words"] > 0.98 for split in SPLITS)
    assert {row.sum() for row in load_goemotions("test", "ekman").labels} <= {1, 2, 3, 4}
