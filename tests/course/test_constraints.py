"""constraints.txt resolves, with wheels alone, on every machine that README promises.

uv finds out for another Python and another system without having either. It asks PyPI, or the index
that pip is told to use; the answers stay in uv's cache for the next run.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
import uv
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from course.writing.units import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The first release of each Python: a package may ask for a later one, as soupsieve 4 does.
PYTHONS = [f"3.{n}.0" for n in range(40) if f"3.{n}.0" in SpecifierSet(PROJECT["requires-python"])]
MACOS = "14.0"  # PyTorch's wheels ask for it
SYSTEMS = {
    "Linux on x86-64": "x86_64-manylinux_2_34",
    "Linux on arm64": "aarch64-manylinux_2_34",
    "macOS on arm64": "aarch64-apple-darwin",
    "Windows on x86-64": "x86_64-pc-windows-msvc",
}
# PyPI's torch brings them on Linux; the Makefile takes the build that does not.
CUDA = re.compile("nvidia-|cuda-|triton$")


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {
        canonicalize_name(Requirement(line).name) for line in lines if line[:1] not in ("", "#")
    }


def write_config(path):
    """A uv.toml that names pip's index, whose settings uv does not read, and lets its answers stand
    for ten minutes, as PyPI does: a mirror that does not is asked all anew for every machine."""
    get = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(get, capture_output=True, text=True).stdout.strip()
    index = os.environ.get("PIP_INDEX_URL") or configured or "https://pypi.org/simple"
    cache = '{ api = "max-age=600", files = "max-age=600" }'
    path.write_text(
        f"[[index]]\nurl = {json.dumps(index)}\ndefault = true\ncache-control = {cache}\n"
    )
    return path


def uv_compile(config, *arguments, text=None, **environment):
    command = [uv.find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--config-file", str(config), "--python", sys.executable, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, input=text, cwd=ROOT, env=os.environ | environment
    )


def resolve(config, python, system):
    """The names of what an installation gets, and uv's complaint when there is none."""
    run = uv_compile(
        config,
        *("--python-version", python, "--python-platform", SYSTEMS[system]),
        *("--only-binary", ":all:", "--all-extras", "--constraint", "constraints.txt"),
        "pyproject.toml",
        MACOSX_DEPLOYMENT_TARGET=MACOS,
    )
    names = {Requirement(line).name for line in run.stdout.splitlines()}
    return names, run.stderr.strip() if run.returncode else ""


@pytest.fixture(scope="module")
def resolutions(tmp_path_factory):
    config = write_config(tmp_path_factory.mktemp("uv") / "uv.toml")
    quick = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "10"}
    probe = uv_compile(config, "--no-deps", "--refresh", "-", text="pip", **quick)
    if probe.returncode:
        reason = f"the package index does not answer: {probe.stderr.strip()}"
        # CI has a network, and must not lose this test unnoticed.
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    machines = list(product(PYTHONS, SYSTEMS))
    with ThreadPoolExecutor(4) as waiting:  # for the index
        return dict(
            zip(machines, waiting.map(lambda m: resolve(config, *m), machines), strict=True)
        )


def test_every_promised_machine_gets_wheels(resolutions):
    failures = {machine: error for machine, (_, error) in resolutions.items() if error}
    assert not failures, "\n".join(f"Python {m[0]}, {m[1]}: {e}" for m, e in failures.items())


def test_everything_that_is_installed_is_pinned_and_nothing_else_is(resolutions):
    installed = set().union(*(names for names, _ in resolutions.values()))
    assert {name for name in installed if not CUDA.match(name)} == pins()
