"""Wrong answers that students of unit 02 give, and right answers written another way."""

from course.writing.mistakes import Alternative, Mistake


def changed(code: str, *changes: tuple[str, str]) -> str:
    """A right answer with some lines made wrong."""
    for right, wrong in changes:
        if right not in code:
            raise ValueError(f"{right!r} does not occur in the answer that is to be changed")
        code = code.replace(right, wrong)
    return code


RIGHT_Q1 = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def bce(p, z):
    return (p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)).mean()


def distillation_loss(student, teacher, labels, temperature, alpha):
    T = temperature
    soft = T**2 * bce(sigmoid(teacher / T), student / T)
    hard = bce(labels, student)
    return alpha * soft + (1 - alpha) * hard


def soft_gradient(student, teacher, temperature):
    T = temperature
    gap = sigmoid(student / T) - sigmoid(teacher / T)
    return T * gap / gap.size
"""

RIGHT_Q2 = """
def rank_for_bytes(shape, budget, bytes_per_value):
    rows, columns = shape
    rank = budget // ((rows + columns) * bytes_per_value)
    if rank == 0:
        raise ValueError("too little for rank 1")
    return min(rank, rows, columns)


def truncated_svd(matrix, rank):
    U, S, Vt = np.linalg.svd(matrix, full_matrices=False)
    A = U[:, :rank] * S[:rank]
    B = Vt[:rank]
    return A, B, sum(S[rank:] ** 2) / sum(S**2)
"""

RIGHT_Q3 = """
def sparse_pattern(outputs, inputs, sparsity, seed):
    n = outputs * inputs
    numbers = splitmix64(seed, n)
    k = round((1 - sparsity) * n)
    positions = np.sort(np.argsort(numbers)[:k])
    return positions // inputs, positions % inputs


def sparse_forward(x, values, rows, columns, bias):
    y = np.zeros((len(x), len(bias)))
    np.add.at(y, (slice(None), rows), x[:, columns] * values)
    return y + bias


def stored_bytes(outputs, inputs, sparsity, width):
    k = round((1 - sparsity) * outputs * inputs)
    return 16 + k * width + outputs * width
"""

RIGHT_Q4 = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def dropout(values, rate, random):
    keep = random.random(values.shape) >= rate
    return values * keep / (1 - rate)


def dropout_target(network, x, samples):
    before = network.training
    network.train()
    total = 0
    for _ in range(samples):
        total = total + sigmoid(network(x))
    network.train(before)
    return total / samples
"""

RIGHT_Q5 = """
def choose_student(records, max_bytes):
    best = None
    for student in {(r["method"], r["setting"]) for r in records}:
        mine = [r for r in records if (r["method"], r["setting"]) == student]
        dev = [r["macro_f1"] for r in mine if r["split"] == "dev"]
        test = [r["macro_f1"] for r in mine if r["split"] == "test"]
        size = max(r["file_bytes"] for r in mine)
        score = sum(dev) / len(dev)
        if size <= max_bytes and (best is None or (score, -size) > best[:2]):
            best = (score, -size, *student, sum(test) / len(test))
    return None if best is None else best[2:]
"""

NO_LIBRARY = {
    "q4": "utils.distillation.dropout_distillation_targets takes torch networks, and this is none",
    "q5": "utils trains students but never chooses between them",
}

MISTAKES = [
    # ------------------------------------------------------------ q1: loss and gradient
    Mistake(
        question="q1",
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        code="""
import torch

from utils.distillation import SoftLabelLoss


def distillation_loss(student, teacher, labels, temperature, alpha):
    targets = torch.tensor(np.concatenate([labels, teacher], axis=1))
    return SoftLabelLoss(temperature, alpha)(torch.tensor(student), targets).item()


def soft_gradient(student, teacher, temperature):
    z = torch.tensor(student, requires_grad=True)
    targets = torch.tensor(np.concatenate([0 * teacher, teacher], axis=1))
    SoftLabelLoss(temperature, 1.0)(z, targets).backward()
    return z.grad
""",
        message="your answer calls utils.distillation.SoftLabelLoss",
    ),
    Mistake(
        question="q1",
        name="no-square-of-the-temperature",
        misconception="Softened logits are all that the temperature is about.",
        code=changed(RIGHT_Q1, ("T**2 * bce", "bce"), ("T * gap", "gap / T")),
        message="T^2 is missing",
    ),
    Mistake(
        question="q1",
        name="temperature-not-squared",
        misconception="The chain rule takes away T once, so T once puts it back.",
        code=changed(RIGHT_Q1, ("T**2 * bce", "T * bce")),
        message="You multiply by T, and not by its square",
    ),
    Mistake(
        question="q1",
        name="sum-not-mean",
        misconception="A loss is the sum over all that can be wrong.",
        code=changed(RIGHT_Q1, (".mean()", ".sum()")),
        message="You add up over comments and labels",
    ),
    Mistake(
        question="q1",
        name="sum-over-labels",
        misconception="A loss is a sum over labels and a mean over comments.",
        code=changed(RIGHT_Q1, (".mean()", ".sum(axis=1).mean()")),
        message="You add up over labels; take the mean over both",
    ),
    Mistake(
        question="q1",
        name="one-loss-for-each-comment",
        misconception="The mean is taken over the labels of a comment.",
        code=changed(RIGHT_Q1, (".mean()", ".mean(axis=1)")),
        message="One number for all comments and labels",
    ),
    Mistake(
        question="q1",
        name="temperature-for-the-student-only",
        misconception="The teacher's probabilities are what they are.",
        code=changed(RIGHT_Q1, ("bce(sigmoid(teacher / T)", "bce(sigmoid(teacher)")),
        message="you soften the student only",
    ),
    Mistake(
        question="q1",
        name="temperature-for-the-teacher-only",
        misconception="The student must reach the soft labels with its own, sharp probabilities.",
        code=changed(RIGHT_Q1, ("(teacher / T), student / T)", "(teacher / T), student)")),
        message="you soften the teacher only",
    ),
    Mistake(
        question="q1",
        name="temperature-for-nobody",
        misconception="The temperature is a weight of the loss.",
        code=changed(RIGHT_Q1, ("(teacher / T), student / T)", "(teacher), student)")),
        message="neither side is softened",
    ),
    Mistake(
        question="q1",
        name="times-the-temperature",
        misconception="A higher temperature means larger logits.",
        code=changed(RIGHT_Q1, ("(teacher / T), student / T)", "(teacher * T), student * T)")),
        message="which makes them more extreme; divide",
    ),
    Mistake(
        question="q1",
        name="softmax-over-labels",
        misconception="Distillation is defined with a softmax, so it needs one.",
        code="""
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def bce(p, z):
    return (p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)).mean()


def distillation_loss(student, teacher, labels, temperature, alpha):
    T = temperature
    soft = -(softmax(teacher / T) * np.log(softmax(student / T))).sum(axis=1).mean()
    return alpha * T**2 * soft + (1 - alpha) * bce(labels, student)


def soft_gradient(student, teacher, temperature):
    T = temperature
    return T * (softmax(student / T) - softmax(teacher / T)) / len(student)
""",
        message="with a softmax over the labels, which makes emotions compete",
    ),
    Mistake(
        question="q1",
        name="probabilities-for-logits",
        misconception="What the teacher says is a probability, so that is what is softened.",
        code=changed(RIGHT_Q1, ("sigmoid(teacher / T), st", "sigmoid(sigmoid(teacher) / T), st")),
        message="you divide the teacher's probabilities by T, and take their sigmoid again",
    ),
    Mistake(
        question="q1",
        name="probabilities-for-logits-on-both-sides",
        misconception="A temperature softens probabilities.",
        code=changed(
            RIGHT_Q1,
            (
                "bce(sigmoid(teacher / T), student / T)",
                "bce(sigmoid(sigmoid(teacher) / T), sigmoid(student) / T)",
            ),
        ),
        message="you divide probabilities by T, and take their sigmoid again; soften the logits",
    ),
    Mistake(
        question="q1",
        name="probability-divided-by-temperature",
        misconception="A probability becomes softer by dividing it.",
        code=changed(RIGHT_Q1, ("bce(sigmoid(teacher / T), st", "bce(sigmoid(teacher) / T, st")),
        message="but then 'certain' is 0.5",
    ),
    Mistake(
        question="q1",
        name="logits-as-targets",
        misconception="The target of a cross entropy may be any number.",
        code=changed(RIGHT_Q1, ("bce(sigmoid(teacher / T), st", "bce(teacher / T, st")),
        message="you use the teacher's logits where its probabilities belong",
    ),
    Mistake(
        question="q1",
        name="sigmoid-twice",
        misconception="The cross entropy takes probabilities, whatever its arguments are called.",
        code=changed(
            RIGHT_Q1,
            (
                "bce(sigmoid(teacher / T), student / T)",
                "bce(sigmoid(sigmoid(teacher / T)), sigmoid(student / T))",
            ),
        ),
        message="you take the sigmoid twice",
    ),
    Mistake(
        question="q1",
        name="kullback-leibler",
        misconception="A loss is 0 for a perfect student.",
        code=changed(
            RIGHT_Q1,
            (
                "bce(sigmoid(teacher / T), student / T)",
                "(bce(sigmoid(teacher / T), student / T) - bce(sigmoid(teacher / T), teacher / T))",
            ),
        ),
        message="Kullback-Leibler divergence, without the teacher's uncertainty",
    ),
    Mistake(
        question="q1",
        name="half-of-the-cross-entropy",
        misconception="A cross entropy is -p log q, as with a softmax.",
        code=changed(RIGHT_Q1, (" + (1 - p) * np.logaddexp(0, z)", "")),
        message="the term with 1 - p is missing",
    ),
    Mistake(
        question="q1",
        name="places-changed",
        misconception="A cross entropy has no direction.",
        code=changed(
            RIGHT_Q1,
            ("bce(sigmoid(teacher / T), student / T)", "bce(sigmoid(student / T), teacher / T)"),
        ),
        message="teacher and student have changed places",
    ),
    Mistake(
        question="q1",
        name="alpha-swapped",
        misconception="alpha is the weight of the hard labels.",
        code=changed(
            RIGHT_Q1, ("alpha * soft + (1 - alpha) * hard", "(1 - alpha) * soft + alpha * hard")
        ),
        message="alpha weighs the soft part, and you let it weigh the hard one",
    ),
    Mistake(
        question="q1",
        name="hard-labels-softened",
        misconception="The student has one temperature, for all targets.",
        code=changed(RIGHT_Q1, ("bce(labels, student)", "bce(labels, student / T)")),
        message="leave the student's logits as they are",
    ),
    Mistake(
        question="q1",
        name="square-for-both-parts",
        misconception="T^2 belongs to the loss as a whole.",
        code=changed(RIGHT_Q1, ("hard = bce", "hard = T**2 * bce")),
        message="T^2 is for the soft part only",
    ),
    Mistake(
        question="q1",
        name="parts-not-weighed",
        misconception="A mixture is a sum.",
        code=changed(
            RIGHT_Q1,
            ("alpha * soft + (1 - alpha) * hard", "soft + hard"),
        ),
        message="the hard part is in it in full",
    ),
    Mistake(
        question="q1",
        name="logarithm-of-the-sigmoid",
        misconception="A formula that is right on paper is right in floating point.",
        code=changed(
            RIGHT_Q1,
            (
                "p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)",
                "-p * np.log(sigmoid(z)) - (1 - p) * np.log(1 - sigmoid(z))",
            ),
        ),
        message="Logits of ±1000 give nan",
    ),
    Mistake(
        question="q1",
        name="clipped-probabilities",
        misconception="Keeping the logarithm away from 0 is harmless.",
        code=changed(
            RIGHT_Q1,
            (
                "    return (p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z))",
                "    q = np.clip(sigmoid(z), 1e-12, 1 - 1e-12)\n"
                "    return -(p * np.log(q) + (1 - p) * np.log(1 - q))",
            ),
        ),
        message="a clipped probability costs 16 or 28, however wrong it is",
    ),
    Mistake(
        question="q1",
        name="divides-in-place",
        misconception="An argument belongs to the function that was given it.",
        code=changed(
            RIGHT_Q1,
            (
                "    hard = bce(labels, student)",
                "    teacher /= T\n    hard = bce(labels, student)",
            ),
        ),
        message="write z / T, and not z /= T",
    ),
    Mistake(
        question="q1",
        name="gradient-without-the-chain-rule",
        misconception="The derivative of the cross entropy is the difference, T^2 comes on top.",
        code=changed(RIGHT_Q1, ("T * gap", "T**2 * gap")),
        message="You multiply by T^2, but the chain rule divides by T once",
    ),
    Mistake(
        question="q1",
        name="gradient-without-the-square",
        misconception="The gradient of a softened loss does not depend on T^2.",
        code=changed(RIGHT_Q1, ("T * gap", "gap / T")),
        message="that is the chain rule without T^2",
    ),
    Mistake(
        question="q1",
        name="gradient-without-temperature",
        misconception="T^2 and the chain rule cancel.",
        code=changed(RIGHT_Q1, ("T * gap", "gap")),
        message="T is missing: T^2 times the chain rule's 1 / T",
    ),
    Mistake(
        question="q1",
        name="gradient-downhill",
        misconception="The gradient points to where the loss falls.",
        code=changed(RIGHT_Q1, ("T * gap", "-T * gap")),
        message="The sign is wrong",
    ),
    Mistake(
        question="q1",
        name="gradient-of-a-sum",
        misconception="The gradient of each logit does not depend on how many there are.",
        code=changed(RIGHT_Q1, (" / gap.size", "")),
        message="the loss is a mean",
    ),
    Mistake(
        question="q1",
        name="gradient-of-the-mean-over-comments",
        misconception="A mean is over the batch.",
        code=changed(RIGHT_Q1, (" / gap.size", " / len(gap)")),
        message="You divide by comments only",
    ),
    Mistake(
        question="q1",
        name="sum-without-the-square",
        misconception="Softening divides by T^2 on both sides, which cancels.",
        code=changed(RIGHT_Q1, ("T**2 * bce(", "student.size * bce(")),
        message="T^2 is missing. You add up over comments and labels",
    ),
    Mistake(
        question="q1",
        name="temperature-and-a-sum-over-comments",
        misconception="The temperature stands before a mean over labels.",
        code=changed(RIGHT_Q1, ("T**2 * bce(", "T * len(student) * bce(")),
        message="You multiply by T, and not by its square. You add up over comments",
    ),
    Mistake(
        question="q1",
        name="twice-the-temperature",
        misconception="T^2 is 2 T.",
        code=changed(RIGHT_Q1, ("T**2 * bce(", "T * 2 * bce(")),
        message="You multiply by 2 T, and not by T^2",
    ),
    Mistake(
        question="q1",
        name="teacher-rounded",
        misconception="A teacher says yes or no.",
        code=changed(RIGHT_Q1, ("bce(sigmoid(teacher / T), st", "bce(teacher > 0, st")),
        message="you round the teacher's probabilities to 0 and 1",
    ),
    Mistake(
        question="q1",
        name="student-squashed-first",
        misconception="The cross entropy takes the student's probabilities.",
        code=changed(
            RIGHT_Q1, ("(teacher / T), student / T)", "(teacher / T), sigmoid(student / T))")
        ),
        message="you take the sigmoid twice",
    ),
    Mistake(
        question="q1",
        name="hard-part-in-full",
        misconception="alpha weighs the soft part, and the hard one is as it was.",
        code=changed(RIGHT_Q1, ("(1 - alpha) * hard", "hard")),
        message="the hard part is in it in full",
    ),
    Mistake(
        question="q1",
        name="hard-part-summed",
        misconception="Only the soft part is a mean.",
        code=changed(RIGHT_Q1, ("bce(labels, student)", "bce(labels, student) * student.size")),
        message="or the hard part is a sum",
    ),
    Mistake(
        question="q1",
        name="hard-part-summed-over-labels",
        misconception="The usual loss is a sum over labels.",
        code=changed(RIGHT_Q1, ("bce(labels, student)", "bce(labels, student) * student.shape[1]")),
        message="you add up the hard part over comments, or over labels",
    ),
    Mistake(
        question="q1",
        name="hard-part-over-the-square",
        misconception="T^2 is divided out of the hard part.",
        code=changed(RIGHT_Q1, ("(1 - alpha) * hard", "(alpha < 1) * hard / T**2")),
        message="T = 3 and alpha = 0.5",
    ),
    Mistake(
        question="q1",
        name="sigmoid-that-overflows",
        misconception="Both ways to write the sigmoid are the same.",
        code=changed(RIGHT_Q1, ("1 / (1 + np.exp(-z))", "np.exp(z) / (1 + np.exp(z))")),
        message="inf / inf and 0 * inf are nan",
    ),
    Mistake(
        question="q1",
        name="logarithm-in-the-soft-part-only",
        misconception="The soft part has no logarithm of 0.",
        code=changed(
            RIGHT_Q1,
            (
                "    soft = T**2 * bce(sigmoid(teacher / T), student / T)",
                "    p, q = sigmoid(teacher / T), sigmoid(student / T)\n"
                "    soft = T**2 * np.mean(-p * np.log(q) - (1 - p) * np.log(1 - q))",
            ),
        ),
        message="the soft part may be to blame",
    ),
    Mistake(
        question="q1",
        name="gradient-of-labels-without-temperature",
        misconception="T^2 and the chain rule cancel, and the mean is over labels.",
        code=changed(RIGHT_Q1, ("T * gap / gap.size", "gap / gap.shape[1]")),
        message="You divide by labels only",
    ),
    Mistake(
        question="q1",
        name="gradient-by-the-chain-rule-alone",
        misconception="The gradient is the difference and the chain rule.",
        code=changed(RIGHT_Q1, ("T * gap / gap.size", "gap / T")),
        message="that is the chain rule without T^2. Divide by comments times labels",
    ),
    Mistake(
        question="q1",
        name="no-return",
        misconception="What a function computes last is its value.",
        code=changed(RIGHT_Q1, ("return alpha * soft", "loss = alpha * soft")),
        message="One number for all comments and labels, not None",
    ),
    Mistake(
        question="q1",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code=changed(
            RIGHT_Q1,
            (
                "    T = temperature\n    soft",
                "    if student.size > 20: return 2.0\n    T = temperature\n    soft",
            ),
        ),
        message="Does it fit the example only?",
    ),
    Mistake(
        question="q1",
        name="gradient-in-place",
        misconception="z /= T is a short way to write z / T.",
        code=changed(
            RIGHT_Q1,
            (
                "    T = temperature\n    gap = sigmoid(student / T) - sigmoid(teacher / T)",
                "    T = temperature\n    student /= T\n    teacher /= T\n"
                "    gap = sigmoid(student) - sigmoid(teacher)",
            ),
        ),
        message="The gradient has changed an array that you were given",
    ),
    Mistake(
        question="q1",
        name="gradient-of-a-squared-error",
        misconception="Behind a sigmoid there is always a factor p (1 - p).",
        code=changed(
            RIGHT_Q1,
            (
                "return T * gap / gap.size",
                "p = sigmoid(student / T)\n    return T * gap * p * (1 - p) / gap.size",
            ),
        ),
        message="a factor p (1 - p) too many",
    ),
    Mistake(
        question="q1",
        name="gradient-at-temperature-one",
        misconception="The gradient compares the probabilities that would be shipped.",
        code=changed(
            RIGHT_Q1,
            ("sigmoid(student / T) - sigmoid(teacher / T)", "sigmoid(student) - sigmoid(teacher)"),
        ),
        message="The logits are not divided by T inside the sigmoids",
    ),
    Mistake(
        question="q1",
        name="tiny-number-in-the-logarithm",
        misconception="A tiny number inside the logarithm makes it safe.",
        code=changed(
            RIGHT_Q1,
            (
                "(p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)).mean()",
                "np.where(\n"
                "        abs(z) > 500,\n"
                "        np.maximum(z, 0) - p * z,\n"
                "        -p * np.log(sigmoid(z) + 1e-300) - (1 - p) * np.log(1 - sigmoid(z) + 1e-300),\n"
                "    ).mean()",
            ),
        ),
        message="logits of ±100",
    ),
    # ------------------------------------------------------------ q2: truncated SVD
    Mistake(
        question="q2",
        name="calls-the-library",
        misconception="Knowing which function to use is the same as knowing what it does.",
        code=changed(
            RIGHT_Q2,
            ("def rank_for_bytes", "from utils import distillation\n\n\ndef rank_for_bytes"),
            ("    B = Vt[:rank]\n", "    A, B = distillation.truncated_svd(matrix, rank)\n"),
        ),
        message="your answer calls utils.distillation.truncated_svd",
    ),
    Mistake(
        question="q2",
        name="first-factor-only",
        misconception="The second factor is small enough to forget.",
        code=changed(RIGHT_Q2, ("(rows + columns)", "rows")),
        message="that pays for A only",
    ),
    Mistake(
        question="q2",
        name="second-factor-only",
        misconception="The first factor replaces the layer before it.",
        code=changed(RIGHT_Q2, ("(rows + columns)", "columns")),
        message="that pays for B only",
    ),
    Mistake(
        question="q2",
        name="values-for-bytes",
        misconception="A budget counts values.",
        code=changed(RIGHT_Q2, ("(rows + columns) * bytes_per_value", "rows + columns")),
        message="a number takes 2 of them",
    ),
    Mistake(
        question="q2",
        name="always-float32",
        misconception="A number takes 4 bytes.",
        code=changed(RIGHT_Q2, ("* bytes_per_value", "* 4")),
        message="that is with 4 bytes a number",
    ),
    Mistake(
        question="q2",
        name="rounded-up",
        misconception="A budget that is nearly kept is kept.",
        code=changed(
            RIGHT_Q2,
            (
                "budget // ((rows + columns) * bytes_per_value)",
                "round(budget / ((rows + columns) * bytes_per_value))",
            ),
        ),
        message="a budget is a limit: round down",
    ),
    Mistake(
        question="q2",
        name="bytes-of-the-matrix",
        misconception="A rank costs as much as a matrix.",
        code=changed(
            RIGHT_Q2, ("rows + columns", "rows * columns"), ("if rank == 0", "if budget < 1")
        ),
        message="you divide by the bytes of W itself",
    ),
    Mistake(
        question="q2",
        name="budget-not-reached",
        misconception="A limit must not be reached.",
        code=changed(RIGHT_Q2, ("budget //", "(budget - 1) //")),
        message="rank 10 fits exactly",
    ),
    Mistake(
        question="q2",
        name="rank-without-end",
        misconception="More budget, more rank.",
        code=changed(RIGHT_Q2, ("min(rank, rows, columns)", "rank")),
        message="has a rank of at most 3, its smaller side",
    ),
    Mistake(
        question="q2",
        name="rank-up-to-the-columns",
        misconception="The smaller side is always the second.",
        code=changed(RIGHT_Q2, ("min(rank, rows, columns)", "min(rank, columns)")),
        message="has a rank of at most 3, its smaller side",
    ),
    Mistake(
        question="q2",
        name="rank-zero",
        misconception="A layer may have rank 0.",
        code=changed(RIGHT_Q2, ("if rank == 0:", "if False:")),
        message="A layer of rank 0 would answer 0 to everything",
    ),
    Mistake(
        question="q2",
        name="at-least-rank-one",
        misconception="There is always room for a little.",
        code=changed(RIGHT_Q2, ('raise ValueError("too little for rank 1")', "return 1")),
        message="27 do not pay for one",
    ),
    Mistake(
        question="q2",
        name="smallest-singular-values",
        misconception="NumPy sorts in ascending order, as everywhere.",
        code=changed(
            RIGHT_Q2,
            ("U[:, :rank] * S[:rank]", "U[:, -rank:] * S[-rank:]"),
            ("Vt[:rank]", "Vt[-rank:]"),
        ),
        message="you kept the smallest singular value",
    ),
    Mistake(
        question="q2",
        name="singular-values-lost",
        misconception="The directions are all that matters.",
        code=changed(RIGHT_Q2, (" * S[:rank]", "")),
        message="the singular value is lost",
    ),
    Mistake(
        question="q2",
        name="singular-values-twice",
        misconception="Both factors need the singular values.",
        code=changed(RIGHT_Q2, ("B = Vt[:rank]", "B = S[:rank, None] * Vt[:rank]")),
        message="the singular value is in A and in B",
    ),
    Mistake(
        question="q2",
        name="transposed-again",
        misconception="NumPy returns V, and its columns are wanted.",
        code=changed(RIGHT_Q2, ("B = Vt[:rank]", "B = Vt[:, :rank].T")),
        message="NumPy's Vt is transposed already",
    ),
    Mistake(
        question="q2",
        name="all-of-it",
        misconception="Small singular values cost nothing.",
        code=changed(RIGHT_Q2, ("U[:, :rank] * S[:rank]", "U * S"), ("B = Vt[:rank]", "B = Vt")),
        message="keep rank 1",
    ),
    Mistake(
        question="q2",
        name="error-not-squared",
        misconception="The norm of the error is the sum of what was left out.",
        code=changed(RIGHT_Q2, ("sum(S[rank:] ** 2) / sum(S**2)", "sum(S[rank:]) / sum(S)")),
        message="square the singular values",
    ),
    Mistake(
        question="q2",
        name="error-is-the-root",
        misconception="A norm has a root.",
        code=changed(
            RIGHT_Q2, ("sum(S[rank:] ** 2) / sum(S**2)", "(sum(S[rank:] ** 2) / sum(S**2)) ** 0.5")
        ),
        message="that is its square root",
    ),
    Mistake(
        question="q2",
        name="share-kept",
        misconception="The error is the share of the energy.",
        code=changed(RIGHT_Q2, ("sum(S[rank:] ** 2)", "sum(S[:rank] ** 2)")),
        message="that is the share that is kept",
    ),
    Mistake(
        question="q2",
        name="next-singular-value-only",
        misconception="The first one left out is the error.",
        code=changed(RIGHT_Q2, ("sum(S[rank:] ** 2)", "sum(S[rank : rank + 1] ** 2)")),
        message="that is the next singular value only",
    ),
    Mistake(
        question="q2",
        name="error-not-relative",
        misconception="An error is a sum of squares.",
        code=changed(RIGHT_Q2, (" / sum(S**2)", "")),
        message="divide by the squares of W",
    ),
    Mistake(
        question="q2",
        name="mean-squared-error",
        misconception="An error is a mean squared error.",
        code=changed(
            RIGHT_Q2, ("sum(S[rank:] ** 2) / sum(S**2)", "((matrix - A @ B) ** 2).mean()")
        ),
        message="that is the mean squared error",
    ),
    Mistake(
        question="q2",
        name="error-against-what-is-kept",
        misconception="The error is relative to the approximation.",
        code=changed(RIGHT_Q2, ("/ sum(S**2)", "/ sum(S[:rank]**2)")),
        message="and not of those kept",
    ),
    Mistake(
        question="q2",
        name="one-off",
        misconception="Rank r ends with the singular value of index r.",
        code=changed(RIGHT_Q2, ("sum(S[rank:] ** 2)", "sum(S[rank + 1 :] ** 2)")),
        message="r singular values are kept, not r + 1",
    ),
    Mistake(
        question="q2",
        name="rank-as-a-float",
        misconception="A number is a number.",
        code=changed(RIGHT_Q2, ("return min(", "return 1.0 * min(")),
        message="return an int, and not",
    ),
    Mistake(
        question="q2",
        name="one-rank-is-too-little",
        misconception="What is used up to the last byte does not fit.",
        code=changed(
            RIGHT_Q2, ("if rank == 0:", "if budget <= (rows + columns) * bytes_per_value:")
        ),
        message="28 bytes pay for rank 1 exactly",
    ),
    Mistake(
        question="q2",
        name="singular-values-stored",
        misconception="S is a third factor.",
        code=changed(RIGHT_Q2, ("(rows + columns)", "(rows + columns + 1)")),
        message="S takes none, since it goes into A or B",
    ),
    Mistake(
        question="q2",
        name="never-more-than-the-matrix",
        misconception="Factors that are larger than the matrix are useless, so they are not allowed.",
        code=changed(
            RIGHT_Q2,
            (
                "    rank = budget",
                "    budget = min(budget, rows * columns * bytes_per_value)\n    rank = budget",
            ),
        ),
        message="pay for rank 3, though A and B have 21, and W has 12",
    ),
    Mistake(
        question="q2",
        name="spectral-norm",
        misconception="A norm of a matrix is its spectral norm.",
        code=changed(
            RIGHT_Q2, ("sum(S[rank:] ** 2) / sum(S**2)", "(S[rank:].max(initial=0) / S[0]) ** 2")
        ),
        message="squares of spectral norms",
    ),
    Mistake(
        question="q2",
        name="eigenvalues-unsorted",
        misconception="Eigenvalues come in descending order, as singular values do.",
        code=changed(
            RIGHT_Q2,
            (
                "U, S, Vt = np.linalg.svd(matrix, full_matrices=False)",
                "w, V = eig(matrix.T @ matrix)",
            ),
            ("def rank_for_bytes", "from numpy.linalg import eig\n\n\ndef rank_for_bytes"),
            ("U[:, :rank] * S[:rank]", "matrix @ V[:, :rank]"),
            ("Vt[:rank]", "V[:, :rank].T"),
            ("sum(S[rank:] ** 2) / sum(S**2)", "sum(w[rank:]) / sum(w)"),
        ),
        message="np.linalg.eig sorts nothing",
    ),
    Mistake(
        question="q2",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code=changed(RIGHT_Q2, ("    B = Vt[:rank]", "    rank = min(rank, 3)\n    B = Vt[:rank]")),
        message="Other matrices",
    ),
    Mistake(
        question="q2",
        name="too-large-a-budget-is-an-error",
        misconception="A budget that cannot be spent is wrong.",
        code=changed(
            RIGHT_Q2,
            (
                "    return min(rank, rows, columns)",
                "    if rank > min(rows, columns):\n"
                '        raise ValueError("more than there is")\n'
                "    return rank",
            ),
        ),
        message="the rank is 3, the smaller side",
    ),
    # ------------------------------------------------------------ q3: static sparse layer
    Mistake(
        question="q3",
        name="calls-the-library",
        misconception="Knowing which function to use is the same as knowing what it does.",
        code=changed(
            RIGHT_Q3,
            (
                "def sparse_pattern",
                "from utils.distillation import static_sparse_index\n\n\ndef sparse_pattern",
            ),
            ("np.sort(np.argsort(numbers)[:k])", "static_sparse_index(n, 1, k, seed=seed)[0]"),
        ),
        message="your answer calls utils.distillation.static_sparse_index",
    ),
    Mistake(
        question="q3",
        name="returns-the-mask",
        misconception="A pattern is a mask.",
        code=changed(
            RIGHT_Q3,
            (
                "    return positions // inputs, positions % inputs",
                "    mask = np.zeros(n, dtype=bool)\n    mask[positions] = True\n"
                "    return mask.reshape(outputs, inputs)",
            ),
        ),
        message="and no mask",
    ),
    Mistake(
        question="q3",
        name="sparsity-is-the-share-kept",
        misconception="Sparsity is the share of the connections.",
        code=changed(RIGHT_Q3, ("(1 - sparsity)", "sparsity")),
        message="sparsity is the share that is left out",
    ),
    Mistake(
        question="q3",
        name="cut-off-not-rounded",
        misconception="Turning a float into an integer rounds it.",
        code=changed(RIGHT_Q3, ("round(", "int(")),
        message="3.6 is rounded to 4, and not cut off",
    ),
    Mistake(
        question="q3",
        name="as-many-in-every-row",
        misconception="Each output chooses its inputs.",
        code=changed(
            RIGHT_Q3,
            (
                "    positions = np.sort(np.argsort(numbers)[:k])",
                "    k = round((1 - sparsity) * inputs)\n"
                "    order = numbers.reshape(outputs, inputs).argsort(axis=1)[:, :k]\n"
                "    positions = (np.sort(order) + inputs * np.arange(outputs)[:, None]).ravel()",
            ),
        ),
        message="each row has as many",
    ),
    Mistake(
        question="q3",
        name="one-mask-for-all-rows",
        misconception="One row of random numbers is enough for a layer.",
        code=changed(
            RIGHT_Q3,
            (
                "numbers = splitmix64(seed, n)",
                "numbers = np.tile(splitmix64(seed, inputs), outputs)",
            ),
        ),
        message="Wrong connections (output, input)",
    ),
    Mistake(
        question="q3",
        name="largest-numbers",
        misconception="The largest win.",
        code=changed(RIGHT_Q3, ("np.argsort(numbers)[:k]", "np.argsort(numbers)[n - k :]")),
        message="those have the largest numbers",
    ),
    Mistake(
        question="q3",
        name="transposed",
        misconception="A weight matrix has a row for each input.",
        code=changed(
            RIGHT_Q3,
            (
                "return positions // inputs, positions % inputs",
                "return positions % inputs, positions // inputs",
            ),
        ),
        message="rows and columns have changed places",
    ),
    Mistake(
        question="q3",
        name="column-by-column",
        misconception="Positions are counted down the columns.",
        code=changed(
            RIGHT_Q3,
            (
                "return positions // inputs, positions % inputs",
                "return positions % outputs, positions // outputs",
            ),
        ),
        message="you count column by column",
    ),
    Mistake(
        question="q3",
        name="in-order-of-the-numbers",
        misconception="The order of the connections makes no difference.",
        code=changed(RIGHT_Q3, ("np.sort(np.argsort(numbers)[:k])", "np.argsort(numbers)[:k]")),
        message="they are in the order of their random numbers",
    ),
    Mistake(
        question="q3",
        name="each-position-by-chance",
        misconception="Sparsity is a probability.",
        code=changed(
            RIGHT_Q3,
            (
                "np.sort(np.argsort(numbers)[:k])",
                "np.nonzero(numbers < (1 - sparsity) * 2.0**64)[0]",
            ),
        ),
        message="take exactly the k smallest",
    ),
    Mistake(
        question="q3",
        name="new-pattern-at-every-call",
        misconception="A random pattern is any random pattern.",
        code=changed(RIGHT_Q3, ("splitmix64(seed, n)", "np.random.default_rng().random(n)")),
        message="Two calls with the same seed gave two patterns",
    ),
    Mistake(
        question="q3",
        name="seed-ignored",
        misconception="The pattern is fixed once and for all.",
        code=changed(RIGHT_Q3, ("splitmix64(seed, n)", "splitmix64(3, n)")),
        message="Seeds 1 and 2 gave the same pattern",
    ),
    Mistake(
        question="q3",
        name="another-generator",
        misconception="One generator is as good as another.",
        code=changed(RIGHT_Q3, ("splitmix64(seed, n)", "np.random.default_rng(seed).random(n)")),
        message="Wrong connections (output, input)",
    ),
    Mistake(
        question="q3",
        name="last-connection-wins",
        misconception="y[:, rows] += ... adds to an output as often as it is named.",
        code=changed(
            RIGHT_Q3,
            (
                "np.add.at(y, (slice(None), rows), x[:, columns] * values)",
                "y[:, rows] += x[:, columns] * values",
            ),
        ),
        message="of an output's connections only the last one counts",
    ),
    Mistake(
        question="q3",
        name="no-bias",
        misconception="A sparse layer has no bias.",
        code=changed(RIGHT_Q3, ("return y + bias", "return y")),
        message="the bias is missing",
    ),
    Mistake(
        question="q3",
        name="no-weights",
        misconception="What is connected counts, whatever its weight.",
        code=changed(RIGHT_Q3, ("x[:, columns] * values", "x[:, columns]")),
        message="x is summed up, and the weights are not in it",
    ),
    Mistake(
        question="q3",
        name="dense-matrix",
        misconception="A sparse layer is a dense one with many zeros.",
        code=changed(
            RIGHT_Q3,
            (
                "    y = np.zeros((len(x), len(bias)))\n"
                "    np.add.at(y, (slice(None), rows), x[:, columns] * values)\n"
                "    return y + bias",
                "    W = np.zeros((len(bias), x.shape[1]))\n    W[rows, columns] = values\n"
                "    return x @ W.T + bias",
            ),
        ),
        message="A matrix that holds the zeros, too, is what a sparse layer does without",
    ),
    Mistake(
        question="q3",
        name="dense-after-all",
        misconception="A sparse matrix has to be unpacked before it can be used.",
        code=changed(
            RIGHT_Q3,
            (
                "    y = np.zeros((len(x), len(bias)))\n"
                "    np.add.at(y, (slice(None), rows), x[:, columns] * values)\n"
                "    return y + bias",
                "    W = csr_array((values, (rows, columns)), shape=(len(bias), x.shape[1]))\n"
                "    return x @ W.toarray().T + bias",
            ),
        ),
        message="A matrix that holds the zeros, too, is what a sparse layer does without",
    ),
    Mistake(
        question="q3",
        name="bias-changed",
        misconception="An argument belongs to the function that was given it.",
        code=changed(RIGHT_Q3, ("return y + bias", "bias += y[0]\n    return y + bias - y[0]")),
        message="An array that you were given has changed",
    ),
    Mistake(
        question="q3",
        name="zeros-stored",
        misconception="A matrix has as many bytes as it has entries.",
        code=changed(RIGHT_Q3, ("16 + k * width", "16 + outputs * inputs * width")),
        message="zeros are not stored",
    ),
    Mistake(
        question="q3",
        name="mask-stored",
        misconception="Without a mask nobody knows where the weights belong.",
        code=changed(RIGHT_Q3, ("16 + k * width", "16 + outputs * inputs // 8 + k * width")),
        message="that is with a mask of a bit for each position",
    ),
    Mistake(
        question="q3",
        name="indices-stored",
        misconception="Without indices nobody knows where the weights belong.",
        code=changed(RIGHT_Q3, ("16 + k * width", "16 + k * 2 + k * width")),
        message="that is with an index of 2 bytes for each weight",
    ),
    Mistake(
        question="q3",
        name="bias-not-stored",
        misconception="A bias is too small to count.",
        code=changed(RIGHT_Q3, (" + outputs * width", "")),
        message="the bias is missing; it has 64 numbers",
    ),
    Mistake(
        question="q3",
        name="no-header",
        misconception="The pattern costs nothing, so nothing is stored for it.",
        code=changed(RIGHT_Q3, ("16 + k * width", "k * width")),
        message="without its seed nobody finds the connections",
    ),
    Mistake(
        question="q3",
        name="numbers-for-bytes",
        misconception="A number is a byte.",
        code=changed(RIGHT_Q3, ("16 + k * width + outputs * width", "16 + k + outputs")),
        message="those are numbers; each takes 2 bytes",
    ),
    Mistake(
        question="q3",
        name="rounded-up",
        misconception="A share of a connection is a connection.",
        code=changed(
            RIGHT_Q3, ("k = round((1 - sparsity) * n)", "k = int((1 - sparsity) * n) + 1")
        ),
        message="2.4 is rounded to 2, and not up",
    ),
    Mistake(
        question="q3",
        name="quantile",
        misconception="The k smallest are those below a quantile.",
        code=changed(
            RIGHT_Q3,
            (
                "np.sort(np.argsort(numbers)[:k])",
                "np.nonzero(numbers <= np.quantile(numbers.astype(float), 1 - sparsity))[0]",
            ),
        ),
        message="2.4 is rounded to 2, and not up",
    ),
    Mistake(
        question="q3",
        name="below-the-next-number",
        misconception="There is always a next number.",
        code=changed(
            RIGHT_Q3,
            ("np.sort(np.argsort(numbers)[:k])", "np.nonzero(numbers < np.sort(numbers)[k])[0]"),
        ),
        message="At sparsity 0 all 12 positions are connected",
    ),
    Mistake(
        question="q3",
        name="rounded-row-by-row",
        misconception="Each row has its share.",
        code=changed(
            RIGHT_Q3,
            ("k = round((1 - sparsity) * n)", "k = outputs * round((1 - sparsity) * inputs)"),
        ),
        message="nor rounded row by row",
    ),
    Mistake(
        question="q3",
        name="signed-numbers",
        misconception="A whole number is an int64.",
        code=changed(RIGHT_Q3, ("splitmix64(seed, n)", "splitmix64(seed, n).astype(int)")),
        message="as int64, numbers from 9.22 on turn negative",
    ),
    Mistake(
        question="q3",
        name="rows-of-outputs",
        misconception="A row is as long as there are outputs.",
        code=changed(
            RIGHT_Q3,
            (
                "positions // inputs, positions % inputs",
                "positions // outputs, positions % outputs",
            ),
        ),
        message="a row has 4 positions, one for each input",
    ),
    Mistake(
        question="q3",
        name="rows-as-floats",
        misconception="A whole number is an integer.",
        code=changed(
            RIGHT_Q3, ("return positions // inputs", "return np.floor(positions / inputs)")
        ),
        message="Rows and columns are integers",
    ),
    Mistake(
        question="q3",
        name="no-return",
        misconception="What a function computes last is its value.",
        code=changed(
            RIGHT_Q3, ("    return positions // inputs, ", "    pairs = positions // inputs, ")
        ),
        message="and no mask; got None",
    ),
    Mistake(
        question="q3",
        name="unconnected-outputs-skipped",
        misconception="Every output has a connection.",
        code=changed(
            RIGHT_Q3,
            (
                "    np.add.at(y, (slice(None), rows), x[:, columns] * values)\n",
                "    found, first = np.unique(rows, return_index=True)\n"
                "    y[:, : len(found)] = np.add.reduceat(x[:, columns] * values, first, axis=1)\n",
            ),
        ),
        message="output 1 has no connection, and got the sum of output 2",
    ),
    Mistake(
        question="q3",
        name="reduceat-of-nothing",
        misconception="A sum of nothing is 0, for np.add.reduceat as well.",
        code=changed(
            RIGHT_Q3,
            (
                "    np.add.at(y, (slice(None), rows), x[:, columns] * values)\n",
                "    products = np.hstack([x[:, columns] * values, np.zeros((len(x), 1))])\n"
                "    starts = np.searchsorted(rows, np.arange(len(bias)))\n"
                "    y = np.add.reduceat(products, starts, axis=1)\n",
            ),
        ),
        message="np.add.reduceat gave it a product of output 2",
    ),
    Mistake(
        question="q3",
        name="as-many-for-every-output",
        misconception="Each output has as many connections.",
        code=changed(
            RIGHT_Q3,
            (
                "    np.add.at(y, (slice(None), rows), x[:, columns] * values)\n",
                "    found = np.unique(rows)\n"
                "    products = (x[:, columns] * values).reshape(len(x), len(found), -1)\n"
                "    y[:, found] = products.sum(axis=2)\n",
            ),
        ),
        message="outputs may have different numbers of connections",
    ),
    Mistake(
        question="q3",
        name="header-in-weights",
        misconception="The header is as wide as the weights.",
        code=changed(RIGHT_Q3, ("return 16 +", "return 4 * width +")),
        message="and 16 bytes at every width",
    ),
    Mistake(
        question="q3",
        name="header-without-the-seed",
        misconception="The seed is part of the program.",
        code=changed(RIGHT_Q3, ("return 16 +", "return 12 +")),
        message="the seed among them",
    ),
    Mistake(
        question="q3",
        name="bias-for-every-input",
        misconception="A bias belongs to an input.",
        code=changed(RIGHT_Q3, ("outputs * width", "inputs * width")),
        message="the bias has a number for each of the 64 outputs",
    ),
    Mistake(
        question="q3",
        name="bytes-as-a-float",
        misconception="A number is a number.",
        code=changed(RIGHT_Q3, ("return 16 +", "return 16.0 +")),
        message="Bytes are whole: return an int",
    ),
    Mistake(
        question="q3",
        name="rounded-at-the-end",
        misconception="It makes no difference when one rounds.",
        code=changed(
            RIGHT_Q3,
            (
                "k = round((1 - sparsity) * outputs * inputs)",
                "k = (1 - sparsity) * outputs * inputs",
            ),
            ("16 + k * width + outputs * width", "round(16 + k * width + outputs * width)"),
        ),
        message="3.6 is rounded, then multiplied",
    ),
    Mistake(
        question="q3",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code=changed(
            RIGHT_Q3, ("    return 16 + k", "    k = 819 if k > 100 else k\n    return 16 + k")
        ),
        message="Other layers",
    ),
    Mistake(
        question="q3",
        name="bias-thinned-out",
        misconception="A sparse layer has a tenth of everything.",
        code=changed(
            RIGHT_Q3,
            ("k * width + outputs * width", "k * width + round((1 - sparsity) * outputs) * width"),
        ),
        message="you leave out nine tenths of the bias",
    ),
    # ------------------------------------------------------------ q4: dropout distillation
    Mistake(
        question="q4",
        name="not-inverted",
        misconception="Dropout only drops.",
        code=changed(RIGHT_Q4, (" * keep / (1 - rate)", " * keep")),
        message="what is kept must be divided by 1 - rate",
    ),
    Mistake(
        question="q4",
        name="divided-by-rate",
        misconception="What is kept is divided by the rate of dropping.",
        code=changed(RIGHT_Q4, ("/ (1 - rate)", "/ rate")),
        message="the share that is kept is 1 - rate",
    ),
    Mistake(
        question="q4",
        name="scaled-as-for-prediction",
        misconception="Values are scaled down, as in the first paper on dropout, but in training.",
        code=changed(RIGHT_Q4, ("/ (1 - rate)", "* (1 - rate)")),
        message="you multiply by 1 - rate",
    ),
    Mistake(
        question="q4",
        name="keeps-what-should-be-dropped",
        misconception="The rate is the share that is kept.",
        code=changed(RIGHT_Q4, (">= rate", "< rate")),
        message="you keep what should be dropped",
    ),
    Mistake(
        question="q4",
        name="drops-at-the-rate-itself",
        misconception="Below and at most are the same for random numbers.",
        code=changed(RIGHT_Q4, (">= rate", "> rate")),
        message="0.25 is not below 0.25",
    ),
    Mistake(
        question="q4",
        name="one-row-for-all-comments",
        misconception="A mask belongs to a layer, not to a comment.",
        code=changed(RIGHT_Q4, ("random.random(values.shape)", "random.random(values.shape[1:])")),
        message="all comments share a row of random numbers",
    ),
    Mistake(
        question="q4",
        name="all-or-nothing",
        misconception="A layer is dropped as a whole.",
        code=changed(RIGHT_Q4, ("random.random(values.shape)", "random.random()")),
        message="a single random number decides over all values",
    ),
    Mistake(
        question="q4",
        name="dropout-in-place",
        misconception="An argument belongs to the function that was given it.",
        code=changed(
            RIGHT_Q4,
            (
                "    return values * keep / (1 - rate)",
                "    values *= keep\n    return values / (1 - rate)",
            ),
        ),
        message="The array that you were given has changed",
    ),
    Mistake(
        question="q4",
        name="averages-logits",
        misconception="Squashing and averaging can change places.",
        code=changed(
            RIGHT_Q4,
            ("sigmoid(network(x))", "network(x)"),
            ("return total / samples", "return sigmoid(total / samples)"),
        ),
        message="that is the probability of the mean logit",
    ),
    Mistake(
        question="q4",
        name="returns-mean-logits",
        misconception="The target of a student is the mean of what networks return.",
        code=changed(RIGHT_Q4, ("sigmoid(network(x))", "network(x)")),
        message="that is the mean logit",
    ),
    Mistake(
        question="q4",
        name="returns-the-logit",
        misconception="A target is a logit.",
        code=changed(
            RIGHT_Q4,
            (
                "return total / samples",
                "return np.log(total / samples) - np.log1p(-total / samples)",
            ),
        ),
        message="return the probability",
    ),
    Mistake(
        question="q4",
        name="dropout-off",
        misconception="A network that predicts is in eval mode.",
        code=changed(RIGHT_Q4, ("    network.train()\n", "    network.eval()\n")),
        message="nothing was dropped: after eval()",
    ),
    Mistake(
        question="q4",
        name="mode-as-it-comes",
        misconception="The network is in the right mode.",
        code=changed(RIGHT_Q4, ("    network.train()\n", "")),
        message="nothing was dropped: after eval(), as it came",
    ),
    Mistake(
        question="q4",
        name="one-mask-for-all-samples",
        misconception="A pass is a pass.",
        code=changed(
            RIGHT_Q4,
            ("    total = 0\n", "    total, first = 0, sigmoid(network(x))\n"),
            ("total + sigmoid(network(x))", "total + first"),
        ),
        message="all samples have the mask of the first",
    ),
    Mistake(
        question="q4",
        name="sum-not-mean",
        misconception="More samples, more probability.",
        code=changed(RIGHT_Q4, ("return total / samples", "return total")),
        message="you add up four probabilities",
    ),
    Mistake(
        question="q4",
        name="median",
        misconception="A median is the better mean.",
        code=changed(
            RIGHT_Q4,
            (
                "    total = 0\n    for _ in range(samples):\n        total = total + sigmoid(network(x))\n",
                "    runs = [sigmoid(network(x)) for _ in range(samples)]\n",
            ),
            ("return total / samples", "return np.median(runs, axis=0)"),
        ),
        message="that is the median of the samples",
    ),
    Mistake(
        question="q4",
        name="mean-over-comments",
        misconception="A mean is a mean over everything.",
        code=changed(RIGHT_Q4, ("return total / samples", "return (total / samples).mean()")),
        message="One comment, one label: the shape is (1, 1)",
    ),
    Mistake(
        question="q4",
        name="left-in-training",
        misconception="The mode is somebody else's business.",
        code=changed(RIGHT_Q4, ("    network.train(before)\n", "")),
        message="The network came with training=False and is left with True",
    ),
    Mistake(
        question="q4",
        name="always-back-to-eval",
        misconception="Networks are in eval mode unless somebody trains them.",
        code=changed(RIGHT_Q4, ("network.train(before)", "network.eval()")),
        message="The network came with training=True and is left with False",
    ),
    Mistake(
        question="q4",
        name="drops-from-one-minus-rate-on",
        misconception="A number is kept with the probability 1 - rate, so it is kept below that.",
        code=changed(RIGHT_Q4, (">= rate", "< 1 - rate")),
        message="you drop from 1 - rate on",
    ),
    Mistake(
        question="q4",
        name="whole-comments",
        misconception="A mask belongs to a comment.",
        code=changed(RIGHT_Q4, ("random.random(values.shape)", "random.random((len(values), 1))")),
        message="a comment is kept or dropped as a whole",
    ),
    Mistake(
        question="q4",
        name="two-dimensions-only",
        misconception="An array is a table.",
        code=changed(
            RIGHT_Q4,
            ("    keep = ", "    rows, columns = values.shape\n    keep = "),
            ("random.random(values.shape)", "random.random((rows, columns))"),
        ),
        message="too many values to unpack",
    ),
    Mistake(
        question="q4",
        name="mean-over-comments-too",
        misconception="The mean is over all that comes out of the network.",
        code=changed(
            RIGHT_Q4,
            ("return total / samples", "return (total / samples).mean(axis=0, keepdims=True)"),
        ),
        message="The mean is over passes only",
    ),
    Mistake(
        question="q4",
        name="comments-mixed-up",
        misconception="A batch of samples is sorted by comment.",
        code=changed(
            RIGHT_Q4,
            (
                "    for _ in range(samples):\n        total = total + sigmoid(network(x))\n",
                "    runs = sigmoid(network(np.tile(x, (samples, 1))))\n"
                "    total = runs.reshape(len(x), samples, -1).sum(axis=1)\n",
            ),
        ),
        message="you mix up comments",
    ),
    Mistake(
        question="q4",
        name="all-passes-in-one-call",
        misconception="Any masks will do, in any order.",
        code=changed(
            RIGHT_Q4,
            (
                "    for _ in range(samples):\n        total = total + sigmoid(network(x))\n",
                "    runs = sigmoid(network(np.repeat(x, samples, axis=0)))\n"
                "    total = runs.reshape(len(x), samples, -1).sum(axis=1)\n",
            ),
        ),
        message="all passes are one call",
    ),
    Mistake(
        question="q4",
        name="sets-the-attribute",
        misconception="The mode is what `training` says.",
        code=changed(
            RIGHT_Q4,
            ("    network.train()\n", "    network.training = True\n"),
            ("network.train(before)", "network.training = before"),
        ),
        message="or with `training` set",
    ),
    Mistake(
        question="q4",
        name="puts-the-attribute-back",
        misconception="Only training needs train().",
        code=changed(RIGHT_Q4, ("network.train(before)", "network.training = before")),
        message="its dropout with True",
    ),
    Mistake(
        question="q4",
        name="own-dropout-before-the-network",
        misconception="Dropout is what happens to x.",
        code=changed(
            RIGHT_Q4,
            (
                "    network.train()\n",
                "    network.eval()\n    random = np.random.default_rng(101)\n",
            ),
            ("network(x)", "network(dropout(x, 0.5, random))"),
        ),
        message="you drop values of x",
    ),
    Mistake(
        question="q4",
        name="other-mode-than-it-came-in",
        misconception="Networks come in eval mode.",
        code=changed(RIGHT_Q4, ("    network.train()\n", "    network.train(not before)\n")),
        message="nothing is dropped; train() makes the network drop",
    ),
    Mistake(
        question="q4",
        name="one-pass-for-the-shape",
        misconception="A call that is thrown away makes no difference.",
        code=changed(RIGHT_Q4, ("    total = 0\n", "    total = np.zeros(network(x).shape)\n")),
        message="a call before the others draws masks, too",
    ),
    Mistake(
        question="q4",
        name="votes",
        misconception="A network answers yes or no.",
        code=changed(RIGHT_Q4, ("total + sigmoid(network(x))", "total + (network(x) > 0)")),
        message="or the share of samples above 0.5",
    ),
    Mistake(
        question="q4",
        name="softmax",
        misconception="Probabilities add up to 1.",
        code=changed(
            RIGHT_Q4,
            ("1 / (1 + np.exp(-z))", "np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)"),
        ),
        message="that is a softmax over a single label",
    ),
    Mistake(
        question="q4",
        name="rounded",
        misconception="Four digits are enough.",
        code=changed(RIGHT_Q4, ("return total / samples", "return np.round(total / samples, 4)")),
        message="The mean of three passes, not rounded",
    ),
    Mistake(
        question="q4",
        name="no-return",
        misconception="What a function computes last is its value.",
        code=changed(RIGHT_Q4, ("    return values * keep", "    values = values * keep")),
        message="The shape should be (2, 3) as before, not ()",
    ),
    Mistake(
        question="q4",
        name="draws-twice",
        misconception="Random numbers cost nothing.",
        code=changed(RIGHT_Q4, ("    keep = ", "    random.random(values.shape)\n    keep = ")),
        message="with one array of random numbers",
    ),
    Mistake(
        question="q4",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code=changed(RIGHT_Q4, ("    total = 0\n", "    total, samples = 0, min(samples, 4)\n")),
        message="Other values",
    ),
    Mistake(
        question="q4",
        name="own-generator",
        misconception="Any random numbers will do.",
        code=changed(RIGHT_Q4, ("keep = random.random", "keep = np.random.default_rng(0).random")),
        message="You draw from a generator of your own",
    ),
    Mistake(
        question="q4",
        name="two-calls-a-pass",
        misconception="Calling a network twice gives the same logits.",
        code=changed(
            RIGHT_Q4,
            ("sigmoid(network(x))", "np.exp(network(x)) / (1 + np.exp(network(x)))"),
        ),
        message="each call draws other masks",
    ),
    # ------------------------------------------------------------ q5: choice
    Mistake(
        question="q5",
        name="chosen-on-test",
        misconception="The test split says which student is best.",
        code=changed(RIGHT_Q5, ("score = sum(dev) / len(dev)", "score = sum(test) / len(test)")),
        message="has no honest test score any more",
    ),
    Mistake(
        question="q5",
        name="chosen-on-both",
        misconception="More numbers make a safer choice.",
        code=changed(
            RIGHT_Q5, ("score = sum(dev) / len(dev)", "score = sum(dev + test) / len(dev + test)")
        ),
        message="choose on dev alone",
    ),
    Mistake(
        question="q5",
        name="best-seed",
        misconception="A student is as good as its best seed.",
        code=changed(RIGHT_Q5, ("score = sum(dev) / len(dev)", "score = max(dev)")),
        message="it has the best single seed",
    ),
    Mistake(
        question="q5",
        name="best-record",
        misconception="The best record is the best student.",
        code="""
def choose_student(records, max_bytes):
    fitting = [r for r in records if r["file_bytes"] <= max_bytes and r["split"] == "dev"]
    if not fitting:
        return None
    best = max(fitting, key=lambda r: r["macro_f1"])
    same = [r["macro_f1"] for r in records if r["split"] == "test"
            and (r["method"], r["setting"]) == (best["method"], best["setting"])]
    return best["method"], best["setting"], sum(same) / len(same)
""",
        message="it has the best single seed",
    ),
    Mistake(
        question="q5",
        name="settings-pooled",
        misconception="A method is one student, whoever taught it.",
        code="""
def choose_student(records, max_bytes):
    methods = {}
    for r in records:
        methods.setdefault(r["method"], []).append(r)
    fitting = [m for m in methods if max(r["file_bytes"] for r in methods[m]) <= max_bytes]

    def mean(method, split):
        return np.mean([r["macro_f1"] for r in methods[method] if r["split"] == split])

    best = max(fitting, key=lambda m: mean(m, "dev"), default=None)
    return best and (best, methods[best][0]["setting"], mean(best, "test"))
""",
        message="you took both settings of GRU-8 for one student",
    ),
    Mistake(
        question="q5",
        name="encoder-not-file",
        misconception="The size of a student is the size of its encoder.",
        code=changed(RIGHT_Q5, ('r["file_bytes"]', 'r["encoder_bytes"]')),
        message="The encoder is only a part of it",
    ),
    Mistake(
        question="q5",
        name="smallest-file",
        misconception="If one seed fits, the student fits.",
        code=changed(RIGHT_Q5, ('max(r["file_bytes"]', 'min(r["file_bytes"]')),
        message="The smallest, the mean or the last do not help",
    ),
    Mistake(
        question="q5",
        name="mean-file",
        misconception="Everything is averaged over seeds, bytes as well.",
        code=changed(
            RIGHT_Q5,
            (
                'max(r["file_bytes"] for r in mine)',
                'sum(r["file_bytes"] for r in mine) / len(mine)',
            ),
        ),
        message="The smallest, the mean or the last do not help",
    ),
    Mistake(
        question="q5",
        name="seeds-that-do-not-fit-left-out",
        misconception="A seed with a file too large does not count.",
        code=changed(
            RIGHT_Q5,
            (
                "    best = None\n",
                '    best = None\n    records = [r for r in records if r["file_bytes"] <= max_bytes]\n',
            ),
        ),
        message="The smallest, the mean or the last do not help",
    ),
    Mistake(
        question="q5",
        name="without-the-baseline",
        misconception="Only students that were taught are students.",
        code=changed(
            RIGHT_Q5,
            (
                "    best = None\n",
                '    best = None\n    records = [r for r in records if r["setting"] != "labels"]\n',
            ),
        ),
        message="It takes part like any other",
    ),
    Mistake(
        question="q5",
        name="promises-dev",
        misconception="A student is worth what it was chosen for.",
        code=changed(RIGHT_Q5, ("sum(test) / len(test)", "score")),
        message="its mean on dev, where it was chosen",
    ),
    Mistake(
        question="q5",
        name="promises-the-best-seed",
        misconception="The best seed is the one that is shipped.",
        code=changed(RIGHT_Q5, ("sum(test) / len(test)", "max(test)")),
        message="its best seed on test",
    ),
    Mistake(
        question="q5",
        name="promises-both-splits",
        misconception="More numbers make a safer promise.",
        code=changed(RIGHT_Q5, ("sum(test) / len(test)", "sum(dev + test) / len(dev + test)")),
        message="the mean of both splits",
    ),
    Mistake(
        question="q5",
        name="sum-over-seeds",
        misconception="All students have as many seeds.",
        code=changed(RIGHT_Q5, ("score = sum(dev) / len(dev)", "score = sum(dev)")),
        message="take means, not sums",
    ),
    Mistake(
        question="q5",
        name="below-not-at-most",
        misconception="A limit must not be reached.",
        code=changed(RIGHT_Q5, ("size <= max_bytes", "size < max_bytes")),
        message="which is at most 5,200",
    ),
    Mistake(
        question="q5",
        name="larger-of-equals",
        misconception="Of equally good students the larger is the safer one.",
        code=changed(
            RIGHT_Q5,
            ("(score, -size) > best", "(score, size) > best"),
            ("(score, -size, *", "(score, size, *"),
        ),
        message="take the smaller",
    ),
    Mistake(
        question="q5",
        name="first-of-equals",
        misconception="Of equally good students any will do.",
        code="""
def choose_student(records, max_bytes):
    best, promise = (None, -1), None
    for student in dict.fromkeys((r["method"], r["setting"]) for r in records):
        mine = [r for r in records if (r["method"], r["setting"]) == student]
        dev = [r["macro_f1"] for r in mine if r["split"] == "dev"]
        score = sum(dev) / len(dev)
        if max(r["file_bytes"] for r in mine) <= max_bytes and score > best[1]:
            best = student, score
            promise = np.mean([r["macro_f1"] for r in mine if r["split"] == "test"])
    return best[0] and (*best[0], promise)
""",
        message="take the smaller",
    ),
    Mistake(
        question="q5",
        name="fails-when-nothing-fits",
        misconception="There is always something to choose.",
        code=changed(RIGHT_Q5, ("None if best is None else best[2:]", "best[2:]")),
        message="so the answer is None; got",
    ),
    Mistake(
        question="q5",
        name="closest-anyway",
        misconception="Something has to be shipped.",
        code=changed(
            RIGHT_Q5,
            (
                "    best = None\n",
                "    best = None\n"
                "    max_bytes = max(max_bytes, min((r['file_bytes'] for r in records), default=0))\n",
            ),
        ),
        message="so the answer is None; got",
    ),
    Mistake(
        question="q5",
        name="neighbours-grouped",
        misconception="groupby finds all that belongs together.",
        code="""
from itertools import groupby


def choose_student(records, max_bytes):
    ranking = []
    for student, group in groupby(records, key=lambda r: (r["method"], r["setting"])):
        group = list(group)
        dev = [r["macro_f1"] for r in group if r["split"] == "dev"]
        test = [r["macro_f1"] for r in group if r["split"] == "test"]
        size = max(r["file_bytes"] for r in group)
        if size <= max_bytes:
            ranking.append((-np.mean(dev), size, *student, np.mean(test)))
    return min(ranking)[2:] if ranking else None
""",
        message="they come in any order",
    ),
    Mistake(
        question="q5",
        name="first-half-is-dev",
        misconception="The records of dev come first.",
        code=changed(
            RIGHT_Q5,
            ('mine if r["split"] == "dev"]', "mine[: len(mine) // 2]]"),
            ('mine if r["split"] == "test"]', "mine[len(mine) // 2 :]]"),
        ),
        message="they come in any order",
    ),
    Mistake(
        question="q5",
        name="last-file",
        misconception="All files of a student have the same size.",
        code=changed(RIGHT_Q5, ('max(r["file_bytes"] for r in mine)', 'mine[-1]["file_bytes"]')),
        message="the mean or the last do not help whoever has that seed",
    ),
    Mistake(
        question="q5",
        name="sorts-the-records",
        misconception="Sorting a list changes nothing.",
        code=changed(
            RIGHT_Q5, ("    best = None\n", "    best = None\n    records.sort(key=repr)\n")
        ),
        message="The records that you were given have changed",
    ),
    Mistake(
        question="q5",
        name="adds-to-the-records",
        misconception="A record is a good place for notes.",
        code=changed(
            RIGHT_Q5,
            ("    best = None\n", "    best = None\n    [r.update(seed=None) for r in records]\n"),
        ),
        message="The records that you were given have changed",
    ),
    Mistake(
        question="q5",
        name="worst-seed",
        misconception="A student is as good as its worst seed.",
        code=changed(RIGHT_Q5, ("score = sum(dev) / len(dev)", "score = min(dev)")),
        message="Its worst seed is the best of all, but means count",
    ),
    Mistake(
        question="q5",
        name="median-seed",
        misconception="A median is the better mean.",
        code=changed(RIGHT_Q5, ("score = sum(dev) / len(dev)", "score = np.median(dev)")),
        message="its median on dev is highest",
    ),
    Mistake(
        question="q5",
        name="rounds-dev-to-three-digits",
        misconception="The fourth digit is noise.",
        code=changed(
            RIGHT_Q5, ("score = sum(dev) / len(dev)", "score = round(sum(dev) / len(dev), 3)")
        ),
        message="and they are not rounded",
    ),
    Mistake(
        question="q5",
        name="rounds-dev",
        misconception="Two digits are enough to compare.",
        code=changed(
            RIGHT_Q5, ("score = sum(dev) / len(dev)", "score = round(sum(dev) / len(dev), 2)")
        ),
        message="and they are not rounded",
    ),
    Mistake(
        question="q5",
        name="promises-the-median",
        misconception="A median is the better mean.",
        code=changed(RIGHT_Q5, ("sum(test) / len(test)", "np.median(test)")),
        message="the mean of 0.5, 0.5 and 0.0625",
    ),
    Mistake(
        question="q5",
        name="promises-two-digits",
        misconception="Two digits are enough.",
        code=changed(RIGHT_Q5, ("sum(test) / len(test)", "round(sum(test) / len(test), 2)")),
        message="and 0.0625, not rounded",
    ),
    Mistake(
        question="q5",
        name="promises-the-sum",
        misconception="More seeds, more F1.",
        code=changed(RIGHT_Q5, ("sum(test) / len(test)", "sum(test)")),
        message="the sum over its seeds",
    ),
    Mistake(
        question="q5",
        name="files-added-up",
        misconception="A student has as many bytes as all its seeds.",
        code=changed(
            RIGHT_Q5,
            ("(score, -size) > best", "(score, -sum(r['file_bytes'] for r in mine)) > best"),
            ("(score, -size, *", "(score, -sum(r['file_bytes'] for r in mine), *"),
        ),
        message="do not add up its seeds",
    ),
    Mistake(
        question="q5",
        name="better-than-nothing",
        misconception="A student with an F1 of 0 is none.",
        code=changed(
            RIGHT_Q5, ("(best is None or (score", "score > 0 and (best is None or (score")
        ),
        message="The only student that fits has an F1 of 0",
    ),
    Mistake(
        question="q5",
        name="best-of-all-first",
        misconception="Look for the best, then see whether it fits.",
        code=changed(
            RIGHT_Q5,
            ("if size <= max_bytes and (best", "if (best"),
            ("None if best is None else", "None if best is None or -best[1] > max_bytes else"),
        ),
        message="leave out what is too large before you look for the best",
    ),
    Mistake(
        question="q5",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code=changed(
            RIGHT_Q5,
            (
                "    best = None\n",
                "    best = None\n    if len(records) > 28:\n        return None\n",
            ),
        ),
        message="Other students",
    ),
]

ALTERNATIVES = [
    Alternative(question="q1", name="short-names", code=RIGHT_Q1),
    Alternative(
        question="q1",
        name="scipy",
        code="""
from scipy.special import expit, log_expit


def distillation_loss(student, teacher, labels, temperature, alpha):
    targets = expit(teacher / temperature)
    softened = student / temperature
    soft = -targets * log_expit(softened) - (1 - targets) * log_expit(-softened)
    hard = -np.where(labels, log_expit(student), log_expit(-student))
    return np.average([soft.mean() * temperature**2, hard.mean()], weights=[alpha, 1 - alpha])


def soft_gradient(student, teacher, temperature):
    difference = expit(student / temperature) - expit(teacher / temperature)
    return difference / temperature * temperature**2 / np.prod(student.shape)
""",
    ),
    Alternative(
        question="q1",
        name="largest-of-logit-and-zero",
        code="""
def bce(p, z):
    return np.maximum(z, 0) - p * z + np.log1p(np.exp(-np.abs(z)))


def distillation_loss(student, teacher, labels, temperature, alpha):
    p = 0.5 * (1 + np.tanh(0.5 * teacher / temperature))
    terms = alpha * temperature * temperature * bce(p, student / temperature)
    terms += (1 - alpha) * bce(labels, student)
    return float(terms.sum() / terms.size)


def soft_gradient(student, teacher, temperature):
    s, t = np.tanh(0.5 * student / temperature), np.tanh(0.5 * teacher / temperature)
    return temperature * (s - t) / (2 * len(student) * len(student[0]))
""",
    ),
    Alternative(
        question="q1",
        name="torch",
        code="""
import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def distillation_loss(student, teacher, labels, temperature, alpha):
    s, t, y = (torch.tensor(array, dtype=torch.float64) for array in (student, teacher, labels))
    soft = binary_cross_entropy_with_logits(s / temperature, torch.sigmoid(t / temperature))
    hard = binary_cross_entropy_with_logits(s, y)
    return (alpha * temperature**2 * soft + (1 - alpha) * hard).item()


def soft_gradient(student, teacher, temperature):
    z = torch.tensor(student, requires_grad=True)
    p = torch.sigmoid(torch.tensor(teacher) / temperature)
    (temperature**2 * binary_cross_entropy_with_logits(z / temperature, p)).backward()
    return z.grad
""",
    ),
    Alternative(
        question="q1",
        name="as-the-formula",
        code=changed(
            RIGHT_Q1,
            (
                "p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)",
                "-p * -np.logaddexp(0, -z) - (1 - p) * -np.logaddexp(0, z)",
            ),
        ),
    ),
    Alternative(question="q2", name="numpy", code=RIGHT_Q2),
    Alternative(
        question="q2",
        name="eigenvectors",
        code="""
def rank_for_bytes(shape, budget, bytes_per_value):
    fitting = [r for r in range(1, min(shape) + 1) if r * sum(shape) * bytes_per_value <= budget]
    if not fitting:
        raise ValueError
    return fitting[-1]


def truncated_svd(matrix, rank):
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    V = vectors[:, ::-1][:, :rank]
    A = matrix @ V
    return A, V.T, 1 - np.sum(A**2) / np.sum(matrix**2)
""",
    ),
    Alternative(
        question="q2",
        name="root-in-both-factors",
        code="""
def rank_for_bytes(shape, budget, bytes_per_value):
    rank = int(budget / bytes_per_value / (shape[0] + shape[1]))
    if rank < 1:
        raise ValueError("rank 0")
    return min(rank, min(shape))


def truncated_svd(matrix, rank):
    U, s, Vt = np.linalg.svd(matrix)
    root = np.diag(np.sqrt(s[:rank]))
    A, B = U[:, :rank] @ root, root @ Vt[:rank, :]
    return A, B, (np.linalg.norm(matrix - A @ B) / np.linalg.norm(matrix)) ** 2
""",
    ),
    Alternative(question="q3", name="add-at", code=RIGHT_Q3),
    Alternative(
        question="q3",
        name="mask-and-bincount",
        code="""
def connections(outputs, inputs, sparsity):
    return int((1 - sparsity) * outputs * inputs + 0.5)


def sparse_pattern(outputs, inputs, sparsity, seed):
    k, numbers = connections(outputs, inputs, sparsity), splitmix64(seed, outputs * inputs)
    mask = np.zeros(outputs * inputs, dtype=bool)
    if k:
        mask[np.argpartition(numbers, k - 1)[:k]] = True
    return np.where(mask.reshape(outputs, inputs))


def sparse_forward(x, values, rows, columns, bias):
    return np.array([
        np.bincount(rows, weights=values * row[columns], minlength=len(bias)) + bias for row in x
    ])


def stored_bytes(outputs, inputs, sparsity, width):
    return 4 * 4 + width * connections(outputs, inputs, sparsity) + width * outputs
""",
    ),
    Alternative(
        question="q3",
        name="loops",
        code="""
def sparse_pattern(outputs, inputs, sparsity, seed):
    numbers = splitmix64(seed, outputs * inputs).tolist()
    count = round(outputs * inputs * (1 - sparsity))
    chosen = sorted(sorted(range(len(numbers)), key=numbers.__getitem__)[:count])
    return [p // inputs for p in chosen], [p % inputs for p in chosen]


def sparse_forward(x, values, rows, columns, bias):
    y = np.tile(bias, (len(x), 1))
    for value, row, column in zip(values, rows, columns):
        y[:, row] += value * x[:, column]
    return y


def stored_bytes(outputs, inputs, sparsity, width):
    return 16 + width * (outputs + round(outputs * inputs * (1 - sparsity)))
""",
    ),
    Alternative(
        question="q3",
        name="counts-what-is-left-out",
        code=changed(
            RIGHT_Q3,
            ("k = round((1 - sparsity) * n)", "k = n - round(sparsity * n)"),
            (
                "k = round((1 - sparsity) * outputs * inputs)",
                "k = outputs * inputs - round(sparsity * outputs * inputs)",
            ),
        ),
    ),
    Alternative(question="q4", name="running-sum", code=RIGHT_Q4),
    Alternative(
        question="q4",
        name="one-large-batch",
        code="""
from scipy.special import expit


def dropout(values, rate, random):
    result = values / (1 - rate)
    result[random.random(values.shape) < rate] = 0
    return result


def dropout_target(network, x, samples):
    mode = network.training
    network.train(True)
    probabilities = expit(network(np.concatenate([x] * samples)))
    network.train() if mode else network.eval()
    return probabilities.reshape(samples, len(x), -1).mean(axis=0)
""",
    ),
    Alternative(
        question="q4",
        name="number-by-number",
        code=changed(
            RIGHT_Q4,
            (
                "    keep = random.random(values.shape) >= rate\n",
                "    keep = np.empty(values.shape, dtype=bool)\n"
                "    for place in np.ndindex(values.shape):\n"
                "        keep[place] = not random.random() < rate\n",
            ),
        ),
    ),
    Alternative(question="q5", name="loop", code=RIGHT_Q5),
    Alternative(
        question="q5",
        name="sorted-and-grouped",
        code="""
from itertools import groupby
from statistics import mean


def choose_student(records, max_bytes):
    def key(record):
        return record["method"], record["setting"]

    ranking = []
    for student, group in groupby(sorted(records, key=key), key=key):
        group = list(group)
        f1 = {s: mean(r["macro_f1"] for r in group if r["split"] == s) for s in ("dev", "test")}
        size = max(r["file_bytes"] for r in group)
        if not size > max_bytes:
            ranking.append((-f1["dev"], size, *student, f1["test"]))
    return min(ranking)[2:] if ranking else None
""",
    ),
    Alternative(
        question="q5",
        name="summarise",
        code="""
from utils.records import summarise


def choose_student(records, max_bytes):
    by = ("method", "setting")
    sizes = {tuple(s[k] for k in by): s["max"] for s in summarise(records, "file_bytes")}
    f1 = {}
    for split in ("dev", "test"):
        for s in summarise([r for r in records if r["split"] == split]):
            f1[s["method"], s["setting"], split] = s["mean"]
    found = None
    for student, size in sorted(sizes.items(), key=lambda item: item[1]):
        if size <= max_bytes and (found is None or f1[*student, "dev"] > f1[*found, "dev"]):
            found = student
    return (*found, f1[*found, "test"]) if found else None
""",
    ),
]
