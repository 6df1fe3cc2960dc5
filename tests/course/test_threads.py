import json
import subprocess
import sys

import torch
from threadpoolctl import threadpool_info

COUNT = """
from course.threads import one_thread
one_thread()
import json, numpy, torch
from threadpoolctl import threadpool_info
print(json.dumps([torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())]))
"""


def test_every_library_computes_with_one_thread():
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    threads = json.loads(done.stdout)
    assert len(threads) > 1 and set(threads) == {1}


def test_so_do_the_tests():
    assert torch.get_num_threads() == 1
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}
