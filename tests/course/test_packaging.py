"""The files that say what to install agree with each other and with what the code imports."""

import ast
import fnmatch
import json
import re
import shutil
import stat
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
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
    python, *packages = environment["dependencies"]
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["requires-python"])
    conda = {r.name: r for r in map(Requirement, packages)}
    conda.pop("pip")
    pip = {CONDA_NAMES.get(r.name, r.name): r for r in requirements()}
    assert sorted(conda) == sorted(pip)
    for name, requirement in pip.items():
        assert lower_bound(conda[name]) == lower_bound(requirement), name


def test_extras_have_lower_bounds_too():
    for extra in PROJECT["optional-dependencies"]:
        assert all(lower_bound(r) for r in requirements(extra))


def test_constraints_pin_everything_that_make_installs_and_no_cuda():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {}
    for requirement in (Requirement(line) for line in lines if line and line[0] != "#"):
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", requirement
        pins[requirement.name] = Version(specifier.version)
    for requirement in requirements("dev", "transformer", "dask", "peers", "glove", "browser"):
        assert pins[requirement.name] in requirement.specifier, requirement
    assert not [name for name in pins if re.match("nvidia|triton|cuda", name)]
    assert pins["torch"].local is None  # "+cpu" is the choice of the index, see Makefile


def test_the_promised_pythons_are_the_same_everywhere():
    assert PROJECT["requires-python"] == ">=3.11,<3.15"
    makefile, readme = (ROOT / "Makefile").read_text(), (ROOT / "README.md").read_text()
    assert "(3, 11) <= sys.version_info < (3, 15)" in makefile
    assert "Python 3.11 to 3.14" in makefile and "Python 3.11 to 3.14" in readme
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    for version in (container["image"].split(":")[1], *re.findall(r"py -(3\.\d+)", readme)):
        assert version in SpecifierSet(PROJECT["requires-python"])


@pytest.mark.skipif(not shutil.which("make"), reason="where there is no make, no Makefile is used")
@pytest.mark.parametrize(
    ("lacks", "sentence"),
    [
        ("sys.version_info", "The course needs Python 3.11 to 3.14; try: make PYTHON=python3.12"),
        (
            "ensurepip",
            "has no pip to put into .venv; on Debian and Ubuntu: apt install python3-venv",
        ),
    ],
)
def test_make_says_in_one_sentence_what_this_python_lacks(lacks, sentence, tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$2" in *{lacks}*) echo no >&2; exit 1;; esac\n')
    python.chmod(0o755)
    run = subprocess.run(
        # `make test` runs this, and a make inside a make says which folder it enters.
        ["make", "--no-print-directory", "install", "PYTHON=./python"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode and run.stdout.strip().endswith(sentence)
    assert len(run.stdout.splitlines()) == 1 and not (tmp_path / ".venv").exists()


def test_windows_gets_the_commands_that_make_runs():
    makefile, readme = (ROOT / "Makefile").read_text(), (ROOT / "README.md").read_text()
    for arguments in (
        '-c constraints.txt -e ".[dev,transformer,dask]"',
        "-m course run",
        "-m pytest",
    ):
        assert arguments in makefile
        assert re.search(
            rf"^\.venv\\Scripts\\python .*{re.escape(arguments)}", readme, re.MULTILINE
        )


def test_what_the_type_checker_is_easy_on_exists():
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    (lenient,) = [entry for entry in overrides if "disable_error_code" in entry]
    for pattern in lenient["module"]:
        path = ROOT / pattern.removesuffix(".*").replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), pattern


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
