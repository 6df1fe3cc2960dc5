import pytest

from utils.claims import claim


def test_a_claim_is_silent_while_it_holds(capsys, monkeypatch):
    monkeypatch.setenv("COURSE_BUILD", "1")
    claim(True, "two and two are four")
    assert capsys.readouterr().out == ""


def test_a_claim_stops_a_build_and_only_tells_a_student(capsys, monkeypatch):
    monkeypatch.setenv("COURSE_BUILD", "1")
    with pytest.raises(AssertionError, match="no longer so that pigs fly: write the text anew"):
        claim(False, "pigs fly")
    monkeypatch.delenv("COURSE_BUILD")
    claim(False, "pigs fly")
    assert capsys.readouterr().out == "In your run it is not so that pigs fly.\n"
