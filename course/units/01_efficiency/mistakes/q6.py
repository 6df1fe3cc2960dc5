"""Question 6, a choice under limits: wrong answers, and right ones written another way."""

from itertools import combinations

from course.writing.mistakes import Alternative, Mistake

NO_LIBRARY = "utils measures deployments but never chooses between them"

QUALITY = 'record["macro_f1"] < min_f1'
LATENCY = "(p99 is None or p99 > max_p99_ms)"
SLOW = "p99 > max_p99_ms"
SIZE = 'record["file_bytes"] > max_mb * 1_000_000'
SMALLEST = 'min(fitting, key=lambda r: r["file_bytes"])'
BETTER = 'r["macro_f1"] > choice["macro_f1"]'
WORDS = '["larger"] if better else ["larger", "no better"]'
REMOVED = 'del reasons[choice["name"]]'
NOTHING = "return None, reasons"
RESULT = 'return choice["name"], reasons'
FITTING = 'fitting = [r for r in records if not reasons[r["name"]]]'
ONLY_IF_LARGER = (
    'reasons[r["name"]] = ["larger"] if better',
    'reasons[r["name"]] = [] if r["file_bytes"] <= choice["file_bytes"] else ["larger"] if better',
)

AT_THE_LIMIT = (
    (QUALITY, QUALITY.replace("<", "<=")),
    (SLOW, "p99 >= max_p99_ms"),
    (SIZE, SIZE.replace(">", ">=")),
)


def sized(*forms: str) -> tuple:
    """Slips in which the size is compared in another way."""
    return tuple(((SIZE, form),) for form in forms)


MISTAKES = [
    Mistake(
        name="mean-not-p99",
        misconception="A good mean keeps a promise to 99 callers in 100.",
        message="You compare the mean latency with the limit. A promise to 99 callers in 100 is kept "
        "or broken by p99, and a mean says nothing where p99 is unknown.",
        changes=(('record["latency_ms_p99"]', 'record["latency_ms_mean"]'),),
    ),
    Mistake(
        name="unknown-replaced-by-the-mean",
        misconception="Where p99 is missing the mean is the next best number.",
        message="Where p99 was never measured you take the mean in its place. The mean promises "
        "nothing to 99 callers in 100: with a limit on latency such a model is out.",
        changes=(
            (
                'p99, broken = record["latency_ms_p99"], []',
                'p99, broken = record["latency_ms_p99"] or record["latency_ms_mean"], []',
            ),
        ),
        variants=(
            (
                (
                    'p99, broken = record["latency_ms_p99"], []',
                    'p99, broken = record["latency_ms_p99"] or 2 * record["latency_ms_mean"], []',
                ),
            ),
        ),
    ),
    Mistake(
        name="not-measured-is-zero",
        misconception="What was not measured is fast.",
        message="A model whose p99 was never measured passes your limit on latency. No measurement "
        "is not a measurement of 0: with a limit on latency such a model is out.",
        changes=((LATENCY, "(p99 or 0) > max_p99_ms"),),
        variants=(((LATENCY, "p99 is not None and p99 > max_p99_ms"),),),
    ),
    Mistake(
        name="never-measured-is-always-out",
        misconception="A model without a latency is out even if nobody asked for one.",
        message="A model whose p99 is unknown is out only where there is a limit on latency; with "
        "max_p99_ms=None nobody asked for it.",
        changes=(
            (
                "max_p99_ms is not None and (p99 is None or p99 > max_p99_ms)",
                "p99 is None or (max_p99_ms is not None and p99 > max_p99_ms)",
            ),
        ),
        variants=(
            (
                (FITTING, FITTING[:-1] + ' and r["latency_ms_p99"] is not None]'),
                (
                    "return None, reasons",
                    'return None, {r["name"]: reasons[r["name"]] or ["latency"] for r in records}',
                ),
                (
                    REMOVED,
                    'reasons = {r["name"]: reasons[r["name"]] or ["latency"] for r in records}\n'
                    "    " + REMOVED,
                ),
            ),
        ),
    ),
    Mistake(
        name="compares-with-none",
        misconception="Everything in a table is a number.",
        message="Your answer compares a p99 of None with a limit, and fails. Where p99 was never "
        "measured ask `is None` first.",
        changes=((LATENCY, SLOW),),
        variants=(((LATENCY, "not p99 <= max_p99_ms"),),),
    ),
    Mistake(
        name="a-limit-of-none-compared",
        misconception="Every limit is a number.",
        message="A limit of None is no limit; your answer compares with it, and fails.",
        changes=(("max_p99_ms is not None and ", ""), ("max_mb is not None and ", "")),
        variants=(
            (("max_p99_ms is not None and ", ""),),
            (("max_mb is not None and ", ""),),
        ),
    ),
    Mistake(
        name="a-limit-of-none-is-zero",
        misconception="A limit that is not given is the strictest.",
        message="A limit of None is no limit: nothing breaks it. You take it for a limit of 0.",
        changes=(
            (f"max_p99_ms is not None and {LATENCY}", "p99 is None or p99 > (max_p99_ms or 0)"),
            (f"max_mb is not None and {SIZE}", SIZE.replace("max_mb", "(max_mb or 0)")),
        ),
        variants=(
            ((f"max_p99_ms is not None and {LATENCY}", "p99 is None or p99 > (max_p99_ms or 0)"),),
            ((f"max_mb is not None and {SIZE}", SIZE.replace("max_mb", "(max_mb or 0)")),),
            (
                ("max_p99_ms is not None and ", "max_p99_ms is None or "),
                ("max_mb is not None and ", "max_mb is None or "),
            ),
        ),
    ),
    Mistake(
        name="quality-ignored",
        misconception="The smallest model within the limits is the right one, however bad.",
        message="You never ask whether macro_f1 reaches min_f1. A model that is not good enough is "
        "out, however small.",
        changes=((QUALITY, "False"),),
        variants=(((QUALITY, "not record['macro_f1']"),),),
    ),
    Mistake(
        name="latency-ignored",
        misconception="Only quality and size decide.",
        message="You never use max_p99_ms. A model that is too slow for it, or whose p99 is "
        "unknown, is out.",
        changes=((f"max_p99_ms is not None and {LATENCY}", "False"),),
    ),
    Mistake(
        name="size-ignored",
        misconception="The smallest model is small enough.",
        message="You never use max_mb. A model with more bytes than that is out.",
        changes=((f"max_mb is not None and {SIZE}", "False"),),
    ),
    Mistake(
        name="quality-the-wrong-way-round",
        misconception="min_f1 is a limit like the others, not to be exceeded.",
        message="You compare macro_f1 the wrong way round: min_f1 is the least that is allowed.",
        changes=((QUALITY, 'record["macro_f1"] > min_f1'),),
        variants=(((QUALITY, 'record["macro_f1"] >= min_f1'),),),
    ),
    Mistake(
        name="at-the-limit-is-out",
        misconception="A limit must not be reached.",
        message="A model that is exactly at a limit keeps to it: at least min_f1, at most max_p99_ms, "
        "at most max_mb.",
        changes=AT_THE_LIMIT,
        variants=tuple(c for n in (1, 2) for c in combinations(AT_THE_LIMIT, n)),
    ),
    Mistake(
        name="mebibytes",
        misconception="A megabyte is 1,048,576 bytes.",
        message="One MB is 1,000,000 bytes here. You count in powers of 1024, so that models which "
        "are too large pass.",
        changes=(("1_000_000", "1024 * 1024"),),
        variants=((("1_000_000", "1024 * 1000"),),),
    ),
    Mistake(
        name="megabytes-not-converted",
        misconception="Sizes are sizes, whatever their unit.",
        message="`file_bytes` are bytes, and `max_mb` are megabytes of 1,000,000 bytes: bring both to "
        "the same unit before you compare them.",
        changes=(("max_mb * 1_000_000", "max_mb"),),
        variants=(
            (("max_mb * 1_000_000", "max_mb * 1000"),),
            (("max_mb * 1_000_000", "max_mb * 1024"),),
            (("max_mb * 1_000_000", "max_mb / 1_000_000"),),
            (("max_mb * 1_000_000", "max_mb * 100_000"),),
            (("max_mb * 1_000_000", "max_mb * 125_000"),),
        ),
    ),
    Mistake(
        name="milliseconds-converted",
        misconception="Latencies are in seconds.",
        message="Both `latency_ms_p99` and `max_p99_ms` are in milliseconds: compare them as they "
        "are.",
        changes=((SLOW, "p99 > max_p99_ms / 1000"),),
        variants=(((SLOW, "p99 > max_p99_ms * 1000"),),),
    ),
    Mistake(
        name="size-rounded",
        misconception="Megabytes are whole numbers, or have one decimal.",
        message="You round the size before you compare it, so that a model slightly too large "
        "passes.",
        changes=((SIZE, 'round(record["file_bytes"] / 1e6, 1) > max_mb'),),
        variants=sized(
            'round(record["file_bytes"] / 1e6) > max_mb',
            'record["file_bytes"] // 1_000_000 > max_mb',
            '-(-record["file_bytes"] // 1_000_000) > max_mb + 1',
        ),
    ),
    Mistake(
        name="quality-or-latency-rounded",
        misconception="Two decimals are enough to compare.",
        message="You round macro_f1 or p99 before you compare, so that a model which just breaks a "
        "limit passes.",
        changes=((QUALITY, 'round(record["macro_f1"], 2) < min_f1'),),
        variants=(
            ((SLOW, "int(p99) > max_p99_ms"),),
            ((SLOW, "round(p99) > max_p99_ms"),),
            ((QUALITY, 'round(record["macro_f1"], 2) < min_f1'), (SLOW, "round(p99) > max_p99_ms")),
            ((QUALITY, 'record["macro_f1"] < min_f1 - 0.005'),),
        ),
    ),
    Mistake(
        name="encoder-not-file",
        misconception="The size of a model is the size of its encoder.",
        message="You use the bytes of the encoder, which is only a part of what is shipped: size is "
        "`file_bytes`, for the limit and for the choice.",
        changes=(("file_bytes", "encoder_bytes"),),
        variants=(
            ((SIZE, SIZE.replace("file", "encoder")),),
            ((SMALLEST, SMALLEST.replace("file", "encoder")),),
            ((SMALLEST, SMALLEST.replace("file", "encoder")), ONLY_IF_LARGER),
        ),
    ),
    Mistake(
        name="file-and-encoder-added",
        misconception="The encoder comes on top of the file.",
        message="You add the encoder's bytes to the file's. The file is all that is shipped, and the "
        "encoder is a part of it.",
        changes=(
            (SIZE, 'record["file_bytes"] + record["encoder_bytes"] > max_mb * 1_000_000'),
            (SMALLEST, SMALLEST[:-1] + ' + r["encoder_bytes"])'),
        ),
        variants=(
            ((SIZE, 'record["file_bytes"] + record["encoder_bytes"] > max_mb * 1_000_000'),),
            ((SMALLEST, SMALLEST[:-1] + ' + r["encoder_bytes"])'),),
        ),
    ),
    Mistake(
        name="best-not-smallest",
        misconception="Among the models that fit, the best score wins.",
        message="Among the models that fit you choose the one with the best score. The smallest is the "
        "choice: all that fit are good enough.",
        changes=((SMALLEST, 'max(fitting, key=lambda r: r["macro_f1"])'),),
        variants=(
            ((SMALLEST, 'max(fitting, key=lambda r: r["macro_f1"])'), ONLY_IF_LARGER),
            ((SMALLEST, 'max(fitting, key=lambda r: (r["macro_f1"], -r["file_bytes"]))'),),
            (
                (SMALLEST, 'max(fitting, key=lambda r: (r["macro_f1"], -r["file_bytes"]))'),
                ONLY_IF_LARGER,
            ),
            (
                (SMALLEST, 'max(fitting, key=lambda r: (r["macro_f1"], -r["file_bytes"]))'),
                (WORDS, '["larger"]'),
            ),
            (
                (SMALLEST, 'max(fitting, key=lambda r: (r["macro_f1"], -r["file_bytes"]))'),
                (WORDS, '["no better"]'),
            ),
        ),
    ),
    Mistake(
        name="best-score-per-byte",
        misconception="The best model has the most score for its bytes.",
        message="You choose by score per byte. All that fit are good enough, so the smallest of them "
        "is the choice, whatever its ratio.",
        changes=((SMALLEST, 'max(fitting, key=lambda r: r["macro_f1"] / r["file_bytes"])'),),
        variants=(
            (
                (SMALLEST, 'max(fitting, key=lambda r: r["macro_f1"] / r["file_bytes"])'),
                ONLY_IF_LARGER,
            ),
        ),
    ),
    Mistake(
        name="fastest-not-smallest",
        misconception="Among the models that fit, the fastest wins.",
        message="Among the models that fit you choose the fastest. The smallest is the choice: all that "
        "fit are fast enough.",
        changes=((SMALLEST, 'min(fitting, key=lambda r: r["latency_ms_p99"] or 1e9)'),),
        variants=(
            ((SMALLEST, 'min(fitting, key=lambda r: r["latency_ms_p99"] or 1e9)'), ONLY_IF_LARGER),
            ((SMALLEST, 'min(fitting, key=lambda r: r["latency_ms_p99"] or 0)'),),
            ((SMALLEST, 'min(fitting, key=lambda r: r["latency_ms_mean"])'),),
            ((SMALLEST, 'min(fitting, key=lambda r: r["latency_ms_mean"])'), ONLY_IF_LARGER),
        ),
    ),
    Mistake(
        name="first-not-smallest",
        misconception="The records come in order of size.",
        message="You choose the first or the last record that fits. Records come in any order: look for "
        "the smallest.",
        changes=((SMALLEST, "fitting[0]"),),
        variants=(
            ((SMALLEST, "fitting[0]"), ONLY_IF_LARGER),
            ((SMALLEST, "fitting[-1]"),),
            ((SMALLEST, "fitting[-1]"), ONLY_IF_LARGER),
        ),
    ),
    Mistake(
        name="largest-not-smallest",
        misconception="What is allowed should be used up.",
        message="Among the models that fit you choose the largest. The smallest is the choice.",
        changes=((SMALLEST, 'max(fitting, key=lambda r: r["file_bytes"])'),),
        variants=(((SMALLEST, 'max(fitting, key=lambda r: r["file_bytes"])'), ONLY_IF_LARGER),),
    ),
    Mistake(
        name="smallest-of-all",
        misconception="The smallest model is the one to look at, and it fits or does not.",
        message="You look at the smallest record only. If that one breaks a limit, the choice is the "
        "smallest of those that keep to all.",
        changes=(
            (
                "if not fitting:",
                'if not fitting or min(records, key=lambda r: r["file_bytes"]) not in fitting:',
            ),
        ),
        variants=(
            (
                (
                    "fitting = [",
                    'least = min(records, key=lambda r: r["file_bytes"], default=None)\n    fitting = [',
                ),
                ("if not fitting:", "if least not in fitting:"),
                (
                    NOTHING,
                    'for r in fitting:\n            reasons[r["name"]] = ["larger"]\n        '
                    + NOTHING,
                ),
            ),
            (
                (SMALLEST, 'min(records, key=lambda r: r["file_bytes"])'),
                ("for r in fitting:", "for r in fitting:"),
            ),
        ),
    ),
    Mistake(
        name="one-limit-is-enough",
        misconception="A model that keeps to one of the limits fits.",
        message="You let a model pass that breaks a limit because it keeps to another one. It must be "
        "good enough, and fast enough, and small enough.",
        changes=(
            (
                FITTING,
                'fitting = [r for r in records if not {"latency", "size"} <= set(reasons[r["name"]])'
                ' and "quality" not in reasons[r["name"]]]',
            ),
        ),
        variants=(
            ((FITTING, 'fitting = [r for r in records if len(reasons[r["name"]]) < 3]'),),
            ((FITTING, 'fitting = [r for r in records if len(reasons[r["name"]]) < 2]'),),
            ((FITTING, FITTING.replace("not reasons", '"quality" not in reasons')),),
            ((FITTING, FITTING.replace("not reasons", '"size" not in reasons')),),
            ((FITTING, FITTING.replace("not reasons", '"latency" not in reasons')),),
            (
                (
                    FITTING,
                    'fitting = [r for r in records if "quality" not in reasons[r["name"]] and ('
                    '"size" not in reasons[r["name"]] or "latency" not in reasons[r["name"]]'
                    " or max_mb is None or max_p99_ms is None)]",
                ),
            ),
        ),
    ),
    Mistake(
        name="only-the-first-reason",
        misconception="One reason is enough to reject a model.",
        message="A record that breaks several limits gets only one reason from you. Give all that "
        "apply: who gives up that one limit would still not get the model.",
        changes=(
            ("if max_p99_ms is not None", "elif max_p99_ms is not None"),
            ("if max_mb is not None", "elif max_mb is not None"),
        ),
        variants=(
            (("if max_mb is not None", "elif max_mb is not None"),),
            (("if max_p99_ms is not None", "elif max_p99_ms is not None"),),
            (("= broken\n", "= broken[-1:]\n"),),
            (("= broken\n", '= [w for w in ("latency", "quality", "size") if w in broken][:1]\n'),),
            (("= broken\n", '= [w for w in ("latency", "size", "quality") if w in broken][:1]\n'),),
            (("= broken\n", '= [w for w in ("size", "quality", "latency") if w in broken][:1]\n'),),
        ),
    ),
    Mistake(
        name="larger-for-all-others",
        misconception="Every other model is compared with the choice.",
        message='"larger" and "no better" are for records that keep to all limits; you give them to '
        "records that are out for a limit, too.",
        changes=(
            (
                NOTHING,
                NOTHING,
            ),
            (
                REMOVED,
                "for r in records:\n"
                '        if r not in fitting and r["file_bytes"] > choice["file_bytes"]:\n'
                '            reasons[r["name"]].append("larger")\n'
                f"    {REMOVED}",
            ),
        ),
        variants=(
            (
                (
                    REMOVED,
                    "for r in records:\n"
                    '        if r not in fitting and r["file_bytes"] > choice["file_bytes"]:\n'
                    '            reasons[r["name"]].append("larger")\n'
                    '        if r not in fitting and r["macro_f1"] <= choice["macro_f1"]:\n'
                    '            reasons[r["name"]].append("no better")\n'
                    f"    {REMOVED}",
                ),
            ),
            (
                (
                    REMOVED,
                    "for r in records:\n"
                    '        if r not in fitting and r["file_bytes"] > choice["file_bytes"]:\n'
                    '            reasons[r["name"]].append("larger")\n'
                    '            if r["macro_f1"] <= choice["macro_f1"]:\n'
                    '                reasons[r["name"]].append("no better")\n'
                    f"    {REMOVED}",
                ),
            ),
            (
                (
                    REMOVED,
                    "for r in records:\n"
                    '        if r not in fitting and r["macro_f1"] <= choice["macro_f1"]:\n'
                    '            reasons[r["name"]].append("no better")\n'
                    f"    {REMOVED}",
                ),
            ),
            (
                (
                    REMOVED,
                    "for r in records:\n"
                    "        if r not in fitting:\n"
                    '            reasons[r["name"]].append("larger")\n'
                    f"    {REMOVED}",
                ),
            ),
        ),
    ),
    Mistake(
        name="larger-in-place-of-a-broken-limit",
        misconception="A record has one kind of reason, and being larger is the first.",
        message='A record that is out for a limit gets "larger" from you in place of that limit. '
        "Which limits it breaks is what whoever set them has to know.",
        changes=(
            (
                "for r in fitting:",
                'for r in [r for r in records if r["file_bytes"] > choice["file_bytes"]]:',
            ),
            (REMOVED, "reasons.pop(choice['name'])"),
        ),
        variants=((("for r in fitting:", "for r in records:"),),),
    ),
    Mistake(
        name="never-no-better",
        misconception="Larger is all that there is to say.",
        message='You never say "no better". A record that keeps to all limits, is larger, and whose '
        "macro_f1 is not above that of the choice has both reasons.",
        changes=((WORDS, '["larger"]'),),
    ),
    Mistake(
        name="always-no-better",
        misconception="What was not chosen is no better.",
        message='You say "no better" of records that do score higher than the choice: those are '
        '"larger" only, and a trade.',
        changes=((WORDS, '["larger", "no better"]'),),
        variants=((("better = " + BETTER, "better = False"),),),
    ),
    Mistake(
        name="no-better-in-place-of-larger",
        misconception="A record has one reason.",
        message='A record that is larger and no better has both reasons; you leave out "larger".',
        changes=((WORDS, '["larger"] if better else ["no better"]'),),
    ),
    Mistake(
        name="no-better-the-wrong-way-round",
        misconception="No better means that the choice is no better.",
        message='You say "no better" of the records that score higher than the choice. It is for those '
        "that do not.",
        changes=((BETTER, BETTER.replace(">", "<")),),
        variants=(((BETTER, BETTER.replace(">", "<=")),),),
    ),
    Mistake(
        name="as-good-is-better",
        misconception="As good as is not worse, and so not 'no better'.",
        message="A record whose macro_f1 is the same as that of the choice is not above it, and so "
        '"no better".',
        changes=((BETTER, BETTER.replace(">", ">=")),),
    ),
    Mistake(
        name="no-better-than-another",
        misconception="What counts is the bar, or the best score.",
        message='"no better" compares a record with the choice; you compare it with another record '
        "or with min_f1.",
        changes=((BETTER, 'r["macro_f1"] > min_f1'),),
        variants=(
            ((BETTER, 'r["macro_f1"] >= max(x["macro_f1"] for x in fitting)'),),
            ((BETTER, 'r["macro_f1"] >= max(x["macro_f1"] for x in records)'),),
            (
                (
                    BETTER,
                    'all(r["macro_f1"] > x["macro_f1"] for x in fitting '
                    'if x["file_bytes"] < r["file_bytes"])',
                ),
            ),
        ),
    ),
    Mistake(
        name="no-better-by-latency",
        misconception="A better model is a faster one.",
        message='"no better" is about macro_f1 alone; you also ask about latency.',
        changes=(
            (
                BETTER,
                f'{BETTER} or (r["latency_ms_p99"] or 1e9) < (choice["latency_ms_p99"] or 1e9)',
            ),
        ),
        variants=(
            (
                (
                    BETTER,
                    '(r["latency_ms_p99"] or 1e9) < (choice["latency_ms_p99"] or 1e9)',
                ),
            ),
        ),
    ),
    Mistake(
        name="those-that-fit-left-out",
        misconception="Only what breaks a limit needs a reason.",
        message="Records that keep to all limits and are not the choice need a reason, too: they are "
        '"larger", and perhaps "no better".',
        changes=((f'reasons[r["name"]] = {WORDS}', 'reasons.pop(r["name"])'), (REMOVED, "")),
        variants=(((f'reasons[r["name"]] = {WORDS}', 'reasons[r["name"]] = []'),),),
    ),
    Mistake(
        name="choice-among-the-reasons",
        misconception="All records get an entry.",
        message="The choice itself is among your reasons. They are for the other records.",
        changes=((REMOVED, 'reasons[choice["name"]] = []'),),
        variants=(
            ((REMOVED, ""),),
            ((REMOVED, 'reasons[choice["name"]] = ["chosen"]'),),
            ((REMOVED, 'reasons[choice["name"]] = ["choice"]'),),
            ((REMOVED, 'reasons[choice["name"]] = None'),),
        ),
    ),
    Mistake(
        name="text-not-list",
        misconception="One text is as good as a list of texts.",
        message="The reasons of a record must be a list of texts, even if there is only one.",
        changes=(
            (NOTHING, 'return None, {k: ", ".join(v) for k, v in reasons.items()}'),
            (RESULT, 'return choice["name"], {k: ", ".join(v) for k, v in reasons.items()}'),
        ),
        variants=(
            (
                (NOTHING, "return None, {k: v[0] for k, v in reasons.items()}"),
                (RESULT, 'return choice["name"], {k: v[0] for k, v in reasons.items()}'),
            ),
            (
                (NOTHING, "return None, {k: v[-1] for k, v in reasons.items()}"),
                (RESULT, 'return choice["name"], {k: v[-1] for k, v in reasons.items()}'),
            ),
            (
                (
                    NOTHING,
                    "return None, {k: v if len(v) > 1 else v[0] for k, v in reasons.items()}",
                ),
                (
                    RESULT,
                    'return choice["name"], {k: v if len(v) > 1 else v[0] for k, v in reasons.items()}',
                ),
            ),
            (
                (NOTHING, 'return None, {k: " ".join(v) for k, v in reasons.items()}'),
                (RESULT, 'return choice["name"], {k: " ".join(v) for k, v in reasons.items()}'),
            ),
        ),
    ),
    Mistake(
        name="names-by-reason",
        misconception="A table can be read either way round.",
        message="Your dict leads from a reason to the records: it should lead from the name of a record "
        "to its reasons.",
        changes=(
            (NOTHING, "return None, inverted(reasons)"),
            (RESULT, 'return choice["name"], inverted(reasons)'),
        ),
        helpers="""
def inverted(reasons):
    found = {}
    for name, words in reasons.items():
        for word in words:
            found.setdefault(word, []).append(name)
    return found
""",
    ),
    Mistake(
        name="record-not-name",
        misconception="The record is the answer.",
        message="Your choice is the whole record. Return its name.",
        changes=((RESULT, "return choice, reasons"),),
    ),
    Mistake(
        name="choice-only",
        misconception="The choice is the answer, and the reasons are a means.",
        message="Return two things: the choice, and the dict of reasons.",
        changes=((NOTHING, "return None"), (RESULT, 'return choice["name"]')),
        variants=(
            ((NOTHING, "return None"), (RESULT, "return choice")),
            ((NOTHING, "return reasons"), (RESULT, "return reasons")),
        ),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of two results does not matter.",
        message="The choice comes first and the reasons second; yours come the other way round.",
        changes=((NOTHING, "return reasons, None"), (RESULT, 'return reasons, choice["name"]')),
    ),
    Mistake(
        name="closest-anyway",
        misconception="There is always something to recommend.",
        message="Where nothing fits you choose a record all the same. It would break a promise: the "
        "choice is None.",
        changes=((NOTHING, "return closest(records, reasons), reasons"),),
        variants=(
            ((NOTHING, "return without(closest(records, reasons), reasons)"),),
            ((NOTHING, "return without(smallest(records), reasons)"),),
            ((NOTHING, "return smallest(records), reasons"),),
            ((NOTHING, "return without(best(records), reasons)"),),
            ((NOTHING, "return best(records), reasons"),),
        ),
        helpers="""
def without(name, reasons):
    return name, {other: words for other, words in reasons.items() if other != name}


def closest(records, reasons):
    return min(reasons, key=lambda name: len(reasons[name]), default=None)


def smallest(records):
    return min(records, key=lambda r: r["file_bytes"])["name"] if records else None


def best(records):
    return max(records, key=lambda r: r["macro_f1"])["name"] if records else None
""",
    ),
    Mistake(
        name="fails-when-nothing-fits",
        misconception="There is always a first one to take.",
        message="Where nothing fits your answer fails. There the choice is None, and the reasons are "
        "returned as ever.",
        changes=(("if not fitting:", "if False:"),),
        variants=(
            (
                ("if not fitting:", "if False:"),
                (SMALLEST, 'sorted(fitting, key=lambda r: r["file_bytes"])[0]'),
            ),
            (
                ("if not fitting:", "if False:"),
                (SMALLEST, 'min(fitting, key=lambda r: r["file_bytes"], default=None)'),
            ),
            (
                ("if not fitting:", "if False:"),
                (SMALLEST, 'min(fitting, key=lambda r: r["file_bytes"], default=None)'),
                (REMOVED, "reasons.pop(choice['name'])"),
            ),
            (("if not fitting:", "if not records:"),),
            (
                ("if not fitting:", "if not records:"),
                (SMALLEST, 'min(fitting, key=lambda r: r["file_bytes"], default=None)'),
            ),
            ((NOTHING, 'raise ValueError("nothing fits")'),),
        ),
    ),
    Mistake(
        name="no-reasons-when-nothing-fits",
        misconception="Where nothing is chosen there is nothing to explain.",
        message="Where nothing fits the reasons are missing. That is where they are needed most: return "
        "None and the reasons.",
        changes=((NOTHING, "return None"),),
        variants=(
            ((NOTHING, "return None, {}"),),
            ((NOTHING, "return None, None"),),
            ((NOTHING, "return None if records else (None, {})"),),
        ),
    ),
    Mistake(
        name="nothing-is-a-text",
        misconception="A text that says so is as good as None.",
        message="Where nothing fits the choice must be None, and not a text or a number.",
        changes=((NOTHING, 'return "None", reasons'),),
        variants=(((NOTHING, 'return "", reasons'),), ((NOTHING, "return False, reasons"),)),
    ),
    Mistake(
        name="one-list-for-all",
        misconception="A list that is made before the loop begins anew in each round.",
        message="All records share one list of reasons. Make a new one for each record, inside of the "
        "loop.",
        changes=(
            ("reasons = {}", "reasons, broken = {}, []"),
            ('p99, broken = record["latency_ms_p99"], []', 'p99 = record["latency_ms_p99"]'),
        ),
        variants=(
            (
                ("reasons = {}", "reasons = dict.fromkeys([r['name'] for r in records], [])"),
                ('["latency_ms_p99"], []', '["latency_ms_p99"], reasons[record["name"]]'),
            ),
        ),
    ),
    Mistake(
        name="own-words-for-reasons",
        misconception="Any word that says it will do.",
        message='The reasons must be the words of the question: "quality", "latency", "size", "larger" '
        'and "no better"; an unknown p99 is "latency", too.',
        changes=(
            (
                'broken.append("latency")',
                'broken.append("unknown" if p99 is None else "latency")',
            ),
        ),
        variants=(
            (
                (
                    'broken.append("latency")',
                    'broken.append("latency unknown" if p99 is None else "latency")',
                ),
            ),
            (
                ('broken.append("quality")', 'broken.append("macro_f1")'),
                ('broken.append("latency")', 'broken.append("latency_ms_p99")'),
                ('broken.append("size")', 'broken.append("file_bytes")'),
            ),
            (
                ('broken.append("quality")', 'broken.append("min_f1")'),
                ('broken.append("latency")', 'broken.append("max_p99_ms")'),
                ('broken.append("size")', 'broken.append("max_mb")'),
            ),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="What is handed in may be written to.",
        message="Your answer changes `records`, which must be the same after the call as before.",
        changes=(
            ("p99, broken = record", 'record["reasons"] = broken = []\n        p99 = record'),
            ('["latency_ms_p99"], []', '["latency_ms_p99"]'),
        ),
        variants=(
            (("reasons = {}", 'reasons = {}\n    records.sort(key=lambda r: r["file_bytes"])'),),
            (
                (
                    "reasons = {}",
                    "reasons = {}\n    for r in records:\n        r['mb'] = r['file_bytes'] / 1e6",
                ),
            ),
            (
                (
                    "reasons = {}",
                    "reasons = {}\n    for r in records: r['latency_ms_p99'] = r['latency_ms_p99'] or 9e9",
                ),
                (
                    "max_p99_ms is not None and (p99 is None or p99 > max_p99_ms)",
                    "max_p99_ms is not None and p99 > max_p99_ms",
                ),
            ),
        ),
    ),
    Mistake(
        name="removes-while-looping",
        misconception="A list can be shortened while one walks along it.",
        message="You remove records from the list that you walk along, and so skip the one after each. "
        "Collect those that fit in a new list.",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    records, reasons = list(records), {}
    for record in records:
        p99, broken = record["latency_ms_p99"], []
        if record["macro_f1"] < min_f1:
            broken.append("quality")
        if max_p99_ms is not None and (p99 is None or p99 > max_p99_ms):
            broken.append("latency")
        if max_mb is not None and record["file_bytes"] > max_mb * 1_000_000:
            broken.append("size")
        if broken:
            reasons[record["name"]] = broken
            records.remove(record)
    if not records:
        return None, reasons
    choice = min(records, key=lambda r: r["file_bytes"])
    for r in records:
        better = r["macro_f1"] > choice["macro_f1"]
        reasons[r["name"]] = ["larger"] if better else ["larger", "no better"]
    del reasons[choice["name"]]
    return choice["name"], reasons
""",
    ),
    Mistake(
        name="compared-with-the-smallest-so-far",
        misconception="The smallest so far is the choice.",
        message="In your loop a record is compared with the smallest so far, which need not be the choice "
        "in the end: choose first, then give the reasons of the others.",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    best, reasons = None, {}
    for record in records:
        p99, broken = record["latency_ms_p99"], []
        if record["macro_f1"] < min_f1:
            broken.append("quality")
        if max_p99_ms is not None and (p99 is None or p99 > max_p99_ms):
            broken.append("latency")
        if max_mb is not None and record["file_bytes"] > max_mb * 1_000_000:
            broken.append("size")
        if broken:
            reasons[record["name"]] = broken
        elif best is None:
            best = record
        else:
            small, large = sorted((best, record), key=lambda r: r["file_bytes"])
            better = large["macro_f1"] > small["macro_f1"]
            reasons[large["name"]] = ["larger"] if better else ["larger", "no better"]
            best = small
    return best and best["name"], reasons
""",
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=(
            (NOTHING, "return print(None, reasons)"),
            (RESULT, 'print(choice["name"], reasons)'),
        ),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The result is that of the example, whatever the input.",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    return "D", {"A": ["quality"], "B": ["latency"], "C": ["latency"], "E": ["larger"],
                 "F": ["quality", "size"], "G": ["larger", "no better"]}
""",
    ),
    Mistake(
        name="hard-coded-limits",
        misconception="The limits are those of the example.",
        message="You use the limits of the example, 0.55, 50 ms and 5 MB, in place of those handed in.",
        changes=(
            (QUALITY, 'record["macro_f1"] < 0.55'),
            (LATENCY, "(p99 is None or p99 > 50)"),
            (SIZE, 'record["file_bytes"] > 5_000_000'),
        ),
        variants=(
            ((QUALITY, 'record["macro_f1"] < 0.55'),),
            ((LATENCY, "(p99 is None or p99 > 50)"),),
            ((f"max_p99_ms is not None and {LATENCY}", "p99 is None or p99 > 50"),),
            ((SIZE, 'record["file_bytes"] > 5_000_000'),),
            ((f"max_mb is not None and {SIZE}", 'record["file_bytes"] > 5_000_000'),),
            (
                (QUALITY, 'record["macro_f1"] < 0.55'),
                (f"max_p99_ms is not None and {LATENCY}", "p99 is None or p99 > 50"),
                (f"max_mb is not None and {SIZE}", 'record["file_bytes"] > 5_000_000'),
            ),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="one-table-of-tests",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    inf = float("inf")
    p99_limit = inf if not max_p99_ms else max_p99_ms
    size_limit = inf if not max_mb else max_mb * 10**6

    def broken(r):
        p99 = r["latency_ms_p99"]
        p99 = (0 if max_p99_ms is None else inf) if p99 is None else p99
        tests = {
            "quality": r["macro_f1"] >= min_f1,
            "latency": p99 <= p99_limit,
            "size": r["file_bytes"] <= size_limit,
        }
        return {word for word, kept in tests.items() if not kept}

    choice, reasons = None, {}
    for r in sorted(records, key=lambda r: r["file_bytes"]):
        why = broken(r)
        if not why and choice is None:
            choice = r
            continue
        if not why:
            why = {"larger"}
            if r["macro_f1"] <= choice["macro_f1"]:
                why.add("no better")
        reasons[r["name"]] = why
    return (None if choice is None else choice["name"]), reasons
""",
    ),
    Alternative(
        name="numpy-masks",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    names = [r["name"] for r in records]
    f1 = np.array([r["macro_f1"] for r in records])
    size = np.array([r["file_bytes"] for r in records], dtype=float) / 1e6
    p99 = np.array([r["latency_ms_p99"] for r in records], dtype=float)  # None becomes nan
    none = np.zeros(len(records), dtype=bool)
    out = {
        "quality": f1 < min_f1,
        "latency": none if max_p99_ms is None else ~(p99 <= max_p99_ms),
        "size": none if max_mb is None else size > max_mb,
    }
    fits = ~np.logical_or.reduce(list(out.values()))
    chosen = None
    if fits.any():
        chosen = int(np.argmin(np.where(fits, size, np.inf)))
        out["larger"] = fits
        out["no better"] = fits & (f1 <= f1[chosen])
    reasons = {
        name: [word for word, mask in out.items() if mask[i]]
        for i, name in enumerate(names)
        if i != chosen
    }
    return [None if chosen is None else names[chosen], reasons]
""",
    ),
]
