"""Question 4, a lottery ticket: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

NO_LIBRARY = "utils.pruning rewinds networks of torch, and this training is a function of arrays."

FIRST = "rewound, state = train(start, mask, 0, early)"
DENSE = "ticket, _ = train(rewound, mask, early, last, state)"
NUMBER = "math.ceil(fraction * mask.sum() - 0.5)"
PLACES = "places = np.flatnonzero(mask)"
ORDER = 'np.argsort(np.abs(ticket.flat[places]), kind="stable")'
COPY = "        mask = mask.copy()\n"
AGAIN = "ticket, _ = train(rewound * mask, mask, early, last)"
CONTROL = "control, _ = train(other * mask, mask, 0, last)"
ROUNDS = "for _ in range(rounds):"
RETURN = "return mask, ticket, control"


def number(code: str) -> tuple:
    return ((NUMBER, code),)


def again(code: str) -> tuple:
    return ((AGAIN, code),)


def control(code: str) -> tuple:
    return ((CONTROL, code),)


def order(code: str) -> tuple:
    return ((ORDER, code),)


MISTAKES = [
    # -------------------------------------------------------------------------------- how many
    Mistake(
        name="share-of-all-weights",
        misconception="20% of the weights are always as many.",
        message="Each round you prune the share `fraction` of all weights. It is a share of those that "
        "remain.",
        changes=number("math.ceil(fraction * mask.size - 0.5)"),
    ),
    Mistake(
        name="fraction-is-kept",
        misconception="`fraction` is what remains.",
        message="You keep the share `fraction` of what remains. That share is pruned.",
        changes=number("math.ceil((1 - fraction) * mask.sum() - 0.5)"),
    ),
    Mistake(
        name="rounded-down",
        misconception="int() rounds.",
        message="You round the number of a round down. It is the nearest whole number.",
        changes=number("int(fraction * mask.sum())"),
    ),
    Mistake(
        name="rounded-up",
        misconception="At least the fraction has to go.",
        message="You round the number of a round up. It is the nearest whole number.",
        changes=number("math.ceil(fraction * mask.sum())"),
    ),
    Mistake(
        name="halves-up",
        misconception="One half is rounded up, or to even.",
        message="Of two numbers that are equally near, you do not always take the smaller one.",
        changes=number("int(fraction * mask.sum() + 0.5)"),
        variants=(number("round(fraction * mask.sum())"),),
    ),
    Mistake(
        name="rounds-reckoned-from-all",
        misconception="After k rounds the share (1 - fraction)^k of all weights is left.",
        message="You reckon what is left after k rounds from all weights, by a power, and round that. "
        "Each round rounds its own number, of those that remain.",
        changes=(
            (ROUNDS, "for k in range(1, rounds + 1):"),
            (NUMBER, "math.ceil(mask.size * (1 - (1 - fraction) ** k) - 0.5) - np.sum(~mask)"),
        ),
        variants=(
            (
                (ROUNDS, "for k in range(1, rounds + 1):"),
                (NUMBER, "mask.sum() - round(mask.size * (1 - fraction) ** k)"),
            ),
            (
                (ROUNDS, "for k in range(1, rounds + 1):"),
                (NUMBER, "mask.sum() - int(mask.size * (1 - fraction) ** k)"),
            ),
            (
                (ROUNDS, "for k in range(1, rounds + 1):"),
                (NUMBER, "int(mask.size * (1 - (1 - fraction) ** k)) - np.sum(~mask)"),
            ),
        ),
    ),
    Mistake(
        name="all-at-once",
        misconception="Several rounds are one with as much pruned.",
        message="You prune all rounds at once, after the dense training. Each round trains before the "
        "next one prunes.",
        changes=(
            (NUMBER, "sum(counts(mask.sum(), fraction, rounds))"),
            (ROUNDS, "for _ in range(min(rounds, 1)):"),
        ),
        variants=(
            (
                (NUMBER, "round(mask.sum() * (1 - (1 - fraction) ** rounds))"),
                (ROUNDS, "for _ in range(min(rounds, 1)):"),
            ),
        ),
        helpers="""
def counts(left, fraction, rounds):
    for _ in range(rounds):
        number = math.ceil(fraction * left - 0.5)
        left -= number
        yield number
""",
    ),
    Mistake(
        name="one-round-less",
        misconception="The dense training is the first round.",
        message="You count the dense training among the rounds, or add one: `rounds` prunings are "
        "asked for.",
        changes=((ROUNDS, "for _ in range(rounds - 1):"),),
        variants=(((ROUNDS, "for _ in range(rounds + 1):"),),),
    ),
    Mistake(
        name="at-least-one-round",
        misconception="A search for a ticket has a round.",
        message="With 0 rounds you prune. The ticket is the dense network there.",
        changes=((ROUNDS, "for _ in range(max(rounds, 1)):"),),
    ),
    # -------------------------------------------------------------------------------- which
    Mistake(
        name="magnitude-at-the-start",
        misconception="Weights that are small at the start stay small.",
        message="You compare the weights that a training begins with. It is those at its end.",
        changes=order('np.argsort(np.abs(rewound.flat[places]), kind="stable")'),
        variants=(order('np.argsort(np.abs(start.flat[places]), kind="stable")'),),
    ),
    Mistake(
        name="magnitude-of-the-dense-training",
        misconception="The dense network says which weights matter, for all rounds.",
        message="In every round you compare the weights of the dense training. It is those of the "
        "latest one.",
        changes=(
            (DENSE, DENSE + "\n    dense = ticket"),
            *order('np.argsort(np.abs(dense.flat[places]), kind="stable")'),
        ),
    ),
    Mistake(
        name="how-far-they-moved",
        misconception="Weights that moved little are not needed.",
        message="You compare how far weights moved. It is how large they are at the end.",
        changes=order('np.argsort(np.abs((ticket - rewound).flat[places]), kind="stable")'),
        variants=(order('np.argsort(np.abs((ticket - start).flat[places]), kind="stable")'),),
    ),
    Mistake(
        name="signed-weights",
        misconception="The smallest weights are the most negative.",
        message="You prune the most negative weights. Compare magnitudes.",
        changes=order('np.argsort(ticket.flat[places], kind="stable")'),
    ),
    Mistake(
        name="largest-go",
        misconception="A ticket has small weights.",
        message="You prune the largest weights.",
        changes=order('np.argsort(-np.abs(ticket.flat[places]), kind="stable")'),
    ),
    Mistake(
        name="ties-the-other-way",
        misconception="Of equal ones any may go.",
        message="Of equal magnitudes you prune those that stand last. Those that stand first go.",
        changes=order("np.lexsort((-np.arange(len(places)), np.abs(ticket.flat[places])))"),
    ),
    Mistake(
        name="dead-among-the-living",
        misconception="The smallest of all weights are the next to go.",
        message="You choose among all weights, and those that are pruned are 0, and the smallest: they "
        "are chosen again, and what remains is not what was asked for.",
        changes=((PLACES, "places = np.arange(mask.size)"),),
        variants=(
            (
                (PLACES, "places = np.arange(mask.size)"),
                (COPY, "        mask = np.ones(mask.shape, dtype=bool)\n"),
            ),
        ),
    ),
    Mistake(
        name="threshold",
        misconception="A threshold prunes as many as asked for.",
        message="You prune all that is at most as large as a threshold, also more than asked for where "
        "weights are equal.",
        changes=(
            (
                "mask.flat[places[order[:number]]] = False",
                "if number:\n"
                "            mask &= np.abs(ticket) > np.abs(ticket.flat[places[order[number - 1]]])",
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- rewinding
    Mistake(
        name="no-rewinding",
        misconception="A pruned network is trained further.",
        message="You go on with the trained weights. That is fine-tuning: a ticket gets the weights "
        "back that it had at step `early`.",
        changes=again("ticket, _ = train(ticket * mask, mask, early, last)"),
    ),
    Mistake(
        name="rewound-to-the-start",
        misconception="A ticket is trained from its initial weights.",
        message="You rewind to the start, and train from step `early`, or from 0. Rewind to the weights "
        "of that step, and train from there.",
        changes=again("ticket, _ = train(start * mask, mask, early, last)"),
        variants=(again("ticket, _ = train(start * mask, mask, 0, last)"),),
    ),
    Mistake(
        name="trained-from-step-0",
        misconception="A training begins at step 0.",
        message="After rewinding to step `early` you train from step 0 on. Go on from `early`.",
        changes=again("ticket, _ = train(rewound * mask, mask, 0, last)"),
        variants=(again("ticket, _ = train(rewound * mask, mask, 0, last - early)"),),
    ),
    Mistake(
        name="trained-for-last-steps",
        misconception="`last` is the number of steps of a training.",
        message="After rewinding you train `last` steps. You train up to step `last`.",
        changes=again("ticket, _ = train(rewound * mask, mask, early, early + last)"),
    ),
    Mistake(
        name="state-of-the-early-step",
        misconception="Rewinding brings back the optimiser, too.",
        message="You rewind the optimiser's state as well. It is fresh.",
        changes=again("ticket, _ = train(rewound * mask, mask, early, last, state)"),
        variants=(again("ticket, _ = train(rewound * mask, mask, early, last, state * mask)"),),
    ),
    Mistake(
        name="state-of-the-last-training",
        misconception="An optimiser is made once.",
        message="You go on with the optimiser of the training before, whose velocities are those of "
        "other weights. It is fresh after each rewinding.",
        changes=(
            (DENSE, "ticket, state = train(rewound, mask, early, last, state)"),
            *again("ticket, state = train(rewound * mask, mask, early, last, state)"),
        ),
        variants=(
            (
                (DENSE, "ticket, state = train(rewound, mask, early, last, state)"),
                *again("ticket, state = train(rewound * mask, mask, early, last, state * mask)"),
            ),
        ),
    ),
    Mistake(
        name="dense-training-in-two",
        misconception="Each call of a training begins with a fresh optimiser.",
        message="The second part of your dense training begins with a fresh optimiser. It goes on with "
        "the state of the first part.",
        changes=((DENSE, "ticket, _ = train(rewound, mask, early, last)"),),
    ),
    Mistake(
        name="dense-training-from-the-start-again",
        misconception="Keeping the early weights takes a training of its own.",
        message="You train the first steps of the dense network twice. Keep the weights and the state "
        "of step `early`, and go on from there.",
        changes=((DENSE, "ticket, _ = train(start, mask, 0, last)"),),
    ),
    Mistake(
        name="pruned-weights-not-zeroed",
        misconception="The mask is a matter of the training.",
        message="You rewind pruned weights, too, and the training leaves them as they are. They are 0.",
        changes=again("ticket, _ = train(rewound, mask, early, last)"),
    ),
    Mistake(
        name="zeroed-afterwards",
        misconception="It is enough to set pruned weights to 0 at the end.",
        message="You set pruned weights to 0 after the training. The others are trained beside them "
        "until then.",
        changes=(
            *again("ticket = train(rewound, mask, early, last)[0] * mask"),
            *control("control = train(other, mask, 0, last)[0] * mask"),
        ),
        variants=(again("ticket = train(rewound, mask, early, last)[0] * mask"),),
    ),
    Mistake(
        name="pruned-weights-trained",
        misconception="Weights that begin at 0 stay there.",
        message="You train without the mask, so that pruned weights come back.",
        changes=(
            *again(
                "ticket, _ = train(rewound * mask, np.ones(mask.shape, dtype=bool), early, last)"
            ),
        ),
        variants=(
            (
                *again(
                    "ticket, _ = train(rewound * mask, np.ones(mask.shape, dtype=bool), early, last)"
                ),
                *control(
                    "control, _ = train(other * mask, np.ones(mask.shape, dtype=bool), 0, last)"
                ),
            ),
        ),
    ),
    Mistake(
        name="rewound-to-the-last-ticket",
        misconception="Rewinding goes back to where the training before began, and trains a little.",
        message="Each round you move the weights that you rewind to. They are always those of the "
        "dense training at step `early`.",
        changes=again(
            "rewound, _ = train(rewound * mask, mask, 0, early)\n"
            "        ticket, _ = train(rewound, mask, early, last)"
        ),
        variants=(
            again(
                "rewound, state = train(start * mask, mask, 0, early)\n"
                "        ticket, _ = train(rewound, mask, early, last, state)"
            ),
        ),
    ),
    Mistake(
        name="last-training-left-out",
        misconception="The search ends when enough is pruned.",
        message="After the last pruning you do not train: the ticket is what the last training gives.",
        changes=((RETURN, "return mask, (rewound * mask if rounds else ticket), control"),),
        variants=(
            (
                (ROUNDS, "for k in range(rounds):"),
                *again(
                    f"if k < rounds - 1:\n            {AGAIN}\n"
                    "        else:\n            ticket = ticket * mask"
                ),
            ),
            (
                (ROUNDS, "for k in range(rounds):"),
                *again(
                    f"if k < rounds - 1:\n            {AGAIN}\n"
                    "        else:\n            ticket = rewound * mask"
                ),
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- the control
    Mistake(
        name="control-of-the-ticket-itself",
        misconception="The control is the ticket, trained from the start.",
        message="Your control begins with `start`, or with the rewound weights. It begins with `other`.",
        changes=control("control, _ = train(start * mask, mask, 0, last)"),
        variants=(control("control, _ = train(rewound * mask, mask, 0, last)"),),
    ),
    Mistake(
        name="control-from-the-early-step",
        misconception="The control takes the same steps as the ticket.",
        message="Your control is trained from step `early`. New weights begin at step 0.",
        changes=control("control, _ = train(other * mask, mask, early, last)"),
    ),
    Mistake(
        name="control-dense",
        misconception="The control is a dense network.",
        message="Your control is not pruned. It has the mask of the ticket.",
        changes=control("control, _ = train(other, np.ones(mask.shape, dtype=bool), 0, last)"),
    ),
    Mistake(
        name="control-not-zeroed",
        misconception="The training sets masked weights to 0.",
        message="Your control's weights are not 0 where the mask is False.",
        changes=control("control, _ = train(other, mask, 0, last)"),
    ),
    Mistake(
        name="control-pruned-by-itself",
        misconception="The control is pruned by its own weights.",
        message="Your control has a mask of its own. It has that of the ticket.",
        changes=control(
            "own = np.zeros(mask.size, dtype=bool)\n"
            '    own[np.argsort(-np.abs(other), axis=None, kind="stable")[: mask.sum()]] = True\n'
            "    own = own.reshape(mask.shape)\n"
            "    control, _ = train(other * own, own, 0, last)"
        ),
    ),
    Mistake(
        name="control-not-trained",
        misconception="Random weights under the mask are the control.",
        message="Your control is not trained.",
        changes=control("control = other * mask"),
    ),
    Mistake(
        name="control-with-the-old-state",
        misconception="An optimiser is made once.",
        message="Your control is trained with the optimiser of another training. It is fresh.",
        changes=control("control, _ = train(other * mask, mask, 0, last, state)"),
        variants=(
            (
                (AGAIN, "ticket, state = train(rewound * mask, mask, early, last)"),
                *control("control, _ = train(other * mask, mask, 0, last, state)"),
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- the results
    Mistake(
        name="mask-of-the-pruned",
        misconception="A mask marks what is pruned.",
        message="Your mask is True where a weight is pruned. It is True where it remains.",
        changes=((RETURN, "return ~mask, ticket, control"),),
    ),
    Mistake(
        name="mask-of-nonzeros",
        misconception="A weight that is not 0 remains.",
        message="You make the mask of the weights at the end, where one that remains may be 0.",
        changes=((RETURN, "return ticket != 0, ticket, control"),),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of results does not matter.",
        message="Your results stand in another order: mask, ticket, control.",
        changes=((RETURN, "return mask, control, ticket"),),
        variants=(((RETURN, "return ticket, mask, control"),),),
    ),
    Mistake(
        name="changes-its-input",
        misconception="Pruning happens in place.",
        message="Your answer changes the weights that it is given. Work on copies.",
        changes=((RETURN, "start *= mask\n    other *= mask\n    " + RETURN),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with a set of places",
        code="""
def lottery_ticket(train, start, other, rounds, fraction, early, last):
    alive = list(range(start.size))
    full = np.ones(start.shape, dtype=bool)
    at_early, state = (start, None) if early == 0 else train(start.copy(), full, 0, early)
    weights = train(at_early, full, early, last, state)[0]

    def under(values):
        mask = np.isin(np.arange(start.size), alive).reshape(start.shape)
        return np.where(mask, values, 0.0), mask

    for _ in range(rounds):
        whole, rest = divmod(fraction * len(alive), 1)
        alive.sort(key=lambda place: (abs(weights.flat[place]), place))
        alive = alive[int(whole) + (rest > 0.5):]
        weights, _ = train(*under(at_early), early, last, None)
    masked, mask = under(other)
    return mask, weights, train(masked, mask, 0, last)[0]
""",
    ),
]
