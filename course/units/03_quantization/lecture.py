# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Quantization: one number at a time
#
# A trained weight is stored in 32 bits, far more than a prediction needs. This lecture replaces
# each weight by a small integer, an **index**, and keeps a rule that turns indices back into
# numbers. There are many such rules. Which one loses least depends on a question that is seldom
# asked: how are the weights *distributed*?
#
# **After this lecture you can**
#
# 1. quantize with a scale and a zero point, symmetric and asymmetric, by hand;
# 2. choose the range by min-max, percentile or mean squared error, and say when clipping hurts;
# 3. find a layer's outliers, and say what a scale per channel gains and costs;
# 4. say why a percentile grid loses to k-means, and why k-means can end badly;
# 5. compute a layer with integers only, and count bytes, F1 and milliseconds honestly.
#
# **How it works.** Plan about 65 minutes. Before seven of the measurements a box asks for your
# guess: write one down. Cells that draw, or make sure that a sentence of the text still holds, are
# folded. No number here is from memory: those in the text were filled in from `course/results/` and
# from the cells above them when this notebook was built.

# %%
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from ipywidgets import Dropdown, IntSlider, SelectionSlider
from threadpoolctl import threadpool_limits

from utils import packing, plots
from utils.claims import claim
from utils.data import load_sample
from utils.models import NeuralClassifier
from utils.plots import human_bytes, show
from utils.quantization import (
    AffineQuantizer,
    KMeansQuantizer,
    PercentileQuantizer,
    entropy,
    quantize_network,
)
from utils.records import load_records, load_runs, summarise
from utils.widgets import explore, predict, quiz, reveal

# %% jupyter={"source_hidden": true} tags=["hide-input"]
torch.set_num_threads(1)
threadpool_limits(limits=1)  # one thread everywhere: the machine may be shared
np.set_printoptions(legacy="1.25", suppress=True)
plots.set_style()
BLUE, RED, GREEN, PINK = plots.PALETTE[:4]

# %% [markdown]
# ## 1. Consider the weights as a distribution
#
# *About 4 minutes.*
#
# Our specimen is a matrix of Model 2, the GRU of unit 01: the one that multiplies the state of its
# forward direction. Forget that it is a matrix. It is a heap of numbers.

# %%
model = packing.load_model(Path("../course/models/model-2.slm"))
layers = {name: weight.detach().numpy() for name, weight in model.network.named_parameters()
          if weight.ndim == 2}
layer = layers["gru.weight_hh_l0"]
layer.shape, layer.min(), layer.max(), layer.std()

# %%
predict(
    "middle-fifth",
    "Cut the range from the smallest to the largest weight of this layer into five equal parts. "
    "What share of the weights lies in the middle one?",
    "%",
)

# %%
fifths = np.linspace(layer.min(), layer.max(), 6)
shares = np.histogram(layer, fifths)[0] / layer.size
largest = np.abs(layer).max() / layer.std()
reveal("middle-fifth", 100 * shares[2], "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, axes = plt.subplots(figsize=(9, 3))
axes.hist(layer.ravel(), bins=120, color=plots.PALETTE[5])
for edge in fifths:
    axes.axvline(edge, color="black", linestyle=":", linewidth=1)
for left, share in zip(fifths, shares, strict=False):
    axes.annotate(f"{share:.1%}", (left + (fifths[1] - fifths[0]) / 2, 0.92), ha="center",
                  xycoords=("data", "axes fraction"))
axes.set(xlabel="weight", ylabel=f"count (of {layer.size:,})")
show(figure, alt="Histogram of the weights of the layer, a narrow bell around zero with long thin "
     "tails, its range cut into fifths that hold "
     + ", ".join(f"{share:.1%}" for share in shares) + " of the weights.")

# %% [markdown]
# The outer two fifths together hold {{ shares[0] + shares[4]:.2% }} of the weights. The largest is
# {{ largest:.1f }} standard deviations from zero.
#
# A quantizer with $b$ bits picks $2^b$ numbers and replaces each weight by one of them. The picture
# already holds the question of this lecture: **how many of them do the empty ends deserve?**
#
# To compare answers we need one measure. **Relative error** is the mean squared error divided by
# the variance of the weights: 0 means nothing was lost, 1 that we might as well have stored the
# mean. One line fits a quantizer of `utils`, encodes, decodes and compares:

# %%
def error_of(quantizer, weights=layer):
    decoded = quantizer.inverse_transform(quantizer.fit_transform(weights))
    return np.mean((decoded - weights) ** 2) / np.var(weights)


# %% [markdown]
# ## 2. A ruler: scale and zero point
#
# *About 6 minutes.*
#
# The plainest choice is evenly spaced numbers, the marks of a ruler. With 3 bits there are 8 marks
# and 7 steps between them. Seven weights from -0.5 to 1.25:

# %%
x = np.array([-0.5, -0.2, 0.0, 0.1, 0.4, 0.7, 1.25])
scale = (1.25 - -0.5) / 7  # from mark to mark
zero_point = round(0.5 / scale)  # the code of the number 0: two steps above -0.5
codes = np.clip(np.round(x / scale) + zero_point, 0, 7)
scale, zero_point, codes

# %% [markdown]
# Decoding undoes it, except for the rounding: $\hat{x} = s\,(q - z)$. This **affine** mapping is
# equation 1 of [Jacob et al. (2018)](https://arxiv.org/abs/1712.05877).

# %%
decoded = scale * (codes - zero_point)
decoded

# %% jupyter={"source_hidden": true} tags=["hide-input"]
wide = 1.25 / 3
rulers = {
    "asymmetric": (scale * (np.arange(8) - zero_point), range(8), decoded),
    "symmetric": (wide * np.arange(-3, 4), range(-3, 4), wide * np.round(x / wide)),
}
figure, panels = plt.subplots(2, 1, figsize=(9, 3.6), sharex=True)
for axes, (name, (marks, numbers, ends)) in zip(panels, rulers.items(), strict=True):
    axes.vlines(marks, -0.12, 0.12, color="black")
    for mark, number in zip(marks, numbers, strict=True):
        axes.annotate(f"{number}", (mark, -0.42), ha="center", weight="bold")
    for start, end in zip(x, ends, strict=True):
        axes.annotate("", (end, 0.12), (start, 0.8),
                      arrowprops=dict(arrowstyle="->", color=RED, lw=1.5))
    axes.plot(x, np.full(7, 0.8), "o", color=BLUE)
    axes.vlines(0, 0.12, 1.1, color="black", linestyle=":", linewidth=1)
    axes.set(yticks=[], ylim=(-0.6, 1.1), title=f"{name}: codes {min(numbers)} to {max(numbers)}")
    axes.grid(False)
panels[1].set_xlabel("value")
show(figure, alt="Seven values as dots above two rulers, each with an arrow to its nearest mark. "
     "The asymmetric ruler has eight marks from -0.5 to 1.25, numbered 0 to 7, and 0 has code 2. "
     "The symmetric ruler has seven marks from -1.25 to 1.25, numbered -3 to 3; no value comes "
     "near its two leftmost marks.")

# %% [markdown]
# The lower ruler is **symmetric**: it reaches as far left as right, 0 has the code 0, so there is
# no zero point to store. The price is visible: the marks -3 and -2 wait for weights that do not
# exist, and a step is 0.42 rather than 0.25. What is the price for our layer, whose weights are
# almost symmetric?

# %%
{bits: (error_of(AffineQuantizer(bits)), error_of(AffineQuantizer(bits, symmetric=False)))
 for bits in (8, 4)}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
gain = {bits: error_of(AffineQuantizer(bits)) / error_of(AffineQuantizer(bits, symmetric=False))
        for bits in (8, 4)}
grows = error_of(AffineQuantizer(4)) / error_of(AffineQuantizer(8))
claim(grows > 50 * max(gain.values()), "4 bits less cost far more than symmetry")

# %% [markdown]
# The symmetric ruler's error is {{ gain[8]:.2f }} times the asymmetric one's at 8 bits and
# {{ gain[4]:.2f }} times at 4. Compare that with the price of 4 bits less: {{ grows:,.0f }} times. (7
# steps reach from 0 to the end instead of 127, so each is 18 times as wide, and a squared error grows
# with the square: {{ (127 / 7) ** 2:.0f }}.) *Activations* after a ReLU are never negative, and there a
# symmetric ruler wastes half its marks. Weights are mostly stored symmetrically all the same; section
# 9 shows why.

# %% [markdown]
# **Think.** The zero point is rounded to a whole number, although that shifts the ruler a little.
# Why insist that 0 comes back as *exactly* 0?
#
# <details><summary>Answer</summary>
#
# Zeros are not just any weights: padding, pruned weights, and the many outputs of a ReLU. If each
# came back as 0.01, a sum over a thousand of them would be off by 10. Rounding errors of other
# values have either sign and partly cancel; this one would always point the same way.
#
# </details>

# %% [markdown]
# ## 3. Calibration: whom to leave outside
#
# *About 8 minutes.*
#
# Min-max calibration stretches the ruler to the largest weight, so a few outliers set the step for
# everyone. The alternative is to **clip**: let the ruler end earlier, and store what lies beyond
# as its last mark. Play first. The upper panel shows the weights and the marks, the lower one which
# weights the error comes from.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def make(scheme, bits, keep=100.0):
    if scheme == "percentile grid":
        return PercentileQuantizer(bits)
    if scheme == "k-means":
        return KMeansQuantizer(bits)
    return AffineQuantizer(bits, symmetric=scheme == "symmetric", calibration="percentile",
                           percentile=keep)


@cache  # the picture and its description ask for the same
def examine(scheme, bits, keep=100.0):
    """Values of all codes, squared error of each weight over the variance, codes in use."""
    quantizer = make(scheme, bits, keep)
    codes = quantizer.fit_transform(layer)
    if scheme in ("percentile grid", "k-means"):
        every = np.arange(len(quantizer.codebook_))
    else:
        top = 2 ** (bits - 1) - 1
        every = np.arange(-top, top + 1) if scheme == "symmetric" else np.arange(2**bits)
    squared = (quantizer.inverse_transform(codes) - layer) ** 2 / np.var(layer)
    return quantizer.inverse_transform(every), squared, len(np.unique(codes))


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_grid(scheme, bits, keep=100.0):
    marks, squared, used = examine(scheme, bits, keep)
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 4.4), sharex=True)
    edges = np.linspace(layer.min(), layer.max(), 101)
    top.hist(layer.ravel(), bins=edges, color=plots.PALETTE[5])
    top.vlines(marks, 0, 0.16, color="black", linewidth=1, transform=top.get_xaxis_transform())
    bottom.hist(layer.ravel(), bins=edges, weights=100 * squared.ravel() / squared.sum(), color=RED)
    top.set(ylabel="weights", title=f"{scheme}, {bits} bits: relative error {squared.mean():.2g}, "
            f"{used} of {len(marks)} codes in use")
    bottom.set(ylabel="share of error (%)", xlabel="weight")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_grid(scheme, bits, keep=100.0):
    marks, squared, used = examine(scheme, bits, keep)
    inside = (np.abs(layer) < 2 * layer.std()).mean()
    outer = squared[np.abs(layer) >= 2 * layer.std()].sum() / squared.sum()
    kept = f", range keeps {keep:g}%" if keep < 100 else ""
    return (f"Histogram of the layer with {len(marks)} marks from {marks.min():.2f} to "
            f"{marks.max():.2f} ({scheme}, {bits} bits{kept}), and below it where the squared "
            f"error comes from. Relative error {squared.mean():.2g}; {used} codes in use. The "
            f"{1 - inside:.1%} of weights beyond two standard deviations cause {outer:.0%} of the "
            "error.")


# %%
explore(
    draw_grid,
    describe_grid,
    scheme=Dropdown(options=["symmetric", "asymmetric"]),
    bits=IntSlider(value=4, min=2, max=8),
    keep=SelectionSlider(options=[95.0, 99.0, 99.9, 100.0], value=100.0,
                         description="percentile kept"),
)

# %% [markdown]
# 1. At 4 bits, go from 100 to 99. What happens to the relative error, and to the lower panel?
# 2. Do the same at 8 bits. Why does it end differently?
# 3. Symmetric, 2 bits, 100: the relative error is close to 1. What has become of the weights?
#
# <details><summary>Answers</summary>
#
# (1) The error falls and moves outward: the steps inside are finer, and the clipped weights now
# pay. (2) It rises. At 8 bits the steps were so fine that hardly any error was left inside; cutting
# the ends saves next to nothing, and costs as much as it did at 4 bits. (3) The marks are the two
# extremes and 0, and nearly every weight is nearest to 0: the layer has all but vanished.
#
# </details>
#
# Put a number on it before you read on:

# %%
predict(
    "clip-8",
    "At 8 bits, the symmetric range is cut from the largest weight to the 99th percentile of the "
    "absolute weights. By what factor does the squared error change? (Below 1 is better.)",
    "times",
)

# %%
def clipping_factor(bits, percentile=99.0):
    clipped = AffineQuantizer(bits, calibration="percentile", percentile=percentile)
    return error_of(clipped) / error_of(AffineQuantizer(bits))


clip = {bits: clipping_factor(bits) for bits in (8, 4)}
reveal("clip-8", clip[8], "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(clip[8] > 1.5 and clip[4] < 0.7, "clipping is wrong at 8 bits and right at 4")
claim(error_of(AffineQuantizer(2)) > 0.8, "with 2 bits and the whole range the layer all but vanishes")

# %% [markdown]
# At 8 bits, clipping at the 99th percentile **multiplies the error by {{ clip[8]:.2g }}**; at 4 bits the
# same range **divides it by {{ 1 / clip[4]:.2g }}**. So the habit of clipping, right at 4 bits, is wrong
# at 8.
#
# The error has two parts. *Rounding*, inside the range, costs $s^2/12$ for each weight on average,
# and falls as the range shrinks. *Clipping*, outside, depends on the range alone: **no number of
# bits makes it smaller.** Shrink the range from the maximum and watch both:

# %%
def two_parts(bound, bits, w=layer):
    """Relative error by rounding (inside the range) and by clipping (outside)."""
    step = bound / (2 ** (bits - 1) - 1)
    squared = (step * np.rint(np.clip(w, -bound, bound) / step) - w) ** 2 / np.var(w) / w.size
    inside = np.abs(w) <= bound
    return squared[inside].sum(), squared[~inside].sum()


bounds = np.linspace(0.2, 1, 60) * np.abs(layer).max()
parts = {bits: np.array([two_parts(bound, bits) for bound in bounds]) for bits in (8, 4)}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.6), sharey=True)
least = {}
for axes, (bits, curve) in zip(panels, parts.items(), strict=True):
    rounding, clipping = curve.T
    total = rounding + clipping
    least[bits] = bounds[total.argmin()]
    axes.plot(bounds, rounding, "--", color=BLUE, label="rounding")
    axes.plot(bounds, np.where(clipping > 0, clipping, np.nan), ":", color=RED, label="clipping")
    axes.plot(bounds, total, color="black", label="both")
    axes.plot(least[bits], total.min(), "o", color="black")
    axes.axvline(np.percentile(np.abs(layer), 99), color=plots.GREY, linewidth=1)
    axes.set(yscale="log", xlabel="range ends at (grey: 99th percentile)", title=f"{bits} bits")
panels[0].set(ylabel="relative error")
panels[1].legend()
show(figure, alt="Relative error against where the range ends, at 8 and at 4 bits, split into "
     "rounding, which rises with the range, and clipping, which falls and is the same in both "
     f"panels. Their sum is least at {least[8]:.2f} with 8 bits and {least[4]:.2f} with 4 bits; "
     f"the largest weight is {np.abs(layer).max():.2f}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
ways = {
    "min-max": dict(calibration="minmax"),
    "99th percentile": dict(calibration="percentile", percentile=99.0),
    "99.9th percentile": dict(calibration="percentile", percentile=99.9),
    "best of several percentiles": dict(calibration="percentile", percentile="best"),
    "least squared error": dict(calibration="mse"),
}
min_max, at_99, at_999, best_of, least_squares = (
    {bits: error_of(AffineQuantizer(bits, **way)) for bits in (8, 6, 4, 3)} for way in ways.values())
claim(least[4] < 0.9 * least[8], "with fewer bits the best range is narrower")

# %% [markdown]
# Fewer bits lift the dashed line, and the best range moves left. So there is no percentile that is
# right for all bits. The third way to calibrate just searches for the least mean squared error:
#
# | relative error, symmetric | 8 bits | 6 bits | 4 bits | 3 bits |
# |---|---:|---:|---:|---:|
# | min-max | {{ min_max[8]:.2g }} | {{ min_max[6]:.2g }} | {{ min_max[4]:.2g }} | {{ min_max[3]:.2g }} |
# | 99th percentile | {{ at_99[8]:.2g }} | {{ at_99[6]:.2g }} | {{ at_99[4]:.2g }} | {{ at_99[3]:.2g }} |
# | 99.9th percentile | {{ at_999[8]:.2g }} | {{ at_999[6]:.2g }} | {{ at_999[4]:.2g }} | {{ at_999[3]:.2g }} |
# | best of several percentiles | {{ best_of[8]:.2g }} | {{ best_of[6]:.2g }} | {{ best_of[4]:.2g }} | {{ best_of[3]:.2g }} |
# | least squared error | {{ least_squares[8]:.2g }} | {{ least_squares[6]:.2g }} | {{ least_squares[4]:.2g }} | {{ least_squares[3]:.2g }} |

# %% [markdown]
# ## 4. Where the outliers sit
#
# *About 6 minutes.*
#
# So far the layer was a heap. It is a matrix after all, and outliers are not spread over it evenly.
# Take the largest 1% of the absolute weights and ask which rows they are in.

# %%
outlier = np.abs(layer) > np.percentile(np.abs(layer), 99)
per_gate = outlier.reshape(3, -1).sum(axis=1)  # rows: reset gate, update gate, candidate
crowded = np.sort(outlier.sum(axis=1))[::-1]
per_gate, crowded[:19].sum() / outlier.sum()  # 19 of 192 rows: a tenth

# %% jupyter={"source_hidden": true} tags=["hide-input"]
vectors = layers["embedding.weight"]
far = np.abs(vectors) > np.percentile(np.abs(vectors), 99.9)
in_rows = crowded[:19].sum() / outlier.sum()
in_columns = np.sort(far.sum(axis=0))[-10:].sum() / far.sum()
claim(per_gate[:2].min() > 2 * per_gate[2], "the gates hold far more outliers than the candidate")
claim(in_columns > 0.5, "ten columns hold most outliers of the word vectors")

# %% [markdown]
# A tenth of the rows holds {{ in_rows:.0% }} of the outliers. By gate: reset gate {{ per_gate[0] }},
# update gate {{ per_gate[1] }}, candidate {{ per_gate[2] }}. (A plausible reason: a gate is a switch, and
# large weights push it fully open or shut.) In the word vectors, ten of the {{ vectors.shape[1] }}
# *columns* hold {{ in_columns:.0% }} of the largest 0.1%: their outliers sit in a few dimensions rather
# than in a few words.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.4))
for axes, name in zip(panels, ("gru.weight_hh_l0", "output.weight"), strict=True):
    largest = np.abs(layers[name])
    for axis, label, style in ((1, "rows (outputs)", "-"), (0, "columns (inputs)", "--")):
        values = np.sort(largest.max(axis=axis))[::-1]
        axes.plot(np.linspace(0, 100, len(values)), values, style, label=label)
    axes.axhline(largest.max(), color="black", linestyle=":", linewidth=1.2)
    axes.set(title=name, xlabel="percent of rows or columns, sorted", ylim=(0, None))
panels[0].set_ylabel("largest absolute weight")
panels[1].legend()
show(figure, alt="Largest absolute weight of each row and each column, sorted, for two matrices. "
     "A dotted line marks the largest of all, which sets the step of a ruler for the whole tensor; "
     "most rows and columns stay well below it.")

# %% [markdown]
# The dotted line sets the step if one ruler serves the whole tensor, and most rows would be content
# with a finer one. **Per channel** quantization gives each row its own scale.

# %%
predict(
    "per-channel",
    "At 4 bits, how many times smaller is this layer's squared error with a scale for each row "
    "than with one for the tensor?",
    "times",
)

# %%
one_scale = error_of(AffineQuantizer(4))
row_scales = error_of(AffineQuantizer(4, granularity="channel"))
reveal("per-channel", one_scale / row_scales, "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def bill(name, **options):
    quantizer, weights = AffineQuantizer(4, **options), layers[name]
    codes = quantizer.fit_transform(weights)
    return SimpleNamespace(shape="x".join(map(str, weights.shape)),
                           bits=8 * quantizer.nbytes(codes) / weights.size,
                           error=error_of(quantizer, weights))


choices = {"one": {}, "row": dict(granularity="channel"),
           "column": dict(granularity="channel", axis=1)}
state, output, words = (
    {choice: bill(name, **options) for choice, options in choices.items()}
    for name in ("gru.weight_hh_l0", "output.weight", "embedding.weight"))
output_gain = output["one"].error / output["column"].error
claim(output["column"].error < 0.8 * min(output["one"].error, output["row"].error),
      "a scale per column has the smallest error of the output layer")
claim(output["column"].bits > 8, "its scales more than double the 4 bits")
claim(words["row"].error < words["column"].error, "of the word vectors, rows have the smaller error")

# %% [markdown]
# Scales are not free: **whatever decoding needs is part of the size.** In bits per weight, with
# scales of 32 bits:
#
# | matrix | shape | scales | bits per weight | relative error |
# |---|---:|---:|---:|---:|
# | gru.weight_hh_l0 | {{ state["one"].shape }} | one scale | {{ state["one"].bits:.2f }} | {{ state["one"].error:.2g }} |
# | gru.weight_hh_l0 | {{ state["row"].shape }} | per row (output) | {{ state["row"].bits:.2f }} | {{ state["row"].error:.2g }} |
# | gru.weight_hh_l0 | {{ state["column"].shape }} | per column (input) | {{ state["column"].bits:.2f }} | {{ state["column"].error:.2g }} |
# | output.weight | {{ output["one"].shape }} | one scale | {{ output["one"].bits:.2f }} | {{ output["one"].error:.2g }} |
# | output.weight | {{ output["row"].shape }} | per row (output) | {{ output["row"].bits:.2f }} | {{ output["row"].error:.2g }} |
# | output.weight | {{ output["column"].shape }} | per column (input) | {{ output["column"].bits:.2f }} | {{ output["column"].error:.2g }} |
# | embedding.weight | {{ words["one"].shape }} | one scale | {{ words["one"].bits:.2f }} | {{ words["one"].error:.2g }} |
# | embedding.weight | {{ words["row"].shape }} | per row (output) | {{ words["row"].bits:.2f }} | {{ words["row"].error:.2g }} |
# | embedding.weight | {{ words["column"].shape }} | per column (input) | {{ words["column"].bits:.2f }} | {{ words["column"].error:.2g }} |
#
# For the output layer, **per column (input)** has the smallest error, {{ output_gain:.1f }} times below
# one scale, at {{ output["column"].bits:.2f }} bits per weight. More than twice what was advertised as 4.
#
# The last two rows seem to contradict what was said above. The outliers of the word vectors sit in
# columns, and yet a scale per *row* has the smaller error, {{ words["row"].error:.2g }} against
# {{ words["column"].error:.2g }}. But a row has {{ vectors.shape[1] }} numbers and a column
# {{ vectors.shape[0]:, }}, and the largest of few is smaller than the largest of many, wherever the
# outliers sit. To tell place from length, deal all numbers out anew, at random, and to tell length from
# place, let {{ vectors.shape[1] }} words of one column share a scale:

# %%
def by_row(weights):
    return error_of(AffineQuantizer(4, granularity="channel"), weights)


dealt = np.random.default_rng(0).permutation(vectors.ravel()).reshape(vectors.shape)
in_blocks = vectors[:len(vectors) // 100 * 100].T.reshape(-1, 100)  # of one column each
dealt_row, dealt_column, block = by_row(dealt), by_row(dealt.T), by_row(in_blocks)
dealt_row, dealt_column, block

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(0.9 < dealt_row / words["row"].error < 1.1, "where outliers sit is nothing to a scale per row")
claim(dealt_column > 1.3 * words["column"].error, "and much to a scale per column")
claim(block < 0.9 * words["row"].error, "with as many scales, columns have the smaller error")

# %% [markdown]
# Dealt out at random, rows have {{ dealt_row:.2g }}, hardly more than before: what they gain, they gain
# by being short. Columns have {{ dealt_column:.2g }} in place of {{ words["column"].error:.2g }}: only
# they gain by *where* the outliers sit. And with as many scales as rows have, columns are ahead with
# {{ block:.2g }}. So two questions: **how many numbers share a scale, and which?** More scales help in
# any case, and cost bytes; the right direction costs nothing.

# %% [markdown]
# **Think.** Libraries for linear layers offer one scale for the tensor or one per row (output),
# hardly ever one per column (input), even where that has a smaller error. Give two reasons.
#
# <details><summary>Answer</summary>
#
# First, bytes: the output layer has many more columns than rows, and 32 bits for a scale of each
# column outweigh their few codes. Second, arithmetic: an output is a sum along its row,
# $\sum_i W_{ji} x_i$. A scale per row can be multiplied in once, after the sum. A scale per column
# is needed inside, at every term, and then the sum is no longer one of integers.
#
# </details>

# %% [markdown]
# ## 5. A grid where the weights are
#
# *About 6 minutes.*
#
# A ruler has its marks where the *range* is. Why not put them where the weights are? A **percentile
# grid** cuts the sorted weights into bins of equal count and stores the number of the bin. What
# should a bin decode to? Nine weights in three bins:

# %%
nine = np.array([-5.0, -1.5, -1, -0.5, 0, 0.2, 0.4, 1.4, 6])
edges = np.quantile(nine, [0, 1 / 3, 2 / 3, 1])
middle = (edges[1:] + edges[:-1]) / 2
bins = nine.reshape(3, 3)  # sorted already: three bins of three
mean = bins.mean(axis=1)
[((bins - entry[:, None]) ** 2).sum() for entry in (middle, mean)]

# %% [markdown]
# The outer bins are wide, and their weights crowd at the inner side: the middle of such a bin is a
# place where nothing is. The mean has the least squared error of all numbers. How much does that
# matter on a million numbers from a bell curve, with 256 bins?

# %%
predict(
    "bin-mean",
    "256 bins, each decoded to its middle: how many times the squared error of decoding to the "
    "means?",
    "times",
)

# %%
bell = np.random.default_rng(0).normal(size=1_000_000).astype(np.float32)
grid = PercentileQuantizer(8).fit(bell)  # decodes by means
codes = grid.transform(bell)
ends = np.r_[bell.min(), grid.thresholds_, bell.max()]
middles = (ends[1:] + ends[:-1]) / 2
by_middle, by_mean = (np.mean((book[codes] - bell) ** 2) for book in (middles, grid.codebook_))
reveal("bin-mean", by_middle / by_mean, "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def tails(scheme):
    marks, squared, _ = examine(scheme, 4)
    nearest = make(scheme, 4).fit_transform(layer)
    outer = (nearest == 0) | (nearest == len(marks) - 1)
    return SimpleNamespace(share=outer.mean(), part=squared[outer].sum() / squared.sum(),
                           first=marks[0], last=marks[-1], error=squared.mean())


by_count, by_kmeans = tails("percentile grid"), tails("k-means")
claim(by_count.part > 0.7, "the two outermost codes of the percentile grid cause most of its error")
claim(by_kmeans.share < 1 / 16, "k-means gives the tails more codes than their head count earns")
claim(by_count.error > 2 * by_kmeans.error, "k-means has a much smaller error")

# %% [markdown]
# Even with means, is this the right grid? Every code is used equally often, which sounds ideal. But
# the squared error does not ask how often a code is used. On our layer, at 4 bits, against the grid
# that the next section makes:
#
# | 4 bits | weights in the two outermost bins | their share of the error | outermost entries | relative error |
# |---|---:|---:|---:|---:|
# | percentile grid | {{ by_count.share:.1% }} | {{ by_count.part:.0% }} | {{ by_count.first:.2f }}, {{ by_count.last:.2f }} | {{ by_count.error:.2g }} |
# | k-means | {{ by_kmeans.share:.1% }} | {{ by_kmeans.part:.0% }} | {{ by_kmeans.first:.2f }}, {{ by_kmeans.last:.2f }} | {{ by_kmeans.error:.2g }} |
#
# The percentile grid crowds {{ by_count.share:.1% }} of the weights into its two outermost codes, and
# they cause **{{ by_count.part:.0% }}** of the error: in the tails it is blind. K-means gives the tails
# more codes than their head count earns, and its error is
# **{{ by_count.error / by_kmeans.error:.1f }} times** smaller.
#
# There is a law behind it. With many codes, the least squared error is reached when their density
# follows the *cube root* of the density of the weights
# ([Panter and Dite, 1951](https://doi.org/10.1109/JRPROC.1951.230419)). A percentile grid follows
# the density itself, and a ruler ignores it; the best grid lies between the two. You may meet the
# percentile grid again: the 4-bit format NF4 ([Dettmers et al.,
# 2023](https://arxiv.org/abs/2305.14314)), made for large language models, takes its 16 values from
# quantiles of the normal distribution. Every 64 weights have a scale of their own there, so that the
# largest of them is an end of the grid and nothing lies beyond.

# %% [markdown]
# ## 6. K-means: weights that share a value
#
# *About 8 minutes.*
#
# **Weight sharing** ([Han et al., 2016](https://arxiv.org/abs/1510.00149)) stores a codebook of
# $2^b$ values and an index into it for each weight; k-means chooses the values. Lloyd's algorithm
# repeats two moves, neither of which can make the error larger: each weight goes to its nearest
# value, then each value goes to the mean of its weights. In one dimension the borders lie halfway
# between neighbours, so one step on our nine weights is three lines:

# %%
book = np.array([-3.0, 0.0, 3.0])
borders = (book[1:] + book[:-1]) / 2
index = np.searchsorted(borders, nine)
index, [nine[index == k].mean() for k in range(3)]

# %% [markdown]
# A layer has many weights and a step looks at all of them. But on *sorted* weights a cluster is an
# interval, and the sum of any interval is the difference of two prefix sums. A step then looks up
# the borders, and touches no other weight:

# %%
ordered = np.sort(layer, axis=None).astype(float)
sums = np.r_[0, np.cumsum(ordered)]


def cuts(book):
    """Where, among the sorted weights, each cluster begins, and the end."""
    return np.r_[0, np.searchsorted(ordered, (book[1:] + book[:-1]) / 2), len(ordered)]


# %%
def lloyd(book):
    begin = cuts(book)
    count = np.diff(begin)
    return np.where(count > 0, np.diff(sums[begin]) / np.maximum(count, 1), book)


# %% [markdown]
# Where to start? Evenly spaced values ignore where the weights are; values at quantiles seem
# clearly better. Two hundred steps from each:

# %%
def descend(book, steps=200):
    errors = []
    for _ in range(steps):
        errors.append(np.mean((np.repeat(book, np.diff(cuts(book))) - ordered) ** 2))
        book = lloyd(book)
    return np.array(errors) / np.var(ordered)


# %%
starts = {"evenly spaced": lambda k: np.linspace(ordered[0], ordered[-1], k),
          "at quantiles": lambda k: np.quantile(ordered, (np.arange(k) + 0.5) / k)}
paths = {(k, name): descend(start(k)) for k in (16, 256) for name, start in starts.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
optimum = {k: error_of(KMeansQuantizer(bits)) for k, bits in ((16, 4), (256, 8))}
figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.4))
for axes, k in zip(panels, (16, 256), strict=True):
    for (name, color, style) in (("evenly spaced", BLUE, "-"), ("at quantiles", RED, "--")):
        axes.plot(1 + np.arange(200), paths[k, name], style, color=color, label=f"start {name}")
    axes.axhline(optimum[k], color="black", linestyle=":", label="KMeansQuantizer of utils")
    axes.set(title=f"{k} values", xlabel="step of Lloyd's algorithm", xscale="log", yscale="log")
panels[0].set_ylabel("relative error")
panels[1].legend()
show(figure, alt="Relative error against Lloyd steps from two starts. "
     + " ".join(f"With {k} values, {name}: from {path[0]:.2g} to {path[-1]:.2g}."
                for (k, name), path in paths.items())
     + f" A dotted line shows the library's result, {optimum[16]:.2g} and {optimum[256]:.2g}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
even, spread_out = ({k: paths[k, name][-1] for k in (16, 256)} for name in starts)
worse, stuck = spread_out[256] / even[256], even[256] / optimum[256]
claim(worse > 1.5, "with 256 values the start at quantiles ends far above the even one")
claim(stuck > 1.5, "with 256 values the even start ends far above the quantizer of utils")

# %% [markdown]
# With 16 values the two starts end at {{ even[16]:.2g }} and {{ spread_out[16]:.2g }}. With 256, the start
# at quantiles ends at **{{ worse:.1f }} times** the error of the even start, and the better of the two
# still has {{ stuck:.1f }} times the error of the quantizer in `utils`. A start at quantiles has few
# values in the tails, and a value moves only when its own neighbourhood pulls it: to bring one from the
# middle to the tail, all those between would have to shift, one after the other.
#
# In one dimension we need not hope. Clusters are intervals, and if the best split of all weights
# up to $i$ into $k-1$ clusters is known for each $i$, the best split into $k$ follows: try every
# place where the last cluster may begin. That is **dynamic programming**. On a histogram there are
# few places to try, and prefix sums give the cost of each interval:

# %%
counts, edges = np.histogram(layer, bins=512)
centers = (edges[1:] + edges[:-1]) / 2
n, s, q = (np.r_[0, np.cumsum(counts * centers**power)] for power in (0, 1, 2))
size, total = (prefix - prefix[:, None] for prefix in (n, s))
cost = q - q[:, None] - total**2 / np.maximum(size, 1)  # cost[i, j]: bins i to j-1, one cluster
cost[np.tril_indices(513, -1)] = np.inf
best = cost[0]
for _ in range(15):  # best[j]: the first j bins in 2, 3 ... 16 clusters
    best = (best[:, None] + cost).min(axis=0)
best[-1] / layer.size / np.var(layer), paths[16, "at quantiles"][-1], optimum[16]

# %% [markdown]
# Ten lines, and the exact optimum of the histogram (in which every weight counts as the centre of
# its bin). The other two numbers are what Lloyd's algorithm reached from quantiles, and what `utils`
# reaches. For 256 values and millions of weights this table would be too large. So `utils` lets each
# border move only a limited way at a time, finds the best move of all borders together by dynamic
# programming, repeats that until nothing is gained, and finishes with Lloyd's algorithm. That ends
# near the optimum, without a proof that it is one. Now compare all four grids:

# %%
explore(
    draw_grid,
    describe_grid,
    scheme=Dropdown(options=["symmetric", "asymmetric", "percentile grid", "k-means"],
                    value="k-means"),
    bits=IntSlider(value=4, min=2, max=8),
)

# %% [markdown]
# Switch between the percentile grid and k-means at 4 bits and watch the lower panel. Then look for
# the number of bits from which even the plain ruler beats the percentile grid.
#
# <details><summary>Answer</summary>
#
# From 5 bits on. With many codes the ruler is fine enough everywhere, whereas the percentile grid still
# leaves the tails to a few of its codes. K-means puts its marks closer in the middle than in the tails,
# too, but not in proportion to the weights; each of its bins carries about the same share of the
# *error*.
#
# </details>

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim([bits for bits in range(2, 9)
       if error_of(AffineQuantizer(bits)) < error_of(PercentileQuantizer(bits))] == [5, 6, 7, 8],
      "from 5 bits on the plain ruler beats the percentile grid")

# %% [markdown]
# ## 7. Entropy coding: unused codes are cheap
#
# *About 8 minutes.*
#
# A code of 4 bits takes 4 bits only if we write all codes with the same length. If some are much
# more frequent, shorter words for those save space. No code can beat the **entropy** of the
# frequencies, $-\sum_k p_k \log_2 p_k$ bits per code ([Shannon,
# 1948](https://doi.org/10.1002/j.1538-7305.1948.tb01338.x)).

# %%
predict(
    "entropy",
    "The codes of our layer on a symmetric 4-bit ruler, min-max: what is their entropy?",
    "bits",
)

# %%
codes = AffineQuantizer(4).fit_transform(layer)
_, counts = np.unique(codes, return_counts=True)
p = counts / codes.size
reveal("entropy", -(p * np.log2(p)).sum(), "bits")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def coded(name, cls):
    quantizer = cls(4, entropy_coding=True)
    codes = quantizer.fit_transform(layers[name])
    limit, real = entropy(codes), 8 * len(quantizer.pack(codes)) / codes.size
    return SimpleNamespace(limit=limit, real=real, above=real / limit - 1)


kinds = {"symmetric, min-max": AffineQuantizer, "percentile grid": PercentileQuantizer,
         "k-means": KMeansQuantizer}
small, medium, large = (
    [coded(name, cls) for cls in kinds.values()]
    for name in ("output.weight", "gru.weight_hh_l0", "embedding.weight"))
claim(all(a.above > b.above > c.above for a, b, c in zip(small, medium, large, strict=True)),
      "the larger the matrix, the less the frequencies weigh")
claim(all(grid.limit > 3.99 > ruler.limit < kmeans.limit for ruler, grid, kmeans in
          (small, medium, large)),
      "the percentile grid gains nothing from coding, and the plain ruler gains most")

# %% [markdown]
# A real coder ([rANS](https://arxiv.org/abs/1311.2540), in `utils`) must also store the frequencies
# it uses. How close does it come?
#
# | 4 bits | weights | grid | entropy (bits) | rANS (bits) | above the entropy |
# |---|---:|---:|---:|---:|---:|
# | output.weight | {{ layers["output.weight"].size:, }} | symmetric, min-max | {{ small[0].limit:.3f }} | {{ small[0].real:.3f }} | {{ small[0].above:.1% }} |
# | output.weight | {{ layers["output.weight"].size:, }} | percentile grid | {{ small[1].limit:.3f }} | {{ small[1].real:.3f }} | {{ small[1].above:.1% }} |
# | output.weight | {{ layers["output.weight"].size:, }} | k-means | {{ small[2].limit:.3f }} | {{ small[2].real:.3f }} | {{ small[2].above:.1% }} |
# | gru.weight_hh_l0 | {{ layers["gru.weight_hh_l0"].size:, }} | symmetric, min-max | {{ medium[0].limit:.3f }} | {{ medium[0].real:.3f }} | {{ medium[0].above:.1% }} |
# | gru.weight_hh_l0 | {{ layers["gru.weight_hh_l0"].size:, }} | percentile grid | {{ medium[1].limit:.3f }} | {{ medium[1].real:.3f }} | {{ medium[1].above:.1% }} |
# | gru.weight_hh_l0 | {{ layers["gru.weight_hh_l0"].size:, }} | k-means | {{ medium[2].limit:.3f }} | {{ medium[2].real:.3f }} | {{ medium[2].above:.1% }} |
# | embedding.weight | {{ layers["embedding.weight"].size:, }} | symmetric, min-max | {{ large[0].limit:.3f }} | {{ large[0].real:.3f }} | {{ large[0].above:.1% }} |
# | embedding.weight | {{ layers["embedding.weight"].size:, }} | percentile grid | {{ large[1].limit:.3f }} | {{ large[1].real:.3f }} | {{ large[1].above:.1% }} |
# | embedding.weight | {{ layers["embedding.weight"].size:, }} | k-means | {{ large[2].limit:.3f }} | {{ large[2].real:.3f }} | {{ large[2].above:.1% }} |
#
# The larger the matrix, the less the frequencies weigh. The percentile grid gains nothing: equally
# frequent codes are incompressible. The plain ruler gains most, because it wasted most. So compare
# again, at equal bits *after* coding:

# %%
after = {
    kind: [(entropy(cls(bits).fit_transform(layer)), error_of(cls(bits))) for bits in range(3, 9)]
    for kind, cls in kinds.items()
}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True)
for (kind, points), color, marker in zip(after.items(), (BLUE, RED, GREEN), "os^", strict=True):
    spent, errors = np.array(points).T
    panels[0].plot(range(3, 9), errors, marker=marker, color=color, label=kind)
    panels[1].plot(spent, errors, marker=marker, color=color, label=kind)
panels[0].set(yscale="log", ylabel="relative error", xlabel="bits per weight, fixed length",
              xlim=(1, 8.3))
panels[1].set(xlabel="entropy of the codes (bits per weight)", xlim=(1, 8.3))
panels[0].legend()
show(figure, alt="Relative error against bits per weight for three grids with 3 to 8 bits. At "
     "fixed length k-means is lowest. Against the entropy of the codes, the points of the "
     "plain ruler move far to the left, those of the percentile grid stay.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
spent, errors = np.array(after["k-means"]).T
ruler_spent, ruler_errors = np.array(after["symmetric, min-max"]).T
at_ruler = np.exp(np.interp(spent[1], ruler_spent, np.log(ruler_errors)))
at_8 = [points[-1][1] for points in after.values()]
claim(at_ruler < 0.9 * errors[1], "at equal entropy the plain ruler has a smaller error than k-means")
claim(max(at_8) > 3 * min(at_8), "at 8 bits one grid has several times the error of another")

# %% [markdown]
# At the entropy of 4-bit k-means ({{ spent[1]:.2f }} bits), k-means has the error {{ errors[1]:.2g }} and
# the ruler, with more codes, {{ at_ruler:.2g }} (interpolated). **Entropy coding turns the order round**:
# many marks, most of them hardly used, cost little once codes may have different lengths. That is a law,
# too: of all grids with the same entropy, if their steps are small, the one with equal steps has the
# least squared error ([Gish and Pierce, 1968](https://doi.org/10.1109/TIT.1968.1054193)). K-means is the
# best grid for codes of fixed length, which packing, table look-up and integer arithmetic all want.
#
# ### A step, and no range
#
# Take the law at its word. If codes are going to be coded, neither bits nor a range need to be chosen:
# lay marks one *step* apart, as far as there are weights. Nothing is clipped. A weight far out has a rare
# code, which is long, but it is paid for once.

# %%
def stepped(step):
    return AffineQuantizer(step=step, entropy_coding=True)  # in standard deviations of the weights


quantizer = stepped(0.5)
codes = quantizer.fit_transform(layer)
codes.min(), codes.max(), entropy(codes), 8 * quantizer.nbytes(codes) / codes.size, error_of(quantizer)

# %% [markdown]
# How good can any code be? For numbers from a bell curve there is a bound: with $R$ bits a number, the
# relative error cannot be below $2^{-2R}$ (theorem 10.3.2 of Cover and Thomas, *Elements of
# Information Theory*, 2006). Against this bound, on a bell curve and on our layer:

# %%
def rates(weights):
    """For each kind: bits a number, and relative error."""
    widths = range(2, 7)
    kinds = {"uniform, least squared error": lambda bits: AffineQuantizer(bits, calibration="mse"),
             "percentile grid": PercentileQuantizer, "k-means": KMeansQuantizer}
    found = {kind: [(bits, error_of(cls(bits), weights)) for bits in widths]
             for kind, cls in kinds.items()}
    for kind, grids in (("k-means, entropy-coded", map(KMeansQuantizer, widths)),
                        ("uniform step, entropy-coded", map(stepped, np.geomspace(1.6, 0.06, 14)))):
        found[kind] = [(entropy(grid.fit_transform(weights)), error_of(grid, weights))
                       for grid in grids]
    return {kind: np.array(points, dtype=float).T for kind, points in found.items()}


curves = {"a bell curve": rates(bell[:100_000]), "gru.weight_hh_l0": rates(layer)}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(9.5, 4.2), sharey=True, sharex=True)
STYLES = (("s:", PINK), ("^:", RED), ("o:", GREEN), ("o-", GREEN), (".-", BLUE))
for axes, (name, found) in zip(panels, curves.items(), strict=True):
    for (kind, (bits, errors)), (style, color) in zip(found.items(), STYLES, strict=True):
        axes.plot(bits, errors, style, color=color, label=kind)
    axes.plot([1, 6], [4**-1, 4**-6], "--", color="black", label="bound of the bell curve")
    axes.set(title=name, yscale="log", xlim=(1, 6.2), ylim=(1e-4, 0.5), xlabel="bits a number")
panels[0].set_ylabel("relative error")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
show(figure, alt="Relative error against bits a number, on a bell curve and on the layer. Dotted, with "
     "codes of a fixed length: from 3 bits on the percentile grid is highest, k-means lowest. Solid, after "
     "entropy coding: k-means is further left, and equal steps are lowest of all. A dashed line is the "
     "least error of any code for a bell curve, 2 to the power of minus twice the bits: equal steps run "
     "a quarter of a bit beside it in both panels.")

# %%
COMPARED = ("k-means", "uniform step, entropy-coded")


def at_four_bits(source):
    """Relative errors of k-means and of coded steps, and how many bits these are from the bound."""
    errors = [np.exp(np.interp(4, bits, np.log(errors)))
              for bits, errors in map(curves[source].get, COMPARED)]
    return SimpleNamespace(kmeans=errors[0], steps=errors[1], to_bound=4 + np.log2(errors[1]) / 2)


on_bell, on_layer = map(at_four_bits, curves)
on_bell, on_layer

# %% [markdown]
# On the bell curve, at 4 bits a number, equal steps have an error of {{ on_bell.steps:.4f }}, k-means with
# codes of 4 bits {{ on_bell.kmeans:.4f }}: {{ 1 - on_bell.steps / on_bell.kmeans:.0%}} less. And they run
# {{ on_bell.to_bound:.2f }} bits beside the bound ({{ on_layer.to_bound:.2f }} on our layer). Theory says 0.25
# while errors are small, and no grid of single numbers, however clever, gets closer when coded (Gish and
# Pierce). What is left can only be had with several numbers at once, the subject of unit 04.
#
# What is it worth in bytes? The word vectors of the file, once by entropy-coded k-means and once with the
# step that has the same error:

# %%
def same_error(bits, weights=vectors):
    """Bytes of entropy-coded k-means, of the step with its error, and that step."""
    kmeans = KMeansQuantizer(bits, entropy_coding=True)
    wanted = error_of(kmeans, weights)
    low, high = 0.05, 3.0
    for _ in range(12):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if error_of(stepped(middle), weights) < wanted else (low, middle)
    sizes = [grid.nbytes(grid.transform(weights)) for grid in (kmeans, stepped(low).fit(weights))]
    return *sizes, low


same = {bits: same_error(bits) for bits in (2, 3, 4)}
fewer = {bits: 1 - step / kmeans for bits, (kmeans, step, _) in same.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(min(fewer.values()) > 0.03, "at the error of k-means equal steps take fewer bytes")
claim(on_bell.steps < 0.7 * on_bell.kmeans, "at 4 bits equal steps have a far smaller error than k-means")
claim(all(0.2 < one.to_bound < 0.3 for one in (on_bell, on_layer)),
      "equal steps run a quarter of a bit beside the bound")

# %% [markdown]
# | k-means with | bytes, entropy-coded | equal steps of | bytes | fewer |
# |---|---:|---:|---:|---:|
# | 4 bits | {{ same[4][0]:, }} | {{ same[4][2]:.2f }} standard deviations | {{ same[4][1]:, }} | {{ fewer[4]:.1%}} |
# | 3 bits | {{ same[3][0]:, }} | {{ same[3][2]:.2f }} standard deviations | {{ same[3][1]:, }} | {{ fewer[3]:.1%}} |
# | 2 bits | {{ same[2][0]:, }} | {{ same[2][2]:.2f }} standard deviations | {{ same[2][1]:, }} | {{ fewer[2]:.1%}} |
#
# The simplest of all grids, in two lines of code, and the smallest. **Size follows entropy, not bits.**
# The price: a code has no place of its own any more. To decode one weight, all those before it must be
# decoded, so a table that is read word by word from the disk, or multiplied as it lies in memory, keeps
# codes of a fixed length.

# %% [markdown]
# ## 8. What it does to F1 and to the file
#
# *About 8 minutes.*
#
# An error of weights is not an error of predictions. So here are recorded measurements: Models 1
# and 2, every matrix quantized after training, biases in float16, thresholds tuned on dev once more.
# Bytes are those of the whole file, scales, codebooks and words included. The file is compressed as
# a whole, float32 too. We choose on dev and report test.

# %%
LINEAR, MODEL_1, MODEL_2 = "sparse linear", "Model 1 (mean vectors)", "Model 2 (GRU)"
RULER = "affine, symmetric"
BY = ("method", "setting", "scheme", "bits")


def means(split, value="macro_f1", **filters):
    """Over the seeds, for each method, setting, scheme and bits."""
    records = load_records("quantization", experiment="models", split=split, **filters)
    return {tuple(row[key] for key in BY): row for row in summarise(records, value, by=BY)}


f1, dev_f1 = means("test"), means("dev")
file_size = {key: row["mean"] for key, row in means("test", "file_bytes").items()}

# %%
predict(
    "smallest",
    "Of all schemes and bits tried on Model 2, take the smallest file that loses at most one point "
    "(0.01) of macro-F1 on dev. What share of the float32 file is it?",
    "%",
)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def of(method):
    return {key: row for key, row in f1.items() if key[0] == method}


def unquantized(method):
    return max(of(method), key=lambda key: key[3])  # the one with the most bits


def name(key):
    return key[2] if key[2] == "float32" else f"{key[2]}, {key[3]} bits"


def smallest_within(method, loss=0.01):
    floor = dev_f1[unquantized(method)]["mean"] - loss
    return min((key for key in of(method) if dev_f1[key]["mean"] >= floor), key=file_size.get)


# %% jupyter={"source_hidden": true} tags=["hide-input"]
chosen, whole, linear = smallest_within(MODEL_2), unquantized(MODEL_2), unquantized(LINEAR)
spread = SimpleNamespace(**f1[whole])
shipped = load_records("efficiency", experiment="models", method=MODEL_2,
                       setting="GRU-64, distilled vectors", split="test")
unit_01 = {field: summarise(shipped, field)[0]["mean"] for field in ("file_bytes", "macro_f1")}
reveal("smallest", 100 * file_size[chosen] / file_size[whole], "%")
claim(spread.n > 1, "several trainings in float32 were measured")

# %% [markdown]
# It is **{{ name(chosen) }}**: {{ human_bytes(file_size[chosen]) }} instead of
# {{ human_bytes(file_size[whole]) }}, macro-F1 on test {{ f1[chosen]["mean"]:.3f }} instead of
# {{ spread.mean:.3f }}. For comparison, {{ spread.n }} trainings in float32 differ among themselves by
# {{ spread.max - spread.min:.3f }}. But nobody ships float32: the file of unit 01, with its word vectors in
# 8 bits and the rest in float16, has {{ human_bytes(unit_01["file_bytes"]) }} and scores
# {{ unit_01["macro_f1"]:.3f }} in the mean. Against that one, ours is
# {{ unit_01["file_bytes"] / file_size[chosen]:.1f }} times smaller.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_tradeoff(method, scheme, lowest):
    """Macro-F1 against bytes: one scheme and the plain ruler in colour, the others grey."""
    figure, axes = plt.subplots(figsize=(9, 4.6))
    quantized = [key for key in of(method) if key[3] < 32]
    grey = dict(color=plots.GREY, marker=".", linewidth=0.7, alpha=0.5, label="other schemes")
    drawn = {other: grey for other in dict.fromkeys(key[2] for key in quantized)}
    drawn[RULER] = dict(color=BLUE, marker="o", linestyle="--", capsize=3, label=RULER)
    drawn[scheme] = dict(color=RED, marker="s", capsize=3, label=scheme)
    for other, style in drawn.items():
        rows = [(file_size[key], f1[key]) for key in quantized if key[2] == other]
        size, mean = [x for x, _ in rows], np.array([row["mean"] for _, row in rows])
        ends = [mean - [row["min"] for _, row in rows], [row["max"] for _, row in rows] - mean]
        axes.errorbar(size, mean, None if style is grey else np.maximum(ends, 0), **style)
    for key, line in ((linear, "--"), (unquantized(method), ":")):
        axes.axhline(f1[key]["mean"], color="black", linestyle=line, linewidth=1.2,
                     label=f"{key[0]}, {key[2]} ({human_bytes(file_size[key])})")
    axes.set(title=method, xlabel="whole file", ylabel="macro-F1 (test)", xlim=(0, None),
             ylim=(lowest, None))
    axes.xaxis.set_major_formatter(plots.human_bytes)
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    axes.legend(unique.values(), unique.keys(), loc="lower right")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_tradeoff(method, scheme, lowest):
    shown = "; ".join(f"{name(key)}: {row['mean']:.3f} with {human_bytes(file_size[key])}"
                      for key, row in of(method).items() if key[2] in (RULER, scheme))
    return (f"{method}: macro-F1 on test, from {lowest} up, against file size, with bars from the "
            f"lowest to the highest seed. In colour {shown}. Grey: the other schemes. Lines mark "
            f"float32, {f1[unquantized(method)]['mean']:.3f}, and the sparse linear baseline, "
            f"{f1[linear]['mean']:.3f} with {human_bytes(file_size[linear])}.")


# %%
explore(draw_tradeoff, describe_tradeoff, method=Dropdown(options=[MODEL_2, MODEL_1]),
        scheme=Dropdown(options=list(dict.fromkeys(key[2] for key in of(MODEL_2) if key[3] < 32)),
                        value="k-means"),
        lowest=SelectionSlider(options=[0.2, 0.4, 0.5, 0.56], value=0.5,
                               description="F1 axis from"))

# %% [markdown]
# From left to right the points of a scheme have 2, 3, 4 and 8 bits; those below the axis have left
# the picture. All numbers:

# %% jupyter={"source_hidden": true} tags=["hide-input"]
# A row for each scheme that was measured.
quantized = {key[2:]: f"{row['mean']:.3f} ({human_bytes(file_size[key])})"
             for key, row in of(MODEL_2).items() if key[2] != "float32"}
widths = sorted({bits for _, bits in quantized}, reverse=True)
rows = [["macro-F1 (whole file)", *(f"{bits} bits" for bits in widths)],
        ["---", *["---:"] * len(widths)]]
rows += [[scheme, *(quantized.get((scheme, bits), "") for bits in widths)]
         for scheme in dict.fromkeys(scheme for scheme, _ in quantized)]
display(Markdown("\n".join(f"| {' | '.join(row)} |" for row in rows)))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
points = {scheme: {key[3]: (file_size[key], row["mean"]) for key, row in of(MODEL_2).items()
                   if key[2] == scheme} for scheme in (RULER, "k-means")}
size, score = points["k-means"][2]
ruler_size, ruler_score = points[RULER][2]
by_size = np.interp(size, *zip(*sorted(points[RULER].values()), strict=True))
light, *_, heavy = sorted((key for key in of(MODEL_2) if key[3] == 4), key=file_size.get)
claim(score - ruler_score > 2 * (score - by_size) > 0,
      "k-means is ahead of the plain ruler at 2 bits, and by less than half of that at equal size")
claim((light[2], heavy[2]) == (RULER, "percentile grid"),
      "at 4 bits the plain ruler has the smallest file, the percentile grid the largest")

# %% [markdown]
# Model 2, mean over seeds: {{ spread.n }}. In float32: {{ spread.mean:.3f }}
# ({{ human_bytes(file_size[whole]) }}).
#
# **Question.** How far is k-means ahead of the plain ruler (*affine, symmetric*) at 2 bits, and how
# far in a file of the same size?
#
# <details><summary>Answer</summary>
#
# At 2 bits by {{ score - ruler_score:.3f }}. But its file has {{ human_bytes(size) }}, and the ruler's
# {{ human_bytes(ruler_size) }}. On the line between the ruler's points that size has about
# {{ by_size:.3f }}, so at equal size k-means is ahead by {{ score - by_size:.3f }}.
#
# </details>
#
# Equal bits are not equal bytes. At 4 bits the files go from {{ human_bytes(file_size[light]) }}
# (affine, symmetric) to {{ human_bytes(file_size[heavy]) }} (percentile grid). The reason is section 7:
# the file is compressed as a whole, so its size follows the entropy of the codes, whatever their width.
# The marks of a 4-bit ruler are far apart, most of its codes are hardly ever used, and it is really a
# quantizer of {{ ruler_spent[1]:.1f }} bits (on our layer); k-means spreads its codes over the weights and
# spends {{ spent[1]:.1f }}. The ruler's file is smaller for the same reason for which its error is larger.
# So **compare at equal bytes**.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
beaten = [key for key in of(MODEL_2) if f1[key]["mean"] < f1[linear]["mean"]]
tiny = smallest_within(LINEAR)
factor = file_size[chosen] / file_size[linear]

# %% [markdown]
# Of {{ len(quantized) }} quantized networks, {{ len(beaten) }} score below the **sparse linear baseline**
# ({{ f1[linear]["mean"]:.3f }}), whose file is {{ factor:,.0f }} times smaller than the one chosen above.
# And the baseline shrinks, too. By the same rule: from {{ human_bytes(file_size[linear]) }} to
# {{ human_bytes(file_size[tiny]) }} with macro-F1 {{ f1[tiny]["mean"]:.3f }} ({{ name(tiny) }}).

# %% jupyter={"source_hidden": true} tags=["hide-input"]
before = means("test", "macro_f1_old_thresholds", method=MODEL_2)
regained = {key: row["mean"] - before[key]["mean"] for key, row in of(MODEL_2).items()}
most = max(regained, key=regained.get)
at_8 = sorted(regained[key] for key in regained if key[3] == 8)
claim(regained[most] > 0.05, "thresholds tuned again can regain more than 0.05 of macro-F1")
claim(at_8[0] < 0 < at_8[-1], "with 8 bits, tuning again gains with some schemes and costs with others")

# %% [markdown]
# Thresholds count as well. With those of float32, {{ name(most) }} would score
# {{ before[most]["mean"]:.3f }} and not {{ f1[most]["mean"]:.3f }}: coarse weights move the
# probabilities, and new thresholds follow. With 8 bits, tuning again changes macro-F1 by
# {{ at_8[0]:+.3f }} to {{ at_8[-1]:+.3f }}. It can cost something, because thresholds are tuned on dev,
# and where hardly any probability has moved they mostly follow the chance of that sample.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
ruler, shifted = ({record["seed"]: record["macro_f1"] for record in load_records(
    "quantization", experiment="models", split="test", method=MODEL_2, scheme=scheme, bits=8)}
    for scheme in (RULER, "affine, asymmetric"))
change = [shifted[seed] - ruler[seed] for seed in sorted(ruler)]
changes = ", ".join(f"{value:+.4f}" for value in change)
range_8, range_2 = (np.ptp([row["mean"] for key, row in of(MODEL_2).items() if key[3] == bits])
                    for bits in (8, 2))
claim(range_2 > 10 * range_8, "the schemes differ far more at 2 bits than at 8")
claim(gain[8] > 1 and min(change) < 0, "less error at 8 bits is no promise of a better score")

# %% [markdown]
# The best and the worst scheme differ by {{ range_2:.3f }} of macro-F1 at 2 bits, and by
# {{ range_8:.3f }} at 8. And at 8 bits less error is no promise of a better score: the asymmetric ruler,
# whose error was smaller in section 2, changes macro-F1 against the symmetric one by {{ changes }}
# (training by training).
#
# **Think.** At 8 bits, too, one scheme has several times the relative error of another (section 7).
# Why does so little of that show in F1?
#
# <details><summary>Answer</summary>
#
# A prediction changes only when a probability crosses its threshold. Rounding errors of many
# weights are added up in every output and partly cancel, and what is left at 8 bits is small beside
# the usual distance from a threshold. Several times very little is still little: there, choose by
# bytes and speed. As errors grow, more comments come within their reach, and labels change.
#
# </details>

# %% [markdown]
# ### Equal steps in whole files
#
# Section 7 counted the bytes of one table. Here is every matrix of Model 2 by equal steps, and by k-means,
# both entropy-coded, all else alike, measured in one run. Steps are in standard deviations of each matrix.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
STEPPED, CODED = "uniform, entropy-coded", "k-means, entropy-coded"
in_files = load_records("quantization", experiment="steps", split="test", method=MODEL_2)


def points_of(scheme):
    """Bytes of the file and macro-F1 for each setting of a scheme: mean, lowest and highest seed."""
    rows = [row for row in in_files if row["scheme"] == scheme]
    return {row["setting"]: SimpleNamespace(bytes=size["mean"], mean=row["mean"], min=row["min"],
                                            max=row["max"])
            for row, size in zip(summarise(rows), summarise(rows, "file_bytes"), strict=True)}


# %% jupyter={"source_hidden": true} tags=["hide-input"]
exact = points_of("float32")["float32"]
figure, axes = plt.subplots(figsize=(9, 4.2))
for scheme, color, marker in ((CODED, RED, "s"), (STEPPED, BLUE, "o")):
    points = list(points_of(scheme).values())
    ends = [[one.mean - one.min for one in points], [one.max - one.mean for one in points]]
    axes.errorbar([one.bytes for one in points], [one.mean for one in points], ends, color=color,
                  marker=marker, capsize=3, label=scheme)
axes.axhline(exact.mean, color="black", linestyle=":",
             label=f"Model 2 in float32 ({human_bytes(exact.bytes)})")
axes.axhline(f1[linear]["mean"], color="black", linestyle="--",
             label=f"sparse linear, float16 ({human_bytes(file_size[linear])})")
axes.set(xlabel="whole file", ylabel="macro-F1 (test)")
axes.xaxis.set_major_formatter(human_bytes)
axes.legend(loc="lower right")
show(figure, alt="Macro-F1 on test against the bytes of the whole file, with bars from the lowest to the "
     "highest seed. " + " ".join(f"{setting}: {human_bytes(one.bytes)}, {one.mean:.3f}."
                                 for scheme in (CODED, STEPPED)
                                 for setting, one in points_of(scheme).items())
     + f" Lines mark float32, {exact.mean:.3f}, and the sparse linear baseline, "
     f"{f1[linear]['mean']:.3f}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
pairs, in_steps, coded = {}, points_of(STEPPED), points_of(CODED)
for bits in (4, 3, 2):
    rows = [row for row in in_files if row.get("kmeans_bits") == bits]
    step, other = in_steps[rows[0]["setting"]], coded[f"{CODED}, {bits} bits"]
    differences = [row["difference_to_kmeans"] for row in rows]
    clear = sum(row["difference_to_kmeans_low"] > 0 or row["difference_to_kmeans_high"] < 0
                for row in rows)
    pairs[bits] = SimpleNamespace(
        step=rows[0]["step"], bytes=human_bytes(step.bytes), f1=step.mean, clear=clear,
        kmeans_bytes=human_bytes(other.bytes), kmeans_f1=other.mean, saved=1 - step.bytes / other.bytes,
        mean=np.mean(differences), seeds=", ".join(f"{value:+.3f}" for value in differences))
claim(min(pair.saved for pair in pairs.values()) > 0, "equal steps take fewer bytes in every file")

# %% [markdown]
# | k-means with | whole file | macro-F1 | steps of | whole file | macro-F1 | fewer bytes | macro-F1 against k-means, seed by seed |
# |---|---:|---:|---:|---:|---:|---:|---|
# | 4 bits | {{ pairs[4].kmeans_bytes }} | {{ pairs[4].kmeans_f1:.3f }} | {{ pairs[4].step:g }} | {{ pairs[4].bytes }} | {{ pairs[4].f1:.3f }} | {{ pairs[4].saved:.1%}} | {{ pairs[4].seeds }} |
# | 3 bits | {{ pairs[3].kmeans_bytes }} | {{ pairs[3].kmeans_f1:.3f }} | {{ pairs[3].step:g }} | {{ pairs[3].bytes }} | {{ pairs[3].f1:.3f }} | {{ pairs[3].saved:.1%}} | {{ pairs[3].seeds }} |
# | 2 bits | {{ pairs[2].kmeans_bytes }} | {{ pairs[2].kmeans_f1:.3f }} | {{ pairs[2].step:g }} | {{ pairs[2].bytes }} | {{ pairs[2].f1:.3f }} | {{ pairs[2].saved:.1%}} | {{ pairs[2].seeds }} |
#
# Equal steps take fewer bytes in each pair, though the words, which are part of the file, stay as they are.
# On the same comments, by the paired bootstrap of unit 01, macro-F1 changes by {{ pairs[4].mean:+.3f }},
# {{ pairs[3].mean:+.3f }} and {{ pairs[2].mean:+.3f }} on average; with {{ pairs[4].clear }},
# {{ pairs[3].clear }} and {{ pairs[2].clear }} of {{ spread.n }} seeds the interval leaves out 0.

# %% [markdown]
# ## 9. Computing with the codes
#
# *About 4 minutes.*
#
# So far codes were decoded before use. Integers can also be multiplied as they are. Let an input
# have the codes $q$ with scale $s$ and zero point $z$, and a symmetric matrix the codes $W$ with a
# scale for each row, $t_j$. Then
#
# $$y_j = \sum_i t_j W_{ji} \cdot s\,(q_i - z)
#      = s\,t_j \Big(\sum_i W_{ji}\, q_i - z \sum_i W_{ji}\Big)$$
#
# In the brackets are integers only, and $\sum_i W_{ji}$ is known beforehand. By hand:

# %%
q, s, z = np.array([3, 0, 5]), 0.5, 1  # the input 1.0, -0.5, 2.0
W, t = np.array([[2, -1, 3], [0, 4, -2]]), np.array([0.1, 0.25])
whole_numbers = W @ q - z * W.sum(axis=1)  # 21 - 4 and -10 - 2
simulated = (t[:, None] * W) @ (s * (q - z))
whole_numbers, s * t * whole_numbers, simulated

# %% [markdown]
# The same, whether integers are scaled at the end or decoded numbers are multiplied: a *simulation*
# in floating point tells what integer hardware will answer. It is also clear now why weights are
# stored symmetrically: another zero point would add another sum.
#
# An input is not known beforehand, so its range has to come from somewhere. **Static** quantization
# calibrates it on a sample of texts. **Dynamic** quantization looks at each input when it arrives:
# no calibration to go wrong, but a search for minimum and maximum every time. Both, for all of
# Model 2, with activations at 8 bits and weights at 8 or fewer:

# %%
texts = load_sample("test").texts
sample_ids = torch.from_numpy(model.tokenizer.encode(load_sample("train").texts[:200], 27))
decisions = model.predict(texts)


# %%
def changed(bits, sample=None):
    """Share of decisions (a comment and a label) that integer arithmetic changes."""
    network = quantize_network(model.network, bits, sample=sample)
    integer = NeuralClassifier(network, model.tokenizer, model.taxonomy, model.label_names,
                               model.thresholds, length=model.length)
    return np.mean(integer.predict(texts) != decisions)


# %%
flips = {bits: (changed(bits), changed(bits, sample_ids)) for bits in (8, 6, 4, 3, 2)}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
exact = quantize_network(model.network, 8).output
random = torch.from_numpy(np.random.default_rng(0).random((50, 256), dtype=np.float32))
with torch.inference_mode():
    mismatch = (exact(random) - exact.simulate(random)).abs().max().item()
claim(mismatch < 1e-5, "integer result and simulation differ by the rounding of float32")

# %% [markdown]
# | bits of the weights | dynamic: decisions changed | static: decisions changed |
# |---|---:|---:|
# | 8 | {{ flips[8][0]:.2% }} | {{ flips[8][1]:.2% }} |
# | 6 | {{ flips[6][0]:.2% }} | {{ flips[6][1]:.2% }} |
# | 4 | {{ flips[4][0]:.2% }} | {{ flips[4][1]:.2% }} |
# | 3 | {{ flips[3][0]:.2% }} | {{ flips[3][1]:.2% }} |
# | 2 | {{ flips[2][0]:.2% }} | {{ flips[2][1]:.2% }} |
#
# Of {{ decisions.size:, }} decisions on comments of the course sample. The output layer's integer result
# and its simulation differ by {{ mismatch:.0e }} at most, the rounding of float32. (The file we loaded
# keeps its word vectors in 8 bits already, so the first row says little about *them*.)

# %% [markdown]
# ## 10. Is it faster?
#
# *About 4 minutes.*
#
# A quarter of the bytes to read, cheaper multiplications: int8 ought to be faster. Recorded with
# one thread, from ids to states, for word vectors and a GRU with 300 inputs and 128 units. (That is
# not Model 2, whose GRU is smaller and runs both ways.) Each library is compared with its own
# float32, or else we would measure the library:

# %%
FLOAT32 = {"our int8": "float32, PyTorch", "PyTorch's int8 (torch.ao)": "float32, PyTorch",
           "onnxruntime's int8": "float32, onnxruntime"}
rows = summarise(load_records("quantization", experiment="latency"), "latency_ms_p50",
                 by=("method", "batch_size"))
p50 = {(row["method"], row["batch_size"]): row["mean"] for row in rows}
ratio = {(name, batch): ms / p50[FLOAT32[name], batch]
         for (name, batch), ms in p50.items() if name in FLOAT32}

# %%
predict(
    "int8-latency",
    "One text at a time: the median latency of our int8 GRU, divided by that of float32? "
    "(Below 1 is faster.)",
    "times",
)

# %%
reveal("int8-latency", ratio["our int8", 1], "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
OURS, TORCH, ONNX = FLOAT32
claim({key for key in ratio if ratio[key] > 1.05} == {(OURS, 1), (ONNX, 1)},
      "one text at a time, our int8 and onnxruntime's are slower than float32, and nothing else is")
claim({key for key in ratio if ratio[key] < 0.95} == {(TORCH, 1), (OURS, 64), (TORCH, 64)},
      "PyTorch's int8 is faster than float32, and so is ours in batches of 64")

# %% [markdown]
# | p50 in ms (times its float32) | batch of 1 | batch of 64 |
# |---|---:|---:|
# | our int8 | {{ p50[OURS, 1]:.3g }} ({{ ratio[OURS, 1]:.2f }}) | {{ p50[OURS, 64]:.3g }} ({{ ratio[OURS, 64]:.2f }}) |
# | PyTorch's int8 (torch.ao) | {{ p50[TORCH, 1]:.3g }} ({{ ratio[TORCH, 1]:.2f }}) | {{ p50[TORCH, 64]:.3g }} ({{ ratio[TORCH, 64]:.2f }}) |
# | onnxruntime's int8 | {{ p50[ONNX, 1]:.3g }} ({{ ratio[ONNX, 1]:.2f }}) | {{ p50[ONNX, 64]:.3g }} ({{ ratio[ONNX, 64]:.2f }}) |
# | float32, PyTorch | {{ p50["float32, PyTorch", 1]:.3g }} | {{ p50["float32, PyTorch", 64]:.3g }} |
# | float32, onnxruntime | {{ p50["float32, onnxruntime", 1]:.3g }} | {{ p50["float32, onnxruntime", 64]:.3g }} |
#
# **Slower than float32:** with one text, our int8 ({{ ratio[OURS, 1]:.2f }} times) and onnxruntime's
# ({{ ratio[ONNX, 1]:.2f }} times). **Faster:** PyTorch's int8, with one text ({{ ratio[TORCH, 1]:.2f }}
# times) and in batches of 64 ({{ ratio[TORCH, 64]:.2f }} times), and our int8 in batches of 64
# ({{ ratio[OURS, 64]:.2f }} times). Within 5% we call it no difference.
#
# Integer products are only part of the work. Each step of a GRU also has to find the range of its
# input, round, scale the result back and compute sigmoids in floating point, and each of these is a
# call of its own unless somebody wrote one kernel for all. For one short text, such fixed costs
# easily outweigh what the products save. And some libraries do not quantize what you think:
# [onnxruntime leaves the GRU as it is](https://github.com/microsoft/onnxruntime/issues/9796) and
# shrinks the embedding. **Smaller is certain, faster has to be measured**, on the machine that will
# run it.

# %% [markdown]
# ## 11. What you have learned
#
# *About 3 minutes, with the quiz.*

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim((min(ratio, key=ratio.get), max(ratio, key=ratio.get)) == ((TORCH, 64), (OURS, 1)),
      "int8 gains most with PyTorch's in batches of 64 and loses most with ours and one text")
recorded = "; ".join(sorted({
    f"{run['date']}, PyTorch {run['versions']['torch']}, {run['machine']['processor']}, "
    f"data: {run['data']['kind']}" for run in load_runs("quantization")}))

# %% [markdown]
# - **Weights are a distribution.** {{ shares[2]:.0% }} of our layer lies in the middle fifth of its range,
#   {{ shares[0] + shares[4]:.2% }} in the outer two.
# - **Clipping is a trade.** Look at the squared error: the 99th percentile multiplies it by
#   {{ clip[8]:.2g }} at 8 bits and divides it by {{ 1 / clip[4]:.2g }} at 4.
# - **Outliers have an address.** A scale per row makes the error {{ one_scale / row_scales:.1f }} times
#   smaller, for {{ state["row"].bits:.2f }} bits a weight rather than {{ state["one"].bits:.2f }}.
# - **Decode by the mean.** On a bell curve, with 256 bins, middles have {{ by_middle / by_mean:.1f }} times
#   its error.
# - **K-means needs a good start, or none.** From quantiles it ends at
#   {{ spread_out[256] / optimum[256]:.0f }} times the error of `utils`, with 256 values.
# - **Size follows entropy, not bits.** A 4-bit ruler's codes have {{ ruler_spent[1]:.2f }} bits of
#   entropy; equal steps without clipping, coded, take {{ fewer[4]:.0% }} fewer bytes than 4-bit k-means,
#   coded, with the same error.
# - **F1 notices late.** With {{ name(chosen) }}, Model 2 is
#   {{ unit_01["file_bytes"] / file_size[chosen]:.1f }} times smaller than the file of unit 01, and its
#   macro-F1 on test changes by {{ f1[chosen]["mean"] - spread.mean:+.3f }} against float32.
# - **Faster has to be measured.** int8 takes from {{ ratio[TORCH, 64]:.2f }} times (PyTorch's int8, batch of
#   64) to {{ ratio[OURS, 1]:.2f }} times (our int8, batch of 1) as long as float32.
#
# Recorded measurements: {{ recorded }}.

# %% [markdown]
# **Check yourself.** Five questions; each option answers back.

# %%
quiz(
    "A layer is quantized asymmetrically with 4 bits over the range from -1 to 2. What is the "
    "scale?",
    {
        "3 / 16": "16 codes have 15 steps between them.",
        "3 / 15": "Fifteen steps cover the range of 3, so a step is 0.2 and the zero point is 5.",
        "2 / 7": "That is the symmetric scale: from -2 to 2 in 14 steps.",
    },
    answer="3 / 15",
)

# %%
quiz(
    "You clipped at the 99th percentile at 4 bits and gained. A colleague does the same at 8 bits. "
    "What do you expect?",
    {
        "The same gain.":
            "Rounding falls with the bits and clipping does not, so the balance moves.",
        "A smaller error still, since 8 bits round less.":
            "Less than at 4 bits, yes. But compare with 8 bits unclipped, as one should.",
        "Probably a loss: at 8 bits hardly any rounding is left to save.":
            "The clipping error stays as it was, and now it dominates. Search for the range, or "
            "take min-max.",
    },
    answer="Probably a loss: at 8 bits hardly any rounding is left to save.",
)

# %%
quiz(
    "Every code of a percentile grid is used equally often. What follows?",
    {
        "It has the least squared error.":
            "Equal use is not equal error: the outermost bins are wide, and hold most of it.",
        "Entropy coding cannot shrink its codes.":
            "Equal frequencies have the largest entropy possible, so fixed length is best already.",
        "It needs no codebook.":
            "It does: without the bin means nobody knows what a code stands for.",
    },
    answer="Entropy coding cannot shrink its codes.",
)

# %%
quiz(
    "K-means, 256 values, started at quantiles: the error has not changed for a hundred steps. "
    "What does that show?",
    {
        "The optimum is found.":
            "Only that no single step improves. Section 6 shows such an end at a multiple of the "
            "optimum.",
        "A local optimum is found; another start may end lower.":
            "Lloyd's algorithm never goes uphill. Dynamic programming settles it.",
        "The weights have fewer than 256 distinct values.":
            "Then the error would be 0.",
    },
    answer="A local optimum is found; another start may end lower.",
)

# %%
quiz(
    "A report says: 4 bits instead of 32, so the model is 8 times smaller and about 8 times as "
    "fast. What is wrong?",
    {
        "Only the speed.":
            "Unpacking and rescaling take time, so speed does not follow. But the size does not "
            "either.",
        "Only the size.":
            "Scales, codebooks and the vocabulary do not shrink with the codes. But the speed does "
            "not follow either.",
        "Both have to be measured.":
            "Size is the length of the whole file; speed depends on kernels, batch and machine, "
            "and can even fall.",
    },
    answer="Both have to be measured.",
)

# %% [markdown]
# **Next.** In the assignment you write these quantizers yourself, find a case where
# clipping helps at two widths, build an integer layer, count its bytes, and choose a scheme for every
# matrix of Model 2. Unit 04 stops storing
# numbers one at a time: it replaces whole *vectors* by indices.
#
# **Further reading.** We quantized after training and rounded every weight by itself. Training can
# take the rounding into account (section 3 of [Jacob et al.](https://arxiv.org/abs/1712.05877)), and
# rounding can take the other weights into account ([GPTQ](https://arxiv.org/abs/2210.17323)).
