"""Every way in which what was handed in is broken or hostile, and an honest twin of it."""

import io
import json
import os
import stat
import zipfile

import nbformat
import pytest

from course.grading.intake import COULD_NOT_RUN, NEEDS_A_LOOK, READY, files, submissions
from course.grading.intake.files import MB, Unreadable, files_below

NAME = "01_tiny/01_tiny.ipynb"
FEW_FILES = 40


@pytest.fixture(autouse=True)
def few_files(monkeypatch):
    """A smaller limit, so that it is soon reached."""
    monkeypatch.setattr(files, "MAX_FILES", FEW_FILES)


def says(submission, *parts):
    text = " ".join(submission.findings)
    missing = [part for part in parts if part not in text]
    assert not missing, text
    assert all(finding.endswith(".") and "\n" not in finding for finding in submission.findings)


def ready(submission, answers_of, tiny):
    """The submission is graded, with the answers as they were handed in."""
    assert submission.status == READY, submission.findings
    assert answers_of(submission) == tiny.answers


# ------------------------------------------------------------------------------------------ archives


def member(mode, content=b"/etc/passwd"):
    """A zip whose one member is of a kind of its own."""

    def make(make_zip, answered):
        info = zipfile.ZipInfo("01_tiny.ipynb")
        info.external_attr = (mode | 0o644) << 16
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(info, content)
        return packed.getvalue()

    return make


def locked(make_zip, answered):
    """A zip that says of its member that it has a password."""
    data = bytearray(make_zip({"01_tiny.ipynb": answered}))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def nested(times):
    def make(make_zip, answered):
        data = make_zip({"01_tiny.ipynb": answered})
        for _ in range(times):
            data = make_zip({"inner.zip": data})
        return data

    return make


def many(make_zip, answered):
    return make_zip({f"{number}.txt": b"" for number in range(FEW_FILES + 1)})


ARCHIVES = {
    "corrupt": (lambda z, nb: z({"01_tiny.ipynb": nb})[:-60], "is a damaged archive"),
    "corrupt member": (
        lambda z, nb: z({"01_tiny.ipynb": nb}, compression=0).replace(b"median", b"medium", 1),
        "is damaged in its archive",
    ),
    "none at all": (lambda z, nb: b"Rar!\x1a", "is no zip that can be read"),
    "empty": (lambda z, nb: z({}), "There is no notebook; ask for 01_tiny.ipynb"),
    "link": (member(stat.S_IFLNK), "is a symbolic link and was not opened"),
    "pipe": (member(stat.S_IFIFO), "is a named pipe"),
    "device": (member(stat.S_IFBLK), "is a device"),
    "password": (locked, "is locked with a password"),
    "lzma": (lambda z, nb: z({"a.ipynb": nb}, compression=zipfile.ZIP_LZMA), "packed in a way"),
    "nested": (nested(2), "is an archive in archives"),
    "many files": (many, "holds more than 40 files"),
    "bomb": (lambda z, nb: z({"01_tiny.ipynb": bytes(33 * MB)}), "holds more than 32 MB"),
}


@pytest.mark.parametrize("make, sentence", ARCHIVES.values(), ids=ARCHIVES)
def test_a_broken_archive_is_listed(one, make_zip, answered, make, sentence):
    submission = one({"01_tiny/work.zip": make(make_zip, answered)})
    assert (submission.status, submission.notebook) == (COULD_NOT_RUN, None)
    says(submission, sentence)


HONEST_ARCHIVES = {
    "plain": lambda z, nb: z({"01_tiny.ipynb": nb}),
    "stored": lambda z, nb: z({"01_tiny.ipynb": nb}, compression=0),
    "in folders": lambda z, nb: z({"My Work/01_tiny/01_tiny.ipynb": nb}),
    "of a Mac": lambda z, nb: z({"01_tiny.ipynb": nb, "__MACOSX/._01_tiny.ipynb": b"\0\5\x16\7"}),
    "of Windows": lambda z, nb: z({"work\\01_tiny.ipynb": nb}),
    "regular member": lambda z, nb: member(stat.S_IFREG, nbformat.writes(nb))(z, nb),
    "in another": nested(1),
    "with other files": lambda z, nb: z({"01_tiny.ipynb": nb, "data.csv": bytes(5 * MB)}),
    "named as a notebook": lambda z, nb: z({"anything.ipynb": nb}),
}


@pytest.mark.parametrize("make", HONEST_ARCHIVES.values(), ids=HONEST_ARCHIVES)
def test_an_honest_archive_is_graded(one, make_zip, answered, answers_of, tiny, make):
    ready(one({"01_tiny/work.zip": make(make_zip, answered)}), answers_of, tiny)


def test_an_archive_with_the_ending_of_a_notebook_is_opened(
    one, make_zip, answered, answers_of, tiny
):
    ready(one({NAME: make_zip({"01_tiny.ipynb": answered})}), answers_of, tiny)


def test_much_output_is_no_bomb(one, make_zip, answered, answers_of, tiny):
    output = nbformat.v4.new_output("stream", text="0" * 20 * MB)  # packed to a thousandth
    answered.cells[1].outputs = [output]
    submission = one({"01_tiny/work.zip": make_zip({"01_tiny.ipynb": answered})})
    ready(submission, answers_of, tiny)
    assert len(submission.notebook) < MB


def test_a_bomb_of_300_mb_is_not_unpacked(one, tmp_path, monkeypatch):
    def bomb(path):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("01_tiny.ipynb", "w") as file:
                for _ in range(300):
                    file.write(bytes(MB))

    read, sizes = zipfile.ZipExtFile.read, []

    def counted(self, *args):
        sizes.append(len(data := read(self, *args)))
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    submission = one({"01_tiny/01_tiny.zip": bomb})
    assert submission.status == COULD_NOT_RUN
    says(submission, "holds more than 32 MB")
    assert 0 < sum(sizes) <= 33 * MB


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("../../../bob/01_tiny/01_tiny.ipynb", "by a path that leads out of its folder"),
        ("..\\..\\01_tiny.ipynb", "by a path that leads out of its folder"),
        ("/home/ada/01_tiny.ipynb", "by a path that is an absolute path"),
        ("C:\\Users\\ada\\01_tiny.ipynb", "by a path that is an absolute path"),
    ],
)
def test_a_member_that_leads_elsewhere_is_read_where_it_is(
    take, make_zip, answered, answers_of, tiny, tmp_path, name, sentence
):
    found = take({"ada/01_tiny/work.zip": make_zip({name: answered})})
    assert found.keys() == {"ada"}
    assert found["ada"].status == NEEDS_A_LOOK
    says(found["ada"], sentence)
    assert answers_of(found["ada"]) == tiny.answers
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["work.zip"]


# --------------------------------------------------------------------------- what is no regular file


def test_a_link_to_the_solution_is_refused(one, tiny, tmp_path):
    (tmp_path / "solution.ipynb").write_text(nbformat.writes(tiny.solution))
    submission = one({NAME: lambda path: path.symlink_to(tmp_path / "solution.ipynb")})
    assert (submission.status, submission.notebook) == (COULD_NOT_RUN, None)
    says(submission, f"{NAME} is a symbolic link to", "and was not opened")


def test_a_copy_of_the_solution_is_graded_and_shown(one, tiny):
    submission = one({NAME: tiny.solution})
    assert submission.status == NEEDS_A_LOOK and submission.notebook is not None
    says(submission, "holds the marks of the instructor's solution")


@pytest.mark.parametrize("where", ["ada", "ada/01_tiny", "ada/01_tiny/stuff"])
def test_a_link_to_another_folder_is_refused(take, answered, tmp_path, where):
    found = take(
        {"bob/01_tiny/01_tiny.ipynb": answered, where: lambda p: p.symlink_to(tmp_path / "bob")}
    )
    assert found["bob"].status == READY
    assert found["ada"].status == COULD_NOT_RUN
    says(found["ada"], "is a symbolic link to")


def test_a_link_beside_the_notebook_is_nobodys_concern(one, answered, answers_of, tiny):
    files = {NAME: answered, "01_tiny/env/bin/python": lambda p: p.symlink_to("/usr/bin/python3")}
    ready(one(files), answers_of, tiny)


def test_a_pipe_is_not_waited_for(one, answered, answers_of, tiny):
    submission = one({NAME: os.mkfifo})
    assert submission.status == COULD_NOT_RUN
    says(submission, "is a named pipe")


@pytest.mark.parametrize("swap", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo])
def test_what_becomes_a_link_or_a_pipe_after_it_was_listed_is_not_opened(tmp_path, swap):
    path = tmp_path / "01_tiny.ipynb"
    path.write_text("{}")
    (file,) = files_below(tmp_path)
    assert file.read(10) == b"{}"
    path.unlink()
    swap(path)
    with pytest.raises(Unreadable):
        file.read(10)


def test_folders_without_end_and_files_without_number(take, answered):
    deep = "/".join(["ada", *["deeper"] * 12, "01_tiny.ipynb"])
    many = {f"bob/{number:04}.txt": b"" for number in range(FEW_FILES + 1)}
    found = take({deep: answered, **many, "eve/a/b/c/01_tiny.ipynb": answered})
    assert {name: s.status for name, s in found.items()} == {
        "ada": COULD_NOT_RUN,
        "bob": COULD_NOT_RUN,
        "eve": READY,
    }
    says(found["ada"], "is more than 10 folders deep; move the notebook up")
    says(found["bob"], "holds more than 40 files")


# ----------------------------------------------------------------------------------- names and copies


@pytest.mark.parametrize(
    "name",
    [
        NAME,
        "01_tiny.ipynb",
        "01_TINY/01_Tiny.IPYNB",
        "01-tiny/01 tiny.ipynb",
        "01_tiny/01_tiny (1).ipynb",
        "01_tiny/01_tiny-1.ipynb",
        "01_tiny/01_tiny.ipynb.txt",
        "01_tiny/01_tiny.json",
        "01_tiny/01_tiny.txt",
        "01_tiny/01_tiny",
        "homework/final version.ipynb",
        "a folder/01_tiny/01_tiny.ipynb",
    ],
)
def test_a_notebook_under_another_name_is_graded(one, answered, answers_of, tiny, name):
    ready(one({name: answered}), answers_of, tiny)


@pytest.mark.parametrize("blank_one, solved_one", [("", " (1)"), (" (1)", ""), (" (2)", " (1)")])
def test_a_blank_notebook_beside_an_answered_one(one, tiny, answers_of, blank_one, solved_one):
    files = {f"01_tiny/01_tiny{blank_one}.ipynb": tiny.release}
    files[f"01_tiny/01_tiny{solved_one}.ipynb"] = tiny.answered
    ready(one(files), answers_of, tiny)


def test_the_same_notebook_twice(one, tiny, answers_of):
    files = dict.fromkeys([NAME, "01_tiny/01_tiny (1).ipynb", "01_tiny.ipynb"], tiny.answered)
    ready(one(files), answers_of, tiny)


def test_two_answered_notebooks_are_graded_by_name(one, answered, draft, tiny, answers_of):
    files = {NAME: answered, "01_tiny/01_tiny (1).ipynb": draft}
    submission = one(files)
    assert submission.status == NEEDS_A_LOOK
    assert answers_of(submission) == tiny.answers
    says(
        submission, "are answered in different words; 01_tiny/01_tiny.ipynb is graded, by its name"
    )


def test_two_answered_notebooks_of_which_neither_has_the_name_wait(one, answered, draft):
    submission = one({"01_tiny/new.ipynb": answered, "01_tiny/newer.ipynb": draft})
    assert (submission.status, submission.notebook) == (NEEDS_A_LOOK, None)
    says(submission, "01_tiny/new.ipynb, 01_tiny/newer.ipynb are answered in different words; keep")


def test_a_broken_notebook_beside_a_blank_one_waits(one, tiny):
    submission = one({NAME: tiny.release, "01_tiny/01_tiny (1).ipynb": b"{"})
    assert (submission.status, submission.notebook) == (NEEDS_A_LOOK, None)
    says(
        submission, "01_tiny (1).ipynb is no notebook", "01_tiny.ipynb: blank, so another was meant"
    )


def test_a_broken_notebook_beside_an_answered_one_is_shown(one, tiny):
    submission = one({NAME: tiny.answered, "01_tiny/01_tiny (1).ipynb": b"{"})
    assert submission.status == NEEDS_A_LOOK and submission.notebook is not None


def test_a_blank_notebook_is_graded(one, tiny):
    submission = one({NAME: tiny.release})
    assert submission.status == READY and submission.notebook is not None
    says(submission, "It is blank")


@pytest.mark.parametrize("name", [NAME, "01_tiny.ipynb", "notebook.ipynb"])
def test_the_notebook_of_another_unit(one, tiny, name):
    submission = one({name: tiny.releases["02_other"]})
    assert (submission.status, submission.notebook) == (COULD_NOT_RUN, None)
    says(submission, f"{name} is of 02_other, not 01_tiny; ask for the right one.")


def test_who_handed_in_another_unit_only_is_no_row(take, tiny, answered):
    other = tiny.releases["02_other"]
    files = {"ada/02_other/02_other.ipynb": other, "bob/02_other/02_other.ipynb": other}
    found = take(files | {"bob/01_tiny/01_tiny.ipynb": answered, "eve/nothing.txt": b""})
    assert {name: s.status for name, s in found.items()} == {"bob": READY, "eve": COULD_NOT_RUN}


# --------------------------------------------------------------------------------------- the contents

NO_NOTEBOOKS = {
    "empty": (b" \n", "is empty"),
    "no JSON": (b"{'cells': []}", "is no notebook (Expecting property name"),
    "cut off": (b'{"cells": [', "is no notebook"),
    "other JSON": (b"[1, 2]", "it holds other JSON"),
    "no cells": (b"{}", "is no notebook"),
    "cells of another kind": (b'{"cells": 1, "nbformat": 4}', "its cells are no list"),
    "not UTF-8": (b'{"cells": ["\xff\xfe\xfa"]}', "is not a text in UTF-8"),
    "nested without end": (b'{"cells": ' + b"[" * 100_000, "nested without end"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "is not a text in UTF-8"),
    "version 3 in pieces": (b'{"nbformat": 3, "worksheets": [{"cells": [1]}]}', "is no notebook"),
}


@pytest.mark.parametrize("data, sentence", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
def test_what_is_no_notebook_is_listed(one, data, sentence):
    submission = one({NAME: data})
    assert (submission.status, submission.notebook) == (COULD_NOT_RUN, None)
    says(submission, f"{NAME} ", sentence)


def numbered(version):
    def change(raw):
        raw["nbformat"] = version

    return change


def without(key):
    return lambda raw: raw.pop(key)


def kernel(raw):
    raw["metadata"]["kernelspec"] = {"name": "../../ir\x1b[31m", "language": "R"}


def junk(raw):
    raw["metadata"] = ["no", "dictionary"]
    raw["cells"][0]["id"] = raw["cells"][1]["id"]
    raw["cells"][0]["attachments"] = 7
    raw["cells"][1]["outputs"] = "none"
    raw["more"] = {"x": float("nan")}


ODD = {
    "version 5": (numbered(5), "says that it is of version 5"),
    "a version in words": (numbered("four\x07"), "says that it is of version four\\x07"),
    "no version": (without("nbformat"), "says that it is of version None"),
    "no metadata": (without("metadata"), ""),
    "another kernel": (kernel, "It names the kernel ../../ir\\x1b[31m"),
    "fields of other kinds": (junk, ""),
}


@pytest.mark.parametrize("change, sentence", ODD.values(), ids=ODD)
def test_an_odd_notebook_is_read_and_graded(one, answered, answers_of, tiny, change, sentence):
    raw = json.loads(nbformat.writes(answered))
    change(raw)
    submission = one({NAME: json.dumps(raw).encode()})
    ready(submission, answers_of, tiny)
    says(submission, sentence)
    nbformat.validate(nbformat.reads(submission.notebook.decode(), 4))


def test_a_notebook_of_version_3(one, answered, answers_of, tiny):
    submission = one({NAME: nbformat.writes(answered, version=3).encode()})
    ready(submission, answers_of, tiny)
    says(submission, "It is of version 3")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_notebook_in_another_encoding(one, answered, answers_of, tiny, encoding):
    ready(one({NAME: nbformat.writes(answered).encode(encoding)}), answers_of, tiny)


@pytest.mark.parametrize(
    "text", ["yesterday", "", "12", "2026-01-30 15:30 /etc/localtime", "9" * 999]
)
def test_an_unreadable_time_is_shown(one, answered, text):
    submission = one({NAME: answered, "01_tiny/timestamp.txt": text.encode()})
    assert (submission.status, submission.submitted) == (NEEDS_A_LOOK, None)
    assert submission.notebook is not None
    says(submission, "01_tiny/timestamp.txt holds no time")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-30 15:30:10 UTC",
        "2026-01-30 16:30:10+01:00",
        "2026-01-30 10:30:10.0 America/New_York",
    ],
)
def test_a_time(one, answered, text):
    submission = one({NAME: answered, "01_tiny/timestamp.txt": text.encode()})
    assert submission.status == READY
    assert str(submission.submitted) == "2026-01-30 15:30:10"


# -------------------------------------------------------------------------------------------- everyone


def test_nobody_disappears(take, make_zip, answered):
    """A class of all the above: as many rows as students, and the honest one untouched by it."""
    class_ = {f"{n} a/01_tiny/w.zip": m(make_zip, answered) for n, (m, _) in ARCHIVES.items()}
    class_ |= {f"{n} n/{NAME}": data for n, (data, _) in NO_NOTEBOOKS.items()}
    class_ |= {f"honest/{NAME}": answered, "pipe": os.mkfifo, "empty": os.mkdir}
    class_["\x1b[2Jred/01_tiny/01_tiny.ipynb"] = answered
    found = take(class_ | {"dangling": lambda path: path.symlink_to("nowhere")})
    assert len(found) == len(ARCHIVES) + len(NO_NOTEBOOKS) + 5
    assert [name for name, s in found.items() if s.status == READY] == ["honest"]
    assert found["_x1b[2Jred"].status == NEEDS_A_LOOK
    assert all(submission.findings for name, submission in found.items() if name != "honest")


def test_what_goes_wrong_in_a_new_way_is_a_row(one, answered, monkeypatch):
    def fail(*args):
        raise MemoryError("at once\nand everywhere")

    monkeypatch.setattr(submissions, "mend", fail)
    submission = one({NAME: answered})
    assert submission.status == COULD_NOT_RUN
    says(submission, "Reading it raised MemoryError: at once\\nand everywhere")
