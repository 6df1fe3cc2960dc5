"""The files that say what to install agree with each other and with what the code imports."""

import ast
import fnmatch
import json
import re
import stat
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from course.writing.units import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}
IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "pyyaml": "yaml",
    "faiss-cpu": "faiss",
    "fasttext-community": "fasttext",
}


def requirements(*extras):
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def lower_bound(requirement):
    (specifier,) = requirement.specifier
    assert specifier.operator == ">=", f"{requirement}: give a lower bound and nothing else"
    return Version(specifier.version)


def test_conda_and_pip_name_the_same_packages_with_the_same_lower_bounds():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"][0] == "conda-forge"
    conda = {r.name: r for r in map(Requirement, environment["dependencies"])}
    assert str(conda.pop("python").specifier) == PROJECT["requires-python"]
    conda.pop("pip")
    pip = {CONDA_NAMES.get(r.name, r.name): r for r in requirements()}
    assert sorted(conda) == sorted(pip)
    for name, requirement in pip.items():
        assert lower_bound(conda[name]) == lower_bound(requirement), name


def test_extras_have_lower_bounds_too():
    for extra in PROJECT["optional-dependencies"]:
        assert all(lower_bound(r) for r in requirements(extra))


def test_constraints_pin_everything_that_make_installs_and_no_cuda():
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            pins[name] = Version(version)
    for requirement in requirements("dev", "transformer", "peers"):
        assert pins[requirement.name] in requirement.specifier, requirement
    assert not [name for name in pins if re.match("nvidia|triton|cuda", name)]
    assert pins["torch"].local is None  # "+cpu" is the choice of the index, see Makefile


def third_party_imports(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            else:
                continue
            for name in names:
                top = name.split(".")[0]
                if top not in sys.stdlib_module_names and top not in ("utils", "course"):
                    yield top, path


@pytest.mark.parametrize("folder", ["utils", "course"])
def test_what_is_imported_is_declared(folder):
    extras = [extra for extra in PROJECT["optional-dependencies"] if extra != "dev"]
    declared = {IMPORT_NAMES.get(r.name, r.name) for r in requirements(*extras)}
    declared |= {name.lower() for name in declared}
    missing = {
        (name, str(path.relative_to(ROOT)))
        for name, path in third_party_imports(folder)
        if name.lower() not in declared
    }
    assert not missing


def test_utils_knows_nothing_of_course():
    for path in (ROOT / "utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "course"], path


def test_every_data_file_is_packaged():
    globs = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for package, patterns in globs["package-data"].items():
        for name in listed.stdout.splitlines():
            inside = name.removeprefix(f"{package}/")
            module = name.endswith(".py") and (ROOT / name).with_name("__init__.py").is_file()
            if inside == name or module:
                continue
            assert any(fnmatch.fnmatch(inside, pattern) for pattern in patterns), name


def test_scripts_can_be_run_and_the_devcontainer_is_json():
    for name in ("postBuild", "start", ".ci/run"):
        assert (ROOT / name).stat().st_mode & stat.S_IXUSR, name
        assert (ROOT / name).read_text().startswith("#!/usr/bin/env bash\n")
    assert not (ROOT / "binder").exists()  # repo2docker would ignore the root's files
    json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())


def test_licences():
    assert PROJECT["license"] == "BSD-3-Clause AND CC-BY-4.0"
    assert "BSD 3-Clause" in (ROOT / "LICENSE").read_text()
    assert "creativecommons.org/licenses/by/4.0" in (ROOT / "LICENSE-text").read_text()
