"""The parts of README.md that are measured: picture and tables come from ``course/results``."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

from course.measuring import results
from course.measuring.results import load_results
from course.writing import frontier, published
from course.writing.units import ROOT, discover
from utils.plots import human_bytes, set_style
from utils.records import load_runs, summarise

BEGIN = "<!-- results: made by `python -m course build`, do not edit -->"
END = "<!-- end of results -->"
UNITS_BEGIN = "<!-- units: made by `python -m course build`, do not edit -->"
UNITS_END = "<!-- end of units -->"
PICTURE_BEGIN = "<!-- picture: made by `python -m course build`, do not edit -->"
PICTURE_END = "<!-- end of picture -->"
PICTURE = "docs/frontier.png"
DPI = 110
# The table's models, ten at most with the best of each budget; the rest is on the lectures' charts.
STORY = (
    ("efficiency", "models", "sparse linear", "L1, C=0.25"),
    ("efficiency", "models", "Model 1 (mean vectors)", "distilled vectors"),
    ("efficiency", "models", "Model 2 (GRU)", "GRU-64, distilled vectors"),
    ("quantization", "steps", "Model 2 (GRU)", "uniform, entropy-coded, step 0.4"),
    ("quantization", "shipped", "Model 2 (GRU)", "OPQ word vectors, 4-bit k-means"),
    ("distillation", "teachers", "transformer", "all-MiniLM-L6-v2, fine-tuned"),
)
BUDGETS = (("distillation", "budgets"), ("aware", "budgets"), ("aware", "made-up budgets"))
ORIGINS = {  # what of the picture and the table comes from which experiment
    "baselines": ("efficiency", "models"),
    "their latency": ("efficiency", "timing"),
    "fastText": ("efficiency", "fasttext"),
    "quantized models": ("quantization", "models"),
    "equal steps": ("quantization", "steps"),
    "quantized word vectors": ("quantization", "shipped"),
    "budgets": BUDGETS[0],
    "budgets, codes at a price": BUDGETS[1],
    "budgets, made-up texts too": BUDGETS[2],
    "the transformer": ("distillation", "teachers"),
}


def update_readme(root: Path = ROOT) -> None:
    """Write picture, description and tables into README.md and ``docs``."""
    path = root / "README.md"
    path.write_text(_with_parts(path.read_text(encoding="utf-8")), encoding="utf-8")
    (root / PICTURE).parent.mkdir(exist_ok=True)
    set_style()
    chart = frontier.draw(frontier.candidates(_records()), _published())
    chart.savefig(root / PICTURE, dpi=DPI, facecolor="white", metadata={"Software": None})
    plt.close(chart)


def readme_drift(root: Path = ROOT) -> list[str]:
    """What README.md says otherwise than the results do, in sentences."""
    text = (root / "README.md").read_text(encoding="utf-8")
    problems = []
    if _with_parts(text) != text:
        problems.append(
            "README.md: its tables or its picture differ from the results; run "
            "`python -m course build`."
        )
    if not (root / PICTURE).exists():
        problems.append(f"{PICTURE} does not exist; run `python -m course build`.")
    return problems


def _records() -> list[dict]:
    """All records of all results, each with the name of its file as ``results``."""
    documents = {
        path.stem: load_results(path.stem) for path in sorted(results.RESULTS.glob("*.json"))
    }
    return [
        record | {"results": name}
        for name, document in documents.items()
        for record in document.get("records", ())
    ]


def _published() -> list[dict]:
    document = load_results("published")
    return document["points"] + document["compressed"]


def _with_parts(text: str) -> str:
    for begin, end, block in (
        (PICTURE_BEGIN, PICTURE_END, picture_block()),
        (UNITS_BEGIN, UNITS_END, units_table()),
        (BEGIN, END, results_table()),
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


def picture_block() -> str:
    """The picture in Markdown, its description for those who cannot see it, and its sources."""
    published = _published()
    alt = frontier.describe(frontier.candidates(_records()), published)
    named: dict[str, list[str]] = {}
    for point in published:
        if frontier.published_bytes(point):
            source = ", ".join(point[k] for k in ("source", "parameters_source") if k in point)
            named.setdefault(source, []).append(point["name"].removesuffix(" (published)"))
    sources = "; ".join(f"{' and '.join(names)}: {source}" for source, names in named.items())
    return (
        f"![{alt}]({PICTURE})\n\n"
        "Each step is chosen on dev and drawn with its score on test, at the size of its largest "
        "seed; a larger file must be better on dev by more than its standard error. Crosses were "
        f"published by others and not measured here ({sources})."
    )


def units_table() -> str:
    """The units that are released, as a Markdown table with links to what students open."""
    lines = ["| unit | lecture | assignment |", "|---|---|---|"]
    for unit in discover():
        lecture = f"[{unit.lecture.minutes:g} minutes](lectures/{unit.name}.ipynb)"
        assignment = f"[{unit.assignment.minutes:g} minutes](assignments/{unit.name}/)"
        lines.append(f"| {unit.number}. {unit.title} | {lecture} | {assignment} |")
    return "\n".join(lines)


def results_table() -> str:
    """The models that tell the story, by size, as a Markdown table: score, bytes, latency.

    Raises
    ------
    LookupError
        If a model of :data:`STORY` was not measured.
    """
    records = _records()
    test: dict[tuple, list[dict]] = {key: [] for key in (*STORY, *_within_budgets(records))}
    for record in records:
        key = tuple(record[name] for name in frontier.KEYS)
        if key in test and record.get("split") == "test":
            test[key].append(record)
    if missing := [", ".join(key) for key, rows in test.items() if not rows]:
        raise LookupError(f"no results of {missing[0]}, which README's table names in readme.STORY")
    timed = {
        (r["method"], r["file_of"]): r["latency_ms_p50"]
        for r in records
        if _source(r) == ORIGINS["their latency"]
    }
    lines = [
        "| model | setting | macro-F1, Ekman, test | complete file | encoder alone | latency p50 |",
        "|---|---|---|---|---|---|",
    ]
    summaries = {
        key: [summarise(rows, c)[0] for c in ("file_bytes", "macro_f1", "encoder_bytes")]
        for key, rows in test.items()
    }
    for key, (file, score, encoder) in sorted(
        summaries.items(), key=lambda item: item[1][0]["mean"]
    ):
        spread = f" ± {score['std']:.3f} ({score['n']} seeds)" if score["n"] > 1 else ""
        sizes = [human_bytes(size["mean"]) for size in (file, encoder)]
        latency = (
            f"{timed[key[2:]]:.2f} ms"
            if key[:2] == ORIGINS["baselines"] and key[2:] in timed
            else ""
        )
        cells = [*key[2:], f"{score['mean']:.3f}{spread}", *sizes, latency]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", _origins()])


def _within_budgets(records: list[dict]) -> list[tuple]:
    """For each budget what is best on dev among the files that fit with every seed."""
    measured = [r for r in records if _source(r) in BUDGETS]
    best = []
    for budget in sorted({r["budget_bytes"] for r in measured}):
        inside = [r for r in measured if r["budget_bytes"] == budget]
        fits = [
            (choice.dev, (*source, choice.method, choice.setting))
            for source in BUDGETS
            for choice in frontier.candidates([r for r in inside if _source(r) == source])
            if choice.size <= budget
        ]
        if fits:
            best.append(max(fits)[1])
    return best


def _source(record: dict) -> tuple[str, str]:
    return record["results"], record["experiment"]


def _origins() -> str:
    runs: dict[tuple, list[str]] = {}
    for what, source in ORIGINS.items():
        name, experiment = source
        for origin in load_runs(name, results.RESULTS, experiment=experiment):
            run = (origin["date"], origin["machine"]["processor"], origin["command"])
            runs.setdefault(run, []).append(what)
    measured = "; ".join(
        f"{' and '.join(what)} on {date} ({processor}) by `{command}`"
        for (date, processor, command), what in runs.items()
    )
    return (
        "Thresholds tuned on dev, one policy for all. The encoder alone leaves out words and word "
        "vectors, as many papers do. Latency: one comment at a time, one thread. Other models and "
        f"settings are on the lectures' charts. Measured: {measured}."
    )
