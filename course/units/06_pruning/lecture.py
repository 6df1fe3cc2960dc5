# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Pruning: do we really need all those weights?
#
# Between two layers of D units stand D by D weights, whether the task needs them or not. This lecture
# removes the small ones, the unimportant ones and, as a control, any. Then it asks three questions
# that a chart of "sparsity" leaves open: is the file smaller, is the answer faster, and who pays?
#
# **After this lecture you can**
#
# 1. make masks of an exact sparsity, per layer and over all, and say which weight goes in a tie;
# 2. keep pruned weights at zero in a training with momentum, and write two schedules;
# 3. derive the saliency of Optimal Brain Damage, and estimate curvature from gradients per sample;
# 4. find a lottery ticket, and name the control without which it says nothing;
# 5. count the bytes of sparse weights, and say from which sparsity on a format pays;
# 6. say what pruning does to rare labels, and why zeros alone make nothing faster.
#
# **How it works.** Plan about 60 minutes. Before twelve of the results a box asks for your guess: write
# one down. Cells that only draw, or prepare what the text says, are folded. No number here is from
# memory: those in the text were filled in from `course/results/` and from the cells above them when
# this notebook was built.

# %%
import copy
import io
import warnings
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import zstandard
from ipywidgets import Dropdown, SelectionSlider
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.utils import prune

# %%
from utils import packing, plots, pruning
from utils.claims import claim
from utils.codecs import Sparse, break_even, encode, positions_bits
from utils.data import Vocabulary, load_sample
from utils.efficiency import seconds_in_turns
from utils.embeddings import distilled_vectors
from utils.models import MeanVectorNetwork, NeuralClassifier
from utils.plots import human_bytes, show
from utils.pruning import MaskedNetwork, apply_masks, magnitude_masks, matrices, sparsity_of
from utils.records import load_records, load_runs
from utils.widgets import explore, predict, quiz, reveal

# %% jupyter={"source_hidden": true} tags=["hide-input"]
torch.set_num_threads(1)  # one thread: the machine may be shared
torch.set_printoptions(precision=4, sci_mode=False)
np.set_printoptions(legacy="1.25", suppress=True, precision=4)
plots.set_style()
BLUE, RED, GREEN, PINK = plots.PALETTE[:4]

# %% [markdown]
# ## 1. Do we need all D by D weights?
#
# *About 4 minutes.*
#
# Our specimen is Model 2, the GRU of unit 01. To measure what goes wrong without training anything, we
# ask on the course's own comments how many of its **decisions** (a comment and a label, yes or no) are
# others than before.

# %%
model = packing.load_model(Path("../course/models/model-2.slm"))
layer = model.network.gru.weight_hh_l0.detach()  # of three gates, each D by D
texts = load_sample("dev").texts + load_sample("test").texts


def decide(network):
    """Yes or no for each comment and label, with Model 2's thresholds."""
    return NeuralClassifier(network, model.tokenizer, model.taxonomy, model.label_names,
                            model.thresholds, length=model.length).predict(texts)


decisions = decide(model.network)


def changed(network):
    """Share of decisions that are others than Model 2's."""
    return np.mean(decide(network) != decisions)


sizes = {name: weight.numel() for name, weight in matrices(model.network).items()}
layer.shape, sizes

# %%
predict("half", "The smaller half of every matrix becomes zero, by absolute value. What share of the "
        "decisions changes?", "%")

# %%
half = copy.deepcopy(model.network)
for weight in matrices(half).values():  # what it gives are the weights themselves, not copies
    weight[weight.abs() < weight.abs().median()] = 0
lost_half = changed(half)
reveal("half", 100 * lost_half, "%")

# %% [markdown]
# All there is to it is a **threshold**. Move it: what lies between the lines becomes zero, in each matrix
# by its own standard deviation. On the right, what that does to the decisions, beside the control in
# which as many weights of each matrix go at random.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
THRESHOLDS = [round(0.25 * k, 2) for k in range(13)]


@cache
def cut(threshold, at_random=False):
    """Sparsity of all matrices, and share of decisions that change."""
    network, generator = copy.deepcopy(model.network), torch.Generator().manual_seed(0)
    for weight in matrices(network).values():
        gone = weight.abs() < threshold * weight.std()
        if at_random:
            gone = torch.rand(weight.shape, generator=generator) < gone.double().mean()
        weight[gone] = 0
    return sparsity_of(network), changed(network)


curves = {kind: np.array([cut(t, kind == "at random") for t in THRESHOLDS])
          for kind in ("the smallest", "at random")}


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_cut(threshold):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.6))
    end, edges = threshold * layer.std().item(), np.linspace(layer.min(), layer.max(), 120)
    gone = layer.abs() < end
    left.hist(layer[~gone].numpy(), bins=edges, color=plots.PALETTE[5], label="stay")
    left.hist(layer[gone].numpy(), bins=edges, color=RED, label="go")
    for side in (-end, end):
        left.axvline(side, color="black", linestyle=":", linewidth=1)
    left.set(xlabel="weight (recurrent matrix)", ylabel="count",
             title=f"threshold {threshold:.2f}: {gone.double().mean():.0%} go")
    left.legend()
    for (kind, curve), style, color in zip(curves.items(), ("o-", "s--"), (BLUE, plots.GREY), strict=True):
        right.plot(*(100 * curve.T), style, color=color, label=kind, markersize=5)
    sparsity, share = cut(threshold)
    right.plot(100 * sparsity, 100 * share, "o", color=RED, markersize=13, fillstyle="none",
               markeredgewidth=2.5)
    right.set(xlabel="zeros in all matrices (%)", ylabel="decisions changed (%)",
              title=f"{sparsity:.0%} zeros, {share:.1%} changed", ylim=(-3, 100))
    right.legend(loc="upper left")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_cut(threshold):
    sparsity, share = cut(threshold)
    return (f"Histogram of the recurrent matrix; weights below {threshold:.2f} standard deviations are "
            f"marked as gone. In all matrices {sparsity:.0%} are zeros then, and {share:.1%} of the "
            "decisions change. Curve of the smallest, zeros and change: "
            + ", ".join(f"{s:.0%} {c:.1%}" for s, c in curves["the smallest"]) + ". At random: "
            + ", ".join(f"{s:.0%} {c:.1%}" for s, c in curves["at random"]) + ".")


explore(draw_cut, describe_cut, threshold=SelectionSlider(
    options=THRESHOLDS, value=1.0, description="threshold (standard deviations)"))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
same = curves["the smallest"], curves["at random"]
worst = max(share for _, share in curves["the smallest"][:3])
in_vectors = sizes["embedding.weight"] / sum(sizes.values())
claim(lost_half < 0.15, "without the smaller half of each matrix few decisions change")
claim(all(a <= b + 0.01 for a, b in zip(same[0][1:, 1], same[1][1:, 1], strict=True)),
      "the smallest weights are missed less than as many random ones")
claim(same[0][-1, 1] > 0.4, "in the end it breaks")
claim(cut(1.25)[1] < cut(1.0)[1], "the curve has a dip")

# %% [markdown]
# Without the smaller half of every matrix {{ lost_half:.1%}} of the decisions change; and nothing was
# trained. Random weights are missed more. Beyond some point it breaks all the same. (Did you see the dip?
# With more zeros *fewer* decisions change there. That should make you suspicious of the measure, and section
# 10 comes back to it.)
#
# Keep in mind *which* weights these are: {{ in_vectors:.1%}} of them are word vectors. A sparsity of the
# whole network is above all one of its table of words, and not of the D by D matrix that gave this
# lecture its question. Every sparsity below is of all matrices together; biases stay.

# %% [markdown]
# ## 2. Masks, exactly
#
# *About 5 minutes.*
#
# A **mask** says of each weight whether it stays. "Prune 50%" sounds exact, and two programs that do it
# often differ. The usual culprit are **ties**: weights of equal size, on both sides of the count. Sort
# once, and count:

# %%
def keep_largest(scores, sparsity):
    """True where a weight stays: without the round(sparsity * n) of the smallest scores."""
    order = scores.flatten().argsort(stable=True)  # of equal ones the first comes first
    mask = torch.ones(scores.numel(), dtype=torch.bool)
    mask[order[: round(sparsity * scores.numel())]] = False
    return mask.view(scores.shape)


keep_largest(torch.tensor([0.3, 0.1, 0.1, 0.1, 0.2, 0.9]), 0.5)

# %% [markdown]
# Of the three weights of 0.1 all go, and that is half. With a sparsity of 0.33 two would go, the first
# two. A threshold cannot do that: below 0.1 is nothing, and up to 0.1 are three. With float32 this hardly
# matters. It does for weights that are quantized:

# %%
predict("ties", "The recurrent matrix, rounded to 4 bits (15 values). All weights go whose size is *below* "
        "the median size. What share is that?", "%")

# %%
step = layer.abs().max() / 7
coarse = (layer / step).round() * step  # 4 bits, as in unit 03
size = coarse.abs()
below, up_to = (size < size.median()).double().mean(), (size <= size.median()).double().mean()
reveal("ties", 100 * below, "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
exact = 1 - keep_largest(size, 0.5).double().mean()
claim(below < 0.4 and up_to > 0.6, "neither threshold comes near half")
claim(exact == 0.5, "the mask is exact")
magnitudes = {name: weight.abs() for name, weight in matrices(model.network).items()}
claim(all((keep_largest(scores, 0.7) == mask).all() for scores, mask in
          zip(magnitudes.values(), magnitude_masks(model.network, 0.7).values(), strict=True)),
      "our masks are those of the library")

# %% [markdown]
# *Below* the median are {{ below:.0%}}, *up to* it {{ up_to:.0%}}. The mask removes {{ exact:.0%}}.
#
# The second decision is the **scope**. Per layer, every matrix gets the same sparsity. Over all, the
# weights of all matrices are compared with each other:

# %%
def masks_over_all(scores, sparsity):
    flat = torch.cat([one.flatten() for one in scores.values()])
    parts = keep_largest(flat, sparsity).split([one.numel() for one in scores.values()])
    return {name: part.view(one.shape)
            for (name, one), part in zip(scores.items(), parts, strict=True)}


def pruned(masks):
    return apply_masks(copy.deepcopy(model.network), masks)


by_scope = {sparsity: (changed(pruned(pruning.masks_per_layer(magnitudes, sparsity))),
                       changed(pruned(masks_over_all(magnitudes, sparsity))))
            for sparsity in (0.3, 0.5, 0.8)}
by_scope  # sparsity: share of decisions changed, per layer and over all

# %% jupyter={"source_hidden": true} tags=["hide-input"]
at_half = {name: sparsity_of({name: mask})
           for name, mask in masks_over_all(magnitudes, 0.5).items()}
scales = {name: weight.std().item() for name, weight in matrices(model.network).items()}
scope_rows = "\n".join(f"| `{name}` | {sizes[name]:,} | {scales[name]:.3f} | {at_half[name]:.1%} |"
                       for name in sizes)
claim(all(over > per for per, over in by_scope.values()), "over all, more decisions change")
claim(by_scope[0.5][1] > 0.3, "at a half over all the network is broken")

# %% [markdown]
# | matrix | weights | standard deviation | zeros, if half of all go together |
# |---|---:|---:|---:|
# {{ scope_rows }}
#
# Here "over all" is a disaster: at 50% it changes {{ by_scope[0.5][1]:.0%}} of the decisions, per layer
# {{ by_scope[0.5][0]:.1%}}. The table shows why. The numbers of the word vectors are larger, which says
# nothing of what they are good for; so the GRU, which is small in both senses, is emptied first. Sizes
# of weights can be compared where they have the same scale. (A better *score* may be compared over all.
# Section 7 has one.)

# %% [markdown]
# ## 3. Staying pruned
#
# *About 5 minutes.*
#
# After pruning, the network trains on, so that what is left can make up for what is gone. Then the zeros
# must survive the optimiser. Here is a small network of Model 1's kind, on the course's comments, with a
# training of a few lines that we can look into:

# %%
train_data = load_sample("train")
words = Vocabulary.from_texts(train_data.texts)
ids = torch.as_tensor(words.encode(train_data.texts, 27))
labels = torch.as_tensor(train_data.labels).float()


def new_network(seed=0):
    torch.manual_seed(seed)
    network = MeanVectorNetwork(len(words), dim=100, hidden=64, labels=labels.shape[1])
    network.embedding.weight.data = torch.as_tensor(distilled_vectors(words).values)
    return network


def adam(network):
    return torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)


# %%
def train(network, optimizer, steps, before=None, after=None, seed=1):
    """`before` is called between the gradient and the step, `after` behind it."""
    generator, seen = torch.Generator().manual_seed(seed), []
    for step in range(1, steps + 1):
        rows = torch.randint(len(ids), (64,), generator=generator)
        optimizer.zero_grad()
        cross_entropy(network(ids[rows]), labels[rows]).backward()
        if before:
            before()
        optimizer.step()
        if after:
            seen.append(after(step))
    return seen


network = new_network()
optimizer = adam(network)
train(network, optimizer, steps=200)
sparsity_of(network)

# %% [markdown]
# Now 80% of each matrix are set to zero, once, and the training goes on. That cannot hold, you will say:
# every weight has a gradient. So a second try: set the *gradients* of the pruned weights to zero as
# well, before each step. Does that hold?

# %%
predict("resurrected", "Zeros set once, and from then on their gradients are zero as well. What share of "
        "the hidden layer's pruned weights is not zero any more after a single step of AdamW?", "%")

# %%
def go_on(way, steps=20):
    """Values of all pruned weights of the hidden layer after each step."""
    copied = copy.deepcopy(network)
    masks = magnitude_masks(copied, 0.8)
    apply_masks(copied, masks)
    trained = MaskedNetwork(copied, masks) if way == "masked" else copied
    resumed = adam(trained)
    resumed.load_state_dict(optimizer.state_dict())  # with the momentum that it has

    def mask_gradients():
        for name, mask in masks.items():
            copied.get_parameter(name).grad *= mask

    def look(step):
        seen = copy.deepcopy(trained).pruned() if way == "masked" else copied  # what would be saved
        return seen.hidden.weight.detach()[~masks["hidden.weight"]].clone()

    before = mask_gradients if way == "gradients masked" else None
    return torch.stack(train(trained, resumed, steps, before, look))


# %%
ways = {way: go_on(way) for way in ("set once", "gradients masked", "masked")}
alive = {way: (values[0] != 0).double().mean().item() for way, values in ways.items()}
reveal("resurrected", 100 * alive["gradients masked"], "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 3, figsize=(10.5, 3.3), sharey=True)
for axes, (way, values) in zip(panels, ways.items(), strict=True):
    path = torch.cat([torch.zeros(1, values.shape[1]), values])[:, ::40]
    axes.plot(path.numpy(), color=BLUE, linewidth=1, alpha=0.6)
    axes.set(title=way if way != "masked" else "masked: what would be saved", xlabel="step after pruning")
panels[0].set_ylabel("pruned weights")
show(figure, alt="Values of some pruned weights of the hidden layer over 20 steps after they were set to zero, for three "
     "ways of going on. Not zero after the first step: "
     + ", ".join(f"{way} {share:.0%}" for way, share in alive.items()) + ". Mean size after 20 steps: "
     + ", ".join(f"{way} {values[-1].abs().mean():.3f}" for way, values in ways.items()) + ".")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
drift = {way: values[-1].abs().mean().item() for way, values in ways.items()}
claim(min(alive["set once"], alive["gradients masked"]) > 0.99, "both ways revive nearly all")
claim(alive["masked"] == 0 and drift["masked"] == 0, "the masked network revives none")
claim(drift["gradients masked"] < drift["set once"], "momentum alone carries them less far")

# %% [markdown]
# {{ alive["gradients masked"]:.0%}} of them, after a single step. A gradient of zero is not a step of zero:
# Adam goes on by its **momentum**, a mean over earlier gradients, and that is still what it was. It is
# multiplied by 0.9 at each step, and in 20 steps it has carried these weights to a mean size of
# {{ drift["gradients masked"]:.3f}} (middle panel; set once: {{ drift["set once"]:.3f}}). Nothing fails, no
# test complains, and the model that is saved is dense.
#
# What holds is to make the mask part of the network: it computes with weight times mask, whatever the
# optimiser does to the weight behind. (`MaskedNetwork` of `utils`; or set the weight to zero after *every*
# step, and its momentum with it.) Weight decay, by the way, revives nothing by itself: it multiplies by a number
# below 1. But behind a mask it goes on, like the momentum, so that a weight which was let back in later would
# be another one than was hidden. Ours never come back: later masks keep to the earlier ones.

# %% [markdown]
# ## 4. What zeros are good for
#
# *About 5 minutes.*
#
# Here is the small network as a file, dense, with 90% zeros, and with 90% zeros by
# `torch.nn.utils.prune`, which does as section 3 asks and keeps a mask. (It keeps the weight as well, to
# multiply the two.)

# %%
def compressed(data):
    return len(zstandard.ZstdCompressor(level=19).compress(data))


def file_of(network):
    """Bytes as PyTorch saves them, and the same compressed."""
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return len(file.getvalue()), compressed(file.getvalue())


masks = magnitude_masks(network, 0.9)
zeros, with_masks = copy.deepcopy(network), copy.deepcopy(network)
apply_masks(zeros, masks)
for name, mask in masks.items():
    layer_name, _, kind = name.rpartition(".")
    prune.custom_from_mask(with_masks.get_submodule(layer_name), kind, mask)

# %%
predict("mask-file", "The file of the network with 90% zeros and its masks, as PyTorch saves it: how many "
        "times as large as the dense one?", "times")

# %%
files = {"dense": file_of(network), "90% zeros": file_of(zeros), "90% zeros and masks": file_of(with_masks)}
reveal("mask-file", files["90% zeros and masks"][0] / files["dense"][0], "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
file_rows = "\n".join(f"| {name} | {plain:,} | {packed:,} |" for name, (plain, packed) in files.items())
dense_file, zeros_file, masks_file = files.values()
claim(zeros_file[0] == dense_file[0], "zeros take as many bytes as other numbers")
claim(masks_file[0] > 1.9 * dense_file[0], "with masks the file is twice as large")
claim(zeros_file[1] < 0.3 * dense_file[1], "a compressor finds the zeros")
claim(masks_file[1] > dense_file[1], "masks leave the weights behind them in the file")

# %% [markdown]
# | | bytes | compressed (zstd) |
# |---|---:|---:|
# {{ file_rows }}
#
# A zero takes 32 bits like any other number: the same bytes. With masks the "pruned" file is
# {{ masks_file[0] / dense_file[0]:.2f}} times as large, because the weights behind the masks are still
# there, and the masks as well; compressed it stays larger than the dense one. `prune.remove` would have
# dropped both. Once nothing stands behind the masks, a compressor finds the zeros. How few bytes they can
# come to is the next section.
#
# And time? A product of matrices multiplies by zero as fast as by anything else. To skip zeros, a program
# must know where the others are, and read these places too: **compressed sparse rows** (CSR). A D by D
# matrix with D = 512, for one comment and for 64:

# %%
def cpu_seconds(works):
    """CPU seconds of each work, the least of all rounds: others can only slow it down."""
    return {name: spent.min() for name, spent in seconds_in_turns(works, repeats=15, inner=10).items()}


# %%
generator = torch.Generator().manual_seed(0)
square = torch.randn(512, 512, generator=generator)
SHARES, products = (0.5, 0.8, 0.9, 0.95, 0.98), {}
warnings.filterwarnings("ignore", message="Sparse CSR")  # it says that it is in beta
for batch in (1, 64):
    x = torch.randn(512, batch, generator=generator)
    works = {"dense": lambda x=x: square @ x}
    for share in SHARES:
        holes = square * keep_largest(square.abs(), share)
        rows = holes.to_sparse_csr()
        works["zeros", share] = lambda x=x, holes=holes: holes @ x
        works["CSR", share] = lambda x=x, rows=rows: rows @ x
    products[batch] = cpu_seconds(works)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(10, 3.5), sharey=True)
ratios = {(batch, kind): [took[kind, share] / took["dense"] for share in SHARES]
          for batch, took in products.items() for kind in ("zeros", "CSR")}
for axes, batch in zip(panels, products, strict=True):
    for kind, style, color in (("zeros", "o-", RED), ("CSR", "s--", BLUE)):
        axes.plot([100 * share for share in SHARES], ratios[batch, kind], style, color=color, label=kind)
    axes.axhline(1, color="black", linestyle=":", linewidth=1)
    axes.set(yscale="log", xlabel="zeros (%)", title=f"batch of {batch}")
    axes.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"], minor=False)
    axes.minorticks_off()
panels[0].set_ylabel("time, as a share of dense")
panels[1].legend(title="stored as")
show(figure, alt="Time of a product with a 512 by 512 matrix as a share of the dense one, at "
     f"{', '.join(f'{share:.0%}' for share in SHARES)} zeros. "
     + " ".join(f"Batch of {batch}, {kind}: {', '.join(f'{r:.2f}' for r in values)}."
                for (batch, kind), values in ratios.items()))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(all(0.7 < np.median(ratios[batch, "zeros"]) < 1.4 for batch in products),
      "zeros in a dense matrix take the time of a dense matrix")
claim(all(ratios[batch, "CSR"][0] > 1.3 > 1 > ratios[batch, "CSR"][-1] for batch in products),
      "as rows half of zeros is slower and 98% is faster")

# %% [markdown]
# In a dense matrix zeros change nothing. As CSR, half of zeros takes {{ ratios[1, "CSR"][0]:.1f}} times
# as long as dense for one comment and {{ ratios[64, "CSR"][0]:.1f}} times in a batch of 64; at 98% it is
# {{ ratios[1, "CSR"][-1]:.2f}} and {{ ratios[64, "CSR"][-1]:.2f}} of the time. A dense product reads its numbers in
# order, many at once; a sparse one looks up where each belongs. **A sparsity is not a speed-up**; and a
# speed-up is a factor of *time*, measured with the whole model. Section 11 has one.

# %% [markdown]
# ## 5. Where the non-zeros stand
#
# *About 6 minutes.*
#
# Leave the zeros out, and something has to say where the others belong. Four ways, for a matrix:
#
# - **bitmap**: a bit for each place;
# - **gaps**: for each non-zero a byte, how many zeros were passed (and a byte more for every 255);
# - **rows** (CSR): how many non-zeros a row has, and the column of each;
# - **blocks**: a bit for each 16 places, and a bitmap of those blocks that are not empty.

# %%
def bits_of_places(mask):
    """Bits of each way, for a mask of at most 255 columns."""
    gaps = np.diff(np.flatnonzero(mask), prepend=-1) - 1
    blocks = np.pad(mask.ravel(), (0, -mask.size % 16)).reshape(-1, 16)
    return {
        "bitmap": mask.size,
        "gaps": 8 * (len(gaps) + (gaps // 255).sum()),
        "rows": 8 * (len(mask) + mask.sum()),
        "blocks": len(blocks) + 16 * blocks.any(axis=1).sum(),
    }


def entropy(p):
    """Bits of a yes or no with the probability p."""
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


random_mask = np.random.default_rng(0).random((1000, 100)) < 0.1  # 90% zeros, anywhere
{way: bits / random_mask.size for way, bits in bits_of_places(random_mask).items()}, entropy(0.1)

# %% [markdown]
# Bits *for each place*, at 90% zeros. If zeros stand at random, no way can take fewer in the mean than the
# **entropy**: {{ entropy(0.1):.3f}} bits.
#
# The best way also depends on the *values*. Positions that are cheap beside 32 bits can be most of a file
# of 4-bit codes.

# %%
predict("break-even", "The values are codes of 4 bits. From which sparsity on are gaps of a byte each, and "
        "the non-zeros, smaller than the dense matrix?", "%")

# %%
reveal("break-even", 100 * break_even("gaps", dense_bits=4, value_bits=4), "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
GRID = np.linspace(0.01, 0.99, 99)
WAYS = {"bitmap": (BLUE, "-"), "gaps": (RED, "--"), "rows": (GREEN, "-."), "blocks": (PINK, ":"),
        "entropy": ("black", "-")}
places = {way: np.array([positions_bits(s, columns=100)[way] for s in GRID]) for way in WAYS}


def draw_bytes(bits):
    figure, axes = plt.subplots(figsize=(8.5, 4))
    for way, (color, style) in WAYS.items():
        share = (places[way] + (1 - GRID) * bits) / bits
        label = "bound (entropy)" if way == "entropy" else way
        axes.plot(100 * GRID, share, color=color, linestyle=style, label=label,
                  linewidth=1.3 if way == "entropy" else 2)
        at = break_even(way, bits, bits)
        if at < 0.99 and way != "entropy":
            axes.plot(100 * at, 1, "o", color=color)
    axes.axhline(1, color=plots.GREY, linewidth=1)
    axes.set(xlabel="zeros (%)", ylabel="bytes, as a share of dense", ylim=(0, 1.6),
             title=f"values of {bits} bits; dots: break-even")
    axes.legend(ncols=2, loc="lower left")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_bytes(bits):
    at_90 = {way: (positions_bits(0.9, 100)[way] + 0.1 * bits) / bits for way in WAYS}
    return (f"Bytes of sparse storage as a share of dense against the share of zeros, values of {bits} "
            "bits. Smaller than dense above: "
            + ", ".join(f"{way} {break_even(way, bits, bits):.0%}" for way in list(WAYS)[:4])
            + ". At 90% zeros: " + ", ".join(f"{way} {share:.2f}" for way, share in at_90.items()) + ".")


explore(draw_bytes, describe_bytes,
        bits=SelectionSlider(options=[32, 16, 8, 4, 2], value=8, description="bits of a value"))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
even = {bits: {way: break_even(way, bits, bits) for way in list(WAYS)[:4]} for bits in (32, 16, 8, 4)}
even_rows = "\n".join(f"| {bits} | " + " | ".join(f"{share:.1%}" for share in row.values()) + " |"
                      for bits, row in even.items())
cheapest = {bits: min(row, key=row.get) for bits, row in even.items()}
claim(set(cheapest.values()) == {"bitmap"}, "the bitmap breaks even first")
at_high = {s: min(list(WAYS)[:4], key=positions_bits(s, 100).get) for s in (0.9, 0.95, 0.98)}
claim(at_high[0.95] == at_high[0.98] == "gaps", "above 95% gaps take the fewest bits")

# %% [markdown]
# | bits of a value | bitmap pays from | gaps | rows | blocks |
# |---|---:|---:|---:|---:|
# {{ even_rows }}
#
# The bitmap breaks even first: it is a bit, whatever is pruned. At 95% and above gaps take the fewest
# bits. And look down the columns: the fewer bits a value has, the later a sparse file pays.
# Pruning and quantization do not multiply as if each were alone.
#
# Now real places. The word vectors of Model 2, the smallest 90% gone; and as a compressor leaves them:

# %%
vectors_mask = magnitude_masks(model.network, 0.9)["embedding.weight"].numpy()
ours, by_codec, left = bits_of_places(vectors_mask), {}, {}
for way in ours:
    parts = encode(Sparse("raw", way), vectors_mask.astype(np.int8))[2][:-1]  # the last are values
    by_codec[way] = 8 * sum(part.nbytes for part in parts)
    left[way] = 8 * sum(compressed(part.tobytes()) for part in parts)
anywhere = entropy(vectors_mask.mean())
in_columns = entropy(vectors_mask.mean(axis=0)).mean()

# %% jupyter={"source_hidden": true} tags=["hide-input"]
place_rows = "\n".join(f"| {way} | {bits / vectors_mask.size:.3f} | {left[way] / vectors_mask.size:.3f} |"
                       for way, bits in ours.items())
claim(all(abs(ours[way] - by_codec[way]) < 64 for way in ours), "we count as the codec of utils does")
claim(in_columns < 0.97 * anywhere, "zeros do not stand at random")
least = min(left, key=left.get)
in_least = left[least] / vectors_mask.size
claim(in_least < anywhere, "compressed places take less than the bound for random ones")

# %% [markdown]
# | bits for each place | as it is | compressed |
# |---|---:|---:|
# {{ place_rows }}
#
# The entropy for places at random is {{ anywhere:.3f}}, and *{{ least}}*, compressed, take {{ in_least:.3f}}.
# No contradiction: that bound holds for places that are random. Here some columns and rows keep more than
# others, and whoever knows how many each column keeps could do with {{ in_columns:.3f}}. The codec `Sparse`
# of `utils` tries all four ways, as the file will compress them, and takes the smallest.

# %% [markdown]
# ## 6. At once, or little by little?
#
# *About 6 minutes.*
#
# **One-shot** pruning removes all at the beginning. **Gradual** pruning removes a few, lets the others
# make up for it, and goes on. The plain schedule drops 5% of all weights after every so many
# steps; the **cubic** one ([Zhu and Gupta, 2017](https://arxiv.org/abs/1710.01878), equation 1) drops
# many at first, when there is much to spare, and ever fewer towards the end.

# %%
def cubic(step, final, steps):
    left_to_do = 1 - min(step / steps, 1)
    return final * (1 - left_to_do**3)


def five_percent(step, final, every):
    return min(step // every * 0.05, final)


# %%
predict("cubic", "The cubic schedule goes from 0 to 90%. How sparse is the network at half of the way?", "%")

# %%
reveal("cubic", 100 * cubic(50, 0.9, 100), "%")

# %% [markdown]
# Then live: the small network, trained for 200 steps, learns for 200 more while it is pruned to 95%. The
# fair rival of gradual pruning is not one-shot alone. It is **one-shot and the same steps**, or else one
# compares training with none. And the control of all is the network that is not pruned, with the same steps
# again.

# %%
STEPS, DONE = 200, 120  # pruning is over after 120 steps, so that there is time to recover
recipes = {
    "not pruned": {},
    "one-shot": dict(masks=magnitude_masks(network, 0.95)),
    "5% at a time": dict(schedule=lambda step: five_percent(step, 0.95, DONE // 19), every=DONE // 19),
    "cubic": dict(schedule=lambda step: cubic(step, 0.95, DONE), every=6),
}


# %%
@torch.no_grad()
def look(masked):
    """Loss on the training comments, and sparsity."""
    loss = cross_entropy(masked.eval()(ids), labels).item()
    masked.train()
    return loss, sparsity_of(masked.masks)


def run(options):
    masked = MaskedNetwork(copy.deepcopy(network), **options)
    optimizer, seen = adam(masked), [look(masked)]
    for part in range(STEPS // 5):
        train(masked, optimizer, 5, seed=part)
        seen.append(look(masked))
    return np.array(seen)


runs = {name: run(options) for name, options in recipes.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 4.8), sharex=True)
for (name, curve), style, color in zip(runs.items(), plots.LINES, ("black", RED, GREEN, BLUE), strict=False):
    loss, sparsity = curve.T
    steps = 5 * np.arange(len(curve))
    top.plot(steps, 100 * sparsity, linestyle=style, color=color)
    bottom.plot(steps, loss, linestyle=style, color=color, label=name)
top.set(ylabel="zeros (%)")
bottom.set(ylabel="loss on train", xlabel="step")
bottom.legend(loc="upper right", ncols=2)
show(figure, alt="Sparsity and loss on the training comments over 200 steps, for four recipes. "
     + " ".join(f"{name}: {100 * curve[-1, 1]:.0f}% zeros; loss {curve[0, 0]:.3f} at first, at most "
                f"{curve[:, 0].max():.3f}, {curve[-1, 0]:.3f} at the end." for name, curve in runs.items()))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
last = {name: curve[-1, 0] for name, curve in runs.items()}
claim(last["not pruned"] < min(last["cubic"], last["5% at a time"]) < last["one-shot"],
      "here gradual pruning ends below one-shot with the same steps, and above the control")
claim(all(abs(pruning.cubic(0.95, DONE)(step) - cubic(step, 0.95, DONE)) < 1e-12
          and abs(pruning.steps_of(0.95, 6)(step) - five_percent(step, 0.95, 6)) < 1e-12
          for step in range(STEPS)), "our schedules are those of the library")

# %% [markdown]
# At the end the losses are {{ last["not pruned"]:.3f}} (not pruned), {{ last["one-shot"]:.3f}} (one-shot),
# {{ last["5% at a time"]:.3f}} (5% at a time) and {{ last["cubic"]:.3f}} (cubic). On this little data, in
# so few steps, little by little is better. But a loss on {{ len(ids):,}} training comments decides nothing.
#
# The records do: GoEmotions, Ekman's labels, three seeds, two models. *Dense* is the mean of word vectors
# with 128 units, *GRU* has 64 units in each direction; words are fewer and word vectors shorter than
# Model 2's, since hundreds of networks were trained. Each is trained on soft labels of unit 02's teachers (the *parent*),
# pruned, and trained on for the same epochs as the **control**, which is the parent, not pruned, with
# those epochs. Thresholds are tuned on dev, for each network; differences are paired, on the same test comments.

# %%
MODELS = ("dense", "GRU")
test = [r for r in load_records("pruning", split="test") if r.get("model") in MODELS]
SPARSITIES = sorted({r["sparsity"] for r in test if r["method"] == "magnitude, gradual"})
GRADUAL, TUNED = "magnitude, gradual", "magnitude, one-shot, fine-tuned"
FIVE, AT_ONCE = "magnitude, 5% at a time", "magnitude, one-shot, per layer"


def of(model, method, sparsity=0.0, stored="8 bits"):
    """Records of a network, one a seed; sparsity 0 is not pruned."""
    return [r for r in test if (r["model"], r["method"], r["sparsity"], r["stored"])
            == (model, method, sparsity, stored)]


def mean(records, field="macro_f1"):
    return np.mean([r[field] for r in records])


def points(records):
    """Difference of macro-F1 to the control in points; with intervals, how many lie below 0 and above."""
    if "difference_to_control" not in records[0]:
        trained = of(records[0]["model"], "control", stored="float32")
        return f"{100 * (mean(records) - mean(trained)):+.1f}"
    below, above = (sum(sign * r[f"difference_to_control_{end}"] > 0 for r in records)
                    for sign, end in ((-1, "high"), (1, "low")))
    return f"{100 * mean(records, 'difference_to_control'):+.1f} ({below} below, {above} above)"


# %%
predict("gradual", "The dense model, pruned little by little to 90% by the cubic schedule, against its control: "
        "how many points (of 100) of macro-F1 are lost?", "points")

# %%
reveal("gradual", -100 * mean(of("dense", GRADUAL, 0.9), "difference_to_control"), "points")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
TRAINED = {"not pruned: the control": ("control", 0.0), "one-shot, not trained": (AT_ONCE, 0.9),
           "one-shot, and the same epochs": (TUNED, 0.9), "5% at a time": (FIVE, 0.9),
           "cubic": (GRADUAL, 0.9), "at random, and the same epochs": ("random, fine-tuned", 0.9),
           "not pruned, more epochs": ("control, longer", 0.0),
           "cubic, more epochs, against that": (f"{GRADUAL}, longer", 0.9)}
when_rows = "\n".join(
    f"| {name} | " + " | ".join(
        f"{mean(records):.3f} ({min(r['macro_f1'] for r in records):.3f} to "
        f"{max(r['macro_f1'] for r in records):.3f}) | {points(records) if key[1] else ''}"
        for records in (of(model, *key) for model in MODELS)) + " |"
    for name, key in TRAINED.items())
by_8_bits = {m: 100 * (mean(of(m, "control", stored="float32")) - mean(of(m, "control"))) for m in MODELS}


def by_seed(model, first, second, sparsity):
    """Differences of macro-F1 in points between two methods, seed by seed."""
    f1 = [{r["seed"]: r["macro_f1"] for r in of(model, method, sparsity)} for method in (first, second)]
    return [100 * (f1[0][seed] - f1[1][seed]) for seed in sorted(f1[0])]


# %% jupyter={"source_hidden": true} tags=["hide-input"]
over_tuned = {(m, s): by_seed(m, GRADUAL, TUNED, s) for m in MODELS for s in SPARSITIES if of(m, TUNED, s)}
over_five = {model: by_seed(model, GRADUAL, FIVE, 0.9) for model in MODELS}
shown = {key: ", ".join(f"{gain:+.1f}" for gain in gains) for key, gains in over_tuned.items()}
shown_five = {model: ", ".join(f"{gain:+.1f}" for gain in gains) for model, gains in over_five.items()}
lost_at_90 = {model: -100 * mean(of(model, GRADUAL, 0.9), "difference_to_control") for model in MODELS}
by_training = {model: 100 * (mean(of(model, TUNED, 0.9)) - mean(of(model, AT_ONCE, 0.9)))
               for model in MODELS}
longer = {model: -100 * mean(of(model, f"{GRADUAL}, longer", 0.9), "difference_to_control") for model in MODELS}
epochs_of = {model: (of(model, GRADUAL, 0.9)[0]["epochs"], of(model, f"{GRADUAL}, longer", 0.9)[0]["epochs"])
             for model in MODELS}
claim(lost_at_90["dense"] <= 1 < lost_at_90["GRU"] < 2.5, "the dense model loses at most a point, the GRU more")
claim(longer["GRU"] <= 1, "with more epochs the GRU loses at most a point, too")
claim(epochs_of["GRU"][0] == 2, "the GRU has two epochs")
claim(abs(np.mean(over_tuned["dense", 0.8])) < 1 < min(over_tuned["GRU", 0.8]),
      "at 80% the schedule hardly matters for the dense model, and does for the GRU")
claim(all(min(over_tuned[m, s]) > 1 for m in MODELS for s in (0.9, 0.98)),
      "from 90% on, gradual is better by more than a point")
claim(min(by_training.values()) > 5, "training on is worth more than five points")

# %% [markdown]
# | at 90% zeros, macro-F1 (least to greatest) | dense | points to the control | GRU | points to the control |
# |---|---:|---:|---:|---:|
# {{ when_rows }}
#
# In brackets, how many of the three paired 95% intervals lie below 0 and above (of networks that were
# trained on). Points are to the control as it was trained, in 32 bits; all scores are of files of 8 bits, which
# alone cost the control {{ by_8_bits["dense"]:.1f}} points (dense) and {{ by_8_bits["GRU"]:.1f}} (GRU). And the control goes on in
# steps as small as its parent's; what is pruned was given larger ones, above all for word vectors, to recover.
# Against the control, part of a difference may be the steps; gradual and one-shot have the same.
#
# Gradual pruning to 90% loses {{ lost_at_90["dense"]:.1f}} points (dense) and {{ lost_at_90["GRU"]:.1f}} (GRU); to 80%,
# {{ -100 * mean(of("dense", GRADUAL, 0.8), "difference_to_control"):.1f}} and
# {{ -100 * mean(of("GRU", GRADUAL, 0.8), "difference_to_control"):.1f}}. Two epochs are little time for a GRU to
# recover: with {{ epochs_of["GRU"][1]}} instead of {{ epochs_of["GRU"][0]}}, and a control that has them, too, it loses
# {{ longer["GRU"]:.1f}}.
#
# Now the fair rival. At 90%, training on is worth {{ by_training["dense"]:.1f}} (dense) and {{ by_training["GRU"]:.1f}} points (GRU) over
# pruning alone. Doing it little by little instead of at once, with the same epochs, is worth, seed by seed,
#
# | points, gradual minus one-shot with the same epochs | 80% | 90% | 98% |
# |---|---|---|---|
# | dense | {{ shown["dense", 0.8] }} | {{ shown["dense", 0.9] }} | {{ shown["dense", 0.98] }} |
# | GRU | {{ shown["GRU", 0.8] }} | {{ shown["GRU", 0.9] }} | {{ shown["GRU", 0.98] }} |
#
# At 80% the schedule hardly matters for the dense model: what a gradual recipe gains there over "prune and look"
# is training. For the GRU it matters already, and from 90% on for both. *Which* schedule? Cubic instead
# of 5% at a time is worth
# {{ shown_five["dense"]}} (dense) and {{ shown_five["GRU"]}} (GRU) at 90%. (Is the dense parent done? With twice the
# epochs, not pruned, it scores {{ mean(of("dense", "parent, twice the epochs")):.3f}}, with its own
# {{ mean(of("dense", "parent")):.3f}}, and as the control {{ mean(of("dense", "control")):.3f}}.)

# %% [markdown]
# ## 7. Which weights: what would the loss say?
#
# *About 7 minutes.*
#
# A small weight is not an unimportant one. **Optimal Brain Damage** ([LeCun, Denker and Solla,
# 1989](https://proceedings.neurips.cc/paper/1989/hash/6c9882bbac1c7093bd25041881277658-Abstract.html))
# asks what the *loss* loses. Expand it around a minimum $w$, where the gradient is 0; to delete $w_k$ is a
# step of $-w_k$ along one axis, so
#
# $$L(w + \delta) - L(w) \approx \tfrac12 \delta^\top H \delta, \qquad
#   s_k = \tfrac12 h_{kk} w_k^2 .$$
#
# On a quadratic that is no approximation. The curvature comes from differentiating twice:

# %%
H = torch.tensor([[4.0, 0.0, 0.2], [0.0, 1.0, 0.9], [0.2, 0.9, 1.0]])
best = torch.tensor([0.5, 0.6, -0.8])


def loss_at(w):
    return (w - best) @ H @ (w - best) / 2


def curvature(loss, w):
    """The diagonal of the Hessian, by a second backward pass for each weight."""
    (gradient,) = torch.autograd.grad(loss, w, create_graph=True)
    return torch.stack([torch.autograd.grad(gradient[k], w, retain_graph=True)[0][k]
                        for k in range(len(w))])


w = best.clone().requires_grad_()
saliency = curvature(loss_at(w), w) * w.detach() ** 2 / 2
without = [loss_at(best * (torch.arange(3) != k)).item() for k in range(3)]
saliency, without  # what is predicted, and what happens

# %%
both = loss_at(best * torch.tensor([1.0, 0, 0])).item()  # without the second and the third

# %% jupyter={"source_hidden": true} tags=["hide-input"]
summed = (saliency[1] + saliency[2]).item()
claim(np.allclose(saliency.numpy(), without), "the saliency of a single weight is exact")
claim(saliency.argmax() == best.abs().argmin() == 0, "the smallest weight has the largest saliency")
claim(both < 0.5 * summed, "two at once cost something else than their sum")

# %% [markdown]
# Exact, for each weight alone. The smallest weight (0.5) has the largest saliency: its direction is steep.
# But delete the second and the third *together*: predicted {{ summed:.2f}}, and it costs
# {{ both:.2f}}, because they pull against each other ($h_{23} = 0.9$). A diagonal knows nothing of pairs.
# That is why one prunes a little, trains, and looks again.
#
# A network has too many weights for as many backward passes. But for a negative log-likelihood the
# curvature can be *estimated* from first derivatives: the mean of the **squared gradients per sample**
# (Gauss-Newton, or Fisher). A logistic regression, at its minimum:

# %%
generator = torch.Generator().manual_seed(0)
x = torch.randn(4000, 3, generator=generator) * torch.tensor([2.0, 0.5, 0.05])
truth = torch.tensor([0.5, 1.5, -3.0])
y = torch.bernoulli(torch.sigmoid(x @ truth), generator=generator)
w = truth.clone().requires_grad_()
for _ in range(15):  # Newton's steps
    p = torch.sigmoid(x @ w)
    hessian = (x.T * (p * (1 - p))) @ x / len(x)
    w = (w - torch.linalg.solve(hessian, x.T @ (p - y) / len(x))).detach().requires_grad_()
per_sample = (torch.sigmoid(x @ w) - y)[:, None] * x  # the gradient of each sample's loss

# %%
predict("squares", "Squares of per-sample gradients, then their mean; or the mean gradient, then its square. "
        "At this minimum, how large is the second as a share of the first?", "%")

# %%
exact_h = curvature(cross_entropy(x @ w, y), w)
mean_of_squares = per_sample.square().mean(0).detach()
square_of_mean = per_sample.mean(0).square().detach()
reveal("squares", 100 * (square_of_mean / mean_of_squares).max(), "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
three = [", ".join(f"{value:.2g}" for value in row.tolist())
         for row in (exact_h, mean_of_squares, square_of_mean)]
claim(((mean_of_squares / exact_h - 1).abs() < 0.15).all(), "the mean of squares estimates the curvature")
claim((square_of_mean < 1e-6 * mean_of_squares).all(), "the square of the mean is nothing at a minimum")

# %% [markdown]
# | diagonal of the Hessian | |
# |---|---|
# | exact | {{ three[0] }} |
# | mean of squares | {{ three[1] }} |
# | square of the mean | {{ three[2] }} |
#
# At a minimum the mean gradient *is* zero, so its square orders nothing but rounding errors. Programs that
# take `loss.backward()` of all samples at once and square `.grad` do just that; with one small batch they order the noise of
# that batch. (The exact diagonal and the mean of squares agree in expectation if labels are drawn from what the model
# itself says. Here they nearly are.)
#
# **Activation-aware** pruning ([Sun et al., 2023](https://arxiv.org/abs/2306.11695)) looks like something
# else: the score is $|w|$ times the norm of its input over some texts. It is the same idea with another loss. Let the
# "loss" be half the squared change of a layer's own output. Then the curvature of a weight is the mean
# square of its input, and

# %%
inputs = torch.randn(500, 4, generator=generator) * torch.tensor([3.0, 1.0, 0.3, 0.1])
row = torch.tensor([0.2, -0.5, 1.0, 2.0])
damage = [((inputs[:, k] * row[k]) ** 2).mean().item() / 2 for k in range(4)]  # without weight k
wanda = row.abs() * inputs.norm(dim=0)
damage, (wanda**2 / (2 * len(inputs))).tolist()

# %% [markdown]
# The same numbers, and so the same order. No labels, no gradient, one pass over some texts. Such scores are
# compared within each output, since that is what they are about: the damage to *it*.
#
# All rules on Model 2, with 300 of the course's comments for curvature and inputs, by the measure of
# section 1:

# %%
sample = torch.as_tensor(model.tokenizer.encode(train_data.texts[:300], model.length))
drawn = pruning.drawn_targets(model.network, sample, seed=0)
squares = pruning.fisher_diagonal(model.network, sample, drawn)
RULES = {
    "magnitude": (pruning.masks_per_layer, magnitudes),
    "activation-aware": (pruning.masks_per_output, pruning.activation_scores(model.network, sample)),
    "OBD": (masks_over_all, pruning.obd_saliency(matrices(model.network), squares)),
    "random": (pruning.masks_per_layer, pruning.random_scores(model.network, seed=0)),
}
by_rule = {name: [changed(pruned(masks(scores, share))) for share in (0.5, 0.8, 0.9)]
           for name, (masks, scores) in RULES.items()}
in_obd = {name: sparsity_of({name: mask})
          for name, mask in masks_over_all(RULES["OBD"][1], 0.8).items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
rule_rows = "\n".join(f"| {name} | " + " | ".join(f"{share:.1%}" for share in row) + " |"
                      for name, row in by_rule.items())
unseen = (squares["embedding.weight"].sum(dim=1) == 0).double().mean().item()
in_gru = max(share for name, share in in_obd.items() if name != "embedding.weight")
claim(by_rule["OBD"][1] < by_rule["activation-aware"][1] < by_rule["magnitude"][1] < by_rule["random"][1],
      "on the course's comments OBD comes first, and random last")
claim(unseen > 0.8 and in_gru < 0.05, "OBD takes the words that it has not seen, and leaves the GRU")

# %% [markdown]
# | decisions changed, at | 50% | 80% | 90% |
# |---|---:|---:|---:|
# {{ rule_rows }}
#
# OBD, which may compare over all layers, wins by far. Before you believe it, ask what it removed. Of the
# words, {{ unseen:.0%}} are in none of the 300 comments. Their curvature is 0, so they go first and
# for free, and at 80% it takes {{ in_gru:.1%}} at most of any other matrix. It has learned which words *these* comments
# have, and the comments that we test on are of the same make. On GoEmotions, with its own
# comments for the curvature and for the test, nothing trained after pruning:

# %% jupyter={"source_hidden": true} tags=["hide-input"]
ONE_SHOT = {"magnitude, per layer": AT_ONCE, "magnitude, over all": "magnitude, one-shot, over all",
            "activation-aware": "activation-aware", "OBD, over all": "OBD", "random": "random"}
linear = mean(load_records("pruning", experiment="sparse linear", split="test"))
(facts,) = load_records("efficiency", experiment="data")
COMMENTS = facts["rows_per_label_test"]
share_of = np.array(list(COMMENTS.values())) / facts["rows_test"]
yes_to_all = np.mean(2 * share_of / (1 + share_of))  # F1 of each label, if everything is said of all


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def place(sparsity):
    """Where a sparsity is drawn: a step to the right for each half of what remains."""
    return -np.log2(1 - sparsity)


def draw_curve(axes, model, method, label, color, marker, line="-"):
    """Mean macro-F1 with bars from the least to the greatest seed."""
    if not (at := [s for s in SPARSITIES if of(model, method, s)]):
        return  # not measured of this model
    f1 = np.array([[r["macro_f1"] for r in of(model, method, s)] for s in at])
    middle = f1.mean(axis=1)
    axes.errorbar([place(s) for s in at], middle, [middle - f1.min(axis=1), f1.max(axis=1) - middle],
                  color=color, marker=marker, linestyle=line, capsize=3, label=label)


def draw_lines(axes, model):
    axes.axhline(mean(of(model, "control")), color="black", linewidth=1.2, label="control: not pruned")
    axes.axhline(linear, color="black", linestyle=":", label="sparse linear")
    if axes.get_ylim()[0] < yes_to_all:
        axes.axhline(yes_to_all, color=plots.GREY, linestyle=(0, (5, 5)), linewidth=1, label='"yes" to all')
    axes.set_xticks([place(s) for s in SPARSITIES], [f"{100 * s:.0f}" for s in SPARSITIES])


# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True)
for axes, model_name in zip(panels, MODELS, strict=True):
    for (label, method), color, marker in zip(ONE_SHOT.items(), plots.PALETTE, plots.MARKERS, strict=False):
        draw_curve(axes, model_name, method, label, plots.GREY if method == "random" else color, marker)
    draw_lines(axes, model_name)
    axes.set(xlabel="zeros (%)", title=f"{model_name}, not trained after pruning")
panels[0].set_ylabel("macro-F1 on test")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
show(figure, alt="Macro-F1 after pruning without any training, against the share of zeros, for five "
     "rules. " + " ".join(
         f"{model_name}, {label}: " + ", ".join(f"{mean(of(model_name, method, s)):.3f}"
                                                for s in SPARSITIES) + "."
         for model_name in MODELS for label, method in ONE_SHOT.items()))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SCOPE, WANDA = ONE_SHOT["magnitude, over all"], ONE_SHOT["activation-aware"]
ranked = {(m, s): sorted(ONE_SHOT, key=lambda label: -mean(of(m, ONE_SHOT[label], s)))
          for m in MODELS for s in SPARSITIES}
rank_rows = "\n".join(
    f"| {m}, {s:.0%} | " + " | ".join(f"{mean(of(m, method, s)):.3f}" for method in ONE_SHOT.values())
    + f" | {ranked[m, s][0]} |" for m in MODELS for s in (0.5, 0.8, 0.9))
ahead = {m: mean(of(m, "OBD", 0.9)) - mean(of(m, ONE_SHOT[ranked[m, 0.9][1]], 0.9)) for m in MODELS}
over_magnitude = {(m, s): 100 * (mean(of(m, WANDA, s)) - mean(of(m, AT_ONCE, s)))
                  for m in MODELS for s in SPARSITIES}
claim(all(ranking[0] == "OBD, over all" for (_, s), ranking in ranked.items() if s > 0.5), "OBD is ahead")
claim(all((gain > 0) == (m == "GRU" or s <= 0.9) for (m, s), gain in over_magnitude.items()),
      "the activation-aware score beats magnitude, but not in the dense model from 95% on")
claim(mean(of("dense", "OBD", 0.9)) > mean(of("dense", TUNED, 0.9)), "OBD needs no training to beat magnitude")
claim(mean(of("dense", SCOPE, 0.5)) < mean(of("dense", "random", 0.5)), "over all is worse than random")
claim(abs(mean(of("dense", SCOPE, 0.8)) - yes_to_all) < 5e-4, "from 80% on it says yes to everything")

# %% [markdown]
# | macro-F1, not trained | magnitude, per layer | over all | activation-aware | OBD | random | best |
# |---|---:|---:|---:|---:|---:|---|
# {{ rank_rows }}
#
# **OBD** is ahead from 80% on, in both models, by {{ 100 * ahead["dense"]:.1f}} points at 90% (dense) and
# {{ 100 * ahead["GRU"]:.1f}} (GRU) against the next, for a backward pass for each of a thousand comments. Without
# any training it has {{ mean(of("dense", "OBD", 0.9)):.3f}} there (dense); magnitude at once, *with* the epochs of section 6,
# has {{ mean(of("dense", TUNED, 0.9)):.3f}}. The **activation-aware** score, which costs none, beats magnitude per layer at all
# sparsities in the GRU ({{ over_magnitude["GRU", 0.9]:+.1f}} points at 90%); in the dense model up to 80%, hardly at 90%
# ({{ over_magnitude["dense", 0.9]:+.1f}}, and not in all seeds), and at 98% not any more ({{ over_magnitude["dense", 0.98]:+.1f}}). Magnitude
# **over all** is worse than *random* at 50% (dense): {{ mean(of("dense", SCOPE, 0.5)):.3f}} and
# {{ mean(of("dense", "random", 0.5)):.3f}}. From 80% on it scores {{ mean(of("dense", SCOPE, 0.8)):.3f}}:
# exactly what "yes" to everything does.

# %% [markdown]
# ## 8. The lottery ticket
#
# *About 5 minutes.*
#
# Why not train the sparse network from the start? It learns worse, write
# [Frankle and Carbin (2019)](https://arxiv.org/abs/1803.03635), unless it begins at the *original* first weights:
# then some sparse networks learn as well as the whole one, the **winning tickets**. To find one, train,
# remove 20% of what *remains*, **rewind** the rest to where they began, and repeat. Later work
# ([Frankle et al., 2020](https://arxiv.org/abs/1912.05671)) rewinds to an early step instead of the very
# first. The whole search, on the small network:

# %%
early = new_network()
train(early, adam(early), steps=20)
early_state = {name: tensor.clone() for name, tensor in early.state_dict().items()}
candidate, ticket, history = early, None, []
for round_number in range(4):
    masked = MaskedNetwork(candidate, ticket)
    train(masked, adam(masked), steps=100)  # a fresh optimiser
    left = 0.8 ** (round_number + 1)  # of what remains 20% go
    ticket = magnitude_masks(candidate, 1 - left, masks=ticket)
    candidate.load_state_dict(early_state)  # rewind
    history.append(round(sparsity_of(ticket), 3))
history

# %%
predict("rounds", "How many rounds of 20% does it take to get to 90% zeros, at least?", "rounds")

# %%
rounds = int(np.ceil(np.log(0.1) / np.log(0.8)))
reveal("rounds", rounds, "rounds")

# %% [markdown]
# {{ rounds }} rounds, each of them a training: a ticket is not a cheap way to a small network. It is an
# answer to a question about *starts*. So the control decides everything: **the same mask with other random
# weights**. If that learns as well, the mask was worth something and the start nothing. And if random masks
# did as well, not even the mask.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
TICKET, NEW = "lottery ticket", "mask of the ticket, new weights"
LOTTERY = {"ticket": (TICKET, BLUE, "o", "-"), "its mask, new weights": (NEW, RED, "s", "--"),
           "gradual": (GRADUAL, GREEN, "^", "-.")}
figure, panels = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True)
for axes, model_name in zip(panels, MODELS, strict=True):
    for label, (method, *style) in LOTTERY.items():
        draw_curve(axes, model_name, method, label, *style)
    draw_lines(axes, model_name)
    axes.set(xlabel="zeros (%)", title=model_name)
panels[0].set(ylabel="macro-F1 on test")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
show(figure, alt="Macro-F1 of lottery tickets, of their masks with new weights and of gradual pruning, "
     "against the share of zeros. " + " ".join(
         f"{m}, {label}: " + ", ".join(f"{s:.0%} {mean(of(m, method, s)):.3f}" for s in SPARSITIES
                                       if of(m, method, s)) + "."
         for m in MODELS for label, (method, *_) in LOTTERY.items()))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
over_new = {(m, s): by_seed(m, TICKET, NEW, s) for m in MODELS for s in SPARSITIES if of(m, NEW, s)}
ticket_rows = "\n".join(
    f"| {m}, {s:.0%} | {points(of(m, TICKET, s))} | {points(of(m, NEW, s))} | "
    + ", ".join(f"{gain:+.1f}" for gain in gains) + " |" for (m, s), gains in over_new.items())
wins, losses = (sum(min(sign * gain for gain in gains) > 0 for gains in over_new.values()) for sign in (1, -1))
behind_gradual = by_seed("dense", GRADUAL, TICKET, 0.9)
behind = {m: ", ".join(f"{gain:.1f}" for gain in by_seed(m, GRADUAL, TICKET, 0.9)) for m in MODELS}
over_seeds = ", ".join(f"{gain:+.1f}" for gain in over_new["dense", 0.9])
over_mean = [np.mean(gains) for gains in over_new.values()]
in_words = mean(of("dense", "control"), "embedding_bytes") / mean(of("dense", "control"), "parameters")  # a byte each
claim(0 < min(over_mean) and max(over_mean) < 1.2, "in the mean tickets are ahead by about a point at most")
claim(all(min(by_seed(m, GRADUAL, TICKET, s)) > 0.5 for m in MODELS for s in SPARSITIES),
      "tickets are behind gradual pruning")
claim(not any(m == "GRU" and min(gains) > 0 for (m, _), gains in over_new.items()),
      "on the GRU no ticket is ahead of new weights in all seeds")
drawn = {m: by_seed(m, TICKET, "random, fine-tuned", 0.9) for m in MODELS}
over_drawn = {m: ", ".join(f"{gain:+.1f}" for gain in gains) for m, gains in drawn.items()}
claim(min(drawn["dense"]) > 2 and np.mean(drawn["GRU"]) < 0, "a drawn mask is far worse (dense), no worse (GRU)")

# %% [markdown]
# | | ticket, points to the control | its mask, new weights | ticket minus new weights, seed by seed |
# |---|---:|---:|---|
# {{ ticket_rows }}
#
# In {{ wins }} of {{ len(over_new) }} settings the ticket is ahead of its mask with new weights in all three seeds, and in
# {{ losses }} it is behind in all; for the dense model at 90% the difference is {{ over_seeds }} points. In the mean of seeds it
# is ahead in each setting, by {{ min(over_mean):.1f}} to {{ max(over_mean):.1f}} points: the start is worth something on the
# dense model, but little. On the GRU, where new weights were measured at three sparsities, no setting has it
# ahead in all seeds, so we cannot say that it is worth anything.
#
# **A mask drawn by lot**, on the trained network and with further training, is the other control. At 90% the
# ticket minus that is {{ over_drawn["dense"] }} points (dense), and {{ over_drawn["GRU"] }} (GRU): there not even the mask was
# worth the search.
#
# As a *way* to a sparse network the ticket **loses** here: at 90%, after {{ rounds }} rounds of training, it is
# behind gradual pruning, which trains once, by {{ behind["dense"] }} points (dense) and {{ behind["GRU"] }} (GRU). Part of
# that may not be the ticket's fault. Its rounds train as the parent did, with a smaller step for word vectors
# than gradual pruning and the drawn mask have; and the GRU's rounds between those that are measured see only a
# part of the comments, to save time. So ticket and new weights are a fair pair, and the other two comparisons
# are not quite. (The new weights are those of the layers; word vectors, {{ in_words:.0%}} of all numbers, begin at
# the distilled ones in both.)

# %% [markdown]
# ## 9. The curves, and what is small from the start
#
# *About 5 minutes.*
#
# Now all of it in one picture. On the left macro-F1 against zeros. On the right the same networks against
# the **bytes of the complete file**: words, positions, non-zeros in 8 bits, and everything else that a
# prediction needs. There the dumbest rival can take part, a network that was *trained small* and dense, with
# as many epochs as the control: fewer units, and word vectors cut to their first principal axes.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
CURVES = {"gradual (cubic)": (GRADUAL, BLUE, "o", "-"),
          "one-shot, same epochs": (TUNED, GREEN, "s", "--"),
          "lottery ticket": (TICKET, plots.PALETTE[4], "D", "-."),
          "one-shot, not trained": (AT_ONCE, PINK, "^", ":"),
          "random, not trained": ("random", plots.GREY, "v", ":"),
          "random, same epochs": ("random, fine-tuned", plots.GREY, "X", "-")}
small = {m: {r["instead_of"]: [q for q in test if q["method"] == r["method"] and q["model"] == m]
             for r in test if r["model"] == m and r.get("instead_of")} for m in MODELS}
linear_bytes = mean(load_records("pruning", experiment="sparse linear", split="test"), "file_bytes")


def draw_by_bytes(axes, model):
    for label, (method, color, marker, line) in CURVES.items():
        if not (runs := [of(model, method, s) for s in SPARSITIES if of(model, method, s)]):
            continue
        axes.plot([mean(r, "file_bytes") for r in runs], [mean(r) for r in runs], color=color,
                  marker=marker, linestyle=line, label=label)
    rivals = sorted(small[model].values(), key=lambda r: mean(r, "file_bytes"))
    axes.plot([mean(r, "file_bytes") for r in rivals], [mean(r) for r in rivals], "P-", color=RED,
              markersize=9, label="trained small, dense")
    axes.plot(mean(of(model, "control"), "file_bytes"), mean(of(model, "control")), "ks")
    axes.plot(linear_bytes, linear, "*", color="black", markersize=13)
    axes.set(xscale="log", xlabel="bytes of the complete file")
    plots.bytes_axis(axes)


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_all(model, lowest):
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.8), sharey=True)
    for label, (method, *style) in CURVES.items():
        draw_curve(left, model, method, label, *style)
    draw_lines(left, model)
    draw_by_bytes(right, model)
    left.set(xlabel="zeros (%)", ylabel="macro-F1 on test", ylim=(lowest, None), title=model)
    handles = {label: handle for axes in (left, right)
               for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    right.set_title("square: control; star: sparse linear", fontsize=11)
    return figure


def describe_all(model, lowest):
    lines = [f"{label}: " + ", ".join(
        f"{s:.0%} {mean(of(model, method, s)):.3f} in {human_bytes(mean(of(model, method, s), 'file_bytes'))}"
        for s in SPARSITIES if of(model, method, s)) for label, (method, *_) in CURVES.items()]
    rivals = ", ".join(f"{mean(r):.3f} in {human_bytes(mean(r, 'file_bytes'))}"
                       for r in small[model].values())
    return (f"Macro-F1 of the {model} model, from {lowest} up, against the share of zeros, and against "
            "the bytes of the file. " + ". ".join(lines) + f". Trained small: {rivals}. Control "
            f"{mean(of(model, 'control')):.3f}, sparse linear {linear:.3f} in {human_bytes(linear_bytes)}.")


# %%
explore(draw_all, describe_all, model=Dropdown(options=MODELS),
        lowest=Dropdown(options=[0.0, 0.4, 0.5], value=0.4, description="lowest F1 shown"))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
equal = {(m, s): [100 * (a["macro_f1"] - b["macro_f1"]) for a, b in
                  zip(sorted(of(m, GRADUAL, s), key=lambda r: r["seed"]),
                      sorted(rivals, key=lambda r: r["seed"]), strict=True)]
         for m in MODELS for s, rivals in sorted(small[m].items())}
ahead_of_small, behind_small = (sum(min(sign * gain for gain in gains) > 0 for gains in equal.values())
                                for sign in (1, -1))
equal_rows = "\n".join(
    f"| {m}, {s:.0%} zeros | {human_bytes(mean(of(m, GRADUAL, s), 'file_bytes'))} | "
    f"{mean(of(m, GRADUAL, s)):.3f} | {human_bytes(mean(small[m][s], 'file_bytes'))} | "
    f"{mean(small[m][s]):.3f} | " + ", ".join(f"{gain:+.1f}" for gain in gains) + " |"
    for (m, s), gains in equal.items())
claim(behind_small == 0 and min(equal["dense", 0.9]) > 5, "pruned networks beat those that were trained small")


# %% jupyter={"source_hidden": true} tags=["hide-input"]
float_share = {m: mean(of(m, GRADUAL, 0.9, "float32"), "file_bytes")
               / mean(of(m, "control", 0.0, "float32"), "file_bytes") for m in MODELS}
byte_share = {m: mean(of(m, GRADUAL, 0.9), "file_bytes") / mean(of(m, "control"), "file_bytes")
              for m in MODELS}
over_larger = {}  # against the smallest of those trained small whose file is larger than the pruned one's
for m in MODELS:
    for s in SPARSITIES:
        runs = sorted(of(m, GRADUAL, s), key=lambda r: r["seed"])
        if larger := [r for r in small[m].values() if mean(r, "file_bytes") > mean(runs, "file_bytes")]:
            rival = sorted(min(larger, key=lambda r: mean(r, "file_bytes")), key=lambda r: r["seed"])
            over_larger[m, s] = [100 * (a["macro_f1"] - b["macro_f1"]) for a, b in zip(runs, rival, strict=True)]
less = [1 - mean(rivals, "file_bytes") / mean(of(m, GRADUAL, s), "file_bytes")
        for m in MODELS for s, rivals in small[m].items()]
claim(min(map(min, over_larger.values())) > 0, "pruned networks are ahead of larger files, too")
claim(max(float_share.values()) <= 0.2, "at 90% the float32 file is at most a fifth")
claim(all(mean(of(m, GRADUAL, 0.98)) < linear and mean(of(m, GRADUAL, 0.98), "file_bytes") > linear_bytes
          for m in MODELS), "at 98% the sparse linear model is better and smaller")

# %% [markdown]
# | pruned gradually | its file | macro-F1 | trained small: its file | macro-F1 | points, pruned minus small, seed by seed |
# |---|---:|---:|---:|---:|---|
# {{ equal_rows }}
#
# In {{ ahead_of_small }} of {{ len(equal) }} comparisons the pruned network is ahead in all three seeds, and in
# {{ behind_small }} behind; where few bytes are left, by far. The files of the small ones are {{ min(less):.0%}} to
# {{ max(less):.0%}} smaller, so compare with the next larger one instead: even with fewer bytes than that the pruned network
# is ahead, in all {{ len(over_larger) }} comparisons and seeds, by {{ min(map(min, over_larger.values())):.1f}} points or more. (Fewer
# axes for all words is one way to be small, hardly the best.) **The sparse linear model** has {{ linear:.3f}} in {{ human_bytes(linear_bytes)}}. At 98% zeros the dense
# model has {{ mean(of("dense", GRADUAL, 0.98)):.3f}} in {{ human_bytes(mean(of("dense", GRADUAL, 0.98), "file_bytes"))}}, and the GRU
# {{ mean(of("GRU", GRADUAL, 0.98)):.3f}} in {{ human_bytes(mean(of("GRU", GRADUAL, 0.98), "file_bytes"))}}: whoever needs so few bytes
# should prune neither, and take the linear one, which is sparse by its own training.
#
# A tenth of the weights is not a tenth of the file: against the control's, in float32 it is
# {{ float_share["dense"]:.2f}} (dense) and {{ float_share["GRU"]:.2f}} (GRU) at 90% zeros, and with 8 bits in both
# {{ byte_share["dense"]:.2f}} and {{ byte_share["GRU"]:.2f}}. All the words stay, and each weight that stays brings its place.

# %% [markdown]
# ## 10. Who pays?
#
# *About 5 minutes.*
#
# "{{ by_scope[0.8][0]:.0%}} of the decisions change" is what section 2 had for Model 2 with 80% zeros in each layer,
# not trained. Harmless? It is a mean over comments and labels. Count, of each label, how often it is said:

# %%
said = {share: decide(pruned(pruning.masks_per_layer(magnitudes, share))).sum(axis=0)
        for share in (0.0, 0.5, 0.8)}

# %%
predict("silent", f"With 80% zeros {by_scope[0.8][0]:.0%} of the decisions change. How many of the seven labels are "
        "never said any more?", "labels", high=7)

# %%
reveal("silent", (said[0.8] == 0).sum(), "labels")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
said_rows = "\n".join(f"| {share:.0%} | " + " | ".join(f"{n}" for n in counts) + " |"
                      for share, counts in said.items())
header = " | ".join(model.label_names)
silent = [name for name, n in zip(model.label_names, said[0.8], strict=True) if n == 0]
claim(len(silent) >= 4, "with 80% zeros most labels are never said")
claim(said[0.8][-1] == len(texts), "one label is said of every comment")
dip = copy.deepcopy(model.network)
for weight in matrices(dip).values():
    weight[weight.abs() < 1.25 * weight.std()] = 0
claim((decide(dip).sum(axis=0) == 0).sum() >= 4, "the dip in section 1 is a network that has gone silent")

# %% [markdown]
# | zeros | {{ header }} |
# |---|---:|---:|---:|---:|---:|---:|---:|
# {{ said_rows }}
#
# {{ len(silent) }} of seven are gone altogether ({{ ", ".join(silent) }}), and *neutral* is said of all
# {{ len(texts) }} comments. Most decisions are "no" in any case, so a network that has gone silent "agrees"
# with the old one in most of them. That is also the dip in section 1.
#
# Is that only our sample, or only a network that nobody trained on? [Hooker et al.
# (2019)](https://arxiv.org/abs/1911.05248) found that pruned networks of nearly equal accuracy fail on *other*
# examples, above all rare ones. GoEmotions has 28 emotions, from *neutral* down to *grief*. Recorded: the dense
# model on all 28, trained on the labels themselves and pruned by magnitude, with thresholds left as they were on the control, and with
# thresholds tuned again.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
felt = load_records("pruning", experiment="emotions")
counts = felt[0]["rows_per_label"]
RARE = sorted(counts, key=counts.get)
KINDS = {"gradual": GRADUAL, "one-shot, trained": TUNED, "one-shot, not trained": AT_ONCE}
LEFT, TUNED_AGAIN = "the control's", "tuned"


def felt_of(method, sparsity, thresholds):
    return [r for r in felt if (r["method"], r["sparsity"], r["thresholds"])
            == (method, sparsity, thresholds)]


def lost_labels(runs):
    """Labels with an F1 of 0 in all seeds."""
    return [name for name in RARE if all(r["per_label_f1"][name] == 0 for r in runs)]


spared = felt_of("control", 0.0, LEFT)
at_90 = felt_of(GRADUAL, 0.9, LEFT)
micro_90 = 100 * (mean(at_90, "micro_f1") - mean(spared, "micro_f1"))

# %%
predict("micro", "The dense model with 28 emotions, pruned gradually to 90%, thresholds left as they were: by "
        "how many points does its micro-F1 change? (Below 0: it falls.)", "points")

# %%
reveal("micro", micro_90, "points")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_labels(method, zeros, thresholds):
    runs = felt_of(KINDS[method], zeros, thresholds)
    figure, axes = plt.subplots(figsize=(11, 4.4))
    x = np.arange(len(RARE))
    before, after = ([np.mean([r["per_label_f1"][name] for r in rows]) for name in RARE]
                     for rows in (spared, runs))
    axes.bar(x, before, color="#8A8A8A", label="control: not pruned")
    axes.bar(x, after, width=0.45, color=BLUE, label=f"{zeros:.0%} zeros")
    for place_of in [k for k, name in enumerate(RARE) if name in lost_labels(runs)]:
        axes.plot(place_of, 0.02, "x", color=RED, markersize=10, markeredgewidth=3)
    axes.set_xticks(x, [f"{name} ({counts[name]:,})" for name in RARE], rotation=55, ha="right", fontsize=9)
    axes.set(ylabel="F1 on test", title=f"micro-F1 {mean(runs, 'micro_f1'):.3f} (control "
             f"{mean(spared, 'micro_f1'):.3f}), macro-F1 {mean(runs):.3f} ({mean(spared):.3f}), "
             f"F1 of 0: {len(lost_labels(runs))} labels")
    figure.legend(loc="outside right upper")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_labels(method, zeros, thresholds):
    runs = felt_of(KINDS[method], zeros, thresholds)
    return (f"F1 of 28 emotions, the rarest first, of the control and of the network with {zeros:.0%} zeros "
            f"({method}, thresholds: {thresholds}). Micro-F1 {mean(runs, 'micro_f1'):.3f} and "
            f"{mean(spared, 'micro_f1'):.3f} of the control; macro-F1 {mean(runs):.3f} and {mean(spared):.3f}. "
            f"F1 of 0: {', '.join(lost_labels(runs)) or 'none'}.")


explore(draw_labels, describe_labels, method=Dropdown(options=list(KINDS)),
        zeros=SelectionSlider(options=[0.5, 0.8, 0.9, 0.95, 0.98], value=0.9),
        thresholds=Dropdown(options=[LEFT, TUNED_AGAIN]))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
gone_90 = lost_labels(at_90)
tuned_90 = felt_of(GRADUAL, 0.9, TUNED_AGAIN)
claim(micro_90 > -0.5, "micro-F1 does not fall")
claim({"grief", "relief"} <= set(gone_90), "grief and relief are lost altogether")
claim(all(counts[name] < 100 for name in gone_90), "those that are lost are rare")
lost_each = [sum(f1 == 0 for f1 in r["per_label_f1"].values()) for r in at_90]
most_common = max((n for r in at_90 for n in RARE if r["per_label_f1"][n] == 0), key=counts.get)
grief = sorted(r["per_label_f1"]["grief"] for r in tuned_90)
claim(counts[most_common] > 300, "a network alone may also lose a label that is not rare")
claim(grief[-1] < 0.03, "tuned again, grief is hardly more than yes to all")
claim(len(lost_labels(tuned_90)) <= 1, "with thresholds tuned again hardly a label is lost")
claim(mean(tuned_90, "micro_f1") < mean(spared, "micro_f1") - 0.05, "then micro-F1 falls")
lost_rows = "\n".join(
    f"| {method}, {zeros:.0%} | " + " | ".join(
        f"{mean(runs, 'micro_f1'):.3f} | {mean(runs):.3f} | {len(lost_labels(runs))}"
        for runs in (felt_of(KINDS[method], zeros, kind) for kind in (LEFT, TUNED_AGAIN))) + " |"
    for method in KINDS for zeros in (0.5, 0.8, 0.9))


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def payer(model, method, sparsity):
    """Macro- and micro-F1 against the control, and the label that loses most, in points."""
    runs, controls = of(model, method, sparsity), of(model, "control", stored="float32")
    labels_of = {name: 100 * (np.mean([r["per_label_f1"][name] for r in runs])
                              - np.mean([r["per_label_f1"][name] for r in controls])) for name in COMMENTS}
    name = min(labels_of, key=labels_of.get)
    return (100 * (mean(runs) - mean(controls)), 100 * (mean(runs, "micro_f1") - mean(controls, "micro_f1")),
            name, labels_of[name], 100 * np.ptp([r["per_label_f1"][name] for r in controls]))


bills = {(m, s): payer(m, GRADUAL, s) for m in MODELS for s in (0.9, 0.98)}
payer_rows = "\n".join(
    f"| {m}, {s:.0%} | {macro:+.1f} | {micro:+.1f} | {name} ({COMMENTS[name]:,}) | {loss:+.1f} | {spread:.1f} |"
    for (m, s), (macro, micro, name, loss, spread) in bills.items())

# %% [markdown]
# | 28 emotions | micro-F1, thresholds left | macro-F1 | labels with F1 0 | micro-F1, tuned again | macro-F1 | labels with F1 0 |
# |---|---:|---:|---:|---:|---:|---:|
# | not pruned | {{ mean(spared, "micro_f1"):.3f}} | {{ mean(spared):.3f}} | {{ len(lost_labels(spared)) }} | | | |
# {{ lost_rows }}
#
# Pruned gradually to 90%, micro-F1 changes by {{ micro_90:+.1f}} points, and {{ len(gone_90) }} emotions have an F1
# of 0 in all seeds: {{ ", ".join(f"*{name}* ({counts[name]} comments)" for name in gone_90) }}.
# (Each network alone loses {{ min(lost_each) }} to {{ max(lost_each) }}, one of them *{{ most_common }}*, which is not rare:
# {{ counts[most_common] }} comments.) Whoever watches micro-F1 sends this to production. Tune the thresholds again, and
# {{ len(lost_labels(tuned_90)) }} labels are at 0. But *grief* has an F1 of {{ grief[0]:.3f}} to {{ grief[-1]:.3f}}: it is said of
# far more comments than have it, and now micro-F1 pays, with {{ mean(tuned_90, "micro_f1"):.3f}}. Thresholds choose
# who pays. They do not pay.
#
# With Ekman's seven labels, none as rare, and thresholds tuned again, gradual pruning costs:
#
# | points against the control | macro-F1 | micro-F1 | label that loses most (comments of test) | its loss | range of its F1 over the control's seeds |
# |---|---:|---:|---|---:|---:|
# {{ payer_rows }}
#
# These labels are not the rarest: at 98% *{{ bills["dense", 0.98][2] }}* and *{{ bills["GRU", 0.98][2] }}* pay most, at 90% *{{ bills["GRU", 0.9][2] }}*. There the last
# column is a warning: the F1 of a label of a hundred comments can move by as much from seed to seed.
#
# **Think.** Why is an F1 of exactly 0 rare once thresholds are tuned, even where a network knows nothing of a
# label?
#
# <details><summary>Answer</summary>
#
# Then the best threshold says yes to everybody, and that has an F1 above 0: with a share $p$ of comments,
# $2p / (1 + p)$; in the mean of Ekman's labels {{ yes_to_all:.3f}}. So set F1 per label beside what "yes to all" would get, and say how thresholds were chosen.
#
# </details>

# %% [markdown]
# ## 11. Removed for real
#
# *About 4 minutes.*
#
# To be faster, weights must go in *blocks* that a dense program can leave out: whole units. A GRU unit has
# two sides. Leading in, a row of each of the three gates, in both matrices and both biases; leading out, a
# *column* of the recurrent matrix, and columns of the output layer. By hand, for one direction of Model 2:

# %%
gru, units = model.network.gru, 64
scores = pruning.unit_scores(model.network, sample, "activation")  # of each direction
kept = [one.argsort(descending=True)[: units // 2].sort().values for one in scores]
rows = torch.cat([kept[0] + gate * units for gate in range(3)])  # reset, update, candidate
fewer = gru.weight_ih_l0[rows], gru.weight_hh_l0[rows][:, kept[0]], gru.bias_hh_l0[rows]
[tuple(tensor.shape) for tensor in fewer]

# %%
predict("units", "Half of the units of each direction go: what share of the weights of the recurrent matrix "
        "is left?", "%")

# %%
reveal("units", 100 * fewer[1].numel() / gru.weight_hh_l0.numel(), "%")

# %% [markdown]
# Both sides are halved. `remove_units` does it for all tensors. The proof that nothing was forgotten: the
# small network says what the large one says if nothing leads *out* of the units that are gone.

# %%
removed, masked_units = (act(model.network, kept) for act in (pruning.remove_units, pruning.mask_units))
held_out = torch.as_tensor(model.tokenizer.encode(texts, model.length))
with torch.inference_mode():
    apart = (removed(held_out) - masked_units(held_out)).abs().max().item()
    one = held_out[:1, :12]
    took = cpu_seconds({"whole": lambda: model.network(one), "masked": lambda: masked_units(one),
                        "removed": lambda: removed(one)})
apart, {name: round(seconds / took["whole"], 2) for name, seconds in took.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(apart < 1e-4, "the small network says what the masked one says")
HALF = "half of the units removed"
HALVES = {"control: not pruned": ("control", "8 bits"), "removed, not trained": (f"{HALF}, not trained", "float32"),
          "removed, and the same epochs": (HALF, "8 bits"),
          "half from the start": ("half of the units from the start", "8 bits")}
unit_rows = "\n".join(
    f"| {name} | " + " | ".join(f"{mean(of(m, method, 0.0, stored)):.3f} | "
                                f"{points(of(m, method, 0.0, stored)) if method != 'control' else ''}"
                                for m in MODELS) + " |" for name, (method, stored) in HALVES.items())
from_start = {m: ", ".join(f"{gain:+.1f}" for gain in by_seed(m, HALF, HALVES["half from the start"][0], 0.0))
              for m in MODELS}
equal_outputs = max(r["largest_difference"] for m in MODELS for r in of(m, f"{HALF}, not trained", 0.0, "float32"))
lost_half_units = {m: -100 * mean(of(m, HALF), "difference_to_control") for m in MODELS}
claim(equal_outputs < 1e-4, "the small network from its file says what the masked one says")
claim(lost_half_units["GRU"] <= 1, "without half of its units the GRU loses at most a point")
chosen = [r["criterion"] for m in MODELS for r in of(m, HALF)]
by_chance = chosen.count("random")
claim(by_chance > 0, "random units are among those that were best on dev")
times = {(r["model"], r["method"], r["batch_size"]): r for m in MODELS
         for r in load_records("pruning", experiment=f"latency, {m}")}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
TIMED = list(dict.fromkeys(method for _, method, _ in times))
time_rows = "\n".join(
    f"| {method} | " + " | ".join(
        f"{times[m, method, size]['ratio']:.2f} ({times[m, method, size]['network_ratio']:.2f})"
        for m in MODELS for size in (1, 64)) + " |" for method in TIMED)
faster = {size: times["GRU", HALF, size]["network_ratio"] for size in (1, 64)}
no_gain = [times["dense", HALF, size]["network_ratio"] for size in (1, 64)]
claim(faster[64] < 0.85 < faster[1] < 1.15, "the GRU with half of its units takes less time in batches alone")
claim(all(0.85 < ratio < 1.15 for ratio in no_gain), "the dense model with half of its units is not faster")
with_zeros = [times[m, f"{s} zeros", size]["ratio"] for m in MODELS for s in ("90%", "98%") for size in (1, 64)]
behind = [times[m, f"{s} behind masks", size]["ratio"] for m in MODELS for s in ("90%", "98%") for size in (1, 64)]
products_98 = {m: times[m, "98%, sparse products", 1]["ratio"] for m in MODELS}
claim(0.9 < np.median(with_zeros) < 1.1, "zeros in a dense network save no time")
claim(min(behind) > 1.05 and min(products_98.values()) > 1.1,
      "masks cost time, and so do sparse products for one comment, even at 98%")

# %% [markdown]
# The outputs differ by {{ apart:.0e}} at most. Now the records: half of the units of both models removed, by
# the criterion that was best on dev, and trained on; beside a network that had half of them from the start.
#
# | macro-F1 on test | dense | points to the control | GRU | points to the control |
# |---|---:|---:|---:|---:|
# {{ unit_rows }}
#
# And time, in turns, one thread, as shares of the whole model's median: from text to labels, and in brackets
# for the network alone.
#
# | | dense, 1 comment | dense, 64 | GRU, 1 comment | GRU, 64 |
# |---|---:|---:|---:|---:|
# {{ time_rows }}
#
# Zeros save nothing: {{ min(with_zeros):.2f}} to {{ max(with_zeros):.2f}}, which is how much such timings vary here.
# Masks that are multiplied at each prediction cost time, {{ min(behind):.2f}} to {{ max(behind):.2f}}. Sparse products of these
# small matrices, for one comment and at 98%, take {{ products_98["dense"]:.2f}} (dense) and {{ products_98["GRU"]:.2f}} (GRU).
#
# Without half of its units the GRU loses {{ lost_half_units["GRU"]:.1f}} points, and the network alone takes
# {{ faster[64]:.2f}} of the time in a batch of 64, which is {{ 1 / faster[64]:.2f}} times as fast. For one comment it is
# {{ faster[1]:.2f}}, and from text to labels {{ times["GRU", HALF, 1]["ratio"]:.2f}}: within what timings vary by. The dense model gains
# nothing ({{ no_gain[0]:.2f}} and {{ no_gain[1]:.2f}}). Which units go matters little: in {{ by_chance }} of {{ len(chosen) }} networks,
# *random* ones were best on dev before the training. Loaded from its file, it differs from the
# masked network by {{ equal_outputs:.0e}} in any logit. And is it better than a network that had half of the units
# from the start? Seed by seed {{ from_start["GRU"]}} points (GRU) and {{ from_start["dense"]}} (dense): little or nothing.
# Removing units is for a network that exists already.

# %% [markdown]
# ## 12. What you have learned
#
# *About 3 minutes, with the questions.*

# %% jupyter={"source_hidden": true} tags=["hide-input"]
recorded = "; ".join(sorted({
    f"{run['date']}, PyTorch {run['versions']['torch']}, {run['machine']['processor']}, "
    f"data: {run['data']['kind']}" for run in load_runs("pruning")}))

# %% [markdown]
# - **Many weights are not needed.** Without the smaller half of every matrix, untrained, {{ lost_half:.1%}} of
#   Model 2's decisions change.
# - **A mask is a count, not a threshold.** On 4 bits, "below the median" is {{ below:.0%}} and "up to it"
#   {{ up_to:.0%}}. Over all layers, magnitudes compare what has no common scale.
# - **Zeros do not stay by themselves.** With all gradients masked, momentum revives {{ alive["gradients masked"]:.0%}}
#   of them in a step.
# - **Zeros alone make nothing smaller or faster.** With its masks the file is
#   {{ masks_file[0] / dense_file[0]:.1f}} times as large. Gaps of a byte pay from {{ even[32]["gaps"]:.0%}} zeros for
#   values of 32 bits, and from {{ even[4]["gaps"]:.0%}} for values of 4.
# - **Gradual pruning against its fair rival**, one-shot with the same epochs: {{ np.mean(over_tuned["dense", 0.8]):+.1f}} points
#   at 80% (dense), {{ np.mean(over_tuned["dense", 0.9]):+.1f}} at 90%. There the training itself is worth {{ by_training["dense"]:.1f}}.
# - **Saliency asks the loss**: $h w^2 / 2$, with squares of gradients *per sample*.
# - **A ticket counts against its own mask with new weights** (at 90%, dense: {{ over_seeds }} points), and as a way
#   to a sparse network against gradual pruning: {{ np.mean(behind_gradual):.1f}} points behind.
# - **Look at the labels.** With 28 emotions, pruned to 90%, micro-F1 changes by {{ micro_90:+.1f}} points, and
#   {{ len(gone_90) }} emotions have an F1 of 0.
# - **Only what is removed for real can be faster**: half of the GRU's units, {{ faster[64]:.2f}} of the network's time in
#   batches of 64, {{ lost_half_units["GRU"]:.1f}} points; for one comment, and of the dense model, next to nothing.
#
# Recorded measurements: {{ recorded }}.

# %% [markdown]
# **Check yourself.** Five questions; each option answers back.

# %%
quiz(
    "Three rounds, each removing 20% of the weights that remain. How sparse is the network?",
    {
        "60%": "That would be 20% of all weights each time.",
        "48.8%": "0.8 to the third is 0.512, and the rest is gone.",
        "51.2%": "That share remains.",
    },
    answer="48.8%",
)

# %%
quiz(
    "Weights are set to zero and get a gradient of zero from now on. The optimiser is SGD with momentum, and "
    "the training goes on. What happens?",
    {
        "They stay at zero.": "Only if their velocity is zero, too. It is what it was before pruning.",
        "They move, by what is left of their velocity.":
            "Until it has faded. Set it to zero as well, or put the mask into the network.",
        "Weight decay revives them.": "It multiplies them by a number below 1, and zero stays zero.",
    },
    answer="They move, by what is left of their velocity.",
)

# %%
quiz(
    "A matrix has 70% zeros, and the others are codes of 4 bits. Which is the smallest?",
    {
        "dense: 4 bits a place": "A bitmap and the non-zeros take 1 + 0.3 times 4, that is 2.2 bits.",
        "gaps of a byte": "0.3 times (8 + 4) is 3.6 bits a place: less than dense, more than a bitmap.",
        "a bitmap and the non-zeros": "1 + 0.3 times 4 is 2.2 bits a place. Gaps take 3.6.",
    },
    answer="a bitmap and the non-zeros",
)

# %%
quiz(
    "A paper prunes gradually over 20 epochs, and compares with one-shot pruning that is not trained. What is "
    "missing?",
    {
        "A higher sparsity.": "It would move both, and still compare training with none.",
        "One-shot pruning with the same 20 epochs.":
            "And the dense network with them, too: more epochs may help that as well.",
        "More layers.": "The comparison would be as unfair.",
    },
    answer="One-shot pruning with the same 20 epochs.",
)

# %%
quiz(
    "A curvature for OBD: a batch's loss is differentiated once, and the gradient squared. At the end of "
    "training, what does it measure?",
    {
        "The Gauss-Newton diagonal.": "That is the mean of squares, sample by sample.",
        "Next to nothing: the mean gradient is near zero there.":
            "What is left is the noise of the batch. Square each sample's gradient, then take the mean.",
        "The exact Hessian.": "It takes second derivatives, or many samples' squared first ones.",
    },
    answer="Next to nothing: the mean gradient is near zero there.",
)

# %% [markdown]
# **Next.** In the assignment you write the masks, a training that revives nothing, Optimal Brain Damage
# with shared weights, the search for a ticket and the bytes of four formats, and judge from records who pays.
# Unit 07 no longer prescribes what goes: gates and noise *learn* it, down to heads of a transformer, and at its
# end all methods meet.
#
# **Further reading.** [Zhu and Gupta (2017)](https://arxiv.org/abs/1710.01878) compare large sparse with
# small dense networks. [Deep Compression](https://arxiv.org/abs/1510.00149), section 2, stores gaps.
# [Hooker et al. (2019)](https://arxiv.org/abs/1911.05248) look at who pays.
