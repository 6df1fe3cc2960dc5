"""The parts of README.md that are measured: its table and its picture come from ``course/results``."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

from course.results import RESULTS, load_results
from course.units import ROOT
from utils.plots import human_bytes, set_style, size_f1_chart
from utils.records import load_published, summarise

BEGIN = "<!-- results: made by `python -m course build`, do not edit -->"
END = "<!-- end of results -->"
PICTURE = "docs/size-f1.png"
KEYS = ("method", "setting")


def update_readme(root: Path = ROOT) -> None:
    """Write the table into README.md and the picture beside it."""
    path = root / "README.md"
    path.write_text(_with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
    (root / PICTURE).parent.mkdir(exist_ok=True)
    set_style()
    chart = size_f1_chart(_models(), published=[p for p in load_published(RESULTS) if p["bytes"]])
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
    return [r for r in load_results("efficiency")["records"] if r["experiment"] == "models"]


def _with_table(text: str) -> str:
    block = f"{BEGIN}\n{results_table()}\n{END}"
    replaced, count = re.subn(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: block, text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"README.md must hold the line {BEGIN!r} once, found {count}")
    return replaced


def results_table() -> str:
    """The measured models as a Markdown table: score with spread, bytes, latency."""
    document = load_results("efficiency")
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
        f"({machine['processor']}), latency at batch 1 with one thread, by `{document['command']}`.",
    ]
    return "\n".join(lines)
