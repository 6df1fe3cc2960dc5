import pytest
from nbformat.v4 import new_notebook

from course.errors import UserError
from course.writing import build
from course.writing.execute import Execution
from course.writing.notebooks import MARKERS, read_notebook, write_notebook
from course.writing.units import discover


def files(root):
    folders = ("lectures", "solutions", "assignments")
    return {p: p.read_bytes() for f in folders for p in (root / f).rglob("*") if p.is_file()}


def test_a_built_unit_matches_its_sources(built_unit):
    assert build.drift([built_unit], built_unit.root) == []
    assert build.lecture_is_current(built_unit)


def test_building_again_changes_no_byte(built_unit):
    before = files(built_unit.root)
    build.build_assignment(built_unit)
    assert files(built_unit.root) == before
    assert len(before) == 3


def test_a_lecture_run_again_has_the_same_sources_and_here_the_same_outputs(built_unit):
    path = built_unit.lecture_notebook()
    before = path.read_text()
    build.save_lecture(built_unit, build.execute_lecture(built_unit))
    assert path.read_text() == before


def test_the_committed_lecture_keeps_pictures_and_loses_widgets(built_unit):
    nb = read_notebook(built_unit.lecture_notebook())
    assert "widgets" not in nb.metadata
    shown = [output for cell in nb.cells for output in cell.get("outputs", ())]
    assert [set(output.data) for output in shown[:2]] == [{"image/png", "text/plain"}] * 2
    assert shown[1].metadata["image/png"]["alt"] == "One grey pixel"
    assert "execution" not in str([cell.metadata for cell in nb.cells])


def test_saved_widget_state_is_dropped():
    nb = new_notebook()
    nb.metadata.update(widgets={build.WIDGET_STATE: {}}, language_info={"version": "3.99"})
    nb = build.without_widgets(nb)
    assert set(nb.metadata) == {"kernelspec", "language_info"}
    assert nb.metadata.language_info == {"name": "python"}


def test_a_lecture_that_fails_is_not_saved(built_unit):
    before = built_unit.lecture_notebook().read_bytes()
    failed = Execution(read_notebook(built_unit.lecture_notebook()), 1, 1, "cell 2 raised E: no")
    with pytest.raises(UserError, match="lecture.py does not run: cell 2 raised E: no"):
        build.save_lecture(built_unit, failed)
    assert built_unit.lecture_notebook().read_bytes() == before


def test_solution_and_release_hold_no_outputs_and_no_path_of_this_machine(built_unit):
    for path in (built_unit.solution_notebook(), built_unit.release_notebook()):
        nb = read_notebook(path)
        assert nb.metadata.kernelspec.name == "python3"
        assert not any(cell.get("outputs") for cell in nb.cells)
        assert str(built_unit.root) not in path.read_text()


def test_the_release_is_nbgraders(built_unit):
    release = built_unit.release_notebook().read_text()
    assert not MARKERS.search(release)
    assert release.count("YOUR CODE HERE") == 2
    assert "YOUR ANSWER HERE" in release
    assert '"checksum"' in release
    assert "The median of 1, 2, 3 is 2." in release


def test_only_the_notebook_is_released(built_unit):
    stray = built_unit.solution_notebook().parent
    (stray / "reference.py").write_text("the solution")
    (stray / ".hidden").write_text("the solution")
    build.build_assignment(built_unit)
    assert [p.name for p in built_unit.release_notebook().parent.iterdir()] == ["01_tiny.ipynb"]
    assert [p.name for p in stray.iterdir()] == ["01_tiny.ipynb"]


def test_nbgrader_itself_leaves_stray_files_behind(built_unit):
    """CourseDirectory.ignore in nbgrader_config.py, for those who call nbgrader directly."""
    from course.grading.nbgrader_setup import Course

    source = built_unit.solution_notebook().parent
    for name in (
        "reference.py",
        ".hidden",
        "notes.md",
        "data.tsv",
        "model.bin",
        "predictions.json",
    ):
        (source / name).write_text("secret")
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "reference.pyc").write_text("secret")
    Course(built_unit.root).generate_assignment(built_unit.name, database=False)
    released = built_unit.release_notebook().parent.rglob("*")
    assert [p.name for p in released if p.is_file()] == ["01_tiny.ipynb"]


@pytest.mark.parametrize(
    "file, old, new, message",
    [
        ("exercise.py", "return (low + high) / 2", "return (high + low) / 2", "the source of cell"),
        ("exercise.py", '"points": 3', '"points": 4', "the metadata of cell"),
        (
            "lecture.py",
            "print(sorted(values)[1])",
            "print(2)",
            "lectures/01_tiny.ipynb: the source",
        ),
        ("lecture.py", "# # Medians", "# # Means", "the source of cell 1"),
        ("lecture.py", "# # Medians", "# # Medians\n\n# %% [markdown]\n# more", "5 cells where"),
    ],
)
def test_a_changed_source_is_drift(built_unit, file, old, new, message):
    path = built_unit.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    problems = build.drift([built_unit], built_unit.root)
    assert any(message in problem for problem in problems), problems


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda nb: nb.cells[1].update(source="tampered"), "the source of cell 2"),
        (lambda nb: nb.cells[1].update(id="tampered"), "the id of cell 2"),
        (lambda nb: nb.cells[1].metadata.update(tags=["x"]), "the metadata of cell 2"),
        (lambda nb: nb.metadata.update(widgets={}), "the notebook's metadata"),
        (lambda nb: nb.cells.pop(), "cells where the source has"),
    ],
)
@pytest.mark.parametrize("kind", ["lecture", "solution", "release"])
def test_an_edited_notebook_is_drift(built_unit, kind, change, message):
    path = getattr(built_unit, f"{kind}_notebook")()
    nb = read_notebook(path)
    change(nb)
    write_notebook(nb, path)
    (problem,) = build.drift([built_unit], built_unit.root)
    assert message in problem
    assert str(path) in problem
    assert "python -m course build" in problem


def test_other_outputs_are_no_drift(built_unit):
    path = built_unit.lecture_notebook()
    nb = read_notebook(path)
    nb.cells[-1].outputs[0].text = "0.123 s\n"
    write_notebook(nb, path)
    assert build.drift([built_unit], built_unit.root) == []
    assert build.lecture_is_current(built_unit)


def test_a_lecture_without_outputs_is_run_again(built_unit):
    write_notebook(build.lecture_from_source(built_unit), built_unit.lecture_notebook())
    assert not build.lecture_is_current(built_unit)
    built_unit.lecture_notebook().unlink()
    assert not build.lecture_is_current(built_unit)


def test_missing_and_stray_files_are_drift(built_unit):
    built_unit.release_notebook().unlink()
    (built_unit.root / "lectures" / "07_gone.ipynb").write_text("")
    (built_unit.root / "assignments" / "01_tiny" / "data.csv").write_text("")
    problems = build.drift(discover(built_unit.root), built_unit.root)
    assert len(problems) == 3
    assert "does not exist; run `python -m course build 01_tiny`" in problems[0]
    assert "07_gone.ipynb belongs to no unit" in problems[1]
    assert "data.csv belongs to no unit" in problems[2]


def test_a_unit_without_its_lecture_is_reported(built_unit):
    built_unit.lecture_source.unlink()
    problems = build.drift(discover(built_unit.root), built_unit.root)
    assert problems == [f"{built_unit.lecture_source} does not exist."]


def test_what_nbgrader_refuses_is_said_in_one_sentence(make_unit):
    unit = make_unit(exercise=("    ### END SOLUTION\n\n# %% nbgrader", "\n# %% nbgrader"))
    with pytest.raises(UserError, match="release of 01_tiny: RuntimeError: no end solution") as e:
        build.build_assignment(unit)
    assert "\n" not in str(e.value)
