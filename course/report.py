"""What `make course` did: `build/report.json` for programs, `build/report.html` for people."""

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from course.grading.classes import StudentResult, mistakes_made
from course.grading.demo import DemoStudent, surprises
from course.proving.gates import GateResult, over_budget
from course.writing.execute import Execution
from course.writing.units import Budget, Unit

TEMPLATE = Path(__file__).parent / "assets" / "report.html.jinja"
VERSIONS = ("jupyterlab", "nbgrader", "numpy", "scikit-learn", "torch")


@dataclass
class NotebookReport:
    """One executed notebook. `status` is "ok", "failed" or "over budget"."""

    unit: str
    kind: str
    status: str
    seconds: float
    max_seconds: float
    peak_mb: float
    max_mb: float
    problem: str

    @classmethod
    def of(cls, unit: Unit, kind: str, run: Execution, budget: Budget) -> "NotebookReport":
        problems = list(over_budget(f"The {kind} of {unit.name}", run, budget))
        status = "failed" if not run.ok else "over budget" if problems else "ok"
        return cls(
            unit.name,
            kind,
            status,
            round(run.seconds, 1),
            budget.max_seconds,
            round(run.peak_mb, 1),
            budget.max_mb,
            " ".join(problems),
        )


@dataclass
class StudentReport:
    """One graded submission of the demo class, beside what it had to come to."""

    unit: str
    student: str
    about: str
    status: str
    expected_status: str
    seconds: float
    questions: dict[str, dict]
    expected: dict[str, float]
    as_expected: bool
    problem: str


@dataclass
class Report:
    """Everything that was done, in the order in which it was done."""

    data: str
    started: str = field(default_factory=lambda: datetime.datetime.now().isoformat("T", "seconds"))
    seconds: float = 0.0
    commit: str = field(default_factory=lambda: _commit())
    machine: dict = field(default_factory=lambda: _machine())
    versions: dict = field(default_factory=lambda: _versions())
    notebooks: list[NotebookReport] = field(default_factory=list)
    demo: list[StudentReport] = field(default_factory=list)
    mistakes: list[dict] = field(default_factory=list)
    gates: list[dict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def add_notebook(self, unit: Unit, kind: str, run: Execution, budget: Budget) -> NotebookReport:
        entry = NotebookReport.of(unit, kind, run, budget)
        self.notebooks.append(entry)
        if entry.problem:
            self.problems.append(entry.problem)
        return entry

    def add_demo(
        self, unit: Unit, students: list[DemoStudent], results: list[StudentResult]
    ) -> None:
        by_name = {result.student: result for result in results}
        self.mistakes += [
            {"unit": unit.name, "question": question, "mistake": mistake, "students": count}
            for question, mistake, count in mistakes_made(results)
        ]
        for student in students:
            result = by_name.get(student.name, StudentResult(student.name, "missing"))
            wrong = surprises([student], [result])
            self.demo.append(
                StudentReport(
                    unit.name,
                    student.name,
                    student.about,
                    result.status,
                    student.status,
                    round(result.seconds, 1),
                    {name: asdict(score) for name, score in result.questions.items()},
                    student.expected,
                    not wrong,
                    result.problem,
                )
            )
            self.problems += [f"{unit.name}: {problem}" for problem in wrong]

    def add_gates(self, unit: Unit, results: list[GateResult]) -> None:
        self.gates += [{"unit": unit.name, **asdict(result)} for result in results]
        self.problems += [
            f"{unit.name}, {result.gate}: {problem}"
            for result in results
            for problem in result.problems
        ]

    def write(self, folder: Path) -> Path:
        """Write both files; returns the path of the HTML."""
        folder.mkdir(parents=True, exist_ok=True)
        document = {"ok": self.ok, **asdict(self)}
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        (folder / "report.json").write_text(text, encoding="utf-8")
        page = folder / "report.html"
        page.write_text(_render(document), encoding="utf-8")
        return page


def _render(document: dict) -> str:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(**document)


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:  # no git
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _machine() -> dict:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def _versions() -> dict:
    versions = {name: importlib.metadata.version(name) for name in VERSIONS}
    return {"python": platform.python_version()} | versions
