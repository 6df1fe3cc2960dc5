import pytest

from course.measuring import cache


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    """A cache of the test's own, and data that need not be looked for."""
    monkeypatch.setattr(cache, "BUILD", tmp_path / "cache")
    monkeypatch.setattr(cache, "data_digest", lambda: "the sample")
    return tmp_path / "cache"
