"""Question 1, masks by magnitude: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

SIZES = "np.concatenate([np.abs(tensor.astype(float)).ravel() for tensor in tensors])"
WANTED = "math.ceil(sparsity * len(sizes) - 0.5)"
SCOPE = 'if scope == "layer":'
ITSELF = 'magnitude_masks([tensor], sparsity, "global", least)[0]'
INNER = 'order = np.argsort(sizes[first:end], kind="stable")'
OUTER = '    order = np.argsort(sizes, kind="stable")\n    kept'
FLOOR = "        may_go[first + order[max(tensor.size - least, 0):]] = False\n"
GONE = "kept[order[may_go[order]][:wanted]] = False"
KEPT = "kept = np.ones(len(sizes), dtype=bool)"
PARTS = "    parts = np.split(kept, ends[:-1])\n"
RETURN = "return [part.reshape(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]"


def wanted(code: str) -> tuple:
    return ((WANTED, code),)


def sizes(code: str) -> tuple:
    return ((SIZES, code),)


def gone(code: str) -> tuple:
    return ((GONE, code),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.pruning.keep_largest",
        changes=(
            (
                GONE,
                "import torch\n    from utils.pruning import keep_largest as of_library\n"
                "    may = np.flatnonzero(may_go)\n"
                "    share = min(wanted / max(len(may), 1), 1.0)\n"
                "    kept[may] = of_library(torch.tensor(sizes[may]), share).numpy()",
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- how many
    Mistake(
        name="rounded-down",
        misconception="A sparsity is a bound that must not be passed.",
        message="You round the number of weights to go down. It is the nearest whole number.",
        changes=wanted("int(sparsity * len(sizes))"),
    ),
    Mistake(
        name="rounded-up",
        misconception="At least so many weights have to go.",
        message="You round the number of weights to go up. It is the nearest whole number.",
        changes=wanted("math.ceil(sparsity * len(sizes))"),
    ),
    Mistake(
        name="halves-up",
        misconception="One half is rounded up.",
        message="Where two numbers are equally near, you prune the larger one. In doubt a weight is "
        "kept.",
        changes=wanted("int(sparsity * len(sizes) + 0.5)"),
        variants=(wanted("math.floor(sparsity * len(sizes) + 0.5)"),),
    ),
    Mistake(
        name="halves-to-even",
        misconception="round() rounds one half down.",
        message="Where two numbers are equally near, `round` takes the even one. Here it is the "
        "smaller.",
        changes=wanted("round(sparsity * len(sizes))"),
        variants=(
            wanted("int(np.rint(sparsity * len(sizes)))"),
            wanted("len(sizes) - round((1 - sparsity) * len(sizes))"),
        ),
    ),
    Mistake(
        name="halves-kept-up",
        misconception="Rounding what is kept is the same as rounding what goes.",
        message="You round the number of weights that are *kept* down (a half, too). Round those that "
        "go to the nearest.",
        changes=wanted("len(sizes) - int((1 - sparsity) * len(sizes))"),
    ),
    Mistake(
        name="sparsity-is-density",
        misconception="Sparsity is the share of weights that is kept.",
        message="You keep the share `sparsity` of the weights. It is the share that goes.",
        changes=wanted("math.ceil((1 - sparsity) * len(sizes) - 0.5)"),
        variants=(wanted("len(sizes) - math.ceil(sparsity * len(sizes) - 0.5)"),),
    ),
    Mistake(
        name="one-too-many",
        misconception="What stands at the border goes as well.",
        message="You prune one weight more than wanted.",
        changes=gone("kept[order[may_go[order]][:wanted + 1]] = False"),
    ),
    Mistake(
        name="wanted-of-what-may-go",
        misconception="Sparsity is a share of the weights that may go.",
        message="You take the share `sparsity` of the weights that the floor leaves. It is a share of "
        "all weights.",
        changes=wanted("math.ceil(sparsity * sum(max(t.size - least, 0) for t in tensors) - 0.5)"),
    ),
    Mistake(
        name="sum-of-rounded-layers",
        misconception="The number of a network is the sum of the numbers of its layers.",
        message="With the scope global you round for each tensor and add up. Round once, for all.",
        changes=wanted("sum(math.ceil(sparsity * tensor.size - 0.5) for tensor in tensors)"),
    ),
    Mistake(
        name="zeros-not-counted",
        misconception="What is zero already is no weight.",
        message="You count only weights that are not 0. A zero is a weight like others.",
        changes=wanted("math.ceil(sparsity * np.count_nonzero(sizes) - 0.5)"),
        variants=(
            (
                *wanted("math.ceil(sparsity * np.count_nonzero(sizes) - 0.5)"),
                (KEPT, "kept = sizes != 0"),
                (GONE, "kept[order[may_go[order] & kept[order]][:wanted]] = False"),
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- magnitude
    Mistake(
        name="without-the-sign",
        misconception="The smallest weights are the most negative ones.",
        message="You compare the weights themselves, so that large negative ones go first. Compare "
        "magnitudes.",
        changes=sizes("np.concatenate([tensor.astype(float).ravel() for tensor in tensors])"),
    ),
    Mistake(
        name="int8-wraps",
        misconception="np.abs gives the magnitude of any number.",
        message="The magnitude of the int8 -128 is no int8, and stays -128 in your answer. Convert "
        "before you take it.",
        changes=sizes("np.concatenate([np.abs(tensor).ravel() for tensor in tensors])"),
        variants=(
            sizes("np.concatenate([np.abs(tensor).astype(float).ravel() for tensor in tensors])"),
            sizes("np.abs(np.concatenate([tensor.ravel() for tensor in tensors]))"),
        ),
    ),
    Mistake(
        name="largest-go",
        misconception="Large weights are the ones that overfit.",
        message="You prune the largest magnitudes. The smallest go.",
        changes=gone("kept[order[may_go[order]][::-1][:wanted]] = False"),
        variants=(gone("kept[order[may_go[order]][len(order[may_go[order]]) - wanted:]] = False"),),
    ),
    Mistake(
        name="first-go",
        misconception="Which weights go does not matter.",
        message="You prune the weights that stand first, whatever their magnitude.",
        changes=gone("kept[np.flatnonzero(may_go)[:wanted]] = False"),
    ),
    # -------------------------------------------------------------------------------- ties
    Mistake(
        name="last-of-ties-go",
        misconception="Of equal weights it does not matter which go.",
        message="Of equal magnitudes you prune those that stand last. Those that stand first go.",
        changes=(
            (OUTER, "    order = np.lexsort((-np.arange(len(sizes)), sizes))\n    kept"),
            (INNER, "order = np.lexsort((-np.arange(tensor.size), sizes[first:end]))"),
        ),
        variants=(((OUTER, "    order = np.lexsort((-np.arange(len(sizes)), sizes))\n    kept"),),),
    ),
    Mistake(
        name="floor-keeps-the-first-of-ties",
        misconception="The floor protects those that stand first.",
        message="Of equal magnitudes your floor keeps those that stand first. Those that stand last "
        "are kept longest.",
        changes=((INNER, "order = np.lexsort((-np.arange(tensor.size), sizes[first:end]))"),),
    ),
    Mistake(
        name="all-ties-go",
        misconception="A threshold prunes exactly as many as wanted.",
        message="You compare with a threshold, so that all weights equal to it go, more than wanted. "
        "The number is exact.",
        changes=gone(
            "may = sizes[may_go]\n"
            "    if wanted and len(may):\n"
            "        kept[may_go & (sizes <= np.sort(may)[min(wanted, len(may)) - 1])] = False"
        ),
    ),
    Mistake(
        name="all-ties-stay",
        misconception="A threshold prunes exactly as many as wanted.",
        message="You compare with a threshold, so that all weights equal to it stay, and fewer go than "
        "wanted. The number is exact.",
        changes=gone(
            "may = np.append(np.sort(sizes[may_go]), np.inf)\n"
            "    kept[may_go & (sizes < may[min(wanted, len(may) - 1)])] = False"
        ),
    ),
    Mistake(
        name="quantile",
        misconception="A quantile of the magnitudes is the threshold.",
        message="You prune what is below a quantile, which is interpolated between weights and says "
        "nothing of how many go. Count.",
        changes=gone("kept[may_go & (sizes <= np.quantile(sizes, sparsity))] = False"),
        variants=(
            gone("kept[may_go & (sizes < np.quantile(sizes, sparsity))] = False"),
            gone("kept[sizes <= np.quantile(sizes, sparsity)] = False"),
            gone("kept[sizes < np.quantile(sizes, sparsity)] = False"),
        ),
    ),
    # -------------------------------------------------------------------------------- scope
    Mistake(
        name="always-per-layer",
        misconception="The scope makes no difference.",
        message="You prune each tensor by itself also where the scope is global.",
        changes=((SCOPE, 'if len(tensors) > 1 or scope == "layer" and len(tensors) > 1:'),),
    ),
    Mistake(
        name="always-global",
        misconception="The scope makes no difference.",
        message="You compare the weights of all tensors also where the scope is a layer.",
        changes=((SCOPE, "if False:"),),
    ),
    Mistake(
        name="scopes-swapped",
        misconception="Global means: each layer gives the same share.",
        message="The scopes are swapped: global compares all weights with each other.",
        changes=((SCOPE, 'if scope == "global" and len(tensors) > 1:'),),
    ),
    Mistake(
        name="layers-scaled-to-their-largest",
        misconception="Layers can only be compared on a scale of their own.",
        message="With the scope global you divide each tensor by its largest, or mean, magnitude. "
        "Compare them as they are.",
        changes=sizes(
            "np.concatenate([np.abs(tensor.astype(float)).ravel() / "
            "max(np.abs(tensor.astype(float)).max(), 1e-30) for tensor in tensors])"
        ),
        variants=(
            sizes(
                "np.concatenate([np.abs(tensor.astype(float)).ravel() / "
                "max(np.abs(tensor.astype(float)).mean(), 1e-30) for tensor in tensors])"
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- the floor
    Mistake(
        name="no-floor",
        misconception="Global pruning leaves something of each layer.",
        message="You ignore `least`: each tensor keeps its `least` largest weights.",
        changes=((FLOOR, ""),),
    ),
    Mistake(
        name="floor-of-one",
        misconception="A layer is saved by one weight.",
        message="Your floor is one weight, whatever `least` says.",
        changes=((FLOOR, "        may_go[first + order[-1:]] = False\n"),),
        variants=(
            ((FLOOR, "        may_go[first + order[-1 if least else tensor.size:]] = False\n"),),
        ),
    ),
    Mistake(
        name="floor-for-global-alone",
        misconception="A layer that is pruned by itself needs no floor.",
        message="You keep to the floor only where the scope is global. It holds in either.",
        changes=((ITSELF, 'magnitude_masks([tensor], sparsity, "global")[0]'),),
    ),
    Mistake(
        name="floor-for-layers-alone",
        misconception="The floor is a matter of each layer, not of the network.",
        message="You keep to the floor only where the scope is a layer. It holds in either.",
        changes=(
            (ITSELF, 'magnitude_masks([tensor], sparsity, "own", least)[0]'),
            (FLOOR, '        if scope == "own":\n    ' + FLOOR),
        ),
    ),
    Mistake(
        name="floor-afterwards",
        misconception="What the floor keeps is taken back, and that is all.",
        message="You give each tensor its largest weights back afterwards, so that fewer go than "
        "wanted. Others go instead.",
        changes=gone("kept[order[:wanted]] = False\n    kept |= ~may_go"),
    ),
    Mistake(
        name="floor-of-the-network",
        misconception="`least` weights are kept in all.",
        message="You keep the `least` largest weights of the network. Each tensor keeps so many.",
        changes=(
            (FLOOR, ""),
            (
                GONE,
                "kept[order[:min(wanted, max(len(order) - least, 0))]] = False",
            ),
        ),
    ),
    Mistake(
        name="floor-keeps-the-first",
        misconception="Any weights will do for the floor.",
        message="Your floor keeps weights that are not the largest of the tensor.",
        changes=((FLOOR, "        may_go[first : first + min(least, tensor.size)] = False\n"),),
        variants=(((FLOOR, "        may_go[first + order[:least]] = False\n"),),),
    ),
    Mistake(
        name="floor-below-its-size",
        misconception="A tensor has more weights than the floor asks for.",
        message="Where a tensor has fewer weights than `least`, your slice wraps around, and some of "
        "its weights go. It keeps all.",
        changes=((FLOOR, "        may_go[first + order[tensor.size - least:]] = False\n"),),
    ),
    Mistake(
        name="floor-of-zero-keeps-all",
        misconception="A slice [-0:] is empty.",
        message="With `least` = 0 the slice `[-least:]` is everything, `[:-least]` is empty, and so "
        "nothing goes.",
        changes=((FLOOR, "        may_go[first + order[-least:]] = False\n"),),
    ),
    Mistake(
        name="impossible-is-an-error",
        misconception="If not enough weights may go, something is wrong.",
        message="Where the floor leaves too few weights your answer raises an error, or prunes none. "
        "All go that may.",
        changes=gone(
            "if wanted > may_go.sum():\n"
            "        raise ValueError('the floor is too high')\n"
            f"    {GONE}"
        ),
        variants=(gone(f"if wanted <= may_go.sum():\n        {GONE}"),),
    ),
    # -------------------------------------------------------------------------------- the result
    Mistake(
        name="mask-of-what-goes",
        misconception="A mask marks what is pruned.",
        message="Your masks are True where a weight goes. They are True where it is kept.",
        changes=((RETURN, RETURN.replace("[part.", "[~part.", 1)),),
        variants=(((PARTS, "    parts = np.split(~kept, ends[:-1])\n"),),),
    ),
    Mistake(
        name="weights-for-masks",
        misconception="What is asked for is the pruned network.",
        message="You return pruned weights. Return the masks.",
        changes=(
            (
                RETURN,
                RETURN.replace(".reshape(tensor.shape) for", ".reshape(tensor.shape) * tensor for"),
            ),
        ),
    ),
    Mistake(
        name="nonzero-after-pruning",
        misconception="What is not zero is kept, and what is zero is not.",
        message="Your masks are False at each weight that was 0 before. It is pruned only if its turn "
        "comes.",
        changes=((PARTS, "    kept &= sizes != 0\n" + PARTS),),
        variants=(((KEPT, "kept = sizes != 0"),),),
    ),
    Mistake(
        name="flat-masks",
        misconception="A mask is a list of yes and no.",
        message="Your masks are flat. Each has the shape of its tensor.",
        changes=((RETURN, "return parts"),),
    ),
    Mistake(
        name="one-mask",
        misconception="There is one mask for the network.",
        message="You return one mask for all. There is one for each tensor.",
        changes=((RETURN, "return kept"),),
    ),
    Mistake(
        name="changes-its-input",
        misconception="Pruning happens in place.",
        message="Your answer changes the weights, which must be the same after the call.",
        changes=(
            (
                PARTS,
                PARTS
                + "    for part, tensor in zip(parts, tensors, strict=True):\n"
                + "        tensor *= part.reshape(tensor.shape)\n",
            ),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with sorted tuples",
        code="""
def magnitude_masks(tensors, sparsity, scope, least=0):
    masks = [np.ones(tensor.shape, dtype=bool) for tensor in tensors]
    groups = [[i] for i in range(len(tensors))] if scope == "layer" else [range(len(tensors))]
    for group in groups:
        candidates, n = [], 0
        for i in group:
            own = sorted((abs(float(w)), i, place) for place, w in enumerate(tensors[i].flat))
            candidates += own[: max(0, len(own) - least)]
            n += len(own)
        whole, rest = divmod(sparsity * n, 1)
        for _, i, place in sorted(candidates)[: int(whole) + (rest > 0.5)]:
            masks[i].flat[place] = False
    return masks
""",
    ),
]
