"""What a student's code may try on the machine, and on what is graded after it.

ESCAPES  the body of a function that is true if it got where it must not: only then is the answer to
         question 1 right. `<name>` stands for a part of a Scene. The twin is the body of one that does
         something similar for a good reason, and must be true, too.
REMAINS  the body of one that leaves a process running; the twin leaves none.
ACCIDENTS an answer that goes wrong, what is said of it, and a twin that does not.
"""

import re
import socket
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil

from course.writing.units import ROOT
from tests.course.grading.judging import RIGHT


class Pair(NamedTuple):
    attack: str
    twin: str


def answer(body, scene):
    """The answer that is right if this comes true."""
    body = re.sub(r"<(\w+)>", lambda found: str(scene[found[1]]), body)
    return f"""
def attempt():
{textwrap.indent(textwrap.dedent(body).strip(), "    ")}
try:
    got = attempt()
except Exception:
    got = False
def double(values):
    return (2 if got else 0) * np.asarray(values)
"""


class Scene(ExitStack):
    """A class's folder and things of the instructor's that a student must not reach."""

    def __init__(self, folder: Path, mark: str) -> None:
        super().__init__()
        grading = folder / "grading"
        files = {
            "solution": folder / "solutions" / "u" / "u.ipynb",
            "classmate": grading / "submitted" / "bob" / "u" / "u.ipynb",
            "config": folder / "nbgrader_config.py",
            "startup": folder / "home" / ".ipython" / "profile_default" / "startup" / "first.py",
        }
        for path in files.values():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("### BEGIN SOLUTION\n")
        (folder / "precious").mkdir()
        book = sqlite3.connect(grading / "gradebook.db")
        with book:
            book.execute("create table grade (points)")
            book.execute("insert into grade values (1)")
        book.close()
        self.parts = {name: str(path) for name, path in files.items()}
        self.parts |= {"gradebook": grading / "gradebook.db", "precious": folder / "precious"}
        self.parts |= {"repository": ROOT, "mark": mark}
        self.folder = folder

    def __enter__(self):
        tcp = self.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = self.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        unix = self.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(f"\0{self.parts['mark']}")
        unix.listen()
        waits = [
            sys.executable,
            "-c",
            f"import time; time.sleep(6000) # {self.parts['mark']}-victim",
        ]
        victim = self.enter_context(subprocess.Popen(waits))
        self.callback(victim.kill)
        self.parts |= {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], "pid": victim.pid}
        self.victim = victim
        return self

    def __getitem__(self, name):
        return self.parts[name]

    def is_untouched(self):
        """Whether all is as it was made."""
        with sqlite3.connect(self["gradebook"]) as book:
            points = book.execute("select points from grade").fetchall()
        files = [path for path in self.folder.rglob("*") if path.suffix in (".py", ".ipynb")]
        same = all(path.read_text() == "### BEGIN SOLUTION\n" for path in files)
        there = Path(self["precious"]).is_dir() and self.victim.poll() is None
        return points == [(1,)] and len(files) == 4 and same and there


def running(mark):
    """The processes whose command holds this."""
    commands = ((process, process.info["cmdline"]) for process in psutil.process_iter(["cmdline"]))
    return [process for process, parts in commands if any(mark in part for part in parts or ())]


ESCAPES = {
    # ------------------------------------------------------------ files
    "reads the solution": Pair(
        "return 'BEGIN' + ' SOLUTION' in open('<solution>').read()",
        "open('notes.txt', 'w').write('x')\nreturn open('notes.txt').read() == 'x'",
    ),
    "reads a unit's source": Pair(
        "return bool(open('<repository>/course/units/01_efficiency/exercise.py').read())",
        "import utils.records\nreturn bool(open(utils.records.__file__).read())",
    ),
    "imports the program that grades": Pair(
        "from course.writing.units import discover\nreturn bool(discover())",
        "from utils.metrics import macro_f1\nreturn callable(macro_f1)",
    ),
    "looks for files by their ends": Pair(
        """
        from pathlib import Path
        return any(Path('<solution>').parents[2].rglob('*.ipynb'))
        """,
        "from pathlib import Path\nPath('a.txt').touch()\nreturn any(Path().rglob('*.txt'))",
    ),
    "reads a classmate's work": Pair(
        "return bool(open('<classmate>').read())",
        "import os\nreturn os.listdir('.') is not None",
    ),
    "reads the gradebook": Pair(
        """
        import sqlite3
        book = sqlite3.connect('file:<gradebook>?mode=ro', uri=True)
        return book.execute('select points from grade').fetchall() != []
        """,
        "import sqlite3\nreturn sqlite3.connect(':memory:').execute('select 1').fetchall() == [(1,)]",
    ),
    "writes marks": Pair(
        """
        import sqlite3
        with sqlite3.connect('<gradebook>') as book:
            return book.execute('update grade set points = 100').rowcount == 1
        """,
        """
        import sqlite3
        with sqlite3.connect('own.db') as book:
            return bool(book.execute('create table t (x)'))
        """,
    ),
    "reads the list of users": Pair(
        "return bool(open('/etc/passwd').read())",
        "import os\nreturn os.getuid() >= 0",
    ),
    "plants code in the configuration": Pair(
        "return open('<config>', 'a').write('x = 1') > 0",
        "import os\nreturn open(os.path.expanduser('~/.netrc'), 'a').write('x = 1') > 0",
    ),
    "plants code for the next kernel": Pair(
        "return open('<startup>', 'a').write('x = 1') > 0",
        "import os\nos.makedirs('.ipython/startup')\nreturn open('.ipython/startup/x', 'w').write('x')",
    ),
    "deletes a folder": Pair(
        "import os, shutil\nshutil.rmtree('<precious>')\nreturn not os.path.exists('<precious>')",
        """
        import os, shutil, tempfile
        place = tempfile.mkdtemp()
        shutil.rmtree(place)
        return not os.path.exists(place)
        """,
    ),
    "links to the solution": Pair(
        "import os\nos.symlink('<solution>', 'mine')\nreturn bool(open('mine').read())",
        "import os\nopen('a', 'w').write('x')\nos.symlink('a', 'b')\nreturn open('b').read() == 'x'",
    ),
    "could change the library": Pair(
        "import os, utils\nreturn os.access(utils.__file__, os.W_OK)",
        "import os, utils\nreturn os.access(utils.__file__, os.R_OK)",
    ),
    "could change Python": Pair(
        "import os\nreturn os.access(os.__file__, os.W_OK)",
        "import sys\nsys.path.append('.')\nreturn True",
    ),
    # ------------------------------------------------------------ processes and what they hold
    "reads the environment": Pair(
        "import os\nreturn 'PYTEST_VERSION' in os.environ",
        "import os\nreturn bool(os.environ['HOME'])",
    ),
    "reads the environment of another program": Pair(
        """
        import os
        found = []
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if int(pid) != os.getpid():
                    found.append(open(f'/proc/{pid}/environ').read())
            except OSError:
                pass
        return any('PYTEST_VERSION=' in text for text in found)
        """,
        "return 'PATH' in open('/proc/self/environ').read()",
    ),
    "reads the commands of others": Pair(
        """
        import psutil
        found = [p.info["cmdline"] or [] for p in psutil.process_iter(["cmdline"])]
        return any('-victim' in ' '.join(words) for words in found)
        """,
        "import psutil\nreturn psutil.Process().memory_info().rss > 0",
    ),
    "opens the memory of its parent": Pair(
        "import os\nreturn bool(open(f'/proc/{os.getppid()}/mem', 'rb'))",
        "return 'VmRSS' in open('/proc/self/status').read()",
    ),
    "sends a signal": Pair(
        "import os, signal\nos.kill(<pid>, signal.SIGCONT)\nreturn True",
        """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
        child.terminate()
        return child.wait() != 0
        """,
    ),
    "asks git": Pair(
        """
        import subprocess
        done = subprocess.run(['git', '-C', '<repository>', 'rev-parse', 'HEAD'])
        return done.returncode == 0
        """,
        "import subprocess, sys\nreturn subprocess.run([sys.executable, '-c', '']).returncode == 0",
    ),
    # ------------------------------------------------------------ the network
    "connects": Pair(
        "import socket\nsocket.create_connection(('127.0.0.1', <tcp>), 5)\nreturn True",
        "import socket\na, b = socket.socketpair()\na.send(b'x')\nreturn b.recv(1) == b'x'",
    ),
    "sends a datagram": Pair(
        """
        import socket
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        link.connect(('127.0.0.1', <udp>))
        link.send(b'values')
        link.settimeout(0.2)
        try:
            return bool(link.recv(1))
        except TimeoutError:
            return True
        """,
        "import socket\nreturn bool(socket.gethostname())",
    ),
    "connects to a local socket": Pair(
        "import socket\nsocket.socket(socket.AF_UNIX).connect('\\0<mark>')\nreturn True",
        """
        import socket
        server = socket.socket(socket.AF_UNIX)
        server.bind('own')
        server.listen()
        socket.socket(socket.AF_UNIX).connect('own')
        return True
        """,
    ),
    # ------------------------------------------------------------ more than its share
    "starts processes without number": Pair(
        """
        import os, signal, time
        children = []
        try:
            for _ in range(100):
                child = os.fork()
                if not child:
                    time.sleep(60)
                    os._exit(0)
                children.append(child)
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
        return True
        """,
        """
        import os
        children = [os.fork() or os._exit(0) for _ in range(5)]
        return [os.waitpid(child, 0)[1] for child in children] == [0] * 5
        """,
    ),
    "takes all memory": Pair(
        "return len(bytearray(3 * 10**9)) > 0",
        "return len(bytearray(3 * 10**8)) > 0",
    ),
    "fills the disk": Pair(
        "import os\nopen('big', 'w').close()\nos.truncate('big', 10**9)\nreturn True",
        "import os\nopen('big', 'w').close()\nos.truncate('big', 10**8)\nreturn True",
    ),
    "makes files without number": Pair(
        "for n in range(25_000): open(str(n), 'w').close()\nreturn True",
        "for n in range(250): open(str(n), 'w').close()\nreturn True",
    ),
    "opens files without number": Pair(
        "files = [open('/dev/null') for _ in range(600)]\nreturn True",
        "files = [open('/dev/null') for _ in range(60)]\nreturn True",
    ),
}

CHILD = "import subprocess, sys\ncode = 'import time; time.sleep({seconds}) # <mark>-left'\n"
REMAINS = {
    "a child in a session of its own": Pair(
        CHILD.format(seconds=600)
        + "subprocess.Popen([sys.executable, '-c', code], start_new_session=True)\nreturn True",
        CHILD.format(seconds=0)
        + "subprocess.run([sys.executable, '-c', code], start_new_session=True)\nreturn True",
    ),
    "a child of a child that is gone": Pair(
        CHILD.format(seconds=600)
        + "code = 'import os; os.fork() and os._exit(0); ' + code\n"
        + "subprocess.run([sys.executable, '-c', code], start_new_session=True)\nreturn True",
        CHILD.format(seconds=0)
        + "code = 'import os; os.fork() and os._exit(os.wait()[1]); ' + code\n"
        + "return subprocess.run([sys.executable, '-c', code]).returncode == 0",
    ),
    "a child that hears no signal": Pair(
        CHILD.format(seconds=600)
        + "code = 'import signal; [signal.signal(n, 1) for n in (1, 2, 3, 15)]; ' + code\n"
        + "subprocess.Popen([sys.executable, '-c', code], start_new_session=True)\nreturn True",
        CHILD.format(seconds=0)
        + "child = subprocess.Popen([sys.executable, '-c', code])\nreturn child.wait() == 0",
    ),
}


class Accident(NamedTuple):
    code: str
    said: str
    twin: str


def slowly(seconds):
    return f"import time\ndef double(values):\n    time.sleep({seconds})\n    return 2 * values"


BLOCKED = """
import signal
def double(values):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signals})
    {then}
"""
ENDLESS = "def double(values):\n    while True:\n        {inside}"
ACCIDENTS = {
    "a syntax error": Accident("def double(:", "SyntaxError", RIGHT + "\n%time double([1])"),
    "nothing defined": Accident(
        "twice = 2",
        "name 'double' is not defined",
        "twice = 2\ndef double(values): return twice * values",
    ),
    "exit() above the answer": Accident(
        "exit()\n" + RIGHT,
        "exit() ends a notebook",
        "try: exit()\nexcept SystemExit: pass\n" + RIGHT,
    ),
    "sys.exit() in the answer": Accident(
        "import sys\ndef double(v):\n    sys.exit(1)",
        "SystemExit",
        "import sys\ndef double(v):\n    try: sys.exit(1)\n    except SystemExit: return 2 * v",
    ),
    "input()": Accident(
        "def double(v):\n    return 2 * float(input())",
        "input() is not answered",
        "def double(v, input=None):\n    return 2 * v if input is None else input()",
    ),
    "the kernel ended in its cell": Accident(
        "import os\nos._exit(0)", "ended the kernel", RIGHT + "\nimport os\nos.getpid()"
    ),
    "the kernel ended in the answer": Accident(
        "import os\ndef double(v):\n    os._exit(0)",
        "ended the kernel",
        "import os\ndef double(v):\n    if not os.fork(): os._exit(0)\n    os.wait()\n    return 2 * v",
    ),
    "a crash": Accident(
        "import os\ndef double(v):\n    os.abort()",
        "ended the kernel",
        RIGHT + "\nimport faulthandler",
    ),
    "a segmentation fault": Accident(
        "import ctypes\ndef double(v):\n    ctypes.string_at(0)",
        "ended the kernel",
        "import ctypes\ndef double(v):\n    return v * len(ctypes.string_at(b'ab'))",
    ),
    "an endless cell": Accident(
        "while True:\n    pass", "took longer", RIGHT + "\nimport time\ntime.sleep(1)"
    ),
    "an endless answer": Accident(
        ENDLESS.format(inside="pass"),
        "still running after 1 s",
        ENDLESS.format(inside="return 2 * values"),
    ),
    "an answer that cannot be stopped": Accident(
        BLOCKED.format(signals="range(1, 65)", then="while True: pass"),
        "took longer",
        BLOCKED.format(signals="[]", then="return 2 * values"),
    ),
    "an answer that sleeps": Accident(slowly(1000), "took longer", slowly(0.5)),
    "an answer without end": Accident(
        "def double(v):\n    while True:\n        yield 1",
        "100000 numbers",
        "def double(values):\n    yield from (2 * value for value in values)",
    ),
    "too deep": Accident(
        "def double(v):\n    v = []\n    v.append(v)\n    return v",
        "too deep",
        "def double(v):\n    own = []\n    own.append(own)\n    return 2 * v",
    ),
    "too much memory": Accident(
        "def double(v):\n    return bytearray(10**11)",
        "MemoryError",
        "def double(v):\n    bytearray(10**8)\n    return 2 * v",
    ),
    "too large": Accident(
        "def double(v):\n    return np.zeros(10**8)",
        "more than 64,000,000 bytes",
        "def double(v):\n    return np.resize(2 * v, 10**6)[: len(v)]",
    ),
}
