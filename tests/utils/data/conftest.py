"""Three small split files that stand for the official ones, and the official ones, if here."""

import hashlib
import socket
import sys
from pathlib import Path

import pooch
import pytest

from utils.data import SHA256, find_goemotions, finding


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    return {
        "train.tsv": b"What a kind gift!\t0,15\ta1\nPlain weather today\t27\ta2\n",
        "dev.tsv": b"This line scares me\t14\tb1\n",
        "test.tsv": b"Nobody warned me about the llamas\t26,6\tc1\n",
    }


@pytest.fixture(scope="session")
def write_files(files):
    """Write the small files into a folder, which is returned."""

    def write(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    return write


@pytest.fixture
def fresh(files, monkeypatch, tmp_path):
    """A process that has looked for nothing yet, on a machine with an empty cache, offline.

    The registry names the small files above, so they are the "official" ones here.
    """
    monkeypatch.delenv("GOEMOTIONS_DIR", raising=False)
    monkeypatch.delenv("GOEMOTIONS_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(finding, "_download_failure", None)
    monkeypatch.setattr(finding, "_notice_shown", False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(
        finding, "SHA256", {n: hashlib.sha256(content).hexdigest() for n, content in files.items()}
    )
    (handler,) = pooch.get_logger().handlers  # its stream is that of whenever pooch was imported
    monkeypatch.setattr(handler, "stream", sys.__stderr__)
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)  # between retries
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setattr(finding, "BASE_URL", f"http://127.0.0.1:{port}/")
    return tmp_path / "cache" / "goemotions"


@pytest.fixture(scope="module")
def official() -> Path:
    source = find_goemotions(allow_download=False)
    for name, known in SHA256.items():
        if pooch.file_hash(str(source.folder / name)) != known:
            pytest.skip("the official GoEmotions files are not on this machine")
    return source.folder
