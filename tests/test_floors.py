"""The floors of both packages: who may import whom, how long a file may be, where its tests are."""

import ast
import graphlib
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("utils", "course")
SOURCES = ("course/units/", "course/writing/template/")  # of notebooks, not modules
LONGEST = 450  # lines

# From the ground up. A module stands where the longest name that it starts with stands; it may import
# from its own floor and from those below.
FLOORS = (
    ("utils.errors",),
    (
        "utils.data",
        "utils.metrics",
        "utils.codecs",
        "utils.records",
        "utils.checking",
        "utils.claims",
    ),
    ("utils.models", "utils.quantization"),
    ("utils.training", "utils.distillation", "utils.efficiency", "utils.adaptive", "utils.pruning"),
    ("utils.packing", "utils.plots"),
    ("utils.embeddings", "utils.distillation.teachers", "utils.widgets"),
    ("course.errors", "course.threads"),
    ("course.writing", "course.grading.nbgrader_setup", "course.grading.warm"),
    ("course.measuring", "course.proving"),
    (
        "course.writing.readme",
        "course.writing.frontier",
        "course.grading",
        "course.measuring.grading",
    ),
    ("course.report",),
    ("course.run",),
    ("course.commands",),
    ("course.cli",),
    ("course.__main__",),
)

# Longer than LONGEST, until they are split.
STILL_LONGER: set[str] = set()


# ------------------------------------------------------------------------------ reading the imports


def python_files(root: Path, *folders: str) -> list[str]:
    """Paths from the root, sources of units left out."""
    paths = (path for folder in folders for path in sorted((root / folder).rglob("*.py")))
    names = [path.relative_to(root).as_posix() for path in paths]
    return [name for name in names if not name.startswith(SOURCES)]


def read_modules(root: Path) -> dict[str, ast.Module]:
    """Dotted name of each module of the packages, to what is written in it."""
    found = {}
    for name in python_files(root, *PACKAGES):
        dotted = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        found[dotted] = ast.parse((root / name).read_text(encoding="utf-8"))
    return found


def read_faces(root: Path) -> set[str]:
    """Packages whose ``__init__`` only hands on what their modules define."""
    handing_on = ast.ImportFrom | ast.Assign | ast.Expr
    return {
        name
        for name, module in read_modules(root).items()
        if (root / name.replace(".", "/")).is_dir()
        and all(isinstance(node, handing_on) for node in module.body)
    }


def imported(name: str, modules: dict[str, ast.Module], is_package: bool, node) -> set[str]:
    """Modules whose definitions an import statement takes; through a face, those behind it."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names} & modules.keys()
    package = name if is_package else name.rpartition(".")[0]
    source = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
    if source not in modules:
        return set()
    found = set()
    for alias in node.names:
        if f"{source}.{alias.name}" in modules:
            found.add(f"{source}.{alias.name}")
        else:
            found.add(defined_in(source, alias.name, modules))
    return found


def defined_in(source: str, wanted: str, modules: dict[str, ast.Module]) -> str:
    """The module that defines a name which another hands on."""
    for node in modules[source].body:
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                if (alias.asname or alias.name) == wanted:
                    return defined_in(node.module, alias.name, modules)
    return source


def read_imports(root: Path) -> dict[str, set[str]]:
    """Each module to those that it imports, at its top or inside a function."""
    modules, graph = read_modules(root), {}
    for name, module in modules.items():
        is_package = (root / name.replace(".", "/")).is_dir()
        nodes = (n for n in ast.walk(module) if isinstance(n, ast.Import | ast.ImportFrom))
        graph[name] = {m for node in nodes for m in imported(name, modules, is_package, node)}
        graph[name] -= {name, *PACKAGES}  # `import utils` asks where the package lies
    return graph


# ---------------------------------------------------------------------------------------- the rules


def circle(root: Path) -> list[str]:
    """Modules that import one another in a ring; none of them, if there is no ring."""
    try:
        graphlib.TopologicalSorter(read_imports(root)).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def strangers(root: Path) -> list[str]:
    """Modules of utils that import course."""
    return [
        f"{name} imports {other}"
        for name, others in read_imports(root).items()
        for other in sorted(others)
        if name.startswith("utils") and other.startswith("course")
    ]


def floor_of(module: str, floors) -> int | None:
    """The number of a module's floor; None if it stands on none."""
    places = {
        name: number
        for number, names in enumerate(floors)
        for name in names
        if f"{module}.".startswith(f"{name}.")
    }
    return places[max(places, key=len)] if places else None


def climbs(root: Path, floors) -> list[str]:
    """Imports from a lower floor to a higher one. A face hands on names from all its floors."""
    graph, problems = read_imports(root), []
    for name in sorted(graph.keys() - read_faces(root)):
        floor = floor_of(name, floors)
        if floor is None:
            problems.append(f"{name} stands on no floor: write it into FLOORS")
            continue
        above = (other for other in graph[name] if (floor_of(other, floors) or 0) > floor)
        problems += [f"{name} imports {other}, from a higher floor" for other in sorted(above)]
    return problems


def too_long(root: Path) -> set[str]:
    names = python_files(root, *PACKAGES, "tests")
    return {
        name
        for name in names
        if len((root / name).read_text(encoding="utf-8").splitlines()) > LONGEST
    }


def not_mirrored(root: Path) -> list[str]:
    """Folders of tests without a package, and packages right below utils and course without tests."""
    problems = []
    # Two that belong to the course as a whole; the second is run by `make browser`.
    whole = {Path("tests"), Path("tests/browser")}
    for folder in {Path(name).parent for name in python_files(root, "tests")} - whole:
        if not (root / folder.relative_to("tests")).is_dir():
            problems.append(f"{folder.as_posix()} mirrors no folder")
    for package in PACKAGES:
        for path in (root / package).glob("*/__init__.py"):
            if not (root / "tests" / package / path.parent.name).is_dir():
                problems.append(f"{package}/{path.parent.name} has no folder of tests")
    return sorted(problems)


# ---------------------------------------------------------------------------------------- this house


def test_no_modules_import_one_another_in_a_circle():
    assert not circle(ROOT)


def test_utils_knows_nothing_of_course():
    assert not strangers(ROOT)


def test_no_floor_imports_from_a_higher_one():
    assert not climbs(ROOT, FLOORS)


def test_every_place_on_a_floor_is_taken():
    modules = read_modules(ROOT)
    places = [name for names in FLOORS for name in names]
    assert len(set(places)) == len(places)
    assert not [p for p in places if not any(f"{m}.".startswith(f"{p}.") for m in modules)]


def test_no_file_is_longer_than_can_be_read_at_once():
    assert too_long(ROOT) == STILL_LONGER


def test_tests_mirror_the_folders():
    assert not not_mirrored(ROOT)


# ---------------------------------------------------------------- the rules can fail: a made-up tree


@pytest.fixture
def house(tmp_path):
    """Write a small house that keeps all rules, then the given files; return its root."""

    def build(**files: str) -> Path:
        start = {
            "utils/__init__.py": "",
            "utils/low.py": "class Low: ...\n",
            "utils/rooms/__init__.py": "from utils.rooms.inner import Inner\n",
            "utils/rooms/inner.py": "from utils.low import Low\n\n\nclass Inner(Low): ...\n",
            "utils/high.py": "from utils.rooms import Inner\n\nprint(Inner)\n",
            "course/__init__.py": "",
            "course/desk.py": "import utils.high\n",
            "course/units/01_first/lecture.py": "import utils.high\n" * (LONGEST + 1),
            "tests/utils/rooms/test_inner.py": "",
        }
        for name, text in (start | files).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return build


SMALL = (("utils.low",), ("utils.rooms",), ("utils.high",), ("course",))


def test_a_house_that_keeps_the_rules_passes(house):
    root = house()
    assert read_imports(root)["utils.high"] == {"utils.rooms.inner"}
    assert (circle(root), strangers(root), climbs(root, SMALL)) == ([], [], [])
    assert (too_long(root), not_mirrored(root)) == (set(), [])


@pytest.mark.parametrize(
    "text",
    [
        "import utils.high\n",
        "from utils import high\n",
        "from utils.high import Inner as Other, print\n",
        "def later():\n    from utils.high import anything\n",
        "def later():\n    from .high import anything\n",
    ],
)
def test_a_circle_is_found_however_it_is_imported(house, text):
    assert set(circle(house(**{"utils/low.py": text}))) == {
        "utils.low",
        "utils.rooms.inner",
        "utils.high",
    }


def test_a_circle_through_a_face_is_found(house):
    root = house(**{"utils/low.py": "def later():\n    from utils.rooms import Inner\n"})
    assert set(circle(root)) == {"utils.low", "utils.rooms.inner"}


def test_utils_that_knows_course_is_found(house):
    root = house(**{"utils/low.py": "def later():\n    import course.desk\n"})
    assert strangers(root) == ["utils.low imports course.desk"]


def test_a_step_up_is_found(house):
    root = house(**{"utils/low.py": "", "utils/rooms/inner.py": "from utils import high\n"})
    assert climbs(root, SMALL) == ["utils.rooms.inner imports utils.high, from a higher floor"]


def test_the_longest_name_says_where_a_module_stands(house):
    floors = (("utils.low", "utils.rooms.inner"), ("utils.high",), ("utils.rooms", "course"))
    assert climbs(house(), floors) == []
    assert climbs(house(), (("utils.low",), ("utils.high",), ("utils.rooms", "course"))) == [
        "utils.high imports utils.rooms.inner, from a higher floor"
    ]


def test_a_module_on_no_floor_is_found(house):
    assert climbs(house(), SMALL[:-1]) == ["course.desk stands on no floor: write it into FLOORS"]


def test_a_long_file_is_found(house):
    root = house(**{"tests/test_much.py": "pass\n" * (LONGEST + 1), "utils/low.py": "pass\n" * 450})
    assert too_long(root) == {"tests/test_much.py"}


def test_tests_that_mirror_nothing_and_rooms_without_tests_are_found(house):
    root = house(**{"tests/utils/nowhere/test_it.py": "", "course/new/__init__.py": ""})
    assert not_mirrored(root) == [
        "course/new has no folder of tests",
        "tests/utils/nowhere mirrors no folder",
    ]
