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
# **How it works.** Plan about 60 minutes. Before seven of the results a box asks for your guess: write
# one down. Cells that only draw, or prepare what the text says, are folded. No number here is from
# memory: those in the text were filled in from `course/results/` and from the cells above them when
# this notebook was built.

# %%
import copy
import io
import time
import zlib
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import Dropdown, SelectionSlider
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.utils import prune

# %%
from utils import packing, plots, pruning
from utils.claims import claim
from utils.codecs import Sparse, break_even, encode, positions_bits
from utils.data import Vocabulary, load_sample
from utils.embeddings import distilled_vectors
from utils.models import MeanVectorNetwork, NeuralClassifier
from utils.plots import human_bytes, show
from utils.pruning import MaskedNetwork, apply_masks, magnitude_masks, matrices, sparsity_of
from utils.records import load_records, load_runs, summarise
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
# *About 5 minutes.*
#
# Our specimen is Model 2, the GRU of unit 01. To measure what goes wrong without training anything, we
# ask on the course's own comments how many of its **decisions** (a comment and a label, yes or no) are
# others than before.

# %%
model = packing.load_model(Path("../course/models/model-2.slm"))
layer = model.network.gru.weight_hh_l0.detach()  # of three gates, each D by D
texts = load_sample("dev").texts + load_sample("test").texts
decisions = model.predict(texts)


def changed(network):
    """Share of decisions that are others than Model 2's."""
    pruned = NeuralClassifier(network, model.tokenizer, model.taxonomy, model.label_names,
                              model.thresholds, length=model.length)
    return np.mean(pruned.predict(texts) != decisions)


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

# %% [markdown]
# Without the smaller half of every matrix {{ lost_half:.1%}} of the decisions change; and nothing was
# trained. Random weights are missed more. Beyond some point it breaks all the same, and the control tells
# where "small" has stopped to help.
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
        "the pruned weights is not zero any more after a single step of AdamW?", "%")

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
    axes.set(title=way, xlabel="step after pruning")
panels[0].set_ylabel("pruned weights")
show(figure, alt="Values of some pruned weights over 20 steps after they were set to zero, for three "
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
# Adam goes on by its **momentum**, a mean over earlier gradients, and that is still what it was. It fades
# by 0.9 a step, and until then it has carried the pruned weights to a mean size of
# {{ drift["gradients masked"]:.3f}} (middle panel; set once: {{ drift["set once"]:.3f}}). Nothing fails, no
# test complains, and the model that is saved is dense.
#
# What holds is to make the mask part of the network: it computes with weight times mask, whatever the
# optimiser does to the weight behind. (`MaskedNetwork` of `utils`; or set both weight *and* momentum to
# zero, after every step.) Weight decay, by the way, revives nothing by itself: it multiplies by a number
# below 1. But behind a mask it goes on, like the momentum; so a mask that comes back later finds
# other weights than it hid. Ours never do: later masks keep to the earlier ones.

# %% [markdown]
# ## 4. What zeros are good for
#
# *About 5 minutes.*
#
# Here is the small network as a file, dense, with 90% zeros, and with 90% zeros by
# `torch.nn.utils.prune`, which does as section 3 asks and keeps a mask. (It keeps the weight as well, to
# multiply the two.)

# %%
def file_of(network):
    """Bytes as PyTorch saves them, and the same compressed."""
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return len(file.getvalue()), len(zlib.compress(file.getvalue()))


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
claim(masks_file[1] > 3 * zeros_file[1], "masks leave the weights behind them in the file")

# %% [markdown]
# | | bytes | compressed (zlib) |
# |---|---:|---:|
# {{ file_rows }}
#
# A zero takes 32 bits like any other number: the same bytes. With masks it is
# {{ masks_file[0] / dense_file[0]:.2f}} times as much, because the weights behind the masks are still
# there, and the masks as well. "The pruned model became *larger*" is a question that is asked under every
# pruning library; the answer is `prune.remove`. A compressor does find the zeros, once
# nothing stands behind the masks. How few bytes they can come to is the next section.
#
# And time? A product of matrices multiplies by zero as fast as by anything else. To skip zeros, a program
# must know where the others are, and read these places too: **compressed sparse rows** (CSR). A D by D
# matrix with D = 512, for one comment and for 64:

# %%
def cpu_us(works, repeats=15, inner=10):
    """Median CPU microseconds of each work, measured in turns."""
    seconds = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            begin = time.process_time()  # of this process: others on the machine do not count
            for _ in range(inner):
                work()
            seconds[name].append((time.process_time() - begin) / inner)
    return {name: 1e6 * np.median(values) for name, values in seconds.items()}


# %%
generator = torch.Generator().manual_seed(0)
square = torch.randn(512, 512, generator=generator)
SHARES, products = (0.5, 0.8, 0.9, 0.95, 0.98), {}
for batch in (1, 64):
    x = torch.randn(512, batch, generator=generator)
    works = {"dense": lambda x=x: square @ x}
    for share in SHARES:
        holes = square * keep_largest(square.abs(), share)
        rows = holes.to_sparse_csr()
        works["zeros", share] = lambda x=x, holes=holes: holes @ x
        works["CSR", share] = lambda x=x, rows=rows: rows @ x
    products[batch] = cpu_us(works)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(10, 3.5), sharey=True)
ratios = {(batch, kind): [took[kind, share] / took["dense"] for share in SHARES]
          for batch, took in products.items() for kind in ("zeros", "CSR")}
for axes, batch in zip(panels, products, strict=True):
    for kind, style, color in (("zeros", "o-", RED), ("CSR", "s--", BLUE)):
        axes.plot([100 * share for share in SHARES], ratios[batch, kind], style, color=color, label=kind)
    axes.axhline(1, color="black", linestyle=":", linewidth=1)
    axes.set(yscale="log", xlabel="zeros (%)", title=f"batch of {batch}")
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
# {{ ratios[1, "CSR"][-1]:.2f}} and {{ ratios[64, "CSR"][-1]:.2f}} of the time. The dense product has the best
# code of forty years behind it, and reads its numbers in order. **A sparsity is not a speed-up**; and a
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
# Bits *for each place*, at 90% zeros. No way that works for all masks can take fewer than the
# **entropy**, if zeros stand at random: {{ entropy(0.1):.3f}} bits.
#
# Which way is best is only half of the question. The other is how it compares with the *values*. Positions
# that are cheap beside 32 bits can be most of a file of 4-bit codes.

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
# bits. And look along the rows: the better the values are quantized, the later a sparse file pays.
# Pruning and quantization do not multiply as if each were alone.
#
# Now real places. The word vectors of Model 2, the smallest 90% gone; and as a compressor leaves them:

# %%
vectors_mask = magnitude_masks(model.network, 0.9)["embedding.weight"].numpy()
ours, by_codec, left = bits_of_places(vectors_mask), {}, {}
for way in ours:
    parts = encode(Sparse("raw", way), vectors_mask.astype(np.int8))[2][:-1]  # the last are values
    by_codec[way] = 8 * sum(part.nbytes for part in parts)
    left[way] = 8 * sum(len(zlib.compress(part.tobytes(), 9)) for part in parts)
anywhere = entropy(vectors_mask.mean())
in_columns = entropy(vectors_mask.mean(axis=0)).mean()

# %% jupyter={"source_hidden": true} tags=["hide-input"]
place_rows = "\n".join(f"| {way} | {bits / vectors_mask.size:.3f} | {left[way] / vectors_mask.size:.3f} |"
                       for way, bits in ours.items())
claim(all(abs(ours[way] - by_codec[way]) < 64 for way in ours), "we count as the codec of utils does")
claim(in_columns < 0.97 * anywhere, "zeros do not stand at random")
least = min(left, key=left.get)
in_least = left[least] / vectors_mask.size

# %% [markdown]
# | bits for each place | as it is | compressed |
# |---|---:|---:|
# {{ place_rows }}
#
# The bound for places at random is {{ anywhere:.3f}}, and the best here, *{{ least}}* compressed, takes
# {{ in_least:.3f}}. A bound for random places binds nobody whose places are not: some columns keep more
# than others, and whoever knows how many could do with {{ in_columns:.3f}}. The codec `Sparse` of `utils` tries
# all four, as the file will compress them, and takes the smallest.

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
# fair rival of gradual pruning is not one-shot alone. It is **one-shot and the same steps**: most of what
# a gradual recipe gains over "prune and look" is simply more training. And the control of all is the
# network that is not pruned, with the same steps again.

# %%
STEPS, DONE = 200, 120  # pruning is over after 120 steps, so that there is time to recover
recipes = {
    "not pruned": {},
    "one-shot": dict(masks=magnitude_masks(network, 0.95)),
    "5% at a time": dict(schedule=lambda step: five_percent(step, 0.95, DONE // 19), every=DONE // 19),
    "cubic": dict(schedule=lambda step: cubic(step, 0.95, DONE), every=6),
}


@torch.no_grad()
def training_loss(masked):
    return cross_entropy(masked.eval()(ids), labels).item()


def run(options):
    masked = MaskedNetwork(copy.deepcopy(network), **options)

    def look(step):
        now = training_loss(masked), sparsity_of(masked.masks)
        masked.train()
        return now

    return np.array([look(0), *train(masked, adam(masked), STEPS, after=look)])


runs = {name: run(options) for name, options in recipes.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 4.8), sharex=True)
for (name, curve), style, color in zip(runs.items(), plots.LINES, ("black", RED, GREEN, BLUE), strict=False):
    loss, sparsity = curve.T
    top.plot(100 * sparsity, linestyle=style, color=color)
    bottom.plot(loss, linestyle=style, color=color, label=name)
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
# {{ last["5% at a time"]:.3f}} (5% at a time) and {{ last["cubic"]:.3f}} (cubic). On this little data, with
# so few steps, gradual is better, and nobody should conclude anything from a loss on 1,200 training
# comments. RECORDS6
