"""Question 1, distillation loss and gradient: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

SOFT = "cross_entropy(sigmoid(teacher / temperature), student / temperature)"
HARD = "cross_entropy(labels, student)"
MIX = "alpha * temperature**2 * soft + (1 - alpha) * cross_entropy(labels, student)"
TERMS = "p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)"
MEAN = f"np.mean({TERMS})"
GAP = "sigmoid(student / temperature) - sigmoid(teacher / temperature)"
GRADIENT = "temperature * difference / student.size"
STABLE = "np.exp(-np.logaddexp(0, -z))"

SOFTMAX = """
def softmax(z, axis=1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(z, axis=1):
    z = z - z.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
"""
TEACHER_ENTROPY = "cross_entropy(sigmoid(teacher / temperature), teacher / temperature)"


def soft(*texts):
    """The soft part's cross entropy written so: a change for each text."""
    return tuple(((SOFT, text),) for text in texts)


def mix(*texts):
    return tuple(((MIX, text),) for text in texts)


def gradient(*texts):
    return tuple(((GRADIENT, text),) for text in texts)


def gap(*texts):
    return tuple(((GAP, text),) for text in texts)


ADDED = {  # how the mean goes wrong: what replaces it, and what is told
    "sum": ("np.sum({})", "You add up over comments and labels; take the mean over both."),
    "sum-over-labels": (
        "np.mean(np.sum({}, axis=1))",
        "You add up over the labels of a comment; the mean is over labels, too.",
    ),
    "sum-over-comments": (
        "np.mean(np.sum({}, axis=0))",
        "You add up over comments; the mean is over comments, too.",
    ),
}
POWERS = {  # what replaces T^2 in the loss
    "no-square": ("alpha * soft", "T^2 is missing from the soft part."),
    "not-squared": (
        "alpha * temperature * soft",
        "You multiply the soft part by T, and not by its square.",
    ),
}
FACTORS = {  # what replaces T in the gradient
    "without-temperature": (
        "",
        "The gradient lacks a factor T: what is left of T^2 and the chain rule's 1 / T.",
    ),
    "without-the-chain-rule": (
        "temperature**2 *",
        "Your gradient has the factor T^2, but the chain rule divides by T once.",
    ),
    "without-the-square": (
        "1 / temperature *",
        "Your gradient is divided by T: that is the chain rule alone, without T^2.",
    ),
}
COUNTS = {  # what replaces the division by the number of logits
    "of-a-sum": (
        "",
        "Your gradient is that of a sum. The loss is a mean: divide by comments times labels.",
    ),
    "of-the-mean-over-comments": (
        "/ len(student)",
        "You divide the gradient by the number of comments only; the mean is over labels, too.",
    ),
    "of-the-mean-over-labels": (
        "/ student.shape[1]",
        "You divide the gradient by the number of labels only; the mean is over comments, too.",
    ),
}

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        message="your answer calls utils.distillation.SoftLabelLoss",
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
    ),
    # ---------------------------------------------------------------- T^2, and the mean
    *(
        Mistake(
            f"temperature-{name}",
            "T^2 is a matter of taste.",
            told,
            variants=tuple(mix(MIX.replace(old, new))),
        )
        for name, (new, told) in POWERS.items()
        for old in ["alpha * temperature**2 * soft"]
    ),
    *(
        Mistake(
            name,
            "A loss is the sum over what can be wrong.",
            told,
            variants=(((MEAN, form.format(TERMS)),),),
        )
        for name, (form, told) in ADDED.items()
    ),
    *(
        Mistake(
            f"{how}-{name}",
            "A loss is a sum, and the temperature only softens.",
            f"{told} {also}",
            variants=(
                (
                    (MEAN, form.format(TERMS)),
                    (MIX, MIX.replace("alpha * temperature**2 * soft", new)),
                ),
            ),
        )
        for name, (form, also) in ADDED.items()
        for how, (new, told) in POWERS.items()
    ),
    Mistake(
        "soft-part-summed",
        "Only the usual loss is a mean.",
        "The soft part is a sum over comments or labels; it is a mean over both, like the hard one.",
        variants=tuple(
            soft(*(f"{SOFT} * {n}" for n in ("student.size", "len(student)", "student.shape[1]")))
        ),
    ),
    Mistake(
        "hard-part-summed",
        "Only the soft part is a mean.",
        "The hard part is a sum over comments or labels; it is a mean over both, like the soft one.",
        variants=tuple(
            [
                ((HARD, f"{HARD} * {n}"),)
                for n in ("student.size", "len(student)", "student.shape[1]")
            ]
        ),
    ),
    Mistake(
        "half-of-the-loss",
        "The mean over both parts in one array is the mean of their sum.",
        "That is half of the loss: the parts are added, and the mean is over comments and labels, "
        "not over parts.",
        variants=(((MIX, f"({MIX}) / 2"),),),
    ),
    Mistake(
        "several-numbers",
        "The mean is taken over the labels of a comment, or over comments.",
        "The loss is one number for all comments and labels: take the mean over both.",
        variants=(
            ((MEAN, f"np.mean({TERMS}, axis=1)"),),
            ((MEAN, f"np.mean({TERMS}, axis=0)"),),
            ((MEAN, f"({TERMS})"),),
            ((MEAN, f"np.sum({TERMS}, axis=1)"),),
            ((MEAN, f"np.mean({TERMS}, keepdims=True)"),),
        ),
    ),
    Mistake(
        "both-parts-returned",
        "A loss consists of its parts.",
        "Return the loss alone, one number, and not several results.",
        variants=tuple(
            mix(
                f"({MIX}, soft, {HARD})",
                f"(soft, {HARD})",
                f"({MIX}, {SOFT})",
                f"(alpha * temperature**2 * soft, (1 - alpha) * {HARD})",
            )
        ),
    ),
    Mistake(
        "another-power-of-the-temperature",
        "The power of T is a detail.",
        "The soft part is multiplied by another power of T than its square.",
        variants=tuple(
            mix(
                *(
                    MIX.replace("temperature**2", power)
                    for power in ("temperature**3", "temperature**4", "temperature**0.5")
                )
            )
        ),
    ),
    Mistake(
        "twice-the-temperature",
        "T^2 is 2 T.",
        "You multiply the soft part by 2 T, and not by T^2.",
        variants=tuple(mix(MIX.replace("temperature**2", "2 * temperature"))),
    ),
    Mistake(
        "divided-by-the-square",
        "The soft labels weigh less the softer they are.",
        "You divide the soft part by T or its square; its gradients shrink with T, so multiply.",
        variants=tuple(
            mix(
                MIX.replace("temperature**2 *", "temperature**-2.0 *"),
                MIX.replace("temperature**2 *", "temperature**-1.0 *"),
            )
        ),
    ),
    Mistake(
        "alpha-squared-with-the-temperature",
        "alpha T^2 is (alpha T)^2.",
        "You square alpha, too: only T is squared.",
        variants=tuple(
            mix(
                MIX.replace("alpha * temperature**2", "(alpha * temperature)**2"),
                MIX.replace("alpha * temperature**2", "alpha**2 * temperature**2"),
            )
        ),
    ),
    Mistake(
        "square-for-both-parts",
        "T^2 belongs to the loss as a whole.",
        "T^2 is for the soft part only; your hard part has it as well.",
        variants=tuple(mix(f"temperature**2 * (alpha * soft + (1 - alpha) * {HARD})")),
    ),
    Mistake(
        "square-on-the-hard-part",
        "T^2 makes up for the weight of the hard labels.",
        "T^2 is on the hard part, and belongs to the soft one.",
        variants=tuple(mix(f"alpha * soft + (1 - alpha) * temperature**2 * {HARD}")),
    ),
    Mistake(
        "hard-part-over-the-square",
        "T^2 is divided out of the hard part.",
        "Your hard part is divided by T or its square. It knows no temperature.",
        variants=tuple(
            mix(
                f"alpha * temperature**2 * soft + (1 - alpha) / temperature**2 * {HARD}",
                f"alpha * soft + (1 - alpha) / temperature**2 * {HARD}",
                f"alpha * temperature**2 * soft + (1 - alpha) / temperature * {HARD}",
            )
        ),
    ),
    # ---------------------------------------------------------------- who is softened
    Mistake(
        "temperature-for-the-student-only",
        "The teacher's probabilities are what they are.",
        "You soften the student only; divide the teacher's logits by T, too.",
        variants=tuple(soft("cross_entropy(sigmoid(teacher), student / temperature)")),
    ),
    Mistake(
        "temperature-for-the-teacher-only",
        "The student must reach the soft labels with its own, sharp probabilities.",
        "You soften the teacher only; divide the student's logits by T, too.",
        variants=tuple(soft("cross_entropy(sigmoid(teacher / temperature), student)")),
    ),
    Mistake(
        "temperature-for-nobody",
        "The temperature is a weight of the loss.",
        "Neither side is softened: divide the logits of both by T in the soft part.",
        variants=tuple(soft("cross_entropy(sigmoid(teacher), student)")),
    ),
    Mistake(
        "temperature-ignored",
        "At any temperature the loss is the same.",
        "Your loss does not depend on T: it softens both sides, and its square weighs the soft part.",
        variants=(
            ((SOFT, "cross_entropy(sigmoid(teacher), student)"), ("temperature**2 * soft", "soft")),
        ),
    ),
    Mistake(
        "temperature-of-the-example",
        "The temperature is 2.",
        "Your loss has the temperature of the example, 2, and not the one that it is given.",
        variants=(
            (("temperature, alpha):\n", "temperature, alpha):\n    temperature = 2\n"),),
            ((MIX, MIX.replace("temperature**2", "4")),),
            ((SOFT, SOFT.replace("temperature", "2")),),
        ),
    ),
    Mistake(
        "times-the-temperature",
        "A higher temperature means larger logits.",
        "You multiply logits by T, which makes them more extreme; divide.",
        variants=tuple(
            soft(
                "cross_entropy(sigmoid(teacher * temperature), student * temperature)",
                "cross_entropy(sigmoid(teacher * temperature), student / temperature)",
                "cross_entropy(sigmoid(teacher / temperature), student * temperature)",
            )
        ),
    ),
    Mistake(
        "divided-by-another-power",
        "T^2 belongs to the logits.",
        "You divide logits by another power of T than T itself, its square or its root.",
        variants=tuple(
            soft(
                *(
                    f"cross_entropy(sigmoid(teacher / {t}), student / {s})"
                    for t, s in (
                        ("temperature**2", "temperature**2"),
                        ("temperature**0.5", "temperature**0.5"),
                        ("temperature**2", "temperature"),
                        ("temperature", "temperature**2"),
                    )
                )
            )
        ),
    ),
    Mistake(
        "hard-labels-softened",
        "The student has one temperature, for all targets.",
        "The hard labels know no temperature: leave the student's logits as they are there.",
        variants=(((HARD, "cross_entropy(labels, student / temperature)"),),),
    ),
    Mistake(
        "hard-part-softened-and-squared",
        "Both parts have the temperature, and T^2 with it.",
        "The hard part knows no temperature, and yours has it inside, and T^2 before it.",
        variants=tuple(
            mix(
                "temperature**2 * (alpha * soft"
                " + (1 - alpha) * cross_entropy(labels, student / temperature))",
            )
        ),
    ),
    Mistake(
        "labels-softened",
        "Labels have a temperature like logits.",
        "The labels are divided by T, or softened by a sigmoid; they stay 0 and 1.",
        variants=(
            ((HARD, "cross_entropy(labels / temperature, student)"),),
            ((HARD, "cross_entropy(sigmoid(labels), student)"),),
            ((HARD, "cross_entropy(sigmoid(labels / temperature), student)"),),
            ((HARD, "cross_entropy(sigmoid(labels / temperature), student / temperature)"),),
        ),
    ),
    # ---------------------------------------------------------------- from logits to probabilities
    Mistake(
        "softmax-over-labels",
        "Distillation is defined with a softmax, so it needs one.",
        "That is with a softmax, which makes emotions compete. A comment may have several: a "
        "sigmoid for each.",
        variants=(
            *soft(
                "-(softmax(teacher / temperature) * log_softmax(student / temperature)).sum(axis=1)"
                ".mean()",
                "-(softmax(teacher / temperature) * log_softmax(student / temperature)).mean()",
                "-(softmax(teacher / temperature) * log_softmax(student / temperature)).sum()",
                "(softmax(teacher / temperature) * (log_softmax(teacher / temperature)"
                " - log_softmax(student / temperature))).sum(axis=1).mean()",
                "(softmax(teacher / temperature) * (log_softmax(teacher / temperature)"
                " - log_softmax(student / temperature))).mean()",
                "cross_entropy(softmax(teacher / temperature), student / temperature)",
                "-(softmax(teacher / temperature, 0) * log_softmax(student / temperature, 0)).mean()",
                "-(softmax(teacher / temperature, None) * log_softmax(student / temperature, None))"
                ".mean()",
            ),
            *(
                (
                    (
                        SOFT,
                        "-(softmax(teacher / temperature) * log_softmax(student / temperature))"
                        + how,
                    ),
                    (HARD, "-(labels * log_softmax(student))" + how),
                )
                for how in (".sum(axis=1).mean()", ".mean()", ".sum()")
            ),
        ),
        helpers=SOFTMAX,
    ),
    Mistake(
        "teacher-probabilities-squashed-again",
        "What the teacher says is a probability, so that is what is softened.",
        "You take the sigmoid of the teacher's probabilities once more; soften its logits.",
        variants=tuple(
            soft(
                "cross_entropy(sigmoid(sigmoid(teacher) / temperature), student / temperature)",
                "cross_entropy(sigmoid(sigmoid(teacher / temperature)), student / temperature)",
            )
        ),
    ),
    Mistake(
        "student-squashed-first",
        "The cross entropy takes probabilities, whatever its arguments are called.",
        "You take the sigmoid of the student's probabilities once more: the cross entropy above "
        "takes its logits.",
        variants=tuple(
            soft(
                "cross_entropy(sigmoid(teacher / temperature), sigmoid(student / temperature))",
                "cross_entropy(sigmoid(teacher / temperature), sigmoid(student) / temperature)",
            )
        ),
    ),
    Mistake(
        "both-squashed-twice",
        "A temperature softens probabilities.",
        "You take the sigmoid of probabilities on both sides; once is enough, of the softened logits.",
        variants=(
            *soft(
                "cross_entropy(sigmoid(sigmoid(teacher) / temperature),"
                " sigmoid(student) / temperature)",
                "cross_entropy(sigmoid(sigmoid(teacher / temperature)),"
                " sigmoid(student / temperature))",
            ),
            ((TERMS, TERMS.replace("z)", "sigmoid(z))")),),
        ),
    ),
    Mistake(
        "probability-divided-by-temperature",
        "A probability becomes softer by dividing it.",
        "You divide probabilities by T, but then 'certain' is no longer 1; soften the logits.",
        variants=tuple(
            soft(
                "cross_entropy(sigmoid(teacher) / temperature, student / temperature)",
                "cross_entropy(sigmoid(teacher) / temperature, student)",
                "np.mean(-sigmoid(teacher) / temperature * np.log(sigmoid(student) / temperature)"
                " - (1 - sigmoid(teacher) / temperature)"
                " * np.log(1 - sigmoid(student) / temperature))",
            )
        ),
    ),
    Mistake(
        "logits-as-targets",
        "The target of a cross entropy may be any number.",
        "You use the teacher's logits where its probabilities belong.",
        variants=tuple(
            soft(
                "cross_entropy(teacher / temperature, student / temperature)",
                "cross_entropy(teacher, student / temperature)",
                "cross_entropy(teacher / temperature, sigmoid(student / temperature))",
            )
        ),
    ),
    Mistake(
        "teacher-rounded",
        "A teacher says yes or no.",
        "You round the teacher's probabilities to 0 and 1; its doubts are the lesson.",
        variants=tuple(
            soft(
                "cross_entropy(teacher > 0, student / temperature)",
                "cross_entropy(sigmoid(teacher / temperature) >= 0.5, student / temperature)",
                "cross_entropy(np.round(sigmoid(teacher)), student / temperature)",
                "cross_entropy(teacher > 0, student)",
            )
        ),
    ),
    Mistake(
        "targets-with-few-digits",
        "A probability has two digits.",
        "You round the teacher's probabilities to a few digits.",
        variants=tuple(
            soft(
                *(
                    f"cross_entropy(sigmoid(teacher / temperature).round({d}), student / temperature)"
                    for d in (1, 2, 3, 4)
                )
            )
        ),
    ),
    Mistake(
        "sigmoid-of-minus-z",
        "The sign in the exponent is a convention.",
        "The teacher's probability is that of the opposite, sigmoid(-t / T): mind the sign in the "
        "exponent.",
        variants=tuple(
            soft(
                "cross_entropy(sigmoid(-teacher / temperature), student / temperature)",
            )
        ),
    ),
    Mistake(
        "tanh-at-full-scale",
        "The sigmoid is a tanh moved up and halved.",
        "Your sigmoid is 0.5 + 0.5 tanh(z), which is the sigmoid of 2 z: tanh takes z / 2.",
        variants=(((STABLE, "0.5 + 0.5 * np.tanh(z)"),),),
    ),
    Mistake(
        "another-squashing-function",
        "All functions of the shape of an S are alike.",
        "Your probabilities are no sigmoids: another function of the same shape gives other numbers.",
        variants=(
            ((STABLE, "0.5 + np.arctan(z) / np.pi"),),
            ((STABLE, "0.5 + 0.5 * z / (1 + abs(z))"),),
            ((STABLE, "np.clip(0.5 + z / 4, 0, 1)"),),
            ((STABLE, "np.clip(0.5 + z / 6, 0, 1)"),),
            ((STABLE, "np.tanh(z)"),),
            ((STABLE, "1 / (1 + 2.0**-z)"),),
        ),
    ),
    # ---------------------------------------------------------------- the cross entropy
    Mistake(
        "kullback-leibler",
        "A loss is 0 for a perfect student.",
        "That is the Kullback-Leibler divergence, without the teacher's uncertainty. It has the same "
        "gradient, but the question asks for the cross entropy.",
        variants=tuple(soft(f"({SOFT} - {TEACHER_ENTROPY})")),
    ),
    Mistake(
        "positive-term-only",
        "A cross entropy is -p log q, as with a softmax.",
        "The term with 1 - p is missing from the cross entropy; what a label is not has to be "
        "learned, too.",
        variants=(
            ((TERMS, "p * np.logaddexp(0, -z)"),),
            *soft(
                "np.mean(sigmoid(teacher / temperature) * np.logaddexp(0, -student / temperature))"
            ),
            ((HARD, "np.mean(labels * np.logaddexp(0, -student))"),),
            ((MEAN, f"np.sum({TERMS.split(' + ')[0]}) / len(z)"),),
            ((MEAN, f"np.sum({TERMS.split(' + ')[0]})"),),
        ),
    ),
    Mistake(
        "places-changed",
        "A cross entropy has no direction.",
        "Teacher and student have changed places in the soft part: the teacher's probabilities are "
        "the target.",
        variants=tuple(
            soft("cross_entropy(sigmoid(student / temperature), teacher / temperature)")
        ),
    ),
    Mistake(
        "student-teaches-itself",
        "The soft labels are the student's own.",
        "The soft part compares the student, or the teacher, with itself.",
        variants=tuple(
            soft(
                "cross_entropy(sigmoid(student / temperature), student / temperature)",
                TEACHER_ENTROPY,
            )
        ),
    ),
    Mistake(
        "label-terms-swapped",
        "y = 1 goes with log(1 - p).",
        "In your cross entropy y stands with log(1 - p), and 1 - y with log p: it rewards the opposite.",
        variants=(
            ((TERMS, "(1 - p) * np.logaddexp(0, -z) + p * np.logaddexp(0, z)"),),
            ((HARD, "cross_entropy(1 - labels, student)"),),
            ((HARD, "cross_entropy(labels, -student)"),),
            *soft("cross_entropy(sigmoid(teacher / temperature), -student / temperature)"),
        ),
    ),
    Mistake(
        "difference-for-sum",
        "The two terms of a cross entropy have opposite signs.",
        "The terms with y and 1 - y are subtracted from each other in your cross entropy; both "
        "are losses, and are added.",
        variants=(
            ((TERMS, TERMS.replace(" + (1", " - (1")),),
            ((TERMS, "-" + TERMS),),
        ),
    ),
    Mistake(
        "minus-forgotten",
        "A logarithm is positive.",
        "The sign of the loss is wrong: minus the logarithm of a probability is positive.",
        variants=(
            ((MEAN, "-" + MEAN),),
            ((MIX, MIX.replace("(1 - alpha) *", "(1 - alpha) * -1 *")),),
            ((MIX, MIX.replace("+ (1 - alpha)", "- (1 - alpha)")),),
            ((MIX, "-" + MIX),),
        ),
    ),
    Mistake(
        "another-base",
        "A logarithm is a logarithm.",
        "Your logarithm has base 2 or 10; the loss takes the natural one.",
        variants=(
            ((MEAN, f"{MEAN} / np.log(2)"),),
            ((MEAN, f"{MEAN} / np.log(10)"),),
        ),
    ),
    Mistake(
        "squared-error",
        "Distillation makes the student's numbers equal to the teacher's: a squared error will do.",
        "Your soft part is a squared error of logits or probabilities, not a cross entropy.",
        variants=tuple(
            soft(
                "np.mean((sigmoid(student / temperature) - sigmoid(teacher / temperature)) ** 2)",
                "np.mean((student / temperature - teacher / temperature) ** 2)",
                "np.mean((student - teacher) ** 2)",
                "np.mean((sigmoid(student) - sigmoid(teacher)) ** 2)",
                "np.mean((student / temperature - teacher / temperature) ** 2) / 2",
            )
        ),
    ),
    Mistake(
        "absolute-error",
        "What counts is how far the probabilities are apart.",
        "Your soft part is an absolute error of logits or probabilities, not a cross entropy.",
        variants=tuple(
            soft(
                "np.mean(abs(sigmoid(student / temperature) - sigmoid(teacher / temperature)))",
                "np.mean(abs(student - teacher) / temperature)",
            )
        ),
    ),
    Mistake(
        "hard-squared-error",
        "A label is a number to be hit.",
        "Your hard part is a squared error or a share of mistakes, not a cross entropy.",
        variants=(
            ((HARD, "np.mean((sigmoid(student) - labels) ** 2)"),),
            ((HARD, "np.mean((student > 0) != labels)"),),
            ((HARD, "np.mean(abs(sigmoid(student) - labels))"),),
        ),
    ),
    Mistake(
        "only-where-labels-are-one",
        "What a comment does not have cannot be learned.",
        "You leave out labels, or comments: the mean is over all of them.",
        variants=tuple(
            [
                (
                    (
                        SOFT,
                        f"cross_entropy(sigmoid(teacher / temperature), student / temperature){end}",
                    ),
                    ("np.mean(", f"{start}("),
                )
                for start, end in (
                    ("(lambda a: (a * labels).sum() / max(labels.sum(), 1))", ""),
                    ("(lambda a: (a * labels).mean())", ""),
                    ("(lambda a: a[:-1].mean() if len(a) > 1 else a.mean())", ""),
                    ("(lambda a: a[0].mean())", ""),
                    ("(lambda a: a[:, 0].mean())", ""),
                )
            ]
        ),
    ),
    Mistake(
        "rare-labels-weighted",
        "Rare labels need a larger weight.",
        "You weigh labels that are 1 in another way than those that are 0. The hard part is the "
        "plain cross entropy.",
        variants=tuple(
            [
                (
                    (
                        HARD,
                        "np.mean(weight(labels) * labels * np.logaddexp(0, -student)"
                        f" + (1 - labels) * np.logaddexp(0, student)){end}",
                    ),
                )
                for end in ("", " / 2")
            ]
        ),
        helpers="""
def weight(labels):
    return (labels == 0).sum() / max(1, (labels == 1).sum())
""",
    ),
    # ---------------------------------------------------------------- the mixture
    Mistake(
        "alpha-swapped",
        "alpha is the weight of the hard labels.",
        "alpha weighs the soft part, and you let it weigh the hard one.",
        variants=tuple(
            mix(
                f"(1 - alpha) * temperature**2 * soft + alpha * {HARD}",
                f"(1 - alpha) * soft + alpha * {HARD}",
            )
        ),
    ),
    Mistake(
        "parts-not-weighed",
        "A mixture is a sum.",
        "Your loss does not depend on alpha: both parts count in full, or with a fixed share.",
        variants=tuple(
            mix(
                f"temperature**2 * soft + {HARD}",
                f"(temperature**2 * soft + {HARD}) / 2",
                f"0.75 * temperature**2 * soft + 0.25 * {HARD}",
                f"soft + {HARD}",
            )
        ),
    ),
    Mistake(
        "hard-part-in-full",
        "alpha weighs the soft part, and the hard one is as it was.",
        "The hard part is in it in full; it weighs 1 - alpha.",
        variants=tuple(mix(f"alpha * temperature**2 * soft + {HARD}", f"alpha * soft + {HARD}")),
    ),
    Mistake(
        "soft-part-in-full",
        "T^2 is the weight of the soft part.",
        "The soft part is in it in full; it weighs alpha.",
        variants=tuple(
            mix(
                f"temperature**2 * soft + (1 - alpha) * {HARD}",
                f"soft + (1 - alpha) * {HARD}",
            )
        ),
    ),
    Mistake(
        "alpha-on-both",
        "alpha is the weight of the new loss.",
        "alpha weighs both parts, or 1 - alpha does; the soft one weighs alpha, the hard one the rest.",
        variants=tuple(
            mix(
                f"alpha * (temperature**2 * soft + {HARD})",
                f"(1 - alpha) * (temperature**2 * soft + {HARD})",
            )
        ),
    ),
    Mistake(
        "one-part-only",
        "The labels are in the teacher already.",
        "Only one of the two parts is in your loss.",
        variants=tuple(
            mix(
                "temperature**2 * soft",
                "alpha * temperature**2 * soft",
                HARD,
                f"(1 - alpha) * {HARD}",
                "soft",
            )
        ),
    ),
    Mistake(
        "teacher-decides-the-hard-labels",
        "The teacher replaces the labels.",
        "The hard part compares the student with the teacher's verdicts or probabilities; it has the "
        "labels as targets.",
        variants=(
            ((HARD, "cross_entropy(teacher > 0, student)"),),
            ((HARD, "cross_entropy(sigmoid(teacher), student)"),),
            ((HARD, "cross_entropy(sigmoid(teacher / temperature), student)"),),
        ),
    ),
    Mistake(
        "teacher-meets-the-labels",
        "The hard part says how good the teacher is.",
        "The hard part compares the teacher with the labels; it is the student that learns.",
        variants=(((HARD, "cross_entropy(labels, teacher)"),),),
    ),
    Mistake(
        "labels-for-the-teacher",
        "The softened student learns from the labels.",
        "The soft part has the labels as targets; it has the teacher's probabilities.",
        variants=tuple(
            soft(
                "cross_entropy(labels, student / temperature)",
                "cross_entropy(sigmoid(labels / temperature), student / temperature)",
            )
        ),
    ),
    Mistake(
        "targets-mixed",
        "Mixing the targets is mixing the losses.",
        "You mix the targets, or the probabilities, and take one cross entropy. The losses are mixed, "
        "each with logits of its own.",
        variants=tuple(
            mix(
                *(
                    f"{factor}cross_entropy(alpha * sigmoid(teacher / temperature)"
                    f" + (1 - alpha) * labels, {logits})"
                    for factor in ("", "temperature**2 * ")
                    for logits in ("student / temperature", "student")
                ),
                "cross_entropy(alpha * sigmoid(teacher) + (1 - alpha) * labels, student)",
            )
        ),
    ),
    Mistake(
        "geometric-mixture",
        "There is only one way to mix.",
        "You mix with squared weights or powers; the weights are alpha and 1 - alpha.",
        variants=tuple(
            mix(
                f"alpha**2 * temperature**2 * soft + (1 - alpha)**2 * {HARD}",
                f"(temperature**2 * soft) ** alpha * {HARD} ** (1 - alpha)",
                f"alpha * temperature**2 * soft + (1 - alpha**2) * {HARD}",
            )
        ),
    ),
    # ---------------------------------------------------------------- large logits
    Mistake(
        "logarithm-of-the-sigmoid",
        "A formula that is right on paper is right in floating point.",
        "Logits of hundreds give nan or inf: a probability is rounded to 0 or 1 there, and its "
        "logarithm is no number. Compute the logarithm of a sigmoid without the sigmoid.",
        variants=(
            ((TERMS, "-p * np.log(sigmoid(z)) - (1 - p) * np.log(1 - sigmoid(z))"),),
            (
                (TERMS, "-p * np.log(sigmoid(z)) - (1 - p) * np.log(1 - sigmoid(z))"),
                (STABLE, "1 / (1 + np.exp(-z))"),
            ),
            ((TERMS, "-p * np.log(sigmoid(z)) - (1 - p) * np.log(sigmoid(-z))"),),
            (
                (
                    TERMS,
                    "-(p * np.log(1 / (1 + np.exp(-z))) + (1 - p) * np.log(1 / (1 + np.exp(z))))",
                ),
            ),
            (
                (TERMS, "-p * np.log(sigmoid(z)) - (1 - p) * np.log(1 - sigmoid(z))"),
                (STABLE, "np.exp(z) / (1 + np.exp(z))"),
            ),
            (
                (
                    SOFT,
                    "np.mean(-sigmoid(teacher / temperature) * np.log(sigmoid(student / temperature))"
                    " - (1 - sigmoid(teacher / temperature))"
                    " * np.log(1 - sigmoid(student / temperature)))",
                ),
            ),
            (
                (
                    HARD,
                    "np.mean(-labels * np.log(sigmoid(student))"
                    " - (1 - labels) * np.log(1 - sigmoid(student)))",
                ),
            ),
            ((HARD, "-np.mean(np.log(np.where(labels, sigmoid(student), 1 - sigmoid(student))))"),),
        ),
    ),
    Mistake(
        "logarithm-of-one-plus-e",
        "log(1 + e^-z) is computed as it is written.",
        "Logits of hundreds give nan or inf: e^-z is inf there before the logarithm is taken.",
        variants=(
            ((TERMS, "p * np.log(1 + np.exp(-z)) + (1 - p) * np.log(1 + np.exp(z))"),),
            ((TERMS, "(1 - p) * z + np.log1p(np.exp(-z))"),),
            ((TERMS, "np.log1p(np.exp(z)) - p * z"),),
            ((TERMS, "p * np.log1p(np.exp(-z)) + (1 - p) * (z + np.log1p(np.exp(-z)))"),),
        ),
    ),
    Mistake(
        "sigmoid-that-overflows",
        "Both ways to write the sigmoid are the same.",
        "Your sigmoid is inf / inf, nan, for large logits.",
        variants=(((STABLE, "np.exp(z) / (1 + np.exp(z))"),),),
    ),
    Mistake(
        "clipped",
        "Keeping the logarithm away from 0 is harmless.",
        "What you clip, or add inside the logarithm, is all that is seen of logits of hundreds: a "
        "wrong one costs as much as the logit says.",
        variants=(
            *(
                (
                    (TERMS, "-(p * np.log(clip(z)) + (1 - p) * np.log(1 - clip(z)))"),
                    (STABLE, f"1 / (1 + np.exp(-z))\n\ndef clip(z):\n    return {how}"),
                )
                for how in (
                    *(
                        f"np.clip(sigmoid(z), {eps}, 1 - {eps})"
                        for eps in ("1e-15", "1e-12", "1e-10", "1e-9", "1e-8", "1e-7", "1e-6")
                    ),
                    *(f"sigmoid(np.clip(z, -{most}, {most}))" for most in (15, 20, 30, 50)),
                )
            ),
            *(
                (
                    (
                        TERMS,
                        f"-(p * np.log(sigmoid(z) + {e}) + (1 - p) * np.log(1 - sigmoid(z) + {e}))",
                    ),
                )
                for e in ("1e-300", "1e-15", "1e-12", "1e-10", "1e-9", "1e-8", "1e-7")
            ),
            (
                (
                    MEAN,
                    "np.mean(np.where(\n"
                    "        abs(z) > 500,\n"
                    "        np.maximum(z, 0) - p * z,\n"
                    "        -p * np.log(sigmoid(z) + 1e-300)\n"
                    "        - (1 - p) * np.log(1 - sigmoid(z) + 1e-300),\n"
                    "    ))",
                ),
            ),
            *(
                ((TERMS, TERMS.replace("z)", f"np.clip(z, -{most}, {most}))")),)
                for most in (20, 30, 50, 100, 500, 700, 709)
            ),
        ),
    ),
    Mistake(
        "nan-replaced",
        "nan is as good as 0.",
        "nan or inf is replaced by a number, or left out, where logits are large. The loss there is an "
        "ordinary number: as large as the logits say.",
        variants=tuple(
            [
                (
                    (
                        MEAN,
                        f"{mean}(-p * np.log(sigmoid(z)) - (1 - p) * np.log(1 - sigmoid(z))){end}",
                    ),
                )
                for mean, end in (
                    ("np.nanmean", ""),
                    ("np.mean(np.nan_to_num", ")"),
                    ("np.nan_to_num(np.mean", ")"),
                    ("np.mean(np.nan_to_num", ".clip(0, 100))"),
                )
            ]
        ),
    ),
    # ---------------------------------------------------------------- results and inputs
    Mistake(
        "changes-its-input",
        "z /= T is a short way to write z / T.",
        "Write z / T, and not z /= T, which changes an array that you were given.",
        variants=(
            *(
                ((f"    {before}", f"    {line}\n    {before}"),)
                for before in ("soft = cross",)
                for line in (
                    "teacher[:] = teacher / temperature * temperature**0",
                    "student[:] = student / temperature",
                )
            ),
            (
                (
                    f"    soft = {SOFT}",
                    f"    hard = {HARD}\n    teacher /= temperature\n    student /= temperature\n"
                    "    soft = cross_entropy(sigmoid(teacher), student)",
                ),
                (MIX, MIX.replace(HARD, "hard")),
            ),
            (
                (
                    f"    soft = {SOFT}",
                    "    teacher /= temperature\n    student /= temperature\n"
                    "    soft = cross_entropy(sigmoid(teacher), student)",
                ),
            ),
            (
                (
                    f"    return {MIX}",
                    f"    loss = {MIX}\n    teacher /= temperature\n    return loss",
                ),
            ),
            (
                (
                    f"    difference = {GAP}",
                    "    student /= temperature\n    teacher /= temperature\n"
                    "    difference = sigmoid(student) - sigmoid(teacher)",
                ),
            ),
        ),
    ),
    Mistake(
        "no-return",
        "What a function computes last is its value.",
        "Your answer gives None: is a `return` missing?",
        variants=(
            ((f"return {MIX}", f"loss = {MIX}"),),
            ((f"return {MIX}", f"print({MIX})"),),
            ((f"return {GRADIENT}", f"gradient = {GRADIENT}"),),
        ),
    ),
    Mistake(
        "rounded",
        "Four digits are enough.",
        "The result is rounded. Return it as it is.",
        variants=(
            *(((MIX, f"round({MIX}, {digits})"),) for digits in (1, 2, 3, 4)),
            *(((GRADIENT, f"np.round({GRADIENT}, {digits})"),) for digits in (2, 3, 4, 5)),
        ),
    ),
    Mistake(
        "hard-coded-example",
        "An answer that passes the check in the notebook is right.",
        "The results are those of the example, whatever the input.",
        variants=(
            ((MIX, "3.6968667105"),),
            ((GRADIENT, "np.array([[0.125, 0.25], [0, -0.325]])"),),
        ),
    ),
    # ---------------------------------------------------------------- the gradient
    *(
        Mistake(
            f"gradient-{name}",
            "T^2 and the chain rule are one and the same.",
            told,
            variants=tuple(gradient(f"{factor} difference / student.size".strip())),
        )
        for name, (factor, told) in FACTORS.items()
    ),
    *(
        Mistake(
            f"gradient-{name}",
            "The gradient of a logit does not depend on how many there are.",
            told,
            variants=tuple(gradient(f"temperature * difference {count}".strip())),
        )
        for name, (count, told) in COUNTS.items()
    ),
    *(
        Mistake(
            f"gradient-{name}-{how}",
            "The gradient is the difference of the probabilities.",
            f"{also} {told}",
            variants=tuple(gradient(f"{factor} difference {count}".strip())),
        )
        for how, (factor, told) in FACTORS.items()
        for name, (count, also) in COUNTS.items()
    ),
    Mistake(
        "gradient-with-another-power",
        "The power of T is a detail.",
        "Your gradient has another power of T than the first.",
        variants=tuple(
            gradient(
                "temperature**3 * difference / student.size",
                "temperature**-2.0 * difference / student.size",
                "2 * temperature * difference / student.size",
                "temperature**4 * difference / student.size",
                "temperature**0.5 * difference / student.size",
            )
        ),
    ),
    Mistake(
        "gradient-at-the-example's-temperature",
        "The temperature is 2.",
        "Your gradient has the temperature of the example, 2, and not the one that it is given.",
        variants=(
            ((GRADIENT, "2 * difference / student.size"),),
            ((GAP, GAP.replace("temperature", "2")),),
            ((GAP, GAP.replace("temperature", "2")), (GRADIENT, "2 * difference / student.size")),
        ),
    ),
    Mistake(
        "gradient-averaged-away",
        "A gradient is a mean over comments.",
        "There is a derivative for each of the student's logits: return an array of its shape, no "
        "mean or sum of it.",
        variants=tuple(
            gradient(
                *(
                    f"(temperature * difference).{how}"
                    for how in (
                        "mean(axis=0)",
                        "mean(axis=1)",
                        "mean()",
                        "sum(axis=0)",
                        "sum(axis=1)",
                        "sum(axis=0) / student.size",
                        "mean(axis=0, keepdims=True)",
                        "sum()",
                    )
                )
            )
        ),
    ),
    Mistake(
        "gradient-downhill",
        "The gradient points to where the loss falls.",
        "The sign of the gradient is wrong. Where the student is above its teacher, the loss rises with "
        "its logit.",
        variants=tuple(
            gradient(
                "-temperature * difference / student.size",
                "-difference / student.size",
                "-difference / temperature / student.size",
                "-temperature * difference",
                "-temperature**2 * difference / student.size",
                "-temperature * difference / len(student)",
            )
        ),
    ),
    Mistake(
        "gradient-of-a-squared-error",
        "Behind a sigmoid there is always a factor p (1 - p).",
        "There is a factor p (1 - p) too many in the gradient. It belongs to a squared error; the "
        "logarithm of the cross entropy cancels it.",
        variants=tuple(
            [
                (
                    (GRADIENT, f"{factor} * difference * slope / student.size"),
                    (
                        f"difference = {GAP}",
                        f"difference = {GAP}\n    p = sigmoid({which} / temperature)\n"
                        "    slope = p * (1 - p)",
                    ),
                )
                for which in ("student", "teacher")
                for factor in ("temperature", "2 * temperature", "temperature**2", "1")
            ]
        ),
    ),
    Mistake(
        "gradient-at-temperature-one",
        "The gradient compares the probabilities that would be shipped.",
        "The logits are not divided by T inside the gradient's sigmoids.",
        variants=(
            *gap("sigmoid(student) - sigmoid(teacher)"),
            ((GAP, "sigmoid(student) - sigmoid(teacher)"), (GRADIENT, "difference / student.size")),
        ),
    ),
    Mistake(
        "gradient-with-one-side-softened",
        "The teacher's probabilities are what they are.",
        "Only one side is softened in your gradient: divide the logits of both by T.",
        variants=tuple(
            gap(
                "sigmoid(student / temperature) - sigmoid(teacher)",
                "sigmoid(student) - sigmoid(teacher / temperature)",
            )
        ),
    ),
    Mistake(
        "gradient-with-logits-times-temperature",
        "A higher temperature means larger logits.",
        "You multiply the logits by T in the gradient; divide.",
        variants=tuple(gap("sigmoid(student * temperature) - sigmoid(teacher * temperature)")),
    ),
    Mistake(
        "gradient-of-high-temperatures",
        "The gradient is the difference of the logits.",
        "That compares logits, as at high temperatures, where sigmoid(z) is nearly 1/2 + z/4. At "
        "others the gradient compares probabilities.",
        variants=tuple(
            gradient(
                "(student - teacher) / 4 / student.size",
                "(student - teacher) / student.size",
                "(student - teacher) / temperature / student.size",
                "2 * (student - teacher) / student.size",
                "temperature * (student - teacher) / student.size",
                "(student - teacher) / 4",
            )
        ),
    ),
    Mistake(
        "gradient-with-logits-for-the-teacher",
        "The teacher's logits are its targets.",
        "In the gradient one side is a probability, and the other a logit; both are probabilities.",
        variants=tuple(
            gap(
                "sigmoid(student / temperature) - teacher / temperature",
                "student / temperature - sigmoid(teacher / temperature)",
                "sigmoid(student / temperature) - teacher",
            )
        ),
    ),
    Mistake(
        "gradient-with-verdicts",
        "A teacher says yes or no.",
        "The gradient rounds the teacher's probabilities to 0 and 1; its doubts are the lesson.",
        variants=tuple(gap("sigmoid(student / temperature) - (teacher > 0)")),
    ),
    Mistake(
        "gradient-squashed-twice",
        "The sigmoid takes probabilities, too.",
        "You take a sigmoid of probabilities in the gradient; once is enough.",
        variants=tuple(
            gap(
                "sigmoid(sigmoid(student / temperature)) - sigmoid(sigmoid(teacher / temperature))",
                "sigmoid(student / temperature) - sigmoid(sigmoid(teacher / temperature))",
                "sigmoid(sigmoid(student) / temperature) - sigmoid(sigmoid(teacher) / temperature)",
                "sigmoid(student / temperature) - sigmoid(sigmoid(teacher) / temperature)",
            )
        ),
    ),
    Mistake(
        "gradient-of-probabilities-divided",
        "A probability becomes softer by dividing it.",
        "You divide probabilities by T in the gradient; soften the logits.",
        variants=tuple(
            gap(
                "(sigmoid(student) - sigmoid(teacher)) / temperature",
                "sigmoid(student / temperature) - sigmoid(teacher) / temperature",
            )
        ),
    ),
    Mistake(
        "gradient-with-a-softmax",
        "Distillation is defined with a softmax, so it needs one.",
        "The gradient has a softmax, which makes emotions compete; a sigmoid for each label.",
        variants=tuple(
            [
                ((GAP, GAP.replace("sigmoid", "softmax")), (GRADIENT, form))
                for form in (
                    GRADIENT,
                    "temperature * difference / len(student)",
                    "temperature * difference",
                    "difference / student.size",
                )
            ]
        ),
        helpers=SOFTMAX,
    ),
    Mistake(
        "gradient-without-sign",
        "What counts is how far student and teacher are apart.",
        "Your gradient is a square, or has lost its sign; it says in which direction the loss rises.",
        variants=tuple(
            gradient(
                "temperature * abs(difference) / student.size",
                "temperature * difference**2 / student.size",
                "np.sign(difference) / student.size",
            )
        ),
    ),
    Mistake(
        "gradient-is-the-loss",
        "The gradient is the loss of each logit.",
        "That is the loss of each logit; its gradient is the derivative with respect to the student's.",
        variants=tuple(
            gradient(
                "temperature**2 * (sigmoid(teacher / temperature)"
                " * np.logaddexp(0, -student / temperature) + (1 - sigmoid(teacher / temperature))"
                " * np.logaddexp(0, student / temperature)) / student.size",
                "temperature**2 * (sigmoid(teacher / temperature)"
                " * np.logaddexp(0, -student / temperature) + (1 - sigmoid(teacher / temperature))"
                " * np.logaddexp(0, student / temperature))",
            )
        ),
    ),
    Mistake(
        "gradient-for-the-teacher",
        "The loss has one gradient.",
        "That is the derivative with respect to the teacher's logits; it is the student that learns.",
        variants=tuple(
            gradient(
                "-student * sigmoid(teacher / temperature) * sigmoid(-teacher / temperature)"
                " / student.size",
            )
        ),
    ),
    Mistake(
        "gradient-by-differences",
        "A difference quotient is the gradient.",
        "That is nearly the gradient: a difference quotient with a finite step. Write the formula.",
        variants=tuple(
            gradient(
                *(
                    f"quotient(lambda z: temperature**2 * cross(sigmoid(teacher / temperature),"
                    f" z / temperature), student, {step}, {low})"
                    for step, low in (
                        (0.1, 0),
                        (0.01, 0),
                        (0.001, 0),
                        (0.0001, 0),
                        (0.1, 1),
                        (1, 1),
                    )
                )
            )
        ),
        helpers="""
def cross(p, z):
    return np.mean(p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z))


def quotient(loss, student, step, low):
    found = np.empty(student.shape)
    for place in np.ndindex(student.shape):
        up, down = student.astype(float), student.astype(float)
        up[place] += step
        down[place] -= step * low
        found[place] = (loss(up) - loss(down)) / (step * (1 + low))
    return found
""",
    ),
]

ALTERNATIVES = [
    Alternative(
        name="short-names",
        code="""
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
""",
    ),
    Alternative(
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
        name="as-the-formula",
        code="""
def log_sigmoid(z):
    return -np.logaddexp(0, -z)


def distillation_loss(student, teacher, labels, temperature, alpha):
    def bce(y, z):
        return -y * log_sigmoid(z) - (1 - y) * log_sigmoid(-z)

    p = np.exp(log_sigmoid(teacher / temperature))
    soft = alpha * temperature**2 * bce(p, student / temperature)
    return np.mean(soft + (1 - alpha) * bce(labels, student))


def soft_gradient(student, teacher, temperature):
    p, q = (np.exp(log_sigmoid(z / temperature)) for z in (teacher, student))
    return temperature**2 * (q - p) * (1 / temperature) / student.size
""",
    ),
]
