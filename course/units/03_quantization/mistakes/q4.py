"""Question 4, one step of k-means: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

ASSIGNMENT = "np.abs(centers[:, None] - centroids).argmin(axis=1)"
WEIGHTS = "np.bincount(assignment, counts, minlength=k)"
SUMS = "np.bincount(assignment, counts * centers, minlength=k)"
MEANS = "sums / np.maximum(weights, 1)"
MOVED = f"np.where(weights > 0, {MEANS}, centroids)"
RETURN = f"return assignment, {MOVED}"
STAY = "1), centroids)"

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        message="your answer calls utils.quantization.KMeansQuantizer.fit",
        code="""
from utils.quantization import KMeansQuantizer


def lloyd_step(centers, counts, centroids):
    values = np.repeat(centers, counts).reshape(1, -1)
    clusters = KMeansQuantizer(bits=max(1, (len(centroids) - 1).bit_length())).fit(values)
    assignment = clusters.transform(centers.reshape(1, -1))[0]
    return assignment, clusters.inverse_transform(np.arange(len(centroids)).reshape(1, -1))[0]
""",
    ),
    # ------------------------------------------------------------------------- the assignment
    Mistake(
        name="signed-distance",
        misconception="The smallest difference is the smallest distance.",
        message="You compare differences with their sign, and the smallest difference is the most "
        "negative one: a distance is an absolute value.",
        changes=((ASSIGNMENT, "(centers[:, None] - centroids).argmin(axis=1)"),),
        variants=(((ASSIGNMENT, "(centroids - centers[:, None]).argmin(axis=1)"),),),
    ),
    Mistake(
        name="farthest-centroid",
        misconception="argmax finds the best.",
        message="Each bin goes to the centroid that is farthest from it, not to the nearest.",
        changes=((ASSIGNMENT, ASSIGNMENT.replace("argmin", "argmax")),),
    ),
    Mistake(
        name="nearest-bin-of-a-centroid",
        misconception="Assignment looks for the bin that is nearest to each centroid.",
        message="For each centroid you look for the nearest bin. It is the other way round: each "
        "bin needs a centroid.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=0)
    return assignment, centers[assignment]
""",
        variants=(
            """
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=0)
    moved = centroids.astype(float)
    for j in range(len(centroids)):
        if counts[assignment[j]]:
            moved[j] = centers[assignment[j]]
    return assignment, moved
""",
            (
                (
                    RETURN,
                    f"moved = {MOVED}\n    return {ASSIGNMENT.replace('axis=1', 'axis=0')}, moved",
                ),
            ),
        ),
    ),
    Mistake(
        name="borders-at-centroids",
        misconception="A value belongs to the last centroid below it.",
        message="You let one centroid's bins end where the next centroid lies. The border between "
        "two centroids is halfway between them.",
        changes=(
            (ASSIGNMENT, "np.maximum(np.searchsorted(centroids, centers, side='right') - 1, 0)"),
        ),
        variants=(
            ((ASSIGNMENT, "np.clip(np.digitize(centers, np.sort(centroids)) - 1, 0, k - 1)"),),
            ((ASSIGNMENT, "np.minimum(np.searchsorted(centroids, centers), k - 1)"),),
            ((ASSIGNMENT, "np.minimum(np.searchsorted(np.sort(centroids), centers), k - 1)"),),
            ((ASSIGNMENT, "last_below(centers, centroids)"),),
            ((ASSIGNMENT, "first_above(centers, centroids)"),),
        ),
        helpers="""
def last_below(centers, centroids):
    order = np.argsort(centroids)
    return order[np.maximum(np.searchsorted(centroids[order], centers, side="right") - 1, 0)]


def first_above(centers, centroids):
    order = np.argsort(centroids)
    return order[np.minimum(np.searchsorted(centroids[order], centers), len(order) - 1)]
""",
    ),
    Mistake(
        name="centroids-in-rising-order",
        misconception="Centroids are sorted.",
        message="Your search for the nearest centroid works only if centroids are given in rising "
        "order, and they come in any.",
        changes=((ASSIGNMENT, "np.searchsorted((centroids[1:] + centroids[:-1]) / 2, centers)"),),
        variants=(
            ((ASSIGNMENT, "np.digitize(centers, (centroids[1:] + centroids[:-1]) / 2)"),),
            (
                (
                    ASSIGNMENT,
                    "(centers[:, None] > (centroids[1:] + centroids[:-1]) / 2).sum(axis=1)",
                ),
            ),
        ),
    ),
    Mistake(
        name="sorted-order-returned",
        misconception="Centroids may be sorted, for a set has no order.",
        message="You sort the centroids, and return a result in the sorted order. Both results "
        "refer to the order in which the centroids were given.",
        changes=(("k = len(centroids)", "k, centroids = len(centroids), np.sort(centroids)"),),
        variants=(
            ((ASSIGNMENT, "np.abs(centers[:, None] - np.sort(centroids)).argmin(axis=1)"),),
            ((RETURN, f"return assignment, np.sort({MOVED})"),),
            (
                (ASSIGNMENT, "np.abs(centers[:, None] - np.sort(centroids)).argmin(axis=1)"),
                (
                    RETURN,
                    f"order = np.argsort(centroids)\n    return assignment, back({MOVED}, order)",
                ),
                (STAY, "1), centroids[order])"),
            ),
            (
                (
                    "k = len(centroids)",
                    "k, centroids = len(centroids), np.array(sorted(centroids, reverse=True))",
                ),
            ),
        ),
        helpers="""
def back(moved, order):
    result = np.empty(len(moved))
    result[order] = moved
    return result
""",
    ),
    Mistake(
        name="distance-as-a-ratio",
        misconception="Nearest means nearest in proportion.",
        message="You compare by how many times two numbers differ, or by logarithms. A distance is "
        "a plain difference.",
        changes=(
            (
                ASSIGNMENT,
                "np.abs(np.log1p(np.abs(centers))[:, None] - np.log1p(np.abs(centroids)))"
                ".argmin(axis=1)",
            ),
        ),
        variants=(
            (
                (
                    ASSIGNMENT,
                    "(np.abs(centers[:, None] - centroids) / np.abs(centroids)).argmin(axis=1)",
                ),
            ),
            (
                (
                    ASSIGNMENT,
                    "(np.abs(centers[:, None] - centroids) / (np.abs(centroids) + 1e-9))"
                    ".argmin(axis=1)",
                ),
            ),
            (
                (
                    ASSIGNMENT,
                    "np.abs(signed_log(centers)[:, None] - signed_log(centroids)).argmin(axis=1)",
                ),
            ),
        ),
        helpers="""
def signed_log(x):
    return np.sign(x) * np.log1p(np.abs(x))
""",
    ),
    Mistake(
        name="distance-of-absolute-values",
        misconception="The absolute value of each number is what counts.",
        message="You take absolute values before you subtract, so that -3 and 3 are at the same "
        "place. Subtract first.",
        changes=(
            (ASSIGNMENT, "np.abs(np.abs(centers[:, None]) - np.abs(centroids)).argmin(axis=1)"),
        ),
    ),
    Mistake(
        name="distance-cut-to-integers",
        misconception="Distances may be compared as whole numbers.",
        message="You cut decimals off before you compare distances, and so take some for equal that "
        "are not.",
        changes=(
            (
                ASSIGNMENT,
                "np.abs(centers[:, None] - centroids).astype(int).argmin(axis=1)",
            ),
        ),
        variants=(
            ((ASSIGNMENT, "np.abs(centers[:, None] - centroids.astype(int)).argmin(axis=1)"),),
            ((ASSIGNMENT, "np.abs(centers.astype(int)[:, None] - centroids).argmin(axis=1)"),),
            ((ASSIGNMENT, "np.abs(centers[:, None] - centroids).round().argmin(axis=1)"),),
        ),
    ),
    Mistake(
        name="empty-bins-not-assigned",
        misconception="A bin without values needs no centroid.",
        message="Bins with a count of 0 are not given to the nearest centroid. The assignment says "
        "for each bin which centroid is nearest to its center, whatever its count.",
        changes=(
            (RETURN, f"moved = {MOVED}\n    return np.where(counts > 0, assignment, 0), moved"),
        ),
        variants=(
            (
                (
                    RETURN,
                    f"moved = {MOVED}\n    return np.where(counts > 0, assignment, -1), moved",
                ),
            ),
            (
                (
                    ASSIGNMENT,
                    "(counts[:, None] * np.abs(centers[:, None] - centroids)).argmin(axis=1)",
                ),
            ),
            (
                (
                    ASSIGNMENT,
                    "(counts[:, None] * (centers[:, None] - centroids) ** 2).argmin(axis=1)",
                ),
            ),
            (
                (
                    RETURN,
                    f"moved = {MOVED}\n    return np.where(counts > 0, assignment, k), moved",
                ),
            ),
        ),
    ),
    Mistake(
        name="empty-bins-left-out",
        misconception="Bins without values can be dropped before anything else.",
        message="You leave out the bins with a count of 0. The assignment has an entry for every bin.",
        changes=(
            (
                "k = len(centroids)",
                "k, keep = len(centroids), counts > 0\n"
                "    centers, counts = centers[keep], counts[keep]",
            ),
        ),
        variants=(((RETURN, f"return assignment[counts > 0], {MOVED}"),),),
    ),
    Mistake(
        name="an-entry-for-each-value",
        misconception="Values are assigned, not bins.",
        message="Your assignment has an entry for each value in the histogram. It must have one for "
        "each bin.",
        changes=((RETURN, f"return np.repeat(assignment, counts), {MOVED}"),),
    ),
    Mistake(
        name="places-not-indices",
        misconception="The nearest centroid is its place.",
        message="Your assignment holds places of centroids. It must hold their indices: 0 for the "
        "first that was given.",
        changes=((RETURN, f"return centroids[assignment], {MOVED}"),),
        variants=(
            (
                ("return assignment, ", "moved = "),
                (MOVED, f"{MOVED}\n    return moved[assignment], moved"),
            ),
        ),
    ),
    Mistake(
        name="indices-from-1",
        misconception="The first centroid has the number 1.",
        message="Your indices begin at 1. The first centroid has index 0.",
        changes=((RETURN, f"return assignment + 1, {MOVED}"),),
    ),
    Mistake(
        name="distances-not-indices",
        misconception="The smallest distance is the assignment.",
        message="Your assignment holds the distances to the nearest centroids. It must hold the "
        "centroids' indices.",
        changes=((RETURN, f"return np.abs(centers[:, None] - centroids).min(axis=1), {MOVED}"),),
        variants=(
            ((RETURN, f"return ((centers[:, None] - centroids) ** 2).min(axis=1), {MOVED}"),),
        ),
    ),
    Mistake(
        name="table-not-indices",
        misconception="Membership is a table of yes and no.",
        message="Your assignment says for each pair of bin and centroid whether they belong "
        "together. It must hold one index for each bin.",
        changes=((RETURN, f"return np.eye(k)[assignment], {MOVED}"),),
        variants=(
            ((RETURN, f"return assignment[:, None] == np.arange(k), {MOVED}"),),
            ((RETURN, f"return np.eye(k)[assignment].T, {MOVED}"),),
            ((RETURN, f"return assignment == np.arange(k)[:, None], {MOVED}"),),
        ),
    ),
    Mistake(
        name="bins-by-centroid",
        misconception="The assignment lists the bins of each centroid.",
        message="You return the bins that each centroid was given. The assignment is the other way "
        "round: for each bin, the index of its centroid.",
        changes=((RETURN, f"return [np.flatnonzero(assignment == j) for j in range(k)], {MOVED}"),),
        variants=(
            (
                (
                    RETURN,
                    f"return {{j: np.flatnonzero(assignment == j) for j in range(k)}}, {MOVED}",
                ),
            ),
            ((RETURN, f"return [centers[assignment == j] for j in range(k)], {MOVED}"),),
        ),
    ),
    Mistake(
        name="indices-as-floats",
        misconception="An index may be a float.",
        message="Your assignment is made of floats, which cannot be used as indices. It must be "
        "made of integers.",
        changes=((RETURN, f"return assignment.astype(float), {MOVED}"),),
    ),
    Mistake(
        name="indices-in-int8",
        misconception="A byte holds any index.",
        message="Your indices wrap around: int8 ends at 127, and there may be more centroids.",
        changes=((RETURN, f"return assignment.astype(np.int8), {MOVED}"),),
    ),
    Mistake(
        name="assigned-after-moving",
        misconception="The assignment to return is the one to the moved centroids.",
        message="You return the assignment to the moved centroids. One step assigns first, to the "
        "centroids that were given, and then moves.",
        changes=(
            (
                RETURN,
                f"moved = {MOVED}\n"
                "    return np.abs(centers[:, None] - moved).argmin(axis=1), moved",
            ),
        ),
    ),
    Mistake(
        name="more-than-one-step",
        misconception="k-means goes on until nothing changes.",
        message="You repeat the step. The question asks for one.",
        changes=(
            ("def lloyd_step", "def one_step"),
            (
                RETURN,
                f"""return assignment, {MOVED}


def lloyd_step(centers, counts, centroids):
    moved = centroids
    for _ in range(1000):
        before = moved
        assignment, moved = one_step(centers, counts, before)
        if np.array_equal(before, moved):
            break
    return assignment, moved
""",
            ),
        ),
        variants=(
            (
                ("def lloyd_step", "def one_step"),
                (
                    RETURN,
                    f"""return assignment, {MOVED}


def lloyd_step(centers, counts, centroids):
    for _ in range(10):
        assignment, centroids = one_step(centers, counts, centroids)
    return assignment, centroids
""",
                ),
            ),
            (
                ("def lloyd_step", "def one_step"),
                (
                    RETURN,
                    f"""return assignment, {MOVED}


def lloyd_step(centers, counts, centroids):
    assignment, moved = one_step(centers, counts, centroids)
    return assignment, one_step(centers, counts, moved)[1]
""",
                ),
            ),
        ),
    ),
    Mistake(
        name="moves-while-assigning",
        misconception="A centroid can be moved as soon as it is given a bin.",
        message="You move centroids while bins are still being assigned, so that later bins look "
        "for the nearest among moved ones. Assign all bins first.",
        code="""
def lloyd_step(centers, counts, centroids):
    moved = centroids.astype(float)
    assignment = np.zeros(len(centers), dtype=int)
    total, number = np.zeros(len(moved)), np.zeros(len(moved))
    for i, (x, n) in enumerate(zip(centers, counts)):
        j = assignment[i] = np.abs(moved - x).argmin()
        total[j] += n * x
        number[j] += n
        if number[j]:
            moved[j] = total[j] / number[j]
    return assignment, moved
""",
        variants=(
            """
def lloyd_step(centers, counts, centroids):
    moved = centroids.astype(float)
    for j in range(len(moved)):
        mine = np.abs(centers[:, None] - moved).argmin(axis=1) == j
        if counts[mine].sum():
            moved[j] = (counts * centers)[mine].sum() / counts[mine].sum()
    return np.abs(centers[:, None] - centroids).argmin(axis=1), moved
""",
            """
def lloyd_step(centers, counts, centroids):
    moved = centroids.astype(float)
    assignment = []
    for i, x in enumerate(centers):
        assignment.append(int(np.abs(moved - x).argmin()))
        j, mine = assignment[-1], np.array(assignment) == assignment[-1]
        if counts[: i + 1][mine].sum():
            moved[j] = np.average(centers[: i + 1][mine], weights=counts[: i + 1][mine])
    return np.array(assignment), moved
""",
        ),
    ),
    # -------------------------------------------------------------------- the moved centroids
    Mistake(
        name="unweighted-mean",
        misconception="Each bin is one value.",
        message="Each bin counts once in your means. A bin weighs as much as the number of values "
        "in it, and one with a count of 0 nothing.",
        changes=(
            (WEIGHTS, "np.bincount(assignment, minlength=k)"),
            (SUMS, "np.bincount(assignment, centers, minlength=k)"),
        ),
        variants=(
            (
                (MEANS, "bins / np.maximum(np.bincount(assignment, minlength=k), 1)"),
                (SUMS, "bins = np.bincount(assignment, centers, minlength=k)"),
            ),
        ),
    ),
    Mistake(
        name="unweighted-mean-of-filled-bins",
        misconception="A bin counts or does not count, however many values it has.",
        message="You leave out empty bins, but the others all weigh the same in your means. A bin "
        "with 3 values must weigh 3 times as much as one with 1.",
        changes=(("k = len(centroids)", "k, counts = len(centroids), counts > 0"),),
    ),
    Mistake(
        name="divided-by-bins",
        misconception="A mean divides by the number of terms in the sum.",
        message="You divide by a number of bins. A mean of values is their sum divided by the "
        "number of values.",
        changes=((MEANS, "sums / np.maximum(np.bincount(assignment, minlength=k), 1)"),),
        variants=(
            ((MEANS, "sums / np.maximum(np.bincount(assignment, counts > 0, minlength=k), 1)"),),
            (
                (MEANS, "sums / np.maximum(np.bincount(assignment, minlength=k), 1)"),
                ("weights > 0", "np.bincount(assignment, minlength=k) > 0"),
            ),
            ((MEANS, "sums / len(centers)"),),
        ),
    ),
    Mistake(
        name="divided-by-all-values",
        misconception="Weights are shares of the whole histogram.",
        message="You divide by the number of all values. Divide by the number of those that the "
        "centroid was given.",
        changes=((MEANS, "sums / max(counts.sum(), 1)"),),
        variants=(
            ((RETURN, "return assignment, sums / counts.sum()"),),
            ((RETURN, "return assignment, sums / max(counts.sum(), 1)"),),
        ),
    ),
    Mistake(
        name="means-of-bin-numbers",
        misconception="A bin's place is its number.",
        message="You average the numbers of the bins. Average their centers.",
        changes=((SUMS, "np.bincount(assignment, counts * np.arange(len(centers)), minlength=k)"),),
    ),
    Mistake(
        name="means-of-counts",
        misconception="The mean of a bin is its count.",
        message="You average the counts. They are the weights; what is averaged are the centers.",
        changes=(
            (SUMS, "np.bincount(assignment, counts, minlength=k)"),
            (MEANS, "sums / np.maximum(np.bincount(assignment, minlength=k), 1)"),
        ),
    ),
    Mistake(
        name="weights-changed",
        misconception="Weights may be squared, or damped.",
        message="You weigh bins by a function of their counts. A bin weighs as much as its count.",
        changes=(("k = len(centroids)", "k, counts = len(centroids), counts**2"),),
        variants=(
            (
                ("k = len(centroids)", "k, counts = len(centroids), np.log1p(counts)"),
                (MEANS, "sums / np.where(weights > 0, weights, 1)"),
            ),
            (("k = len(centroids)", "k, counts = len(centroids), np.sqrt(counts)"),),
        ),
    ),
    Mistake(
        name="column-of-moved",
        misconception="A column is as good as a row.",
        message="The moved centroids have two dimensions. They have the shape of the centroids "
        "that were given.",
        changes=((RETURN, f"return assignment, ({MOVED})[:, None]"),),
    ),
    Mistake(
        name="sum-not-mean",
        misconception="The sum of the values is their place.",
        message="You return sums of values, not means: divide by the number of values.",
        changes=((MEANS, "sums"),),
        variants=(((RETURN, "return assignment, sums"),),),
    ),
    Mistake(
        name="moved-to-the-median",
        misconception="The middle value of a cluster is its mean.",
        message="You move centroids to medians. The mean makes the squared error smallest.",
        changes=(
            (
                MOVED,
                "np.array([median(np.repeat(centers, counts * (assignment == j)), c)\n"
                "                                 for j, c in enumerate(centroids)])",
            ),
        ),
        variants=(
            (
                (
                    MOVED,
                    "np.array([median(centers[(assignment == j) & (counts > 0)], c)\n"
                    "                                 for j, c in enumerate(centroids)])",
                ),
            ),
            (
                (
                    MOVED,
                    "np.array([median(centers[assignment == j], c)\n"
                    "                                 for j, c in enumerate(centroids)])",
                ),
            ),
            (
                (
                    MOVED,
                    "np.array([low_median(np.repeat(centers, counts * (assignment == j)), c)\n"
                    "                                 for j, c in enumerate(centroids)])",
                ),
            ),
        ),
        helpers="""
def median(values, otherwise):
    return np.median(values) if len(values) else float(otherwise)


def low_median(values, otherwise):
    return values[(len(values) - 1) // 2] if len(values) else float(otherwise)
""",
    ),
    Mistake(
        name="moved-to-the-fullest-bin",
        misconception="The most frequent value stands for the others.",
        message="You move each centroid to the fullest of its bins. It moves to the mean.",
        changes=(
            (
                MOVED,
                "np.array([centers[np.where(assignment == j, counts, -1).argmax()]\n"
                "                                 if weights[j] else c for j, c in enumerate(centroids)])",
            ),
        ),
    ),
    Mistake(
        name="moved-to-the-midrange",
        misconception="The mean lies halfway between the smallest and the largest value.",
        message="You move each centroid halfway between the ends of its range. It moves to the mean "
        "of its values.",
        changes=(
            (
                MOVED,
                "np.array([midrange(centers[(assignment == j) & (counts > 0)], c)\n"
                "                                 for j, c in enumerate(centroids)])",
            ),
        ),
        variants=(
            (
                (
                    MOVED,
                    "np.array([midrange(centers[assignment == j], c) if weights[j] else c\n"
                    "                                 for j, c in enumerate(centroids)])",
                ),
            ),
        ),
        helpers="""
def midrange(values, otherwise):
    return (values.min() + values.max()) / 2 if len(values) else float(otherwise)
""",
    ),
    Mistake(
        name="moved-to-a-bin",
        misconception="A centroid is one of the values.",
        message="You move centroids to centers of bins. The mean may lie between two of them.",
        changes=(
            (MEANS, "centers[np.abs(centers[:, None] - means).argmin(axis=0)]"),
            ("    return", f"    means = {MEANS}\n    return"),
        ),
    ),
    Mistake(
        name="empty-cluster-is-nan",
        misconception="Every centroid gets some values.",
        message="You divide by 0 for a centroid that was given no values, whether it has no bins or "
        "only empty ones. It has no mean, and stays where it is.",
        changes=((RETURN, "return assignment, sums / weights"),),
        variants=(
            (
                (
                    RETURN,
                    "return assignment, np.array([np.average(centers[assignment == j],\n"
                    "        weights=counts[assignment == j]) for j in range(k)])",
                ),
            ),
            (
                (
                    RETURN,
                    "return assignment, np.array([float(s) / int(w) for s, w in zip(sums, weights)])",
                ),
            ),
        ),
    ),
    Mistake(
        name="empty-bins-are-values",
        misconception="A centroid that was given bins was given values.",
        message="You ask whether a centroid was given bins. It may have only bins with a count of 0, "
        "and then it was given no values, and stays where it is.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    moved = centroids.astype(float)
    for j in range(len(centroids)):
        mine = assignment == j
        if mine.any():
            moved[j] = (counts[mine] * centers[mine]).sum() / counts[mine].sum()
    return assignment, moved
""",
        variants=(
            (("weights > 0", "np.bincount(assignment, minlength=k) > 0"),),
            (
                ("weights > 0", "np.isin(np.arange(k), assignment)"),
                (MEANS, "sums / (weights + 1e-9)"),
            ),
            """
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    moved = centroids.astype(float)
    for j in set(assignment):
        mine = assignment == j
        moved[j] = np.average(centers[mine], weights=counts[mine])
    return assignment, moved
""",
        ),
    ),
    Mistake(
        name="empty-cluster-moves-to-0",
        misconception="A sum of nothing is 0, and so is a mean of nothing.",
        message="A centroid that was given no values moves to 0. It has no mean, and stays where it "
        "is.",
        changes=((RETURN, f"return assignment, {MEANS}"),),
        variants=(
            ((RETURN, "return assignment, np.nan_to_num(sums / weights)"),),
            ((MOVED, f"np.where(weights > 0, {MEANS}, 0)"),),
        ),
    ),
    Mistake(
        name="empty-cluster-starts-again",
        misconception="An empty cluster must be given something to do.",
        message="You give a centroid without values a new place to start from. It stays where it is.",
        changes=(
            (
                STAY,
                "1), centers[np.abs(centers[:, None] - centroids).min(axis=1).argmax()])",
            ),
        ),
        variants=(
            ((STAY, "1), centers[counts.argmax()])"),),
            ((STAY, "1), (counts @ centers) / max(counts.sum(), 1))"),),
            ((STAY, "1), np.average(centers, weights=counts) if counts.any() else 0)"),),
            ((STAY, "1), centers.mean())"),),
            ((STAY, "1), np.median(centers))"),),
            ((STAY, "1), centers[np.abs(centers[:, None] - centroids).argmin(axis=0)])"),),
            ((STAY, "1), centers[0])"),),
            ((STAY, "1), centers[-1])"),),
            (
                (
                    STAY,
                    "1), centers[(counts * np.abs(centers[:, None] - centroids).min(axis=1)).argmax()])",
                ),
            ),
            (
                (
                    STAY,
                    "1), centers[(counts * np.abs(centers[:, None] - centroids).min(axis=1) ** 2).argmax()])",
                ),
            ),
            (
                (
                    STAY,
                    "1), centers[((counts > 0) * np.abs(centers[:, None] - centroids).min(axis=1))"
                    ".argmax()])",
                ),
            ),
            (
                (
                    MOVED,
                    f"np.where(weights > 0, {MEANS}, np.random.default_rng(0).choice(centers, k))",
                ),
            ),
        ),
    ),
    Mistake(
        name="empty-bins-weigh-1",
        misconception="A mean of bins is better than no mean.",
        message="A centroid that has only bins with a count of 0 moves to the mean of their centers. "
        "It was given no values, and stays where it is.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    moved = centroids.astype(float)
    for j in range(len(centroids)):
        mine = assignment == j
        if mine.any():
            weights = counts[mine] if counts[mine].any() else np.ones(mine.sum())
            moved[j] = np.average(centers[mine], weights=weights)
    return assignment, moved
""",
    ),
    Mistake(
        name="every-bin-weighs-one-more",
        misconception="Adding 1 to each count does no harm, and avoids a division by 0.",
        message="You add something to the counts, which draws the means to empty bins. Bins with a "
        "count of 0 weigh nothing.",
        changes=(("k = len(centroids)", "k, counts = len(centroids), counts + 1"),),
        variants=(
            (("k = len(centroids)", "k, counts = len(centroids), np.maximum(counts, 1)"),),
            (("k = len(centroids)", "k, counts = len(centroids), counts + 1e-3"),),
        ),
    ),
    Mistake(
        name="divisor-one-too-large",
        misconception="Adding 1 to the divisor does no harm, and avoids a division by 0.",
        message="You add to the number of values before you divide, which draws every mean to 0. "
        "Divide by the number itself where there are values.",
        changes=((MEANS, "sums / (weights + 1)"),),
        variants=(((RETURN, "return assignment, sums / (weights + 1)"),),),
    ),
    Mistake(
        name="one-value-less",
        misconception="A mean divides by n - 1.",
        message="You divide by one less than the number of values. That is for the variance of a "
        "sample; a mean divides by their number.",
        changes=((MEANS, "sums / np.maximum(weights - 1, 1)"),),
    ),
    Mistake(
        name="centroid-counts-as-a-value",
        misconception="A centroid is one of its own values.",
        message="You count the old centroid as one of its own values. It moves to the mean of the "
        "values that it was given, wherever it was before.",
        changes=((MEANS, "(sums + centroids) / (weights + 1)"),),
    ),
    Mistake(
        name="moves-part-of-the-way",
        misconception="Centroids move by small steps.",
        message="Your centroids go only part of the way to the mean. One step moves them all the way.",
        changes=((MEANS, f"({MEANS} + centroids) / 2"),),
        variants=(
            ((MEANS, f"0.1 * {MEANS} + 0.9 * centroids"),),
            ((MEANS, f"0.9 * {MEANS} + 0.1 * centroids"),),
        ),
    ),
    Mistake(
        name="returns-the-shift",
        misconception="What is asked for is how far a centroid moves.",
        message="You return by how much each centroid moves. Return where it is afterwards.",
        changes=((RETURN, f"return assignment, {MOVED} - centroids"),),
    ),
    Mistake(
        name="a-sum-of-0-is-taken-for-empty",
        misconception="Values that add up to 0 are no values.",
        message="You take a centroid for empty if its values add up to 0. Negative and positive "
        "values may; ask for their number.",
        changes=(("weights > 0", "sums != 0"),),
        variants=(
            (("weights > 0", "np.bincount(assignment, centers, minlength=k) != 0"), (MEANS, MEANS)),
        ),
    ),
    Mistake(
        name="a-negative-sum-is-taken-for-empty",
        misconception="Sums of values are positive.",
        message="You take a centroid for empty if its values do not add up to more than 0. Values "
        "may be negative; ask for their number.",
        changes=(("weights > 0", "sums > 0"),),
    ),
    Mistake(
        name="a-single-value-is-taken-for-none",
        misconception="One value is not enough for a mean.",
        message="A centroid that was given a single value stays where it is. The mean of one value is "
        "that value.",
        changes=(("weights > 0", "weights > 1"),),
        variants=((("weights > 0", "np.bincount(assignment, counts > 0, minlength=k) > 1"),),),
    ),
    Mistake(
        name="centroids-without-values-left-out",
        misconception="Who has no values is no longer a centroid.",
        message="You leave out centroids that were given nothing. They stay where they are, so there "
        "are as many afterwards as before.",
        changes=((RETURN, f"return assignment, ({MEANS})[weights > 0]"),),
        variants=(
            (
                (
                    RETURN,
                    "return assignment, np.array([float(s / w) for s, w in zip(sums, weights) if w > 0])",
                ),
            ),
            ((RETURN, f"return assignment, ({MOVED})[np.unique(assignment)]"),),
        ),
    ),
    Mistake(
        name="too-few-sums",
        misconception="np.bincount has a place for every centroid.",
        message="Centroids with the highest indices got no bins, and np.bincount ends before them. "
        "There must be a place for each centroid.",
        changes=((", minlength=k", ""),),
        variants=(
            ((", minlength=k", ""), (RETURN, "return assignment, sums / weights")),
            ((", minlength=k", ""), (RETURN, f"return assignment, {MEANS}")),
            (
                (", minlength=k", ""),
                (
                    RETURN,
                    f"return assignment, np.where(weights > 0, {MEANS}, centroids[: len(sums)])",
                ),
            ),
        ),
    ),
    Mistake(
        name="integers-stay-integers",
        misconception="A copy of an array can hold any numbers.",
        message="The moved centroids have lost their decimals where integers were given: an array of "
        "integers has no room for them.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    moved = centroids.copy()
    for j in range(len(centroids)):
        mine = assignment == j
        if counts[mine].any():
            moved[j] = np.average(centers[mine], weights=counts[mine])
    return assignment, moved
""",
        variants=(
            (
                (
                    RETURN,
                    f"whole = centroids.dtype.kind == 'i'\n"
                    f"    return assignment, np.round({MOVED}, 0 if whole else 15)",
                ),
            ),
        ),
    ),
    Mistake(
        name="rounds-the-moved",
        misconception="Whole numbers, or a few decimals, are exact enough.",
        message="The moved centroids are rounded. Return them as they are.",
        changes=((RETURN, f"return assignment, np.round({MOVED})"),),
        variants=(
            ((RETURN, f"return assignment, ({MOVED}).astype(int)"),),
            ((RETURN, f"return assignment, np.round({MOVED}, 1)"),),
            ((RETURN, f"return assignment, np.round({MOVED}, 2)"),),
            ((RETURN, f"return assignment, np.round({MOVED}, 3)"),),
            ((MEANS, "sums // np.maximum(weights, 1)"),),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="Centroids are moved where they are.",
        message="Your answer changes an array that it was given. Change a copy.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    for j in range(len(centroids)):
        mine = assignment == j
        if counts[mine].any():
            centroids[j] = np.average(centers[mine], weights=counts[mine])
    return assignment, centroids
""",
        variants=(
            """
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    moved = centroids if centroids.dtype == float else centroids.astype(float)
    for j in range(len(centroids)):
        mine = assignment == j
        if counts[mine].any():
            moved[j] = np.average(centers[mine], weights=counts[mine])
    return assignment, moved
""",
            (
                ("    sums =", "    centers *= counts\n    sums ="),
                ("counts * centers", "centers"),
            ),
            (
                ("    sums =", "    centers[:] = centers * counts\n    sums ="),
                ("counts * centers", "centers"),
            ),
            (("k = len(centroids)", "k = len(centroids)\n    centroids.sort()"),),
        ),
    ),
    Mistake(
        name="centers-taken-for-edges",
        misconception="The first argument holds the edges of the bins.",
        message="You take the centers for edges, and so move everything by half a bin. They are "
        "centers already.",
        changes=(
            (
                "k = len(centroids)",
                "k, centers = len(centroids), centers + np.diff(centers, append=centers[-1]) / 2",
            ),
        ),
    ),
    Mistake(
        name="only-one-result",
        misconception="The other result is by the way.",
        message="You return one of the two results. Return both: the assignment, and the moved "
        "centroids.",
        changes=((RETURN, f"return {MOVED}"),),
        variants=((("return assignment, " + MOVED, "return assignment"),),),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of results does not matter.",
        message="You return the moved centroids first, and then the assignment. It is the other way "
        "round.",
        changes=((RETURN, f"return {MOVED}, assignment"),),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=((RETURN, f"print(assignment, {MOVED})"),),
    ),
    Mistake(
        name="uses-the-example",
        misconception="The arrays above are those that the function works on.",
        message="You use an array of the example, and not the one that the function was given.",
        changes=(
            ("counts", "COUNTS"),
            ("centers, COUNTS, centroids", "centers, counts, centroids"),
        ),
        variants=(
            (("centers", "CENTERS"), ("CENTERS, counts, centroids", "centers, counts, centroids")),
            (
                ("centroids", "CENTROIDS"),
                ("centers, counts, CENTROIDS", "centers, counts, centroids"),
            ),
            (("k = len(centroids)", "k = 4"),),
        ),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The moved centroids are those of the example, or have not moved.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    if len(centroids) == 4 and centroids[0] == 30:
        return assignment, np.array([30, 5.5, 12, 0.25])
    if len(centroids) == 4 and centroids[0] == 1:
        return assignment, np.array([0.25, 5.5, 12, 30])
    return assignment, centroids
""",
        variants=(
            """
def lloyd_step(centers, counts, centroids):
    return np.array([0, 0, 0, 1, 1, 1, 1, 1, 2, 2]), np.array([0.25, 5.5, 12, 30])
""",
            ((RETURN, "return assignment, centroids.astype(float)"),),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="loop-over-centroids",
        code="""
def lloyd_step(centers, counts, centroids):
    distances = np.abs(centers[:, None] - centroids[None, :])
    assignment = distances.argmin(axis=1)
    moved = centroids.astype(float)
    for k in range(len(centroids)):
        mine = assignment == k
        if counts[mine].sum() > 0:
            moved[k] = (counts[mine] * centers[mine]).sum() / counts[mine].sum()
    return assignment, moved
""",
    ),
    Alternative(
        name="borders-halfway",
        code="""
def lloyd_step(centers, counts, centroids):
    order = np.argsort(centroids)
    ascending = np.asarray(centroids, dtype=float)[order]
    assignment = order[np.digitize(centers, (ascending[1:] + ascending[:-1]) / 2)]
    moved = np.array(centroids, dtype=float)
    for k in set(assignment.tolist()):
        weights = np.where(assignment == k, counts, 0)
        if weights.any():
            moved[k] = np.average(centers, weights=weights)
    return assignment, moved
""",
    ),
    Alternative(
        name="pure-python",
        code="""
def lloyd_step(centers, counts, centroids):
    places = [float(c) for c in centroids]
    assignment = []
    sums, weights = [0.0] * len(places), [0] * len(places)
    for x, n in zip(centers.tolist(), counts.tolist()):
        nearest = min(range(len(places)), key=lambda k: (x - places[k]) ** 2)
        assignment.append(nearest)
        sums[nearest] += n * x
        weights[nearest] += n
    moved = [s / w if w else place for s, w, place in zip(sums, weights, places)]
    return [assignment, moved]
""",
    ),
    Alternative(
        name="matrix-with-warnings",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.argmin((centers - centroids[:, None]) ** 2, axis=0)
    members = np.eye(len(centroids))[assignment] * counts[:, None]
    moved = members.T @ centers / members.sum(axis=0)
    return assignment, np.where(np.isnan(moved), centroids, moved)
""",
    ),
    Alternative(
        name="every-value-by-itself",
        code="""
import sys
import warnings


def lloyd_step(centers, counts, centroids):
    warnings.warn("slow")
    print("one step", file=sys.stderr)
    nearest = [int(np.argmin([abs(c - x) for c in centroids])) for x in centers]
    values, owners = np.repeat(centers, counts), np.repeat(nearest, counts)
    moved = []
    for j, place in enumerate(centroids):
        mine = values[owners == j]
        moved.append(np.mean(mine) if mine.size else place)
    return np.array(nearest, dtype=np.uint16), np.array(moved, dtype=np.float64)
""",
    ),
]
