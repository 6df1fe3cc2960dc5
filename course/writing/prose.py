"""Numbers in prose: Markdown cells with fields, filled in when a lecture is built.

A field is a Python expression with a format, as in an f-string, between double braces:

    The GRU reaches {{ f1["gru"]:.3f }}, in {{ human_bytes(size) }}.

It is evaluated in the lecture's kernel after the cells above it have run, so every number in the text
comes from a value that visible code computed or a results file holds.
"""

import re
from collections.abc import Sequence

from nbformat import NotebookNode

FIELD = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)


def fields(source: str) -> list[str]:
    """The fields of a Markdown cell, in order, each as it stands between its braces."""
    return [match.strip() for match in FIELD.findall(source)]


def as_expression(field: str) -> str:
    """A Python expression whose value is the text to put in a field's place.

    Raises
    ------
    ValueError
        If the field holds every kind of quotes, so that none is left to put around it.
    """
    for quotes in ('"""', "'''"):
        if quotes not in field and not field.endswith(quotes[0]):
            return f"f{quotes}{{{field}}}{quotes}"
    raise ValueError(
        f"the field {{{{ {field} }}}} ends in a quote and holds the other kind; compute it above"
    )


def fill(cell: NotebookNode, values: Sequence[str]) -> None:
    """Put one text in place of each field of a Markdown cell."""
    rest = iter(values)
    cell.source = FIELD.sub(lambda match: next(rest), cell.source)


def same_prose(found: str, source: str) -> bool:
    """Whether a text is what a source with fields says, whatever stands in their places."""
    parts = [re.escape(part) for part in FIELD.split(source)[::2]]  # the odd ones are the fields
    parts[-1] += r"\Z"
    # The first place where a part occurs will do. Atomic groups try no other: of a text that differs,
    # they would be tried in all combinations, of which there are more with every field.
    pattern = parts[0] + "".join(f"(?>.+?{part})" for part in parts[1:])
    return re.match(pattern, found, re.DOTALL) is not None
