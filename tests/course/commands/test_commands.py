import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from unittest.mock import Mock

import pytest

from course import cli, run
from course.commands import shared
from course.errors import UserError
from course.grading import classes, demo, judges, sandbox
from course.measuring import inference
from course.writing.notebooks import read_notebook, write_notebook
from course.writing.units import ROOT

COMMANDS = [
    "run",
    "new",
    "build",
    "check",
    "try",
    "grade",
    "guide",
    "bundle",
    "lab",
    "results",
    "teachers",
    "predict",
    "evaluate",
    "data",
]


def test_help_answers_at_once():
    """No command's libraries are imported to print help."""
    script = (
        "import sys; sys.argv = ['course', '--help']\n"
        "from course.cli import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'sklearn', 'nbgrader', 'nbformat', 'jupytext', 'matplotlib'}\n"
        "print('imported:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "imported: []"
    for command in COMMANDS:
        assert f" {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(course, command):
    code, out, _ = course(command, "--help")
    assert code == 0
    assert f"python -m course {command}" in out or f"course {command}" in out
    assert len(out.splitlines()) > 5


def test_commands_stand_in_the_order_that_they_are_met():
    assert [cli._name(command) for command in cli.app.registered_commands] == COMMANDS


def test_a_command_is_one_file_more(tmp_path):
    """The command line finds it by itself, and puts it behind the others."""
    shutil.copytree(ROOT / "course", tmp_path / "course", ignore=shutil.ignore_patterns("units"))
    example = shared.__doc__.partition("::\n\n")[2]
    (tmp_path / "course" / "commands" / "hello.py").write_text(textwrap.dedent(example))
    (tmp_path / "course" / "units").mkdir()
    command = [sys.executable, "-m", "course", "--help"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": ""}
    )
    listed = re.findall(r"^. (\w+)  ", done.stdout.partition("Commands")[2], re.MULTILINE)
    assert listed == [*COMMANDS, "hello"], done.stdout + done.stderr


def test_python_m_course():
    command = [sys.executable, "-m", "course", "check", "nope"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: There is no unit 'nope'")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["check", "nope"], "There is no unit 'nope'; choose one of: 01_tiny."),
        (["build", "nope"], "There is no unit 'nope'"),
        (["new", "nope"], "'nope' is not a unit's name"),
        (["results", "nope"], "There is no unit 'nope'"),
        (["grade", "/no/such/folder"], "/no/such/folder does not exist"),
        (["grade", "--unit", "nope"], "There is no unit 'nope'"),
        (["grade", "somewhere", "--demo"], "Give a folder or --demo, not both."),
        (
            ["predict", "no/model"],
            "There is no model file no/model; those of the course are: none.",
        ),
        (["evaluate", "no/model"], "There is no model file no/model"),
    ],
)
def test_what_a_person_did_wrong_is_one_sentence(course, arguments, message):
    code, out, err = course(*arguments)
    assert code == 2
    assert err.startswith(f"Error: {message}")
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [["nope"], ["check", "--jobs", "0"], ["run", "extra"]])
def test_wrong_usage(course, arguments):
    code, _, err = course(*arguments)
    assert code == 2
    assert "Usage:" in err


def test_errors_of_the_library_are_sentences_too():
    from utils.errors import DataError
    from utils.packing import PackingError

    assert cli._sentence(DataError("No data.")) == "No data."
    assert cli._sentence(PackingError("No model.")) == "No model."
    assert cli._sentence(UserError("No unit.")) == "No unit."
    assert cli._sentence(OSError(28, "No space left on device")).startswith("The disk is full")
    assert "x.txt cannot be opened" in cli._sentence(PermissionError(13, "Denied", "x.txt"))
    assert cli._sentence(ValueError("a fault of ours")) is None
    assert cli._sentence(KeyError("x")) is None


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(cli, "app", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_build_check_says_what_drifted_and_writes_nothing(course, built_unit, empty_readme):
    assert course("build", "--check")[:2] == (
        0,
        "The notebooks match their sources, and README.md the results.\n",
    )
    source = built_unit.exercise_source
    source.write_text(source.read_text().replace("# *4 minutes, 2", "# *5 minutes, 2"))
    before = built_unit.solution_notebook().read_bytes()
    code, out, _ = course("build", "--check")
    assert code == 1
    assert "the source of cell 4 is not what is generated; run `python -m course build`" in out
    assert built_unit.solution_notebook().read_bytes() == before
    (built_unit.root / "README.md").write_text(empty_readme)
    assert "README.md: its tables or its picture differ" in course("build", "--check")[1]


def test_build_runs_a_lecture_only_when_it_must(course, built_unit):
    path = built_unit.lecture_notebook()
    first = path.stat().st_mtime_ns
    code, out, _ = course("build")
    assert (code, path.stat().st_mtime_ns) == (0, first)
    assert "lectures/01_tiny.ipynb is up to date." in out
    code, out, _ = course("build", "tiny", "--refresh")
    assert code == 0
    assert path.stat().st_mtime_ns > first
    source = built_unit.lecture_source
    source.write_text(source.read_text().replace("# # Medians", "# # Middles"))
    assert "Wrote lectures/01_tiny.ipynb" in course("build")[1]
    assert course("build", "--check")[0] == 0


def test_a_lecture_that_does_not_run_is_an_error_of_its_author(course, built_unit):
    source = built_unit.lecture_source
    source.write_text(source.read_text().replace("print(", "print(1 / 0, "))
    code, _, err = course("build")
    assert code == 2
    assert "lecture.py does not run: cell 5 raised ZeroDivisionError" in err


def test_check_green_and_red(course, built_unit):
    code, out, _ = course("check", "--quick")
    assert code == 0
    assert re.search(r"01_tiny +│ mistakes fail +│ passed", out), out
    assert "problems" not in out
    source = built_unit.mistakes_folder / "q1.py"
    source.write_text(source.read_text().replace("You forgot to sort", "Mind the order"))
    code, out, _ = course("check", "tiny", "--quick")
    assert code == 1
    assert re.search(r"01_tiny +│ mistakes recognised +│ 1 problem", out), out
    assert "01_tiny, mistakes recognised: The mistake q1/unsorted is not recognised" in out


def test_an_empty_unit_folder_is_reported_and_stops_nobody(course, built_unit):
    empty = built_unit.folder.with_name("02_empty")
    empty.mkdir()
    for arguments in (["build", "--check"], ["check", "--quick"]):
        code, out, _ = course(*arguments)
        assert code == 1
        assert out.rstrip().splitlines()[-1].startswith(f"{empty / 'unit.toml'} does not exist")
        assert course(*arguments, "tiny")[0] == 0
    code, _, err = course("build", "empty")
    assert code == 2 and "02_empty/unit.toml does not exist" in err


def test_grade_a_class(course, built_unit):
    folder = built_unit.root / "grading" / "submitted"
    answered = read_notebook(built_unit.solution_notebook())
    for cell in answered.cells:
        cell.source = "\n".join(line for line in cell.source.split("\n") if "SOLUTION" not in line)
        cell.source = cell.source.partition("### BEGIN HIDDEN")[0]
    release = read_notebook(built_unit.release_notebook())
    for student, nb in {"ada": answered, "bob [draft]": release}.items():
        write_notebook(nb, folder / student / "01_tiny" / "01_tiny.ipynb")
    code, out, _ = course("grade", "--jobs", "1")
    assert code == 0
    assert re.search(r"ada +│ graded +│ +2 │ +3 │ +\? │ +5 │", out), out
    assert re.search(r"bob \[draft\] +│ graded +│ +0 │ +0 │ +0 │ +0 │", out), out
    assert "bob [draft], q1: NotImplementedError: Replace this with your answer." in out
    seed = (built_unit.root / "grading" / "seed.txt").read_text()
    rows = (built_unit.root / "grading" / "scores.csv").read_text().splitlines()
    assert rows[0] == (
        "assignment,student,status,q1,q2,q3,points,possible,waiting_for_manual_grading,problem"
    )
    assert rows[1] == "01_tiny,ada,graded,2.0,3.0,0.0,5.0,7.0,2.0,"
    (folder / "ada" / "01_tiny" / "01_tiny.ipynb").write_text("{")
    code, out, _ = course("grade", str(folder), "--unit", "1", "--jobs", "1")
    assert code == 1
    assert (built_unit.root / "grading" / "seed.txt").read_text() == seed
    # What was graded before is not lost, nor contradicted.
    assert re.search(r"ada +│ could not run +│ +2 │ +3 │ +\? │ +5 │", out), out
    assert re.search("ada: 01_tiny/01_tiny.ipynb is no notebook.* those of an earlier hand-in", out)
    # Nor is it forgotten that somebody needs a look, by a run of others.
    shutil.rmtree(folder / "ada")
    code, out, _ = course("grade", "--jobs", "1")
    assert code == 1 and not re.search("^ada", out, re.MULTILINE)
    page = built_unit.root / "grading" / "class.html"
    assert f"1 submission graded before needs a look, too: {page} says why." in out
    assert "Who needs a look, and why: 1 of 2 submissions" in page.read_text()
    write_notebook(answered, folder / "ada" / "01_tiny" / "01_tiny.ipynb")
    assert course("grade", "--jobs", "1")[0] == 0


def test_grade_a_download(course, built_unit, tmp_path):
    release = built_unit.release_notebook().read_bytes()
    path = tmp_path / "submissions.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doejane_12_34_01_tiny-1.ipynb", release)
        archive.writestr("roerichard_LATE_56_78_answers.pdf", b"%PDF")
    code, out, _ = course("grade", str(path), "--jobs", "1")
    assert code == 1
    assert re.search(r"doejane_12 +│ graded +│ +0 │", out), out
    assert re.search(r"roerichard_56 +│ could not run +│ +none │", out), out
    assert "roerichard_56: There is no notebook; ask for 01_tiny.ipynb." in out


def test_without_a_sandbox_nobody_is_graded_unless_it_is_asked_for(course, built_unit, monkeypatch):
    missing = sandbox.SandboxError("it is not there")
    monkeypatch.setattr(sandbox, "without_sandbox", lambda: missing)
    monkeypatch.setattr(sandbox.Sandbox, "command", Mock(side_effect=missing))
    judges.close_boxes()  # one that another test has started
    grading = built_unit.root / "grading"
    release = read_notebook(built_unit.release_notebook())
    write_notebook(release, grading / "submitted" / "ada" / "01_tiny" / "01_tiny.ipynb")
    code, _, err = course("grade")
    assert code == 2 and not (grading / "gradebook.db").exists()
    assert "No sandbox for students' code can be had: it is not there." in err
    assert "add --unsafe." in err
    code, out, _ = course("grade", "--unsafe", "--jobs", "1")
    assert code == 0 and "Graded without a sandbox (--unsafe)" in out
    assert re.search(r"ada +│ graded +│ +0 │ +0 │ +0 │ +0 │", out), out
    code, _, err = course("grade", "--demo", "--scheduler", "here")  # where workers have one
    assert code == 2 and "'here' is no address of a Dask scheduler, which reads tcp://HOST" in err
    everybody = demo.demo_students
    monkeypatch.setattr(demo, "demo_students", lambda *a: everybody(*a)[:1])
    code, out, _ = course("grade", "--demo", "--jobs", "1")
    assert code == 0
    assert "no sandbox here (it is not there), so the demo class, which is the course's own" in out
    assert "Every score is as expected." in out


def test_grade_nothing(course, built_unit, tmp_path, monkeypatch):
    code, _, err = course("grade", str(tmp_path / "no"))
    assert code == 2 and "does not exist" in err
    (tmp_path / "empty").mkdir()
    code, _, err = course("grade", str(tmp_path / "empty"))
    assert code == 2 and "STUDENT/UNIT/UNIT.ipynb" in err
    (tmp_path / "full" / "ada" / "01_tiny").mkdir(parents=True)
    (tmp_path / "full" / "ada" / "01_tiny" / "notes.txt").touch()
    monkeypatch.setattr(classes, "can_judge", lambda: False)
    code, _, err = course("grade", str(tmp_path / "full"))
    assert code == 2 and "Grading takes Linux (elsewhere a virtual machine will do" in err


def test_run_does_everything_and_says_when_something_failed(course, built_unit, monkeypatch):
    everybody = demo.demo_students
    few = ("perfect", "blank", "mistake-1")
    monkeypatch.setattr(
        demo, "demo_students", lambda *a: [s for s in everybody(*a) if s.name in few]
    )
    before = {p: p.read_bytes() for p in built_unit.root.rglob("*.ipynb")}
    code, out, _ = course("run")
    assert code == 0, out
    assert re.search(r"01_tiny +│ lecture +│ ok +│", out) and "Everything passed." in out, out
    assert {p: p.read_bytes() for p in before} == before  # git stays clean
    report = json.loads((built_unit.root / "build" / "report.json").read_text())
    assert [n["kind"] for n in report["notebooks"]] == ["lecture", "solution"]
    assert [student["student"] for student in report["demo"]] == list(few)
    assert all(student["as_expected"] for student in report["demo"])
    assert (built_unit.root / "build" / "report.html").is_file()


def test_run_goes_on_after_a_failure_and_exits_with_1(course, built_unit, monkeypatch):
    monkeypatch.setattr(run, "can_judge", lambda: False)
    toml = built_unit.folder / "unit.toml"
    toml.write_text(toml.read_text().replace("max_mb = 1000\n[assign", "max_mb = 3\n[assign"))
    source = built_unit.exercise_source
    source.write_text(source.read_text().replace("import math", "1 / 0"))
    built_unit.folder.with_name("02_empty").mkdir()
    code, out, _ = course("run")
    assert code == 1
    assert "02_empty/unit.toml does not exist" in out
    assert "its budget is 3 MB" in out
    assert "The solution of 01_tiny does not run: cell 2 raised ZeroDivisionError" in out
    assert "3 to look at." in out
    assert "No demo class is graded here: that takes Linux (elsewhere a virtual machine" in out


@pytest.fixture
def model(built_unit, monkeypatch):
    """Stands for a model file; what reads it is tested elsewhere."""
    path = built_unit.root / "model"
    path.write_text("")

    def predict_lines(path, lines, batch):
        for line in lines:
            yield {"text": line.strip(), "probabilities": {"joy": 0.5}, "labels": ["joy"]}

    monkeypatch.setattr(inference, "predict_lines", predict_lines)
    return str(path)


def test_predict_from_a_file_and_from_standard_input(course, model, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_bytes("one\ntw\u00f6\n".encode())
    code, out, _ = course("predict", model, str(texts))
    assert code == 0
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["one", "tw\u00f6"]
    assert course("predict", model, stdin=texts.read_bytes())[1] == out


def test_predict_says_which_line_is_not_utf8(course, model):
    code, out, err = course("predict", model, stdin=b"one\nt\xffo\n")
    assert code == 2
    assert len(out.splitlines()) == 1
    assert "standard input:2 is not UTF-8 text" in err


def test_evaluate_prints_nothing_but_json(course, model, monkeypatch):
    def evaluate(path, split, taxonomy):
        print("NOTICE: about the data")
        return {"macro_f1": 0.5, "split": split, "taxonomy": taxonomy, "per_label": {"joy": {}}}

    monkeypatch.setattr(inference, "evaluate", evaluate)
    code, out, err = course("evaluate", model, "--split", "dev", "--taxonomy", "ekman", "--json")
    assert code == 0
    assert json.loads(out) == {
        "macro_f1": 0.5,
        "split": "dev",
        "taxonomy": "ekman",
        "per_label": {"joy": {}},
    }
    assert "NOTICE" in err
    assert "0.5000" in course("evaluate", model)[1]


@pytest.fixture
def started(course, monkeypatch):
    """A function that runs `lab`, and returns the command that it became, and where."""

    def start(*args):
        found = []
        monkeypatch.setattr("os.execv", lambda path, command: found.append(command))
        monkeypatch.setattr("os.chdir", found.append)
        monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/elsewhere")
        code, _, err = course("lab", *args)
        return code, err, found

    return start


def test_lab_serves_the_whole_course_and_opens_the_first_lecture(started):
    code, _, (folder, command) = started()
    assert code == 0 and folder == shared.ROOT
    assert f"--ServerApp.root_dir={shared.ROOT}" in command
    assert "--LabApp.default_url=/lab/tree/lectures/01_tiny.ipynb" in command
    assert os.environ["JUPYTER_CONFIG_PATH"] == os.pathsep.join((str(shared.ROOT), "/elsewhere"))
    assert not any("port" in word or "browser" in word for word in command)


def test_lab_takes_a_port_and_opens_no_browser(started):
    command = started("--port", "8123", "--no-browser")[2][1]
    assert "--port=8123" in command and "--no-browser" in command
    code, err, found = started("--port", "70000")
    assert code == 2 and "65535" in err and not found
