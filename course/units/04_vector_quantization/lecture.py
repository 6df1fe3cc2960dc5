# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Vector quantization: whole vectors as indices
#
# Most of the bytes of our networks are word vectors. Quantizing them number by number stops at one
# bit a number. This lecture replaces several numbers at once by an index into a **codebook**: the
# same idea in one dimension was k-means, and now the dimensions are more than one.
#
# **After this lecture you can**
#
# 1. say what one step of Lloyd's algorithm does, and why k-means alone cannot compress a vector of
#    100 numbers well;
# 2. fit, encode and decode a product quantizer, and count all of its bytes;
# 3. compute inner products from codes, without decoding;
# 4. find the best rotation by an SVD, and tell when it earns its bytes;
# 5. say why sums of codewords are hard to encode, and what their codebooks cost;
# 6. choose a method for a table of vectors from a chart of bytes, error and F1.
#
# **How it works.** Plan about 65 minutes. Before six of the results a box asks for your guess:
# write one down. Cells that only draw, or prepare what the text says, are folded. No number here is
# from memory: it was read from `course/results/` or computed when the lecture was built. Where your
# own run turns out otherwise, a line below a folded cell says
# so.

# %%
import itertools
import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from ipywidgets import Dropdown, IntSlider
from matplotlib.colors import ListedColormap, to_rgb
from threadpoolctl import threadpool_limits

# %%
from utils import packing, plots
from utils.claims import claim
from utils.plots import show
from utils.quantization import (
    OptimizedProductQuantizer,
    ProductQuantizer,
    VectorQuantizer,
    entropy,
    vector,
)
from utils.records import load_provenance, load_records, summarise
from utils.widgets import explore, predict, quiz, reveal

# %% jupyter={"source_hidden": true} tags=["hide-input"]
torch.set_num_threads(1)
threadpool_limits(limits=1)  # one thread everywhere: the machine may be shared
np.set_printoptions(legacy="1.25", suppress=True, precision=3)
plots.set_style()
BLUE, RED = plots.PALETTE[:2]


# %% [markdown]
# ## 1. Cells
#
# *About 7 minutes.*
#
# Two dimensions are enough to see nearly all that matters. Here is a cloud of 2,000 points. How it
# was made will matter in section 5; for now, only see that its two numbers are correlated.

# %%
random = np.random.default_rng(0)
along = random.choice([-4.5, -1.5, 1.5, 4.5], 2000) + 0.45 * random.normal(size=2000)
across = random.choice([-1.5, -0.5, 0.5, 1.5], 2000) + 0.15 * random.normal(size=2000)


def turn(degrees):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, sin], [-sin, cos]])


cloud = (np.stack([along, across], axis=1) @ turn(30)).astype(np.float32)
np.corrcoef(cloud.T)[0, 1]

# %% [markdown]
# A **vector quantizer** has K codewords and stores for each point the number of the nearest one.
# The points that share a codeword form its *cell*. K-means looks for good codewords by repeating
# two moves ([Lloyd, 1982](https://doi.org/10.1109/TIT.1982.1056489)):

# %%
def assign(points, book):
    """Each point goes to its nearest codeword."""
    return ((points[:, None] - book) ** 2).sum(axis=2).argmin(axis=1)


def update(points, book, codes):
    """Each codeword goes to the mean of its points; one without points stays."""
    members = [points[codes == k] for k in range(len(book))]
    return np.array([own.mean(axis=0) if len(own) else old
                     for own, old in zip(members, book, strict=True)])


# %% [markdown]
# The first move cannot raise the squared error, since every point chooses the best there is. Nor
# can the second: of all places, the mean has the smallest squared error to its points. So the
# error falls until nothing moves. One step at a time:

# %%
def relative_error(X, restored):
    """Squared error over that of one mean vector for all: 0 is perfect, 1 is worthless."""
    return np.square(X - restored).sum() / np.square(X - X.mean(axis=0)).sum()


# %% jupyter={"source_hidden": true} tags=["hide-input"]
@cache
def lloyd_path(start, steps=12):
    book = np.random.default_rng(start).choice(cloud, 8, replace=False)
    books = [book]
    for _ in range(steps):
        books.append(update(cloud, books[-1], assign(cloud, books[-1])))
    return books


STARTS = {"one": 0, "another": 1, "a third": 2}
WIDE = (-6.5, 6.5, -5.5, 5.5)  # what the pictures show


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def distinct_colors(cells, n):
    """A number for each of n cells, other than those of its neighbours: greedy, crowded ones first."""
    touch = np.zeros((n, n), dtype=bool)
    for one, other in ((cells[1:], cells[:-1]), (cells[:, 1:], cells[:, :-1])):
        touch[one, other] = touch[other, one] = True
    colors = np.full(n, -1)
    for k in np.argsort(-touch.sum(axis=0), kind="stable"):
        colors[k] = min(set(range(n)).difference(colors[touch[k]]))
    return colors


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def paint(axes, book, title, marks=None):
    """The cells of the codewords in pale colours, a third of the points, the codewords as stars."""
    across, up = np.meshgrid(np.linspace(*WIDE[:2], 260), np.linspace(*WIDE[2:], 220))
    cells = assign(np.stack([across.ravel(), up.ravel()], axis=1), book).reshape(across.shape)
    pale = [0.25 * np.array(to_rgb(color)) + 0.75 for color in plots.PALETTE[:5]]
    colors = ListedColormap([pale[k] for k in distinct_colors(cells, len(book))])
    axes.imshow(cells, origin="lower", extent=WIDE, cmap=colors, interpolation="nearest",
                vmin=-0.5, vmax=len(book) - 0.5, aspect="equal")
    borders = (np.diff(cells, axis=0)[:, :-1] != 0) | (np.diff(cells, axis=1)[:-1] != 0)
    axes.imshow(np.ma.masked_equal(borders, 0), origin="lower", extent=WIDE, aspect="equal",
                cmap=ListedColormap(["#999999"]), interpolation="nearest")
    axes.plot(*cloud[::3].T, ".", color=plots.GREY, markersize=2)
    axes.plot(*(book if marks is None else marks).T, "*", color="black", markersize=10)
    axes.set(title=title, xlim=WIDE[:2], ylim=WIDE[2:], xlabel="first number")
    axes.grid(False)


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_lloyd(step, start):
    books = lloyd_path(STARTS[start])
    book = books[step]
    error = relative_error(cloud, book[assign(cloud, book)])
    figure, axes = plt.subplots(figsize=(6.4, 5.2))
    paint(axes, book, f"step {step} of 12: relative error {error:.3f}")
    for before, after in zip(books[max(step - 1, 0)], book, strict=True):
        axes.plot(*np.array([before, after]).T, color=RED, linewidth=2)
    axes.set_ylabel("second number")
    return figure


def describe_lloyd(step, start):
    errors = [relative_error(cloud, book[assign(cloud, book)])
              for book in lloyd_path(STARTS[start])]
    return (f"A slanted cloud of points cut into 8 cells with straight borders, a star in each. "
            f"After {step} of 12 Lloyd steps the relative error is {errors[step]:.3f}; it began "
            f"at {errors[0]:.3f} and ends at {errors[-1]:.3f}. Orange lines show the last move.")


# %%
explore(draw_lloyd, describe_lloyd, step=IntSlider(value=1, min=0, max=12),
        start=Dropdown(options=list(STARTS)))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
ends = {name: relative_error(cloud, book[assign(cloud, book)])
        for name, seed in STARTS.items() for book in [lloyd_path(seed)[-1]]}
claim(max(ends.values()) > 1.2 * min(ends.values()), "the starts end at different errors")

# %% [markdown]
# After 12 steps the three starts stand at {{ ends["one"]:.3f }}, {{ ends["another"]:.3f }} and
# {{ ends["a third"]:.3f }}. Lloyd's algorithm only walks downhill, so where it ends depends on where
# it begins. In one dimension unit 03 could compute the optimum; in more dimensions nobody knows how
# to do that in reasonable time, and a good start is all one can give it.

# %% [markdown]
# **Think.** A word vector has 100 numbers. For half a byte a number, 50 bytes a vector, how many
# codewords would a vector quantizer need? Could we train it?
#
# <details><summary>Answer</summary>
#
# 50 bytes are 400 bits, so $2^{400}$ codewords of 100 numbers, and at least as many vectors to
# train them. With one codeword for each word of a vocabulary the error is 0, the codebook is the
# table that we wanted to compress, and nothing is saved. Plain vector quantization is for a few
# bits per *vector*.
#
# </details>

# %% [markdown]
# ## 2. A grid of products
#
# *About 7 minutes.*
#
# So the codebook needs structure. Cut the vector into M *chunks* and give each chunk a codebook of
# its own, with K codewords. The chunks choose independently, so M lists of K codewords stand for
# $K^M$ vectors. That is **product quantization**, PQ
# ([Jégou, Douze and Schmid, 2011](https://inria.hal.science/inria-00514462)). In two dimensions
# with chunks of one number, it is a grid:

# %%
pq = ProductQuantizer(n_subspaces=2, n_codes=4, random_state=0).fit(cloud)
grid = np.array(list(itertools.product(pq.codebook_[:, 0], pq.codebook_[:, 1])))
pq.codebook_.size, grid.shape  # 8 numbers are stored, 16 codewords can be reached

# %%
predict(
    "grid-price",
    "Product quantization with 4 codes for each axis, against plain vector quantization with 16 "
    "codewords: the same 4 bits a point. How many times as large is the squared error of the grid?",
    "times",
)

# %%
vq = VectorQuantizer(n_codes=16, n_iter=100, random_state=0).fit(cloud)
grid_error, free_error = (relative_error(cloud, quantizer.inverse_transform(
    quantizer.transform(cloud))) for quantizer in (pq, vq))
reveal("grid-price", grid_error / free_error, "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
@cache
def grid_and_free(codes):
    """Codewords and relative error of both quantizers, with the same bits for a point."""
    found = []
    for quantizer in (ProductQuantizer(2, codes, random_state=0),
                      VectorQuantizer(codes**2, n_iter=100, random_state=0)):
        error = relative_error(cloud, quantizer.inverse_transform(quantizer.fit_transform(cloud)))
        book = quantizer.codebook_
        if quantizer.n_subspaces == 2:
            book = np.array(list(itertools.product(book[:, 0], book[:, 1])))
        found.append((book, error, quantizer.codebook_.size))
    return found


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_grids(codes_per_axis):
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.6), sharey=True)
    names = "product", "free"
    for axes, name, (book, error, numbers) in zip(panels, names, grid_and_free(codes_per_axis),
                                                  strict=True):
        paint(axes, book, f"{name}: error {error:.3f}, {numbers} numbers stored")
    panels[0].set_ylabel("second number")
    return figure


def describe_grids(codes_per_axis):
    (_, grid_error, stored), (_, free_error, all_stored) = grid_and_free(codes_per_axis)
    return (f"The cloud under two sets of {codes_per_axis**2} cells. Left, a grid of rectangles, "
            f"the empty corners too: relative error {grid_error:.3f}, from {stored} stored "
            f"numbers. Right, free cells along the cloud: {free_error:.3f}, from "
            f"{all_stored} numbers.")


explore(draw_grids, describe_grids, codes_per_axis=IntSlider(value=4, min=1, max=8))

# %% [markdown]
# 1. Which codewords of the grid are wasted, and why does k-means on each axis not notice?
# 2. How do the stored numbers grow with the codes for an axis, on the left and on the right?
#
# <details><summary>Answers</summary>
#
# (1) Those in the two empty corners. Each axis sees only its own number, and taken by itself every
# value occurs; that large first numbers go with large second ones is invisible to it. (2) As
# $2K$ and as $2K^2$. With 10 chunks instead of 2, the exponent would be 10.
#
# </details>

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(grid_error > 1.5 * free_error, "the grid has a much larger error than free codewords")

# %% [markdown]
# **The price of the structure:** {{ grid_error:.3f }} instead of {{ free_error:.3f }} at 4 bits a
# point. **What it buys:** 10 chunks of 10 numbers with 256 codewords each reach $256^{10}$, more than
# $10^{24}$ vectors, from 25,600 stored numbers. A vector of 100 numbers can be had at any number of
# bits, and what is trained is ten small problems.

# %% [markdown]
# ## 3. Word vectors in a few bytes
#
# *About 12 minutes.*
#
# Now the real thing: the word vectors of Model 2, trained together with its GRU. (The file that we
# load keeps them in 8 bits already, far more exactly than anything below.)

# %%
model = packing.load_model(Path("../course/models/model-2.slm"))
vectors = model.network.embedding.weight.detach().numpy()
vocabulary = model.tokenizer
n, d = vectors.shape
n, d, f"{vectors.nbytes:,} bytes as float32"

# %% [markdown]
# **Fit.** K-means, for each chunk by itself. `assign` of section 1 would need an array of points by
# codewords by numbers; with $\lVert x - c\rVert^2 = \lVert x\rVert^2 - 2\,x\cdot c + \lVert
# c\rVert^2$, of which the first part is the same for all codewords, one matrix product does it.

# %%
def nearest(points, book):
    return ((book**2).sum(axis=1) - 2 * points @ book.T).argmin(axis=1)


def fit(chunk, K, steps=10):
    book = np.random.default_rng(0).choice(chunk, K, replace=False)
    for _ in range(steps):
        book = update(chunk, book, nearest(chunk, book))
    return book


chunks = np.split(vectors, 20, axis=1)  # 20 chunks of 5 numbers
books = np.array([fit(chunk, 256) for chunk in chunks])
books.shape

# %% [markdown]
# **Encode** and **decode**. 256 codewords need 8 bits, so a code is a byte and a word is 20 bytes.

# %%
codes = np.stack([nearest(chunk, book) for chunk, book in zip(chunks, books, strict=True)], axis=1)
codes = codes.astype(np.uint8)
decoded = np.hstack([book[codes[:, m]] for m, book in enumerate(books)])
codes[vocabulary["happy"]], relative_error(vectors, decoded)

# %%
library = ProductQuantizer(n_subspaces=20, n_codes=256, random_state=0)
relative_error(vectors, library.inverse_transform(library.fit_transform(vectors)))

# %% [markdown]
# The library runs a few more steps, faster, and is otherwise the same. Is the result any good? Look
# at the words nearest to a word, by the cosine of their vectors, before and after:

# %%
def neighbours(X, ids, count):
    """Ids of the words with the largest cosine to each of some words, these themselves left out."""
    X = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-9)
    cosine = X[ids] @ X.T
    cosine[np.arange(len(ids)), ids] = -1
    return np.argsort(-cosine, axis=1)[:, :count]


frequent = np.arange(2, 502)  # words are ordered by how often they occur
pairs = zip(neighbours(vectors, frequent, 10), neighbours(decoded, frequent, 10), strict=True)
kept = np.mean([len(np.intersect1d(*pair)) for pair in pairs])

# %% jupyter={"source_hidden": true} tags=["hide-input"]
before, after = {}, {}
for word in ("happy", "afraid", "monday", "coffee", "brother", "winter"):
    old, new = ([vocabulary.words[i - 2] for i in neighbours(X, [vocabulary[word]], 5)[0]]
                for X in (vectors, decoded))
    before[word] = ", ".join(old)
    after[word] = ", ".join(w if w in old else f"**{w}**" for w in new)

# %% [markdown]
# | word | nearest before | nearest after (new ones bold) |
# | --- | --- | --- |
# | happy | {{ before["happy"] }} | {{ after["happy"] }} |
# | afraid | {{ before["afraid"] }} | {{ after["afraid"] }} |
# | monday | {{ before["monday"] }} | {{ after["monday"] }} |
# | coffee | {{ before["coffee"] }} | {{ after["coffee"] }} |
# | brother | {{ before["brother"] }} | {{ after["brother"] }} |
# | winter | {{ before["winter"] }} | {{ after["winter"] }} |
#
# Of the 10 nearest of each of the 500 most frequent words, {{ kept:.1f }} stay on average.

# %% [markdown]
# ### Count the bytes
#
# "20 bytes instead of 400: 20 times smaller." Only for somebody who has the codebooks already.

# %%
predict("pq-ratio", "Codes and codebooks (as float32) counted: how many times smaller than float32?",
        "times")

# %%
bill = {"codes": codes.nbytes, "codebooks": books.astype(np.float32).nbytes}
reveal("pq-ratio", vectors.nbytes / sum(bill.values()), "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
share = bill["codebooks"] / sum(bill.values())
of_a_million = bill["codebooks"] / (bill["codebooks"] + 20e6)  # 20 bytes a word
claim(share > 0.2 and of_a_million < 0.01,
      "the codebooks are much of what a small table takes, and little of a large one")

# %% [markdown]
# Codes {{ bill["codes"]:, }} bytes, codebooks {{ bill["codebooks"]:, }}. The codebooks have K times d
# numbers, however many words and chunks there are. With a million words they would be
# {{ of_a_million:.1% }} of the whole; with our {{ n:, }} they are {{ share:.0% }}. For small tables,
# the codebooks decide.

# %% [markdown]
# Does everybody count them? Take a budget of a sixteenth of float32, 2 bits a number. For each K,
# take as many chunks as fit: once counting everything, once as if codebooks were free.

# %%
budget = vectors.nbytes // 16


def most_chunks(K, free_codebooks=False):
    """The largest M within the budget; chunks may differ in width by one number."""
    left = budget - (0 if free_codebooks else 4 * K * d)
    return min(d, int(8 * left // (n * (K - 1).bit_length())))


sizes = 4, 8, 16, 32, 64, 128, 256, 512
most_chunks(16), most_chunks(256), most_chunks(256, free_codebooks=True)

# %%
def pq_error(M, K):
    quantizer = ProductQuantizer(M, K, random_state=0)
    return relative_error(vectors, quantizer.inverse_transform(quantizer.fit_transform(vectors)))


at_budget = {free: [pq_error(most_chunks(K, free), K) for K in sizes] for free in (False, True)}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8, 4))
for free, color, style, name in ((False, BLUE, "o-", "codebooks counted"),
                                 (True, RED, "s--", "codebooks left out")):
    axes.plot(sizes, at_budget[free], style, color=color, label=name)
for K, error in zip(sizes, at_budget[False], strict=True):
    axes.annotate(f"M={most_chunks(K)}", (K, error), xytext=(-7, 9), textcoords="offset points",
                  ha="center", color=plots.ink(BLUE), fontsize=10)
axes.set(xscale="log", xticks=sizes, xticklabels=sizes, xlabel="codewords in a codebook, K",
         ylabel="relative error", title=f"PQ within {budget:,} bytes", ylim=(0, None))
axes.minorticks_off()
axes.legend()
show(figure, alt="Relative error of product quantization within a sixteenth of the float32 bytes, "
     "against K from 4 to 512. " + " ".join(
         f"{name}: " + ", ".join(f"{K}: {error:.3f}" for K, error in
                                 zip(sizes, at_budget[free], strict=True)) + "."
         for free, name in ((False, "Codebooks counted"), (True, "Codebooks left out"))))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
honest, wishful = (sizes[np.argmin(at_budget[free])] for free in (False, True))
counted, uncounted = min(at_budget[False]), min(at_budget[True])
code_bits = n * most_chunks(wishful, free_codebooks=True) * (wishful - 1).bit_length()
shipped = (code_bits / 8 + 4 * d * wishful) / budget
scalar, bump, best = at_budget[False][:3]
several = 1 - counted / scalar
pairs, singles = d - most_chunks(8), 2 * most_chunks(8) - d
claim(honest < wishful and shipped > 1.2, "free codebooks mislead to a K that is over the budget")
claim(several > 0.05, "several numbers at once have a smaller error than one at a time")
claim(bump > 1.05 * max(scalar, best), "K = 8 has a larger error than K = 4 and K = 16")

# %% [markdown]
# With all bytes counted, K = {{ honest }} is best, with {{ most_chunks(honest) }} chunks and an error
# of {{ counted:.3f }}. Whoever leaves the codebooks out picks K = {{ wishful }}, reports
# {{ uncounted:.3f }}, and ships {{ shipped:.2f }} times the bytes.
#
# The leftmost point, K = 4 with {{ most_chunks(4) }} chunks, has 2 bits for (nearly) every single number:
# it is the rival, **one number at a time**. A rival deserves the best play: chunks of one number get the
# optimum of unit 03 here, which no start can spoil. Its error is {{ scalar:.3f }}, so at this rate, and for
# this table, several numbers at once gain {{ several:.1%}}. Below one bit a number there is no such rival:
# a code of fixed length for each number takes at least one bit.
#
# Why the bump at K = 8? {{ most_chunks(8) }} chunks of {{ d }} numbers are {{ pairs }} chunks of two
# numbers and {{ singles }} of one, each with 3 bits. What the pairs lose with 1.5 bits a number is
# more than the single numbers gain with 3.

# %% [markdown]
# ## 4. Search without decoding
#
# *About 6 minutes.*
#
# Which words are most like a query $q$? That takes an inner product with every word. In chunk m a
# word can only have one of 256 codewords, so the products of $q$'s chunk with all of them are made
# once, a **table**. The score of a word is then a sum of look-ups:
#
# $$q \cdot \hat{x} = \sum_m q_m \cdot c_{m,\,\mathrm{code}_m} = \sum_m T[m, \mathrm{code}_m]$$

# %%
query = vectors[vocabulary["happy"]]


def by_tables(query):
    tables = [book @ part for book, part in zip(books, np.split(query, 20), strict=True)]
    return sum(T[codes[:, m]] for m, T in enumerate(tables))


def by_decoding(query):
    return np.hstack([book[codes[:, m]] for m, book in enumerate(books)]) @ query


np.abs(by_tables(query) - by_decoding(query)).max()

# %%
predict("look-up", "How many times as long as the look-ups does it take to decode all words and "
        "multiply?", "times")

# %%
def median_ms(work, repeats=25):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return 1000 * np.median(seconds)


spent = {"tables": median_ms(lambda: by_tables(query)),
         "decode, then multiply": median_ms(lambda: by_decoding(query)),
         "multiply what lies decoded": median_ms(lambda: decoded @ query)}
reveal("look-up", spent["decode, then multiply"] / spent["tables"], "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
# Code and no prose: the times are those of the run at hand.
held = sum(bill.values()), sum(bill.values()) + decoded.nbytes, decoded.nbytes
lines = [f"| {way} | {ms:.2f} | {size:,} |"
         for (way, ms), size in zip(spent.items(), held, strict=True)]
display(Markdown("\n".join(["| one query against all words | ms | bytes in memory |",
                            "| --- | ---: | ---: |", *lines])))
faster = spent["decode, then multiply"] / spent["tables"]
still = spent["tables"] / spent["multiply what lies decoded"]
claim(faster > 4, "look-ups take much less time than decoding")
claim(still > 1.5, "multiplying what lies decoded takes less time than look-ups")

# %% [markdown]
# The tables cost {{ 256 * d:, }} multiplications, whatever the number of words; after that a word
# takes 20 additions instead of {{ d }} multiply-accumulates. And yet the last row is faster than the
# look-ups (when this was built, {{ still:.1f }} times):
# NumPy's matrix product uses the processor's vector unit, and each of our look-ups jumps through
# memory. Look-ups win where the decoded table does not fit, or in code written for them, which keeps
# the tables in registers.

# %% [markdown]
# **Think.** The words are quantized, the query is not. Would it be a good idea to quantize the query
# as well, so that all its tables could be prepared beforehand? And does the GRU of Model 2 gain
# anything from tables?
#
# <details><summary>Answer</summary>
#
# The tables of codeword against codeword could be prepared, but the query would bring its own
# quantization error into every score. It is there in full precision for free. The GRU reads the
# vectors of at most 27 words of a text, so it decodes just those. (Its first step is a matrix
# product with each word vector, and that could be tabulated for each codeword. It would save time
# with long texts, and cost memory.)
#
# </details>

# %% [markdown]
# ## 5. Turn before you cut
#
# *About 10 minutes.*
#
# Back to the cloud. The grid suffers because the axes are wrong: turned by the right angle, the
# same 4 + 4 codes would fit. **Optimized product quantization**, OPQ
# ([Ge et al., 2013](https://openaccess.thecvf.com/content_cvpr_2013/html/Ge_Optimized_Product_Quantization_2013_CVPR_paper.html)),
# looks for an orthogonal matrix $R$ and quantizes $XR$. Decoding turns back with $R^T$.
#
# It alternates. Given $R$, one step of k-means in each chunk of $XR$; let $Y$ be the decoded
# result. Given $Y$, the rotation that brings $X$ closest to it:
#
# $$\min_{R^T R = I} \lVert XR - Y \rVert^2, \qquad X^T Y = U S V^T \;\Rightarrow\; R = U V^T$$
#
# This is the *orthogonal Procrustes problem*
# ([Schönemann, 1966](https://doi.org/10.1007/BF02289451)). Why $UV^T$? Rotations keep lengths:
# $\lVert XR - Y \rVert^2 = \lVert X \rVert^2 + \lVert Y \rVert^2 - 2\,\mathrm{trace}(R^T X^T Y)$.
# And $\mathrm{trace}(R^T U S V^T) = \mathrm{trace}(S Z) = \sum_i s_i Z_{ii}$ with
# $Z = V^T R^T U$. This $Z$ is orthogonal, so no entry exceeds 1, and the sum is largest when
# $Z = I$, that is $R = U V^T$.

# %%
def procrustes(X, Y):
    U, _, Vt = np.linalg.svd(X.T @ Y)
    return U @ Vt


def opq_step(R, book):
    """One round in two dimensions; `book` holds the K codewords of each axis in its columns."""
    turned, Y, new = cloud @ R, np.empty_like(cloud), book.copy()
    for m in (0, 1):
        codes = assign(turned[:, [m]], book[:, [m]])
        new[:, [m]] = update(turned[:, [m]], book[:, [m]], codes)
        Y[:, m] = new[codes, m]
    return procrustes(cloud, Y), new, relative_error(turned, Y)


# %%
rounds = [(np.eye(2), pq.codebook_, grid_error)]  # start: no rotation, the grid of section 2
for _ in range(30):
    rounds.append(opq_step(*rounds[-1][:2]))
angles = [np.degrees(np.arctan2(R[1, 0], R[0, 0])) for R, *_ in rounds]
np.round(angles[::5], 1)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_opq(round_number):
    R, book, error = rounds[round_number]
    words = np.array(list(itertools.product(book[:, 0], book[:, 1]))) @ R.T
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), width_ratios=(1.2, 1))
    paint(left, words, f"round {round_number}: turned by {angles[round_number]:.0f} degrees")
    left.set_ylabel("second number")
    right.plot([error for *_, error in rounds], color=BLUE)
    right.plot(round_number, error, "o", color="black", markersize=9)
    right.axhline(free_error, color=plots.GREY, linestyle=":")
    right.annotate("VQ, one start", (30, free_error), xytext=(0, 5),
                   textcoords="offset points", ha="right", color=plots.GREY)
    right.set(xlabel="round", ylabel="relative error", title=f"error {error:.3f}", ylim=(0, None))
    return figure


def describe_opq(round_number):
    error = rounds[round_number][2]
    return (f"Left, the cloud under the grid of 16 cells after {round_number} of 30 rounds, turned "
            f"by {angles[round_number]:.0f} degrees. Right, the relative error against the round: "
            f"from {rounds[0][2]:.3f} to {rounds[-1][2]:.3f}, now {error:.3f}.")


explore(draw_opq, describe_opq, round_number=IntSlider(value=30, min=0, max=30))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
opq_error = rounds[-1][2]
claim(abs(angles[-1] - 30) < 1, "the alternation finds the angle by which the cloud was turned")
claim(opq_error < free_error, "the turned grid has a smaller error than the free codewords found")

# %% [markdown]
# The alternation found {{ angles[-1]:.1f }} degrees. The cloud was made with 30: four clumps along one
# direction and four across it, independent of each other, then turned. The error falls from
# {{ grid_error:.3f }} to {{ opq_error:.3f }}, below that of the 16 free codewords, whose k-means got
# stuck somewhere, with the same 4 bits a point and 8 numbers plus a rotation. (The library starts from
# the principal axes, shared out to the chunks, and needs fewer rounds.)

# %% [markdown]
# That cloud was built to please. What of a plain bell-shaped one, as strongly correlated?

# %%
bell_errors = []
bell = (random.normal(size=(20_000, 2)) * [3, 1] @ turn(30)).astype(np.float32)
for degrees in (0, 15, 30, 45):
    turned = (bell @ turn(-degrees)).astype(np.float32)
    quantizer = ProductQuantizer(2, 4, random_state=0)
    restored = quantizer.inverse_transform(quantizer.fit_transform(turned))
    bell_errors.append(relative_error(turned, restored))
    print(degrees, f"{bell_errors[-1]:.4f}")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(max(bell_errors) < 1.01 * min(bell_errors),
      "the error of bell-shaped points is the same at any angle")

# %% [markdown]
# **Think.** The 30 degrees undo the correlation, and the error does not care. Why? And why can a
# rotation still help bell-shaped vectors when a chunk has two numbers or more?
#
# <details><summary>Answer</summary>
#
# Seen from any direction a bell curve is a bell curve, whose error with 4 codes is a fixed share of
# its variance, and the variances of the two directions add up to the same total whichever way one
# turns. With wider chunks a rotation can bring correlated directions into *one* chunk, where
# k-means sees the correlation, and spread the large variances evenly over the chunks.
#
# </details>
#
# Now the word vectors. A rotation of 100 by 100 float32 has to be stored with them.

# %%
def measured(quantizer):
    codes = quantizer.fit_transform(vectors)
    error = relative_error(vectors, quantizer.inverse_transform(codes))
    return SimpleNamespace(M=quantizer.n_subspaces, nbytes=quantizer.nbytes(codes), error=error)


pq_64 = measured(ProductQuantizer(25, 64, random_state=0))
opq = OptimizedProductQuantizer(25, 64, random_state=0)
opq_64 = measured(opq)

# %%
predict("rotation", "What does the rotation cost for each of our words?", "bits")

# %%
rotation = opq.rotation_
rotation_bits = 8 * rotation.nbytes / n
reveal("rotation", rotation_bits, "bits")

# %% [markdown]
# So compare at the same *bytes* as well: a sixteenth of float32, K = 16, and as many chunks as fit,
# with a rotation and without.

# %%
fewer = int(8 * (budget - 4 * 16 * d - rotation.nbytes) // (4 * n))  # codes have 4 bits
pq_16 = measured(ProductQuantizer(most_chunks(16), 16, random_state=0))
opq_16 = measured(OptimizedProductQuantizer(fewer, 16, random_state=0))
gain = 1 - opq_64.error / pq_64.error

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(0.05 < gain < 0.2, "the rotation lowers the error at the same M and K, but modestly")
claim(opq_16.error > 1.05 * pq_16.error, "at the same bytes PQ has the smaller error")

# %% [markdown]
# | method | M | K | bytes, all counted | relative error |
# | --- | ---: | ---: | ---: | ---: |
# | PQ | {{ pq_64.M }} | 64 | {{ pq_64.nbytes:, }} | {{ pq_64.error:.3f }} |
# | OPQ | {{ opq_64.M }} | 64 | {{ opq_64.nbytes:, }} | {{ opq_64.error:.3f }} |
# | PQ | {{ pq_16.M }} | 16 | {{ pq_16.nbytes:, }} | {{ pq_16.error:.3f }} |
# | OPQ | {{ opq_16.M }} | 16 | {{ opq_16.nbytes:, }} | {{ opq_16.error:.3f }} |
#
# At the same M and K the rotation lowers the error by {{ gain:.0% }}, for {{ rotation.nbytes:, }} bytes
# more: {{ rotation_bits:.0f }} bits a word. At the same bytes, OPQ has {{ opq_16.error:.3f }} and PQ
# {{ pq_16.error:.3f }}: **by its error the rotation does not earn its bytes here.** (Section 7 asks F1.) When
# would it? Where bits are
# many, each bit more for every number divides the squared error by four
# ([Gray and Neuhoff, 1998](https://doi.org/10.1109/18.720541)). By this rule half a bit a number halves
# the error, and a smaller gain is worth accordingly less:

# %%
worth = -d / 2 * np.log2(1 - gain)  # bits a word
pays_from = 8 * rotation.nbytes / worth  # words
variances = np.linalg.eigvalsh(np.cov(vectors.T))  # of the principal axes, the smallest first
largest, smallest = variances[-10:].sum() / variances.sum(), variances[:10].sum() / variances.sum()
worth, pays_from

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(pays_from > 1.5 * n, "a rotation pays only for more words than ours")
claim(largest < 0.35, "the word vectors vary in many directions")

# %% [markdown]
# So {{ gain:.0% }} less error is worth {{ worth:.0f }} bits a word, and a rotation pays from
# about {{ round(pays_from, -3):,.0f }} words on.
#
# The gain is modest because there is little to turn: the 10 largest of the {{ d }} principal axes hold
# {{ largest:.0% }} of the variance, the 10 smallest still {{ smallest:.0% }}.

# %% [markdown]
# ## 6. Sums of codewords
#
# *About 10 minutes.*
#
# Why should each codeword keep to its chunk? **Additive quantization**
# ([Babenko and Lempitsky, 2014](https://openaccess.thecvf.com/content_cvpr_2014/html/Babenko_Additive_Quantization_for_2014_CVPR_paper.html))
# gives every codeword all d numbers, and a vector is the *sum* of one codeword from each of M
# codebooks. PQ is the special case in which every codeword is zero outside its chunk, and OPQ is
# that case after a turn. So at the same M and K, the *best* sums are at least as close.
#
# Given the codes, the best codebooks are a linear least-squares problem: a point is a row of zeros
# and ones, which say what codewords it adds up. On the cloud, two codebooks of four:

# %%
def train_sums(codes, rounds=30):
    for _ in range(rounds):
        choice = np.hstack([np.eye(4)[codes[:, 0]], np.eye(4)[codes[:, 1]]])  # (points, 8)
        books = np.linalg.lstsq(choice, cloud, rcond=None)[0].reshape(2, 4, 2)
        sums = (books[0][:, None] + books[1]).reshape(16, 2)  # every pair
        codes = np.stack(np.divmod(assign(cloud, sums), 4), axis=1)
    return sums, relative_error(cloud, sums[assign(cloud, sums)])


sums, sum_error = train_sums(pq.transform(cloud))  # starts from the codes of PQ

R, book, _ = rounds[-1]
opq_words = np.array(list(itertools.product(book[:, 0], book[:, 1]))) @ R.T
from_opq = train_sums(np.stack(np.divmod(assign(cloud, opq_words), 4), axis=1))[1]


# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 3, figsize=(12, 4.1), sharey=True)
for axes, book, title in zip(
    panels, (grid, sums, grid_and_free(4)[1][0]),
    (f"product: 8 numbers, {grid_error:.3f}", f"sums: 16 numbers, {sum_error:.3f}",
     f"free: 32 numbers, {free_error:.3f}"), strict=True,
):
    paint(axes, book, title)
panels[0].set_ylabel("second number")
show(figure, alt="The cloud under 16 cells three times, with the numbers stored and the relative "
     f"error. A product grid: 8 numbers, {grid_error:.3f}. Sums of two codewords, a slanted "
     f"lattice that follows the cloud: 16 numbers, {sum_error:.3f}. Free codewords: 32 numbers, "
     f"{free_error:.3f}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(sum_error > 1.2 * from_opq, "sums that start from the codes of PQ end at a larger error")

# %% [markdown]
# From the codes of PQ, the alternation ends at {{ sum_error:.3f }}; from those of OPQ, whose error is
# {{ opq_error:.3f }}, at {{ from_opq:.3f }}. Both are sums of the same kind. Like k-means, it only walks
# downhill, and from PQ it got stuck in a local optimum.

# %% [markdown]
# Here we tried all 16 sums for each point. With M codebooks of K there are $K^M$, and that is the
# difficulty: in PQ each chunk chooses for itself, whereas in a sum **every choice depends on all
# others**. A tiny case, three codebooks of three codewords:

# %%
A = np.array([[3, 5], [0, 3], [0, 0]])
B = np.array([[2, -2], [3, 0], [2, 5]])
C = np.array([[0, 0], [3, 1], [5, 3]])
x = np.array([6, 1])


def cost(a, b, c):
    return int(((x - A[a] - B[b] - C[c]) ** 2).sum())


best = min(itertools.product(range(3), repeat=3), key=lambda choice: cost(*choice))
best, cost(*best)  # all 27 tried: (0, 0) + (3, 0) + (3, 1) is x, exactly

# %% [markdown]
# **Greedy** takes the nearest codeword of A, then of B to what is left, then of C. **ICM**
# (iterated conditional modes) starts from some codes and improves one at a time with the others
# fixed, until none changes:

# %%
def icm(codes):
    codes, before = list(codes), None
    while codes != before:
        before = list(codes)
        for m in range(3):
            trials = [(*codes[:m], k, *codes[m + 1:]) for k in range(3)]
            codes = list(min(trials, key=lambda trial: cost(*trial)))
    return tuple(codes), cost(*codes)


tiny = np.array([A, B, C], dtype=np.float32)
greedy = tuple(vector.greedy_codes(x[None].astype(np.float32), tiny)[0].tolist())
greedy, cost(*greedy), icm(greedy)

# %% [markdown]
# Greedy errs with its first choice, and ICM cannot repair that: no change of a *single* code makes
# it better. Two ways out. **Perturb** a code at random, repair by ICM, and keep the result if it is
# better: *iterated local search*
# ([Martinez et al., 2016](https://doi.org/10.1007/978-3-319-46475-6_9)). Or **beam search**: build
# the sum codeword by codeword and keep the best few partial sums rather than one.

# %%
kicked = (greedy[0], 1, greedy[2])  # B's code 0 becomes 1
kicked, cost(*kicked), icm(kicked)  # worse at first, then exact

# %%
def beam(width):
    kept = [()]
    for _ in range(3):
        grown = [(*codes, k) for codes in kept for k in range(3)]
        rest = {codes: ((x - sum(tiny[j][k] for j, k in enumerate(codes))) ** 2).sum()
                for codes in grown}
        kept = sorted(grown, key=rest.get)[:width]
    return kept[0], cost(*kept[0])


beam(1), beam(2)  # a beam of one is the greedy search

# %% [markdown]
# Both are exact here and neither is in general; both take far longer than PQ, in which a chunk just
# takes its nearest codeword. (The beam of `utils` also tries the codebooks in any order.) But the
# worse trouble with sums is another one. Suppose 8 codebooks of 256, a byte for each code.

# %%
predict("sums-bytes", "8 bytes of codes a word, and 8 codebooks of 256 codewords of 100 float32: "
        "which share of the bytes are codebooks, with our number of words?", "%")

# %%
sum_bill = {"codes": n * 8, "codebooks": 8 * 256 * d * 4}
reveal("sums-bytes", 100 * sum_bill["codebooks"] / sum(sum_bill.values()), "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
pq_codebooks = 256 * d * 4
more = (sum_bill["codebooks"] - pq_codebooks) / n  # bytes a word
sum_share = sum_bill["codebooks"] / sum(sum_bill.values())

# %% [markdown]
# {{ sum_bill["codebooks"]:, }} bytes of codebooks to decode {{ sum_bill["codes"]:, }} bytes of codes. PQ
# with the same codes has codebooks of {{ pq_codebooks:, }} bytes. The difference would buy PQ
# {{ more:.0f }} more bytes for each word. Full-dimension codebooks are for tables with millions of
# rows, for which the methods were invented.

# %% [markdown]
# ## 7. The whole account
#
# *About 7 minutes.*
#
# So far we looked at the error of the shipped vectors. Recorded in `course/results/` is what it
# does to predictions. For each seed, the word vectors of a trained Model 2 were quantized by each
# method, and everything else was left in float32. Nothing is trained again; only the thresholds
# are tuned anew on dev, as for every model of this course. *VQ* is plain k-means, *additive* encodes
# by beam search, and *local search* by iterated local search, both with one training alone, since they take
# so long. (M = 49 is the most that fits with K = 16, and K = 106 the most that fits with M = 25.) *One number at a time* is the rival of section 3, and
# *int8* what the shipped file of unit 01 does with its vectors: 8 bits for each number, a scale for each
# column. *Uniform, entropy-coded* and *k-means, entropy-coded* are those of section 7 of unit 03.

# %%
recorded = [row for experiment in ("word vectors", "sums of codewords")
            for row in load_records("quantization", experiment=experiment, split="test")]
origin = load_provenance("quantization", experiment="word vectors")
error, f1, size, nbytes = (
    {(row["method"], row["setting"]): row for row in summarise(recorded, field)}
    for field in ("relative_error", "macro_f1", "file_bytes", "nbytes"))
linear = load_records("quantization", experiment="models", method="sparse linear", split="test")
whole = max(f1, key=lambda key: nbytes[key]["mean"])  # float32
fitting = [key for key in f1 if 16 * nbytes[key]["max"] <= nbytes[whole]["max"]]  # with every seed
fixed = [key for key in fitting if "entropy-coded" not in key[0]]  # codes of a fixed length
seeds = f1[whole]["n"]


# %%
def by_seed(key, field):
    return [row[field] for row in recorded if (row["method"], row["setting"]) == key]


# %%
predict("f1-lost", "Word vectors 16 times smaller, everything counted, by the method with the "
        "least error: how many points (0.01) of macro-F1 are lost?", "points")

# %%
closest = min(fixed, key=lambda key: error[key]["mean"])
change = np.mean(by_seed(closest, "difference_to_float32"))
reveal("f1-lost", -100 * change, "points")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
best_of = {}  # the least error of each method within a sixteenth
for key in sorted(fitting, key=lambda key: error[key]["mean"]):
    best_of.setdefault(key[0], key)
ranked = list(best_of.values())
SEVERAL = "PQ", "OPQ", "VQ", "additive", "local search"
SINGLE = {"one number at a time": "*", "k-means, entropy-coded": "v", "uniform, entropy-coded": "d"}
MARKS = {method: dict(marker=plots.MARKERS[i], color=plots.PALETTE[i], markersize=7)
         for i, method in enumerate(SEVERAL, start=1)}
MARKS |= {method: dict(marker=marker, color="black", markerfacecolor="none", markersize=9)
          for method, marker in SINGLE.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_errors(axes, size):
    for method, style in MARKS.items():
        x, y, *ends = np.array([
            (nbytes[key]["mean"], row["mean"], row["mean"] - row["min"], row["max"] - row["mean"])
            for key, row in error.items() if key[0] == method]).T
        style = style | {"markersize": size * style["markersize"]}
        axes.errorbar(x, y, ends, linestyle="", capsize=4, label=method, **style)
    axes.axvline(nbytes[whole]["max"] / 16, color="black", linestyle="--", linewidth=1.2)


# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, axes = plt.subplots(figsize=(9, 6))
draw_errors(axes, size=1)
axes.annotate("a sixteenth ", (nbytes[whole]["max"] / 16, 0.03), xycoords=("data", "axes fraction"),
              ha="right", va="bottom")
ticks = [0.02, 0.05, 0.1, 0.2, 0.5, 1]
axes.set(yscale="log", ylabel="relative error (log scale)", ylim=(0.02, 1.2), xlim=(1e5, 1e6),
         xlabel="codes, codebooks and rotation (bytes, log scale; 1 kB = 1000 B)")
axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
axes.minorticks_off()
plots.bytes_axis(axes)
axes.legend(loc="lower left")
inset = axes.inset_axes([0.64, 0.52, 0.36, 0.42])
draw_errors(inset, size=1.2)
inset.set(xlim=(305e3, 346e3), ylim=(0.1, 0.165), title="near a sixteenth", xticks=[310e3, 330e3])
inset.xaxis.set_major_formatter(plots.human_bytes)
show(figure, alt="Relative error of the word vectors against all their bytes, for each method; a "
     "dashed line marks a sixteenth of float32, and an inset enlarges what is near it. " + " ".join(
         f"{key[0]}, {key[1]}: {plots.human_bytes(nbytes[key]['mean'])}, {row['mean']:.3f}."
         for key, row in error.items() if key[0] in MARKS))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def facts(key):
    changes = ", ".join(f"{change:+.3f}" for change in by_seed(key, "difference_to_float32"))
    return SimpleNamespace(setting=key[1], nbytes=nbytes[key]["mean"],
                           file=plots.human_bytes(size[key]["mean"]), error=error[key]["mean"],
                           f1=f1[key]["mean"], changes=changes)


best = {method: facts(key) for method, key in best_of.items()}
pq, opq_best, single, local, beams, vq_best, coded_best = (best[method] for method in (
    "PQ", "OPQ", "one number at a time", "local search", "additive", "VQ", "uniform, entropy-coded"))
several_recorded = 1 - pq.error / single.error
pq_codes = ProductQuantizer(most_chunks(16), 16, random_state=0).fit_transform(vectors)
pq_entropy = np.mean([entropy(column) for column in pq_codes.T])

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(pq.error < single.error < opq_best.error < 0.5 * min(local.error, beams.error)
      and max(local.error, beams.error) < vq_best.error,
      "with codes of a fixed length the error rises from PQ over one number at a time, OPQ and sums "
      "to VQ")
claim(coded_best.error < 0.97 * pq.error, "equal steps, entropy-coded, have a smaller error than PQ")
claim(pq_entropy > 3.7, "entropy coding would gain little on the codes of PQ")

# %% [markdown]
# Within a sixteenth, the least error of each method with codes of a fixed length: **PQ**
# ({{ pq.setting }}) {{ pq.error:.3f }}; **one number at a time** ({{ single.setting }}, 2 bits for nearly
# all) {{ single.error:.3f }}; **OPQ** ({{ opq_best.setting }}) {{ opq_best.error:.3f }}; **sums**, by local
# search ({{ local.setting }}) {{ local.error:.3f }} and by beam search ({{ beams.setting }})
# {{ beams.error:.3f }}; **VQ** ({{ vq_best.setting }}) {{ vq_best.error:.3f }}. Bytes spent on a rotation, or
# on long codewords, are not there for codes. Several numbers at once gain {{ several_recorded:.1%}} over the
# best that single numbers can do (a mean over trainings; section 3 had the shipped vectors), and the other
# methods lose to them: compare with one number at a time, *at its best*, before you choose a method by its
# reputation.
#
# And single numbers have one more move. With equal steps and entropy-coded ({{ coded_best.setting }}) they
# have {{ coded_best.error:.3f }}, less than PQ, in {{ coded_best.nbytes:,.0f }} bytes. PQ has little to gain
# there: the entropy of its codes is {{ pq_entropy:.2f }} bits of 4 (on the shipped vectors). What it keeps
# is that the vector of any word can be looked up without decoding those before it.
#
# And in the end, what matters: complete files, from raw text to predictions, and macro-F1. The table has
# float32, int8, single numbers with 3 and 2 bits, and of each method the setting with the least error that
# fits a sixteenth; the chart has those of them above the sparse linear baseline. (Files are compressed with
# zstandard, so even with float32 a file can be smaller than its vectors.)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
int8 = next(key for key in f1 if key[0] == "int8")
three_bits = ("one number at a time", "M=100, K=8")
chosen = [whole, int8, three_bits, *ranked]
lines = ["| method | setting | bytes of the vectors | whole file | relative error | macro-F1 | change "
         "from float32, seed by seed |", "| --- | --- | ---: | ---: | ---: | ---: | ---: |"]
for key in chosen:
    row = facts(key)
    lines.append(f"| {key[0]} | {row.setting} | {row.nbytes:,.0f} | {row.file} | {row.error:.3f} | "
                 f"{row.f1:.3f} | {'' if key == whole else row.changes} |")
display(Markdown("\n".join(lines)))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
baseline = linear[0]  # as shipped
FILES = MARKS | {"float32": dict(marker="o", color=BLUE), "int8": dict(marker="P", color=BLUE)}
above = [key for key in chosen if f1[key]["mean"] > baseline["macro_f1"]]
above = sorted(above, key=lambda key: -size[key]["mean"])
figure, axes = plt.subplots(figsize=(8.5, 4.8))
for place, key in enumerate(above):
    row = f1[key]
    ends = [[row["mean"] - row["min"]], [row["max"] - row["mean"]]]
    axes.errorbar(row["mean"], place, xerr=ends, capsize=4, elinewidth=1, **FILES[key[0]])
axes.set_yticks(range(len(above)), [
    f"{', '.join(key)}: {plots.human_bytes(size[key]['mean'])}" for key in above])
axes.axvline(baseline["macro_f1"], color="black", linestyle="--", linewidth=1.2,
             label=f"sparse linear ({plots.human_bytes(baseline['file_bytes'])})")
axes.set(xlabel="macro-F1 (test)")
figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center")
show(figure, alt="Macro-F1 on test of complete files, one in a row, the largest at the bottom, with bars from "
     "the lowest to the highest seed. " + " ".join(
         f"{key[0]}, {key[1]}: {plots.human_bytes(size[key]['mean'])}, {f1[key]['mean']:.3f}."
         for key in above)
     + f" A line marks the sparse linear baseline, {plots.human_bytes(baseline['file_bytes'])}, "
     f"{baseline['macro_f1']:.3f}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
shipped = load_records("efficiency", experiment="models", method="Model 2 (GRU)",
                       setting="GRU-64, distilled vectors", split="test")
shipped_size, shipped_f1 = (summarise(shipped, field)[0]["mean"] for field in ("file_bytes", "macro_f1"))
shrunk = nbytes[whole]["mean"] / nbytes[closest]["mean"]
against_int8 = nbytes[int8]["mean"] / nbytes[closest]["mean"]
shipped_shrunk = shipped_size / size[closest]["mean"]


def against_pq(key):
    """Macro-F1 minus that of PQ on the same comments: of each seed, and how many intervals miss 0."""
    differences, lows, highs = (by_seed(key, f"difference_to_pq{end}") for end in ("", "_low", "_high"))
    return SimpleNamespace(
        seeds=", ".join(f"{difference:+.3f}" for difference in differences),
        better=sum(difference > 0 for difference in differences), mean=np.mean(differences),
        clear=sum(low > 0 or high < 0 for low, high in zip(lows, highs, strict=True)))


opq_pq, single_pq, coded_pq = (against_pq(best_of[method]) for method in (
    "OPQ", "one number at a time", "uniform, entropy-coded"))
dev_f1 = {(row["method"], row["setting"]): row["mean"] for row in summarise(
    load_records("quantization", experiment="word vectors", split="dev"))}
pq_on_dev, *others_on_dev = (dev_f1[best_of[method]] for method in (
    "PQ", "OPQ", "one number at a time", "uniform, entropy-coded"))
below = [key for key in f1 if f1[key]["mean"] < baseline["macro_f1"]]
least = min(size[key]["mean"] for key in below) / baseline["file_bytes"]

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(shrunk > 16 and -0.02 < change < -0.005, "16 times smaller costs about a point of macro-F1")
claim(seeds >= 3 and min(opq_pq.mean, single_pq.mean, coded_pq.mean) > 0,
      "by macro-F1 PQ is behind those with more error and those with less, on average")
claim(pq_on_dev > max(others_on_dev), "on dev PQ is the first of the four")
claim(opq_pq.better > seeds / 2 > opq_pq.clear,
      "OPQ is ahead of PQ with most seeds, and most intervals hold 0")
claim(len(below) > 1 and least > 20, "several settings, in far larger files, are below the baseline")

# %% [markdown]
# With PQ, {{ pq.setting }}, the vectors are {{ shrunk:.1f }} times smaller than in float32, and macro-F1
# changes by {{ change:+.3f }} on average. But nobody ships float32. The file of unit 01, with its vectors in
# 8 bits and its network in float16, has {{ plots.human_bytes(shipped_size) }} and scores
# {{ shipped_f1:.3f }}. Against that one PQ makes the vectors {{ against_int8:.1f }} times smaller and the
# whole file {{ shipped_shrunk:.1f }} times, because the words and the GRU are still there.
#
# **Does the rotation earn its bytes after all?** Two models are compared on the same comments, by the paired
# bootstrap of unit 01. OPQ, {{ opq_best.setting }}, has a larger error than PQ. Its macro-F1 minus that of PQ
# is {{ opq_pq.seeds }}, seed by seed, and {{ opq_pq.mean:+.3f }} on average: ahead with {{ opq_pq.better }} of
# {{ seeds }} seeds, with an interval that leaves out 0 for {{ opq_pq.clear }}. By F1 the rotation is not
# behind, and hardly told from PQ.
#
# Nor is PQ ahead of others. One number at a time, {{ single.setting }}, with more error, minus PQ:
# {{ single_pq.seeds }}, on average {{ single_pq.mean:+.3f }} (ahead with {{ single_pq.better }} seeds, an
# interval without 0 for {{ single_pq.clear }}). Equal steps, entropy-coded, with less error:
# {{ coded_pq.seeds }}, on average {{ coded_pq.mean:+.3f }} (ahead with {{ coded_pq.better }}, without 0 for
# {{ coded_pq.clear }}). PQ, the best of codes of a fixed length by its error, is the last of the four by the
# mean of macro-F1 on test. On dev it is the first, with {{ pq_on_dev:.3f}} against {{ min(others_on_dev):.3f}} to
# {{ max(others_on_dev):.3f}}. Differences of error as small as these do not say which of two methods predicts better.
#
# The sparse linear baseline takes {{ plots.human_bytes(baseline["file_bytes"]) }} in all and scores
# {{ baseline["macro_f1"]:.3f }}. Of the {{ len(f1) - 1 }} settings, {{ len(below) }} have a lower mean.
# Some may differ from it by no more than chance, but with files at least {{ least:.0f }} times as
# large, they show no gain.

# %% [markdown]
# **Think.** A relative error of a tenth is a lot: a word vector is off by almost a third of
# its typical distance from the mean. Macro-F1 suffers far less in proportion. Why? And why can two
# methods with the same error differ in F1?
#
# <details><summary>Answer</summary>
#
# The GRU and its pooling add up many words and many dimensions, in which errors of either sign
# partly cancel, and a label changes only when its probability crosses the threshold. But the squared
# error counts all words and all directions alike. The predictions do not: an error in the vector
# of a frequent word that decides between emotions does harm, one in a rare name does none. Plain
# chance comes on top, and only several seeds can show how much.
#
# </details>

# %% [markdown]
# ## 8. Against faiss
#
# *About 2 minutes.*
#
# [faiss](https://github.com/facebookresearch/faiss) is the library that most people use for this.
# Ours is NumPy and reads like this lecture. Both ran in one process, on one thread, on 30,000
# vectors of 300 numbers: *iid* ones, in which there is nothing to find, and *decaying* ones, whose
# variance falls from axis to axis.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
races = {row["method"]: row for row in load_records("quantization", experiment="races")}


def race(name, prefix=""):
    row = races[name]
    ours, error = row[f"{prefix}cpu_s"], row[f"{prefix}error"]
    return SimpleNamespace(ours=ours, peer=row["peer_cpu_s"], ratio=ours / row["peer_cpu_s"],
                           error=error, peer_error=row["peer_error"],
                           more=error / row["peer_error"] - 1)


encode, opq_race = race("pq_encode"), race("opq_decaying_vectors")
iid, decaying = race("pq_train_iid_vectors"), race("pq_train_decaying_vectors")
sums_iid = race("additive_iid_vectors", "local_search_")
sums_decaying = race("additive_decaying_vectors", "local_search_")
won = encode, opq_race, sums_iid, sums_decaying
claim(all(r.ratio > 1.1 and r.more > 0 for r in (iid, decaying))
      and all(r.ratio < 0.9 and r.more < 1e-6 for r in won),
      "ours is slower than faiss, and less exact, in training PQ and nowhere else")

# %% [markdown]
# | task | M, K | ours (CPU s) | faiss (CPU s) | ours / faiss | our error | error of faiss |
# | --- | --- | ---: | ---: | ---: | ---: | ---: |
# | PQ, encode | M = 30, K = 256 | {{ encode.ours:.2f }} | {{ encode.peer:.2f }} | {{ encode.ratio:.2f }} | {{ encode.error:.4f }} | {{ encode.peer_error:.4f }} |
# | PQ, train (iid) | M = 30, K = 256 | {{ iid.ours:.2f }} | {{ iid.peer:.2f }} | {{ iid.ratio:.2f }} | {{ iid.error:.4f }} | {{ iid.peer_error:.4f }} |
# | PQ, train (decaying) | M = 30, K = 256 | {{ decaying.ours:.2f }} | {{ decaying.peer:.2f }} | {{ decaying.ratio:.2f }} | {{ decaying.error:.4f }} | {{ decaying.peer_error:.4f }} |
# | OPQ, train (decaying) | M = 30, K = 256 | {{ opq_race.ours:.2f }} | {{ opq_race.peer:.2f }} | {{ opq_race.ratio:.2f }} | {{ opq_race.error:.4f }} | {{ opq_race.peer_error:.4f }} |
# | local search, train and encode (iid) | M = 8, K = 256 | {{ sums_iid.ours:.2f }} | {{ sums_iid.peer:.2f }} | {{ sums_iid.ratio:.2f }} | {{ sums_iid.error:.4f }} | {{ sums_iid.peer_error:.4f }} |
# | local search, train and encode (decaying) | M = 8, K = 256 | {{ sums_decaying.ours:.2f }} | {{ sums_decaying.peer:.2f }} | {{ sums_decaying.ratio:.2f }} | {{ sums_decaying.error:.4f }} | {{ sums_decaying.peer_error:.4f }} |
#
# **Ours is slower** only in training PQ: it takes {{ iid.ratio:.2f }} (iid) and {{ decaying.ratio:.2f }}
# (decaying) times as long as faiss. There alone **its error is larger** as well, by {{ iid.more:.2% }}
# and {{ decaying.more:.2% }}. ({{ races["pq_encode"]["setting"] }}, CPU build. A GPU, several threads,
# or the fast-scan search of faiss are not in this race, and we have nothing like them.)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
race_bytes, race_errors = ({
    int(key.split("_")[1]): value for key, value in races["additive_iid_vectors"].items()
    if key.startswith("product_") and key.endswith(end)} for end in ("_bytes", "_error"))
few = min(race_bytes)
sums_bytes = races["additive_iid_vectors"]["total_bytes"]
claim(race_bytes[few] < sums_bytes and race_errors[few] < 0.5 * sums_iid.error,
      "PQ has less than half of the error of local search, in fewer bytes")

# %% [markdown]
# The same race shows section 6 once more. On iid vectors, local search has an error of
# {{ sums_iid.error:.2f }} for {{ plots.human_bytes(sums_bytes) }}. PQ with {{ few }} chunks of as many codewords has
# {{ race_errors[few]:.2f }} for {{ plots.human_bytes(race_bytes[few]) }}: with the bytes of the codebooks
# spent on codes, the simpler method is far ahead.

# %% [markdown]
# ## 9. What you have learned
#
# *About 4 minutes, with the questions.*
#
# - **Cells beat grids, grids scale.** In two dimensions the product grid has
#   {{ grid_error / free_error:.1f }} times the error of free codewords at 4 bits a point; in 100
#   dimensions free codewords cannot be stored.
# - **Codebooks are bytes.** 20 bytes a word instead of 400 are
#   {{ vectors.nbytes / sum(bill.values()):.1f }} and not 20 times smaller. Counted honestly,
#   K = {{ honest }} is best for our table; uncounted, K = {{ wishful }}.
# - **Search needs no decoding.** When this was built, look-ups were {{ faster:.0f }} times as fast as
#   decoding and multiplying; vectors that lie decoded anyway are still faster.
# - **The best rotation is an SVD away**, and costs {{ rotation_bits:.0f }} bits for each of our words:
#   it lowers the error by {{ gain:.0% }}, and as many bytes of codes lower it more. By macro-F1, OPQ is ahead
#   of PQ with {{ opq_pq.better }} of {{ seeds }} seeds, clearly with {{ opq_pq.clear }}.
# - **Sums of codewords** can come closer at the same M and K, are hard to encode, and have codebooks M
#   times as large: {{ sum_share:.0% }} of the bytes in our example.
# - **Meet the rival at its best.** The error of PQ is only {{ several_recorded:.1%}} below that of single
#   numbers with 2 bits; with equal steps, entropy-coded, these are ahead.
# - **Error is not F1.** With an error of {{ pq.error:.2f }}, in a file {{ shipped_shrunk:.1f }} times smaller
#   than the shipped one, the word vectors change macro-F1 by {{ change:+.3f }} (seeds: {{ seeds }}); and
#   {{ len(below) }} of {{ len(f1) - 1 }} settings end below the sparse linear baseline.
#
# Recorded measurements: {{ origin["date"] }}, {{ origin["machine"]["processor"] }}, data:
# {{ origin["data"]["kind"] }}.

# %% [markdown]
# **Check yourself.** Five questions; each option answers back.

# %%
quiz(
    "Product quantization with M = 10 chunks and K = 256 codewords for vectors of 100 numbers. How "
    "many numbers do all codebooks hold together?",
    {
        "25,600": "256 codewords of 10 numbers for each of 10 chunks: K times d, whatever M is.",
        "256,000": "That is M times K times d, for codewords as long as the vector: sums.",
        "2,560": "That is the number of codewords; each has 10 numbers.",
    },
    answer="25,600",
)

# %%
quiz(
    "A paper compresses the vectors of 5,000 words to 8 bytes each by sums of 8 codewords, 256 in "
    "each codebook, and reports 50 times smaller than 100 float32. What do you ask?",
    {
        "How long encoding took.":
            "A fair question, but it is done once. There is a larger one.",
        "Whether the codebooks were counted.":
            "They were not: 8 codebooks of 256 times 100 float32 are 819,200 bytes, and the codes "
            "only 40,000. All in all it is 2.3 times smaller.",
        "Which rotation was used.":
            "Sums need none: a turned set of codewords is again one.",
    },
    answer="Whether the codebooks were counted.",
)

# %%
quiz(
    "In the Procrustes step of OPQ, X is fixed and so is Y. What is minimized?",
    {
        "The distance of XR from Y over all matrices R.":
            "That is least squares. It comes closer, but R would stretch, and its transpose would "
            "not undo it.",
        "The distance of XR from Y over orthogonal R.":
            "And U times V transposed, from the SVD of X transposed times Y, is the exact minimum.",
        "The quantization error over codebooks and R at once.":
            "Nobody can do that directly; this is why the method alternates.",
    },
    answer="The distance of XR from Y over orthogonal R.",
)

# %%
quiz(
    "ICM has stopped. What do you know about the codes?",
    {
        "No other codes have a smaller error.":
            "In the tiny example ICM stopped at an error of 5, and 0 was possible.",
        "Changing any one code makes the error no smaller.":
            "Two codes changed at once may still help, which is why one perturbs.",
        "They are the greedy codes.":
            "It may have started there, but it improves them where it can.",
    },
    answer="Changing any one code makes the error no smaller.",
)

# %%
quiz(
    "Vectors for ten million products, 100 numbers each, 8 bytes of codes for each. OPQ or PQ?",
    {
        "PQ: the rotation costs 40,000 bytes.":
            "That is 0.03 bits a vector. It mattered with a few thousand words.",
        "OPQ: the rotation costs next to nothing here.":
            "Spread over ten million vectors, any gain in error outweighs it. Full-dimension "
            "codebooks come into question as well.",
        "Neither: plain k-means has smaller errors.":
            "It would need 2⁶⁴ codewords for these bytes.",
    },
    answer="OPQ: the rotation costs next to nothing here.",
)

# %% [markdown]
# **Further reading**
#
# - Jégou, Douze and Schmid, [*Product Quantization for Nearest Neighbor
#   Search*](https://inria.hal.science/inria-00514462), 2011: sections 2 and 3, and our sections 2
#   to 4.
# - Ge, He, Ke and Sun, [*Optimized Product
#   Quantization*](https://openaccess.thecvf.com/content_cvpr_2013/html/Ge_Optimized_Product_Quantization_2013_CVPR_paper.html),
#   2013: with the proof of what is optimal for bell-shaped vectors.
# - Babenko and Lempitsky, [*Additive Quantization for Extreme Vector
#   Compression*](https://openaccess.thecvf.com/content_cvpr_2014/html/Babenko_Additive_Quantization_for_2014_CVPR_paper.html),
#   2014, and Martinez et al., [*Revisiting Additive
#   Quantization*](https://doi.org/10.1007/978-3-319-46475-6_9), 2016: beam search and local search.
#
# **Next.** In the assignment you write the training and the rotation with weights, so that frequent
# words can count more, a search by cosine that decodes nothing, and the account of the bytes. Then you
# choose for another budget.
