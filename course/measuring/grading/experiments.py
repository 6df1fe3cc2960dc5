"""What grading takes: seconds beside stock nbgrader, and the memory of a large class.

`python -m course results grading` runs both and writes ``course/results/grading.json``. Classes are made
up: each question is answered by the solution, or, for every third of them, in another right way or with
one of the unit's mistakes, and each student's code differs from all others'.
"""

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import psutil
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

import course.grading.execute  # noqa: F401 - nbgrader_config.py names it: it is measured, too
from course.grading.classes import StudentResult
from course.grading.demo import WRITTEN
from course.measuring.grading.elsewhere import grade_elsewhere
from course.measuring.results import Experiment
from course.writing.keys import solved
from course.writing.mistakes import load_answers
from course.writing.notebooks import (
    auto_questions,
    grade_id,
    is_manual,
    question_of,
    read_notebook,
    with_answers,
    write_notebook,
)
from course.writing.units import ROOT, Unit, find_unit

HONEST, STOCK = 50, 11  # students of a class; those that stock nbgrader grades of it
AT_ONCE = (1, 3)  # submissions
MANY, WATCHED = 2000, (100, 500, 1000, 1500)
FLOOD = 100_000_000  # bytes that one student's code prints
UNITS = ("efficiency", "quantization", "aware")
PLAIN = """c = get_config()
c.CourseDirectory.course_id = "stock"
c.Execute.timeout = 300
"""
Points = dict[str, dict[str, float]]  # of each student, by question


def made_up(unit: Unit, numbers: range) -> dict[str, NotebookNode]:
    """The submissions of these students: always the same, and none like another."""
    bank = load_answers(unit.mistakes_folder)
    solution, release = (
        read_notebook(path) for path in (unit.solution_notebook(), unit.release_notebook())
    )
    written = {grade_id(cell) or "": WRITTEN for cell in solution.cells if is_manual(cell)}
    right = {n: solved(q.answers[0].source) for n, q in auto_questions(solution).items()}
    others = {name: [other.code for other in bank.alternatives_of(name)] for name in right}
    for name, answer in right.items():
        slips = (mistake for mistake in bank.mistakes_of(name) if mistake.seconds is None)
        others[name] += [slip.codes(answer)[0] for slip in slips]
    found = {}
    for number in numbers:
        draw = random.Random(number)  # noqa: S311 - no secret
        answers = dict(written)
        for name, answer in right.items():
            other = others[name] and draw.random() < 1 / 3
            code = draw.choice(others[name]) if other else answer
            answers[name] = f"{code}\n\n# By student {number}."
        found[f"student-{number:04}"] = with_answers(release, answers)
    return found


def hand_in(unit: Unit, folder: Path, many: int) -> None:
    """Write the submissions of a class as nbgrader finds them."""
    for first in range(0, many, 50):
        for student, nb in made_up(unit, range(first, min(first + 50, many))).items():
            write_notebook(nb, folder / student / unit.name / f"{unit.name}.ipynb")


def throughput(seed: int, *, topic: str) -> list[dict]:
    """Seconds for a submission: stock nbgrader's two commands, and `course grade` with its sandbox, so
    many submissions at once, in turns.

    ``load`` is how many processes wanted a core, a mean of the last quarter of an hour: with more of them
    than cores the seconds are those of a busy machine.

    Of stock nbgrader only what a submission more takes is counted, not the start of its commands; of ours
    everything, from the start of Python on.

    Raises AssertionError if the two disagree on anybody's points.
    """
    unit = find_unit(topic)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        hand_in(unit, root / "class", HONEST)
        start, _ = _stock(unit, root, 1)
        ours = {jobs: _ours(unit, root, jobs) for jobs in AT_ONCE[:1]}
        whole, stock = _stock(unit, root, STOCK)
        ours |= {jobs: _ours(unit, root, jobs) for jobs in AT_ONCE[1:]}
    first = ours[1][1]
    assert all(points == first for _, points in ours.values()), "--jobs changes points"
    assert stock == {student: first[student] for student in stock}, "points differ from nbgrader's"
    plain = (whole - start) / (STOCK - 1)
    # A busy machine slows down messages between two processes more than one that computes.
    common = {"seed": 0, "unit": topic, "points_equal": True, "load": os.getloadavg()[2]}
    return [
        {
            "method": "nbgrader autograde and generate_feedback",
            "setting": topic,
            "submissions": STOCK,
            "seconds_per_submission": plain,
            **common,
        }
    ] + [
        {
            "method": "course grade",
            "setting": f"{topic}, {jobs} at once" if jobs > 1 else topic,
            "jobs": jobs,
            "submissions": HONEST,
            "seconds_per_submission": seconds / HONEST,
            "times_stock": plain / (seconds / HONEST),
            **common,
        }
        for jobs, (seconds, _) in ours.items()
    ]


def _stock(unit: Unit, root: Path, most: int) -> tuple[float, Points]:
    """Seconds of nbgrader as it comes, for so many students, and the points."""
    course = root / f"stock-{most}"
    path = course / "source" / unit.name / f"{unit.name}.ipynb"
    path.parent.mkdir(parents=True)
    shutil.copy(unit.solution_notebook(), path)
    (course / "nbgrader_config.py").write_text(PLAIN)
    for student in sorted((root / "class").iterdir())[:most]:
        shutil.copytree(student, course / "submitted" / student.name)
    scripts = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
    }

    def run(step: str) -> float:
        started = time.perf_counter()
        done = subprocess.run(
            [str(scripts / "nbgrader"), step, unit.name],
            cwd=course,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return time.perf_counter() - started

    run("generate_assignment")
    seconds = run("autograde") + run("generate_feedback")
    points: Points = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "stock") as gradebook:
        for submission in gradebook.assignment_submissions(unit.name):
            by_question: dict[str, float] = {}
            points[submission.student.id] = by_question
            for grade in submission.notebooks[0].grades:
                question = question_of(grade.cell.name)
                by_question[question] = by_question.get(question, 0.0) + grade.score
    return seconds, points


def _ours(unit: Unit, root: Path, jobs: int) -> tuple[float, Points]:
    """The same of `course grade`: what the command does, for another folder than the checkout's."""
    arguments = [unit.topic, str(root / "class"), str(root / f"ours-{jobs}"), str(jobs)]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "course.measuring.grading.elsewhere", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - started
    assert done.returncode == 0, done.stderr[-2000:]
    return seconds, json.loads(done.stdout.splitlines()[-1])


def large_class(seed: int, *, topic: str = "efficiency", many: int = MANY) -> list[dict]:
    """Seconds and memory while a large class is graded, one of whom prints 100 MB."""
    unit = find_unit(topic)
    loud = f"student-{many // 2:04}"
    records: list[dict] = []
    done: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        root, course = Path(name), Path(name) / "course"
        hand_in(unit, root / "class", many)
        _shout(root / "class" / loud / unit.name / f"{unit.name}.ipynb")
        started = time.perf_counter()

        def note(result: StudentResult) -> None:
            done.append(result.status)
            if len(done) in (*WATCHED, many):
                seconds = {"submissions": len(done), "seconds": time.perf_counter() - started}
                records.append(seconds | _memory())

        grade_elsewhere(unit, root / "class", course, AT_ONCE[-1], note)
        kept = [
            course / "grading" / step / loud / unit.name / f"{unit.name}{ending}"
            for step, ending in (("autograded", ".ipynb"), ("feedback", ".html"))
        ]
        most = {"printed_bytes": FLOOD, "stored_bytes": sum(path.stat().st_size for path in kept)}
    statuses = {status: done.count(status) for status in sorted(set(done))}
    common = {"method": "course grade", "seed": 0, "unit": topic, "jobs": AT_ONCE[-1], "of": many}
    return [
        {"setting": f"{record['submissions']} of {many}", **common}
        | record
        | {"statuses": statuses, **most}
        for record in records
    ]


def _shout(path: Path) -> None:
    nb = read_notebook(path)
    line = "x" * 999
    nb.cells.insert(1, new_code_cell(f"for _ in range({FLOOD // 1000}):\n    print('{line}')"))
    write_notebook(nb, path)


def _memory() -> dict[str, float]:
    """Resident MB of this process, which grades, and of the largest of the sandboxes' processes, the
    server."""
    me = psutil.Process()
    below = [0]
    for process in me.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # of a submission, and just ended
            below.append(process.memory_info().rss)
    return {"grader_mb": me.memory_info().rss / 1e6, "server_mb": max(below) / 1e6}


EXPERIMENTS = [
    *(
        Experiment(
            f"throughput: {topic}",
            partial(throughput, topic=topic),
            seeded=False,
            alone=True,
            scored=False,
        )
        for topic in UNITS
    ),
    Experiment("large class", large_class, seeded=False, alone=True, scored=False),
]
