"""Question 5, units of a GRU removed for real: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

NO_LIBRARY = (
    "What utils removes is units of its own networks; it takes no dict of matrices, and no unit that is "
    "held at another number than 0."
)

ROWS = "np.tile(keep, 3)"
CONSTANT = "np.where(keep, 0.0, held)"
W_IH = 'network["W_ih"][rows]'
B_IH = 'network["b_ih"][rows]'
W_HH = 'network["W_hh"][rows][:, keep]'
B_HH = '(network["b_hh"] + network["W_hh"] @ constant)[rows]'
W_NEXT = 'network["W_next"][:, keep]'
B_NEXT = 'network["b_next"] + network["W_next"] @ constant'
PLAIN_HH = 'network["b_hh"][rows]'
PLAIN_NEXT = 'network["b_next"].copy()'
BLOCK = "np.repeat([{}], len(keep))"


def rows(code: str) -> tuple:
    return ((ROWS, code),)


def b_hh(code: str) -> tuple:
    return ((B_HH, code),)


def b_next(code: str) -> tuple:
    return ((B_NEXT, code),)


def constant(code: str) -> tuple:
    return ((CONSTANT, code),)


def in_blocks(which: str) -> tuple:
    """The constants in some of the three blocks of b_hh alone."""
    return b_hh(f'(network["b_hh"] + {BLOCK.format(which)} * (network["W_hh"] @ constant))[rows]')


def in_inputs(which: str, rest: str) -> tuple:
    """The constants in some blocks of b_ih, the rest of them in b_hh."""
    return (
        (
            B_IH,
            f'(network["b_ih"] + {BLOCK.format(which)} * (network["W_hh"] @ constant))[rows]',
        ),
        (B_HH, f'(network["b_hh"] + {BLOCK.format(rest)} * (network["W_hh"] @ constant))[rows]'),
    )


MISTAKES = [
    # ------------------------------------------------------------------------------ rows and columns
    Mistake(
        name="rows-interleaved",
        misconception="The three rows of a unit are neighbours.",
        message="You take three neighbouring rows for a unit. Its rows stand in three blocks, of r, of z "
        "and of n.",
        changes=rows("np.repeat(keep, 3)"),
    ),
    Mistake(
        name="rows-of-the-first-block",
        misconception="A unit is one row.",
        message="You take rows of one block alone. A unit has one in each of the three.",
        changes=rows("np.concatenate([keep, np.zeros(2 * len(keep), dtype=bool)])"),
        variants=(rows("np.flatnonzero(keep)"),),
    ),
    Mistake(
        name="rows-not-cut",
        misconception="Only the state gets shorter.",
        message="You leave the rows of the units that are gone.",
        changes=rows("np.ones(3 * len(keep), dtype=bool)"),
    ),
    Mistake(
        name="rows-of-the-input-not-cut",
        misconception="What reads the input stays as it is.",
        message="You leave all rows of what reads the input. Those of a unit that is gone are not read.",
        changes=((W_IH, 'network["W_ih"].copy()'), (B_IH, 'network["b_ih"].copy()')),
        variants=(((W_IH, 'network["W_ih"].copy()'),),),
    ),
    Mistake(
        name="biases-not-cut",
        misconception="Biases have no units.",
        message="You leave the biases as long as they were. They have an entry for each row.",
        changes=(
            (B_IH, 'network["b_ih"].copy()'),
            (B_HH, 'network["b_hh"] + network["W_hh"] @ constant'),
        ),
        variants=(
            ((B_IH, 'network["b_ih"].copy()'),),
            ((B_HH, 'network["b_hh"] + network["W_hh"] @ constant'),),
            ((B_IH, 'network["b_ih"].copy()'), (B_HH, 'network["b_hh"].copy()')),
        ),
    ),
    Mistake(
        name="columns-of-the-state-not-cut",
        misconception="A unit has rows.",
        message="You leave the columns of `W_hh`, by which the units that are gone are read.",
        changes=((W_HH, 'network["W_hh"][rows]'),),
        variants=(((W_HH, 'network["W_hh"][rows]'), (B_HH, PLAIN_HH)),),
    ),
    Mistake(
        name="columns-of-the-next-layer-not-cut",
        misconception="The next layer is another layer.",
        message="You leave the columns of the next layer, by which the units that are gone are read.",
        changes=((W_NEXT, 'network["W_next"].copy()'),),
    ),
    Mistake(
        name="columns-of-the-input-cut",
        misconception="All matrices lose rows and columns.",
        message="You cut columns of `W_ih`. They read the input, which stays as it is.",
        changes=((W_IH, 'network["W_ih"][rows][:, np.resize(keep, network["W_ih"].shape[1])]'),),
    ),
    Mistake(
        name="rows-of-the-next-layer-cut",
        misconception="A unit has rows everywhere.",
        message="You cut rows of the next layer. It reads units by its columns.",
        changes=((W_NEXT, 'network["W_next"][np.resize(keep, len(network["W_next"]))]'),),
    ),
    Mistake(
        name="keeps-the-held",
        misconception="The mask marks what goes.",
        message="You keep the units that are held, and remove the others.",
        changes=((CONSTANT, "np.where(keep, 0.0, held)\n    keep, rows = ~keep, ~rows"),),
        variants=(
            (
                (ROWS, "np.tile(~keep, 3)"),
                (W_HH, 'network["W_hh"][rows][:, ~keep]'),
                (W_NEXT, 'network["W_next"][:, ~keep]'),
                (CONSTANT, "np.where(keep, held, 0.0)"),
            ),
            (
                (ROWS, "np.tile(~keep, 3)"),
                (W_HH, 'network["W_hh"][rows][:, ~keep]'),
                (W_NEXT, 'network["W_next"][:, ~keep]'),
                (B_HH, PLAIN_HH),
                (B_NEXT, PLAIN_NEXT),
            ),
        ),
    ),
    Mistake(
        name="keeps-the-first",
        misconception="Which units are left makes no difference, only how many.",
        message="You keep the first units, as many as are to be kept. Keep those that `keep` names.",
        changes=(
            (
                "    rows = np.tile(keep, 3)\n    constant = np.where(keep, 0.0, held)",
                "    constant = np.where(keep, 0.0, held)\n"
                "    keep = np.arange(len(keep)) < keep.sum()\n    rows = np.tile(keep, 3)",
            ),
        ),
        variants=(
            (
                (
                    "    rows = np.tile(keep, 3)",
                    "    keep = np.arange(len(keep)) < keep.sum()\n    rows = np.tile(keep, 3)",
                ),
            ),
            (
                (
                    "    rows = np.tile(keep, 3)",
                    "    keep = np.arange(len(keep)) < keep.sum()\n    rows = np.tile(keep, 3)",
                ),
                (B_HH, PLAIN_HH),
                (B_NEXT, PLAIN_NEXT),
            ),
        ),
    ),
    Mistake(
        name="zeroed-and-not-removed",
        misconception="What is 0 is gone.",
        message="You return matrices as large as before, with zeros in them. The units are to be gone.",
        changes=(
            (W_IH, 'network["W_ih"] * rows[:, None]'),
            (B_IH, 'network["b_ih"] * rows'),
            (W_HH, 'network["W_hh"] * rows[:, None] * keep'),
            (B_HH, '(network["b_hh"] + network["W_hh"] @ constant) * rows'),
            (W_NEXT, 'network["W_next"] * keep'),
        ),
    ),
    Mistake(
        name="rows-and-columns-of-different-units",
        misconception="The order of the units does not matter.",
        message="The columns of your `W_hh` or of your next layer stand in another order than the rows.",
        changes=((W_NEXT, 'network["W_next"][:, keep][:, ::-1]'),),
        variants=(((W_HH, 'network["W_hh"][rows][:, keep][:, ::-1]'),),),
    ),
    # ------------------------------------------------------------------------------ the constants
    Mistake(
        name="constants-forgotten",
        misconception="What is removed is 0.",
        message="Your network takes all removed units for 0. What they are held at goes on to be read, by "
        "the units that are left and by the next layer.",
        changes=((B_HH, PLAIN_HH), (B_NEXT, PLAIN_NEXT)),
    ),
    Mistake(
        name="constants-forgotten-at-the-next-layer",
        misconception="Only the GRU reads its state.",
        message="Your next layer takes the removed units for 0.",
        changes=b_next(PLAIN_NEXT),
    ),
    Mistake(
        name="constants-forgotten-in-the-gru",
        misconception="Only the next layer reads the state.",
        message="Inside your GRU the removed units are taken for 0. Those that are left read them at every "
        "step.",
        changes=b_hh(PLAIN_HH),
    ),
    Mistake(
        name="constants-in-the-input-bias",
        misconception="The two biases are added anyway.",
        message="You add the constants to `b_ih`. At n, r multiplies what reads the state, and not what "
        "reads the input.",
        changes=in_inputs("1, 1, 1", "0, 0, 0"),
        variants=(in_inputs("0, 0, 1", "1, 1, 0"),),
    ),
    Mistake(
        name="constants-in-both-biases",
        misconception="Both biases have to know.",
        message="You add the constants to both biases, so they count twice.",
        changes=((B_IH, '(network["b_ih"] + network["W_hh"] @ constant)[rows]'),),
    ),
    Mistake(
        name="constants-at-n-alone",
        misconception="The gates do not read the state.",
        message="You add the constants at n alone. r and z read the state, too.",
        changes=in_blocks("0, 0, 1"),
    ),
    Mistake(
        name="constants-at-the-gates-alone",
        misconception="n reads the state through r, which makes it no constant.",
        message="You add the constants at r and z alone. n reads the state, too; what r multiplies there "
        "includes the bias `b_hh`.",
        changes=in_blocks("1, 1, 0"),
        variants=(in_blocks("1, 0, 0"), in_blocks("0, 1, 0")),
    ),
    Mistake(
        name="constants-subtracted",
        misconception="What is removed is subtracted.",
        message="You subtract the constants. They were added, and still are.",
        changes=(
            (B_HH, '(network["b_hh"] - network["W_hh"] @ constant)[rows]'),
            (B_NEXT, 'network["b_next"] - network["W_next"] @ constant'),
        ),
        variants=(
            b_hh('(network["b_hh"] - network["W_hh"] @ constant)[rows]'),
            b_next('network["b_next"] - network["W_next"] @ constant'),
        ),
    ),
    Mistake(
        name="constants-without-their-weights",
        misconception="A constant is added to the bias.",
        message="You add the constants themselves. What reads a unit multiplies it by a weight.",
        changes=(
            (B_HH, '(network["b_hh"] + constant.sum())[rows]'),
            (B_NEXT, 'network["b_next"] + constant.sum()'),
        ),
        variants=(
            b_hh('(network["b_hh"] + constant.sum())[rows]'),
            b_next('network["b_next"] + constant.sum()'),
        ),
    ),
    Mistake(
        name="constants-of-kept-units-too",
        misconception="Each unit has a constant.",
        message="You add what stands in `held` for units that are kept. They speak for themselves.",
        changes=constant("held"),
        variants=(
            b_next('network["b_next"] + network["W_next"] @ held'),
            b_hh('(network["b_hh"] + network["W_hh"] @ held)[rows]'),
        ),
    ),
    Mistake(
        name="constants-of-kept-units-alone",
        misconception="The constants are those of what is kept.",
        message="You add what stands in `held` for units that are kept, and not the constants of those "
        "that are gone.",
        changes=constant("np.where(keep, held, 0.0)"),
    ),
    Mistake(
        name="constants-by-a-sum-of-weights",
        misconception="All removed units say the same.",
        message="You multiply all weights by the mean of the constants. Each unit is held at its own.",
        changes=constant("np.where(keep, 0.0, held[~keep].mean() if (~keep).any() else 0.0)"),
        variants=(constant("np.where(keep, 0.0, held.mean())"),),
    ),
    Mistake(
        name="constants-through-tanh",
        misconception="A state is a tanh.",
        message="You take the tanh of the constants. They are states already.",
        changes=constant("np.where(keep, 0.0, np.tanh(held))"),
    ),
    Mistake(
        name="made-up-for",
        misconception="As with dropout, what is left has to make up for what is gone.",
        message="You scale up what is left, as dropout does. The masked network does not, and the outputs "
        "are to be the same.",
        changes=((W_NEXT, 'network["W_next"][:, keep] * len(keep) / max(keep.sum(), 1)'),),
        variants=(
            ((W_HH, 'network["W_hh"][rows][:, keep] * len(keep) / max(keep.sum(), 1)'),),
            (
                (W_HH, 'network["W_hh"][rows][:, keep] * len(keep) / max(keep.sum(), 1)'),
                (W_NEXT, 'network["W_next"][:, keep] * len(keep) / max(keep.sum(), 1)'),
            ),
            (
                (W_NEXT, 'network["W_next"][:, keep] * len(keep) / max(keep.sum(), 1)'),
                (B_HH, PLAIN_HH),
                (B_NEXT, PLAIN_NEXT),
            ),
        ),
    ),
    Mistake(
        name="no-unit-left-gives-0",
        misconception="Without units the outputs are 0.",
        message="Where no unit is kept, your outputs lack the bias, or what the units were held at.",
        changes=b_next('(network["b_next"] + network["W_next"] @ constant) * keep.any()'),
        variants=(b_next('network["b_next"] + network["W_next"] @ constant * keep.any()'),),
    ),
    Mistake(
        name="changes-the-network",
        misconception="The network that is given is the one to change.",
        message="You change the network that you are given. Make a new dict.",
        changes=(("    return {", "    network |= {"), ("    }", "    }\n    return network")),
        variants=(
            (
                (B_HH, PLAIN_HH),
                (B_NEXT, 'network["b_next"]'),
                (
                    "    return {",
                    '    network["b_hh"] += network["W_hh"] @ constant\n'
                    '    network["b_next"] += network["W_next"] @ constant\n    return {',
                ),
            ),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="block by block, r and z at the other bias",
        code="""
def remove_units(network, keep, held):
    units, left, gone = len(keep), np.flatnonzero(keep), np.flatnonzero(~keep)
    small = {"W_ih": [], "b_ih": [], "W_hh": [], "b_hh": []}
    for block in range(3):
        rows = left + block * units
        said = network["W_hh"][np.ix_(rows, gone)] @ held[gone]
        small["W_ih"].append(network["W_ih"][rows])
        small["W_hh"].append(network["W_hh"][np.ix_(rows, left)])
        small["b_ih"].append(network["b_ih"][rows] + (said if block < 2 else 0))
        small["b_hh"].append(network["b_hh"][rows] + (said if block == 2 else 0))
    small = {name: np.concatenate(parts) for name, parts in small.items()}
    small["W_next"] = network["W_next"][:, left]
    small["b_next"] = network["b_next"] + network["W_next"][:, gone] @ held[gone]
    return small
""",
    ),
    Alternative(
        name="unit by unit",
        code="""
def remove_units(network, keep, held):
    small = {name: array.copy() for name, array in network.items()}
    for unit in reversed(range(len(keep))):
        if keep[unit]:
            continue
        now = small["W_hh"].shape[1]
        small["b_next"] += small["W_next"][:, unit] * held[unit]
        small["b_hh"] += small["W_hh"][:, unit] * held[unit]
        small["W_next"] = np.delete(small["W_next"], unit, axis=1)
        small["W_hh"] = np.delete(small["W_hh"], unit, axis=1)
        for name in ("W_ih", "W_hh", "b_ih", "b_hh"):
            small[name] = np.delete(small[name], [unit, unit + now, unit + 2 * now], axis=0)
    return small
""",
    ),
    Alternative(
        name="in single precision, as lists, which have no second size where nothing is left",
        code="""
def remove_units(network, keep, held):
    old = {name: array.astype(np.float32) for name, array in network.items()}
    constant = np.where(keep, 0, held).astype(np.float32)
    rows = [i for i in range(3 * len(keep)) if keep[i % len(keep)]]
    small = {name: old[name][rows] for name in ("W_ih", "b_ih")}
    small["W_hh"] = old["W_hh"][rows][:, keep]
    small["b_hh"] = (old["b_hh"] + old["W_hh"] @ constant)[rows]
    small["W_next"] = old["W_next"][:, keep]
    small["b_next"] = old["b_next"] + old["W_next"] @ constant
    return {name: array.tolist() for name, array in small.items()}
""",
    ),
]
