"""Docker in bubblewrap's place: what it keeps from a student's code is what bubblewrap keeps from it.

`test_attacks` shows that each escape works where nothing confines. The engine that runs here is taken, or
else one is started, which takes root and `apt install docker.io`.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from course.errors import UserError
from course.grading import sandbox
from course.grading.channel import Closed
from course.grading.classes import grade_class
from course.grading.judge import Judge
from course.grading.sandbox import CHOICE, IMAGE, Container, Sandbox, SandboxError, chosen
from course.writing.notebooks import with_answers, write_notebook
from tests.course.grading.conftest import UNIT
from tests.course.grading.escapes import ESCAPES, REMAINS, Scene, answer, running
from tests.course.grading.judging import PRELOAD, assignment, handed_in, points
from tests.course.grading.test_attacks import FULL, odd
from tests.course.grading.test_sandbox import SECONDS, Inside, probed

pytestmark = pytest.mark.hostile  # `make hostile`: an engine is not started for every `make test`
HOLDS = """
from course.grading.sandbox import Container
with Container(preload=("numpy",)) as box:
    print("ready", flush=True)
    input()
"""


def docker(*arguments):
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def answers():
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    runs = bool(shutil.which("docker")) and answers()
    if not runs and (os.getuid() or not (shutil.which("docker") and shutil.which("dockerd"))):
        pytest.skip("there is no engine of Docker's here (apt install docker.io, and be root)")
    if runs:
        yield
        return
    folder = tmp_path_factory.mktemp("docker")
    address = f"unix://{folder}/socket"
    places = {"data-root": "data", "exec-root": "run", "pidfile": "pid"}
    command = ["dockerd", "--iptables=false", "--bridge=none", f"--host={address}"]
    command += [f"--{name}={folder / place}" for name, place in places.items()]
    with pytest.MonkeyPatch.context() as patch, open(folder / "log", "w") as log:
        patch.setenv("DOCKER_HOST", address)
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
        while not answers():
            assert daemon.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield
        daemon.terminate()
        daemon.wait()


@pytest.fixture(scope="module")
def box(engine):
    with Container(preload=PRELOAD) as box:
        yield box


@pytest.fixture(scope="module")
def judge(box):
    judge = Judge(assignment(), box)
    return lambda nb: points(judge.judge(nb, seconds=SECONDS).notebook)


def test_no_escape_succeeds_and_its_twin_does(judge, tmp_path):
    came = {}
    with Scene(tmp_path / "class", tmp_path.name) as scene:
        for name, pair in ESCAPES.items():
            tries = (handed_in(assignment(), answer(body, scene)) for body in pair)
            came[name] = (*map(judge, tries), scene.is_untouched())
    assert odd(came, {name: ({"q1": 0, "q2": 3}, FULL, True) for name in ESCAPES}) == {}


def test_nothing_is_left_running(judge, tmp_path):
    for name, pair in REMAINS.items():
        with Scene(tmp_path / name, f"{tmp_path.name}-{len(name)}") as scene:
            mark = f"{scene['mark']}-left"
            assert [judge(handed_in(assignment(), answer(body, scene))) for body in pair] == [
                FULL
            ] * 2
            psutil.wait_procs(running(mark), SECONDS)
            assert running(mark) == []


def test_it_sees_no_other_files_than_in_bubblewrap(box):
    walk = """
import os
def probe(known):
    found = set()
    for folder, below, names in os.walk("/"):
        below[:] = [name for name in below if os.path.join(folder, name) not in known]
        found |= {os.path.join(folder, name) for name in names}
    return found
"""
    known = ["/usr", "/proc", "/dev", "/box/data", sandbox.ENVIRONMENT, sys.base_prefix]
    known += ["/lib", "/lib64", "/lib32", "/bin", "/sbin"]  # in bubblewrap links to below /usr
    with Sandbox(preload=PRELOAD) as other:
        there = probed(other, walk, known)
    found = probed(box, walk, known)
    of_its_own = {f"/etc/{name}" for name in ("hosts", "hostname", "mtab", "resolv.conf")}
    links = {"/lib", "/lib64", "/lib32", "/bin", "/sbin"}
    assert found - there <= of_its_own | {"/.dockerenv"} and there - found <= links


def test_nothing_that_others_see_can_be_written(box):
    write = """
import os
def probe():
    written = []
    for folder, below, _ in os.walk("/"):
        below[:] = [name for name in below if os.path.join(folder, name) != "/proc"]
        try:
            with open(os.path.join(folder, "left behind"), "w"):
                written.append(folder)
        except OSError:
            pass
    return written
"""
    written = {"/".join(folder.split("/")[:3]) for folder in probed(box, write)}
    (home,) = (folder for folder in written if folder.startswith("/tmp/home"))  # noqa: S108
    assert written == {"/tmp", "/dev/shm", home}  # noqa: S108 - of the submission


def test_privileges(box):
    code = """
import ctypes
def probe():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
    libc = ctypes.CDLL(None)
    calls = [libc.unshare(0x10000000), libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)]
    return [status[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")], calls
"""
    assert probed(box, code) == (["0" * 16, "0" * 16, "1", "2"], [-1, -1])


def test_an_unprivileged_user_also_when_root_grades(box):
    (name,) = docker("ps", "--quiet", "--filter", f"ancestor={IMAGE}").split()
    with Inside(box, "def probe():\n    return 0"):
        pid = int(docker("inspect", "--format", "{{.State.Pid}}", name))
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        assert len(processes) >= 3
        assert 0 not in {process.uids().effective for process in processes}


def test_it_ends_with_whoever_started_it(engine):
    before = set(docker("ps", "--quiet", "--no-trunc").split())
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDS], **pipes) as holder:
        assert holder.stdout.readline() == "ready\n"
        (name,) = set(docker("ps", "--quiet", "--no-trunc").split()) - before
        server = psutil.Process(int(docker("inspect", "--format", "{{.State.Pid}}", name)))
        holder.send_signal(signal.SIGKILL)
    assert psutil.wait_procs([server], SECONDS)[1] == []


def test_it_ends_when_it_is_closed(engine):
    box = Container(preload=("numpy",)).start()
    link, leash = box.open(sandbox.Limits())
    box.close()
    with pytest.raises((Closed, RuntimeError)):
        sandbox.Session(link).cell("1", 5)
    leash.close()


def test_a_class_is_graded_in_it_where_it_is_chosen(engine, tiny, take, tmp_path, monkeypatch):
    wrong = with_answers(tiny.answered, {"q1": "def median(values):\n    return 7"})
    submissions = take(
        {
            f"{who}/{UNIT}/{UNIT}.ipynb": nb
            for who, nb in {"ada": tiny.answered, "bob": wrong}.items()
        }
    )
    write_notebook(tiny.solution, tiny.unit.solution_notebook(tmp_path))
    monkeypatch.setenv(CHOICE, "docker")
    monkeypatch.setenv("PATH", path_without("bwrap", tmp_path / "bin"))
    results = grade_class(tiny.unit, tmp_path, submissions.values(), jobs=1)
    assert [(r.student, r.status, r.points) for r in results] == [
        ("ada", "graded", 5),
        ("bob", "graded", 3),
    ]


def path_without(name, folder):
    """A PATH with all programs of this one but the one of this name."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in os.listdir(place) if os.path.isdir(place) else ():
            (folder / program).unlink(missing_ok=True)
            (folder / program).symlink_to(os.path.join(place, program))
    (folder / name).unlink(missing_ok=True)
    return str(folder)


def test_what_there_is_instead_is_chosen_by_name(monkeypatch):
    assert chosen() is Sandbox
    for name, kind in {"bubblewrap": Sandbox, "docker": Container, "": Sandbox}.items():
        monkeypatch.setenv(CHOICE, name)
        assert chosen() is kind
    monkeypatch.setenv(CHOICE, "lxc")
    with pytest.raises(UserError, match="COURSE_SANDBOX is 'lxc'; it may be bubblewrap or docker"):
        chosen()


def test_no_docker_no_grading(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(SandboxError, match="Docker is missing.*add --unsafe"):
        Container(preload=PRELOAD).start()
    silent = tmp_path / "docker"
    silent.write_text("#!/bin/sh\necho 'Cannot connect. Is the daemon running?' >&2\nexit 1\n")
    silent.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: str(silent))
    with pytest.raises(SandboxError, match="Is the daemon running. To grade without one"):
        Container(preload=PRELOAD).start()
    silent.write_text(
        "#!/bin/sh\n[ $1 = run ] || exit 0\necho 'docker: Operation not permitted.' >&2\n"
        "echo \"See 'docker run --help'.\" >&2\nexit 125\n"
    )
    with pytest.raises(SandboxError, match="Operation not permitted; where AppArmor"):
        Container(preload=PRELOAD).start()
