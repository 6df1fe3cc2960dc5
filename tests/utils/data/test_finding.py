"""Finding, reading and encoding comments."""

import contextlib
import errno
import http.server
import re
import socket
import threading
import time

import pooch
import pytest

from utils.data import (
    DataError,
    DataSource,
    download_goemotions,
    find_goemotions,
    finding,
    load_goemotions,
)


class Server(http.server.ThreadingHTTPServer):
    """Serves files; `broken` maps a name to what goes wrong, `requests` is what was asked."""

    def __init__(self, files: dict[str, bytes]):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
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
        content = self.server.files[name]
        if fault not in ("trickles", "endless"):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body and fault == "altered":
            content = content.replace(b"a", b"o")
        if body and fault == "cut":
            content = content[:10]
        with contextlib.suppress(OSError):  # who asked has gone
            while body and fault in ("trickles", "endless"):
                self.wfile.write(b"x" if fault == "trickles" else b"x" * 100_000)
                self.wfile.flush()
                time.sleep(0.05 if fault == "trickles" else 0)
            if body:
                self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(files, fresh, monkeypatch):
    with Server(files) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(finding, "BASE_URL", f"http://127.0.0.1:{server.server_port}/")
        yield server
        server.shutdown()


# ------------------------------------------------------------------------------------- finding


def test_the_order_is_environment_cache_download_sample(
    write_files, server, fresh, monkeypatch, tmp_path
):
    folder = write_files(tmp_path / "mine")
    server.broken["HEAD"] = "absent"
    assert find_goemotions().kind == "sample"
    monkeypatch.setattr(finding, "_download_failure", None)
    del server.broken["HEAD"]
    assert find_goemotions() == DataSource("download", fresh)
    assert find_goemotions() == DataSource("cache", fresh)
    monkeypatch.setenv("GOEMOTIONS_DIR", str(folder))
    assert find_goemotions() == DataSource("GOEMOTIONS_DIR", folder)


def test_the_dataset_says_which_source_it_has(write_files, fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("GOEMOTIONS_DIR", str(write_files(tmp_path / "mine")))
    dataset = load_goemotions("train")
    assert dataset.source.kind == "GOEMOTIONS_DIR"
    assert "GOEMOTIONS_DIR" in repr(dataset)
    assert str(tmp_path) not in repr(dataset), "a notebook would commit the path"
    assert "kind gift" not in repr(dataset), "a notebook would commit the comments"


def test_a_wrong_goemotions_dir_is_never_passed_over(
    write_files, files, fresh, monkeypatch, tmp_path
):
    write_files(fresh)  # the cache would do, but the user asked for something else
    monkeypatch.setenv("GOEMOTIONS_DIR", str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"GOEMOTIONS_DIR.*typo, which is not a folder"):
        find_goemotions()
    (tmp_path / "typo").mkdir()
    (tmp_path / "typo" / "train.tsv").write_bytes(files["train.tsv"])
    with pytest.raises(DataError, match=r"GOEMOTIONS_DIR.*has no dev\.tsv"):
        load_goemotions("train")


def test_an_empty_goemotions_dir_counts_as_unset(write_files, fresh, monkeypatch):
    write_files(fresh)
    monkeypatch.setenv("GOEMOTIONS_DIR", "")
    assert find_goemotions().kind == "cache"


def test_download_keeps_the_three_files_and_is_not_repeated(files, server, fresh, capfd):
    assert load_goemotions("dev", "emotions").texts == ["This line scares me"]
    assert {path.name: path.read_bytes() for path in fresh.iterdir()} == files
    asked = len(server.requests)
    assert load_goemotions("test").source.kind == "cache"
    assert len(server.requests) == asked
    out, err = capfd.readouterr()
    assert err == "", "nbgrader takes stderr in a graded cell for a failure"
    assert "GoEmotions train.tsv" in out and "NOTICE" not in out


def test_only_the_missing_file_is_downloaded(write_files, server, fresh, capfd):
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


def test_a_damaged_cached_file_is_downloaded_again(write_files, files, server, fresh):
    write_files(fresh)
    (fresh / "train.tsv").write_bytes(files["train.tsv"][:-5])
    assert find_goemotions().kind == "download"
    assert (fresh / "train.tsv").read_bytes() == files["train.tsv"]


def test_a_damaged_cached_file_is_not_used_offline(write_files, files, fresh, capfd):
    write_files(fresh)
    (fresh / "train.tsv").write_bytes(files["train.tsv"][:-5])
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
    monkeypatch.setattr(finding, "_PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(finding, "BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/")
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


def test_a_download_that_trickles_is_given_up(server, fresh, monkeypatch, capfd):
    monkeypatch.setattr(finding, "_WHOLE_SECONDS", 0.5)
    server.broken["train.tsv"] = "trickles"
    assert find_goemotions().kind == "sample"
    assert "the download took longer than 0.5 seconds" in capfd.readouterr().out


def test_a_body_without_end_is_cut_off(server, fresh, monkeypatch, capfd):
    monkeypatch.setattr(finding, "_MOST_BYTES", 1_000_000)
    server.broken["dev.tsv"] = "endless"
    assert find_goemotions().kind == "sample"
    assert "a file has more than 1,000,000 bytes" in capfd.readouterr().out
    assert not (fresh / "dev.tsv").exists() and not list(fresh.glob("tmp*"))


def test_a_cache_that_cannot_be_read(write_files, fresh, monkeypatch, capfd):
    write_files(fresh)
    monkeypatch.setenv("GOEMOTIONS_OFFLINE", "1")

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(pooch, "file_hash", refuse)
    assert find_goemotions().kind == "sample"
    assert "the files in the cache are unreadable and were not used" in capfd.readouterr().out


def test_other_files_than_the_official_ones_are_used_and_called_so(
    write_files, fresh, monkeypatch, tmp_path
):
    folder = write_files(tmp_path / "mine")
    monkeypatch.setenv("GOEMOTIONS_DIR", str(folder))
    source = find_goemotions()
    assert source.official and str(source) == "the folder that GOEMOTIONS_DIR names"
    for name in finding.SHA256:
        with (folder / name).open("a") as file:
            file.write("another comment\t0\tid\n")
    source = find_goemotions()
    assert source.folder == folder and not source.official
    assert str(source).endswith("names, whose files are not the official ones")
    assert len(load_goemotions("dev").texts)


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


# ------------------------------------------------------------------- the official files, if here
