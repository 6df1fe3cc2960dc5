"""Who handed in what, in nbgrader's folder and in the downloads of Canvas and Moodle."""

import pytest

from course.errors import UserError
from course.grading.intake import COULD_NOT_RUN, NEEDS_A_LOOK, READY, hand_ins, read_class, units_of

NAME = "01_tiny.ipynb"


@pytest.fixture(params=["zip", "unpacked", "in a folder"])
def download(request, take, make_zip, tmp_path):
    """A function that takes in what a teacher downloads: as the zip that it is, unpacked, and as
    the zip of a folder around it."""

    def download(members):
        if request.param == "unpacked":
            return take(members)
        top = "submissions/" if request.param == "in a folder" else ""
        path = tmp_path / "submissions.zip"
        path.write_bytes(make_zip({top + name: what for name, what in members.items()}))
        return take({}, path)

    return download


def test_canvas(download, answered, make_zip):
    found = download(
        {
            "doejane_12_345_01_tiny-1.ipynb": answered,
            "doejane_99_346_01_tiny.ipynb": answered,
            "roerichard_LATE_13_347_01_tiny (2).ipynb": answered,
            "lo_pez_ann_14_348_work.zip": make_zip({NAME: answered, "data/a.csv": b"1"}),
            "lo_pez_ann_14_349_notes.txt": b"see the zip",
            "anon_x7Yz1_350_01_tiny.ipynb": answered,
            "poedgar_15_text.html": b"<p>I have no notebook</p>",
            "moebob_LATE_16_351_01_tiny.ipynb": b"{",
            "__MACOSX/._doejane_12_345_01_tiny-1.ipynb": b"\0\5\x16\7",
            "class list.csv": b"a,b",
        }
    )
    assert {name: submission.status for name, submission in found.items()} == {
        "doejane_12": READY,
        "doejane_99": READY,
        "roerichard_13": READY,
        "lo_pez_ann_14": READY,
        "anon_x7Yz1": READY,
        "poedgar_15": COULD_NOT_RUN,
        "moebob_16": COULD_NOT_RUN,
    }
    assert "Canvas has it as late." in found["roerichard_13"].findings
    assert "Typed into Canvas: poedgar_15_text.html." in found["poedgar_15"].findings
    assert found["doejane_12"].source.endswith("/doejane_12_345_01_tiny-1.ipynb")


def test_moodle(download, answered, make_zip):
    found = download(
        {
            "Jane Doe_12_assignsubmission_file_/01_tiny.ipynb": answered,
            "Jane Doe_13_assignsubmission_file_/01_tiny/01_tiny.ipynb": answered,
            "Zo\u00eb O'Hara_14_assignsubmission_file/work.zip": make_zip({NAME: answered}),
            "Max Moe_15_assignsubmission_file_01_tiny.ipynb": answered,
            "Max Moe_15_assignsubmission_file_notes.txt": b"",
            "Edgar Poe_16_assignsubmission_onlinetext_/onlinetext.html": b"<p>Nothing</p>",
            "Group A-Ann Lo_17_assignsubmission_file_/01_tiny.ipynb": b"",
            "Mac Only_18_assignsubmission_file_/__MACOSX/._01_tiny.ipynb": b"\0\5\x16\7",
            "Saved By Itself_19_assignsubmission_file_/.ipynb_checkpoints/a.ipynb": answered,
        }
    )
    assert {name: submission.status for name, submission in found.items()} == {
        "Jane Doe_12": READY,
        "Jane Doe_13": READY,
        "Zo\u00eb O'Hara": READY,
        "Max Moe": READY,
        "Edgar Poe": COULD_NOT_RUN,
        "Group A-Ann Lo": COULD_NOT_RUN,
        "Mac Only": COULD_NOT_RUN,
        "Saved By Itself": COULD_NOT_RUN,
    }


def test_the_participants_number_changes_with_the_assignment_and_the_name_does_not(take, answered):
    (name,) = take({"Jane Doe_12_assignsubmission_file_/01_tiny.ipynb": answered})
    assert name == "Jane Doe"


def test_a_zip_of_nbgraders_folder(take, make_zip, answered, tmp_path):
    path = tmp_path / "class.zip"
    members = {"ada/01_tiny/01_tiny.ipynb": answered, "bob/01_tiny/notes.txt": b""}
    for top in ("", "submitted/"):
        path.write_bytes(make_zip({top + name: what for name, what in members.items()}))
        found = take({}, path)
        assert {name: s.status for name, s in found.items()} == {"ada": READY, "bob": COULD_NOT_RUN}


def test_a_class_of_one_is_no_folder_around_a_class(take, make_zip, answered, tmp_path):
    path = tmp_path / "class.zip"
    path.write_bytes(make_zip({"ada/01_tiny/01_tiny.ipynb": answered}))
    assert take({}, path).keys() == {"ada"}


def test_a_notebook_in_nobodys_folder(take, answered, make_zip):
    found = take({"ada.ipynb": answered, "bob.zip": make_zip({NAME: answered}), "list.csv": b""})
    assert {name: s.status for name, s in found.items()} == {
        "ada": NEEDS_A_LOOK,
        "bob": NEEDS_A_LOOK,
    }
    assert found["ada"].notebook is not None
    assert found["ada"].findings[0].startswith("ada.ipynb lies in no student's folder")


@pytest.mark.parametrize(
    "name, student",
    [
        ("../../etc/01_tiny.ipynb", "etc"),
        ("/ada/01_tiny.ipynb", "ada"),
        ("a\x1b[31m_12_345_01_tiny.ipynb", "a_x1b[31m_12"),
        (f"{'long' * 60}_12_345_01_tiny.ipynb", "long" * 49 + "l..."),
        (f"{'寿司' * 50}_12_345_01_tiny.ipynb", "寿司" * 23 + "寿..."),
        (" spaced /01_tiny.ipynb", "spaced"),
        ('a";alert(1)<b>/01_tiny.ipynb', "a_;alert(1)_b_"),
    ],
)
def test_a_students_id_is_the_name_of_a_folder(take, make_zip, answered, tmp_path, name, student):
    path = tmp_path / "class.zip"
    path.write_bytes(make_zip({name: answered, "bob/01_tiny.ipynb": answered}))
    found = take({}, path)
    assert found.keys() == {student, "bob"}
    assert (found[student].status, found["bob"].status) == (NEEDS_A_LOOK, READY)
    assert found[student].notebook is not None


def test_a_long_name_is_a_name(take, answered):
    name = "Mar\u00eda Fernanda de los \u00c1ngeles Rodr\u00edguez Hern\u00e1ndez de la Cruz y Villanueva"
    found = take({f"{name}_12_assignsubmission_file_/01_tiny.ipynb": answered})
    assert found[name].status == READY


def test_two_folders_whose_names_become_the_same(take, answered):
    found = take({"ada/01_tiny.ipynb": answered, "ada /01_tiny.ipynb": answered})
    assert {name: s.status for name, s in found.items()} == {
        "ada": READY,
        "ada (2)": NEEDS_A_LOOK,
    }


def test_an_accent_is_the_same_however_it_is_written(take, answered):
    of_a_mac, other = "Zoe\u0308", "Zo\u00eb"
    (name,) = take({f"{of_a_mac}_12_assignsubmission_file_/01_tiny.ipynb": answered})
    assert name == other
    found = take({f"{which}/01_tiny.ipynb": answered for which in (of_a_mac, other)})
    assert {f"{other} (2)", other} <= found.keys()


def test_which_units_a_class_is_about(tiny, take, answered, tmp_path):
    def units():
        with hand_ins(tmp_path / "submitted", tiny.releases) as found:
            return units_of(found, tiny.releases)

    take({"ada/Homework/mine.ipynb": answered})
    assert units() == []
    take({"eve/Homework/01-Tiny final.ipynb": answered, "fay/work/other.ipynb": answered})
    take({"gil/work/tiny.ipynb": answered})
    assert units() == ["01_tiny"]
    take({"bob/01_tiny/x.txt": b"", "ada/02_other/x.txt": b"", "fay/03_none/tiny.txt": b""})
    assert units() == ["01_tiny", "02_other"]


def test_what_is_no_class(tiny, tmp_path, make_zip, answered):
    def read(path):
        return list(read_class(path, tiny.releases, "01_tiny"))

    with pytest.raises(UserError, match="does not exist; give a folder"):
        read(tmp_path / "no")
    with pytest.raises(UserError, match="holds no submission; it needs STUDENT/UNIT/UNIT.ipynb"):
        read(tmp_path)
    path = tmp_path / "class.zip"
    path.write_bytes(make_zip({"ada/01_tiny.ipynb": answered})[:-40])
    with pytest.raises(UserError, match="cannot be read as a zip .*; download it again"):
        read(path)
    path.write_bytes(make_zip({"01_tiny/01_tiny.ipynb": answered}))
    with pytest.raises(UserError, match="class.zip holds 01_tiny itself"):
        read(path)


def test_of_many_other_files_three_are_named(one, answered):
    others = {f"01_tiny/{name}.txt": b"1" for name in "abcde"}
    submission = one({"01_tiny/01_tiny.ipynb": answered} | others)
    expected = "Not used: 01_tiny/a.txt, 01_tiny/b.txt, 01_tiny/c.txt and 2 more."
    assert expected in submission.findings


def test_a_student_may_be_called_like_what_a_system_leaves_behind(take, answered):
    names = (".bashrc", "..dots", "__pycache__", "Thumbs.db")
    left = {
        ".ipynb_checkpoints/01_tiny-checkpoint.ipynb": answered,
        "__MACOSX/ada/x.ipynb": answered,
    }
    found = take({f"{name}/01_tiny/{NAME}": answered for name in (*names, "ada")} | left)
    assert sorted(found) == sorted(["Thumbs.db", "__pycache__", "_bashrc", "_dots", "ada"])
    assert found["_bashrc"].status == NEEDS_A_LOOK and found["ada"].status == READY
