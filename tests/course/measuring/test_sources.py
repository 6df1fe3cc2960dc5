"""The files that a number is made of: what is imported, however it is imported, and no more."""

from course.measuring.sources import digest, sources
from course.writing.units import ROOT


def _write(root, **files):
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _names(root, file):
    return {str(path.relative_to(root)) for path in sources(root / file, root)}


def test_imports_are_followed_however_they_are_written(tmp_path):
    _write(
        tmp_path,
        course__a="import course.b\nfrom course import c as other\nimport numpy\n",
        course__b="def later():\n    from course.d import anything\n",
        course__c="from .deep.e import f\nfrom . import g\n",
        course__d="",
        course__deep__e="from ..h import x\n",
        course__g="",
        course__h="from course.h import y\n",
        course__plots="",
    )
    assert _names(tmp_path, "course/a.py") == {
        f"course/{name}.py" for name in ("a", "b", "c", "d", "deep/e", "g", "h")
    }


def test_of_a_package_only_what_is_asked_for(tmp_path):
    _write(
        tmp_path,
        user="from package import wanted as mine\n",
        package__one="def wanted(): ...\n",
        package__two="",
        everything="import package\n",
        own="from package import constant\n",
    )
    init = "from package.one import wanted\nfrom package.two import other\nconstant = 1\n"
    (tmp_path / "package" / "__init__.py").write_text(init)
    assert _names(tmp_path, "user.py") == {"user.py", "package/one.py"}
    whole = {"package/__init__.py", "package/one.py", "package/two.py"}
    assert _names(tmp_path, "everything.py") == {"everything.py", *whole}
    assert _names(tmp_path, "own.py") == {"own.py", *whole}


def test_modules_of_a_unit_are_part_of_its_experiments():
    found = sources(ROOT / "course" / "units" / "03_quantization" / "experiments.py")
    assert ROOT / "course" / "units" / "03_quantization" / "races.py" in found
    assert ROOT / "course" / "measuring" / "baselines.py" in found


def test_what_draws_pictures_trains_nothing():
    for file in ("training.py", "teachers/transformer.py"):
        found = sources(ROOT / "course" / "measuring" / file)
        assert ROOT / "utils" / "training.py" in found
        for other in ("utils/plots.py", "course/measuring/baselines.py", "course/cli.py"):
            assert ROOT / other not in found
    teachers = ROOT / "course" / "measuring" / "teachers"
    assert teachers / "gru.py" not in sources(teachers / "transformer.py")


def test_a_digest_is_of_contents_and_of_where_they_end(tmp_path):
    _write(tmp_path, a="ab", b="c", d="a", e="bc")
    a, b, d, e = (tmp_path / f"{name}.py" for name in "abde")
    assert digest([a, b]) != digest([d, e])
    (tmp_path / "again.py").write_text("ab")
    assert digest([a, b]) == digest([tmp_path / "again.py", b])
