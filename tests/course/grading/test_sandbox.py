"""What a sandbox keeps from a student's code, and that the same code gets at it without one."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from course.errors import UserError
from course.grading import sandbox
from course.grading.channel import Closed
from course.grading.judge import Judge
from course.grading.sandbox import Limits, Sandbox, Unsafe
from course.grading.session import Session
from course.writing.units import ROOT
from tests.course.grading.judging import PRELOAD, RIGHT, assignment, handed_in, points

SECRET = "the-secret-of-the-instructor"
SECONDS = 250  # of a busy machine
LIMITS = Limits(memory=500_000_000, disk=20_000_000, processes=40, cpu=60)


@pytest.fixture(scope="module")
def boxes():
    """With walls, and without, each with a secret in the environment that it is started in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKEN", SECRET)
        with Sandbox(preload=PRELOAD) as walls, Unsafe(preload=PRELOAD) as none:
            yield {"walls": walls, "none": none}


class Inside:
    """A submission that consists of one cell, which defines `probe`."""

    def __init__(self, box, code):
        self.link, self.leash = box.open(LIMITS)
        self.session = Session(self.link)
        self.error = self.session.cell(code, SECONDS)

    def probe(self, *args):
        self.session.deadline, self.session.left = time.monotonic() + SECONDS, 30
        return self.session.ask("probe", "", args, {})

    def __enter__(self):
        assert self.error is None, self.error
        return self

    def __exit__(self, *error):
        self.link.close()
        self.leash.close()


def probed(box, code, *args):
    with Inside(box, code) as inside:
        return inside.probe(*args)


@pytest.fixture
def victim():
    """A process of whoever grades."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


READ = """
def probe(path):
    try:
        return open(path, "rb").read().decode(errors="replace")
    except OSError as error:
        return type(error).__name__
"""


def test_files_of_whoever_grades(boxes, tmp_path):
    (tmp_path / "gradebook.db").write_text(SECRET)
    hidden = ROOT / "course" / "units" / "01_efficiency" / "exercise.py"
    for path in (tmp_path / "gradebook.db", hidden, Path("/etc/passwd")):
        assert "NotFound" in probed(boxes["walls"], READ, str(path))
        assert "NotFound" not in probed(boxes["none"], READ, str(path))
    shown = ROOT / "utils" / "records.py"
    assert probed(boxes["walls"], READ, "/box/utils/records.py") == shown.read_text()


def test_no_test_and_no_solution_is_anywhere(boxes):
    walk = """
import os
def probe():
    found = []
    for folder, _, names in os.walk("/", followlinks=False):
        if not folder.startswith(("/usr", "/proc", "/dev")) and "site-packages" not in folder:
            found += [os.path.join(folder, name) for name in names if name.endswith((".py", ".ipynb"))]
    return [path for path in found if "BEGIN " + "SOLUTION" in open(path, errors="replace").read()]
"""
    assert probed(boxes["walls"], walk) == []


def test_the_environment(boxes):
    code = "import os\ndef probe():\n    return dict(os.environ)"
    assert SECRET in probed(boxes["none"], code).values()
    seen = probed(boxes["walls"], code)
    assert SECRET not in seen.values()
    assert not any(str(ROOT) in value for value in seen.values())


def test_processes_of_others(boxes, victim):
    code = """
import os
def probe(pid):
    seen = [name for name in os.listdir("/proc") if name.isdigit()]
    try:
        os.kill(pid, 9)
    except OSError as error:
        return len(seen), type(error).__name__
    return len(seen), "killed"
"""
    number, said = probed(boxes["walls"], code, victim.pid)
    assert number <= 3 and said == "ProcessLookupError"
    assert victim.poll() is None
    number, said = probed(boxes["none"], code, victim.pid)
    assert number > 3 and said == "killed"
    assert victim.wait(SECONDS) == -9


def test_memory_of_others(boxes):
    """The judge holds hidden tests; its memory must be out of reach, also through process 1."""
    code = """
import os
def probe():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) != os.getpid():
            try:
                open(f"/proc/{pid}/mem", "rb").close()
                open(f"/proc/{pid}/environ", "rb").read()
                found.append(pid)
            except OSError:
                pass
    return found
"""
    assert probed(boxes["walls"], code) == []
    assert probed(boxes["none"], code) != []


def test_the_network(boxes, port):
    code = """
import socket
def probe(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError as error:
        return type(error).__name__
    return "connected"
"""
    assert probed(boxes["walls"], code, port) != "connected"
    assert probed(boxes["none"], code, port) == "connected"


def test_a_socket_of_whoever_grades(boxes):
    name = f"\0course-test-{os.getpid()}"
    code = """
import socket
def probe(name):
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(name)
        except OSError as error:
            return type(error).__name__
    return "connected"
"""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        assert probed(boxes["walls"], code, name) == "ConnectionRefusedError"
        assert probed(boxes["none"], code, name) == "connected"


def test_nothing_that_others_see_can_be_written(boxes, tmp_path):
    code = """
import os
def probe(places):
    written = []
    for place in places:
        try:
            with open(os.path.join(place, "left behind"), "w") as file:
                file.write("x")
            written.append(place)
        except OSError:
            pass
    return written
"""
    assert probed(boxes["none"], code, [str(tmp_path)]) == [str(tmp_path)]
    look = """
import os
def probe():
    places = [folder for folder, _, _ in os.walk("/") if os.access(folder, os.W_OK)]
    return [place for place in places if not place.startswith("/proc")]
"""
    places = probed(boxes["walls"], look)
    assert {place.split("/")[1] for place in places} <= {"tmp", "dev"}
    assert {place for place in places if place.startswith("/dev")} <= {"/dev/shm"}  # noqa: S108
    shared = ["/tmp", "/dev/shm"]  # noqa: S108
    assert set(shared) <= set(places)
    assert probed(boxes["walls"], code, shared) == shared
    left = "import os\ndef probe(places):\n    return [p for p in places if 'left behind' in os.listdir(p)]"
    assert probed(boxes["walls"], left, shared) == []  # in the sandbox of the next


MARKED = """
import subprocess, sys
def probe(mark):
    code = f"import os, time; os.setsid() if os.fork() == 0 else os._exit(0); time.sleep(600) # {mark}"
    subprocess.run([sys.executable, "-c", code], close_fds=False)
"""


def running(mark):
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(mark in part for part in process.info["cmdline"] or ()):
            found.append(process)
    return found


def test_a_detached_child(boxes):
    mark = f"left-{os.getpid()}"
    probed(boxes["none"], MARKED, mark)
    (left,) = running(mark)
    left.kill()
    psutil.wait_procs([left], SECONDS)
    with Inside(boxes["walls"], MARKED) as inside:
        inside.probe(mark)
        children = running(mark)
        assert children
    psutil.wait_procs(children, SECONDS)
    assert running(mark) == []


def test_what_is_left_when_whoever_grades_is_killed(boxes):
    """The end of a leash is closed by the kernel, however its holder ends."""
    mark = f"orphan-{os.getpid()}"
    with Inside(boxes["walls"], MARKED) as inside:
        inside.probe(mark)
        children = running(mark)
        pid = os.fork()
        if pid == 0:  # holds the leash alone
            time.sleep(600)
            os._exit(0)
    assert children and running(mark)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    psutil.wait_procs(children, SECONDS)
    assert running(mark) == []


FORKS = """
import os, time
def probe(most):
    for number in range(most):
        try:
            if os.fork() == 0:
                time.sleep(600)
                os._exit(0)
        except OSError as error:
            return number, type(error).__name__
    return most, ""
"""


def test_a_bomb_of_processes(boxes):
    most = LIMITS.processes
    number, error = probed(boxes["walls"], FORKS, 3 * most)
    assert number < most and error == "BlockingIOError"
    assert probed(boxes["walls"], FORKS, 5) == (5, "")
    assert probed(boxes["none"], FORKS, 3 * most) == (3 * most, "")


def test_memory_and_disk(boxes):
    memory = """
def probe(n):
    try:
        return len(bytearray(n))
    except MemoryError:
        return -1
"""
    assert probed(boxes["walls"], memory, LIMITS.memory // 2) == LIMITS.memory // 2
    assert probed(boxes["walls"], memory, 2 * LIMITS.memory) == -1
    disk = """
def probe(n, files):
    try:
        for number in range(files):
            with open(str(number), "wb") as file:
                file.write(bytes(n))
    except OSError as error:
        return type(error).__name__
    return "written"
"""
    assert probed(boxes["walls"], disk, LIMITS.disk // 2, 1) == "written"
    assert probed(boxes["walls"], disk, 2 * LIMITS.disk, 1) == "OSError"
    assert probed(boxes["walls"], disk, LIMITS.disk // 2, 4) == "OSError"


def test_privileges(boxes):
    code = """
import ctypes, os
def probe():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
    libc = ctypes.CDLL(None, use_errno=True)
    calls = {"unshare": libc.unshare(0x10000000), "mount": libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
             "ptrace": libc.ptrace(16, 1, 0, 0)}
    names = ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")
    return {name: status[name].strip() for name in names}, calls
"""
    status, calls = probed(boxes["walls"], code)
    assert status == {
        **dict.fromkeys(("CapEff", "CapPrm", "CapBnd"), "0" * 16),
        "NoNewPrivs": "1",
        "Seccomp": "2",
    }
    assert set(calls.values()) == {-1}


def test_an_unprivileged_user_also_when_root_grades(boxes):
    with Inside(boxes["walls"], "def probe():\n    return 0"):
        server = psutil.Process(boxes["walls"].process.pid)
        users = {
            child.uids().effective
            for child in server.children(recursive=True)
            if "python" in child.name()
        }
    assert len(users) == 1 and users != {0}


def test_a_hundred_megabytes_of_output_are_stored_nowhere(boxes):
    code = RIGHT.replace(
        "    return", "    for _ in range(100):\n        print('x' * 10**6)\n    return"
    )
    done = Judge(assignment(), boxes["walls"]).judge(handed_in(assignment(), code), seconds=SECONDS)
    assert points(done.notebook) == {"q1": 2, "q2": 3}
    assert len(str(done.notebook)) < 20_000


@pytest.mark.parametrize(
    "message",
    [
        'struct.pack("<Q", 10**15)',
        'struct.pack("<Q", 3) + b"xyz"',
        'struct.pack("<Q", 1) + b"N"',
        "bytes(1000)",
    ],
)
def test_messages_of_its_own_end_it_and_are_flagged(boxes, message):
    code = f"""
import os, stat, struct
def double(values):
    for fd in range(3, 100):
        if os.path.exists(f"/proc/self/fd/{{fd}}") and stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.write(fd, {message})
    return 2 * values
"""
    done = Judge(assignment(), boxes["walls"]).judge(handed_in(assignment(), code), seconds=SECONDS)
    assert points(done.notebook) == {"q1": 0, "q2": 3}
    assert any("no answer" in flag for flag in done.flags)


def test_no_sandbox_no_grading(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="apt install bubblewrap.*add --unsafe"):
        Sandbox(preload=PRELOAD).start()


def test_a_kernel_that_does_not_allow_it(monkeypatch, tmp_path):
    blocked = tmp_path / "bwrap"
    blocked.write_text(
        "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"
    )
    blocked.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: str(blocked))
    with pytest.raises(UserError, match="uid map: Permission denied.*AppArmor.*--unsafe"):
        Sandbox(preload=PRELOAD).start()


def test_the_server_ends_with_whoever_started_it(boxes):
    box = Sandbox(preload=PRELOAD).start()
    children = psutil.Process(box.process.pid).children(recursive=True)
    link, leash = box.open(LIMITS)
    box.close()
    gone, alive = psutil.wait_procs(children, SECONDS)
    assert not alive
    with pytest.raises((Closed, RuntimeError)):
        Session(link).cell("1", 5)
    leash.close()
