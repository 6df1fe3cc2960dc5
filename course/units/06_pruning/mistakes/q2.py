"""Question 2, schedule and training: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

COUNT = "(step - begin) // every"
SHARE = "min(max((step - begin) // every, 0), times) / times"
CUBIC = "1 - (1 - share) ** 3"
IF_CUBIC = 'if shape == "cubic":'
WAY = "return start + (final - start) * share"
WANTED = "math.ceil(sparsity * weights.size - 0.5)"
SIZES = "np.where(kept, np.abs(weights), -1.0)"
PRUNE = 'kept.flat[np.argsort(sizes, axis=None, kind="stable")[:wanted]] = False'
ZERO = "        weights, velocity = weights * kept, velocity * kept\n"
VELOCITY = "velocity = momentum * velocity + (gradient(weights) + decay * weights) * kept"
STEP = "weights = weights - rate * velocity"
RETURN = "return weights, velocity, kept"
START = "velocity, kept = np.zeros(weights.shape), np.ones(weights.shape, dtype=bool)"


def share(code: str) -> tuple:
    return ((SHARE, code),)


def cubic(code: str) -> tuple:
    return ((CUBIC, code),)


def velocity(code: str) -> tuple:
    return ((VELOCITY, code),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.pruning.cubic",
        changes=(
            (
                CUBIC,
                "1 - (1 - share) ** 3; from utils.pruning import cubic as of_library\n"
                "        share = of_library(1.0, times)(round(share * times))",
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- the schedule
    Mistake(
        name="schedule-without-an-end",
        misconception="A schedule goes on.",
        message="After the last pruning your schedule goes on. It stays at `final`.",
        changes=share("max((step - begin) // every, 0) / times"),
    ),
    Mistake(
        name="schedule-before-its-beginning",
        misconception="Step 0 is the beginning of every schedule.",
        message="Before `begin` your schedule is not at `start`: the number of prunings is below 0 "
        "there.",
        changes=share("min((step - begin) // every, times) / times"),
    ),
    Mistake(
        name="begin-ignored",
        misconception="A schedule begins with the training.",
        message="You ignore `begin`.",
        changes=share("min(max(step // every, 0), times) / times"),
    ),
    Mistake(
        name="schedule-without-steps",
        misconception="The sparsity rises in each step.",
        message="Your sparsity rises between two prunings. It stays until the next one.",
        changes=share("min(max((step - begin) / every, 0), times) / times"),
    ),
    Mistake(
        name="first-pruning-at-begin",
        misconception="The first pruning is where the schedule begins.",
        message="Your prunings come one interval early: the first is at `begin` + `every`.",
        changes=share("min(max((step - begin) // every + 1, 0), times) / times"),
        variants=(share("min(max(-(-(step - begin) // every), 0), times) / times"),),
    ),
    Mistake(
        name="pruning-after-its-step",
        misconception="A pruning shows in the step after it.",
        message="At the step of a pruning itself your schedule stands where it was before. It has "
        "gone on there.",
        changes=share("min(max((step - begin - 1) // every, 0), times) / times"),
    ),
    Mistake(
        name="start-reached-too-late",
        misconception="The k-th of n prunings is at k/(n-1) of the way.",
        message="You divide by one pruning less, or more, than there are.",
        changes=share("min(max((step - begin) // every, 0), times) / max(times - 1, 1)"),
        variants=(
            share("min(max((step - begin) // every, 0), times) / (times + 1)"),
            share("min(1, max((step - begin) // every, 0) / max(times - 1, 1))"),
        ),
    ),
    Mistake(
        name="times-are-steps",
        misconception="`times` is the step at which the schedule ends.",
        message="You take `times` for a number of steps. It is the number of prunings, `every` steps "
        "apart.",
        changes=share("min(max(step - begin, 0), times) / times"),
    ),
    Mistake(
        name="another-power",
        misconception="Any curve that is steep at first will do.",
        message="Your curve has another power. The cubic one takes what is left to the third.",
        changes=cubic("1 - (1 - share) ** 2"),
        variants=(
            cubic("1 - (1 - share) ** 4"),
            cubic("np.sqrt(share)"),
            cubic("share ** (1 / 3)"),
        ),
    ),
    Mistake(
        name="cubic-slow-first",
        misconception="The cube of the share is the cubic schedule.",
        message="Your cubic schedule prunes little at first and much at the end. It is the other way "
        "round.",
        changes=cubic("share**3"),
    ),
    Mistake(
        name="cubic-upside-down",
        misconception="The cube of what is left is the share.",
        message="Your cubic schedule goes from `final` to `start`: you take what is left of the way "
        "for what was gone.",
        changes=cubic("(1 - share) ** 3"),
    ),
    Mistake(
        name="shapes-swapped",
        misconception="Equal steps follow a curve.",
        message="The two shapes are swapped, or you make no difference between them.",
        changes=((IF_CUBIC, 'if shape != "cubic":'),),
        variants=(((IF_CUBIC, "if True:"),), ((IF_CUBIC, "if False:"),)),
    ),
    Mistake(
        name="start-ignored",
        misconception="A network is dense when the pruning begins.",
        message="You ignore `start`: the way goes from there to `final`.",
        changes=((WAY, "return final * share"),),
        variants=(
            ((WAY, "return start + final * share"),),
            ((WAY, "return max(start, final * share)"),),
        ),
    ),
    Mistake(
        name="start-and-final-swapped",
        misconception="Sparsity falls.",
        message="Your schedule goes from `final` to `start`.",
        changes=((WAY, "return final + (start - final) * share"),),
    ),
    Mistake(
        name="share-of-what-remains",
        misconception="5% of the weights are 5% of those that are left.",
        message="In equal steps you prune a share of what remains. It is a share of all the weights "
        "that there were.",
        changes=(
            (
                IF_CUBIC,
                'if shape == "equal":\n'
                "        k = share * times\n"
                "        return 1 - (1 - start) * (1 - (final - start) / times) ** k\n"
                f"    {IF_CUBIC}",
            ),
        ),
        variants=(
            (
                (
                    IF_CUBIC,
                    'if shape == "equal":\n'
                    "        return 1 - (1 - start) * ((1 - final) / (1 - start)) ** share\n"
                    f"    {IF_CUBIC}",
                ),
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- how many
    Mistake(
        name="counts-rounded",
        misconception="int() rounds.",
        message="You round the number of weights to prune down, up, or a half up. It is the nearest "
        "whole number, and of two the smaller.",
        changes=((WANTED, "int(sparsity * weights.size)"),),
        variants=(
            ((WANTED, "math.ceil(sparsity * weights.size)"),),
            ((WANTED, "int(sparsity * weights.size + 0.5)"),),
            ((WANTED, "round(sparsity * weights.size)"),),
        ),
    ),
    Mistake(
        name="sparsity-of-what-remains",
        misconception="A sparsity is a share of the weights that are left.",
        message="In each step you prune the share `sparsity` of the weights that are left. It says how "
        "many of all weights are to be 0.",
        changes=((WANTED, "(~kept).sum() + math.ceil(sparsity * kept.sum() - 0.5)"),),
    ),
    Mistake(
        name="counted-on-top",
        misconception="A sparsity says how many weights go in this step.",
        message="In each step you prune as many weights as the sparsity says, on top of those that are "
        "pruned. It says how many are to be 0 in all.",
        changes=((WANTED, "(~kept).sum() + math.ceil(sparsity * weights.size - 0.5)"),),
    ),
    Mistake(
        name="sparsity-is-density",
        misconception="Sparsity is what is kept.",
        message="You keep the share `sparsity`. It is the share that is 0.",
        changes=((WANTED, "math.ceil((1 - sparsity) * weights.size - 0.5)"),),
    ),
    Mistake(
        name="pruned-once",
        misconception="A mask is made at the beginning.",
        message="You prune in the first step only. Each step has its sparsity.",
        changes=((PRUNE, "if kept.all():\n            " + PRUNE),),
    ),
    # -------------------------------------------------------------------------------- which
    Mistake(
        name="signed-weights",
        misconception="The smallest weights are the most negative.",
        message="You prune the most negative weights. Compare magnitudes.",
        changes=((SIZES, "np.where(kept, weights, -np.inf)"),),
    ),
    Mistake(
        name="largest-pruned",
        misconception="A training can do without its largest weights.",
        message="You prune the largest weights.",
        changes=((SIZES, "np.where(kept, -np.abs(weights), -np.inf)"),),
    ),
    Mistake(
        name="ties-the-other-way",
        misconception="Of equal ones it does not matter which go.",
        message="Of weights of equal magnitude you prune those that stand last. Those that stand first "
        "go.",
        changes=(
            (
                PRUNE,
                "kept.flat[np.lexsort((-np.arange(weights.size), sizes.ravel()))[:wanted]] = False",
            ),
        ),
    ),
    Mistake(
        name="dead-among-the-living",
        misconception="What is pruned is 0, and so the smallest.",
        message="A weight that is alive may be 0, too. You choose it, or it instead of a pruned one, "
        "so that the number that goes is wrong: choose among those that are alive.",
        changes=((SIZES, "np.abs(weights)"),),
    ),
    Mistake(
        name="mask-of-zeros",
        misconception="A weight that is 0 is pruned.",
        message="You take each weight that is 0 for a pruned one. It may be alive.",
        changes=((PRUNE, PRUNE + "\n        kept &= weights != 0"),),
        variants=(
            (
                (SIZES, "np.where(weights != 0, np.abs(weights), -1.0)"),
                (PRUNE, PRUNE + "\n        kept &= weights != 0"),
            ),
        ),
    ),
    Mistake(
        name="a-new-mask-each-step",
        misconception="The mask is made of the weights as they are.",
        message="You make a new mask in each step, and where the sparsity falls, or a weight is 0, "
        "pruned weights come back. The mask only grows.",
        changes=((SIZES, "np.abs(weights); kept = np.ones(weights.shape, dtype=bool)"),),
    ),
    Mistake(
        name="threshold",
        misconception="A threshold prunes as many as wanted.",
        message="You prune all that is at most as large as a threshold, also more than wanted where "
        "weights are equal.",
        changes=(
            (
                PRUNE,
                "if wanted:\n            kept &= sizes > np.sort(sizes, axis=None)[wanted - 1]",
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- staying at 0
    Mistake(
        name="mask-only-at-the-pruning",
        misconception="What is set to 0 stays there.",
        message="You set pruned weights to 0 when they are pruned, and then train them like the "
        "others. They come back, and are not 0 after the step.",
        changes=(
            *velocity(
                VELOCITY.replace(
                    "(gradient(weights) + decay * weights) * kept",
                    "gradient(weights) + decay * weights",
                )
            ),
        ),
        variants=(
            (
                (ZERO, "        weights = weights * kept\n"),
                (VELOCITY, "velocity = momentum * velocity + gradient(weights) + decay * weights"),
            ),
        ),
    ),
    Mistake(
        name="mask-on-the-gradient-alone",
        misconception="A weight without a gradient does not move.",
        message="You mask the gradient, and not the velocity, which carries a pruned weight away from "
        "0.",
        changes=((ZERO, "        weights = weights * kept\n"),),
        variants=(
            (
                (ZERO, "        weights[~kept] = 0\n"),
                (START, START + "\n    weights = weights.copy()"),
            ),
        ),
    ),
    Mistake(
        name="velocity-of-the-dead",
        misconception="Only the weights of pruned places matter.",
        message="Your weights are right, but the velocity of pruned ones is not 0.",
        changes=(
            (ZERO, "        weights = weights * kept\n"),
            (STEP, "weights = (weights - rate * velocity) * kept"),
        ),
        variants=(
            (
                (ZERO, "        weights = weights * kept\n"),
                (VELOCITY, "velocity = momentum * velocity + gradient(weights) + decay * weights"),
                (STEP, "weights = (weights - rate * velocity) * kept"),
            ),
        ),
    ),
    Mistake(
        name="velocity-lost-when-pruning",
        misconception="A pruning starts the optimiser again.",
        message="You set the velocity of all weights to 0 when some are pruned. Those that are alive "
        "keep theirs.",
        changes=(
            (
                PRUNE,
                f"before = kept.sum()\n        {PRUNE}\n        if kept.sum() < before:\n"
                "            velocity = np.zeros(weights.shape)",
            ),
        ),
    ),
    Mistake(
        name="weights-never-zeroed",
        misconception="A mask on the gradient prunes.",
        message="Your pruned weights stop where they are. They are 0 from the moment they are pruned.",
        changes=((ZERO, "        velocity = velocity * kept\n"),),
    ),
    Mistake(
        name="gradient-at-the-dense-weights",
        misconception="The gradient may be taken before the pruning.",
        message="You take the gradient at the weights before they are pruned. The step begins with the "
        "pruning.",
        changes=(
            ("        wanted =", "        g = gradient(weights)\n        wanted ="),
            (VELOCITY, VELOCITY.replace("gradient(weights)", "g")),
        ),
    ),
    Mistake(
        name="pruned-after-the-step",
        misconception="It makes no difference whether a step begins or ends with the pruning.",
        message="Your step ends with the pruning. It begins with it, so that the gradient is taken at "
        "the pruned weights.",
        code="""
def sparsity_at(step, start, final, begin, every, times, shape):
    share = min(max((step - begin) // every, 0), times) / times
    if shape == "cubic":
        share = 1 - (1 - share) ** 3
    return start + (final - start) * share


def train_pruned(weights, gradient, sparsities, rate, momentum, decay):
    velocity, kept = np.zeros(weights.shape), np.ones(weights.shape, dtype=bool)
    for sparsity in sparsities:
        velocity = momentum * velocity + (gradient(weights) + decay * weights) * kept
        weights = weights - rate * velocity
        wanted = math.ceil(sparsity * weights.size - 0.5)
        sizes = np.where(kept, np.abs(weights), -1.0)
        kept.flat[np.argsort(sizes, axis=None, kind="stable")[:wanted]] = False
        weights, velocity = weights * kept, velocity * kept
    return weights, velocity, kept
""",
    ),
    # -------------------------------------------------------------------------------- the step
    Mistake(
        name="decay-apart",
        misconception="Weight decay shrinks the weights, and has nothing to do with momentum.",
        message="You take the decay from the weights directly. It is added to the gradient, and so "
        "goes through the velocity.",
        changes=(
            (VELOCITY, VELOCITY.replace(" + decay * weights", "")),
            (STEP, "weights = weights - rate * velocity - rate * decay * weights"),
        ),
        variants=(
            (
                (VELOCITY, VELOCITY.replace(" + decay * weights", "")),
                (STEP, "weights = weights * (1 - rate * decay) - rate * velocity"),
            ),
        ),
    ),
    Mistake(
        name="decay-ignored",
        misconception="Decay is part of the gradient that is given.",
        message="You ignore `decay`.",
        changes=velocity(VELOCITY.replace(" + decay * weights", "")),
    ),
    Mistake(
        name="decay-grows",
        misconception="Decay is taken from the gradient.",
        message="Your decay makes weights grow: it is added to the gradient, which is then taken away.",
        changes=velocity(VELOCITY.replace("+ decay", "- decay")),
    ),
    Mistake(
        name="momentum-ignored",
        misconception="A step follows the gradient.",
        message="You ignore `momentum`: the velocity keeps a share of what it was.",
        changes=velocity(VELOCITY.replace("momentum * velocity + ", "")),
    ),
    Mistake(
        name="velocity-never-shrinks",
        misconception="The velocity is the sum of the gradients.",
        message="Your velocity keeps all that it was. It keeps the share `momentum`.",
        changes=velocity(VELOCITY.replace("momentum * velocity", "velocity")),
    ),
    Mistake(
        name="averaged-gradient",
        misconception="Momentum is a moving average.",
        message="You weigh the gradient with 1 - momentum. It is added as it is.",
        changes=velocity(VELOCITY.replace("(gradient", "(1 - momentum) * (gradient")),
    ),
    Mistake(
        name="rate-in-the-velocity",
        misconception="The velocity is what is taken from the weights.",
        message="Your velocity has the learning rate in it. The rate comes after.",
        changes=(
            (VELOCITY, VELOCITY.replace("(gradient", "rate * (gradient")),
            (STEP, "weights = weights - velocity"),
        ),
    ),
    Mistake(
        name="step-before-the-velocity",
        misconception="The step follows the velocity that there is.",
        message="You go the step with the old velocity. The new one is meant.",
        changes=(
            (VELOCITY, "before = velocity\n        " + VELOCITY),
            (STEP, "weights = weights - rate * before"),
        ),
    ),
    Mistake(
        name="rate-ignored",
        misconception="A step is the velocity.",
        message="You ignore `rate`.",
        changes=((STEP, "weights = weights - velocity"),),
    ),
    Mistake(
        name="uphill",
        misconception="The gradient points to where the loss falls.",
        message="You go up the gradient. The velocity is taken from the weights.",
        changes=((STEP, "weights = weights + rate * velocity"),),
    ),
    # -------------------------------------------------------------------------------- the results
    Mistake(
        name="mask-of-the-pruned",
        misconception="A mask marks what is pruned.",
        message="Your mask is True where a weight is pruned. It is True where it is kept.",
        changes=((RETURN, "return weights, velocity, ~kept"),),
    ),
    Mistake(
        name="mask-made-of-the-weights",
        misconception="A weight that is 0 at the end is pruned.",
        message="Your mask is made of the weights at the end, where one that is alive may be 0.",
        changes=((RETURN, "return weights, velocity, weights != 0"),),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of results does not matter.",
        message="Your results stand in another order: weights, velocity, kept.",
        changes=((RETURN, "return velocity, weights, kept"),),
        variants=(((RETURN, "return weights, kept, velocity"),),),
    ),
    Mistake(
        name="changes-its-input",
        misconception="A training may write into the weights that it is given.",
        message="Your answer changes the weights that it is given. Work on a copy.",
        changes=(
            (ZERO, "        weights *= kept\n        velocity *= kept\n"),
            (STEP, "weights -= rate * velocity"),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with sorted places, and writing into copies",
        code="""
def sparsity_at(step, start, final, begin, every, times, shape):
    done = sum(step >= begin + k * every for k in range(1, times + 1))
    left = 1 - done / times
    return final - (final - start) * (left**3 if shape == "cubic" else left)


def train_pruned(weights, gradient, sparsities, rate, momentum, decay):
    w, v, dead = np.array(weights, dtype=float), np.zeros_like(weights, dtype=float), set()
    for sparsity in sparsities:
        whole, rest = divmod(sparsity * w.size, 1)
        alive = sorted((abs(w.flat[i]), i) for i in range(w.size) if i not in dead)
        dead.update(i for _, i in alive[: max(0, int(whole) + (rest > 0.5) - len(dead))])
        gone = list(dead)
        w.flat[gone] = 0
        g = np.array(gradient(w.copy())) + decay * w
        v = momentum * v + g
        v.flat[gone] = 0
        w -= rate * v
    kept = np.ones(w.size, dtype=bool)
    kept[list(dead)] = False
    return w, v, kept.reshape(w.shape)
""",
    ),
]
