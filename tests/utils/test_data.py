"""Finding, reading and encoding comments."""

import errno
import hashlib
import http.server
import re
import socket
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pooch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils import data
from utils.data import (
    EMOTIONS,
    SAMPLE_FOLDER,
    SPLITS,
    TAXONOMIES,
    DataError,
    Vocabulary,
    describe,
    download_goemotions,
    find_goemotions,
    group_labels,
    label_names,
    length_coverage,
    load_goemotions,
    mean_vectors,
    read_split,
    tokenize,
    validate_file,
)

FILES = {
    "train.tsv": b"What a kind gift!\t0,15\ta1\nPlain weather today\t27\ta2\n",
    "dev.tsv": b"This line scares me\t14\tb1\n",
    "test.tsv": b"Nobody warned me about the llamas\t26,6\tc1\n",
}


def write_files(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """A process that has looked for nothing yet, on a machine with an empty cache, offline.

    The registry names the small files above, so they are the "official" ones here.
    """
    monkeypatch.delenv("GOEMOTIONS_DIR", raising=False)
    monkeypatch.delenv("GOEMOTIONS_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(data, "_download_failure", None)
    monkeypatch.setattr(data, "_notice_shown", False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(
        data, "SHA256", {n: hashlib.sha256(content).hexdigest() for n, content in FILES.items()}
    )
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)  # between retries
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setattr(data, "BASE_URL", f"http://127.0.0.1:{port}/")
    return tmp_path / "cache" / "goemotions"


class Server(http.server.ThreadingHTTPServer):
    """Serves FILES; `broken` maps a name to what goes wrong, `requests` is what was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.broken: dict[str, str] = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body: bool):
        name = self.path.lstrip("/")
        self.server.requests.append(f"{self.command} {name}")
        fault = self.server.broken.get(name, "") if body else self.server.broken.get("HEAD", "")
        if fault == "fails once":
            del self.server.broken[name]
        self.send_response({"fails once": 503, "absent": 404}.get(fault, 200))
        content = FILES[name]
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body and fault == "altered":
            content = content.replace(b"a", b"o")
        if body and fault == "cut":
            content = content[:10]
        if body:
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(fresh, monkeypatch):
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(data, "BASE_URL", f"http://127.0.0.1:{server.server_port}/")
        yield server
        server.shutdown()


# ------------------------------------------------------------------------------------- finding


def test_the_order_is_environment_cache_download_sample(server, fresh, monkeypatch, tmp_path):
    folder = write_files(tmp_path / "mine")
    server.broken["HEAD"] = "absent"
    assert find_goemotions().kind == "sample"
    monkeypatch.setattr(data, "_download_failure", None)
    del server.broken["HEAD"]
    assert find_goemotions() == data.DataSource("download", fresh)
    assert find_goemotions() == data.DataSource("cache", fresh)
    monkeypatch.setenv("GOEMOTIONS_DIR", str(folder))
    assert find_goemotions() == data.DataSource("GOEMOTIONS_DIR", folder)


def test_the_dataset_says_which_source_it_has(fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("GOEMOTIONS_DIR", str(write_files(tmp_path / "mine")))
    dataset = load_goemotions("train")
    assert dataset.source.kind == "GOEMOTIONS_DIR"
    assert "GOEMOTIONS_DIR" in repr(dataset)
    assert str(tmp_path) not in repr(dataset), "a notebook would commit the path"
    assert "kind gift" not in repr(dataset), "a notebook would commit the comments"


def test_a_wrong_goemotions_dir_is_never_passed_over(fresh, monkeypatch, tmp_path):
    write_files(fresh)  # the cache would do, but the user asked for something else
    monkeypatch.setenv("GOEMOTIONS_DIR", str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"GOEMOTIONS_DIR.*typo, which is not a folder"):
        find_goemotions()
    (tmp_path / "typo").mkdir()
    (tmp_path / "typo" / "train.tsv").write_bytes(FILES["train.tsv"])
    with pytest.raises(DataError, match=r"GOEMOTIONS_DIR.*has no dev\.tsv"):
        load_goemotions("train")


def test_an_empty_goemotions_dir_counts_as_unset(fresh, monkeypatch):
    write_files(fresh)
    monkeypatch.setenv("GOEMOTIONS_DIR", "")
    assert find_goemotions().kind == "cache"


def test_download_keeps_the_three_files_and_is_not_repeated(server, fresh, capfd):
    assert load_goemotions("dev", "emotions").texts == ["This line scares me"]
    assert {path.name: path.read_bytes() for path in fresh.iterdir()} == FILES
    asked = len(server.requests)
    assert load_goemotions("test").source.kind == "cache"
    assert len(server.requests) == asked
    out, err = capfd.readouterr()
    assert err == "", "nbgrader takes stderr in a graded cell for a failure"
    assert "GoEmotions train.tsv" in out and "NOTICE" not in out


def test_only_the_missing_file_is_downloaded(server, fresh, capfd):
    write_files(fresh)
    (fresh / "dev.tsv").unlink()
    assert find_goemotions().kind == "download"
    assert [r for r in server.requests if r.startswith("GET")] == ["GET dev.tsv"]
    out = capfd.readouterr().out
    assert "dev.tsv" in out and "train.tsv" not in out, "no bar for what is there"


def test_a_server_that_fails_once_is_asked_again(server, fresh):
    server.broken["train.tsv"] = "fails once"
    assert find_goemotions().kind == "download"
    assert server.requests.count("GET train.tsv") == 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("altered", r"dev\.tsv does not match its SHA-256"),
        ("cut", r"download of dev\.tsv broke off"),
        ("absent", r"download of dev\.tsv broke off \(HTTPError\)"),
    ],
)
def test_a_bad_download_is_never_taken_for_data(server, fresh, capfd, fault, said):
    server.broken["dev.tsv"] = fault
    assert find_goemotions().kind == "sample"
    assert {path.name for path in fresh.iterdir()} == {"train.tsv"}, "no half-written file"
    out, err = capfd.readouterr()
    assert re.search(said, out) and err == ""
    with pytest.raises(DataError, match=said):
        download_goemotions()


def test_a_damaged_cached_file_is_downloaded_again(server, fresh):
    write_files(fresh)
    (fresh / "train.tsv").write_bytes(FILES["train.tsv"][:-5])
    assert find_goemotions().kind == "download"
    assert (fresh / "train.tsv").read_bytes() == FILES["train.tsv"]


def test_a_damaged_cached_file_is_not_used_offline(fresh, capfd):
    write_files(fresh)
    (fresh / "train.tsv").write_bytes(FILES["train.tsv"][:-5])
    assert find_goemotions().kind == "sample"
    assert "files in the cache are damaged" in capfd.readouterr().out


def test_falling_back_to_the_sample_is_loud_once_and_on_stdout(fresh, capfd):
    for _ in range(3):
        assert find_goemotions().kind == "sample"
    out, err = capfd.readouterr()
    assert err == ""
    assert out.count("NOTICE") == 1
    for part in ("not GoEmotions", "will NOT match", "GOEMOTIONS_DIR", "no connection to 127"):
        assert part in out
    assert len(out.splitlines()) > 5


def test_no_network_is_an_error_for_who_asks_for_the_download(fresh):
    with pytest.raises(DataError, match=r"^GoEmotions cannot be downloaded: no connection to 127"):
        download_goemotions()


def test_after_one_failure_the_next_split_does_not_try_again(server, fresh):
    server.broken["HEAD"] = "absent"
    find_goemotions()
    assert server.requests == ["HEAD dev.tsv"]
    find_goemotions()
    assert server.requests == ["HEAD dev.tsv"]


def test_a_server_that_never_answers_is_given_up(fresh, monkeypatch, capfd):
    monkeypatch.setattr(data, "_PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(data, "BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert find_goemotions().kind == "sample"
    assert "gave no answer within 0.2 seconds" in capfd.readouterr().out


@pytest.mark.parametrize("value", ["1", "true"])
def test_offline_does_not_try(server, fresh, monkeypatch, capfd, value):
    monkeypatch.setenv("GOEMOTIONS_OFFLINE", value)
    assert find_goemotions().kind == "sample"
    assert server.requests == []
    assert "GOEMOTIONS_OFFLINE is set" in capfd.readouterr().out


def test_offline_zero_means_online(server, fresh, monkeypatch):
    monkeypatch.setenv("GOEMOTIONS_OFFLINE", "0")
    assert find_goemotions().kind == "download"


def test_allow_download_false_does_not_try(server, fresh):
    assert find_goemotions(allow_download=False).kind == "sample"
    assert server.requests == []


def test_a_full_disk_has_its_own_error(server, fresh, monkeypatch):
    def full(self, url, output_file, pooch, check_only=False):
        if check_only:
            return True
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    for ask in (find_goemotions, download_goemotions, load_goemotions):
        with pytest.raises(DataError, match=r"^No disk space is left for train\.tsv in .*cache"):
            ask()


def test_a_cache_that_cannot_be_written(server, fresh, capfd):
    fresh.parent.parent.joinpath("cache").write_text("a file where the folder should be")
    assert find_goemotions().kind == "sample"
    assert "cannot be written" in capfd.readouterr().out
    with pytest.raises(DataError, match="cannot be written"):
        download_goemotions()


# ------------------------------------------------------------------------------------- reading


@pytest.fixture
def load(fresh, monkeypatch, tmp_path):
    """Load a train.tsv with the given content."""

    def load(content: bytes | str, taxonomy: str = "emotions"):
        folder = write_files(tmp_path / "mine")
        content = content.encode() if isinstance(content, str) else content
        (folder / "train.tsv").write_bytes(content)
        monkeypatch.setenv("GOEMOTIONS_DIR", str(folder))
        return load_goemotions("train", taxonomy)

    return load


def test_load(load):
    dataset = load(FILES["train.tsv"])
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


def test_validate_file_counts_rows(tmp_path):
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


# -------------------------------------------------------------------------------------- labels


def test_every_emotion_is_in_exactly_one_group():
    for taxonomy, size in zip(TAXONOMIES, (28, 7, 4), strict=True):
        members = [name for group in data.GROUPS[taxonomy].values() for name in group]
        assert sorted(members) == sorted(EMOTIONS)
        assert len(label_names(taxonomy)) == size
        assert label_names(taxonomy)[-1] == "neutral"
        assert data.GROUPS[taxonomy]["neutral"] == ("neutral",)


def test_group_labels_are_the_union():
    emotions = np.zeros((4, 28), dtype=np.uint8)
    for row, names in enumerate(
        [("anger", "annoyance"), ("joy", "fear"), ("neutral", "confusion"), ()]
    ):
        emotions[row, [EMOTIONS.index(name) for name in names]] = 1
    ekman = group_labels(emotions, "ekman")
    assert ekman.dtype == np.uint8 and ekman.max() == 1
    names = label_names("ekman")
    assert [[names[j] for j in np.flatnonzero(row)] for row in ekman] == [
        ["anger"], ["fear", "joy"], ["surprise", "neutral"], []
    ]  # fmt: skip
    names = label_names("sentiment")
    assert [[names[j] for j in np.flatnonzero(r)] for r in group_labels(emotions, "sentiment")] == [
        ["negative"], ["positive", "negative"], ["ambiguous", "neutral"], []
    ]  # fmt: skip
    assert (group_labels(emotions, "emotions") == emotions).all()


# --------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t ", []),
        ("Hello, World.", ["hello", "world"]),
        ("I DON'T know, y'all'd've", ["i", "don't", "know", "y'all'd've"]),
        ("it\u2019s rock `n' roll'", ["it's", "rock", "n", "roll"]),
        ("well-known and/or snake_case", ["well", "known", "and", "or", "snake", "case"]),
        ("1,000 points, 3.5 of 7. 2nd!", ["1,000", "points", "3.5", "of", "7", "2nd", "!"]),
        ("No!!! Why??? What?!?! Hm!", ["no", "!", "why", "?", "what", "?!", "hm", "!"]),
        ("well.. ok.... fine\u2026 end.", ["well", "...", "ok", "...", "fine", "...", "end"]),
        ("[NAME]'s dog and [RELIGION]", ["[name]", "s", "dog", "and", "[religion]"]),
        ("[edited]", ["edited"]),
        ("fine :) no :( :'( ;-) :D :p", ["fine", ":)", "no", ":(", ":'(", ";-)", ":d", ":p"]),
        ("(note: this) <3 <30", ["note", "this", "<3", "30"]),
        ("https://example.org", ["https", "example", "org"]),
        ("\U0001f602\U0001f602", ["\U0001f602"] * 2),
        ("love\u2764\ufe0f", ["love", "\u2764"]),
        ("\U0001f44d\U0001f3fd", ["\U0001f44d"]),
        ("\U0001f937\U0001f3fb\u200d\u2640\ufe0f ok", ["\U0001f937\u200d\u2640", "ok"]),
        ("\u2764\ufe0f\u200d\U0001f525", ["\u2764\u200d\U0001f525"]),
        ("\U0001f1e8\U0001f1e6\U0001f1eb\U0001f1f7",
         ["\U0001f1e8\U0001f1e6", "\U0001f1eb\U0001f1f7"]),
        ("CAFE\u0301 \uff57\uff49\uff44\uff45", ["caf\u00e9", "wide"]),
    ],
)  # fmt: skip
def test_tokenize(text, words):
    assert tokenize(text) == words


@given(st.text(st.characters(codec="ascii")))
def test_a_word_stays_one_word(text):
    words = tokenize(text)
    assert tokenize(" ".join(words)) == words
    assert words == [word.lower() for word in words]


def test_vocabulary_orders_by_count_then_alphabet():
    vocabulary = Vocabulary.from_texts(["b a b c", "c a d", "e"], min_count=2)
    assert vocabulary.words == ("a", "b", "c")
    assert Vocabulary.from_texts(["b b a c"], min_count=1, max_size=2).words == ("b", "a")


def test_vocabulary_ids():
    vocabulary = Vocabulary(["yes", "no"])
    assert (vocabulary.PAD, vocabulary.UNK, len(vocabulary)) == (0, 1, 4)
    assert [vocabulary[word] for word in ("yes", "no", "never", "")] == [2, 3, 1, 1]
    assert "no" in vocabulary and "never" not in vocabulary


def test_encode_pads_and_cuts_at_the_end():
    vocabulary = Vocabulary(["a", "b"])
    ids = vocabulary.encode(["a b zzz a", "b", ""], length=3)
    assert ids.dtype == np.int64
    assert ids.tolist() == [[2, 3, 1], [3, 0, 0], [0, 0, 0]]
    assert vocabulary.encode([]).shape == (0, 27)


def test_oov_rate():
    vocabulary = Vocabulary(["a"])
    assert vocabulary.oov_rate(["a b", "a a"]) == 0.25
    assert vocabulary.oov_rate([""]) == 0


def test_vocabulary_rejects_what_would_go_wrong_later():
    with pytest.raises(DataError, match="'b' occurs more than once"):
        Vocabulary(["a", "b", "b"])
    with pytest.raises(DataError, match="not one string"):
        Vocabulary("abc")
    for ask in (Vocabulary.from_texts, Vocabulary(["a"]).encode, length_coverage):
        with pytest.raises(DataError, match="list of comments, not one string"):
            ask("a comment")


def test_length_coverage():
    texts = ["one", "one two", "one two three", "one two three four"]
    assert length_coverage(texts, length=2) == 0.5
    assert length_coverage(["word " * 27]) == 1
    assert length_coverage(["word " * 28]) == 0
    assert np.isnan(length_coverage([]))


def test_mean_vectors_by_hand():
    vectors = np.array([[100, 100], [1, 2], [3, 6]], dtype=np.float64)
    means = mean_vectors(np.array([[1, 2, 0], [2, 0, 0], [0, 0, 0], [2, 2, 1]]), vectors)
    assert means.dtype == np.float32 and means.shape == (4, 2)
    np.testing.assert_allclose(means, [[2, 4], [3, 6], [0, 0], [7 / 3, 14 / 3]], rtol=1e-6)


def test_mean_vectors_against_a_loop():
    generator = np.random.default_rng(0)
    ids, vectors = generator.integers(0, 9, (50, 6)), generator.normal(size=(9, 4))
    expected = [vectors[row[row > 0]].mean(axis=0) for row in ids]
    np.testing.assert_allclose(mean_vectors(ids, vectors), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ids", [[[3]], [[-1]]])
def test_mean_vectors_rejects_ids_without_a_vector(ids):
    with pytest.raises(ValueError, match="between 0 and 2"):
        mean_vectors(np.array(ids), np.ones((3, 2)))


def test_mean_vectors_of_nothing():
    assert mean_vectors(np.zeros((0, 27), dtype=int), np.ones((3, 2))).shape == (0, 2)


def test_describe(load):
    facts = describe(load(b"one two three\t0,1\ta\none\t1\tb\n" + b"w " * 28 + b"\t27\tc\n"))
    assert facts["rows"] == 3
    assert facts["labels_per_comment"] == pytest.approx(4 / 3)
    assert facts["share_with_several_labels"] == pytest.approx(1 / 3)
    assert facts["rows_per_label"]["amusement"] == 2 and facts["rows_per_label"]["joy"] == 0
    assert facts["median_words"] == 3
    assert facts["share_within_27_words"] == pytest.approx(2 / 3)


# ------------------------------------------------------------------- the official files, if here


@pytest.fixture(scope="module")
def official() -> Path:
    source = find_goemotions(allow_download=False)
    for name, known in data.SHA256.items():
        if pooch.file_hash(str(source.folder / name)) != known:
            pytest.skip("the official GoEmotions files are not on this machine")
    return source.folder


@pytest.mark.usefixtures("official")
def test_the_official_files_have_the_published_facts():
    facts = {split: describe(load_goemotions(split, "emotions")) for split in SPLITS}
    assert [facts[split]["rows"] for split in SPLITS] == [43410, 5426, 5427]
    assert facts["train"]["labels_per_comment"] == pytest.approx(1.18, abs=0.005)
    rare = {name: facts["test"]["rows_per_label"][name] for name in ("grief", "relief", "pride")}
    assert rare == {"grief": 6, "relief": 11, "pride": 16}
    assert all(facts[split]["share_within_27_words"] > 0.98 for split in SPLITS)
    assert {row.sum() for row in load_goemotions("test", "ekman").labels} <= {1, 2, 3, 4}


# -------------------------------------------------------------------------------- the course sample


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


def test_the_sample_can_be_had_while_goemotions_is_there(fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("GOEMOTIONS_DIR", str(write_files(tmp_path)))
    assert len(load_goemotions("train").texts) == 2
    loaded = data.load_sample("dev", "sentiment")
    assert loaded.source.kind == "sample"
    assert loaded.texts == read_split(SAMPLE_FOLDER / "dev.tsv")[0]
    with pytest.raises(DataError, match="no split"):
        data.load_sample("nothing")
