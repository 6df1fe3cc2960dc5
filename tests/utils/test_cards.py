"""Cards: a method that a unit teaches says its source, its use and its traps; examples are run.

A card is a docstring with the marks below and an example. A class has one of its own; a function
has one, or shares that of its module or of a package around it. Examples know ``np`` and ``torch``,
as notebooks do, and import all else.
"""

import ast
import doctest
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
MARKS = {
    "its source": re.compile(r"^ *Source: ", re.MULTILINE),
    "what people get wrong": re.compile(r"\bWhat\s+people\s+get\s+wrong: "),
    "an example": re.compile(r"^ *>>> ", re.MULTILINE),
}
# A method that text names, or a check forbids.
WRITTEN_OUT = re.compile(r"(?<![\w.])utils(?:\.[a-zA-Z]\w*)+")
# What units use without teaching it. A name stands for all that is in it.
PLUMBING = {
    "utils.claims": "for authors",
    "utils.data.reading": "the data set as a table",
    "utils.embeddings.vectors.EmbeddingMatrix": "what every source of vectors returns",
    "utils.models.classifier.predict_logits": "logits of many comments, in batches",
    "utils.models.networks.register_network": "makes a network known to model files",
    "utils.models.transformer.find_encoder": "where weights lie",
    "utils.plots": "charts",
    "utils.records": "reading what was measured",
    "utils.widgets": "what a lecture shows and asks",
}


# -------------------------------------------------------------------------------- what is taught


def imported(source: str) -> set[str]:
    """Dotted names of what a source imports from utils, and of what it takes from that."""
    names, known = set(), {}
    nodes = list(ast.walk(ast.parse(source)))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "utils":
            known |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in known:
                names.add(f"{known[node.value.id]}.{node.attr}")
    return names | set(known.values())


def find(dotted: str):
    """The class, the function or else the module that a dotted name leads to; None for a value."""
    first, *rest = dotted.split(".")
    thing, place = importlib.import_module(first), first
    for part in rest:
        if not isinstance(thing, ModuleType):
            break  # a method is on the card of its class
        place = f"{place}.{part}"
        if not hasattr(thing, part):
            importlib.import_module(place)
        thing = getattr(thing, part)
    return thing if isinstance(thing, ModuleType | type) or inspect.isroutine(thing) else None


def place_of(thing) -> str:
    if isinstance(thing, ModuleType):
        return thing.__name__
    return f"{thing.__module__}.{thing.__qualname__}"


def is_plumbing(place: str) -> bool:
    return any(f"{place}.".startswith(f"{name}.") for name in PLUMBING)


def taught(root: Path) -> dict[str, object]:
    """Place to class, function or module, of all that the units' own sources use of utils."""
    sources = [path.read_text(encoding="utf-8") for path in root.glob("course/units/*/*.py")]
    found = {find(name) for source in sources for name in imported(source)}
    written = {find(name) for source in sources for name in WRITTEN_OUT.findall(source)}
    found |= {thing for thing in written if not isinstance(thing, ModuleType)}
    return {place_of(thing): thing for thing in found - {None}}


# -------------------------------------------------------------------------------------- its card


def lacks(docstring: str | None) -> list[str]:
    return [what for what, mark in MARKS.items() if not mark.search(docstring or "")]


def lacks_card(thing) -> list[str]:
    """What the card of a thing lacks; nothing if it has one, or may share one that has all."""
    own = lacks(thing.__doc__)
    if not own or not inspect.isroutine(thing):
        return own
    parts = thing.__module__.split(".")
    around = (".".join(parts[:n]) for n in range(len(parts), 1, -1))
    return own if all(lacks(importlib.import_module(name).__doc__) for name in around) else []


def test_what_a_unit_teaches_has_a_card():
    methods = {place: thing for place, thing in taught(ROOT).items() if not is_plumbing(place)}
    assert len(methods) > 50
    problems = {place: lacks_card(thing) for place, thing in sorted(methods.items())}
    lines = [f"{place} lacks {', '.join(what)}" for place, what in problems.items() if what]
    assert not lines, "\n".join(lines)


def test_no_plumbing_is_listed_that_units_do_not_use():
    places = [f"{place}." for place in taught(ROOT)]
    assert not [p for p in PLUMBING if not any(place.startswith(f"{p}.") for place in places)]


# ---------------------------------------------------------------------------------- the examples


WITH_EXAMPLES = [
    path.relative_to(ROOT)
    .as_posix()
    .removesuffix(".py")
    .removesuffix("/__init__")
    .replace("/", ".")
    for path in sorted(ROOT.glob("utils/**/*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_in_docstrings_are_true(name, monkeypatch):
    monkeypatch.delenv("COURSE_BUILD", raising=False)
    output = failing(importlib.import_module(name))
    assert not output, output


def failing(module: ModuleType) -> str:
    """What doctest says of the examples of a module that fail."""
    output, runner = [], doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(module, globs={"np": np, "torch": torch}):
        runner.run(test, out=output.append)
    assert runner.tries, f"{module.__name__} has no example in a docstring"
    return "".join(output)


# ----------------------------------------------------------------------------- the rules can fail


CARD = """A mean.

Source: nobody.

What people get wrong: the sum.

>>> 1 + 1
2
"""


def made_up(docstring: str | None) -> ModuleType:
    module = ModuleType("made_up", docstring)
    exec("def mean(): ...\nclass Mean: ...\n", vars(module))
    return module


def test_a_card_without_one_of_its_parts_is_found():
    assert lacks(CARD) == []
    for what, line in zip(MARKS, CARD.splitlines()[2::2], strict=True):
        assert lacks(CARD.replace(line, "")) == [what]
    assert lacks(None) == list(MARKS)


def test_a_function_may_share_the_card_of_its_module_and_a_class_may_not(monkeypatch):
    import utils.metrics

    monkeypatch.setattr(utils.metrics, "__doc__", CARD)
    monkeypatch.setattr(utils.metrics.macro_f1, "__doc__", "A mean.")
    assert lacks_card(utils.metrics.macro_f1) == []
    monkeypatch.setattr(utils.metrics, "__doc__", "Means.")
    assert lacks_card(utils.metrics.macro_f1) == list(MARKS)
    assert lacks_card(made_up(CARD).Mean) == list(MARKS)


def test_whatever_way_a_unit_names_a_method_it_is_found(tmp_path):
    unit = tmp_path / "course/units/05_more"
    (unit / "mistakes").mkdir(parents=True)
    (unit / "lecture.py").write_text(
        "import numpy as np\n"
        "from utils import packing\n"
        "from utils.quantization import KMeansQuantizer as Shared, vector\n"
        "from utils.data import SPLITS\n"
        "# Of `utils.metrics`, `utils.metrics.macro_f1` is the score.\n"
        "packing.size_report(vector.nearest(np.eye(2)))\n"
    )
    (unit / "exercise.py").write_text(
        "from utils.plots import show\n"
        'examine(1, 2, 3, forbidden="utils.quantization.AffineQuantizer.fit")\n'
    )
    (unit / "mistakes" / "q1.py").write_text("from utils.efficiency import measure\n")
    assert set(taught(tmp_path)) == {
        "utils.metrics.macro_f1",
        "utils.packing",
        "utils.packing.models.size_report",
        "utils.plots.style.show",
        "utils.quantization.scalar.affine.AffineQuantizer",
        "utils.quantization.scalar.codebook.KMeansQuantizer",
        "utils.quantization.vector",
        "utils.quantization.vector.kmeans.nearest",
    }
    assert is_plumbing("utils.plots.style.show") and not is_plumbing("utils.plots_of_a_method")


def test_an_example_that_is_wrong_or_needs_a_name_that_a_reader_lacks_is_found():
    module = made_up(CARD)
    assert not failing(module)
    for wrong in ("1 + 2", "mean()"):
        module.__doc__ = CARD.replace("1 + 1", wrong)
        assert wrong in failing(module)
