"""Question 4, heads removed for real: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

NO_LIBRARY = (
    "What utils removes is heads of its own networks; it takes no dict of matrices, and works no gate "
    "into them."
)

KEPT = "np.repeat(gates > 0, size)"
W_IN = 'layer[f"W_{name}"][kept]'
B_IN = 'layer[f"b_{name}"][kept]'
B_O = 'layer["b_o"].copy()'
W_O = '(layer["W_o"] * np.repeat(gates, size))[:, kept]'
PLAIN = 'layer["W_o"][:, kept]'
FACTOR = "np.repeat(gates, size)[kept]"
SIZE_BY_DIM = 'size = len(layer["b_o"]) // len(gates)'


def kept(code: str) -> tuple:
    return ((KEPT, code),)


def w_o(code: str) -> tuple:
    return ((W_O, code),)


def b_o(code: str) -> tuple:
    return ((B_O, code),)


def folded_into(*names: str) -> tuple:
    """The gates in these inner matrices or biases, and not in W_o."""
    lines = "".join(f'    smaller["{n}"] = (smaller["{n}"].T * {FACTOR}).T\n' for n in names)
    return ((W_O, PLAIN), ("    return smaller", f"{lines}    return smaller"))


MISTAKES = [
    # ------------------------------------------------------------------------------ which are left
    Mistake(
        name="heads-interleaved",
        misconception="Every heads-th row belongs to a head.",
        message="You take every so-manieth row for a head. The heads stand one after another, each in "
        "`size` rows that are neighbours.",
        changes=kept("np.tile(gates > 0, size)"),
        variants=(
            (
                (KEPT, "np.tile(gates > 0, size)"),
                ("np.repeat(gates, size)", "np.tile(gates, size)"),
            ),
        ),
    ),
    Mistake(
        name="keeps-the-closed",
        misconception="The gates mark what goes.",
        message="You keep the heads whose gate is 0, and remove the others.",
        changes=kept("np.repeat(gates == 0, size)"),
    ),
    Mistake(
        name="keeps-the-fully-open-alone",
        misconception="A gate is 0 or 1.",
        message="You keep the heads whose gate is 1 alone. Those between 0 and 1 are left as well.",
        changes=kept("np.repeat(gates == 1, size)"),
        variants=(kept("np.repeat(gates.astype(int) > 0, size)"),),
    ),
    Mistake(
        name="keeps-above-one-half",
        misconception="A gate below one half is closed.",
        message="You remove heads whose gate is small. Only a gate of exactly 0 says nothing.",
        changes=kept("np.repeat(gates > 0.5, size)"),
        variants=(
            kept("np.repeat(gates >= 0.5, size)"),
            kept("np.repeat(np.round(gates) > 0, size)"),
            kept("np.repeat(gates > 0.1, size)"),
            kept("np.repeat(gates > 0.05, size)"),
        ),
    ),
    Mistake(
        name="keeps-the-first",
        misconception="Which heads are left makes no difference, only how many.",
        message="You keep the first heads, as many as there are open gates. Keep those whose gate is open.",
        changes=kept("np.repeat(np.arange(len(gates)) < np.count_nonzero(gates), size)"),
        variants=(
            (
                (KEPT, "slice(0, size * np.count_nonzero(gates))"),
                (W_O, 'layer["W_o"][:, kept] * np.repeat(gates[gates > 0], size)'),
            ),
            ((KEPT, "slice(0, size * np.count_nonzero(gates))"), (W_O, PLAIN)),
        ),
    ),
    Mistake(
        name="size-by-dim",
        misconception="The states are shared out among the heads.",
        message="Your layer is right only where dim is heads times size, as if a head had the size "
        "dim / heads. dim may be another number; the size is given.",
        changes=(("    kept =", f"    {SIZE_BY_DIM}\n    kept ="),),
        variants=(
            (
                ("    kept =", f"    {SIZE_BY_DIM}\n    kept ="),
                (KEPT, f"np.flatnonzero({KEPT})"),
                (W_O, f"{PLAIN} * {FACTOR}"),
            ),
            (
                ("    kept =", f"    {SIZE_BY_DIM}\n    kept ="),
                (KEPT, f'[i for i in np.flatnonzero({KEPT}) if i < len(layer["b_q"])]'),
                (W_O, f"{PLAIN} * {FACTOR}"),
            ),
            """
def remove_heads(layer, gates, size):
    heads, dim = len(gates), len(layer["b_o"])
    size, left = dim // heads, gates > 0
    smaller = {"b_o": layer["b_o"].copy()}
    for name in "qkv":
        smaller[f"W_{name}"] = layer[f"W_{name}"].reshape(heads, size, dim)[left].reshape(-1, dim)
        smaller[f"b_{name}"] = layer[f"b_{name}"].reshape(heads, size)[left].ravel()
    by_head = layer["W_o"].reshape(dim, heads, size) * gates[:, None]
    smaller["W_o"] = by_head[:, left].reshape(dim, left.sum() * size)
    return smaller
""",
        ),
    ),
    Mistake(
        name="one-row-a-head",
        misconception="A head is a row.",
        message="You keep one row for each head. A head has `size` of them.",
        changes=kept("np.flatnonzero(gates)"),
        variants=(
            (
                (KEPT, "np.flatnonzero(gates)"),
                (W_O, 'layer["W_o"][:, kept] * gates[kept]'),
            ),
        ),
    ),
    Mistake(
        name="zeroed-and-not-removed",
        misconception="What is 0 is gone.",
        message="You return matrices as large as before, with zeros in them. The heads are to be gone.",
        changes=(
            (W_IN, 'layer[f"W_{name}"] * kept[:, None]'),
            (B_IN, 'layer[f"b_{name}"] * kept'),
            (W_O, 'layer["W_o"] * np.repeat(gates, size)'),
        ),
        variants=(
            (
                (W_IN, 'layer[f"W_{name}"].copy()'),
                (B_IN, 'layer[f"b_{name}"].copy()'),
                (W_O, 'layer["W_o"] * np.repeat(gates, size)'),
            ),
        ),
    ),
    Mistake(
        name="biases-not-cut",
        misconception="Biases have no heads.",
        message="You cut the matrices and not the biases of queries, keys and values. They have an entry "
        "for each row.",
        changes=((B_IN, 'layer[f"b_{name}"].copy()'),),
    ),
    Mistake(
        name="values-alone-cut",
        misconception="A head is its values.",
        message="You cut the values, and leave queries and keys as large as they were.",
        changes=(
            (W_IN, 'layer[f"W_{name}"][kept if name == "v" else slice(None)]'),
            (B_IN, 'layer[f"b_{name}"][kept if name == "v" else slice(None)]'),
        ),
    ),
    Mistake(
        name="queries-and-keys-alone-cut",
        misconception="A head is what it looks at.",
        message="You cut queries and keys, and leave the values as large as they were.",
        changes=(
            (W_IN, 'layer[f"W_{name}"][slice(None) if name == "v" else kept]'),
            (B_IN, 'layer[f"b_{name}"][slice(None) if name == "v" else kept]'),
        ),
    ),
    Mistake(
        name="output-not-cut",
        misconception="The output's matrix has no heads.",
        message="You leave the output's matrix as wide as it was. It has a column for each row of the "
        "values.",
        changes=w_o('layer["W_o"] * np.repeat(gates, size)'),
        variants=(w_o('layer["W_o"].copy()'),),
    ),
    Mistake(
        name="removed-head-keeps-its-bias",
        misconception="A head that is removed still adds its constant.",
        message="You add to the output's bias what the values' bias of a removed head would give. Its gate "
        "multiplies all that it gives, that included.",
        changes=b_o('layer["b_o"] + layer["W_o"][:, ~kept] @ layer["b_v"][~kept]'),
    ),
    # ------------------------------------------------------------------------------ the gates
    Mistake(
        name="gates-forgotten",
        misconception="A head that is left counts in full.",
        message="You forget the gates of the heads that are left. Without them such a head counts in full.",
        changes=w_o(PLAIN),
    ),
    Mistake(
        name="gates-twice",
        misconception="All that belongs to a head is multiplied by its gate.",
        message="The gate of a head that is left counts twice in your layer, in the values and at the "
        "output.",
        changes=w_o('(layer["W_o"] * np.repeat(gates, size) ** 2)[:, kept]'),
        variants=(
            (
                (W_O, f"{PLAIN} * {FACTOR}"),
                (
                    "    return smaller",
                    f'    smaller["W_v"] = smaller["W_v"] * {FACTOR}[:, None]\n'
                    f'    smaller["b_v"] = smaller["b_v"] * {FACTOR}\n    return smaller',
                ),
            ),
        ),
    ),
    Mistake(
        name="gates-in-values-without-their-bias",
        misconception="A gate multiplies a matrix.",
        message="You multiply the values' matrix by the gates, and not their bias, which is part of what "
        "the head gives.",
        changes=folded_into("W_v"),
    ),
    Mistake(
        name="gates-in-the-queries",
        misconception="A gate says how strongly a head looks.",
        message="You work the gates into queries or keys. That changes where a head looks, and not how "
        "much it gives.",
        changes=folded_into("W_q", "b_q"),
        variants=(folded_into("W_q"), folded_into("W_k", "b_k"), folded_into("W_k")),
    ),
    Mistake(
        name="gates-everywhere-inside",
        misconception="All that belongs to a head is multiplied by its gate.",
        message="You multiply queries, keys and values by the gates. Queries and keys decide where a head "
        "looks, which its gate does not change.",
        changes=folded_into("W_q", "b_q", "W_k", "b_k", "W_v", "b_v"),
        variants=(folded_into("W_q", "W_k", "W_v"),),
    ),
    Mistake(
        name="gates-by-their-root",
        misconception="A gate is shared by two matrices.",
        message="You work in the root of a gate. It multiplies once, as it is.",
        changes=w_o('(layer["W_o"] * np.repeat(gates, size) ** 0.5)[:, kept]'),
    ),
    Mistake(
        name="gates-divide",
        misconception="What the gate took away is given back.",
        message="You divide by the gates. A gate multiplies what the head gives.",
        changes=w_o(f"{PLAIN} / {FACTOR}"),
    ),
    Mistake(
        name="gates-of-other-heads",
        misconception="The gates that are left are the first ones.",
        message="You multiply heads by the gates of others: the list still has those that are gone.",
        changes=w_o(f"{PLAIN} * np.repeat(gates, size)[: kept.sum()]"),
    ),
    Mistake(
        name="gates-shared-out",
        misconception="Gates are weights of a mean.",
        message="You divide the gates by their sum. They are no shares.",
        changes=w_o(f"{PLAIN} * {FACTOR} / max(gates.sum(), 1e-9)"),
    ),
    Mistake(
        name="made-up-for",
        misconception="As with dropout, what is left has to make up for what is gone.",
        message="You scale up what is left, as dropout does. The gated layer does not, and the outputs "
        "are to be the same.",
        changes=w_o(f"{PLAIN} * {FACTOR} * len(gates) / max(np.count_nonzero(gates), 1)"),
        variants=(w_o(f"{PLAIN} * len(gates) / max(np.count_nonzero(gates), 1)"),),
    ),
    Mistake(
        name="scores-scaled-anew",
        misconception="The scores are scaled by the width of the layer.",
        message="You scale queries anew because the layer is narrower. Scores are scaled by the size of a "
        "head, which stays as it is.",
        changes=(
            (
                "    return smaller",
                '    smaller["W_q"] = smaller["W_q"] * (np.count_nonzero(gates) / len(gates)) ** 0.5\n'
                "    return smaller",
            ),
        ),
        variants=(
            (
                (
                    "    return smaller",
                    '    for n in ("W_q", "b_q"):\n'
                    "        smaller[n] = smaller[n] * (np.count_nonzero(gates) / len(gates)) ** 0.5\n"
                    "    return smaller",
                ),
            ),
            (
                (
                    "    return smaller",
                    '    for n in ("W_q", "b_q"):\n'
                    "        share = max(np.count_nonzero(gates), 0.1) / len(gates)\n"
                    "        smaller[n] = smaller[n] / share**0.5\n"
                    "    return smaller",
                ),
            ),
        ),
    ),
    # ------------------------------------------------------------------------------ the output
    Mistake(
        name="output-bias-gated",
        misconception="The bias of the output is shared by the heads.",
        message="You take away from the output's bias with the heads. It belongs to none of them.",
        changes=b_o('layer["b_o"] * np.count_nonzero(gates) / len(gates)'),
        variants=(b_o('layer["b_o"] * gates.mean()'), b_o('layer["b_o"] * gates.sum()')),
    ),
    Mistake(
        name="output-bias-gone-with-the-last-head",
        misconception="Without heads the output is 0.",
        message="Where all heads are gone, your output is 0. The bias is left.",
        changes=b_o('layer["b_o"] * np.any(gates)'),
    ),
    Mistake(
        name="output-bias-cut",
        misconception="All biases are cut.",
        message="You cut the output's bias. It has an entry for each number of the state, and those stay.",
        changes=b_o('np.resize(layer["b_o"], kept.sum())'),
    ),
    Mistake(
        name="output-rows-cut",
        misconception="A head has rows everywhere.",
        message="You cut rows of the output's matrix. There the heads come in, so they have columns.",
        changes=w_o(
            '(layer["W_o"].T * np.repeat(gates, size)).T[kept] '
            'if len(kept) == len(layer["W_o"]) else layer["W_o"][:0]'
        ),
    ),
    Mistake(
        name="heads-in-another-order-at-the-output",
        misconception="The order of the heads does not matter.",
        message="The heads of your output's matrix stand in another order than those of the values.",
        changes=w_o(f"({PLAIN} * {FACTOR})[:, ::-1]"),
        variants=(
            w_o(
                f"({PLAIN} * {FACTOR}).reshape(len(layer['W_o']), -1, size)[:, ::-1]"
                ".reshape(len(layer['W_o']), kept.sum())"
            ),
        ),
    ),
    Mistake(
        name="output-transposed",
        misconception="Matrices are (inputs, outputs).",
        message="You return the output's matrix transposed.",
        changes=w_o(f"({PLAIN} * {FACTOR}).T"),
    ),
    Mistake(
        name="changes-the-layer",
        misconception="The layer that is given is the one to change.",
        message="You change the layer that you are given. Make a new dict.",
        changes=(('smaller = {"b_o": layer["b_o"].copy()}', "smaller = layer"),),
        variants=(
            (
                (W_O, PLAIN),
                ("    kept =", '    layer["W_o"] *= np.repeat(gates, size)\n    kept ='),
            ),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="head by head, the gates in the values, the last head first",
        code="""
def remove_heads(layer, gates, size):
    new = {name: [] for name in layer}
    for head in reversed(range(len(gates))):
        if gates[head] == 0:
            continue
        rows = slice(head * size, (head + 1) * size)
        for name in ("W_q", "W_k", "b_q", "b_k"):
            new[name].append(layer[name][rows])
        new["W_v"].append(layer["W_v"][rows] * gates[head])
        new["b_v"].append(layer["b_v"][rows] * gates[head])
        new["W_o"].append(layer["W_o"][:, rows])
    if not new["W_q"]:
        empty = {name: layer[name][:0] for name in layer}
        return empty | {"W_o": layer["W_o"][:, :0], "b_o": layer["b_o"]}
    smaller = {name: np.concatenate(parts) for name, parts in new.items() if name not in ("W_o", "b_o")}
    return smaller | {"W_o": np.concatenate(new["W_o"], axis=1), "b_o": layer["b_o"]}
""",
    ),
    Alternative(
        name="the gates at the output, by a reshape",
        code="""
def remove_heads(layer, gates, size):
    left = np.flatnonzero(gates)
    cut = {}
    for name, array in layer.items():
        if name == "W_o":
            by_head = array.reshape(len(array), len(gates), size) * gates[:, None]
            cut[name] = by_head[:, left].reshape(len(array), len(left) * size)
        elif name == "b_o":
            cut[name] = array + 0
        else:
            rest = array.shape[1:]
            by_head = array.reshape(len(gates), size, *rest)[left]
            cut[name] = by_head.reshape(len(left) * size, *rest)
    return cut
""",
    ),
    Alternative(
        name="tensors of single precision",
        code="""
import torch

def remove_heads(layer, gates, size):
    layer = {name: torch.tensor(array, dtype=torch.float32) for name, array in layer.items()}
    weights = torch.tensor(gates, dtype=torch.float32).repeat_interleave(size)
    left = weights > 0
    inner = {name: part[left] for name, part in layer.items() if not name.endswith("o")}
    return inner | {"W_o": layer["W_o"][:, left] * weights[left], "b_o": layer["b_o"]}
""",
    ),
    Alternative(
        name="lists, which have no second size where nothing is left",
        code="""
def remove_heads(layer, gates, size):
    left = [i for i in range(len(gates) * size) if gates[i // size] > 0]
    smaller = {"b_o": layer["b_o"].tolist()}
    smaller["W_o"] = [[row[i] * gates[i // size] for i in left] for row in layer["W_o"].tolist()]
    for name in "qkv":
        for part in (f"W_{name}", f"b_{name}"):
            smaller[part] = [layer[part].tolist()[i] for i in left]
    return smaller
""",
    ),
]
