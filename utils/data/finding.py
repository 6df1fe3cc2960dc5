"""Where the comments are: a folder of the user's, the cache, a download, or the course sample."""

import errno
import logging
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from utils.errors import DataError

SPLITS = ("train", "dev", "test")

BASE_URL = (
    "https://raw.githubusercontent.com/google-research/google-research/master/goemotions/data/"
)
SHA256 = {
    "train.tsv": "1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5",
    "dev.tsv": "575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62",
    "test.tsv": "0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4",
}
SAMPLE_FOLDER = Path(__file__).parents[1] / "sample"


@dataclass(frozen=True)
class DataSource:
    """Where the comments came from.

    `kind` is "GOEMOTIONS_DIR", "cache", "download" or "sample"; `folder` holds the split files.
    """

    kind: str
    folder: Path

    @property
    def official(self) -> bool:
        """Whether all three files are those of GoEmotions, by their SHA-256."""
        return not _unusable(self.folder)

    def __str__(self) -> str:
        other = "" if self.official else ", whose files are not the official ones"
        return {
            "GOEMOTIONS_DIR": f"the folder that GOEMOTIONS_DIR names{other}",
            "cache": "the official GoEmotions files in the cache",
            "download": "the official GoEmotions files, downloaded just now",
            "sample": "the course sample, which is not GoEmotions",
        }[self.kind]


_CONNECT_SECONDS = 4  # for one address of the server
_READ_SECONDS = 30  # between two pieces of an answer
_WHOLE_SECONDS = 300  # for all files, however slowly they trickle
_MOST_BYTES = 50_000_000  # of a file; the largest has 3.6 million
_PROBE_SECONDS = 8  # for the first answer altogether, whatever the resolver and firewall do
_RETRIES = 2
_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows has no EDQUOT
_ADVICE = "set GOEMOTIONS_DIR to a folder that has train.tsv, dev.tsv and test.tsv"

# A process that could not download once does not make its user wait again for the next split.
_download_failure: str | None = None
_notice_shown = False


class _NoDownload(Exception):
    """Why the official files cannot be had, as half a sentence."""


def _cache() -> pooch.Pooch:
    return pooch.create(
        path=pooch.os_cache("goemotions"),
        base_url=BASE_URL,
        registry=SHA256,
        retry_if_failed=_RETRIES,
    )


def _unusable(folder: Path) -> dict[str, str]:
    """The official files that a folder cannot give: name -> "missing", "unreadable" or "damaged" (its
    SHA-256)."""
    problems = {}
    for name, known in SHA256.items():
        path = folder / name
        try:
            if not path.is_file():
                problems[name] = "missing"
            elif pooch.file_hash(str(path)) != known:
                problems[name] = "damaged"
        except OSError:
            problems[name] = "unreadable"
    return problems


def _probe(cache: pooch.Pooch) -> None:
    """Raise _NoDownload, within _PROBE_SECONDS, if the server cannot be reached.

    requests has no limit on an attempt as a whole: it waits for the resolver as long as that
    takes and tries every address in turn. Asking from a thread bounds the wait of somebody
    without a network; as a daemon, it does not keep the process alive either.
    """
    host = BASE_URL.split("/")[2]
    answer = [f"{host} gave no answer within {_PROBE_SECONDS} seconds"]

    def ask() -> None:
        downloader = pooch.HTTPDownloader(timeout=_CONNECT_SECONDS)
        try:
            found = cache.is_available("dev.tsv", downloader=downloader)
            answer[0] = "" if found else f"{host} does not have the files"
        except requests.RequestException as error:
            answer[0] = f"no connection to {host} ({type(error).__name__})"

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    if answer[0]:
        raise _NoDownload(answer[0])


class _Bar(tqdm):
    """A progress bar at whose limit a body ends that has no end."""

    def __bool__(self) -> bool:
        return True  # pooch asks for it, and a bar without a total would say False

    def update(self, n: float | None = 1) -> bool | None:
        if self.n > _MOST_BYTES:
            raise _NoDownload(f"a file has more than {_MOST_BYTES:,} bytes")
        return super().update(n)


def _download(cache: pooch.Pooch) -> None:
    """Fill the cache, within _WHOLE_SECONDS.

    requests limits the wait for each piece of an answer, so a server could hand out a byte at a
    time for days. As in _probe, a daemon thread is what can be left behind.
    """
    _probe(cache)
    problem: list[BaseException] = []

    def fetch() -> None:
        try:
            _fetch(cache)
        except BaseException as error:
            problem.append(error)

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(_WHOLE_SECONDS)
    if thread.is_alive():
        raise _NoDownload(f"the download took longer than {_WHOLE_SECONDS} seconds")
    if problem:
        raise problem[0]


def _fetch(cache: pooch.Pooch) -> None:
    """Fill the cache. pooch gives a file its name only after its SHA-256 was found right."""
    missing = list(_unusable(Path(cache.abspath)))
    log = pooch.get_logger()  # writes to stderr what the bar says
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        for name in missing:
            # stdout: nbgrader takes anything on stderr in a graded cell for a failure.
            with _Bar(desc=f"GoEmotions {name}", unit="B", unit_scale=True, file=sys.stdout) as bar:
                timeout = (_CONNECT_SECONDS, _READ_SECONDS)
                downloader = pooch.HTTPDownloader(progressbar=bar, timeout=timeout)
                cache.fetch(name, downloader=downloader)
    except requests.RequestException as error:
        raise _NoDownload(f"the download of {name} broke off ({type(error).__name__})") from error
    except ValueError as error:
        problem = f"the download of {name} does not match its SHA-256 and was thrown away"
        raise _NoDownload(problem) from error
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise DataError(
                f"No disk space is left for {name} in {cache.abspath}; free 5 MB, or {_ADVICE}."
            ) from error
        problem = f"{cache.abspath} cannot be written ({type(error).__name__})"
        raise _NoDownload(problem) from error
    finally:
        log.setLevel(level)


def download_goemotions() -> DataSource:
    """Download the three official split files into the user's cache, unless they are there.

    Each file is checked against its SHA-256 before it gets its name, so an interrupted or
    altered download is never taken for data.

    Raises
    ------
    DataError
        No network, a file that does not match its SHA-256, no disk space, or a cache folder
        that cannot be written.
    """
    cache = _cache()
    if not _unusable(Path(cache.abspath)):
        return DataSource("cache", Path(cache.abspath))
    try:
        _download(cache)
    except _NoDownload as error:
        raise DataError(
            f"GoEmotions cannot be downloaded: {error}; connect to the internet, or {_ADVICE}."
        ) from error
    return DataSource("download", Path(cache.abspath))


def find_goemotions(*, allow_download: bool = True) -> DataSource:
    """Find the three split files: GOEMOTIONS_DIR; the user's cache; a download; the sample.

    With `allow_download=False`, or the environment variable GOEMOTIONS_OFFLINE set to 1, the
    third step is left out. The sample is used only when nothing else can be had, and a notice
    says so on stdout, once in a process.

    Raises
    ------
    DataError
        GOEMOTIONS_DIR is set and does not name a folder with the three files (a wrong setting
        is never passed over in silence), or the disk is full.
    """
    global _download_failure
    if os.environ.get("GOEMOTIONS_DIR"):
        return _from_environment(Path(os.environ["GOEMOTIONS_DIR"]).expanduser())
    cache = _cache()
    problems = _unusable(Path(cache.abspath))
    if not problems:
        return DataSource("cache", Path(cache.abspath))
    if not allow_download:
        reason = "no download was asked for"
    elif os.environ.get("GOEMOTIONS_OFFLINE", "").lower() not in ("", "0", "false", "no"):
        reason = "GOEMOTIONS_OFFLINE is set"
    else:
        if _download_failure is None:
            try:
                _download(cache)
            except _NoDownload as error:
                _download_failure = str(error)
            else:
                return DataSource("download", Path(cache.abspath))
        reason = _download_failure
    for problem in ("damaged", "unreadable"):
        if problem in problems.values():
            reason += f"; the files in the cache are {problem} and were not used"
    _announce_sample(reason)
    return DataSource("sample", SAMPLE_FOLDER)


def _from_environment(folder: Path) -> DataSource:
    if not folder.is_dir():
        raise DataError(
            f"GOEMOTIONS_DIR is set to {folder}, which is not a folder; "
            "correct it, or unset it to use the cache, a download or the course sample."
        )
    for split in SPLITS:
        if not (folder / f"{split}.tsv").is_file():
            raise DataError(
                f"GOEMOTIONS_DIR is set to {folder}, which has no {split}.tsv; "
                "it must have train.tsv, dev.tsv and test.tsv."
            )
    return DataSource("GOEMOTIONS_DIR", folder)


def _announce_sample(reason: str) -> None:
    global _notice_shown
    if _notice_shown:
        return
    _notice_shown = True
    line = "=" * 78
    print(
        f"{line}\n"
        "NOTICE: these comments are the course sample, not GoEmotions.\n"
        "Everything runs, but scores will NOT match the published tables.\n"
        f"Why: {reason}.\n"
        "For the real data, connect to the internet and start again, or put train.tsv,\n"
        "dev.tsv and test.tsv into a folder and set GOEMOTIONS_DIR to it. They stand in\n"
        f"{BASE_URL}\n"
        f"{line}",
        flush=True,
    )
