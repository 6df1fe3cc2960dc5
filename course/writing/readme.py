"""The parts of README.md that are measured: its table and its picture come from ``course/results``."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

from course.measuring.results import RESULTS, load_results
from course.writing import published
from course.writing.units import ROOT, discover
from utils.plots import human_bytes, set_style, size_f1_chart
from utils.records import load_published, summarise

BEGIN = "<!-- results: made by `python -m course build`, do not edit -->"
END = "<!-- end of results -->"
UNITS_BEGIN = "<!-- units: made by `python -m course build`, do not edit -->"
UNITS_END = "<!-- end of units -->"
PICTURE = "docs/size-f1.png"
KEYS = ("method", "setting")
SCHEMES = {("integer, weights and activations", 8), ("k-means", 4)}  # of unit 03, by bits


def update_readme(root: Path = ROOT) -> None:
    """Write the table into README.md and the picture beside it."""
    path = root / "README.md"
    path.write_text(_with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
    (root / PICTURE).parent.mkdir(exist_ok=True)
    set_style()
    published = [point for point in load_published(RESULTS) if point["bytes"]]
    _, ax = plt.subplots(figsize=(9.5, 7.5), layout="constrained")  # so that labels have room
    chart = size_f1_chart(_models(), published=published, ax=ax)
    chart.savefig(root / PICTURE, dpi=110, facecolor="white", metadata={"Software": None})
    plt.close(chart)


def readme_drift(root: Path = ROOT) -> list[str]:
    """What README.md says otherwise than the results do, in sentences."""
    text = (root / "README.md").read_text(encoding="utf-8")
    problems = []
    if _with_table(text) != text:
        problems.append(
            "README.md: its table differs from the results; run `python -m course build`."
        )
    if not (root / PICTURE).exists():
        problems.append(f"{PICTURE} does not exist; run `python -m course build`.")
    return problems


def _models() -> list[dict]:
    """Every model of unit 01, some of what they become in unit 03 when they are quantized, and for
    each budget of unit 02 the file that is best on dev."""
    efficiency, quantization = load_results("efficiency"), load_results("quantization")
    quantized = [
        record
        for record in quantization["records"]
        if (record["experiment"] == "models" and (record["scheme"], record["bits"]) in SCHEMES)
        or record["experiment"] == "shipped"
    ]
    models = [r for r in efficiency["records"] if r["experiment"] == "models"]
    return models + quantized + _within_budgets()


def _within_budgets() -> list[dict]:
    records = load_results("distillation")["records"]
    budgets = [r for r in records if r["experiment"] == "budgets"]
    by = ("budget_bytes", *KEYS)
    on_dev = [r for r in budgets if r["split"] == "dev"]
    sizes = {tuple(s[k] for k in by): s["max"] for s in summarise(on_dev, "file_bytes", by)}
    best = {}
    for row in sorted(summarise(on_dev, by=by), key=lambda row: row["mean"]):
        budget, *key = (row[k] for k in by)
        if sizes[budget, *key] <= budget:  # every seed fits
            best[budget] = tuple(key)
    return [r for r in budgets if best.get(r["budget_bytes"]) == tuple(r[key] for key in KEYS)]


def _with_table(text: str) -> str:
    for begin, end, block in (
        (BEGIN, END, results_table()),
        (UNITS_BEGIN, UNITS_END, units_table()),
        (published.BEGIN, published.END, published.published_block()),
    ):
        text, count = re.subn(
            f"{re.escape(begin)}.*?{re.escape(end)}",
            lambda _, block=f"{begin}\n{block}\n{end}": block,
            text,
            flags=re.DOTALL,
        )
        if count != 1:
            raise ValueError(f"README.md must hold the line {begin!r} once, found {count}")
    return text


def units_table() -> str:
    """The units that are released, as a Markdown table with links to what students open."""
    lines = ["| unit | lecture | assignment |", "|---|---|---|"]
    for unit in discover():
        lecture = f"[{unit.lecture.minutes:g} minutes](lectures/{unit.name}.ipynb)"
        assignment = f"[{unit.assignment.minutes:g} minutes](assignments/{unit.name}/)"
        lines.append(f"| {unit.number}. {unit.title} | {lecture} | {assignment} |")
    return "\n".join(lines)


def results_table() -> str:
    """The measured models as a Markdown table: score with spread, bytes, latency."""
    document, quantization = load_results("efficiency"), load_results("quantization")
    quantized = quantization.get("kept", {}).get("models", quantization)
    distillation = load_results("distillation")
    taught = distillation.get("kept", {}).get("budgets", distillation)
    test = [r for r in _models() if r["split"] == "test"]
    latency = {r["method"]: r for r in document["records"] if r["experiment"] == "timing"}
    columns = ("macro_f1", "file_bytes", "encoder_bytes")
    summaries = {
        c: {tuple(s[k] for k in KEYS): s for s in summarise(test, c, KEYS)} for c in columns
    }
    lines = [
        "| model | setting | macro-F1, Ekman, test | complete file | encoder alone | latency p50 |",
        "|---|---|---|---|---|---|",
    ]
    for key, score in summaries["macro_f1"].items():
        method, setting = key
        spread = f" ± {score['std']:.3f} ({score['n']} seeds)" if score["n"] > 1 else ""
        sizes = [human_bytes(summaries[c][key]["mean"]) for c in columns[1:]]
        timed = latency.get(method) if latency.get(method, {}).get("file_of") == setting else None
        milliseconds = f"{timed['latency_ms_p50']:.2f} ms" if timed else ""
        cells = [method, setting, f"{score['mean']:.3f}{spread}", *sizes, milliseconds]
        lines.append(f"| {' | '.join(cells)} |")
    machine = document["machine"]
    lines += [
        "",
        "Thresholds tuned on dev, one policy for all. The encoder alone leaves out words and word "
        f"vectors, as many papers do. Measured {document['date']} on {machine['cores']} cores "
        f"({machine['processor']}), latency at batch 1 with one thread, by `{document['command']}`; "
        f"quantized models on {quantized['date']} ({quantized['machine']['processor']}) by "
        f"`{quantized['command']}`, taught ones on {taught['date']} ({taught['machine']['processor']}) "
        f"by `{taught['command']}`.",
    ]
    return "\n".join(lines)
