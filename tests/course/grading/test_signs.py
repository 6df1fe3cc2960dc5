"""What in a student's code is shown to an instructor, and what is not."""

import pytest

from course.grading.signs import signs_in

TOO_DEEP = "line 1 is nested too deep, or has too many magics, to be looked at"
LIBRARY = frozenset({"power_levels"})
# Code, what is said of it, and a twin that does something similar for a good reason.
SIGNS = {
    "a table made before the watch": (
        "from utils.quantization.scalar import power_levels as made\nTABLE = {2: made(2)}",
        "line 1 imports what a question asks to write (utils.quantization.scalar.power_levels)",
        "from utils.quantization import AffineQuantizer\ndef power_levels(bits): return [bits]",
    ),
    "by its module": (
        "import utils.quantization.scalar as scalar\nTABLE = {2: scalar.power_levels(2)}",
        "line 2 names what a question asks to write (scalar.power_levels)",
        "import utils.metrics\nclass Own: power_levels = 1\nOwn.power_levels",
    ),
    "all at once": (
        "from utils.quantization.scalar import *",
        "line 1 imports what a question asks to write (utils.quantization.scalar.*)",
        "from math import *",
    ),
    "behind a magic": (
        "%matplotlib inline\nimport ctypes",
        "line 2 reaches below Python (ctypes)",
        "%matplotlib inline\n%config InlineBackend.figure_format = 'retina'\nimport math",
    ),
    "behind a magic for a cell": (
        "%%time\nimport gc\ngc.get_objects()",
        "line 3 looks through all objects (get_objects)",
        "%%time\nx = [n % 3 for n in range(9)]",
    ),
    "in the line of a magic": (
        "%matplotlib {__import__('os').system('true')}",
        "line 1 uses the notebook's shell (get_ipython)",
        "%time print('100 %')\n%timeit -n 3 sum([1])",
    ),
    "a shell": (
        "x = 1\ny = !python own.py",
        "line 2 uses the notebook's shell (get_ipython)",
        "x = 1 if 2 != 3 else 4\ny = !ls -l",
    ),
    "a name put together": (
        "import sys\ngetattr(sys, '_get' + 'frame')",
        "line 2 reaches for names that it puts together (getattr)",
        "for name in ('real', 'imag'): getattr(1j, name)",
    ),
    "another name for it": (
        "from sys import setprofile as watch",
        "line 1 takes the watch over answers off (setprofile)",
        "from sys import maxsize as most",
    ),
    "a module by another name": (
        "import __main__ as own\nown.watch = None",
        "line 2 replaces a part of a library (own.watch)",
        "import math as own\nclass Point: pass\npoint = Point()\npoint.watch = None",
    ),
    "a method of a class": (
        "def silence(notes): notes.__call__ = None",
        "line 1 replaces a part of a class or function (__call__)",
        "def name(function): function.__name__ = 'own'",
    ),
    "getattr by another name": (
        "read = getattr\nread(1, 'real')",
        "line 1 gives what reads names another name (getattr)",
        "read = len\nread('real')",
    ),
    "sys by another way": (
        "import os\nos.sys.modules['builtins']",
        "line 2 reaches for modules (os.sys.modules)",
        "import sys, torch\nsys.maxsize\nlist(torch.nn.Linear(1, 1).modules())",
    ),
    "a module from one of its functions": (
        "print.__self__",
        "line 1 looks into a module from within (__self__)",
        "import numpy as np\nnp.zeros(1).T",
    ),
    "a module of its own": (
        "open('own', 'w').write('x = 1')\nimport own",
        "line 2 imports what is no library (own)",
        "from __future__ import annotations\nimport sklearn.metrics, fractions, utils.metrics",
    ),
    "a module that others keep to themselves": (
        "import _signal",
        "line 1 reaches below Python (_signal)",
        "import math as _math",
    ),
    "a pickle": (
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "line 2 makes code of data (allow_pickle)",
        "import numpy as np\nnp.load('x', mmap_mode='r')",
    ),
    "code of data": (
        "exec('x = 1')",
        "line 1 makes code of data (exec)",
        "import re, torch\nre.compile('x')\ntorch.nn.Linear(1, 1).eval()",
    ),
    "too deep to be read": (
        "-" * 200_000 + "1",
        TOO_DEEP,
        "(" * 20 + "1" + ")" * 20,
    ),
    "an assignment too deep to be shown": (
        "np" + ".a" * 900 + " = 1",
        TOO_DEEP,
        "self" + ".a" * 20 + " = 1",
    ),
    "magics without number": ("!ls\n" * 6000, TOO_DEEP, "!ls\n" * 20),
    "a chain without end": ("a" + ".b" * 100_000, TOO_DEEP, "a" + ".b" * 20),
    "a program's own cell": (
        "%%bash\npython -c 'from utils.quantization.scalar import power_levels'",
        "line 1 uses the notebook's shell (get_ipython)",
        "%%bash\nls -l | wc",
    ),
    "a pool left halfway": (
        "def f():\n    with ThreadPoolExecutor(2) as pool:\n        yield pool",
        "line 2 starts threads that the watch over answers may not see (ThreadPoolExecutor)",
        "with ThreadPoolExecutor(2) as pool:\n    done = list(pool.map(len, [[1]]))",
    ),
    "a pool that does not end": (
        "with ThreadPoolExecutor(2) as pool: pool.shutdown = print",
        "line 1 starts threads that the watch over answers may not see (shutdown)",
        "%%capture --no-stdout\nwith ThreadPoolExecutor(2) as pool: pool.submit(print)",
    ),
    "in what the shell is not asked": (
        "get_ipython(exec('1')).system('ls')",
        "line 1 makes code of data (exec)",
        "get_ipython().system('ls')",
    ),
    "processes": (
        "from multiprocessing import Pool\nPool(2)",
        "line 2 starts processes, which the watch over answers does not see (Pool)",
        "import multiprocessing, psutil\nmultiprocessing.cpu_count()\npsutil.Process()",
    ),
    "getattr of what is to be written": (
        "getattr(scalar, 'power_levels')",
        "line 1 reaches for names that it puts together (getattr)",
        "getattr(scalar, 'AffineQuantizer')",
    ),
    "another by an honest name": (
        "import os as platform\nplatform.system('ls')",
        "line 1 gives another the name of a library (platform)",
        "import platform\nplatform.system()",
    ),
    "an honest name handed over": (
        "def f(platform): platform.system('ls')",
        "line 1 gives another the name of a library (platform)",
        "def f(system): return system",
    ),
    "a name that is its own only in part": (
        "if 0:\n    eval = 1\neval('1')",
        "line 3 makes code of data (eval)",
        "eval = 1\nprint(eval)",
    ),
    "a name given to itself": (
        "In = In\nIn[0]",
        "line 1 reads the cells that ran (In)",
        "In = [1]\nIn[0]",
    ),
    "a name that another function has": (
        "def f(x=lambda eval: 1): eval('1')",
        "line 1 makes code of data (eval)",
        "def f(eval): return eval",
    ),
    "a name that is taken away": (
        "eval = 1\ndel eval\neval('1')",
        "line 3 makes code of data (eval)",
        "def f():\n    kill = 1\n    return kill",
    ),
    "nothing that it compares": (
        "class A:\n    def __eq__(self, other): return other is not None",
        "line 2 says what its results equal (__eq__)",
        "class A:\n    def __eq__(self, other): return self.value == other.value",
    ),
    "a thread that answers": (
        "import threading\nthreading.Thread(target=print).start()",
        "line 2 starts threads that the watch over answers may not see (Thread)",
        "import threading\nlock = threading.Lock()",
    ),
    "a pool that is kept": (
        "from concurrent.futures import ThreadPoolExecutor\nPOOL = ThreadPoolExecutor(2)",
        "line 2 starts threads that the watch over answers may not see (ThreadPoolExecutor)",
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def f(x):\n    with ThreadPoolExecutor(2) as pool:\n        return list(pool.map(len, x))",
    ),
}


@pytest.mark.parametrize("name", SIGNS)
def test_what_looks_like_an_attempt_is_seen_and_its_twin_is_not(name):
    code, said, twin = SIGNS[name]
    assert said in signs_in(code, LIBRARY)
    assert signs_in(twin, LIBRARY) == []


HONEST = [
    "import sys, io\nold, sys.stdout = sys.stdout, io.StringIO()\nsys.stdout = old",
    "import torch\ntorch.backends.cudnn.deterministic = True",
    "import platform\nprint(platform.system())",
    "import gc\ngc.collect()",
    "from multiprocessing import Pool",
    "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('pip install numpy')",
    "system, kill = 'phone', 3\nprint(system, kill)",
    "In = [1]\nprint(In[0])",
    "def f(system, ANY):\n    return system + ANY",
    "modules = {}\nmodules['encoder'] = 1",
    "DATA = '/data/processed.csv'",
    "%matplotlib inline\n!pip install numpy\nfiles = !ls\nmath?",
    '"""As in solutions/ of the book."""\n\ndef f():\n    """Of /proc."""',
    "class Pair:\n    def __eq__(self, other):\n        return self.value == other.value",
    "import numpy as np\nnp.random.seed(0)\nnp.set_printoptions(precision=3)",
]
SEEN = {
    "import sys\nsys.modules['numpy'] = 1": "line 2 replaces a part of a library",
    "import sys\nsys.setprofile(None)": "line 2 takes the watch over answers off (setprofile)",
    "import os\nos.system('ls')": "line 2 starts programs (system)",
    "from os import system\nsystem('ls')": "line 2 starts programs (system)",
    "print(In[0])\nIn = 1": "line 1 reads the cells that ran (In)",
    "import numpy as np\ntesting = np.testing\ntesting.assert_allclose = print": "line 3 replaces",
    "from gc import get_objects\nget_objects()": "line 2 looks through all objects (get_objects)",
    "get_ipython().ast_transformers.append(1)": "line 1 changes how cells run (ast_transformers)",
    "shell = get_ipython()": "line 1 uses the notebook's shell (get_ipython)",
    "%%time\nimport os\nos.system('ls')": "line 3 starts programs (system)",
    "!pip install numpy\nimport os\nos.system('ls')": "line 3 starts programs (system)",
    "open('/proc/self/mem')": "line 1 looks at processes ('/proc')",
    "open('solutions/01.ipynb')": "line 1 looks for solutions ('solutions/')",
    "class A:\n    def __eq__(self, other): return True": "line 2 says what its results equal (__eq__)",
}


@pytest.mark.parametrize("source", HONEST)
def test_what_is_in_many_an_honest_notebook_is_not_told(source):
    assert signs_in(source) == []


@pytest.mark.parametrize("source", SEEN)
def test_what_looks_like_an_attempt_is_told_with_its_line(source):
    assert any(sign.startswith(SEEN[source]) for sign in signs_in(source)), signs_in(source)


def test_what_is_no_python_is_left_alone():
    assert signs_in("def f(:") == []
