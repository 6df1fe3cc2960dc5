import pytest

from course.writing import house

FILES = {
    "utils/__init__.py": "",
    "utils/data.py": "import json\n",
    "utils/metrics.py": "",
    "utils/models/__init__.py": "from utils import data\n",
    "utils/models/networks.py": "from ..metrics import f1\nfrom . import linear\n",
    "utils/models/linear.py": "",
    "utils/models/notes/copied.py": "import utils.plots\n",  # in no package
    "utils/plots.py": "def draw():\n    import utils.models.networks\n    import utils.data\n",
    "course/cli.py": "import utils.plots\n",
    "course/units/01_tiny/lecture.py": "from utils import plots\n",
}


@pytest.fixture
def root(tmp_path):
    for name, text in {"course/__init__.py": "", **FILES}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_imports_of_every_kind_are_found(root):
    assert house.imports_of("utils", root) == {
        "data": set(),
        "metrics": set(),
        "models": {"data", "metrics"},
        "plots": {"models", "data"},
    }
    assert house.imports_of("course", root) == {"cli": set()}


def test_a_room_stands_above_all_that_it_imports(root):
    imports = house.imports_of("utils", root)
    assert house.floors(imports) == [["data", "metrics"], ["models"], ["plots"]]
    assert house.needed(imports) == {("models", "data"), ("models", "metrics"), ("plots", "models")}


def test_rooms_in_a_circle_share_a_floor():
    imports = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert house.floors(imports) == [["d"], ["b", "c"], ["a"]]
    assert house.needed(imports) == {("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")}


def test_another_import_is_drift(root):
    assert "house.png does not exist" in house.house_drift(root)[0]
    house.update_house(root)
    assert house.house_drift(root) == []
    drawn = (root / house.PICTURE).read_bytes()
    house.update_house(root)
    assert (root / house.PICTURE).read_bytes() == drawn
    (root / "utils" / "data.py").write_text("import utils.metrics\n")
    (problem,) = house.house_drift(root)
    assert "shows other imports than there are; run `python -m course build`" in problem


def test_a_picture_that_is_right_is_left_alone(root):
    house.update_house(root)
    picture = root / house.PICTURE
    picture.write_bytes(picture.read_bytes() + b"drawn by another version")
    before = picture.read_bytes()
    house.update_house(root)
    assert picture.read_bytes() == before


def test_the_picture_of_this_house_is_up_to_date():
    assert house.house_drift() == []
