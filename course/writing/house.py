"""The picture of the house, docs/house.png: what is built on what, read from the imports.

A room is a module or a package directly in `course` or `utils`. It stands one floor above the
highest room that it imports; rooms that import one another in a circle share a floor. The imports
are kept as text in the picture, so that drift can be found without comparing pixels.
"""

import ast
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from course.writing.units import ROOT
from utils.plots import PALETTE, set_style

PICTURE = "docs/house.png"
HOUSES = ("course", "utils")
NO_ROOMS = {"units", "__main__"}  # what is taught, and the doorbell
KEYWORD = "Imports"  # under which the picture's text stands in the file
WIDTH, HEIGHT = 0.86, 0.5  # of a room, of the space that it has

Imports = dict[str, set[str]]


def imports_of(house: str, root: Path = ROOT) -> Imports:
    """For each room of a house, which other rooms of it are imported, anywhere in its files."""
    rooms = {
        path.stem
        for path in (root / house).iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").is_file())
        and path.stem not in NO_ROOMS | {"__init__"}
    }
    imports: Imports = {room: set() for room in rooms}
    for room in rooms:
        folder = root / house / room
        files = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
        for path in files:
            if not path.with_name("__init__.py").is_file():
                continue  # no module, but a file that is copied, such as those of writing/template
            package = path.relative_to(root).parts[:-1]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                imports[room].update(
                    name[1] for name in _imported(node, package) if name[0] == house
                )
        imports[room] &= rooms - {room}
    return imports


def _imported(node: ast.AST, package: tuple[str, ...]) -> list[tuple[str, str]]:
    """The first two parts of each dotted name that this statement imports."""
    if isinstance(node, ast.Import):
        names = [alias.name.split(".") for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        above = list(package[: len(package) - node.level + 1]) if node.level else []
        module = [*above, *(node.module.split(".") if node.module else [])]
        names = [[*module, alias.name] for alias in node.names]
    else:
        return []
    return [(name[0], name[1]) for name in names if len(name) > 1]


def reached(imports: Mapping[str, set[str]]) -> Imports:
    """For each room, all that it imports, by way of others too (itself, if in a circle)."""
    found: Imports = {}
    for room in imports:
        found[room], waiting = set(), list(imports[room])
        while waiting:
            other = waiting.pop()
            if other not in found[room]:
                found[room].add(other)
                waiting += imports[other]
    return found


def floors(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """The rooms by floor, lowest first, each floor in alphabetical order."""
    reach = reached(imports)
    level: dict[str, int] = {}
    for room in sorted(imports, key=lambda room: len(reach[room] | {room})):  # from below
        below = [other for other in reach[room] if room not in reach[other]]
        level[room] = 1 + max((level[other] for other in below), default=-1)
    houses = defaultdict(list)
    for room in sorted(level):
        houses[level[room]].append(room)
    return [houses[number] for number in sorted(houses)]


def needed(imports: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """The imports, room and imported room, without those that others already imply."""
    reach = reached(imports)
    return {
        (room, other)
        for room, others in imports.items()
        for other in others
        if not any(
            other in reach[third] and room not in reach[third] and third not in reach[other]
            for third in others - {other}
        )
    }


def draw_house(houses: Mapping[str, Mapping[str, set[str]]]) -> Figure:
    """The houses side by side: rooms by floor, and a line from each down to what it needs."""
    set_style()
    plans = {house: floors(imports) for house, imports in houses.items()}
    widths = [max(map(len, plan)) for plan in plans.values()]
    height = max(map(len, plans.values()))
    fig, axes = plt.subplots(
        1,
        len(plans),
        figsize=(1.2 * sum(widths), 0.75 * height + 0.6),
        width_ratios=widths,
        layout="constrained",
    )
    for (house, plan), width, ax, color in zip(plans.items(), widths, axes, PALETTE, strict=False):
        places = {
            room: ((width - len(floor)) / 2 + index, number)
            for number, floor in enumerate(plan)
            for index, room in enumerate(floor)
        }
        for room, other in needed(houses[house]):
            ax.plot(*zip(places[room], places[other], strict=True), color="0.7", lw=1, zorder=1)
        for room, (x, y) in places.items():
            corner = x - WIDTH / 2, y - HEIGHT / 2
            ax.add_patch(plt.Rectangle(corner, WIDTH, HEIGHT, fc="white", ec=color, lw=2, zorder=2))
            ax.text(x, y, room.replace("_", "\n"), ha="center", va="center", fontsize=9, zorder=3)
        ax.set(xlim=(-0.5, width - 0.5), ylim=(-0.4, height - 0.4))
        ax.set_title(f"{house}/", color=color, weight="bold")
        ax.axis("off")
    return fig


def update_house(root: Path = ROOT) -> None:
    """Draw the picture, unless it shows the imports that there are: another version of Matplotlib
    would draw the same with other pixels."""
    if not house_drift(root):
        return
    houses = _houses(root)
    fig = draw_house(houses)
    path = root / PICTURE
    path.parent.mkdir(exist_ok=True)
    metadata = {"Software": None, KEYWORD: _text(houses)}
    fig.savefig(path, dpi=110, facecolor="white", metadata=metadata)
    plt.close(fig)


def house_drift(root: Path = ROOT) -> list[str]:
    """Whether the picture shows other imports than there are, in a sentence."""
    path = root / PICTURE
    if not path.is_file():
        return [f"{PICTURE} does not exist; run `python -m course build`."]
    # PNG keeps such a text as it is: the keyword, a zero byte, the text.
    if f"{KEYWORD}\0{_text(_houses(root))}".encode() not in path.read_bytes():
        return [f"{PICTURE} shows other imports than there are; run `python -m course build`."]
    return []


def _houses(root: Path) -> dict[str, Imports]:
    return {house: imports_of(house, root) for house in HOUSES}


def _text(houses: Mapping[str, Imports]) -> str:
    # A JSON object ends where its bracket closes, so no text is the beginning of another.
    return json.dumps(
        {h: {room: sorted(others) for room, others in r.items()} for h, r in houses.items()},
        sort_keys=True,
    )
