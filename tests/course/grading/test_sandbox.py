"""What a sandbox is made of, and when there is none. What it keeps from a student's code: test_attacks."""

import os
import sys
import time

import psutil
import pytest

from course.errors import UserError
from course.grading import sandbox
from course.grading.channel import Closed
from course.grading.judge import Judge
from course.grading.sandbox import Limits, Sandbox, SandboxError, Unsafe
from course.grading.session import Gone, Session
from tests.course.grading.escapes import running
from tests.course.grading.judging import PRELOAD, RIGHT, assignment, handed_in, points

SECONDS = 250  # of a busy machine
LIMITS = Limits(memory=500_000_000, disk=20_000_000, processes=40, cpu=60)


@pytest.fixture(scope="module")
def boxes():
    """With walls, and without."""
    with Sandbox(preload=PRELOAD) as walls, Unsafe(preload=PRELOAD) as none:
        yield {"walls": walls, "none": none}


class Inside:
    """A submission that consists of one cell, which defines `probe`."""

    def __init__(self, box, code, limits=LIMITS):
        self.link, self.leash = box.open(limits)
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


def probed(box, code, *args, limits=LIMITS):
    with Inside(box, code, limits) as inside:
        return inside.probe(*args)


def test_no_test_and_no_solution_is_anywhere(boxes):
    """Beside the system and Python there is what the command names, and of that no source of a unit."""
    walk = """
import os
def probe(known):
    found = []
    for folder, below, names in os.walk("/"):
        below[:] = [name for name in below if os.path.join(folder, name) not in known]
        found += [os.path.join(folder, name) for name in names]
    texts = [path for path in found if path.endswith((".py", ".ipynb"))]
    return len(texts), [path for path in texts if "BEGIN " + "SOLUTION" in open(path).read()]
"""
    known = ["/usr", "/proc", "/dev", "/box/data", sandbox.ENVIRONMENT, sys.base_prefix]
    seen, telling = probed(boxes["walls"], walk, known)
    assert seen > 50 and telling == []


def test_an_environment_may_lie_in_tmp(monkeypatch, tmp_path):
    """Each submission has a /tmp of its own, which would hide it."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/bin/python")
    command = Sandbox(preload=()).command(3)
    shown = command[command.index(str(tmp_path)) + 1]
    assert shown == sandbox.ENVIRONMENT and f"{shown}/bin/python" in command
    monkeypatch.setattr(sys, "base_prefix", "/tmp/python")
    with pytest.raises(SandboxError, match="Python itself lies in /tmp"):
        Sandbox(preload=()).command(3)


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
def probe():
    mounts = [line.split() for line in open("/proc/self/mounts")]
    return {place: options.split(",") for _, place, _, options, *_ in mounts}
"""
    places = {place for place, options in probed(boxes["walls"], look).items() if "rw" in options}
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
    assert places - devices == {"/tmp", "/dev/shm"}  # noqa: S108
    shared = ["/tmp", "/dev/shm"]  # noqa: S108
    assert probed(boxes["walls"], code, shared) == shared
    left = "import os\ndef probe(places):\n    return [p for p in places if 'left behind' in os.listdir(p)]"
    assert probed(boxes["walls"], left, shared) == []  # in the sandbox of the next


MARKED = """
import subprocess, sys
def probe(mark):
    code = f"import os, time; os.fork() and os._exit(0); time.sleep(600) # {mark}"
    subprocess.run([sys.executable, "-c", code], close_fds=False, start_new_session=True)
"""


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


def test_processes_together_hold_no_more_than_one_may(boxes):
    code = """
import os, signal, time
def probe(n, seconds):
    children = []
    for _ in range(n):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            held = b"x" * 90_000_000
            os.write(writing, b"x")
            time.sleep(600)
        children.append(child)
        os.read(reading, 1)
    time.sleep(seconds)
    return [os.kill(child, signal.SIGKILL) for child in children]
"""
    limits = Limits(memory=100_000_000, processes=40)
    assert probed(boxes["none"], code, 20, 0) == [None] * 20
    assert probed(boxes["walls"], code, 2, 1, limits=limits) == [None] * 2
    with pytest.raises(Gone):
        probed(boxes["walls"], code, 20, 600, limits=limits)


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


@pytest.mark.parametrize("said", ["[1, 2, 3]", "5", "{'a': 1, 2: 3}", "'x'"])
def test_what_is_said_of_a_cell_may_be_anything(boxes, said):
    """It costs the cell of which it is said, not the whole submission."""
    code = f"""
import gc
runner = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Runner")
runner.cell = lambda *args: ["done", runner.nonce, {said}]
"""
    judge = Judge(assignment(), boxes["walls"])
    done = judge.judge(handed_in(assignment(), between=code), seconds=SECONDS)
    assert points(done.notebook) == {"q1": 2, "q2": 0}
    assert any("messages of its own" in flag for flag in done.flags)


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
