"""Question 5, the losses of three phases: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

SAID = "said = torch.sigmoid(other / temperature).detach()"
SOFTENED = "softened = binary_cross_entropy_with_logits(logits / temperature, said)"
WEIGHT = "return weight * temperature**2 * softened"
OWN = "loss = binary_cross_entropy_with_logits(student, labels)"
IF_TAUGHT = 'if phase != "self-studying":'
TAUGHT = "loss = loss + from_other(student, teacher)"
IF_BOTH = 'if phase == "co-studying":'
BOTH = (
    "loss = loss + binary_cross_entropy_with_logits(teacher, labels) + from_other(teacher, student)"
)


def said(text: str) -> tuple:
    return ((SAID, text),)


def both(text: str) -> tuple:
    return ((BOTH, text),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.distillation.SoftLabelLoss",
        changes=(
            (
                OWN,
                "from utils.distillation import SoftLabelLoss\n"
                "    SoftLabelLoss(temperature)(student, torch.cat([labels, teacher], dim=1))\n    "
                + OWN,
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- what is constant
    Mistake(
        name="nothing-detached",
        misconception="A loss of two networks has a gradient by both.",
        message="You let the gradient flow through what the other says. In each loss it is a constant.",
        changes=said("said = torch.sigmoid(other / temperature)"),
    ),
    Mistake(
        name="only-the-teacher-detached",
        misconception="It is the teacher who must not be pulled.",
        message="The teacher's loss pulls the student: what the student says is a constant in it.",
        changes=both(
            "other = torch.sigmoid(student / temperature)\n"
            "        mutual = binary_cross_entropy_with_logits(teacher / temperature, other)\n"
            "        loss = loss + binary_cross_entropy_with_logits(teacher, labels)\n"
            "        loss = loss + weight * temperature**2 * mutual"
        ),
    ),
    Mistake(
        name="only-the-student-detached",
        misconception="The student is the one who is changed by the losses.",
        message="The student's loss pulls the teacher: what the teacher says is a constant in it.",
        changes=(
            (
                TAUGHT,
                "heard = torch.sigmoid(teacher / temperature)\n"
                "        mutual = binary_cross_entropy_with_logits(student / temperature, heard)\n"
                "        loss = loss + weight * temperature**2 * mutual",
            ),
        ),
        variants=(
            (
                (
                    TAUGHT,
                    "heard = torch.sigmoid(teacher / temperature)\n"
                    '        heard = heard.detach() if phase == "tutoring" else heard\n'
                    "        mutual = binary_cross_entropy_with_logits(student / temperature, heard)\n"
                    "        loss = loss + weight * temperature**2 * mutual",
                ),
            ),
        ),
    ),
    Mistake(
        name="pulled-in-tutoring",
        misconception="Freezing is a matter of the optimiser.",
        message="In tutoring the gradient flows into the teacher. It is frozen there.",
        changes=(
            (
                TAUGHT,
                'if phase == "tutoring":\n'
                "            heard = torch.sigmoid(teacher / temperature)\n"
                "            mutual = binary_cross_entropy_with_logits(student / temperature, heard)\n"
                "            loss = loss + weight * temperature**2 * mutual\n"
                "        else:\n            loss = loss + from_other(student, teacher)",
            ),
        ),
    ),
    Mistake(
        name="wrong-side-detached",
        misconception="Whoever learns is detached.",
        message="You detach the logits of the one that learns, and leave the other's. It is the other way "
        "round.",
        changes=(
            *said("said = torch.sigmoid(other / temperature)"),
            (
                SOFTENED,
                "softened = binary_cross_entropy_with_logits((logits / temperature).detach(), said)",
            ),
        ),
    ),
    Mistake(
        name="all-detached",
        misconception="What is soft is constant.",
        message="Your soft term has no gradient at all. Only what the other says is a constant.",
        changes=(
            (
                SOFTENED,
                "softened = binary_cross_entropy_with_logits((logits / temperature).detach(), said)",
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- the phases
    Mistake(
        name="teacher-silent-in-co-studying",
        misconception="A teacher has nothing to learn.",
        message="In co-studying you leave the teacher's loss out.",
        changes=both("pass"),
    ),
    Mistake(
        name="teacher-without-labels",
        misconception="The teacher knows the labels.",
        message="In co-studying your teacher does not learn from labels any more.",
        changes=both("loss = loss + from_other(teacher, student)"),
    ),
    Mistake(
        name="teacher-hears-nothing",
        misconception="A teacher learns from labels alone.",
        message="In co-studying your teacher does not hear the student.",
        changes=both("loss = loss + binary_cross_entropy_with_logits(teacher, labels)"),
    ),
    Mistake(
        name="teacher-learns-in-tutoring",
        misconception="Student and teacher learn together to the end.",
        message="In tutoring your teacher learns. It is frozen there.",
        changes=((IF_BOTH, 'if phase != "self-studying":'),),
    ),
    Mistake(
        name="teacher-learns-in-every-phase",
        misconception="The teacher always learns from labels.",
        message="Your teacher learns from labels in each phase. It does so in co-studying alone.",
        changes=(
            *both("loss = loss + from_other(teacher, student)"),
            (OWN, OWN + " + binary_cross_entropy_with_logits(teacher, labels)"),
        ),
    ),
    Mistake(
        name="heard-in-self-studying",
        misconception="A student always hears its teacher.",
        message="In self-studying your student hears the teacher. It is alone there.",
        changes=((IF_TAUGHT, "if True:"),),
    ),
    Mistake(
        name="no-labels-in-tutoring",
        misconception="Who has a teacher needs no labels.",
        message="In tutoring you leave the labels out.",
        changes=((TAUGHT, 'loss = loss * (phase != "tutoring") + from_other(student, teacher)'),),
        variants=(((TAUGHT, "loss = from_other(student, teacher)"),),),
    ),
    Mistake(
        name="phases-swapped",
        misconception="First the teacher tutors, then both study.",
        message="You take tutoring for co-studying, and the other way round.",
        changes=((IF_BOTH, 'if phase == "tutoring":'),),
    ),
    Mistake(
        name="mean-of-both",
        misconception="Two losses are averaged.",
        message="In co-studying you take the mean of both losses. It is their sum.",
        changes=both(BOTH + "\n        loss = loss / 2"),
    ),
    # -------------------------------------------------------------------------------- the soft term
    Mistake(
        name="no-square-of-the-temperature",
        misconception="The temperature only softens.",
        message="You leave T² out.",
        changes=((WEIGHT, "return weight * softened"),),
    ),
    Mistake(
        name="temperature-not-squared",
        misconception="The gradient shrinks by T.",
        message="You multiply by T. It is T².",
        changes=((WEIGHT, "return weight * temperature * softened"),),
    ),
    Mistake(
        name="square-of-the-temperature-divides",
        misconception="A higher temperature weighs less.",
        message="You divide by T².",
        changes=((WEIGHT, "return weight / temperature**2 * softened"),),
    ),
    Mistake(
        name="weight-left-out",
        misconception="Both terms weigh the same.",
        message="You leave λ out.",
        changes=((WEIGHT, "return temperature**2 * softened"),),
    ),
    Mistake(
        name="weights-that-add-to-1",
        misconception="Two terms share a weight of 1.",
        message="You weigh the labels with 1 − λ, or divide by 1 + λ. They count once, whatever λ is.",
        changes=(
            (
                OWN,
                "alone = phase == 'self-studying'\n    " + OWN + " * (1 if alone else 1 - weight)",
            ),
            *both(
                "loss = loss + (1 - weight) * binary_cross_entropy_with_logits(teacher, labels)"
                " + from_other(teacher, student)"
            ),
        ),
        variants=(
            (("    return loss", "    return loss / (1 + weight * (phase != 'self-studying'))"),),
        ),
    ),
    Mistake(
        name="only-the-other-softened",
        misconception="The temperature is the teacher's.",
        message="You divide only what the other says by T. Both are.",
        changes=((SOFTENED, "softened = binary_cross_entropy_with_logits(logits, said)"),),
    ),
    Mistake(
        name="other-not-softened",
        misconception="The temperature is the learner's.",
        message="You do not divide what the other says by T. Both are.",
        changes=said("said = torch.sigmoid(other).detach()"),
    ),
    Mistake(
        name="temperature-multiplies",
        misconception="A higher temperature makes logits larger.",
        message="You multiply logits by T. They are divided by it.",
        changes=(
            *said("said = torch.sigmoid(other * temperature).detach()"),
            (
                SOFTENED,
                "softened = binary_cross_entropy_with_logits(logits * temperature, said)",
            ),
        ),
    ),
    Mistake(
        name="hard-decisions",
        misconception="The other says yes or no.",
        message="You turn what the other says into yes or no. It is a probability.",
        changes=said("said = (other > 0).to(other)"),
    ),
    Mistake(
        name="softmax",
        misconception="Labels exclude one another.",
        message="You take a softmax. Each label is a yes or no of its own.",
        changes=said("said = torch.softmax(other / temperature, dim=1).detach()"),
    ),
    Mistake(
        name="squared-difference",
        misconception="Distillation is a regression of probabilities.",
        message="Your soft term is a squared difference. It is a cross entropy.",
        changes=(
            (SOFTENED, "softened = ((torch.sigmoid(logits / temperature) - said) ** 2).mean()"),
        ),
        variants=(((SOFTENED, "softened = ((logits - other.detach()) ** 2).mean()"),),),
    ),
    Mistake(
        name="divergence",
        misconception="Cross entropy and divergence are the same.",
        message="Your soft term is a Kullback-Leibler divergence: the gradient is right, and the loss is "
        "less by the entropy of what the other says.",
        changes=(
            (
                SOFTENED,
                SOFTENED + "\n        softened = softened - binary_cross_entropy_with_logits("
                "other.detach() / temperature, said)",
            ),
        ),
    ),
    Mistake(
        name="labels-softened",
        misconception="All logits are divided by T.",
        message="You divide logits by T for the labels, too.",
        changes=(
            (OWN, "loss = binary_cross_entropy_with_logits(student / temperature, labels)"),
            *both(
                "loss = loss + binary_cross_entropy_with_logits(teacher / temperature, labels)"
                " + from_other(teacher, student)"
            ),
        ),
    ),
    Mistake(
        name="sum-over-labels",
        misconception="A loss adds up labels.",
        message="You add up labels, or comments. It is the mean of both.",
        changes=(("    return loss", "    return loss * labels.shape[1]"),),
        variants=(
            (("    return loss", "    return loss * labels.shape[0]"),),
            (("    return loss", "    return loss * labels.numel()"),),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="by hand, with no_grad",
        code="""
def phase_loss(student, teacher, labels, phase, temperature, weight):
    def entropy(logits, p):
        return -(p * torch.nn.functional.logsigmoid(logits)
                 + (1 - p) * torch.nn.functional.logsigmoid(-logits)).mean()

    with torch.no_grad():
        of_student = torch.sigmoid(student / temperature)
        of_teacher = torch.sigmoid(teacher / temperature)
    factor = weight * temperature * temperature
    own = entropy(student, labels)
    if phase == "self-studying":
        return own
    own = own + factor * entropy(student / temperature, of_teacher)
    if phase == "tutoring":
        return own
    theirs = entropy(teacher, labels) + factor * entropy(teacher / temperature, of_student)
    return own + theirs
""",
    ),
]
