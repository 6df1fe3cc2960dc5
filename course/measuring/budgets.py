"""The best complete file within each budget of bytes, over the units that measured for it."""

from collections.abc import Iterable, Mapping

from course.measuring.baselines import ship
from course.measuring.results import RESULTS, load_results

SHIPPED = 1_000_000  # bytes: files for budgets from here on are measured and not shipped


def of_budgets(record: Mapping) -> bool:
    """Whether a record is of a file that was made for a budget, by the name of its experiment."""
    return record["experiment"].endswith("budgets")


def best_on_dev(records: Iterable[Mapping]) -> dict[int, Mapping]:
    """Budget to the record on dev of the file that fits and is best there."""
    best: dict[int, Mapping] = {}
    for row in sorted(records, key=lambda row: row["macro_f1"]):
        if row["split"] == "dev" and row["file_bytes"] <= row["budget_bytes"]:
            best[row["budget_bytes"]] = row
    return best


def ship_best(new: Iterable[Mapping]) -> None:
    """Ship ``best-in-BUDGET-bytes.slm`` where one of the new records is best on dev.

    All that any unit has measured competes; where something older is best, it is shipped already.
    """
    measured = [
        row
        for path in sorted(RESULTS.glob("*.json"))
        for row in load_results(path.stem).get("records", ())
        if of_budgets(row)
    ]
    files = {_file(row) for row in new if of_budgets(row)}
    for budget, row in best_on_dev(measured).items():
        if budget < SHIPPED and _file(row) in files:
            ship(dict(row), f"best-in-{budget}-bytes.slm")


def _file(row: Mapping) -> tuple:
    return row["experiment"], row["method"], row["setting"], row["seed"]
