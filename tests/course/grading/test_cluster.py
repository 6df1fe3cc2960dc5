"""A class that a Dask cluster judges comes to what it comes to on this machine, whatever is ended
meanwhile."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
from distributed import Client, LocalCluster

from course.errors import UserError
from course.grading import cluster as judging
from course.grading import sandbox
from course.grading.cluster import _Judges, _Process, _process, about, on_worker, ready
from course.grading.gradebook import gradebook_of
from tests.course.grading.test_killed import (
    SECONDS,
    graded,
    handed_in,
    in_gradebook,
    scores,
    started,
)

STUDENTS = 10
HOW = {"unsafe": True, "seed": "", "seconds": 1, "answer_seconds": None}


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """Two processes that run two tasks at once each, in threads."""
    folder = tmp_path_factory.mktemp("workers")
    with LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        processes=True,
        dashboard_address=":0",
        local_directory=str(folder),
    ) as workers:
        yield workers


@pytest.fixture(scope="module")
def undisturbed(built_root, tmp_path_factory):
    root = tmp_path_factory.mktemp("undisturbed")
    handed_in(built_root, root, STUDENTS)
    return scores(graded(built_root, root)), in_gradebook(root)


@pytest.fixture
def root(built_root, tmp_path):
    handed_in(built_root, tmp_path / "class", STUDENTS)
    return tmp_path / "class"


@pytest.fixture
def processes():
    """What this process, as a worker would, keeps to judge with."""
    yield judging._idle
    while judging._idle:
        judging._idle.pop().end()


def pids(workers):
    with Client(workers, set_as_default=False) as client:
        return sorted(client.run(os.getpid).values())


def below(pid):
    """The processes that a worker judges with, and all that they have started."""
    return psutil.Process(pid).children(recursive=True)


def test_the_scores_are_those_of_this_machine(workers, built_root, root, undisturbed):
    results = graded(built_root, root, workers.scheduler_address)
    assert (scores(results), in_gradebook(root)) == undisturbed
    for pid in pids(workers):
        command = [" ".join(process.cmdline()) for process in below(pid)]
        assert any("course.grading.cluster" in line for line in command)


def test_a_worker_that_is_ended_costs_nobody_anything(workers, built_root, root, undisturbed):
    grader = started(built_root, root, workers.scheduler_address)
    grader.stdout.readline()
    victim = pids(workers)[0]
    gone = below(victim)
    os.kill(victim, signal.SIGKILL)
    said = grader.communicate(timeout=SECONDS)[0]
    assert grader.returncode == 0, said
    assert psutil.wait_procs(gone, SECONDS)[1] == []
    results = graded(built_root, root, workers.scheduler_address)  # which reads what is there
    assert (scores(results), in_gradebook(root)) == undisturbed


def test_what_a_grader_had_sent_that_was_ended_changes_nothing(
    workers, built_root, root, undisturbed
):
    grader = started(built_root, root, workers.scheduler_address)
    grader.stdout.readline()
    children = below(grader.pid)
    grader.kill()
    grader.communicate()
    assert psutil.wait_procs(children, SECONDS)[1] == []
    left = gradebook_of(root).read_bytes()
    with Client(workers, set_as_default=False) as client:
        # What the workers are at comes to its end, and whatever else was sent is forgotten.
        ask = client.submit(os.getpid, pure=False, priority=-1)
        ask.result()
    assert gradebook_of(root).read_bytes() == left
    results = graded(built_root, root, workers.scheduler_address)
    assert (scores(results), in_gradebook(root)) == undisturbed


def test_two_tasks_at_once_have_a_process_each(processes):
    with _process() as one, _process() as other:
        assert one.process.pid != other.process.pid
    with _process() as again:
        assert again in (one, other)
    assert len(processes) == 2


def test_a_process_that_was_ended_is_followed_by_another(processes, monkeypatch):
    assert on_worker("refusal", about(), True) == ""
    (process,) = processes
    process.process.kill()  # while it waits
    process.process.wait()
    assert on_worker("refusal", about(), True) == ""
    asked, ask = [], _Process.ask

    def fatal(self, *message):
        asked.append(self)
        if len(asked) < 2:
            self.process.kill()  # while it judges
        return ask(self, *message)

    monkeypatch.setattr(_Process, "ask", fatal)
    assert on_worker("refusal", about(), True) == "" and len(asked) == 2
    asked.clear()
    monkeypatch.setattr(judging, "MOST_ENDED", 1)
    with pytest.raises(RuntimeError, match="a process that judges was ended 1 times"):
        on_worker("refusal", about(), True)
    assert processes == []


def test_a_process_ends_that_has_had_nothing_to_judge_for_a_while(processes, monkeypatch):
    monkeypatch.setattr(judging, "IDLE", 0)
    assert _Process().process.wait() == 0


def test_a_process_ends_with_its_worker():
    code = (
        "from course.grading.cluster import _Process; process = _Process(); "
        "process.ask('refusal', {}, True); print(process.process.pid, flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as worker:
        process = psutil.Process(int(worker.stdout.readline()))
        worker.kill()
    assert psutil.wait_procs([process], SECONDS)[1] == []


def test_what_goes_wrong_where_it_is_judged_is_told(processes):
    with pytest.raises(RuntimeError, match="NotJSONError: Notebook does not appear"):
        on_worker("judge", about(), "no notebook", "{}", HOW)


def test_only_what_would_judge_alike_judges(workers, monkeypatch, processes):
    here = _Judges()
    assert here.refusal(about(), True) == ""
    missing = sandbox.SandboxError("it is not there")
    monkeypatch.setattr(sandbox, "without_sandbox", lambda: missing)
    assert here.refusal(about(), False) == str(missing) and here.refusal(about(), True) == ""
    other = about() | {"the course": "1", "torch": "1"}
    monkeypatch.setattr(judging, "about", lambda: other)
    why = "the course is another, torch is another than where the class is graded; install"
    with pytest.raises(UserError, match=f"worker at tcp://.* cannot judge: {why}"):
        ready(workers.scheduler_address, True)
    with pytest.raises(RuntimeError, match=f"UserError: {why}"):  # a worker that came later
        on_worker("judge", other, "", "{}", HOW)


def test_what_is_no_cluster_is_told_in_a_sentence(monkeypatch):
    with pytest.raises(UserError, match="'nonsense' is no address of a Dask scheduler"):
        ready("nonsense", True)
    monkeypatch.setattr(judging, "ANSWERS", 1)
    with pytest.raises(UserError, match="No Dask scheduler answers at tcp://127.0.0.1:9 "):
        ready("tcp://127.0.0.1:9", True)
    with LocalCluster(n_workers=0, dashboard_address=":0") as empty:
        with pytest.raises(UserError, match="has no workers; start some"):
            ready(empty.scheduler_address, True)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match="takes Dask, which is not installed: pip install"):
        ready("tcp://127.0.0.1:9", True)
