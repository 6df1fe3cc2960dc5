"""Question 5, thresholds tuned on dev: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

Changes = tuple[tuple[str, str], ...]

F1 = "2 * hits / both if both else 0.0"
BEGIN = "thresholds = np.ones(len(labels))"
IF_ANY = "if y_dev[:, j].any():"
CANDIDATES = "np.unique(p_dev[:, j])[::-1]"
TUNED = "f1(y_dev[:, j], p_dev[:, j] >= c)"
PICK = "candidates[np.argmax(scores)]"
TEST = "f1(y_test[:, j], p_test[:, j] >= thresholds[j])"
MEAN = "float(np.mean(scores))"
RETURN = f"return thresholds, {MEAN}"
COUNTS = '''
def counts(truth, given):
    """Hits, false alarms, misses, and what is rightly not given."""
    truth, given = np.asarray(truth) == 1, np.asarray(given, dtype=bool)
    return [int(n.sum()) for n in (truth & given, ~truth & given, truth & ~given, ~truth & ~given)]


def over(a, b):
    return a / b if b else 0.0


def measure(truth, given, of):
    return of(*counts(truth, given))


def f_of(a, b):
    return 2 * a * b / (a + b) if a + b else 0.0
'''
ACCURACY = "lambda tp, fp, fn, tn: (tp + tn) / (tp + fp + fn + tn)"
PRECISION = "lambda tp, fp, fn, tn: over(tp, tp + fp)"
RECALL = "lambda tp, fp, fn, tn: over(tp, tp + fn)"
JACCARD = "lambda tp, fp, fn, tn: over(tp, tp + fp + fn)"
YOUDEN = "lambda tp, fp, fn, tn: over(tp, tp + fn) + over(tn, tn + fp)"


def tuned_for(of: str) -> Changes:
    return ((TUNED, f"measure(y_dev[:, j], p_dev[:, j] >= c, {of})"),)


def scored_by(of: str) -> Changes:
    return ((TEST, f"measure(y_test[:, j], p_test[:, j] >= thresholds[j], {of})"),)


def reported(score: str) -> Changes:
    """Changes after which `score` is returned, of `y`, `given` and the F1 of all labels."""
    lines = f"y, given = y_test, p_test >= thresholds\n    return thresholds, float({score})"
    return ((RETURN, lines),)


def picked(threshold: str) -> Changes:
    return ((PICK, threshold),)


def from_all(thresholds: str) -> Changes:
    """Changes after which all labels get other thresholds."""
    scores = f"    scores = [{TEST} for j in labels]\n    {RETURN}"
    return ((scores, f"    thresholds = {thresholds}\n{scores}"),)


CURVE = """from sklearn.metrics import precision_recall_curve
            P, R, T = precision_recall_curve(y_dev[:, j], p_dev[:, j])
            F = np.nan_to_num(2 * P * R / (P + R))[1:]
            """
GRIDS = (
    "np.arange(0.1, 1.0, 0.1)[::-1]",
    "np.arange(0.05, 1.0, 0.05)[::-1]",
    "np.arange(0.01, 1.0, 0.01)[::-1]",
    "np.linspace(0, 1, 11)[::-1]",
    "np.linspace(0, 1, 21)[::-1]",
    "np.linspace(0, 1, 101)[::-1]",
    "np.linspace(0, 1, 1001)[::-1]",
)

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.metrics.",
        code="""
from sklearn.metrics import f1_score

from utils.metrics import tune_thresholds


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    thresholds = tune_thresholds(y_dev, p_dev)
    given = p_test >= thresholds
    return thresholds, f1_score(y_test, given, average="macro", zero_division=0)
""",
        variants=(
            (
                (
                    "    def f1(truth, given):\n",
                    "    import utils.metrics\n\n    def f1(truth, given):\n",
                ),
                (MEAN, "utils.metrics.macro_f1(y_test, p_test >= thresholds)"),
            ),
        ),
    ),
    # ---------------------------------------------------------------------- on which comments
    Mistake(
        name="tuned-on-test",
        misconception="Thresholds belong to the data that is scored.",
        message="Your thresholds were tuned on test, so that the score on test is no longer a test.",
        changes=(
            (TUNED, "f1(y_test[:, j], p_test[:, j] >= c)"),
            (CANDIDATES, CANDIDATES.replace("dev", "test")),
            (IF_ANY, IF_ANY.replace("dev", "test")),
        ),
        variants=(
            (
                (TUNED, "f1(y_test[:, j], p_test[:, j] >= c)"),
                (CANDIDATES, CANDIDATES.replace("dev", "test")),
            ),
            ((TUNED, "f1(y_test[:, j], p_test[:, j] >= c)"),),
            (
                (TUNED, "f1(y_test[:, j], p_test[:, j] >= c)"),
                (IF_ANY, IF_ANY.replace("dev", "test")),
            ),
        ),
    ),
    Mistake(
        name="dev-and-test-swapped",
        misconception="Which of the two splits is which makes no difference.",
        message="You tune on test and score on dev. It is the other way round.",
        changes=(
            (
                "    def f1(truth",
                "    y_dev, p_dev, y_test, p_test = y_test, p_test, y_dev, p_dev\n    def f1(truth",
            ),
        ),
    ),
    Mistake(
        name="tuned-on-dev-and-test",
        misconception="More comments make better thresholds, whichever they are.",
        message="Your thresholds were tuned on dev and test together, and a test has to stay unseen.",
        changes=(
            (
                BEGIN,
                BEGIN + "\n    y_dev, p_dev = np.vstack([y_dev, y_test]), "
                "np.vstack([p_dev, p_test])",
            ),
        ),
        variants=(
            (
                (
                    TUNED,
                    "f1(np.append(y_dev[:, j], y_test[:, j]), "
                    "np.append(p_dev[:, j], p_test[:, j]) >= c)",
                ),
                (CANDIDATES, "np.unique(np.append(p_dev[:, j], p_test[:, j]))[::-1]"),
            ),
        ),
    ),
    Mistake(
        name="candidates-from-test",
        misconception="The thresholds that matter are those that occur where they are used.",
        message="Your candidates are the probabilities on test. Those on dev are the candidates, and "
        "nothing of test is seen before the score.",
        changes=((CANDIDATES, CANDIDATES.replace("dev", "test")),),
    ),
    Mistake(
        name="score-on-dev",
        misconception="The score that was maximised is the score to report.",
        message="That is the score on dev, to which the thresholds were fitted. Report test.",
        changes=((TEST, TEST.replace("test", "dev")),),
        variants=(
            ((TEST, "max([f1(y_dev[:, j], p_dev[:, j] >= c) for c in p_dev[:, j]])"),),
            (
                (
                    TEST,
                    "max([f1(y_dev[:, j], p_dev[:, j] >= c) for c in p_dev[:, j]] + [0])"
                    " if y_dev[:, j].any() else 0.0",
                ),
            ),
        ),
    ),
    # ----------------------------------------------------------------------- which threshold
    Mistake(
        name="not-tuned",
        misconception="The threshold is 0.5.",
        message="You do not tune: 0.5 is where a threshold starts out. Choose the one with the best F1 "
        "on dev.",
        changes=from_all("np.full(len(labels), 0.5)"),
        variants=(picked("0.5"),),
    ),
    Mistake(
        name="thresholds-not-used",
        misconception="A threshold is for dev, and test is scored at 0.5.",
        message="You score test at 0.5, and not at your thresholds.",
        changes=((TEST, "f1(y_test[:, j], p_test[:, j] >= 0.5)"),),
        variants=(((TEST, "f1(y_test[:, j], p_test[:, j] > 0.5)"),),),
    ),
    Mistake(
        name="one-threshold-for-all",
        misconception="All labels share one threshold.",
        message="That is one threshold for all labels. Each has its own.",
        changes=from_all(
            "np.full(len(labels), max(sorted(set(p_dev.ravel()), reverse=True), key=lambda c: "
            "np.mean([f1(y_dev[:, j], p_dev[:, j] >= c) for j in labels])))"
        ),
        variants=(
            from_all(
                "np.full(len(labels), max(sorted(set(p_dev.ravel()), reverse=True), "
                "key=lambda c: f1(y_dev.ravel(), (p_dev >= c).ravel())))"
            ),
            from_all(
                "np.where(y_dev.any(axis=0), max(sorted(set(p_dev.ravel()), reverse=True), "
                "key=lambda c: np.mean([f1(y_dev[:, j], p_dev[:, j] >= c) for j in labels])), 1.0)"
            ),
            from_all("np.full(len(labels), thresholds.mean())"),
            from_all("np.full(len(labels), thresholds[0])"),
            from_all("np.full(len(labels), thresholds[-1])"),
        ),
    ),
    Mistake(
        name="above-not-at-least",
        misconception="A probability must exceed the threshold.",
        message="A comment whose probability equals the threshold gets the label, on dev as on test: "
        ">=, not >.",
        changes=(("p_dev[:, j] >= c", "p_dev[:, j] > c"), ("p_test[:, j] >= ", "p_test[:, j] > ")),
    ),
    Mistake(
        name="one-candidate-too-low",
        misconception="On dev a probability must exceed the threshold, or the arrays of a curve begin "
        "with the same threshold.",
        message="Your thresholds are one candidate too low: the F1 that you maximise is that of the "
        "next higher one. Either you give a label on dev only above the threshold (>=, not >), or your "
        "scores and candidates are shifted against each other (scikit-learn's precision_recall_curve "
        "has one point more than thresholds, at its end).",
        changes=(("p_dev[:, j] >= c", "p_dev[:, j] > c"),),
        variants=(
            picked("candidates[min(np.argmax(scores) + 1, len(scores) - 1)]"),
            ((f"thresholds[j] = {PICK}", CURVE + "thresholds[j] = T[::-1][np.argmax(F[::-1])]"),),
            ((f"thresholds[j] = {PICK}", CURVE + "thresholds[j] = T[np.argmax(F)]"),),
        ),
    ),
    Mistake(
        name="one-candidate-too-high",
        misconception="The place of the best score is that of its threshold, whichever list it is in.",
        message="Your thresholds are one candidate too high: scores and candidates are shifted against "
        "each other.",
        changes=picked("candidates[max(np.argmax(scores) - 1, 0)]"),
        variants=(picked("candidates[np.argmax(scores) - 1]"),),
    ),
    Mistake(
        name="an-end-of-the-candidates",
        misconception="The candidate that was tried last is the best.",
        message="You take the lowest or the highest probability of the column, or the candidate that "
        "was tried last, and not the best.",
        changes=picked("candidates[-1]"),
        variants=(picked("candidates[0]"), picked("p_dev[-1, j]")),
    ),
    Mistake(
        name="above-on-test-only",
        misconception="On the edge, > and >= are the same.",
        message="A probability that equals the threshold gets the label on test, too: >=, not >.",
        changes=(("p_test[:, j] >= ", "p_test[:, j] > "),),
    ),
    Mistake(
        name="below-not-above",
        misconception="A label is given up to its threshold.",
        message="You give a label where the probability is below the threshold. It must be at least "
        "the threshold.",
        changes=(
            ("p_dev[:, j] >= c", "p_dev[:, j] <= c"),
            ("p_test[:, j] >= ", "p_test[:, j] <= "),
        ),
        variants=(
            (("p_dev[:, j] >= c", "p_dev[:, j] < c"), ("p_test[:, j] >= ", "p_test[:, j] < ")),
        ),
    ),
    Mistake(
        name="another-of-equals",
        misconception="Of equally good thresholds the first that is found will do.",
        message="Of equally good thresholds the highest wins, and you take another one. (If your search "
        "does take the highest: a tiny number in a denominator breaks ties.)",
        changes=((CANDIDATES, "np.unique(p_dev[:, j])"),),
        variants=(
            ((CANDIDATES, "p_dev[:, j]"),),
            ((CANDIDATES, "p_dev[::-1, j]"),),
            ((CANDIDATES, "np.unique(p_dev)"),),
            ((CANDIDATES, "np.unique(np.append(p_dev[:, j], [0, 1]))"),),
            ((CANDIDATES, "np.unique(np.append(p_dev[:, j], p_test[:, j]))"),),
            (
                ("scores = [f1(y_dev", "same = [f1(y_dev"),
                (PICK, "np.mean([c for c, s in zip(candidates, same) if s == max(same)])"),
            ),
            (("if both else 0.0", "if both else 0.0"), ("hits / both", "hits / (both + 1e-9)")),
            (("hits / both", "hits / (both + 1e-12)"),),
        ),
    ),
    Mistake(
        name="grid",
        misconception="A grid of round numbers is fine enough.",
        message="You look through a grid. The candidates are the probabilities that occur in the "
        "label's column on dev.",
        changes=((CANDIDATES, GRIDS[0]),),
        variants=tuple(((CANDIDATES, grid),) for grid in GRIDS[1:])
        + tuple(((CANDIDATES, grid.removesuffix("[::-1]")),) for grid in GRIDS),
    ),
    Mistake(
        name="between-probabilities",
        misconception="A threshold lies between two probabilities.",
        message="Your thresholds lie between probabilities. The candidates are the probabilities on "
        "dev themselves.",
        changes=(
            (
                PICK,
                "np.mean([candidates[np.argmax(scores)], "
                "candidates[min(np.argmax(scores) + 1, len(scores) - 1)]])",
            ),
        ),
        variants=(
            (
                (
                    CANDIDATES,
                    "np.append((np.unique(p_dev[:, j])[1:] + np.unique(p_dev[:, j])[:-1]) "
                    "/ 2, 0)[::-1]",
                ),
            ),
            (
                (
                    CANDIDATES,
                    "(lambda u: np.r_[0, (u[1:] + u[:-1]) / 2, 1])(np.unique(p_dev[:, j]))[::-1]",
                ),
            ),
            (
                (
                    CANDIDATES,
                    "(lambda u: np.r_[0.0, (u[1:] + u[:-1]) / 2])(np.unique(p_dev[:, j]))[::-1]",
                ),
            ),
            picked("candidates[np.argmax(scores)] - 1e-3"),
            picked("candidates[np.argmax(scores)] + 1e-3"),
        ),
    ),
    Mistake(
        name="an-end-left-out",
        misconception="The largest or smallest probability is no threshold.",
        message="You leave out the lowest or the highest probability, which is a candidate like the "
        "others.",
        changes=(
            (CANDIDATES, "np.unique(p_dev[:, j])[:0:-1]"),
            (PICK, f"{PICK} if scores else 1.0"),
        ),
        variants=(
            (
                (CANDIDATES, "np.unique(p_dev[:, j])[:-1][::-1]"),
                (PICK, f"{PICK} if scores else 1.0"),
            ),
            ((CANDIDATES, "np.unique(p_dev[:, j])[:0:-1]"),),
            ((CANDIDATES, "np.unique(p_dev[:, j])[:-1][::-1]"),),
        ),
    ),
    Mistake(
        name="negatives-as-candidates",
        misconception="A threshold is set by the comments without the label.",
        message="Your candidates are the probabilities of comments without the label. All that occur "
        "in the column are candidates.",
        changes=(
            (CANDIDATES, "np.unique(p_dev[y_dev[:, j] == 0, j])[::-1]"),
            (PICK, f"{PICK} if scores else 1.0"),
        ),
        variants=(((CANDIDATES, "np.unique(p_dev[y_dev[:, j] == 0, j])[::-1]"),),),
    ),
    Mistake(
        name="place-not-threshold",
        misconception="np.argmax returns the best.",
        message="You return places in the list of candidates. Return the candidates at these places.",
        changes=picked("np.argmax(scores)"),
    ),
    Mistake(
        name="score-not-threshold",
        misconception="The best is the best score.",
        message="Your thresholds are F1 scores. Return the candidate that reaches the best one.",
        changes=picked("max(scores)"),
    ),
    Mistake(
        name="worst-not-best",
        misconception="A score is an error, to be made small.",
        message="You take the threshold with the lowest F1. The best one is the highest.",
        changes=((PICK, "candidates[np.argmin(scores)]"),),
    ),
    Mistake(
        name="tuned-for-accuracy",
        misconception="The threshold with the fewest errors is the best.",
        message="You maximise accuracy, which rewards never giving a rare label. Maximise F1.",
        changes=tuned_for(ACCURACY),
        helpers=COUNTS,
    ),
    Mistake(
        name="tuned-for-precision",
        misconception="A good threshold raises no false alarm.",
        message="You maximise precision alone. Maximise F1.",
        changes=tuned_for(PRECISION),
        helpers=COUNTS,
    ),
    Mistake(
        name="tuned-for-recall",
        misconception="A good threshold misses nothing.",
        message="You maximise recall alone. Maximise F1.",
        changes=tuned_for(RECALL),
        variants=(picked("p_dev[y_dev[:, j] == 1, j].min()"),),
        helpers=COUNTS,
    ),
    Mistake(
        name="tuned-for-both-rates",
        misconception="Balanced accuracy, Youden's index or another F is F1.",
        message="You tune for another measure of hits and errors. Maximise F1 = 2 TP / (2 TP + FP + FN).",
        changes=tuned_for(YOUDEN),
        variants=(
            tuned_for("lambda tp, fp, fn, tn: over(1.25 * tp, 1.25 * tp + 0.25 * fn + fp)"),
            tuned_for("lambda tp, fp, fn, tn: over(tp, tp + fp) + over(tp, tp + fn)"),
        ),
        helpers=COUNTS,
    ),
    Mistake(
        name="tuned-for-macro-f1-of-both-classes",
        misconception="F1 is also that of not having the label.",
        message="You average the F1 of having a label and of not having it. F1 is that of having it.",
        changes=tuned_for(
            "lambda tp, fp, fn, tn: over(2 * tp, 2 * tp + fp + fn) + over(2 * tn, 2 * tn + fp + fn)"
        )
        + scored_by(
            "lambda tp, fp, fn, tn: over(tp, 2 * tp + fp + fn) + over(tn, 2 * tn + fp + fn)"
        ),
        variants=(
            tuned_for(
                "lambda tp, fp, fn, tn: over(2 * tp, 2 * tp + fp + fn) + over(2 * tn, 2 * tn + fp + fn)"
            ),
            scored_by(
                "lambda tp, fp, fn, tn: over(tp, 2 * tp + fp + fn) + over(tn, 2 * tn + fp + fn)"
            ),
        ),
        helpers=COUNTS,
    ),
    Mistake(
        name="as-many-as-there-are",
        misconception="A label should be given as often as it occurs.",
        message="You set thresholds so that a label is given as often as it occurs on dev, or at a "
        "quantile. Choose those with the best F1.",
        changes=picked("np.sort(p_dev[:, j])[::-1][int(y_dev[:, j].sum()) - 1]"),
        variants=(
            picked("np.quantile(p_dev[:, j], 1 - y_dev[:, j].mean())"),
            picked("np.median(p_dev[:, j])"),
        ),
    ),
    Mistake(
        name="mean-probability",
        misconception="A threshold lies in the middle.",
        message="Your thresholds are means, or extremes, of probabilities. Choose those "
        "with the best F1.",
        changes=picked("p_dev[:, j].mean()"),
        variants=(
            picked("p_dev[y_dev[:, j] == 1, j].mean()"),
            picked("p_dev[y_dev[:, j] == 1, j].max()"),
        ),
    ),
    Mistake(
        name="tuned-one-after-the-other",
        misconception="The best F1 so far is a bar for the next label, too.",
        message="Your best F1 of one label is still the bar for the next one. Begin anew for each "
        "label.",
        changes=(
            (BEGIN, BEGIN + "\n    best = -1.0"),
            (
                f"            thresholds[j] = {PICK}",
                f"            if max(scores) > best:\n                best = max(scores)\n"
                f"                thresholds[j] = {PICK}",
            ),
        ),
        variants=(
            (
                (BEGIN, BEGIN + "\n    best = 0.0"),
                (
                    f"            thresholds[j] = {PICK}",
                    f"            if max(scores) >= best:\n                best = max(scores)\n"
                    f"                thresholds[j] = {PICK}",
                ),
            ),
        ),
    ),
    Mistake(
        name="absent-label-tuned",
        misconception="A label without examples can be tuned like all others.",
        message="A label that no dev comment has gets the threshold 1.0; you tune it. Look at each "
        "label's own column.",
        changes=((IF_ANY, "if True:"),),
        variants=(
            ((IF_ANY, "if y_dev.any():"),),
            ((IF_ANY, "if True:"), (CANDIDATES, "np.unique(p_dev[:, j])")),
            ((IF_ANY, "if True:"), (CANDIDATES, "p_dev[:, j]")),
        ),
    ),
    Mistake(
        name="absent-label-another-threshold",
        misconception="A label without examples keeps 0.5, or is given to all or to none.",
        message="A label that no dev comment has gets the threshold 1.0; yours gets another number.",
        changes=((BEGIN, "thresholds = np.full(len(labels), 0.5)"),),
        variants=(
            ((BEGIN, "thresholds = np.zeros(len(labels))"),),
            ((BEGIN, "thresholds = np.full(len(labels), np.inf)"),),
            ((BEGIN, "thresholds = np.full(len(labels), np.nan)"),),
            ((BEGIN, "thresholds = np.full(len(labels), 2.0)"),),
            ((BEGIN, "thresholds = np.full(len(labels), 1.1)"),),
            ((BEGIN, "thresholds = np.full(len(labels), -1.0)"),),
            ((BEGIN, "thresholds = np.full(len(labels), 0.99)"),),
        ),
    ),
    Mistake(
        name="absent-on-test-gets-one",
        misconception="A label that the test split lacks needs no threshold.",
        message="You set the threshold 1.0 by what occurs on test. It is for labels that no dev "
        "comment has.",
        changes=((IF_ANY, "if y_test[:, j].any():"),),
        variants=(((IF_ANY, "if y_dev[:, j].any() and y_test[:, j].any():"),),),
    ),
    Mistake(
        name="absent-label-left-out",
        misconception="A label that cannot be tuned has no threshold.",
        message="You leave out labels that no dev comment has. They get the threshold 1.0.",
        changes=(
            (
                BEGIN,
                "labels = [j for j in labels if y_dev[:, j].any()]\n    "
                "thresholds = {j: 1.0 for j in labels}",
            ),
            (RETURN, f"return np.array(list(thresholds.values())), {MEAN}"),
        ),
    ),
    # ---------------------------------------------------------------------------- which score
    Mistake(
        name="micro-f1",
        misconception="F1 of all labels pooled is the mean of F1 over labels.",
        message="That is micro-F1, which pools all labels. Macro-F1 is the mean of F1 over labels.",
        changes=reported("f1(y.ravel(), given.ravel())"),
    ),
    Mistake(
        name="weighted-f1",
        misconception="A label counts as often as it occurs.",
        message="You weight labels by how often they occur. Macro-F1 is the plain mean over labels.",
        changes=reported("np.average(scores, weights=y.sum(axis=0)) if y.any() else 0.0"),
        variants=(
            reported("np.average(scores, weights=y.sum(axis=0))"),
            reported("np.average(scores, weights=y_dev.sum(axis=0)) if y_dev.any() else 0.0"),
        ),
    ),
    Mistake(
        name="f1-of-comments",
        misconception="F1 is averaged over comments.",
        message="You average F1 over comments. Macro-F1 is the mean over labels.",
        changes=reported("np.mean([f1(y[i], given[i]) for i in range(len(y))])"),
    ),
    Mistake(
        name="f1-of-mean-precision-and-recall",
        misconception="The F1 of means is the mean of F1.",
        message="That is the F1 of mean precision and mean recall. Macro-F1 is the mean of the labels' "
        "F1.",
        changes=reported(
            "f_of(*(np.mean([measure(y[:, j], given[:, j], of) for j in labels]) "
            f"for of in ({PRECISION}, {RECALL})))"
        ),
        helpers=COUNTS,
    ),
    Mistake(
        name="accuracy-reported",
        misconception="The share of right decisions is the score.",
        message="That is accuracy, not F1.",
        changes=reported("np.mean(given == (y == 1))"),
        variants=(reported("np.mean((given == (y == 1)).all(axis=1))"),),
    ),
    Mistake(
        name="precision-reported",
        misconception="The share of right alarms is the score.",
        message="That is the mean of precision alone, not of F1.",
        changes=scored_by(PRECISION),
        helpers=COUNTS,
    ),
    Mistake(
        name="recall-reported",
        misconception="The share of what was found is the score.",
        message="That is the mean of recall alone, not of F1.",
        changes=scored_by(RECALL),
        helpers=COUNTS,
    ),
    Mistake(
        name="arithmetic-mean-of-precision-and-recall",
        misconception="F1 is the mean of precision and recall.",
        message="You take the plain mean of precision and recall for F1, which is their harmonic mean.",
        changes=scored_by("lambda tp, fp, fn, tn: (over(tp, tp + fp) + over(tp, tp + fn)) / 2"),
        variants=(
            scored_by("lambda tp, fp, fn, tn: (over(tp, tp + fp) + over(tp, tp + fn)) / 2")
            + tuned_for("lambda tp, fp, fn, tn: (over(tp, tp + fp) + over(tp, tp + fn)) / 2"),
        ),
        helpers=COUNTS,
    ),
    Mistake(
        name="hits-count-once",
        misconception="F1 is the share of hits among hits and errors.",
        message="You count hits once in F1, above or below the line. F1 = 2 TP / (2 TP + FP + FN).",
        changes=scored_by(JACCARD),
        variants=(
            scored_by(JACCARD) + tuned_for(JACCARD),
            scored_by("lambda tp, fp, fn, tn: over(tp, 2 * tp + fp + fn)"),
            scored_by("lambda tp, fp, fn, tn: over(2 * tp, tp + fp + fn)"),
            scored_by("lambda tp, fp, fn, tn: over(2 * tp, tp + fp + fn)")
            + tuned_for("lambda tp, fp, fn, tn: over(2 * tp, tp + fp + fn)"),
        ),
        helpers=COUNTS,
    ),
    Mistake(
        name="misses-or-alarms-forgotten",
        misconception="One kind of error is enough for F1.",
        message="One kind of error is missing in your F1: false alarms and misses both stand below the "
        "line, each once.",
        changes=scored_by("lambda tp, fp, fn, tn: over(2 * tp, 2 * tp + fp)"),
        variants=tuple(
            scored_by(formula) + more
            for formula in (
                "lambda tp, fp, fn, tn: over(2 * tp, 2 * tp + fp)",
                "lambda tp, fp, fn, tn: over(2 * tp, 2 * tp + fn)",
            )
            for more in ((), tuned_for(formula))
        ),
        helpers=COUNTS,
    ),
    Mistake(
        name="absent-label-left-out-of-the-mean",
        misconception="A label that does not occur does not count.",
        message="You leave labels out of the mean that the test split lacks. They count like all "
        "others, with an F1 of 0.",
        changes=(
            (MEAN, "float(np.mean([s for j, s in zip(labels, scores) if y_test[:, j].any()]))"),
        ),
        variants=(
            (
                (
                    MEAN,
                    "float(np.mean([s for j, s in zip(labels, scores) if y_test[:, j].any()] "
                    "or [0.0]))",
                ),
            ),
            (
                (
                    MEAN,
                    "float(np.mean([s for j, s in zip(labels, scores) if y_test[:, j].any() or "
                    "(p_test[:, j] >= thresholds[j]).any()] or [0.0]))",
                ),
            ),
            ((F1, "2 * hits / both if both else np.nan"), ("np.mean(", "np.nanmean(")),
        ),
    ),
    Mistake(
        name="untuned-label-left-out-of-the-mean",
        misconception="A label that could not be tuned does not count.",
        message="You leave labels out of the mean that dev lacks. Macro-F1 is the mean over all labels.",
        changes=(
            (MEAN, "float(np.mean([s for j, s in zip(labels, scores) if y_dev[:, j].any()]))"),
        ),
        variants=(
            (
                (
                    MEAN,
                    "float(np.mean([s for j, s in zip(labels, scores) if y_dev[:, j].any()] "
                    "or [0.0]))",
                ),
            ),
        ),
    ),
    Mistake(
        name="zeros-left-out-of-the-mean",
        misconception="A label without a hit tells nothing.",
        message="You leave labels out of the mean whose F1 is 0. Macro-F1 is the mean over all labels.",
        changes=((MEAN, "float(np.mean([s for s in scores if s]))"),),
        variants=(((MEAN, "float(np.mean([s for s in scores if s] or [0.0]))"),),),
    ),
    Mistake(
        name="absent-label-counts-as-perfect",
        misconception="Nothing to find and nothing found is perfect.",
        message="A label that does not occur and is not given has an F1 of 0 here; you count it as 1.",
        changes=((F1, "2 * hits / both if both else 1.0"),),
        variants=(((TEST, f"({TEST} if y_test[:, j].any() else 1.0)"),),),
    ),
    Mistake(
        name="fails-on-zero-denominator",
        misconception="There is always something to divide by.",
        message="F1 is 0 where the denominator is 0, which you divide by.",
        changes=((F1, "2 * hits / both"),),
        variants=(((F1, "int(2 * hits) / int(both)"),),),
    ),
    Mistake(
        name="median-or-sum-of-f1",
        misconception="A sum, a median or the best is a mean.",
        message="You take the sum, the median, the best or the worst of the labels' F1. Macro-F1 is "
        "their mean.",
        changes=((MEAN, "float(np.sum(scores))"),),
        variants=(
            ((MEAN, "float(np.median(scores))"),),
            ((MEAN, "float(np.max(scores))"),),
            ((MEAN, "float(np.min(scores))"),),
        ),
    ),
    Mistake(
        name="scores-not-averaged",
        misconception="The F1 of each label is the result.",
        message="You return the F1 of each label. Macro-F1 is their mean, one number.",
        changes=((MEAN, "scores"),),
    ),
    Mistake(
        name="percent",
        misconception="A score is given in percent.",
        message="Your score is in percent. F1 lies between 0 and 1.",
        changes=((MEAN, "100 * float(np.mean(scores))"),),
    ),
    Mistake(
        name="rounded",
        misconception="A few digits are exact enough.",
        message="Your score is rounded. Return it as it is.",
        changes=((MEAN, "round(float(np.mean(scores)), 2)"),),
        variants=(
            ((MEAN, "round(float(np.mean(scores)), 3)"),),
            ((MEAN, "round(float(np.mean(scores)), 4)"),),
        ),
    ),
    Mistake(
        name="thresholds-rounded",
        misconception="A threshold of two digits is exact enough.",
        message="Your thresholds are rounded, and a probability no longer equals its threshold. "
        "Return them as they are.",
        changes=picked("round(candidates[np.argmax(scores)], 2)"),
        variants=(
            picked("round(candidates[np.argmax(scores)], 3)"),
            picked("round(candidates[np.argmax(scores)], 1)"),
            ((CANDIDATES, "np.unique(np.round(p_dev[:, j], 2))[::-1]"),),
            ((RETURN, f"return np.round(thresholds, 2), {MEAN}"),),
            ((RETURN, f"return np.round(thresholds, 3), {MEAN}"),),
        ),
    ),
    # ---------------------------------------------------------------------------------- form
    Mistake(
        name="score-only",
        misconception="The thresholds are a means, and nobody needs to see them.",
        message="Return the thresholds and the score, both: thresholds, macro_f1.",
        changes=((RETURN, f"return {MEAN}"),),
        variants=(((RETURN, "return thresholds"),),),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of two results does not matter.",
        message="Return the thresholds first, then the score.",
        changes=((RETURN, f"return {MEAN}, thresholds"),),
    ),
    Mistake(
        name="first-label-only",
        misconception="A return in a loop returns once for each turn.",
        message="You tune the first label alone.",
        changes=((f"thresholds[j] = {PICK}", f"thresholds[j] = {PICK}\n            break"),),
        variants=(
            (
                (
                    f"            thresholds[j] = {PICK}",
                    f"            thresholds[j] = {PICK}\n        break",
                ),
            ),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives nothing but None: is a `return` missing?",
        changes=((RETURN, f"print(thresholds, {MEAN})"),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="Your results are those of the example, whatever the input.",
        changes=((RETURN, "return np.array([0.45, 0.9]), 19 / 28"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="python-max",
        code="""
def f1(truth, given):
    hits = int(np.sum((truth == 1) & given))
    both = int(np.sum(truth == 1) + np.sum(given))
    return 2 * hits / both if both else 0.0


def macro(y, given):
    return float(np.mean([f1(y[:, j], given[:, j]) for j in range(y.shape[1])]))


def tune(y, p):
    thresholds = []
    for j in range(y.shape[1]):
        candidates = sorted(set(p[:, j]), reverse=True)
        best = max(candidates, key=lambda c: f1(y[:, j], p[:, j] >= c))
        thresholds.append(best if y[:, j].sum() else 1.0)
    return np.array(thresholds)


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    thresholds = tune(y_dev, p_dev)
    return thresholds, macro(y_test, p_test >= thresholds)
""",
    ),
    Alternative(
        name="scikit-learn",
        code="""
from sklearn.metrics import f1_score


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    thresholds = []
    for truth, probability in zip(y_dev.T, p_dev.T):
        best, chosen = -1.0, 1.0
        for candidate in np.unique(probability):
            score = f1_score(truth, probability >= candidate)
            if score >= best and truth.any():
                best, chosen = score, candidate
        thresholds.append(chosen)
    given = p_test >= thresholds
    scores = [f1_score(y_test[:, j], given[:, j]) for j in range(given.shape[1])]
    return thresholds, sum(scores) / len(scores)
""",
    ),
    Alternative(
        name="vectorised-with-warnings",
        code="""
def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    # given[i, k, j]: whether comment i gets label j at the threshold p_dev[k, j]
    given = p_dev[:, None, :] >= p_dev[None, :, :]
    hits = np.einsum("ij,ikj->kj", y_dev, given)
    f1 = 2 * hits / (given.sum(axis=0) + y_dev.sum(axis=0))
    ranked = np.where(f1 == f1.max(axis=0), p_dev, -1)
    thresholds = np.where(y_dev.any(axis=0), ranked.max(axis=0), 1.0)
    chosen = p_test >= thresholds
    scores = 2 * (chosen & (y_test == 1)).sum(axis=0) / (chosen.sum(axis=0) + y_test.sum(axis=0))
    return thresholds, np.nan_to_num(scores).mean()
""",
    ),
    Alternative(
        name="scikit-learn-macro-with-warnings",
        code="""
from sklearn.metrics import f1_score


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    def tuned(truth, probability):
        if not truth.any():
            return 1.0
        return max(probability, key=lambda c: (f1_score(truth, probability >= c), c))

    thresholds = np.array([tuned(y, p) for y, p in zip(y_dev.T, p_dev.T)])
    return thresholds, f1_score(y_test, p_test >= thresholds, average="macro")
""",
    ),
    Alternative(
        name="harmonic-mean-and-exact-ties",
        code="""
def harmonic(truth, given):
    tp = (truth * given).sum()
    if tp == 0:
        return 0.0
    return 2 / (given.sum() / tp + truth.sum() / tp)


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    count = y_dev.shape[1]
    thresholds = np.ones(count)
    for j in range(count):
        best = 0.0
        for c in np.unique(p_dev[:, j]):
            score = harmonic(y_dev[:, j], p_dev[:, j] >= c)
            if score >= best and y_dev[:, j].any():
                best, thresholds[j] = score, c
    scores = [harmonic(y_test[:, j], p_test[:, j] >= thresholds[j]) for j in range(count)]
    return thresholds, np.mean(scores)
""",
    ),
    Alternative(
        name="precision-and-recall",
        code="""
def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    def f1(truth, given):
        tp = sum(t and g for t, g in zip(truth, given))
        if not tp:
            return 0.0
        precision, recall = tp / sum(given), tp / sum(truth)
        return 2 * precision * recall / (precision + recall)

    thresholds = np.ones(y_dev.shape[1])
    for j in range(y_dev.shape[1]):
        truth, p, best = y_dev[:, j].tolist(), p_dev[:, j].tolist(), 0.0
        for t in sorted(p, reverse=True):
            score = f1(truth, [x >= t for x in p])
            if score > best:
                best, thresholds[j] = score, t
    scores = []
    for j, t in enumerate(thresholds):
        scores.append(f1(y_test[:, j].tolist(), [x >= t for x in p_test[:, j]]))
    return thresholds, float(np.mean(scores))
""",
    ),
]
