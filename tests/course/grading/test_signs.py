"""What is told of a student's code, and what is not, for it is in many an honest notebook."""

import pytest

from course.grading.signs import signs_in

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


@pytest.mark.parametrize("source", ["%%bash\nls -l | wc", "def f(:", "a" + ".b" * 100_000])
def test_what_is_no_python_or_without_end_is_left_alone(source):
    assert signs_in(source) == []
