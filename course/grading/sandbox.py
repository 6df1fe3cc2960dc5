"""Where students' code runs: a server in bubblewrap, which forks a sandbox for each submission.

bubblewrap gives the server a file system that holds Python, its libraries, `utils`, the course's
results, models and the public data, all read-only, an environment that was made anew, and no network.
``course.grading.inside`` says what each submission gets on top of that. As root the server drops to an
unprivileged user before any student's code runs.

:class:`Container` has Docker do what bubblewrap does, where the environment says COURSE_SANDBOX=docker.

Where no sandbox can be had, `start` says why and refuses; only :class:`Unsafe` goes without, and only
whoever runs the command can ask for it.
"""

import contextlib
import io
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from course.errors import UserError
from course.grading.inside import PLAIN
from course.grading.session import Session
from course.threads import ONE_THREAD
from course.writing.units import ROOT
from utils.data import find_goemotions

PRELOAD = (
    "numpy",
    "scipy.sparse",
    "torch",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.feature_extraction.text",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "IPython.core.interactiveshell",
    "utils.records",
    "utils.metrics",
    "utils.efficiency",
    "utils.distillation",
    "utils.quantization",
    "utils.adaptive",
    "utils.pruning",
    "utils.packing",
    "utils.data",
)
# What PyTorch imports at a first gradient: half a second, for each submission that gets there.
DERIVES = "torch.fx.experimental.symbolic_shapes"
# Of `course`, a submission sees what its server is made of; students have the rest of this list.
SHOWN = (
    "course/__init__.py",
    "course/errors.py",
    "course/grading/__init__.py",
    "course/grading/channel.py",
    "course/grading/filter.py",
    "course/grading/inside.py",
    "course/grading/memory.py",
    "course/grading/wire.py",
    "course/proving/__init__.py",
    "course/proving/shell.py",
    "course/models",
    "course/results",
    "utils",
)
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/lib32",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)
BOX, DATA, ENVIRONMENT = "/box", "/box/data", "/box/environment"
START_SECONDS = 300
MOST_READY = 100_000  # bytes in which a server names what it has imported
CHOICE = "COURSE_SANDBOX"  # of the environment: what takes bubblewrap's place on a machine
# For Docker: an image without files, where the server is reached, how it sees what is shown (and not what
# else is mounted below, which might be written), and whom it runs as under root.
IMAGE, TALK = "small-language-models-course:nothing", "/talk"
READ_ONLY, NOBODY = "readonly,bind-nonrecursive=true", 65534
BLOCKED = (
    "; where AppArmor keeps programs from making user namespaces, as on Ubuntu 24.04, allow it by "
    "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
)


class SandboxError(UserError):
    """There can be no sandbox on this machine; `reason` is a part of a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"No sandbox for students' code can be had: {reason}. To grade without one, on a machine "
            "that holds nothing of value, add --unsafe."
        )
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """Of one submission: bytes of memory beyond what the libraries take, bytes of disk in all, processes
    (threads count), seconds of the processor."""

    memory: int = 2_000_000_000
    disk: int = 200_000_000
    processes: int = 64
    cpu: int = 1200


class Sandbox:
    """The server, and the submissions that run in it. `data` is a folder of GoEmotions, if the one
    that :func:`utils.data.find_goemotions` finds is not meant. A context manager. It ends with the
    thread that started it."""

    def __init__(
        self, *, root: Path = ROOT, data: str | None = None, preload: Sequence[str] = PRELOAD
    ) -> None:
        self.root, self.data = root, data or _data()
        self.preload = preload
        self.process: subprocess.Popen | None = None

    def start(self) -> "Sandbox":
        """Start the server and wait until it has imported the libraries.

        Raises SandboxError if there can be none here.
        """
        return self.launch().ready()

    def launch(self) -> "Sandbox":
        """Start the server; `ready` says if there can be one."""
        self.control, self.serves = self._begin(), False
        return self

    def _begin(self) -> socket.socket:
        """Start the process, and return the socket that the server is talked to by."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = self.command(theirs.fileno())
        self.process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self.environment(),
            start_new_session=True,
        )
        theirs.close()
        return ours

    def ready(self) -> "Sandbox":
        """Wait until the server has imported the libraries. Raises SandboxError if there can be none
        here."""
        if self.process is None or self.serves:
            return self
        ready = self._first_word()
        if not ready:
            self.control.close()
            self.process.kill()
            said = _last_line(self.process.communicate()[1])
            self.process = None
            raise SandboxError(blocked(said))
        self._prove()
        self.modules, self.serves = frozenset(json.loads(ready)), True
        return self

    def _first_word(self) -> bytes:
        """What the server says when it is ready; nothing if it is not in time."""
        self.control.settimeout(START_SECONDS)
        try:
            return self.control.recv(MOST_READY)
        except TimeoutError:
            return b""
        finally:
            self.control.settimeout(None)

    def _prove(self) -> None:
        """Make one sandbox, so that a kernel that forbids it is noticed before anybody is graded."""
        link, leash = self.open(Limits())
        try:
            Session(link)
        except RuntimeError as error:
            self.close()
            raise SandboxError(blocked(str(error))) from None
        finally:
            link.close()
            leash.close()

    def command(self, number: int) -> list[str]:
        bwrap = shutil.which("bwrap")
        if not sys.platform.startswith("linux"):
            raise SandboxError("it takes Linux (a virtual machine or WSL will do)")
        if bwrap is None:
            raise SandboxError(
                "bubblewrap is missing (Debian, Ubuntu: apt install bubblewrap; or let Docker, where there "
                f"is one, do its work: set {CHOICE}=docker)"
            )
        options = ["--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net"]
        options += ["--unshare-ipc", "--unshare-uts", "--clearenv", "--dev", "/dev"]
        options += ["--perms", "1777", "--tmpfs", "/tmp"]
        if os.getuid() == 0:
            # The server's own /proc must not be covered, or no submission could mount one of its own.
            options += ["--bind", "/proc", "/proc"]
            options += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            options += ["--unshare-user", "--proc", "/proc"]
        for name, value in self.environment().items():
            options += ["--setenv", name, value]
        shown = self.shown()
        folders = {str(parent) for path in shown for parent in Path(path).parents} - {"/"}
        for folder in sorted(folders - set(shown)):  # bubblewrap would let only their owner in
            options += ["--perms", "0755", "--dir", folder]
        for path, source in shown.items():
            if path in SYSTEM and os.path.islink(source):  # /lib leads to usr/lib
                options += ["--symlink", os.readlink(source), path]
            elif os.path.exists(source):
                options += ["--ro-bind", source, path]
        options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", BOX]
        return [bwrap, *options, "--", *self.server(python_inside(), number)]

    def shown(self) -> dict[str, str]:
        """Which of this machine's files the server sees, by the names that they have there."""
        if Path(sys.base_prefix).is_relative_to("/tmp"):  # noqa: S108 - each submission has its own
            raise SandboxError(f"Python itself lies in /tmp ({sys.base_prefix}), which is hidden")
        shown = {path: path for path in (*SYSTEM, sys.base_prefix)}
        if sys.prefix != sys.base_prefix:
            shown[ENVIRONMENT] = sys.prefix  # wherever it lies, in /tmp or in a home, say
        shown |= {f"{BOX}/{name}": str(self.root / name) for name in SHOWN}
        return shown | ({DATA: self.data} if self.data else {})

    def server(self, python: str, control: int | str) -> list[str]:
        flags = ["-s", "-P", "-m", "course.grading.inside"]
        return [python, *flags, str(control), ",".join(self.preload)]

    def environment(self) -> dict[str, str]:
        data = {"GOEMOTIONS_DIR": DATA} if self.data else {}
        return {
            **ONE_THREAD,
            **data,
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": "/tmp",  # noqa: S108 - of the sandbox
            "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
            "NBGRADER_EXECUTION": "autograde",
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": BOX,
            "PYTHONDONTWRITEBYTECODE": "1",
            "GOEMOTIONS_OFFLINE": "1",
        }

    def open(self, limits: Limits) -> tuple[socket.socket, socket.socket]:
        """A sandbox for one submission: the socket to talk to it by, and the leash, which ends it and
        all its processes when it is closed.

        Raises RuntimeError if the server has ended, which no submission can bring about.
        """
        link, theirs = socket.socketpair()
        leash, end = socket.socketpair()
        try:
            message = json.dumps(asdict(limits)).encode()
            socket.send_fds(self.control, [message], [theirs.fileno(), end.fileno()])
        except OSError as error:
            raise RuntimeError(f"the server of the sandboxes has ended: {error}") from error
        finally:
            theirs.close()
            end.close()
        return link, leash

    def restart(self) -> None:
        """Start the server anew, if it was ended from outside."""
        self.close()
        self.start()

    def close(self) -> None:
        if self.process is not None:
            self.control.close()
            self.process.kill()
            self.process.communicate()
            self.process = None

    def __enter__(self) -> "Sandbox":
        return self.start() if self.process is None else self

    def __exit__(self, *error: object) -> None:
        self.close()


class Container(Sandbox):
    """The server in a container, in place of bubblewrap: it sees the same files and no more.

    Inside, each submission has namespaces of its own, as ever. Docker's own profiles would forbid the
    server to make them; the submission's filter and privileges are what `inside` gives it. The engine
    must run on this machine, as root (not "rootless"), and let this user give it commands.
    """

    def _begin(self) -> socket.socket:
        docker = shutil.which("docker")
        if docker is None:
            raise SandboxError("Docker is missing")
        known = [docker, "image", "inspect", IMAGE]
        if subprocess.run(known, capture_output=True).returncode:
            empty = bytes(1024)  # a tar file
            made = subprocess.run([docker, "import", "-", IMAGE], input=empty, capture_output=True)
            if made.returncode:
                raise SandboxError(_last_line(made.stderr))
        # A container inherits no sockets: the server calls, after which this way to it is gone.
        self.folder = tempfile.TemporaryDirectory(prefix="sandbox")
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listening.bind(f"{self.folder.name}/socket")
        if os.getuid() == 0:
            for path in (self.folder.name, f"{self.folder.name}/socket"):
                os.chown(path, NOBODY, NOBODY)
        listening.listen(1)
        self.process = subprocess.Popen(
            [docker, *self.command(f"{TALK}/socket")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        return listening

    def _first_word(self) -> bytes:
        listening, until = self.control, time.monotonic() + START_SECONDS
        while not select.select([listening], [], [], 0.1)[0]:
            if self.process.poll() is not None or time.monotonic() > until:
                return b""
        self.control = listening.accept()[0]
        listening.close()
        self.folder.cleanup()
        return super()._first_word()

    def close(self) -> None:
        if self.process is not None:
            self.control.close()  # on which the server ends, and the container with it
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(START_SECONDS)
        super().close()

    def command(self, control: str) -> list[str]:
        user = (os.getuid() or NOBODY, os.getgid() or NOBODY)
        options = ["--rm", "--pull=never", "--log-driver=none", "--network=none", "--read-only"]
        options += ["--cap-drop=ALL", "--user={}:{}".format(*user), f"--workdir={BOX}"]
        for what in ("no-new-privileges", "seccomp=unconfined", "apparmor=unconfined"):
            options += ["--security-opt", what]
        # Of a /proc that is covered in part no submission could mount one of its own.
        options += ["--security-opt", "systempaths=unconfined"]
        options += ["--tmpfs=/tmp:mode=1777", "--tmpfs=/sys:ro", "--tmpfs=/dev/mqueue:ro"]
        for name, value in self.environment().items():
            options += ["--env", f"{name}={value}"]
        for path, source in {**self.shown(), TALK: self.folder.name}.items():
            if os.path.exists(source):
                options += ["--mount", f'type=bind,"source={source}","target={path}",{READ_ONLY}']
        return ["run", *options, IMAGE, *self.server(python_inside(), control)]


class Unsafe(Sandbox):
    """Processes without walls: a student's code can do what whoever grades can do. Its answers are
    judged in the same way."""

    def command(self, number: int) -> list[str]:
        return [*self.server(sys.executable, number), PLAIN]

    def environment(self) -> dict[str, str]:
        return os.environ | ONE_THREAD | {"MPLBACKEND": "Agg", "PYTHONPATH": str(self.root)}


def chosen() -> type[Sandbox]:
    """The sandbox that this machine's environment names; bubblewrap, if it names none."""
    kinds = {"": Sandbox, "bubblewrap": Sandbox, "docker": Container}
    name = os.environ.get(CHOICE, "")
    if name not in kinds:
        raise UserError(f"{CHOICE} is {name!r}; it may be bubblewrap or docker.")
    return kinds[name]


def python_inside() -> str:
    """This Python, as the server sees it."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    return f"{ENVIRONMENT}/bin/{Path(sys.executable).name}"


def _last_line(said: bytes | None) -> str:
    lines = (said or b"").decode(errors="replace").strip().splitlines()
    lines = [line for line in lines if line and not line.startswith("See 'docker")]
    return lines[-1].rstrip(".?") if lines else "it did not start"


def blocked(said: str) -> str:
    """What a program said, and what to do where the system kept it from making a sandbox."""
    stopped = any(word in said for word in ("Permission denied", "not permitted", "uid map"))
    return said.removesuffix(".") + BLOCKED * stopped


@lru_cache
def without_sandbox() -> SandboxError | None:
    """Why there can be no sandbox on this machine; None if there can."""
    try:
        chosen()(preload=("numpy",)).start().close()
    except SandboxError as error:
        return error
    return None


def _data() -> str | None:
    """The folder of GoEmotions; None where only the course's sample can be had, which is in `utils`."""
    with contextlib.redirect_stdout(io.StringIO()):  # whoever runs the command was told already
        found = find_goemotions(allow_download=False)
    return None if found.kind == "sample" else str(found.folder)
