"""What runs in a sandbox: a server that is forked for each submission, and the submission's cells.

``course.grading.sandbox`` starts the server in bubblewrap, which gives it a view of the file system that
holds Python, `utils` and what else students have, and no network. It imports the libraries once. For
each submission it is sent two sockets, and forks

    keeper    leaves the server's namespaces for new ones (user, processes, mounts, network, IPC)
    first     process 1 of these: mounts its own /proc and /tmp, and waits; when it ends, or the judge
              lets go of the leash, the kernel ends every process of the submission, however detached
    runner    without privileges and with limits: runs the cells and answers calls

Nothing here is trusted once a student's code has run: what the runner says is data, and the judge
decides. No process here ever holds a hidden test, a solution, or another submission.
"""

import builtins
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from course.grading.channel import Channel, Closed, Failure, error_of, failure_of
from course.grading.memory import hold_more, own_memory
from course.grading.wire import Growing, Handle, Items, Part, WireError, decode, encode, is_tensor
from course.proving.shell import make_shell, run_cell
from utils.checking.trials import Endless, at_most
from utils.checking.watch import own_work

CELL_FILES = ("ipython-input", "ipykernel")
NO_INPUT = "input() is not answered while work is graded; give the values in the code"
NO_EXIT = "exit() ends a notebook; the rest of this cell was not run"

# ------------------------------------------------------------------------------- the submission


class Theirs:
    """An object of the judge's: calling it or asking it for an attribute is a message."""

    only_handle = True  # see course.grading.wire

    def __init__(self, runner: "Runner", handle: Handle) -> None:
        vars(self).update(_runner=runner, _handle=handle, __name__=handle.kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._runner.back(self._handle.number, "call", "", list(args), dict(kwargs))

    def __getattr__(self, name: str) -> Any:
        return self._runner.back(self._handle.number, "get", name, [], {})

    def __setattr__(self, name: str, value: object) -> None:
        self._runner.back(self._handle.number, "set", name, [value], {})

    def __copy__(self) -> Any:
        return self._runner.back(self._handle.number, "copy", "copy", [], {})

    def __deepcopy__(self, memo: dict) -> Any:
        return self._runner.back(self._handle.number, "copy", "deepcopy", [], {})

    def __repr__(self) -> str:
        return self._handle.shown


class Runner:
    """Runs cells and answers calls, until the judge is gone."""

    def __init__(self, link: socket.socket, shell: Any) -> None:
        self.channel = Channel(link, self.export, self.make)
        self.objects: dict[int, object] = {}
        self.given: dict[int, Any] = {}  # tensors of the judge's that gradients are asked by
        self.shell = shell
        self.plain = True  # since it was set: nothing came but plain data
        self.nonce = b""
        self.speaking = threading.Lock()  # an answer may ask the judge's objects from threads

    def export(self, value: object) -> Handle:
        number = id(value)  # stays its own: the table keeps the object
        self.objects[number] = partial(self.gradients, value) if is_tensor(value) else value
        return Handle(number, type(value).__name__, _shown(value))

    def gradients(self, tensor: Any, gradient: Any, numbers: list[int]) -> list:
        """Of a tensor that was handed out, by tensors that had been handed in."""
        from torch.autograd import grad

        by = [self.given[number] for number in numbers]
        return list(grad(tensor, by, gradient, retain_graph=True, allow_unused=True))

    def make(self, part: Part) -> Any:
        self.plain = False
        if isinstance(part, Growing):
            self.given[part.number] = part.tensor
            return part.tensor
        if isinstance(part, Handle) and part.kind.startswith("="):  # one of its own comes back
            return self.find(part.kind[1:] or part.number)
        if isinstance(part, Handle):
            return Theirs(self, part)
        return iter(part.items) if isinstance(part, Items) else part.array

    def serve(self) -> None:
        self.channel.send("ready")
        while True:
            try:
                kind, self.nonce, *rest = self.channel.receive()
            except Closed:
                return
            self.channel.send(*{"cell": self.cell, "call": self.call}[kind](*rest))

    def cell(self, source: str, seconds: float) -> list:
        said = [
            output
            for output in run_cell(self.shell, source, seconds, _Nowhere())
            if output["output_type"] == "error"
        ]
        error = [str(said[0]["ename"])[:200], str(said[0]["evalue"])[:2000]] if said else None
        return ["done", self.nonce, error]

    def call(
        self,
        target: str | int,
        name: str,
        packed: list[bytes],
        names: list[str],
        forbidden: list[str],
        seconds: float,
        memory: bool,
    ) -> list:
        """Call a name of the notebook, an object that was handed out (a number), or a method of it;
        a name after "=" is read, not called."""
        given, before = self.unpacked(packed)
        args, named = given[: len(given) - len(names)], given[len(given) - len(names) :]
        kwargs = dict(zip(names, named, strict=True))
        peak, started = 0, time.process_time()
        try:
            with at_most(seconds):
                function = self.find(target)
                reads = name.startswith("=")
                for part in filter(None, [name.removeprefix("=")]):
                    function = getattr(function, part)
                if memory:
                    tracemalloc.start()
                try:
                    result = function if reads else watch(*forbidden)(function, args, kwargs)
                finally:
                    if memory:
                        peak = tracemalloc.get_traced_memory()[1]
                        tracemalloc.stop()
                # What an answer computes only when it is read is watched, too.
                read = watch(*forbidden) if forbidden else lambda function, args, _: function(*args)
                result = read(encode, [result, self.export], {})
        except Endless:
            return ["endless", self.nonce, time.process_time() - started]
        except BaseException as error:
            return ["raised", self.nonce, *self.after(given, before, started), failed(error)]
        return ["value", self.nonce, *self.after(given, before, started), peak, result]

    def unpacked(self, packed: list[bytes]) -> tuple[list, list[bytes]]:
        """The arguments of a call, and what is compared with them after it: their own bytes, unless they
        hold objects of the judge's."""
        given, before = [], []
        for data in packed:
            self.plain = True
            value = decode(data, self.make)
            given.append(value)
            before.append(data if self.plain else encode(value, self.export))
        return given, before

    def after(self, given: list, before: list, started: float) -> list:
        """What the call made of its arguments, by their places, and its seconds."""
        changed = {}
        for place, (value, old) in enumerate(zip(given, before, strict=True)):
            try:
                new = encode(value, self.export)
            except Exception:  # of an argument that became something odd
                new = encode("changed beyond sending", self.export)
            if new != old:
                changed[place] = new
        return [changed, time.process_time() - started]

    def find(self, target: str | int) -> Any:
        if isinstance(target, int):
            return self.objects[target]
        try:
            return self.shell.user_ns[target]
        except KeyError:
            raise NameError(f"name {target!r} is not defined") from None

    def back(self, number: int, op: str, name: str, args: list, kwargs: dict) -> Any:
        with self.speaking:
            self.channel.send("back", self.nonce, number, op, name, args, kwargs)
            kind, _, value = self.channel.receive()
        if kind == "error":
            raise error_of(value)
        return value


def failed(error: BaseException) -> Failure:
    """The error, with the last line of the student's own code in its traceback."""
    import traceback

    where = ""
    try:
        lines = traceback.extract_tb(error.__traceback__)
        own = [line for line in lines if any(name in line.filename for name in CELL_FILES)]
        if own:
            where = f"line {own[-1].lineno}: {(own[-1].line or '').strip()}"
    except Exception:  # of a class that a student wrote; the error counts, not its place
        where = ""
    return failure_of(error, where)


@lru_cache(maxsize=64)
def watch(*forbidden: str) -> Callable:
    """Calls a function, and afterwards says if it called what it was to write itself."""
    return own_work(lambda function, args, kwargs: function(*args, **kwargs), *forbidden)


def _shown(value: object) -> str:
    try:
        return " ".join(repr(value).split())[:300]
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"


def _no_export(value: object) -> Handle:
    raise WireError(f"a {type(value).__name__} is no plain data")


def _as_is(part: Any) -> Any:
    return part


def _refuse_exit() -> None:
    raise SystemExit(NO_EXIT)


def _refuse_input(prompt: object = "", /) -> str:
    raise RuntimeError(NO_INPUT)


class _Nowhere:
    """In place of what catches output: it goes nowhere, since no score and no feedback reads it."""

    def start(self) -> None:
        pass

    def stop(self) -> dict[str, str]:
        return {}


# ------------------------------------------------------------------------------- the server

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 0x4000, 0x40000
MS_REMOUNT, MS_BIND, PROC = 0x20, 0x1000, MS_NOSUID | MS_NODEV | MS_NOEXEC
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 38, 47
CAPSET = {"x86_64": 126, "aarch64": 91}
UID = 1000  # of a submission, in its own user namespace
PLAIN = "--plain"  # argument: no namespaces of their own (--unsafe, and tests of what they are for)


def main() -> None:
    """Serve submissions that come over a socket, whose number or path is the first argument."""
    plain = PLAIN in sys.argv
    if sys.argv[1].isdigit():
        control = socket.socket(fileno=int(sys.argv[1]))
    else:
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.connect(sys.argv[1])
    if os.getuid() == 0 and not plain:
        nobody = 65534
        os.setgroups([])
        os.setresgid(nobody, nobody, nobody)
        os.setresuid(nobody, nobody, nobody)
        LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # so that it may write its own /proc/self/uid_map
    gc.disable()  # which would look through these imports again and again, and find nothing
    for name in sys.argv[2].split(","):
        importlib.import_module(name)
    shell = make_shell()
    shell.ask_exit = _refuse_exit
    for number in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), number)
    gc.collect()
    gc.enable()
    gc.freeze()  # else a fork looks for garbage among all objects of the libraries, and copies them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(json.dumps(sorted(_packages(sys.modules))).encode())
    while True:
        data, files, _, _ = socket.recv_fds(control, 4096, 2)
        if not data:
            return
        try:
            child = os.fork()
        except OSError as error:
            _say_broken(files[0], error)
            child = -1
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                control.close()
                link, leash = files
                _keep(json.loads(data), link, leash, shell, plain)
            except Exception as error:  # before any student's code has run
                _say_broken(files[0], error)
            finally:
                os._exit(1)
        for file in files:
            os.close(file)


def _packages(modules: Iterable[str]) -> set[str]:
    """Packages, and parts of `utils`."""
    parts = [name.split(".") for name in modules]
    return {".".join(part[:2]) if part[0] == "utils" else part[0] for part in parts}


def _say_broken(file: int, error: Exception) -> None:
    link = socket.socket(fileno=os.dup(file))
    Channel(link, _no_export, _as_is).send("broken", f"{type(error).__name__}: {error}")
    link.close()


def _keep(limits: dict[str, int], link: int, leash: int, shell: Any, plain: bool) -> None:
    if not plain:
        user, group = os.getuid(), os.getgid()
        spaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET
        _call(LIBC.unshare, spaces | CLONE_NEWUTS | CLONE_NEWCGROUP)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{UID} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{UID} {group} 1")
        if os.fork():
            os._exit(0)
        _mount("none", "/", None, MS_REC | MS_PRIVATE)
        _mount("proc", "/proc", "proc", PROC)
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
        for folder in ("/tmp", "/dev/shm"):  # noqa: S108 - the submission's own
            size = f"size={limits['disk']},nr_inodes=20000,mode=1777"
            _mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, size)
        _mount("tmpfs", "/dev/pts", "tmpfs", MS_RDONLY)  # covers the terminals of others
        Path("/proc/self/oom_score_adj").write_text("1000")  # ends first if memory is short
        read_only = MS_REMOUNT | MS_BIND | MS_RDONLY | PROC
        _mount("none", "/proc", None, read_only)  # so that it stays the one that ends first
        _drop_privileges()
    runner = os.fork()
    if runner == 0:
        os.close(leash)
        _run(limits, link, shell, plain)
    os.close(link)
    LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    _wait(leash, runner, 0 if plain else limits["memory"] + own_memory())
    if plain:  # what else it started goes on, which is why this is not for a class
        os.killpg(runner, signal.SIGKILL)


def _wait(leash: int, runner: int, most: int) -> None:
    """Until the runner has ended, the judge has let go, or several processes hold more than `most` bytes
    (of one, the kernel sees to it); reaps what ends meanwhile. Without `most` nobody is counted."""
    poll = select.poll()
    poll.register(leash, select.POLLIN)
    poll.register(os.pidfd_open(runner), select.POLLIN)
    while not poll.poll(100):
        while _reaped():
            pass
        if most and hold_more(most):
            return


def _reaped() -> bool:
    """Whether a process that others left behind has ended just now."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] > 0
    except ChildProcessError:
        return False


def _run(limits: dict[str, int], link: int, shell: Any, plain: bool) -> None:
    allowed = {
        resource.RLIMIT_AS: own_memory() + limits["memory"],
        resource.RLIMIT_CPU: limits["cpu"],
        resource.RLIMIT_FSIZE: limits["disk"],
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    if not plain:  # where it counts the processes of this submission alone
        allowed[resource.RLIMIT_NPROC] = limits["processes"]
    for kind, most in allowed.items():
        resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that grows too large is an OSError
    builtins.input = _refuse_input
    home = Path(tempfile.mkdtemp(prefix="home"))
    os.environ |= {"HOME": str(home), "TMPDIR": "/tmp", "MPLCONFIGDIR": str(home)}  # noqa: S108
    os.chdir(home)
    os.setsid()
    try:
        Runner(socket.socket(fileno=link), shell).serve()
    finally:
        os._exit(0)


def end_with_parent() -> None:
    """Let the kernel end this process when the one that forked it ends."""
    if sys.platform.startswith("linux"):
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _drop_privileges() -> None:
    from course.grading.filter import forbid_calls

    for capability in range(64):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails beyond the last one
    LIBC.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)  # clear all
    header = struct.pack("<Ii", 0x20080522, 0)
    _call(LIBC.syscall, CAPSET[os.uname().machine], header, bytes(24))
    _call(LIBC.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    forbid_calls(LIBC)


def _mount(what: str, where: str, kind: str | None, flags: int, options: str = "") -> None:
    names = [what.encode(), where.encode(), kind.encode() if kind else None]
    _call(LIBC.mount, *names, ctypes.c_ulong(flags), options.encode())


def _call(function: Callable, *args: Any) -> None:
    if function(*args) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
