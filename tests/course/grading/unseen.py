"""What a watch or a limit may overlook: calls of the library that leave no trace, memory in no process.

The forgeries answer right by calling what they are to write: they are stopped, or at least flagged.
"""

from tests.course.grading import escapes, forgeries
from tests.course.grading.escapes import Pair
from tests.course.grading.forgeries import Forgery, right

CLEARS = """
import sys
def double(values):
    result = np.polyval([2, 0], values)
    sys.getprofile().called.clear()
    return result
"""
UNWATCHED = {
    "lets a thread call the library": Forgery(
        "own",
        """
import queue, threading
asked, answered = queue.Queue(), queue.Queue()
def work():
    while True: answered.put(np.polyval([2, 0], asked.get()))
threading.Thread(target=work, daemon=True).start()
def double(values):
    asked.put(values)
    return answered.get()
""",
        right("from queue import Queue\nwaiting = Queue()\nwaiting.put(double([1]))"),
        earns=2,
    ),
    "runs the library's source": Forgery(
        "own",
        """
inner = np.polyval.__wrapped__
space = dict(inner.__globals__)
exec(open(inner.__code__.co_filename).read(), space)
def double(values): return space["polyval"]([2, 0], values)
""",
        right("import json\nassert json.loads(open('a', 'a+').read() or '[1]') == [1]"),
        earns=2,
    ),
    "takes the notes of the watch away": Forgery(
        "own", "%matplotlib inline" + CLEARS, "%matplotlib inline\n" + right(""), earns=2
    ),
    "hides that behind a magic": Forgery(
        "own", "%%time" + CLEARS, "%%time\n" + right("double([1])"), earns=2
    ),
    "calls the library when its result is read": Forgery(
        "own",
        """
class Later:
    def __init__(self, values): self.values = values
    def __array__(self, *args, **more): return np.polyval([2, 0], self.values)
    def __len__(self): return len(self.values)
    def __getitem__(self, place): raise IndexError
def double(values): return Later(values)
""",
        """
from collections import UserList
def double(values): return UserList([2 * value for value in values])
""",
    ),
}
UNLIMITED = {
    # As one of AF_VSOCK does, by which a virtual machine talks to its host; not every machine has one.
    "opens a socket that no namespace confines": Pair(
        "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\nreturn True",
        "import socket\nreturn socket.socket(socket.AF_INET).fileno() > 0",
    ),
    "would end last where memory is short": Pair(
        """
        with open('/proc/self/oom_score_adj', 'w') as file:
            file.write('500')
        return open('/proc/self/oom_score_adj').read().strip() == '500'
        """,
        "return int(open('/proc/self/oom_score_adj').read()) >= 0",
    ),
    "keeps memory in files without a name": Pair(
        "import os\nreturn os.write(os.memfd_create('x'), bytes(10**6)) == 10**6",
        """
        import tempfile
        with tempfile.TemporaryFile(buffering=0) as file:
            return file.write(bytes(10**6)) == 10**6
        """,
    ),
    "keeps memory in no process": Pair(
        """
        import ctypes
        kernel = ctypes.CDLL(None)
        number = kernel.shmget(0, 10**6, 0o600)
        return number >= 0 and kernel.shmctl(number, 0, None) == 0
        """,
        "import mmap\nreturn len(mmap.mmap(-1, 10**6)) == 10**6",
    ),
}
ESCAPES = escapes.ESCAPES | UNLIMITED
FORGERIES = UNWATCHED | forgeries.FORGERIES  # whose last must stay the last
