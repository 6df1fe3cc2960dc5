"""A file is counted in full, so the reader must hold nothing of a model: no words, no weights."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard

import utils
from utils.packing import save_model

ROOT = Path(utils.__file__).parent
READERS = sorted(path for room in ("codecs", "packing") for path in (ROOT / room).rglob("*"))
LONGEST = 200  # bytes of a literal; the sentences that the reader says are shorter


def _too_much(source: str) -> list[str]:
    """Literals of a module, docstrings aside, that could hold something fitted."""
    tree, found = ast.parse(source), []
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, holders) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            size = len(repr(node.value))
        elif isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
            plain = all(isinstance(leaf, ast.Constant) for leaf in _leaves(node))
            size = len(ast.unparse(node)) if plain else 0
        else:
            continue
        if size > LONGEST:
            found.append(f"line {node.lineno}: {size} bytes")
    return found


def _leaves(node):
    below = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.Load)]
    return [leaf for child in below for leaf in _leaves(child)] if below else [node]


@pytest.mark.parametrize("path", READERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_modules_of_the_reader_hold_no_data(path):
    if path.is_dir() or path.parent.name == "__pycache__":
        return
    assert path.suffix == ".py", "the reader is code and nothing else"
    assert _too_much(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        f"_WORDS = zstandard.ZstdCompressionDict({b'anger disgust fear joy' * 20!r})",
        f"def read():\n    'Reads.'\n    return {'word ' * 50!r}",
        f"WEIGHTS = np.array({[0.25] * 99})",
        f"WEIGHTS = {dict.fromkeys(map(str, range(99)), 0.5)}",
        f"NUMBER = {10**300}",
    ],
)
def test_data_in_a_module_would_be_found(source):
    assert _too_much(source)


def test_code_and_docstrings_are_not_data():
    assert not _too_much(f'"""{"A module. " * 99}"""\n\ndef f():\n    """{"Text. " * 99}"""\n')


def test_loading_a_model_reads_that_file_and_code_alone(linear, neural, tmp_path):
    """Every file that is opened while ``utils.packing`` is imported and models are loaded in a fresh
    process, which then predicts what they did before."""
    models, paths = [linear(buckets=4096), neural()], []
    for number, model in enumerate(models):
        save_model(model, tmp_path / "model.slm")
        paths.append((tmp_path / "model.slm").rename(tmp_path / f"alone{number}.bin"))
    code = (
        "import json, sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        "from utils.packing import load_model\n"
        "loaded = [load_model(path) for path in sys.argv[1:]]\n"
        "said = [model.predict_proba(['a lovely day']).tolist() for model in loaded]\n"
        "print(json.dumps([opened, said]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True
    )
    names, said = json.loads(done.stdout)
    expected = [model.predict_proba(["a lovely day"]) for model in models]
    np.testing.assert_allclose(said, expected, atol=1e-6)
    opened = [Path(name) for name in names]
    assert set(paths) <= set(opened)
    ours = [path for path in opened if path.is_relative_to(ROOT.parent)]
    data = [
        path
        for path in ours
        if path.suffix not in (".py", ".pyc") and path.is_relative_to(ROOT.parent / "utils")
    ]
    assert ours and data == []


@pytest.mark.parametrize("options", [{"buckets": 4096}, {}])
def test_no_dictionary_is_written(options, linear, tmp_path):
    save_model(linear(**options), tmp_path / "m")
    data = (tmp_path / "m").read_bytes()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        assert zstandard.get_frame_parameters(data).dict_id == 0
        data = zstandard.ZstdDecompressor().decompress(data)
    assert data[:4] == b"SLM\x02"
