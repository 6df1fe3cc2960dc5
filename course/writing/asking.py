"""What a lecture asks: its calls of `quiz` and `predict`, read from a cell without running it."""

import ast
import re

ARGUMENTS = {"predict": ("key", "question", "unit"), "quiz": ("question", "options", "answer")}
ASKS = re.compile(r"^(predict|quiz)\(", re.MULTILINE)


def asking_calls(source: str) -> list[ast.Call]:
    """The calls that are statements of a cell's own. Raises SyntaxError."""
    if not ASKS.search(source):
        return []
    lines = [line if line[:1] not in "%!" else "" for line in source.split("\n")]  # magics
    statements = ast.parse("\n".join(lines)).body
    return [
        s.value
        for s in statements
        if isinstance(s, ast.Expr)
        and isinstance(s.value, ast.Call)
        and isinstance(s.value.func, ast.Name)
        and s.value.func.id in ARGUMENTS
    ]


def arguments(call: ast.Call) -> dict[str, ast.expr]:
    """The arguments of one of these calls by their names, as `utils.widgets` has them."""
    assert isinstance(call.func, ast.Name)
    found = dict(zip(ARGUMENTS[call.func.id], call.args, strict=False))
    return found | {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
