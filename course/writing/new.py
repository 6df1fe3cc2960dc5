"""A new unit from the files in `template/`: a draft that passes every gate, to be written over."""

from importlib.resources import files
from pathlib import Path

from course.errors import UserError
from course.writing.units import ROOT, UNIT_NAME, Unit, read_unit, unit_folders

SOURCES = ("unit.toml", "lecture.py", "exercise.py", "mistakes/q1.py")


def new_unit(name: str, root: Path = ROOT) -> Unit:
    """Write `course/units/NAME` under `root`, with a placeholder lecture and one question.

    Raises UserError for a name that is none, a folder that exists, and for a number or a topic that
    another unit has.
    """
    match = UNIT_NAME.fullmatch(name)
    if match is None:
        raise UserError(
            f"{name!r} is not a unit's name; use two digits, an underscore and a topic in lower "
            "case, such as 05_adaptive."
        )
    folder = root / "course" / "units" / name
    if folder.exists():
        raise UserError(f"{folder} exists already; edit it, or delete it first.")
    number, topic = match.groups()
    others = [path.name for path in unit_folders(root)]
    for other in others:
        if other[:2] == number:
            free = next(n for n in range(1, 100) if f"{n:02}" not in {o[:2] for o in others})
            raise UserError(f"The number {number} is taken by {other}; {free:02} is free.")
        if other[3:] == topic:
            raise UserError(f"The topic {topic!r} is taken by {other}; choose another name.")
    words = {
        "UNIT_TITLE": topic.replace("_", " ").capitalize(),
        "UNIT_NUMBER": number,
    }
    folder.mkdir(parents=True)
    for source in SOURCES:
        template = files("course.writing").joinpath("template", *source.split("/"))
        text = template.read_text(encoding="utf-8")
        for word, meaning in words.items():
            text = text.replace(word, meaning)
        (folder / source).parent.mkdir(exist_ok=True)
        (folder / source).write_text(text, encoding="utf-8")
    return read_unit(folder, root)
