"""Question 5, the student to ship: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

FIT = 'max(s["file_bytes"]) <= max_bytes'
FITTING = f"fitting = [s for s in students if {FIT}]"
NOTHING = "    if not fitting:\n        return None\n"
KEY = 'np.mean(s["dev"])'
CLEAR = 'min(with_teacher["dev"]) > max(without["dev"])'
WORTH = f"""without is None or (
        with_teacher is not None and {CLEAR}
    )"""
BEST = "best = with_teacher if worth_it else without"
PROMISE = 'np.mean(best["test"])'
RESULT = f'best["name"], {PROMISE}'
PAIR = 'np.mean(with_teacher["{0}"]) > np.mean(without["{0}"])'


def fit(*texts):
    return [((FIT, text),) for text in texts]


def score(*texts):
    return [((KEY, text),) for text in texts]


def clear(*texts):
    return [((CLEAR, text),) for text in texts]


def worth(*texts):
    return [((WORTH, text),) for text in texts]


def promise(*texts):
    return [((PROMISE, text),) for text in texts]


MISTAKES = [
    # ---------------------------------------------------------------- who fits
    Mistake(
        "budget-ignored",
        "The best student is the best, whatever its size.",
        "You choose students that do not fit: all files must have at most `max_bytes`.",
        variants=tuple(fit("True")),
    ),
    Mistake(
        "one-file-fits",
        "If one seed fits, the student fits.",
        "You count a student as fitting although one of its files is too large: the smallest, the mean, "
        "the first or the last file does not help whoever has another seed.",
        variants=tuple(
            fit(
                'min(s["file_bytes"]) <= max_bytes',
                'np.mean(s["file_bytes"]) <= max_bytes',
                'np.median(s["file_bytes"]) <= max_bytes',
                's["file_bytes"][0] <= max_bytes',
                's["file_bytes"][-1] <= max_bytes',
            )
        ),
    ),
    Mistake(
        "files-added-up",
        "A student has as many bytes as all its seeds.",
        "You add up the files of all seeds; only one of them is shipped, so each must fit.",
        variants=tuple(fit('sum(s["file_bytes"]) <= max_bytes')),
    ),
    Mistake(
        "below-not-at-most",
        "A limit must not be reached.",
        "A file of exactly `max_bytes` fits: `at most` includes it.",
        variants=tuple(fit('max(s["file_bytes"]) < max_bytes')),
    ),
    Mistake(
        "seeds-that-do-not-fit-left-out",
        "A seed with a file too large does not count.",
        "You leave out the seeds that are too large, and keep the student. It does not fit if any of its "
        "files does not.",
        variants=(
            (
                (
                    FITTING,
                    "fitting = [t for t in (only(s, max_bytes) for s in students) if t['dev']]",
                ),
            ),
        ),
        helpers="""
def only(student, most):
    kept = [i for i, size in enumerate(student["file_bytes"]) if size <= most]
    return {k: [v[i] for i in kept] if isinstance(v, list) else v for k, v in student.items()}
""",
    ),
    Mistake(
        "favourites-before-fitting",
        "Look for the best, then see whether it fits.",
        "You take the favourites of all students and then see whether they fit. First see what fits.",
        variants=(
            (
                (NOTHING, ""),
                ("for s in fitting if", "for s in students if"),
                (f"    return {RESULT}", f"    return ({RESULT}) if best in fitting else None"),
            ),
            (
                (NOTHING, ""),
                ("for s in fitting if", "for s in students if"),
                (
                    f"    worth_it = {WORTH}",
                    "    with_teacher = with_teacher if with_teacher in fitting else None\n"
                    "    without = without if without in fitting else None\n"
                    f"    worth_it = {WORTH}",
                ),
                (f"    return {RESULT}", f"    return ({RESULT}) if best else None"),
            ),
            (("for s in fitting if", "for s in students if"),),
            (
                ("for s in fitting if", "for s in (fitting if taught else students) if"),
                (f"    return {RESULT}", f"    return ({RESULT}) if best in fitting else None"),
            ),
        ),
    ),
    Mistake(
        "smallest-student",
        "The best student for a budget is the smallest one.",
        "You take the smallest file, and not the highest mean on dev.",
        variants=tuple(score('-max(s["file_bytes"])', '-min(s["file_bytes"])')),
    ),
    Mistake(
        "largest-student",
        "The largest that fits is the best.",
        "You take the largest that fits, and not the highest mean on dev.",
        variants=tuple(score('max(s["file_bytes"])', 'np.mean(s["file_bytes"])')),
    ),
    Mistake(
        "f1-per-byte",
        "Quality is what one gets for a byte.",
        "You divide F1 by bytes. What fits, fits: among those only F1 on dev counts.",
        variants=tuple(score(f'{KEY} / max(s["file_bytes"])', f'{KEY} / np.mean(s["file_bytes"])')),
    ),
    # ---------------------------------------------------------------- the favourites
    Mistake(
        "chosen-on-test",
        "The test split says which student is best.",
        "You choose by test scores. What was chosen by its test score has no honest test score any "
        "more: choose on dev alone.",
        variants=(
            *score('np.mean(s["test"])', 'max(s["test"])'),
            ((KEY, 'np.mean(s["test"])'), (CLEAR, CLEAR.replace('"dev"', '"test"'))),
            *clear(CLEAR.replace('"dev"', '"test"')),
        ),
    ),
    Mistake(
        "chosen-on-both",
        "More numbers make a safer choice.",
        "You choose by dev and test together; choose on dev alone.",
        variants=(
            *score(
                'np.mean(s["dev"] + s["test"])',
                'min(np.mean(s["dev"]), np.mean(s["test"]))',
            ),
            (
                (KEY, 'np.mean(s["dev"] + s["test"])'),
                (
                    CLEAR,
                    'min(with_teacher["dev"] + with_teacher["test"])'
                    ' > max(without["dev"] + without["test"])',
                ),
            ),
        ),
    ),
    Mistake(
        "best-seed",
        "A student is as good as its best seed.",
        "You compare single seeds, the best ones: one lucky seed is no better student; favourites are "
        "those with the highest mean.",
        variants=tuple(score('max(s["dev"])')),
    ),
    Mistake(
        "worst-seed",
        "A student is as good as its worst seed.",
        "You take the favourites by their worst seed; those with the highest mean are asked for.",
        variants=tuple(score('min(s["dev"])')),
    ),
    Mistake(
        "one-seed",
        "All seeds are alike.",
        "You look at one seed of each student, the first or the last; take the mean over all.",
        variants=tuple(score('s["dev"][0]', 's["dev"][-1]')),
    ),
    Mistake(
        "another-average",
        "A median is the better mean.",
        "You take the favourites by another average than the mean: the median, or a geometric or "
        "harmonic one, or the middle of the range.",
        variants=tuple(
            score(
                'np.median(s["dev"])',
                'np.exp(np.mean(np.log(np.maximum(s["dev"], 1e-12))))',
                '1 / np.mean(1 / np.maximum(s["dev"], 1e-12))',
                '(min(s["dev"]) + max(s["dev"])) / 2',
            )
        ),
    ),
    Mistake(
        "sum-over-seeds",
        "All students have as many seeds.",
        "You add up the seeds' scores, so that more seeds win; take means.",
        variants=tuple(score('sum(s["dev"])', 'len(s["dev"])')),
    ),
    Mistake(
        "divided-by-one-number-of-seeds",
        "All students have two seeds.",
        "Students have different numbers of seeds; you divide by the same for all, or by one too few.",
        variants=tuple(score('sum(s["dev"]) / max(len(s["dev"]) - 1, 1)')),
    ),
    Mistake(
        "mean-minus-spread",
        "A safe student is one whose seeds agree.",
        "Your favourites are those whose mean, less a spread, is highest; the question says the mean.",
        variants=tuple(
            score(
                'np.mean(s["dev"]) - np.std(s["dev"])',
                'np.mean(s["dev"]) - (max(s["dev"]) - min(s["dev"]))',
                'np.mean(s["dev"]) - np.std(s["dev"]) / len(s["dev"]) ** 0.5',
                '-np.std(s["dev"])',
            )
        ),
    ),
    Mistake(
        "means-rounded",
        "Two digits are enough to compare.",
        "You round the means before you compare them.",
        variants=tuple(score(f"round({KEY}, 2)", f"round({KEY}, 1)")),
    ),
    Mistake(
        "lowest-mean",
        "The best comes first in ascending order.",
        "You take the lowest mean for the best.",
        variants=((("return max(group", "return min(group"),),),
    ),
    Mistake(
        "first-or-last",
        "The list is sorted.",
        "You take the first or the last that fits, and not the one with the highest mean.",
        variants=tuple(
            [
                (('return max(group, key=lambda s: np.mean(s["dev"]), default=None)', text),)
                for text in (
                    "return group[0] if group else None",
                    "return group[-1] if group else None",
                )
            ]
        ),
    ),
    Mistake(
        "single-seeds-left-out",
        "One seed says nothing.",
        "You leave out students with a single seed; the question lets them take part.",
        variants=(
            *fit(f'{FIT} and len(s["dev"]) > 1'),
            *clear(f'{CLEAR} and len(with_teacher["dev"]) > 1'),
            *clear(f'{CLEAR} and len(with_teacher["dev"]) > 1 and len(without["dev"]) > 1'),
        ),
    ),
    Mistake(
        "zero-is-nothing",
        "A student with an F1 of 0 is none.",
        "A student with an F1 of 0 is a student, too, if it fits.",
        variants=(
            *fit(f"{FIT} and {KEY} > 0"),
            ((f"    return {RESULT}", f"    return ({RESULT}) if {PROMISE} else None"),),
        ),
    ),
    # ---------------------------------------------------------------- the teacher's worth
    Mistake(
        "highest-mean-wins",
        "The best student is shipped.",
        "You ship the highest mean. A taught student has to be clearly better than the best one without "
        "a teacher: its worst seed above the other's best.",
        variants=(*clear(PAIR.format("dev"), PAIR.format("dev").replace(">", ">=")),),
    ),
    Mistake(
        "teacher-always-wins",
        "Whoever was taught is better.",
        "You ship the taught favourite in any case where there is one.",
        variants=tuple(worth("with_teacher is not None")),
    ),
    Mistake(
        "teacher-never-wins",
        "Teachers are too expensive.",
        "You ship the favourite without a teacher in any case where there is one.",
        variants=tuple(worth("without is None")),
    ),
    Mistake(
        "taught-only",
        "Only students that were taught are students.",
        "Students without a teacher, the baseline among them, take part, and you leave them out.",
        variants=tuple(fit(f'{FIT} and s["taught"]')),
    ),
    Mistake(
        "untaught-only",
        "The teacher is not in the app.",
        "Students with a teacher take part, and you leave them out.",
        variants=tuple(fit(f'{FIT} and not s["taught"]')),
    ),
    Mistake(
        "best-seeds-compared",
        "The better best seed decides.",
        "You compare the best seed of one favourite with the best of the other, or the worst with the "
        "worst. Clear means: the worst of the taught one above the best of the other.",
        variants=tuple(
            clear(
                'max(with_teacher["dev"]) > max(without["dev"])',
                'min(with_teacher["dev"]) > min(without["dev"])',
            )
        ),
    ),
    Mistake(
        "best-above-worst",
        "The gain is clear if it can be seen.",
        "You compare the best seed of the taught favourite with the worst of the other: that is nearly "
        "always above. It is the other way round.",
        variants=tuple(clear('max(with_teacher["dev"]) > min(without["dev"])')),
    ),
    Mistake(
        "mean-against-a-seed",
        "A mean is what a student scores.",
        "You compare a mean with a seed. Clear means: the worst seed of the taught favourite above the "
        "best seed of the other.",
        variants=tuple(
            clear(
                'np.mean(with_teacher["dev"]) > max(without["dev"])',
                'min(with_teacher["dev"]) > np.mean(without["dev"])',
            )
        ),
    ),
    Mistake(
        "equal-seeds-are-clear",
        "Not below is above.",
        "The worst seed of the taught favourite must be above the other's best; equal is not above.",
        variants=tuple(clear(CLEAR.replace(">", ">="))),
    ),
    Mistake(
        "roles-swapped",
        "The one without a teacher has to prove itself.",
        "You ask of the favourite without a teacher to be clearly better. It is the taught one that "
        "has to be.",
        variants=(
            *clear('not min(without["dev"]) > max(with_teacher["dev"])'),
            ((BEST, "best = without if worth_it else with_teacher"),),
            (
                (WORTH, WORTH.replace("without is None", "with_teacher is None")),
                (CLEAR, 'min(without["dev"]) > max(with_teacher["dev"])'),
                (BEST, "best = without if worth_it else with_teacher"),
            ),
        ),
    ),
    Mistake(
        "overlap-with-anybody",
        "A clear gain is one over all others.",
        "You compare with all students without a teacher, or with all that were taught, not with the "
        "favourite alone: the one with the highest mean.",
        variants=tuple(
            clear(
                'min(with_teacher["dev"]) > max(max(s["dev"]) for s in fitting if not s["taught"])',
                'min(min(s["dev"]) for s in fitting if s["taught"]) > max(without["dev"])',
                'min(with_teacher["dev"]) > max(max(s["dev"]) for s in students if not s["taught"])',
                'any(min(s["dev"]) > max(without["dev"]) for s in fitting if s["taught"])',
            )
        ),
    ),
    Mistake(
        "another-clear-taught-student",
        "Any student that is clearly better will do.",
        "You take the best of the taught students that are clearly better. Only the taught favourite, "
        "the one with the highest mean, is looked at.",
        variants=(
            (
                (f"    worth_it = {WORTH}\n", ""),
                (
                    f"    {BEST}",
                    "    clearly = [\n"
                    '        s for s in fitting if s["taught"]\n'
                    '        and (without is None or min(s["dev"]) > max(without["dev"]))\n'
                    "    ]\n"
                    '    best = max(clearly, key=lambda s: np.mean(s["dev"]), default=without)',
                ),
            ),
            (
                (f"    worth_it = {WORTH}\n", ""),
                (
                    f"    {BEST}",
                    "    clearly = [\n"
                    '        s for s in fitting if s["taught"]\n'
                    '        and (without is None or min(s["dev"]) > max(without["dev"]))\n'
                    "    ]\n"
                    '    best = max(clearly, key=lambda s: min(s["dev"]), default=without)',
                ),
            ),
        ),
    ),
    Mistake(
        "a-fixed-margin",
        "A gain of one point is clear.",
        "You ask for a margin between means, fixed or made of standard deviations. Clear means: the worst "
        "seed above the best of the other.",
        variants=tuple(
            clear(
                *(
                    f'np.mean(with_teacher["dev"]) > np.mean(without["dev"]) + {margin}'
                    for margin in (
                        "0.01",
                        "0.02",
                        "0.05",
                        'np.std(without["dev"])',
                        'np.std(with_teacher["dev"])',
                        'np.std(without["dev"]) + np.std(with_teacher["dev"])',
                    )
                )
            )
        ),
    ),
    Mistake(
        "both-needed",
        "There is always one of each.",
        "Where students of only one kind fit, its favourite is shipped.",
        variants=(
            (
                (
                    f"    worth_it = {WORTH}",
                    "    if with_teacher is None or without is None:\n        return None\n"
                    f"    worth_it = {WORTH}",
                ),
            ),
            *worth(CLEAR),
            *worth(f"without is None or ({CLEAR})"),
            *worth(f"with_teacher is not None and ({CLEAR})"),
            (
                (
                    f"    worth_it = {WORTH}",
                    "    if with_teacher is None:\n        return None\n    worth_it = " + WORTH,
                ),
            ),
            (
                (
                    f"    worth_it = {WORTH}",
                    "    if without is None:\n        return None\n    worth_it = " + WORTH,
                ),
            ),
        ),
    ),
    # ---------------------------------------------------------------- the promise, and the result
    Mistake(
        "promises-dev",
        "A student is worth what it was chosen for.",
        "You promise F1 on dev, where the student was chosen; promise test.",
        variants=tuple(promise('np.mean(best["dev"])', 'max(best["dev"])', 'min(best["dev"])')),
    ),
    Mistake(
        "promises-the-best-seed",
        "The best seed is the one that is shipped.",
        "You promise the best seed on test; take the mean.",
        variants=tuple(promise('max(best["test"])', 'best["test"][int(np.argmax(best["dev"]))]')),
    ),
    Mistake(
        "promises-the-worst-seed",
        "A careful promise is the worst case.",
        "You promise the worst seed on test; take the mean.",
        variants=tuple(promise('min(best["test"])', 'best["test"][int(np.argmin(best["dev"]))]')),
    ),
    Mistake(
        "promises-one-seed",
        "All seeds are alike.",
        "You promise one seed on test, the first or the last; take the mean.",
        variants=tuple(promise('best["test"][0]', 'best["test"][-1]')),
    ),
    Mistake(
        "promises-both-splits",
        "More numbers make a safer promise.",
        "You promise a mean over dev and test; promise test alone.",
        variants=tuple(promise('np.mean(best["dev"] + best["test"])')),
    ),
    Mistake(
        "promises-another-average",
        "A median is the better mean.",
        "You promise a median or the middle of the range; take the mean of test.",
        variants=tuple(
            promise('np.median(best["test"])', '(min(best["test"]) + max(best["test"])) / 2')
        ),
    ),
    Mistake(
        "promises-the-sum",
        "More seeds, more F1.",
        "You promise the sum over the seeds; take the mean.",
        variants=tuple(promise('sum(best["test"])')),
    ),
    Mistake(
        "promise-rounded",
        "Two digits are enough.",
        "The promised F1 is rounded. Return it as it is.",
        variants=tuple(promise(*(f"round({PROMISE}, {d})" for d in (1, 2, 3, 4)))),
    ),
    Mistake(
        "promises-in-percent",
        "F1 is given in percent.",
        "F1 is a number from 0 to 1, and yours is in percent.",
        variants=tuple(promise(f"100 * {PROMISE}")),
    ),
    Mistake(
        "promises-of-another-student",
        "The list keeps its order.",
        "The name is one student's and the F1 another's: promise that of the student that is shipped.",
        variants=tuple(
            promise(
                'np.mean(students[0]["test"])',
                'np.mean(max(fitting, key=lambda s: np.mean(s["test"]))["test"])',
                'np.mean([np.mean(s["test"]) for s in fitting])',
                'np.mean((with_teacher or without)["test"])',
                'np.mean((without or with_teacher)["test"])',
                'np.mean([f for s in fitting if s["taught"] == best["taught"] for f in s["test"]])',
            )
        ),
    ),
    Mistake(
        "all-seeds-returned",
        "Every seed counts.",
        "Return one F1, the mean over the seeds, and not a list of them.",
        variants=tuple(promise('best["test"]', '[np.mean(best["test"])]')),
    ),
    Mistake(
        "another-result",
        "Whoever has the student has everything.",
        "Return a name and its F1 on test, in this order, and nothing else.",
        variants=tuple(
            [
                ((RESULT, text),)
                for text in (
                    'best["name"]',
                    "best",
                    f'{PROMISE}, best["name"]',
                    f'best["name"], best["taught"], {PROMISE}',
                    f'{{best["name"]: {PROMISE}}}',
                    f'{{"name": best["name"], "f1": {PROMISE}}}',
                    f'best["name"], np.mean(best["dev"]), {PROMISE}',
                    f"best, {PROMISE}",
                    f'best["name"], {PROMISE}, max(best["file_bytes"])',
                )
            ]
        ),
    ),
    Mistake(
        "something-for-nothing",
        "Something has to be shipped.",
        "Where nothing fits the answer is None, and no student, number, text or error.",
        variants=(
            ((NOTHING, ""),),
            *(
                ((NOTHING, NOTHING.replace("return None", f"{text}")),)
                for text in (
                    "return None, None",
                    'return "", 0.0',
                    "return None, 0.0",
                    "return ()",
                    "return []",
                    "return 0",
                    'return "None"',
                    'raise ValueError("nothing fits")',
                )
            ),
            (
                (
                    NOTHING,
                    "    if not fitting:\n"
                    "        fitting = sorted(students, key=lambda s: max(s['file_bytes']))[:1]\n",
                ),
            ),
            ((NOTHING, "    fitting = fitting or students\n"),),
        ),
    ),
    Mistake(
        "changes-its-input",
        "Sorting a list changes nothing.",
        "Your answer changes `students`, which must be the same after the call as before.",
        variants=tuple(
            [
                ((f"    {FITTING}", f"    {line}\n    {FITTING}"),)
                for line in (
                    'students.sort(key=lambda s: -np.mean(s["dev"]))',
                    'students.sort(key=lambda s: np.mean(s["dev"]))',
                    '[s["dev"].sort() for s in students]',
                    '[s.update(mean=np.mean(s["dev"])) for s in students]',
                    '[s.update(size=max(s["file_bytes"])) for s in students]',
                    '[s.update(dev_mean=np.mean(s["dev"])) for s in students]',
                    '[students.remove(s) for s in students[:] if max(s["file_bytes"]) > max_bytes]',
                )
            ]
        ),
    ),
    Mistake(
        "no-return",
        "What a function computes last is its value.",
        "Your answer gives None: is a `return` missing?",
        variants=(
            ((f"return {RESULT}", f"result = {RESULT}"),),
            ((f"return {RESULT}", f"print({RESULT})"),),
        ),
    ),
    Mistake(
        "hard-coded-example",
        "An answer that passes the example is right.",
        "The result is that of the example, whatever the input.",
        variants=(((f"return {RESULT}", 'return "GRU-8 with a teacher", 0.49'),),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="loop",
        code="""
def choose_student(students, max_bytes):
    best = {}
    for student in students:
        if any(size > max_bytes for size in student["file_bytes"]):
            continue
        mean = sum(student["dev"]) / len(student["dev"])
        kind = student["taught"]
        if kind not in best or mean > best[kind][0]:
            best[kind] = mean, student
    if not best:
        return None
    if len(best) == 1:
        [(_, chosen)] = best.values()
    elif min(best[True][1]["dev"]) > max(best[False][1]["dev"]):
        chosen = best[True][1]
    else:
        chosen = best[False][1]
    print(chosen)
    return chosen["name"], sum(chosen["test"]) / len(chosen["test"])
""",
    ),
    Alternative(
        name="sorted-and-fractions",
        code="""
from fractions import Fraction
from statistics import fmean, mean


def choose_student(students, max_bytes):
    small = sorted(
        (s for s in students if all(size <= max_bytes for size in s["file_bytes"])),
        key=lambda s: mean(map(Fraction, s["dev"])),
    )
    taught = [s for s in small if s["taught"]][-1:]
    alone = [s for s in small if not s["taught"]][-1:]
    order = alone + taught
    if taught and alone and min(taught[0]["dev"]) > max(alone[0]["dev"]):
        order = taught
    return [order[0]["name"], fmean(order[0]["test"])] if order else None
""",
    ),
]

NO_LIBRARY = "utils trains students but never chooses between them"
