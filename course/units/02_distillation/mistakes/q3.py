"""Question 3, a static sparse layer: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

COUNT = "round((1 - sparsity) * outputs * inputs)"
NUMBERS = "splitmix64(seed, outputs * inputs)"
POSITIONS = f"np.argsort({NUMBERS})[:k]"
DRAWN = f"    positions = {POSITIONS}\n"
PAIRS = "np.divmod(np.sort(positions), inputs)"
LAYER = """    weights = csr_array((values, (rows, columns)), shape=(len(bias), x.shape[1]))
    return (weights @ x.T).T + bias"""
PRODUCT = "(weights @ x.T).T"
Y = f"{PRODUCT} + bias"
LEFT = "budget - 16 - outputs * width"
MASK = "-(-positions // 8)"
SEED = "left // width, "
MASKED = "(left - mask) // width"
INDEXED = "left // (width + 4)"
CAPPED = "min(max(k, 0), positions)"
PAID = "return {way:"

LOOP = """    y = np.tile(bias, (len(x), 1)).astype(float)
    for v, r, c in zip(values, rows, columns):
        {}
    return y"""


def forms(text, *others):
    """A form for each text that replaces this one."""
    return [((text, other),) for other in others]


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to use is the same as knowing what it does.",
        message="your answer calls utils.distillation.static_sparse_index",
        changes=(
            (
                "def sparse_pattern",
                "from utils.distillation import static_sparse_index\n\n\ndef sparse_pattern",
            ),
            (POSITIONS, "static_sparse_index(outputs * inputs, 1, k, seed=seed)[0]"),
        ),
    ),
    # ---------------------------------------------------------------- the pattern
    Mistake(
        "returns-the-mask",
        "A pattern is a mask.",
        "That is a mask; return the rows and the columns of the connections.",
        variants=(
            *(
                (
                    (
                        f"return {PAIRS}",
                        f"mask = np.zeros(outputs * inputs, dtype={kind})\n"
                        f"    mask[positions] = 1\n    return mask{shape}",
                    ),
                )
                for kind in ("bool", "int")
                for shape in ("", ".reshape(outputs, inputs)")
            ),
        ),
    ),
    Mistake(
        "returns-positions",
        "A position says it all.",
        "Those are positions, or pairs; return two arrays, the rows and the columns.",
        variants=tuple(
            forms(
                PAIRS,
                "np.sort(positions)",
                "np.stack(np.divmod(np.sort(positions), inputs), axis=1)",
                "list(zip(*np.divmod(np.sort(positions), inputs)))",
                '{"rows": np.sort(positions) // inputs, "columns": np.sort(positions) % inputs}',
                "positions, np.sort(positions)",
            )
        ),
    ),
    Mistake(
        "sparsity-is-the-share-kept",
        "Sparsity is the share of the connections.",
        "Sparsity is the share that is left out, and you keep it.",
        variants=tuple(
            forms(
                COUNT,
                "round(sparsity * outputs * inputs)",
                "int(sparsity * outputs * inputs)",
            )
        ),
    ),
    Mistake(
        "cut-off-not-rounded",
        "Turning a float into an integer rounds it.",
        "k is cut off, and not rounded to the nearest whole number.",
        variants=tuple(
            forms(
                COUNT,
                "int((1 - sparsity) * outputs * inputs)",
                "int(np.floor((1 - sparsity) * outputs * inputs))",
                "outputs * inputs - int(np.ceil(sparsity * outputs * inputs))",
                "int(outputs * inputs - sparsity * outputs * inputs)",
            )
        ),
    ),
    Mistake(
        "rounded-up",
        "A share of a connection is a connection.",
        "k is rounded up, and not to the nearest whole number.",
        variants=tuple(
            forms(
                COUNT,
                "min(int((1 - sparsity) * outputs * inputs) + 1, outputs * inputs)",
                "int(np.ceil((1 - sparsity) * outputs * inputs))",
                "outputs * inputs - int(sparsity * outputs * inputs)",
            )
        ),
    ),
    Mistake(
        "rounded-row-by-row",
        "Each row has its share.",
        "You round row by row, or column by column; k is rounded once, for the whole layer.",
        variants=tuple(
            forms(
                COUNT,
                "outputs * round((1 - sparsity) * inputs)",
                "inputs * round((1 - sparsity) * outputs)",
                "outputs * int((1 - sparsity) * inputs)",
            )
        ),
    ),
    Mistake(
        "sparsity-rounded",
        "A sparsity has one digit.",
        "The sparsity is rounded before it is multiplied; round the product.",
        variants=tuple(
            forms(
                COUNT,
                "round((1 - round(sparsity, 1)) * outputs * inputs)",
                "round((1 - round(sparsity, 2)) * outputs * inputs)",
            )
        ),
    ),
    Mistake(
        "one-connection-off",
        "Counting begins at 1.",
        "You take one connection too many or too few: exactly k are connected.",
        variants=(
            *forms(POSITIONS, POSITIONS.replace("[:k]", "[:k + 1]")),
            *forms(POSITIONS, POSITIONS.replace("[:k]", "[:k - 1]")),
            *forms(POSITIONS, POSITIONS.replace("[:k]", "[1:k + 1]")),
            *forms(POSITIONS, POSITIONS.replace("[:k]", "[1:k]")),
        ),
    ),
    Mistake(
        "as-many-in-every-row",
        "Each output chooses its inputs.",
        "Each output, or each input, gets its own share of connections; here the positions of the whole "
        "layer compete.",
        variants=tuple(
            [
                (
                    (
                        DRAWN,
                        f"    k = {count}\n"
                        f"    order = {NUMBERS}.reshape(outputs, inputs).argsort(axis=1)[:, :k]\n"
                        "    positions = (order + inputs * np.arange(outputs)[:, None]).ravel()\n",
                    ),
                )
                for count in (
                    "round((1 - sparsity) * inputs)",
                    "max(1, round((1 - sparsity) * inputs))",
                    "int((1 - sparsity) * inputs)",
                )
            ]
        ),
    ),
    Mistake(
        "numbers-for-a-row-only",
        "One row of random numbers is enough for a layer.",
        "Each position needs a random number of its own, all from one call of splitmix64; you draw row by "
        "row, or the same for all rows.",
        variants=(
            *forms(
                NUMBERS,
                "np.tile(splitmix64(seed, inputs), outputs)",
                "np.concatenate([splitmix64(seed + row, inputs) for row in range(outputs)])",
                "np.repeat(splitmix64(seed, outputs), inputs)",
            ),
        ),
    ),
    Mistake(
        "largest-numbers",
        "The largest win.",
        "You connect the positions with the largest numbers; the smallest are asked for.",
        variants=(
            *forms(POSITIONS, f"np.argsort({NUMBERS})[outputs * inputs - k :]"),
            *forms(POSITIONS, f"np.argsort({NUMBERS})[-k:]"),
            *forms(POSITIONS, f"np.argsort({NUMBERS})[::-1][:k]"),
        ),
    ),
    Mistake(
        "nothing-dropped-is-nothing-left",
        "[:-0] is everything.",
        "At sparsity 0 all positions are connected, and you have none: [:-0] is empty.",
        variants=tuple(forms(POSITIONS, f"np.argsort({NUMBERS})[:-(outputs * inputs - k)]")),
    ),
    Mistake(
        "below-the-next-number",
        "There is always a next number.",
        "At sparsity 0 all positions are connected, and there is no next number to stay below.",
        variants=tuple(forms(POSITIONS, f"np.nonzero({NUMBERS} < np.sort({NUMBERS})[k])[0]")),
    ),
    Mistake(
        "below-the-last-number",
        "The k smallest are below the k-th.",
        "You leave out the k-th smallest number itself.",
        variants=tuple(forms(POSITIONS, f"np.nonzero({NUMBERS} < np.sort({NUMBERS})[k - 1])[0]")),
    ),
    Mistake(
        "up-to-the-next-number",
        "The number with index k is the k-th.",
        "You take in one number too many: the k-th smallest has index k - 1.",
        variants=tuple(
            forms(POSITIONS, f"np.nonzero({NUMBERS} <= np.append(np.sort({NUMBERS}), 2**63)[k])[0]")
        ),
    ),
    Mistake(
        "transposed",
        "A weight matrix has a row for each input.",
        "Rows and columns have changed places: a row belongs to an output.",
        variants=tuple(forms(PAIRS, "np.divmod(np.sort(positions), inputs)[::-1]")),
    ),
    Mistake(
        "column-by-column",
        "Positions are counted down the columns.",
        "You count the positions column by column; they are counted row by row.",
        variants=(
            *forms(
                PAIRS,
                "(np.sort(positions) % outputs, np.sort(positions) // outputs)",
                'np.unravel_index(np.sort(positions), (outputs, inputs), order="F")',
                "np.nonzero(np.isin(np.arange(outputs * inputs), positions)"
                ".reshape(inputs, outputs).T)",
            ),
        ),
    ),
    Mistake(
        "sorted-by-columns",
        "Any order will do if it is always the same.",
        "The connections are right, but come in another order than that in which positions are counted, "
        "row by row: the weights would belong to others.",
        variants=(
            *forms(
                PAIRS,
                "np.divmod(positions, inputs)",
                "np.divmod(np.sort(positions)[::-1], inputs)",
                "np.nonzero(np.isin(np.arange(outputs * inputs), positions)"
                ".reshape(outputs, inputs).T)[::-1]",
            ),
            *forms(
                POSITIONS + "\n    return np.divmod(np.sort(positions), inputs)",
                f"np.argpartition({NUMBERS}, k - 1)[:k]\n    return np.divmod(positions, inputs)",
            ),
        ),
    ),
    Mistake(
        "rows-and-columns-sorted-apart",
        "Sorting rows and columns sorts the pairs.",
        "You sort the rows and the columns each on their own, which tears the pairs apart.",
        variants=tuple(
            forms(
                PAIRS,
                "(np.sort(positions // inputs), np.sort(positions % inputs))",
                "(np.sort(positions // inputs), positions % inputs)",
                "(positions // inputs, np.sort(positions % inputs))",
            )
        ),
    ),
    Mistake(
        "rows-of-outputs",
        "A row is as long as there are outputs.",
        "A row has a position for each input, and you cut rows as long as there are outputs.",
        variants=tuple(forms(PAIRS, "np.divmod(np.sort(positions), outputs)")),
    ),
    Mistake(
        "counted-from-one",
        "The first row is row 1.",
        "Rows and columns are counted from 0.",
        variants=tuple(
            forms(
                PAIRS,
                "tuple(part + 1 for part in np.divmod(np.sort(positions), inputs))",
                "np.divmod(np.sort(positions) + 1, inputs)",
            )
        ),
    ),
    Mistake(
        "each-position-by-chance",
        "Sparsity is a probability.",
        "Whether a number is below a threshold makes the number of connections a matter of luck: take "
        "exactly the k smallest.",
        variants=tuple(
            forms(
                POSITIONS,
                f"np.nonzero({NUMBERS} < (1 - sparsity) * 2.0**64)[0]",
                f"np.nonzero({NUMBERS} / 2.0**64 >= sparsity)[0]",
                f"np.nonzero({NUMBERS} > sparsity * 2.0**64)[0]",
            )
        ),
    ),
    Mistake(
        "quantile",
        "The k smallest are those below a quantile.",
        "A quantile is interpolated, and not always k numbers are below it: take exactly the k smallest.",
        variants=tuple(
            forms(
                POSITIONS,
                f"np.nonzero({NUMBERS} <= np.quantile({NUMBERS}.astype(float), 1 - sparsity))[0]",
                f"np.nonzero({NUMBERS} < np.quantile({NUMBERS}.astype(float), 1 - sparsity))[0]",
                f"np.nonzero({NUMBERS} > np.quantile({NUMBERS}.astype(float), sparsity))[0]",
            )
        ),
    ),
    Mistake(
        "new-pattern-at-every-call",
        "A random pattern is any random pattern.",
        "Two calls with the same seed gave two patterns. The weights in a file would land in the wrong "
        "places: use splitmix64(seed, ...) and no other source.",
        variants=tuple(
            forms(
                NUMBERS,
                "np.random.default_rng().random(outputs * inputs)",
                "np.random.random(outputs * inputs)",
            )
        ),
    ),
    Mistake(
        "seed-ignored",
        "The pattern is fixed once and for all.",
        "The pattern does not depend on the seed that you are given.",
        variants=tuple(
            forms(NUMBERS, *(f"splitmix64({s}, outputs * inputs)" for s in (3, 0, 1, 42)))
        ),
    ),
    Mistake(
        "another-seed",
        "Any seed made of this one will do.",
        "You change the seed, or skip numbers: take the n numbers of splitmix64(seed, n) as they are.",
        variants=tuple(
            forms(
                NUMBERS,
                "splitmix64(seed, outputs * inputs + 1)[1:]",
                "splitmix64(seed + 1, outputs * inputs)",
                "splitmix64(seed, outputs * inputs)[::-1]",
                "splitmix64(seed - 1, outputs * inputs)",
            )
        ),
    ),
    Mistake(
        "another-generator",
        "One generator is as good as another.",
        "The random numbers are not those of splitmix64(seed, n): whoever reads the file draws another "
        "pattern.",
        variants=(
            *forms(
                NUMBERS,
                "np.random.default_rng(seed).random(outputs * inputs)",
                "np.random.RandomState(seed).rand(outputs * inputs)",
                "np.random.default_rng(seed).permutation(outputs * inputs)",
                "np.random.default_rng(seed).normal(size=outputs * inputs)",
            ),
            *forms(
                POSITIONS,
                "np.random.default_rng(seed).choice(outputs * inputs, k, replace=False)",
                "np.random.default_rng(seed).permutation(outputs * inputs)[:k]",
                "np.random.RandomState(seed).permutation(outputs * inputs)[:k]",
                "np.random.RandomState(seed).choice(outputs * inputs, k, replace=False)",
                "__import__('random').Random(seed).sample(range(outputs * inputs), k)",
            ),
        ),
    ),
    Mistake(
        "numbers-as-positions",
        "A random number is a position.",
        "You make positions of the random numbers themselves; each position gets a number, and the k "
        "smallest decide.",
        variants=tuple(
            forms(
                POSITIONS,
                "(splitmix64(seed, k) % (outputs * inputs)).astype(int)",
                f"({NUMBERS}[:k] % (outputs * inputs)).astype(int)",
                f"np.argsort(np.argsort({NUMBERS}))[:k]",
            )
        ),
    ),
    Mistake(
        "first-positions",
        "Sorted numbers stand where they stood.",
        "You connect the first k positions, or nearly: sorting the numbers loses where they stood.",
        variants=tuple(
            forms(POSITIONS, "np.arange(k)", "np.linspace(0, outputs * inputs - 1, k).astype(int)")
        ),
    ),
    Mistake(
        "signed-numbers",
        "A whole number is an int64.",
        "Your numbers wrap around: as int64, numbers from 9.22e18 on turn negative.",
        variants=tuple(forms(NUMBERS, f"{NUMBERS}.astype(int)", f"{NUMBERS}.view(np.int64)")),
    ),
    Mistake(
        "numbers-cut-short",
        "Half of the bits are enough.",
        "You keep only some of the bits of the random numbers, which gives them another order.",
        variants=tuple(
            forms(
                NUMBERS,
                f"{NUMBERS}.astype(np.uint32)",
                f"{NUMBERS}.astype(np.int32)",
                f"({NUMBERS} % np.uint64(1000))",
                f"({NUMBERS} % np.uint64(2**32))",
            )
        ),
    ),
    Mistake(
        "rows-as-floats",
        "A whole number is an integer.",
        "Rows and columns must be integers, and yours are floats.",
        variants=tuple(
            forms(
                PAIRS,
                "(np.floor(np.sort(positions) / inputs), np.sort(positions) % inputs)",
                "np.divmod(np.sort(positions).astype(float), inputs)",
                "np.divmod(np.sort(positions), float(inputs))",
            )
        ),
    ),
    Mistake(
        "fractions-of-rows",
        "Division is division.",
        "Rows are whole numbers: your division leaves fractions, or rounds to the nearest row.",
        variants=tuple(
            forms(
                PAIRS,
                "(np.sort(positions) / inputs, np.sort(positions) % inputs)",
                "(np.round(np.sort(positions) / inputs).astype(int), np.sort(positions) % inputs)",
            )
        ),
    ),
    Mistake(
        "no-return",
        "What a function computes last is its value.",
        "Your answer gives None: is a `return` missing?",
        variants=(
            ((f"return {PAIRS}", f"pairs = {PAIRS}"),),
            ((f"return {PAIRS}", f"print({PAIRS})"),),
            ((PAID, "paid = {way:"),),
        ),
    ),
    Mistake(
        "no-y-returned",
        "What a function computes last is its value.",
        "A part of the result is None: is a `return` missing?",
        variants=(
            ((f"return {Y}", f"y = {Y}"),),
            ((f"return {Y}", f"print({Y})"),),
        ),
    ),
    # ---------------------------------------------------------------- the layer
    Mistake(
        "last-connection-wins",
        "y[:, rows] += ... adds to an output as often as it is named.",
        "Of an output's connections only the last one counts: indexing with repeated rows writes to each "
        "output once, and does not add up.",
        variants=tuple(
            forms(
                LAYER,
                "    y = np.zeros((len(x), len(bias)))\n    y[:, rows] += x[:, columns] * values\n"
                "    return y + bias",
                "    y = np.tile(bias, (len(x), 1))\n    y[:, rows] += x[:, columns] * values\n"
                "    return y",
                LOOP.format("y[:, r] = v * x[:, c] + bias[r]"),
            )
        ),
    ),
    Mistake(
        "bias-overwritten",
        "Assigning is adding.",
        "Where an output has connections its bias, or its sum so far, is overwritten.",
        variants=tuple(
            forms(
                LAYER,
                LOOP.format("y[:, r] = v * x[:, c]"),
                "    y = np.tile(bias, (len(x), 1))\n    y[:, rows] = x[:, columns] * values\n"
                "    return y",
                f"    weights = csr_array((values, (rows, columns)), shape=(len(bias), x.shape[1]))\n"
                f"    y = {PRODUCT}\n    return np.where(y != 0, y, bias)",
            )
        ),
    ),
    Mistake(
        "no-bias",
        "A sparse layer has no bias.",
        "The bias is missing.",
        variants=tuple(forms(Y, PRODUCT)),
    ),
    Mistake(
        "bias-for-connected-outputs-only",
        "What has no connection is 0.",
        "An output without connections still has its bias.",
        variants=tuple(forms(Y, f"np.where(np.bincount(rows, minlength=len(bias)) > 0, {Y}, 0)")),
    ),
    Mistake(
        "bias-alone",
        "The first term is enough.",
        "That is the bias alone.",
        variants=tuple(forms(Y, f"0 * {Y} + bias")),
    ),
    Mistake(
        "no-weights",
        "What is connected counts, whatever its weight.",
        "x is summed up, and the weights are not in it, or not as they are.",
        variants=(
            ((Y, f"np.sign({PRODUCT}) + bias"),),
            *(
                ((LAYER, LAYER.replace("csr_array((values,", f"csr_array(({text},")),)
                for text in (
                    "np.ones(len(values))",
                    "np.abs(values)",
                    "np.sign(values)",
                    "values**2",
                    "values / len(values)",
                    "values[::-1]",
                    "np.sort(values)",
                    "np.full(len(values), np.mean(values))",
                )
            ),
        ),
    ),
    Mistake(
        "no-x",
        "The weights are the result.",
        "The weights are summed up, and x is not in it.",
        variants=tuple(forms(PRODUCT, "(weights @ np.ones_like(x).T).T")),
    ),
    Mistake(
        "rows-and-columns-confused",
        "The row of a connection is its input.",
        "You take the row of a connection for its input, or its column for the output: the row is "
        "the output, the column the input.",
        variants=tuple(
            forms(
                LAYER,
                LOOP.format("y[:, c] += v * x[:, r]"),
                LOOP.format("y[:, c % len(bias)] += v * x[:, r % x.shape[1]]"),
                LOOP.format("y[:, c % len(bias)] += v * x[:, r]"),
                LOOP.format("y[:, r] += v * x[:, r % x.shape[1]]"),
                LOOP.format("y[:, r] += v * x[:, r]"),
                LOOP.format("y[:, c % len(bias)] += v * x[:, c]"),
                LAYER.replace("(rows, columns)", "(columns, rows)"),
            )
        ),
    ),
    Mistake(
        "weights-not-in-order",
        "The weights come in the order of x.",
        "You pick weights by their column or row; they come in the order of the connections.",
        variants=tuple(
            forms(
                LAYER,
                LOOP.format("y[:, r] += values[c % len(values)] * x[:, c]"),
                LOOP.format("y[:, r] += values[r % len(values)] * x[:, c]"),
                "    y = np.zeros((len(x), len(bias)))\n    for i, r in enumerate(rows):\n"
                "        y[:, r] += values[i] * x[:, i % x.shape[1]]\n    return y + bias",
            )
        ),
    ),
    Mistake(
        "bias-for-every-connection",
        "Each product has its bias.",
        "The bias is added more than once, or once for each connection; once for each output is asked "
        "for.",
        variants=(
            *forms(
                LAYER,
                LOOP.format("y[:, r] += v * x[:, c] + bias[r]"),
                LOOP.format("y[:, r] += v * x[:, c] + bias[r]").replace(
                    "np.tile(bias, (len(x), 1)).astype(float)", "np.zeros((len(x), len(bias)))"
                ),
            ),
            *forms(Y, f"{Y} + bias"),
        ),
    ),
    Mistake(
        "bias-multiplied",
        "A bias is a factor.",
        "The bias is multiplied, or subtracted; it is added.",
        variants=tuple(forms(Y, f"{PRODUCT} * bias", f"{PRODUCT} - bias")),
    ),
    Mistake(
        "bias-changed",
        "An argument belongs to the function that was given it.",
        "Your answer changes `bias` or another array that it was given, which must be the same after "
        "the call as before.",
        variants=(
            *forms(
                LAYER,
                "    out = []\n    for row in x:\n        y = bias\n"
                "        for v, r, c in zip(values, rows, columns):\n"
                "            y[r] += v * row[c]\n        out.append(y)\n    return np.array(out)",
                "    out = []\n    for row in x:\n        y = bias\n"
                "        for v, r, c in zip(values, rows, columns):\n"
                "            y[r] += v * row[c]\n        out.append(y.copy())\n"
                "    return np.array(out)",
                "    y = bias\n    for v, r, c in zip(values, rows, columns):\n"
                "        y[r] += v * x[0, c]\n    return y[None]",
                "    np.add.at(bias, rows, values * x[0, columns])\n    return bias[None]",
            ),
            (
                (
                    f"    return {Y}",
                    f"    y = {Y}\n    bias += 1\n    return y",
                ),
            ),
            ((f"    return {Y}", f"    y = {Y}\n    values *= 0\n    return y"),),
        ),
    ),
    Mistake(
        "mean-of-products",
        "A layer averages its inputs.",
        "You take the mean of an output's products, or divide by their number; they are summed.",
        variants=tuple(
            forms(
                Y,
                f"{PRODUCT} / np.maximum(1, np.bincount(rows, minlength=len(bias))) + bias",
                f"({Y}) / np.maximum(1, np.bincount(rows, minlength=len(bias)))",
                f"{PRODUCT} / len(values) + bias",
                f"{PRODUCT} / np.sqrt(np.maximum(1, np.bincount(rows, minlength=len(bias)))) + bias",
                f"{PRODUCT} / x.shape[1] + bias",
                f"{PRODUCT} / len(x) + bias",
            )
        ),
    ),
    Mistake(
        "activation",
        "A layer ends in an activation.",
        "A layer has no activation, and yours changes what comes out: return y as it is.",
        variants=tuple(
            forms(
                Y, f"np.maximum({Y}, 0)", f"np.tanh({Y})", f"1 / (1 + np.exp(-({Y})))", f"abs({Y})"
            )
        ),
    ),
    Mistake(
        "integers",
        "Weights are whole numbers.",
        "Fractions are lost: your result, or its parts, are integers.",
        variants=(
            *forms(
                LAYER,
                LOOP.format("y[:, r] += (v * x[:, c]).astype(int)"),
                LOOP.format("y[:, r] += (v * x[:, c]).astype(int)").replace("float", "int"),
            ),
            *forms(
                Y,
                f"({Y}).astype(int)",
                f"{PRODUCT}.astype(int) + bias",
                f"({Y}).round()",
                f"({Y}).round(1)",
            ),
        ),
    ),
    Mistake(
        "transposed-result",
        "A result has a row for each output.",
        "Your result is transposed: it has a row for each comment.",
        variants=tuple(forms(Y, "weights @ x.T + bias[:, None]", f"({Y}).T")),
    ),
    Mistake(
        "first-comment-only",
        "x is one comment.",
        "You compute the first comment only, or add the comments up; each has a row of its own.",
        variants=tuple(
            forms(
                Y,
                f"({Y})[:1]",
                f"({Y})[0]",
                f"({Y}).sum(axis=0)",
                f"({Y}).mean(axis=0)",
                f"({Y}).sum(axis=0, keepdims=True)",
                f"np.tile(({Y})[:1], (len(x), 1))",
                f"np.tile(({Y})[-1:], (len(x), 1))",
                f"({Y}).ravel()",
                f"({Y}).squeeze()",
            )
        ),
    ),
    Mistake(
        "outputs-from-the-last-row",
        "The last connection belongs to the last output.",
        "The last outputs have no connection, and you lose them: there are as many outputs as biases.",
        variants=tuple(
            forms(
                LAYER,
                LAYER.replace("len(bias), x", "rows.max() + 1, x").replace(
                    "+ bias", "+ bias[: rows.max() + 1]"
                ),
                LAYER.replace("len(bias), x", "len(set(rows)), x")
                .replace("(rows,", "(np.unique(rows, return_inverse=True)[1],")
                .replace("+ bias", "+ bias[: len(set(rows))]"),
                LAYER.replace("len(bias), x", "len(set(rows)), x")
                .replace("(rows,", "(np.unique(rows, return_inverse=True)[1],")
                .replace("+ bias", "+ bias[np.unique(rows)]"),
            )
        ),
    ),
    Mistake(
        "unconnected-outputs-skipped",
        "Every output has a connection.",
        "An output without connections gets what belongs to the next one.",
        variants=tuple(
            forms(
                LAYER,
                "    y = np.zeros((len(x), len(bias)))\n"
                "    found, first = np.unique(rows, return_index=True)\n"
                "    y[:, : len(found)] = np.add.reduceat(x[:, columns] * values, first, axis=1)\n"
                "    return y + bias",
            )
        ),
    ),
    Mistake(
        "reduceat-of-nothing",
        "A sum of nothing is 0, for np.add.reduceat as well.",
        "An output without connections gets a product of another one: np.add.reduceat cannot say that a "
        "sum is empty.",
        variants=tuple(
            forms(
                LAYER,
                "    products = np.hstack([x[:, columns] * values, np.zeros((len(x), 1))])\n"
                "    starts = np.searchsorted(rows, np.arange(len(bias)))\n"
                "    return np.add.reduceat(products, starts, axis=1) + bias",
            )
        ),
    ),
    Mistake(
        "as-many-for-every-output",
        "Each output has as many connections.",
        "Outputs may have different numbers of connections, and yours are cut into equal groups.",
        variants=tuple(
            forms(
                LAYER,
                "    y = np.zeros((len(x), len(bias)))\n    found = np.unique(rows)\n"
                "    products = (x[:, columns] * values).reshape(len(x), len(found), -1)\n"
                "    y[:, found] = products.sum(axis=2)\n    return y + bias",
            )
        ),
    ),
    Mistake(
        "dense-matrix",
        "A sparse layer is a dense one with many zeros.",
        "Your y is right, but on the way you made a matrix that holds the zeros, too. That is what a "
        "sparse layer does without.",
        variants=tuple(
            forms(
                LAYER,
                "    W = np.zeros((len(bias), x.shape[1]))\n    W[rows, columns] = values\n"
                "    return x @ W.T + bias",
                LAYER.replace("(weights @ x.T).T", "x @ weights.toarray().T"),
            )
        ),
    ),
    # ---------------------------------------------------------------- connections for bytes
    Mistake(
        "no-header",
        "The pattern costs nothing, so nothing is stored for it.",
        "The header is missing from the file: 16 bytes.",
        variants=tuple(forms(LEFT, "budget - outputs * width")),
    ),
    Mistake(
        "another-header",
        "The header is as wide as the weights.",
        "Your header has not 16 bytes. It has them at every width, whatever the pattern.",
        variants=tuple(
            forms(
                LEFT,
                "budget - 4 * width - outputs * width",
                "budget - 12 - outputs * width",
                "budget - 4 - outputs * width",
                "budget - 20 - outputs * width",
                "budget - 16 * width - outputs * width",
            )
        ),
    ),
    Mistake(
        "bias-not-stored",
        "A bias is too small to count.",
        "The bias is missing from the file: `width` bytes for each output.",
        variants=tuple(forms(LEFT, "budget - 16")),
    ),
    Mistake(
        "another-bias",
        "A bias belongs to an input, or is a number.",
        "The bias has another size in your file: it is one number of `width` bytes for each output.",
        variants=tuple(
            forms(
                LEFT,
                "budget - 16 - inputs * width",
                "budget - 16 - outputs",
                "budget - 16 - width",
                "budget - 16 - outputs * inputs * width",
                "budget - 16 - outputs * 4",
                "budget - 16 - (outputs + inputs) * width",
            )
        ),
    ),
    Mistake(
        "header-or-bias-added",
        "What the header takes is there in addition.",
        "You add header or bias to the budget; they have to be paid from it.",
        variants=tuple(
            forms(
                LEFT,
                "budget + 16 + outputs * width",
                "budget + 16 - outputs * width",
                "budget - 16 + outputs * width",
            )
        ),
    ),
    Mistake(
        "width-ignored",
        "A number is a byte.",
        "A weight takes `width` bytes, and you count it as another number of bytes.",
        variants=tuple(
            [
                (
                    (SEED, f"left // {w}, "),
                    (MASKED, f"(left - mask) // {w}"),
                    (INDEXED, f"left // ({w} + 4)"),
                )
                for w in (1, 2, 4)
            ]
            + [
                (
                    (
                        "    positions = outputs * inputs\n",
                        f"    positions = outputs * inputs\n    width = {w}\n",
                    ),
                )
                for w in (1, 2, 4)
            ]
        ),
    ),
    Mistake(
        "width-in-bits",
        "A width is given in bits.",
        "You take `width` for bits; it is bytes.",
        variants=tuple(
            [
                (
                    (
                        "    positions = outputs * inputs\n",
                        f"    positions = outputs * inputs\n    {line}\n",
                    ),
                )
                for line in ("width = width / 8", "budget = budget * 8", "budget = budget / 8")
            ]
        ),
    ),
    Mistake(
        "mask-of-bytes",
        "A mask takes a byte for each position.",
        "Your mask takes a byte for each position, or more; it is one bit.",
        variants=tuple(forms(MASK, "positions", "positions * width")),
    ),
    Mistake(
        "mask-not-in-whole-bytes",
        "Bits are divided by 8.",
        "Bits that do not fill a byte take a whole byte, too: round the bytes of the mask up, once for the "
        "whole mask.",
        variants=tuple(
            forms(
                MASK,
                "positions // 8",
                "outputs * -(-inputs // 8)",
                "positions // 8 + 1",
                "round(positions / 8)",
            )
        ),
    ),
    Mistake(
        "mask-not-paid",
        "A mask costs nothing.",
        "The mask has to be paid before the weights, and yours is free.",
        variants=tuple(forms(MASKED, "left // width")),
    ),
    Mistake(
        "mask-of-connections-only",
        "A mask has a bit for each connection.",
        "The mask has a bit for each position, connected or not; you count connections only.",
        variants=tuple(
            forms(
                MASKED,
                "int(left // (width + 1 / 8))",
                "8 * left // (8 * width + 1)",
            )
        ),
    ),
    Mistake(
        "indices-not-paid",
        "An index is a weight's place.",
        "The indices have to be paid, too: 4 bytes for each connection.",
        variants=tuple(forms(INDEXED, "left // width")),
    ),
    Mistake(
        "another-width-of-indices",
        "An index is as wide as a weight.",
        "Your indices take another number of bytes than 4 for each connection.",
        variants=tuple(
            forms(
                INDEXED,
                *(
                    f"left // {price}"
                    for price in (
                        "(width + 2)",
                        "(2 * width)",
                        "(width + 8)",
                        "4",
                        "(width * 4)",
                        "(width + 1)",
                    )
                ),
                "(left - 4) // width",
                "(left - 4 * positions) // width",
                "left // width - 4",
            )
        ),
    ),
    Mistake(
        "seed-paid-twice",
        "The seed is stored beside the header.",
        "The seed is in the header already: it costs no further bytes.",
        variants=tuple(
            forms(SEED, "(left - 4) // width, ", "(left - 8) // width, ", "left // (width + 4), ")
        ),
    ),
    Mistake(
        "more-than-there-is",
        "More budget, more connections.",
        "A layer never has more connections than positions.",
        variants=tuple(forms(CAPPED, "max(k, 0)")),
    ),
    Mistake(
        "limited-by-something-else",
        "A layer has as many connections as outputs.",
        "You limit the number of connections by something else than the positions, outputs times inputs.",
        variants=tuple(
            forms(
                CAPPED,
                "min(max(k, 0), outputs)",
                "min(max(k, 0), inputs)",
                "min(max(k, 0), positions - 1)",
                "min(max(k, 0), outputs + inputs)",
            )
        ),
    ),
    Mistake(
        "fewer-than-none",
        "A negative number says how much is missing.",
        "Where the budget pays for no connection the number is 0, not below.",
        variants=tuple(forms(CAPPED, "min(k, positions)")),
    ),
    Mistake(
        "at-least-one",
        "There is always room for one.",
        "Where the budget pays for no connection the number is 0, and not 1.",
        variants=tuple(forms(CAPPED, "min(max(k, 1), positions)")),
    ),
    Mistake(
        "nothing-fits-is-an-error",
        "What cannot be built is an error.",
        "Where the budget pays for no connection the number is 0: no error, and not None.",
        variants=(
            ((CAPPED, f"{CAPPED} if k > 0 else None"),),
            (
                (
                    "    paid = {",
                    "    if left < width:\n        raise ValueError('too little')\n    paid = {",
                ),
            ),
            (
                (
                    "    paid = {",
                    "    if left < 0:\n        raise ValueError('too little')\n    paid = {",
                ),
            ),
            (("    paid = {", "    if left < 0:\n        return 0\n    paid = {"),),
            (("    paid = {", "    if left < 0:\n        return None\n    paid = {"),),
        ),
    ),
    Mistake(
        "rounded-not-down",
        "A budget that is nearly kept is kept.",
        "A budget is a limit: what it does not pay in full does not fit. Round down.",
        variants=(
            (
                (SEED, "round(left / width), "),
                (MASKED, "round((left - mask) / width)"),
                (INDEXED, "round(left / (width + 4))"),
            ),
            (
                (SEED, "-(-left // width), "),
                (MASKED, "-(-(left - mask) // width)"),
                (INDEXED, "-(-left // (width + 4))"),
            ),
            (
                (SEED, "left / width, "),
                (MASKED, "(left - mask) / width"),
                (INDEXED, "left / (width + 4)"),
            ),
        ),
    ),
    Mistake(
        "budget-not-reached",
        "A limit must not be reached.",
        "A file that uses the budget to the last byte fits: `at most` includes it.",
        variants=(((LEFT, f"{LEFT} - 1"),),),
    ),
    Mistake(
        "bytes-not-connections",
        "A budget is counted in bytes.",
        "You return bytes, or a share; numbers of connections are asked for.",
        variants=(
            ((CAPPED, f"{CAPPED} * width"),),
            ((CAPPED, f"{CAPPED} / positions"),),
            ((CAPPED, f"budget - {CAPPED} * width"),),
            ((CAPPED, f"positions - {CAPPED}"),),
            ((CAPPED, f"1 - {CAPPED} / positions"),),
        ),
    ),
    Mistake(
        "another-result",
        "The order says which way it is.",
        'Return a dictionary from "seed", "mask" and "indices" to numbers of connections.',
        variants=(
            ((PAID, "return {way[0]:"),),
            (
                (
                    f"return {{way: {CAPPED} for way, k in paid.items()}}",
                    f"return tuple({CAPPED} for k in paid.values())",
                ),
            ),
            (
                (
                    f"return {{way: {CAPPED} for way, k in paid.items()}}",
                    f"return max({CAPPED} for k in paid.values())",
                ),
            ),
            (
                (
                    f"return {{way: {CAPPED} for way, k in paid.items()}}",
                    f"return [{CAPPED} for k in paid.values()]",
                ),
            ),
            (("return {way:", "return {way + 's':"),),
        ),
    ),
    Mistake(
        "mask-and-indices-swapped",
        "An index is a bit for each position.",
        "Mask and indices have changed places.",
        variants=(
            (
                (
                    f'"mask": {MASKED}, "indices": {INDEXED}',
                    f'"mask": {INDEXED}, "indices": {MASKED}',
                ),
            ),
        ),
    ),
    Mistake(
        "hard-coded-example",
        "An answer that passes the example is right.",
        "The results are those of the example, whatever the input.",
        variants=(
            ((f"return {PAIRS}", "return np.array([0, 0, 1, 1]), np.array([0, 3, 0, 2])"),),
            (
                (
                    "    positions = outputs * inputs\n",
                    '    return {"seed": 9, "mask": 8, "indices": 3}\n',
                ),
            ),
            ((f"return {Y}", "return np.array([[3002.5, 504.25, 0.125]])"),),
        ),
    ),
]

REST = """

def connections_for_bytes(outputs, inputs, budget, width):
    found = {}
    for way, fixed, price in (
        ("seed", 0, width),
        ("mask", (outputs * inputs + 7) // 8, width),
        ("indices", 0, width + 4),
    ):
        k = 0
        while k < outputs * inputs and 16 + width * outputs + fixed + price * (k + 1) <= budget:
            k += 1
        found[way] = k
    return found
"""

ALTERNATIVES = [
    Alternative(
        name="add-at",
        code="""
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
"""
        + REST,
    ),
    Alternative(
        name="mask-and-bincount",
        code="""
import math


def sparse_pattern(outputs, inputs, sparsity, seed):
    k, numbers = int((1 - sparsity) * outputs * inputs + 0.5), splitmix64(seed, outputs * inputs)
    mask = np.zeros(outputs * inputs, dtype=bool)
    if k:
        mask[np.argpartition(numbers, k - 1)[:k]] = True
    return np.where(mask.reshape(outputs, inputs))


def sparse_forward(x, values, rows, columns, bias):
    return np.array([
        np.bincount(rows, weights=values * row[columns], minlength=len(bias)) + bias for row in x
    ])


def connections_for_bytes(outputs, inputs, budget, width):
    n = outputs * inputs
    left = budget - 16 - outputs * width
    found = {
        "indices": math.floor(left / (width + 4)),
        "mask": math.floor((left - math.ceil(n / 8)) / width),
        "seed": math.floor(left / width),
    }
    return {way: int(np.clip(k, 0, n)) for way, k in found.items()}
""",
    ),
    Alternative(
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
"""
        + REST,
    ),
    Alternative(
        name="counts-what-is-left-out",
        code="""
def sparse_pattern(outputs, inputs, sparsity, seed):
    n = outputs * inputs
    k = n - round(sparsity * n)
    limit = np.sort(splitmix64(seed, n))[k - 1]
    return list(np.nonzero(splitmix64(seed, n).reshape(outputs, inputs) <= limit))


def sparse_forward(x, values, rows, columns, bias):
    weights = csr_array((values, (rows, columns)), shape=(len(bias), x.shape[1])).tocsc()
    y = x @ weights.T
    y += bias
    return y
"""
        + REST,
    ),
]
