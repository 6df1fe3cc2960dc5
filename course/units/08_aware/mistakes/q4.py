"""Question 4, a step of shared weights: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

COUNTS = "counts = np.bincount(flat, minlength=len(centroids))"
TOTALS = "totals = np.bincount(flat, weights=gradient.ravel(), minlength=len(centroids))"
MEANS = "means = np.where(centroids == 0, 0, totals / np.maximum(counts, 1))"
MOVED = "moved = centroids - rate * means"
RETURN = "return moved, moved[codes]"


def means(text: str) -> tuple:
    return ((MEANS, f"means = {text}"),)


def returned(text: str) -> tuple:
    return ((RETURN, text),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.aware.share",
        changes=returned(
            "from utils.quantization.aware import share\n"
            "    share(torch.from_numpy(centroids), torch.from_numpy(codes))\n    " + RETURN
        ),
    ),
    Mistake(
        name="sum-of-gradients",
        misconception="A shared weight gets the sum of gradients.",
        message="You take the sum of the gradients, as the chain rule has it. Here it is the mean.",
        changes=means("np.where(centroids == 0, 0, totals)"),
    ),
    Mistake(
        name="mean-over-all-weights",
        misconception="A mean is over all weights.",
        message="You divide by the number of all weights. It is the number of those in the cluster.",
        changes=means("np.where(centroids == 0, 0, totals / len(flat))"),
    ),
    Mistake(
        name="divided-by-the-number-of-centroids",
        misconception="A mean is over the codebook.",
        message="You divide by the number of centroids.",
        changes=means("np.where(centroids == 0, 0, totals / len(centroids))"),
    ),
    Mistake(
        name="root-of-the-number",
        misconception="A mean divides by a root.",
        message="You divide by the root of the number of weights.",
        changes=means("np.where(centroids == 0, 0, totals / np.sqrt(np.maximum(counts, 1)))"),
    ),
    Mistake(
        name="zero-moves",
        misconception="A centroid is a centroid.",
        message="A centroid that is 0 moves in your answer, and brings pruned weights back.",
        changes=means("totals / np.maximum(counts, 1)"),
    ),
    Mistake(
        name="zero-is-the-first",
        misconception="The centroid that is 0 stands first.",
        message="You keep the first centroid, or the one of code 0. It is the one whose value is 0.",
        changes=means(
            "np.where(np.arange(len(centroids)) == 0, 0, totals / np.maximum(counts, 1))"
        ),
    ),
    Mistake(
        name="near-zero-stays",
        misconception="The smallest centroid is that of pruned weights.",
        message="You keep the centroid nearest to 0. Only one that is 0 stays.",
        changes=means(
            "np.where(abs(centroids) == abs(centroids).min(), 0, totals / np.maximum(counts, 1))"
        ),
    ),
    Mistake(
        name="empty-cluster",
        misconception="Every centroid has weights.",
        message="A centroid without weights is lost: you divide 0 by 0. It stays as it is.",
        changes=means("np.where(centroids == 0, 0, totals / counts)"),
    ),
    Mistake(
        name="empty-cluster-becomes-zero",
        misconception="A centroid without weights is not needed.",
        message="A centroid without weights becomes 0, or is left out. It stays as it is.",
        changes=((MOVED, "moved = np.where(counts > 0, centroids - rate * means, 0)"),),
        variants=(returned("return moved[counts > 0], moved[codes]"),),
    ),
    Mistake(
        name="one-weight-counts",
        misconception="Indexing adds up what has the same index.",
        message="Only the last weight of each cluster counts. With repeated numbers, "
        "`totals[codes] += gradient` adds once.",
        changes=(
            (TOTALS, "totals = np.zeros(len(centroids))\n    totals[flat] += gradient.ravel()"),
        ),
        variants=(
            (
                (TOTALS, "totals = np.zeros(len(centroids))\n    totals[flat] += gradient.ravel()"),
                *means("np.where(centroids == 0, 0, totals)"),
            ),
        ),
    ),
    Mistake(
        name="sizes-of-gradients",
        misconception="What counts is how large gradients are.",
        message="You take magnitudes of the gradients.",
        changes=(
            (
                TOTALS,
                "totals = np.bincount(flat, weights=np.abs(gradient).ravel(), minlength=len(centroids))",
            ),
        ),
    ),
    Mistake(
        name="uphill",
        misconception="A step follows the gradient.",
        message="You go uphill: a step is against the gradient.",
        changes=((MOVED, "moved = centroids + rate * means"),),
    ),
    Mistake(
        name="rate-left-out",
        misconception="The mean gradient is the step.",
        message="You leave the rate out, or apply it twice.",
        changes=((MOVED, "moved = centroids - means"),),
        variants=(((MOVED, "moved = centroids - rate**2 * means"),),),
    ),
    Mistake(
        name="weights-move-alone",
        misconception="Every weight goes its own step.",
        message="The weights of a cluster differ after your step. They share one value.",
        changes=returned(
            "return moved, centroids[codes] - rate * gradient * (centroids[codes] != 0)"
        ),
        variants=(returned("return moved, centroids[codes] - rate * gradient"),),
    ),
    Mistake(
        name="old-weights",
        misconception="Weights are assigned at the start.",
        message="Your weights are those before the step.",
        changes=returned("return moved, centroids[codes]"),
    ),
    Mistake(
        name="assigned-anew",
        misconception="After a step of k-means, weights go to the nearest centroid.",
        message="You assign weights anew, to the centroid that is nearest now. Codes stay as they are.",
        changes=returned(
            "nearest = np.abs(centroids[codes][..., None] - moved).argmin(axis=-1)\n"
            "    return moved, moved[nearest]"
        ),
        variants=(
            returned(
                "stepped = centroids[codes] - rate * gradient\n"
                "    nearest = np.abs(stepped[..., None] - moved).argmin(axis=-1)\n"
                "    return moved, moved[nearest]"
            ),
        ),
    ),
    Mistake(
        name="sorted-centroids",
        misconception="A codebook is in order.",
        message="You sort the centroids, so that codes mean others.",
        changes=returned("moved = np.sort(moved)\n    return moved, moved[codes]"),
        variants=(returned("return np.sort(moved), moved[codes]"),),
    ),
    Mistake(
        name="flat-weights",
        misconception="Weights are a list.",
        message="Your weights have lost their shape.",
        changes=returned("return moved, moved[flat]"),
    ),
    Mistake(
        name="changes-its-input",
        misconception="A step happens in place.",
        message="Your answer changes the centroids that it is given. Work on a copy.",
        changes=((MOVED, "centroids -= rate * means\n    moved = centroids.copy()"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with masks",
        code="""
def shared_step(centroids, codes, gradient, rate):
    new = centroids.copy()
    for k, value in enumerate(centroids):
        mine = codes == k
        if value != 0 and mine.any():
            new[k] = value - rate * gradient[mine].mean()
    return new, np.take(new, codes)
""",
    ),
    Alternative(
        name="the mean of weights that moved each by itself",
        code="""
def shared_step(centroids, codes, gradient, rate):
    stepped = centroids[codes] - rate * gradient
    sums, counts = np.zeros(len(centroids)), np.zeros(len(centroids))
    np.add.at(sums, codes, stepped)
    np.add.at(counts, codes, 1)
    with np.errstate(invalid="ignore"):
        new = np.where((counts == 0) | (centroids == 0), centroids, sums / counts)
    return new, new[codes]
""",
    ),
]
