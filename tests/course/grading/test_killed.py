"""A class whose grading is ended at any moment comes to what an undisturbed one comes to."""

import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from course.grading.classes import grade_class
from course.grading.intake import read_class
from course.writing import build
from course.writing.notebooks import read_notebook, with_answers, write_notebook
from course.writing.units import read_unit
from tests.course.grading.right import RIGHT
from tests.course.grading.test_preprocessors import NAME

STUDENTS, KILLS, SECONDS = 30, 20, 250
GRADER = "import sys; from tests.course.grading.test_killed import graded; graded(*sys.argv[1:])"
ANSWERS = [
    RIGHT,
    {**RIGHT, "q1": "def median(values): return 2"},
    {**RIGHT, "q2": "import os\n\ndef shares(counts): os._exit(1)"},
    {**RIGHT, "q1": "import time\ntime.sleep(0.5)\n" + RIGHT["q1"]},
    {**RIGHT, "q1": "def median(:"},
]


def graded(built, root, scheduler=""):
    """The results of the class in a folder, each said as it comes."""
    unit = read_unit(Path(built) / "course" / "units" / NAME, Path(built))
    release = read_notebook(unit.release_notebook())
    students = read_class(Path(root) / "grading" / "submitted", {NAME: release}, NAME)

    def say(result):
        print(result.student, flush=True)

    options = {"feedback": False, "jobs": 2, "scheduler": scheduler}
    return grade_class(unit, Path(root), students, on_result=say, **options)


def handed_in(built, root, number_of_students=STUDENTS):
    unit = read_unit(built / "course" / "units" / NAME, built)
    write_notebook(build.solution_from_source(unit), unit.solution_notebook(root))
    release = read_notebook(unit.release_notebook())
    for number in range(number_of_students):
        nb = with_answers(release, ANSWERS[number % len(ANSWERS)])
        write_notebook(nb, root / "grading/submitted" / f"s{number:02}" / NAME / f"{NAME}.ipynb")


def scores(results):
    return {
        result.student: (result.status, {q: s.points for q, s in result.questions.items()})
        for result in results
    }


def in_gradebook(root):
    with sqlite3.connect(root / "grading" / "gradebook.db") as book:
        return book.execute("select count(*), sum(auto_score) from grade").fetchall()


def started(built, root, *more):
    command = [sys.executable, "-c", GRADER, str(built), str(root), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_one(grader, drawn):
    """End the grader or a process below it, and return which; what is below the grader ends with it."""
    below = psutil.Process(grader.pid).children(recursive=True)
    victim, name = grader, "the grader"
    if below and drawn.random() < 0.7:
        with suppress(psutil.NoSuchProcess):  # it ended just now, by itself
            process = drawn.choice(below)
            victim, name = process, " ".join(process.cmdline()[-3:])[:60]
    with suppress(psutil.NoSuchProcess):
        victim.kill()
    if victim is grader:
        grader.wait(SECONDS)
        assert psutil.wait_procs(below, SECONDS)[1] == []
    return name


@pytest.mark.hostile
def test_twenty_kills(built_root, tmp_path):
    drawn = random.Random(18)
    calm, root = tmp_path / "calm", tmp_path / "killed"
    for folder in (calm, root):
        handed_in(built_root, folder)
    undisturbed = scores(graded(built_root, calm))
    assert len(undisturbed) == STUDENTS
    killed, grader = [], started(built_root, root)
    while len(killed) < KILLS:
        if "" in [grader.stdout.readline() for _ in range(drawn.randrange(6))]:
            assert grader.wait(SECONDS) == 0  # all were graded before the last kill: once more
            shutil.rmtree(root)
            handed_in(built_root, root)
            grader = started(built_root, root)
        killed.append(kill_one(grader, drawn))
        if killed[-1] == "the grader":
            grader = started(built_root, root)
    said = grader.communicate(timeout=SECONDS)[0]
    assert grader.returncode == 0, said
    assert scores(graded(built_root, root)) == undisturbed, killed
    assert in_gradebook(root) == in_gradebook(calm)
    print(*killed, sep="\n")
