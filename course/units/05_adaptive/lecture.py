# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Adaptive computation time: do we need every layer all the time?
#
# "That was great!" needs one glance, "Well, I can't say I didn't not enjoy it" needs three. Our
# networks give both the same number of layers. This lecture lets the *input* decide: a network that
# may take another step, pays for it, and learns when to stop. Then it asks what that earns, beside a
# network that simply takes fewer steps at every word.
#
# **After this lecture you can**
#
# 1. write the halting weights and the remainder of adaptive computation time, and say why they sum
#    to 1;
# 2. say which gradient the ponder cost has, and why the number of steps has none;
# 3. let the positions of a padded batch halt one by one, and compute only those that go on;
# 4. compare a model of adaptive depth with one of fixed depth and equal mean steps, on the same
#    comments;
# 5. calibrate an early exit, for labels that are independent yes or no;
# 6. say what adaptive depth saves for a single comment, and what is left of it in a batch.
#
# **How it works.** Plan about 60 minutes. Before seven of the results a box asks for your guess: write
# one down. Cells that only draw, or prepare what the text says, are folded. No number here is from
# memory: those in the text were filled in from `course/results/` and from the cells above them when
# this notebook was built.

# %%
import time
from collections import defaultdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import Combobox, FloatSlider, SelectionSlider
from matplotlib.colors import ListedColormap
from scipy.special import entr, expit, softmax

from utils import packing, plots
from utils.adaptive import ParityNetwork, halting_weights, parity_batch, steps_taken, train_parity
from utils.claims import claim
from utils.data import load_sample, tokenize
from utils.efficiency import naive_batches
from utils.plots import show
from utils.records import load_records, load_runs, summarise
from utils.widgets import explore, predict, quiz, reveal

# %% jupyter={"source_hidden": true} tags=["hide-input"]
torch.set_num_threads(1)  # one thread: the machine may be shared
torch.set_printoptions(precision=4, sci_mode=False)
np.set_printoptions(legacy="1.25", suppress=True, precision=4)
plots.set_style()
BLUE, RED, GREEN = plots.PALETTE[:3]

# %% [markdown]
# ## 1. A task whose difficulty is known
#
# *About 6 minutes.*
#
# Nobody can say how many steps a comment *should* take. So begin where one can
# ([Graves, 2016](https://arxiv.org/abs/1603.08983), section 3.1): a vector of ones and minus ones,
# then zeros. Is the number of ones odd? Each number that is not zero can turn the answer around, so
# a vector with more of them is harder.

# %%
generator = torch.Generator().manual_seed(0)
vectors, difficulty, odd = parity_batch(4, bits=8, generator=generator)
vectors.int(), difficulty, odd.int()

# %% [markdown]
# The network sees all eight numbers at once. It is a small GRU cell that looks at the same vector
# again and again, at most eight times. After each look it says with what probability it would stop,
# and it learns to answer *and* to stop. How that is done is the subject of the next two sections;
# first see that it works.

# %%
predict("parity", "With eight numbers to count, how many times as many steps as with one will the "
        "network take?", "times")

# %%
parity = load_records("adaptive", experiment="parity")
curves = np.array([record["steps_by_difficulty"] for record in parity])  # (seeds, 8)
accuracy = [record["accuracy"] for record in parity]
reveal("parity", (curves[:, -1] / curves[:, 0]).mean(), "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8, 3.8))
for record, curve, marker in zip(parity, curves, plots.MARKERS, strict=False):
    axes.plot(range(1, 9), curve, f"{marker}-",
              label=f"seed {record['seed']}: accuracy {record['accuracy']:.1%}")
axes.set(xlabel="numbers that are not zero", ylabel="mean steps", ylim=(0, 8.2))
axes.axhline(8, color=plots.GREY, linestyle=":")
axes.annotate("most steps allowed", (1, 8), xytext=(0, -13), textcoords="offset points",
              color=plots.GREY)
axes.legend(loc="lower right")
show(figure, alt="Mean steps of ACT on parity against the numbers to count, from 1 to 8, for three "
     "seeds. " + " ".join(f"Seed {record['seed']}: from {curve[0]:.1f} to {curve[-1]:.1f} steps, "
                          f"accuracy {record['accuracy']:.1%}."
                          for record, curve in zip(parity, curves, strict=True)))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
ranks_of_means = [record["rank_correlation_of_means"] for record in parity]
ranks = [record["rank_correlation"] for record in parity]
claim(min(accuracy) >= 0.95, "ACT solves parity with all seeds")
claim(min(ranks_of_means) > 0.7 and max(ranks) < 0.6,
      "mean steps rise with difficulty, and those of single vectors follow it only loosely")
claim((curves[:, -1] / curves[:, 0]).max() < 2, "eight numbers take less than twice the steps of one")

# %% [markdown]
# It solves the task (accuracy {{ min(accuracy):.1%}} to {{ max(accuracy):.1%}}), and on average harder
# vectors take more steps: the rank correlation of difficulty and mean steps is
# {{ min(ranks_of_means):.2f}} to {{ max(ranks_of_means):.2f}}. Do not make more of it than there is.
# The curves rise gently and not at every point, the three seeds take different numbers of steps for
# the same task, and over single vectors the correlation is only {{ min(ranks):.2f}} to
# {{ max(ranks):.2f}}. A network that may think longer finds *some* way to use it.
#
# Does it *need* these steps? Two trials, some seconds each: train one with eight steps and stop it
# early; and train others that never have more than one step, or two, in the same way.

# %%
vectors, difficulty, odd = parity_batch(8000, 8, torch.Generator().manual_seed(2))


def trained(most):
    torch.manual_seed(1)
    network = ParityNetwork(bits=8, units=16, max_steps=most)
    train_parity(network, bits=8, penalty=0.02, batches=1000, batch_size=128, seed=1)
    return network


@torch.inference_mode()
def by_difficulty(network):
    """Share of right answers for each difficulty, from 1 to 8."""
    right = (network(vectors) > 0) == (odd > 0)
    return [right[difficulty == d].double().mean().item() for d in range(1, 9)]


within = {f"trained with {most}": by_difficulty(trained(most)) for most in (1, 2)}
network = trained(8)
within["trained with 8"] = by_difficulty(network)
network.cell.max_steps = 1
within["trained with 8, stopped after 1"] = by_difficulty(network)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8, 3.6))
for (name, curve), marker, style in zip(within.items(), plots.MARKERS, plots.LINES, strict=False):
    axes.plot(range(1, 9), curve, marker=marker, linestyle=style, label=name)
axes.axhline(0.5, color=plots.GREY, linewidth=1, linestyle=":")
axes.set(xlabel="numbers that are not zero", ylabel="accuracy", ylim=(0, 1.05))
axes.legend(loc="lower left", title="most steps")
show(figure, alt="Accuracy on parity against the numbers to count, for networks trained here with at "
     "most 1, 2 and 8 steps, and for the last one stopped after one. "
     + " ".join(f"{name.capitalize()}: from {curve[0]:.2f} to {curve[-1]:.2f}."
                for name, curve in within.items()))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
one, two, eight, stopped = (np.mean(curve) for curve in within.values())
claim(stopped < 0.8 < 0.9 < one, "one step suffices where it is trained, and not where it is cut off")
claim(two > 0.97 and eight > 0.97, "two steps are as good as eight")

# %% [markdown]
# With all its steps the network is right in {{ eight:.1%}} of cases, and stopped after one in
# {{ stopped:.1%}}; guessing gives half. Does the task need depth, then? The networks that were
# *trained* with one step and with two are right in {{ one:.1%}} and {{ two:.1%}}. To stop a trained
# network early shows only that it **relies** on its steps. So even here: harder vectors take more
# steps on average, and it is not shown that they must. The control is a network of fixed depth,
# *trained by itself*; section 6 has one for each depth.

# %% [markdown]
# ## 2. When to stop
#
# *About 8 minutes.*
#
# After step $n$ the network has a state $s_n$. A **halting unit**, a single sigmoid of that state,
# gives a probability $h_n$. The network goes on until these add up to 1, or nearly:
#
# $$N = \min\Big\{ n : \sum_{i \le n} h_i \ge 1 - \varepsilon \Big\}, \qquad
#   R = 1 - \sum_{i < N} h_i, \qquad
#   p_n = \begin{cases} h_n & n < N \\ R & n = N \end{cases}$$
#
# $N$ is the number of steps and $R$ the **remainder**. The answer is not the last state but the
# *mean* of all states, weighted by $p_n$: that makes it differentiable. The same in code:

# %%
def halting(h, epsilon=0.01):
    """The weights of all steps that are taken; the last one's is the remainder."""
    weights, total = [], 0
    for n, probability in enumerate(h, start=1):
        if total + probability >= 1 - epsilon or n == len(h):  # enough, or the last step allowed
            return [*weights, 1 - total]
        weights.append(probability)
        total = total + probability


halting([0.25, 0.5, 0.75, 0.5])  # three steps; the fourth probability is never looked at

# %%
predict("forced", "At most three steps are allowed, and each has a halting probability of 0.25. What "
        "is the weight of the third?", high=1)

# %%
reveal("forced", halting([0.25, 0.25, 0.25])[-1])

# %% [markdown]
# **The last step is forced**: there the position halts, whatever its probability says, and the weight
# is the remainder as well. Giving it its probability is a mistake that well-known code makes: the
# weights then sum to 0.75 here, and the state shrinks by a quarter. With the remainder they sum to 1
# by construction: what is not yet spent is spent at the end.
#
# Move the probabilities. Four steps are allowed.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_halting(h1, h2, h3):
    h = [h1, h2, h3, 0.5]
    weights = halting(h)
    figure, axes = plt.subplots(figsize=(9, 2.6))
    left = 0
    for n, weight in enumerate(weights, start=1):
        last = n == len(weights)
        axes.barh(0, weight, left=left, color=plots.PALETTE[n - 1], edgecolor="white",
                  hatch="//" if last else None, height=0.6)
        if weight > 0.04:
            axes.annotate(f"step {n}\n{weight:.2f}", (left + weight / 2, -0.36), ha="center",
                          va="top")
        left += weight
    axes.axvline(0.99, color="black", linestyle=":", linewidth=1)
    axes.set(xlim=(0, 1.02), ylim=(-0.95, 0.4), yticks=[], xlabel="sum of the weights",
             title=f"{len(weights)} step{'s' * (len(weights) > 1)}; hatched: the remainder, "
             f"{weights[-1]:.2f}{', forced' if len(weights) == 4 else ''}")
    axes.grid(False)
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_halting(h1, h2, h3):
    weights = halting([h1, h2, h3, 0.5])
    return (f"A bar from 0 to 1 made of the weights of {len(weights)} steps: "
            + ", ".join(f"{weight:.2f}" for weight in weights)
            + f". The last is the remainder. Halting probabilities {h1:.2f}, {h2:.2f}, {h3:.2f}.")


explore(draw_halting, describe_halting,
        **{f"h{n}": FloatSlider(value=value, min=0, max=1, step=0.05)
           for n, value in ((1, 0.3), (2, 0.45), (3, 0.6))})

# %% [markdown]
# 1. With the first two at 0.45, move the third. Between which values does it matter at all?
# 2. Set the first to 1, then to 0.95. What would happen without $\varepsilon$, if a sigmoid can come
#    close to 1 but never reach it?
# 3. Put the first at 0.5. Can the second and the third still make it stop after one step?
#
# <details><summary>Answers</summary>
#
# (1) Below 0.09 or so: there a fourth step follows. From there on the third is the last, and its
# weight is 0.1 whatever its probability is. (2) At 1, one step. At 0.95 two. Without $\varepsilon$
# the sum could reach 1 only at the second step, so nobody could ever halt after one. (3) No. Whether
# it stops at a step depends on the probabilities up to there; those of later steps are never asked
# for.
#
# </details>

# %% jupyter={"source_hidden": true} tags=["hide-input"]
random = torch.rand(200, 5, generator=generator)
by_library, steps, _ = halting_weights(random)
ours = [halting(row.tolist()) for row in random]
claim(all(len(weights) == n for weights, n in zip(ours, steps.tolist(), strict=True))
      and max(abs(sum(weights) - 1) for weights in ours) < 1e-6,
      "our steps are those of the library, and the weights sum to 1")
at_start = torch.sigmoid(torch.tensor(1.0)).item()
first_steps = len(halting([at_start] * 4))
claim(first_steps == 2, "an untrained halting unit takes two steps")

# %% [markdown]
# Before training, the linear part of a halting unit is nearly 0, and its bias starts at 1: a
# probability of {{ at_start:.2f }}, so {{ first_steps }} steps. Keep that number in mind.
#
# Three networks of `utils.adaptive` use this arithmetic. **Recurrent** ACT takes several steps at each
# word before it reads on (Graves). **Spatial** ACT applies convolutions over the words, and each word
# stops by itself, as each place of an image does in
# [Figurnov et al. (2017)](https://arxiv.org/abs/1612.02297). The **Universal Transformer** applies one
# attention block again and again, and each word stops by itself
# ([Dehghani et al., 2019](https://arxiv.org/abs/1807.03819)). In the last two, a word that has stopped
# stays where its neighbours can look at it.

# %% [markdown]
# ## 3. The price of a step
#
# *About 5 minutes.*
#
# Left alone, nothing would move a network to take fewer steps. So the loss has a second term, a
# **time penalty** $\tau$ times the **ponder cost** $\rho = N + R$. The number of steps is a whole
# number: move a probability a little, and it stays as it is. Its gradient is 0 wherever it has one.
# All that can be learned from is $R$:

# %%
h = torch.tensor([0.25, 0.5, 0.75, 0.5], requires_grad=True)
weights = halting(h)
cost = len(weights) + weights[-1]
cost.backward()
cost.item(), h.grad

# %% [markdown]
# The gradient is -1 for each probability *before* the last step and 0 for the others. A descent step
# raises the early probabilities. In one picture: let all probabilities be the same number, and at
# most eight steps be allowed.

# %%
predict("slope", "All probabilities are 0.3. What is the derivative of the ponder cost by this one "
        "number?", low=-10, high=10)

# %%
def cost_and_slope(value, most=8):
    h = torch.tensor(value, requires_grad=True)
    weights = halting([h] * most)
    cost = len(weights) + weights[-1]
    slope = torch.autograd.grad(cost, h)[0] if len(weights) > 1 else torch.tensor(0.0)
    return cost.item() if len(weights) > 1 else 2.0, len(weights), slope.item()


reveal("slope", cost_and_slope(0.3)[2])

# %% jupyter={"source_hidden": true} tags=["hide-input"]
grid = np.linspace(0.06, 1, 600)
costs, counts, slopes = np.array([cost_and_slope(value) for value in grid]).T
figure, axes = plt.subplots(figsize=(9, 4))
for n in np.unique(counts):
    axes.plot(grid[counts == n], costs[counts == n], color=BLUE,
              label="ponder cost N + R" if n == 1 else None)
axes.step(grid, counts, color=plots.GREY, linestyle=":", label="number of steps N")
for value in (0.15, 0.3, 0.6):
    here, _, slope = cost_and_slope(value)
    reach = np.array([-0.05, 0.05])
    axes.plot(value + reach, here + slope * reach, color=RED, linewidth=4, zorder=1,
              label="what the gradient sees" if value == 0.3 else None)
    axes.annotate(f"slope {slope:.0f}", (value, here), xytext=(9, 6), textcoords="offset points",
                  color=plots.ink(RED))
axes.set(xlabel="halting probability at every step", ylabel="cost (at most 8 steps)", ylim=(0, 9.3))
axes.legend()
show(figure, alt="Ponder cost against one halting probability shared by all steps: a saw that falls "
     f"from about {costs[0]:.1f} to {costs[-1]:.0f}, sloping down between jumps and jumping down where "
     "the number of steps changes. Slopes at 0.15, 0.3 and 0.6: "
     + ", ".join(f"{cost_and_slope(value)[2]:.0f}" for value in (0.15, 0.3, 0.6)) + ".")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(np.allclose(slopes, 1 - counts), "the slope is one less than the number of steps, downwards")
claim((np.diff(costs) <= 1e-6).all(), "the ponder cost nowhere rises with the probability")

# %% [markdown]
# Between two jumps the slope is $-(N-1)$, one for each probability before the last. The jumps are
# where a step is truly saved, and the gradient never sees one; it pushes in the right direction until
# one is crossed. Where $N = 1$ the slope is 0: a position that stops at once has nothing left to
# save.
#
# **Think.** A colleague prints the gradient of the *mean number of steps* by the network's weights,
# finds zeros, and concludes that the time penalty is broken. And another one multiplies all halting
# probabilities by 10 at the end of training, to save time. What do you say?
#
# <details><summary>Answer</summary>
#
# To the first: of course; the steps have no gradient, and the remainder has. What should be looked at
# is the gradient of $N + R$. To the second: everything will stop after one step, with the weight 1
# for a state that was never trained to be the answer by itself. The probabilities are weights as
# well: they say when to stop *and* what counts.
#
# </details>

# %% [markdown]
# ## 4. A batch in which each word stops by itself
#
# *About 5 minutes.*
#
# In a padded batch, positions stop at different steps. Two programs compute the same: one goes on
# with everybody and multiplies by a mask, the other keeps a list of the positions that are still
# **active** and computes nothing else. To see the difference without a whole network, a block is a
# random matrix here, and so is the halting unit, with weights large enough that words differ.

# %%
torch.manual_seed(0)
block, unit = torch.nn.Linear(256, 256), torch.nn.Linear(256, 1)
torch.nn.init.normal_(unit.weight, std=0.6)
torch.nn.init.constant_(unit.bias, 1.0)
lengths = torch.randint(3, 25, (64,), generator=generator)
words = (torch.arange(24) < lengths[:, None]).flatten()  # True at words, False at padding
start = torch.randn(64 * 24, 256, generator=generator)
words.double().mean().item()  # the share of positions that are words


def halts(before, h, n):
    """The weight of step n, and who stops there: the arithmetic of section 2, for many positions."""
    stops = (before + h >= 0.99) | (n == 4)
    return torch.where(stops, 1 - before, h), stops


# %%
@torch.inference_mode()
def by_mask():
    state, result = start, torch.zeros_like(start)
    before, active, computed = torch.zeros(len(start)), words, 0
    for n in range(1, 5):
        state = torch.tanh(block(state))  # everybody, padding too
        computed += len(state)
        h = torch.sigmoid(unit(state)).squeeze(1)
        weight, stops = halts(before, h, n)
        result += (weight * active)[:, None] * state
        before, active = before + h, active & ~stops
    return result, computed


# %%
@torch.inference_mode()
def by_list():
    result, computed = torch.zeros_like(start), []
    active = words.nonzero().squeeze(1)
    state, before = start[active], torch.zeros(len(active))
    for n in range(1, 5):
        state = torch.tanh(block(state))  # only those that go on
        computed.append(len(state))
        h = torch.sigmoid(unit(state)).squeeze(1)
        weight, stops = halts(before, h, n)
        result[active] += weight[:, None] * state
        active, state, before = active[~stops], state[~stops], (before + h)[~stops]
    return result, computed


# %%
predict("mask", "How many times as many positions does the program with the mask compute?", "times")

# %%
(masked, by_all), (listed, going_on) = by_mask(), by_list()
by_active = sum(going_on)
reveal("mask", by_all / by_active, "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def median_ms(work, repeats):
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()  # of this process: others on the machine do not count
        work()
        seconds.append(time.process_time() - begin)
    return 1000 * np.median(seconds)


times = median_ms(by_mask, 15), median_ms(by_list, 15)
agrees = (masked - listed).abs().max().item()
claim(agrees < 1e-5, "both programs give the same states")
claim(times[0] > 1.2 * times[1], "the program with the list takes less time")
stopping = -np.diff([*going_on, 0])  # words whose last step is the first, the second, ...
unpadded = 4 * going_on[0]  # a list of all words, which never stop
claim((stopping > 0).sum() >= 3, "words stop at three different steps at least")

# %% [markdown]
# The results agree (the largest difference is {{ agrees:.0e }}). The mask computes {{ by_all:,}}
# positions, and the list {{ by_active:,}}: {{ ", ".join(f"{n}" for n in going_on) }} at the four steps. Not all of
# the difference is halting: {{ by_all - unpadded:,}} positions are saved by leaving out the padding, and the other
# {{ unpadded - by_active:,}} by stopping. When this was built, the mask took {{ times[0] / times[1]:.1f }} times as long. A
# mask saves operations on paper only; the reference code of spatial ACT has one. `utils.adaptive.ponder` keeps the list. (Positions are
# independent here. Where neighbours look at a word that has stopped, its state must also *stay* as it
# was.)

# %% [markdown]
# ## 5. What takes time in a sentence
#
# *About 5 minutes.*
#
# Now GoEmotions, with a model of each form, as shipped: at most four steps at each word, and of those
# models of seed 0 that take at most 0.6 of them in the mean, the best on dev. Choose a sentence of the course's
# own, or type one.

# %%
names = {"recurrent": "recurrent ACT", "spatial": "spatial ACT",
         "universal": "Universal Transformer"}
models = {form: packing.load_model(Path(f"../course/models/adaptive-{form}.slm")) for form in names}


def steps_of(form, texts):
    """Ids and steps, both (n, words), 0 at padding."""
    model = models[form]
    ids = model.tokenizer.encode(texts, model.length)
    return ids, steps_taken(model.network, ids)


# %% jupyter={"source_hidden": true} tags=["hide-input"]
SHADES = ListedColormap(["white", "#DCEBF5", "#9CC7E2", "#3F8FC0", "#00466F"])
SENTENCES = [
    "Well, I can't say I didn't not enjoy it.",
    "That was great!",
    "Not bad at all for a first pie. I'd have eaten two slices.",
    "I'm glad somebody finally said no to the fireworks. My dogs agree.",
    "Thanks, that fixed the stutter straight away.",
    "Why would you tell us that while people are eating?",
]


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def strips(sentence):
    """The words of a sentence that the models read, and the steps that each model takes at them."""
    tokens = tokenize(sentence)[: models["recurrent"].length] or ["(no word)"]
    return tokens, {form: steps_of(form, [sentence])[1][0, : len(tokens)] for form in names}


def draw_strips(sentence):
    tokens, steps = strips(sentence)
    figure, axes = plt.subplots(figsize=(10, 2.9))
    table = np.array(list(steps.values()))
    axes.imshow(table, cmap=SHADES, vmin=-0.5, vmax=4.5, aspect="auto")
    for (row, column), n in np.ndenumerate(table):
        axes.annotate(n, (column, row), ha="center", va="center",
                      color="white" if n >= 3 else "black")
    axes.set_xticks(range(len(tokens)), tokens, rotation=40, ha="right")
    axes.set_yticks(range(3), [f"{names[form]}: {steps[form].mean():.2f}" for form in names])
    axes.set_title("steps at each word (on the left the mean)")
    axes.grid(False)
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_strips(sentence):
    tokens, steps = strips(sentence)
    return "Steps at each word, of at most 4. " + " ".join(
        f"{names[form]}: " + ", ".join(f"{word} {n}" for word, n in
                                       zip(tokens, steps[form].tolist(), strict=True)) + "."
        for form in names)


explore(draw_strips, describe_strips,
        sentence=Combobox(options=SENTENCES, value=SENTENCES[0], ensure_option=False,
                          layout={"width": "36em"}))

# %% [markdown]
# Do not read minds into it. Before you explain why a word takes two steps, look at how many words do,
# and at whether the three networks agree about them. Over the comments of the course sample:

# %%
texts = load_sample("test").texts + load_sample("dev").texts
spent = {form: steps_of(form, texts) for form in names}
shares = {form: np.bincount(steps[steps > 0], minlength=5)[1:] / (steps > 0).sum()
          for form, (_, steps) in spent.items()}


def by_word(form, least=5):
    """For each known word that occurs at least so often: the steps of all its occurrences."""
    ids, steps = spent[form]
    found = defaultdict(list)
    for word, n in zip(ids[ids > 1], steps[ids > 1], strict=True):
        found[models[form].tokenizer.words[word - 2]].append(n)
    return {word: np.array(values) for word, values in found.items() if len(values) >= least}


# %%
def share_of_word(found):
    """Share of the variance of steps that is explained by which word it is."""
    every = np.concatenate(list(found.values()))
    rest = np.concatenate([values - values.mean() for values in found.values()])
    return 1 - np.mean(rest**2) / np.var(every)


found = {form: by_word(form) for form in names}
explained = {form: share_of_word(found[form]) for form in names}
means = {form: np.array([values.mean() for values in found[form].values()]) for form in names}
agree = np.corrcoef(list(means.values()))  # by pairs of networks, over words

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def most(form, count=6):
    order = np.argsort(-means[form], kind="stable")[:count]
    return ", ".join(f"*{list(found[form])[i]}*" for i in order)


pairs = agree[np.triu_indices(3, 1)]
not_steps = {form: found[form]["not"].mean() for form in names}
claim(shares["recurrent"][0] > 0.7 and shares["universal"][0] > 0.6 and shares["spatial"][1] > 0.9,
      "two networks stop after one step at most words, and the third after two")
claim(max(pairs) < 0.6, "the networks do not agree about which words take long")
claim(max(explained.values()) < 0.6, "the word alone does not tell its number of steps")
usual = {form: steps[steps > 0].mean() for form, (_, steps) in spent.items()}
claim(not_steps["recurrent"] > 1.3 * usual["recurrent"] and not_steps["spatial"] < usual["spatial"],
      "one network takes long at 'not', and another one is quicker than usual there")
claim(not_steps["universal"] > 1.3 * usual["universal"], "the Universal Transformer takes long, too")

# %% [markdown]
# | | 1 step | 2 | 3 | 4 | most steps at | explained by the word | at *not* |
# | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |
# | recurrent ACT | {{ shares["recurrent"][0]:.1%}} | {{ shares["recurrent"][1]:.1%}} | {{ shares["recurrent"][2]:.1%}} | {{ shares["recurrent"][3]:.1%}} | {{ most("recurrent") }} | {{ explained["recurrent"]:.0%}} | {{ not_steps["recurrent"]:.2f}} |
# | spatial ACT | {{ shares["spatial"][0]:.1%}} | {{ shares["spatial"][1]:.1%}} | {{ shares["spatial"][2]:.1%}} | {{ shares["spatial"][3]:.1%}} | {{ most("spatial") }} | {{ explained["spatial"]:.0%}} | {{ not_steps["spatial"]:.2f}} |
# | Universal Transformer | {{ shares["universal"][0]:.1%}} | {{ shares["universal"][1]:.1%}} | {{ shares["universal"][2]:.1%}} | {{ shares["universal"][3]:.1%}} | {{ most("universal") }} | {{ explained["universal"]:.0%}} | {{ not_steps["universal"]:.2f}} |
#
# Two of the networks stop after one step at most words, the third after two at nearly all. How many
# steps a word takes is partly a matter of which word it is, partly of what stands around it. And the
# three do not agree: over {{ len(means["recurrent"]) }} words, their mean steps have correlations of
# {{ pairs.min():+.2f}} to {{ pairs.max():+.2f}}. At *not*, a word that ought to give pause, recurrent
# ACT and the Universal Transformer take long (usual: {{ usual["recurrent"]:.2f}} and {{ usual["universal"]:.2f}}), and spatial
# ACT is quicker than its usual {{ usual["spatial"]:.2f}}. The strip shows where a network *spends* time.
# It does not show that the time is well spent; for that one needs scores.

# %% [markdown]
# ## 6. What it earns
#
# *About 8 minutes.*
#
# For each form: four time penalties, three seeds, all trained alike on GoEmotions (Ekman's labels) with
# the thresholds tuned on dev, and scored on test. Beside it the honest **control**: the same network
# of *fixed* depth, trained by itself at every depth from 1 to 4. Move along the curves.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
FORMS = {"recurrent ACT": "GRU of fixed depth", "spatial ACT": "convolutions of fixed depth",
         "Universal Transformer with ACT": "Universal Transformer of fixed depth"}
test = [record for name in ("recurrent", "spatial", "universal", "ponder")
        for record in load_records("adaptive", experiment=name, split="test")]
linear = summarise(load_records("efficiency", experiment="models", split="test",
                                method="sparse linear"))[-1]
PENALTIES = sorted({record["time_penalty"] for record in test if "time_penalty" in record})


def of(method, **fields):
    return [record for record in test if record["method"] == method
            and all(record[key] == value for key, value in fields.items())]


def points(method, by):
    """Mean steps, mean macro-F1, and its least and greatest over seeds, at each value of a field."""
    f1 = summarise(of(method), "macro_f1", by=(by,))
    steps = summarise(of(method), "mean_steps", by=(by,))
    return {row[by]: (at["mean"], row["mean"], row["min"], row["max"])
            for at, row in zip(steps, f1, strict=True)}


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def earned(method, **fields):
    """Difference of macro-F1 to the control of equal mean steps, mean over seeds."""
    return np.mean([record["difference_to_equal_steps"] for record in of(method, **fields)])


def draw_points(axes, method, by, color, marker, label):
    x, y, low, high = np.array(list(points(method, by).values())).T
    axes.errorbar(x, y, [y - low, high - y], fmt=f"{marker}-", color=color, capsize=3, label=label)


def draw_trade_off(time_penalty):
    figure, panels = plt.subplots(1, 3, figsize=(11, 4), sharey=True)
    for axes, (method, control) in zip(panels, FORMS.items(), strict=True):
        draw_points(axes, control, "max_steps", plots.GREY, "s", "fixed depth")
        draw_points(axes, method, "time_penalty", BLUE, "o", "adaptive")
        axes.axhline(linear["mean"], color="black", linestyle=":", label="sparse linear")
        steps, f1, *_ = points(method, "time_penalty")[time_penalty]
        axes.plot(steps, f1, "o", color=RED, markersize=13, fillstyle="none", markeredgewidth=2.5)
        axes.set(title=f"{method.replace(' with ACT', '')}\n{steps:.2f} steps, {f1:.4f}; "
                 f"control {earned(method, time_penalty=time_penalty):+.4f}", xlabel="mean steps")
        axes.title.set_fontsize(11)
    panels[0].set_ylabel("macro-F1 on test")
    panels[0].legend(loc="lower right")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_trade_off(time_penalty):
    said = []
    for method, control in FORMS.items():
        steps, f1, *_ = points(method, "time_penalty")[time_penalty]
        fixed = ", ".join(f"{row[1]:.3f}" for row in points(control, "max_steps").values())
        said.append(f"{method}: {steps:.2f} mean steps, macro-F1 {f1:.4f}; against the control of "
                    f"equal steps {earned(method, time_penalty=time_penalty):+.4f}. Fixed depth 1 "
                    f"to 4: {fixed}.")
    return (f"Macro-F1 against mean steps, adaptive and of fixed depth, for three forms; marked: "
            f"time penalty {time_penalty:g}; dotted: the sparse linear baseline, "
            f"{linear['mean']:.4f}. " + " ".join(said))


# %%
compared = [record for method in FORMS for record in of(method)]
predict("intervals", "Each adaptive model is compared, on the same test comments, with a control of "
        f"equal mean steps: {len(compared)} comparisons. In how many does the 95% interval of the "
        "difference lie above 0?", high=len(compared))

# %%
explore(draw_trade_off, describe_trade_off,
        time_penalty=SelectionSlider(options=PENALTIES, value=PENALTIES[-1],
                                     description="time penalty"))

# %% [markdown]
# The bars reach from the lowest to the highest seed; the dotted line is the sparse linear baseline of
# unit 01, which takes no steps at all ({{ linear["mean"]:.4f}}). "Control" in a title is the difference to fixed
# depth with *equal mean steps*, averaged over seeds: for 1.3 steps, three test comments in ten (drawn
# blindly) are given to the network of two steps and the others to that of one. Whoever wants 1.3 steps
# can have them so, without a halting unit. All comparisons, with paired bootstrap intervals on the
# same comments:

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 3, figsize=(11, 4.2), sharex=True, sharey=True)
for axes, method in zip(panels, FORMS, strict=True):
    for record in of(method):
        middle, low, high = (record[f"difference_to_equal_steps{end}"] for end in ("", "_low", "_high"))
        color = BLUE if low > 0 else RED if high < 0 else plots.GREY
        row = 4 * PENALTIES.index(record["time_penalty"]) + record["seed"]
        axes.plot([low, high], [row, row], color=color)
        axes.plot(middle, row, plots.MARKERS[record["seed"]], color=color, markersize=6)
    axes.axvline(0, color="black", linewidth=1)
    axes.set_title(method.replace(" with ACT", ""), fontsize=11)
    axes.set_xlabel("macro-F1: adaptive minus control")
panels[0].set_yticks([4 * k + 1 for k in range(len(PENALTIES))], [f"{p:g}" for p in PENALTIES])
panels[0].set_ylabel("time penalty (three seeds each)")
above, below = ([record for record in compared if record[f"difference_to_equal_steps_{end}"] * sign > 0]
                for end, sign in (("low", 1), ("high", -1)))
show(figure, alt=f"Paired differences in macro-F1 of {len(compared)} adaptive models to controls of "
     f"equal mean steps, with 95% intervals: {len(above)} lie above 0, {len(below)} below, and "
     f"{len(compared) - len(above) - len(below)} hold 0. By form and penalty, means over seeds: "
     + "; ".join(f"{method}, {p:g}: {earned(method, time_penalty=p):+.4f}"
                 for method in FORMS for p in PENALTIES) + ".")

# %%
reveal("intervals", len(above))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
by_form = {method: earned(method) for method in FORMS}
best = max(((m, p) for m in FORMS for p in PENALTIES), key=lambda mp: earned(mp[0], time_penalty=mp[1]))
best_earned = earned(best[0], time_penalty=best[1])
best_above = sum(r["difference_to_equal_steps_low"] > 0 for r in of(best[0], time_penalty=best[1]))
claim(len(above) <= 6 and len(compared) - len(above) - len(below) >= 28,
      "nearly all intervals hold 0")
by_chance = 0.025 * len(compared)
claim(len(above) > len(below) and len(above) > by_chance, "more intervals lie above 0 than below")
signs = [{np.sign(r["difference_to_equal_steps"]) for r in of(m, time_penalty=p)}
         for m in FORMS for p in PENALTIES]
up, down = signs.count({1.0}), signs.count({-1.0})
claim(up + down < len(signs) / 2 and abs(up - down) < 2, "the seeds seldom agree, and then on nothing")
claim(max(map(abs, by_form.values())) < 0.005, "by form, the mean difference is within half a point")

# What one step alone loses against all four, and what penalty 0 leaves.
one_step = {m: points(c, "max_steps")[4][1] - points(c, "max_steps")[1][1] for m, c in FORMS.items()}
claim(max(one_step.values()) < 0.01, "one fixed step loses less than a point in every form")
free = {method: points(method, "time_penalty")[0.0][0] for method in FORMS}
claim(abs(free["recurrent ACT"] - first_steps) < 0.2, "unpunished, recurrent ACT stays at its start")
claim(min(free["spatial ACT"], free["Universal Transformer with ACT"]) > first_steps + 0.3,
      "unpunished, the two others take more steps than at their start")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def few_and_good(method):
    """The penalty with the best macro-F1 on dev among those of at most 0.6 of the full depth."""
    dev = [record for name in ("recurrent", "spatial", "universal")
           for record in load_records("adaptive", experiment=name, split="dev")
           if record["method"] == method]
    f1, steps = (summarise(dev, value, by=("time_penalty",)) for value in ("macro_f1", "mean_steps"))
    few = [(row["mean"], row["time_penalty"]) for row, at in zip(f1, steps, strict=True)
           if at["mean"] <= 0.6 * 4]
    return max(few)[1]


bargains = {method: few_and_good(method) for method in FORMS}
lost = {method: np.mean([r["difference_to_full_depth"] for r in of(method, time_penalty=p)])
        for method, p in bargains.items()}
claim(min(lost.values()) > -0.01, "each form has a point of few steps that loses less than a point")
REC, SPA, UNI = FORMS

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def loss_at(method, penalty):
    return -np.mean([r["difference_to_full_depth"] for r in of(method, time_penalty=penalty)])


dear = {penalty: (points(SPA, "time_penalty")[penalty][0], loss_at(SPA, penalty))
        for penalty in (0.003, 0.0)}
claim(dear[0.003][1] > one_step[SPA] and dear[0.0][1] > 0.005,
      "spatial ACT loses more with two steps than one fixed step does, and not little with three")
deepening = {}
for method, control in FORMS.items():
    by_depth = {(r["seed"], r["max_steps"]): r["macro_f1"] for r in of(control)}
    deepening[method] = [by_depth[seed, 4] - by_depth[seed, 1] for seed in range(3)]
helped = deepening[REC] + deepening[SPA]
claim(min(helped) > 0 and min(deepening[UNI]) < 0 < max(deepening[UNI]),
      "depth helps the recurrent and the spatial networks in all seeds, the Transformer in some")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
# What stands behind the comparisons.
late = [r["best_epoch"] == r["epochs"] for r in test]
poor = [r["macro_f1"] for r in sorted(of(FORMS[UNI], seed=2), key=lambda r: r["max_steps"])]
claim(np.mean(late) > 0.95 and {r["epochs"] for r in test} == {2}, "the best epoch is the last")
others = [r["macro_f1"] for seed in (0, 1) for r in of(FORMS[UNI], seed=seed)]
claim(np.mean(poor) < np.mean(others) - 0.005, "the Transformer's control of seed 2 is poor")
doubtful = sum(r["method"] == UNI and r["seed"] == 2 for r in above)
at = {method: points(method, "time_penalty")[p] for method, p in bargains.items()}

# %% [markdown]
# First the sentence that papers print. Choose the penalty on dev among those that leave at most 0.6 of
# the four steps, and look at test:
#
# | | penalty | mean steps | macro-F1 | against all four steps, fixed | one fixed step loses |
# | --- | ---: | ---: | ---: | ---: | ---: |
# | recurrent ACT | {{ bargains[REC]:g}} | {{ at[REC][0]:.2f}} | {{ at[REC][1]:.4f}} | {{ lost[REC]:+.4f}} | {{ one_step[REC]:.4f}} |
# | spatial ACT | {{ bargains[SPA]:g}} | {{ at[SPA][0]:.2f}} | {{ at[SPA][1]:.4f}} | {{ lost[SPA]:+.4f}} | {{ one_step[SPA]:.4f}} |
# | Universal Transformer | {{ bargains[UNI]:g}} | {{ at[UNI][0]:.2f}} | {{ at[UNI][1]:.4f}} | {{ lost[UNI]:+.4f}} | {{ one_step[UNI]:.4f}} |
#
# "At most 0.6 of the depth, and less than a point of macro-F1 lost." True, and it says nothing for
# adaptivity: look at the last column. **One** step at every word also loses less than a point. Depth does
# help a little: seed by seed, four fixed steps beat one in all {{ len(helped) }} pairs of recurrent and of spatial
# networks, by {{ min(helped):.3f}} to {{ max(helped):.3f}}; with the Transformer there is no trend. And not every way of
# taking fewer steps is cheap: against four fixed ones, spatial ACT loses {{ dear[0.003][1]:.4f}} with
# {{ dear[0.003][0]:.2f}} steps at the penalty 0.003, and {{ dear[0.0][1]:.4f}} with {{ dear[0.0][0]:.2f}} at the penalty 0.
#
# Now the fair question. Of {{ len(compared) }} comparisons with equal mean steps, {{ len(above) }}
# intervals lie above 0, {{ len(below) }} below, and all others hold it. Chance alone would put about
# {{ by_chance:.0f}} on each side, so {{ len(above) }} may look like something. But such an interval knows
# only the chance of the test comments, not that of training, nor that of the mixture: which comments go
# to which control is drawn once for each seed. Behind {{ doubtful }} of the {{ len(above) }} stands one poor control, the
# Universal Transformer of seed 2 ({{ ", ".join(f"{f1:.3f}" for f1 in poor) }} at depths 1 to 4). And all were trained for two
# epochs, of which the last is the best in {{ sum(late) }} of {{ len(late) }} trainings: it is not shown that any has converged.
#
# Ask the seeds: in {{ up + down }} of
# {{ len(signs) }} settings all three have the same sign, {{ up }} times for adaptive depth and
# {{ down }} times against it, about what coins would do ({{ len(signs) / 4:.0f}}). By form the mean
# difference is {{ by_form[REC]:+.4f}} (recurrent), {{ by_form[SPA]:+.4f}} (spatial) and
# {{ by_form[UNI]:+.4f}} (Universal Transformer). The best of the {{ len(FORMS) * len(PENALTIES) }} settings, {{ best[0] }} at
# {{ best[1]:g}}, gains {{ best_earned:+.4f}}, with {{ best_above }} of {{ len(of(best[0], time_penalty=best[1])) }}
# intervals above 0; but whoever picks the best of so many by its score on test picks luck with it.
# **Choosing *where* to take its steps earned nothing that three seeds can show.**
#
# One more look, at the penalty 0. There recurrent ACT takes {{ free[REC]:.2f}} mean steps, though more
# cost nothing. That is no finding about language: {{ first_steps }} is where the bias of section 2 put
# it before training. Spatial ACT ({{ free[SPA]:.2f}}) and the Universal Transformer ({{ free[UNI]:.2f}}) take more than that,
# which the bias does not explain.

# %% [markdown]
# **Think.** Neither parity nor GoEmotions was shown to need many steps. What about a task would make you
# expect that adaptive depth earns something, and what would you measure first?
#
# <details><summary>Answer</summary>
#
# Two things must hold. Depth must matter: plot the score against *fixed* depth first, each depth trained
# by itself, which takes no halting unit; if the curve is flat, stop there. (A trained network that is cut
# short is no such control: see parity.) And difficulty must vary, in a way that can be seen
# from the input: where all inputs need the same depth, the best policy is a constant. Then compare at
# equal mean steps, in pairs, and with more than one seed.
#
# </details>

# %% [markdown]
# ## 7. PonderNet: the number of steps as a random variable
#
# *About 6 minutes.*
#
# ACT answers with a mean of states, and its probabilities are weights in disguise.
# [PonderNet](https://arxiv.org/abs/2107.05407) takes them at their word. Let $\lambda_n$ be the
# probability of stopping at step $n$ *if it is reached*. Then the probability of stopping there is
#
# $$p_n = \lambda_n \prod_{i<n} (1 - \lambda_i),$$
#
# and the last step allowed takes all that is left. Training computes the answer of *every* step and
# weighs its **loss**, not its state, by $p_n$; prediction stops at one step and gives the answer of
# that one. (The paper draws it. Ours stops at the median, so that a comment always gets the same
# answer.)

# %%
def distribution(hazards):
    """Probability of stopping at each step; the last hazard is not looked at."""
    reached = np.cumprod([1, *(1 - np.asarray(hazards[:-1]))])
    return reached * np.append(hazards[:-1], 1)


def prior(rate, most=4):
    """A geometric distribution, cut off and *renormalised*."""
    p = rate * (1 - rate) ** np.arange(most)
    return p / p.sum()


def divergence(p, q):
    """KL(p || q): by p, the mean of log(p / q). Where p is 0 there is nothing to add."""
    return sum(a * np.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


distribution([0.5, 0.5, 0.125]), prior(0.45)

# %% [markdown]
# In place of a time penalty stands a **prior**: stop at each step with the same probability, the
# *rate*. The loss adds $\beta\,\mathrm{KL}(p \,\|\, \text{prior})$, here with $\beta = 0.01$. A much-read
# implementation has two things wrong: it leaves the prior at a sum below 1, and it turns the
# divergence around. What is the difference?

# %%
sure = [1.0, 0.0, 0.0, 0.0]  # stops at once, for certain
unsure = distribution([0.5] * 4)
with np.errstate(divide="ignore"):
    table = [(divergence(p, prior(0.45)), divergence(prior(0.45), p))
             for p in map(np.array, (sure, unsure))]
cut_off = 0.45 * 0.55 ** np.arange(4)
table, cut_off.sum()

# %% [markdown]
# As the paper has it, a comment may stop for certain: its price is {{ table[0][0]:.2f}} nats. The other
# way around the price is infinite, for every step that is never taken: the network is forced to hold
# every number of steps possible. And a prior that sums to {{ cut_off.sum():.2f}} adds
# {{ -np.log(cut_off.sum()):.2f}} nats to all divergences from it. The gradient does not notice, but what
# is reported is no divergence any more: it is never 0, not even where $p$ is the prior.
#
# Move the rate: where does the *prior* itself put its median?

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def median(p):
    return int(np.argmax(np.cumsum(p) >= 0.5)) + 1


def draw_prior(rate):
    p = prior(rate)
    figure, axes = plt.subplots(figsize=(7, 3))
    axes.bar(range(1, 5), rate * (1 - rate) ** np.arange(4), color="white", edgecolor=plots.GREY,
             linestyle="--", label="cut off", zorder=3)
    axes.bar(range(1, 5), p, width=0.5, color=BLUE, label="renormalised", zorder=4)
    axes.axvline(median(p), color=RED, linewidth=2)
    axes.set(xlabel="step", xticks=range(1, 5), ylabel="probability", ylim=(0, 1),
             title=f"rate {rate:.2f}: mean {p @ np.arange(1, 5):.2f}, median (line) {median(p)}")
    axes.legend()
    return figure


def describe_prior(rate):
    p = prior(rate)
    return (f"Bars of the prior of the number of steps at rate {rate:.2f}, renormalised: "
            + ", ".join(f"{value:.2f}" for value in p) + f". Median {median(p)}; the bars that were "
            f"only cut off sum to {(rate * (1 - rate) ** np.arange(4)).sum():.2f}.")


explore(draw_prior, describe_prior, rate=FloatSlider(value=0.2, min=0.05, max=0.95, step=0.05))

# %%
ponder = points("PonderNet", "prior_rate")
fixed = points(FORMS[UNI], "max_steps")
{rate: (median(prior(rate)), f"mean steps {row[0]:.2f}") for rate, row in ponder.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7.5, 3.8))
draw_points(axes, FORMS[UNI], "max_steps", plots.GREY, "s", "fixed depth")
draw_points(axes, UNI, "time_penalty", BLUE, "o", "ACT")
draw_points(axes, "PonderNet", "prior_rate", GREEN, "^", "PonderNet")
axes.axhline(linear["mean"], color="black", linestyle=":", label="sparse linear")
axes.set(xlabel="mean steps", ylabel="macro-F1 on test", title="one Transformer block, used again")
figure.legend(loc="outside right upper")
show(figure, alt="Macro-F1 against mean steps for one Transformer block used again and again. "
     + " ".join(f"PonderNet, rate {rate:g}: {row[0]:.2f} steps, {row[1]:.4f}."
                for rate, row in ponder.items())
     + " Fixed depth 1 to 4: " + ", ".join(f"{row[1]:.4f}" for row in fixed.values()) + ".")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
pondered = of("PonderNet")
ponder_above, ponder_below = (sum(r[f"difference_to_equal_steps_{end}"] * sign > 0 for r in pondered)
                              for end, sign in (("low", 1), ("high", -1)))
ends = {rate: [r["mean_steps"] for r in of("PonderNet", prior_rate=rate)] for rate in ponder}
constant = [rate for rate, steps in ends.items() if max(abs(n - round(n)) for n in steps) < 0.01]
varied = [rate for rate in ends if rate not in constant]
claim(constant == [0.2, 0.9] and varied, "at the lowest and the highest rate all comments take alike")
claim(all(abs(ends[r][0] - median(prior(r))) < 0.01 for r in constant), "and as many as the prior says")
claim(ponder_above <= 2 and ponder_below == 0, "PonderNet differs from its control hardly anywhere")
ponder_doubtful = sum(r["difference_to_equal_steps_low"] > 0 for r in of("PonderNet", seed=2))
ponder_earned = earned("PonderNet")

# %% [markdown]
# At the rates {{ constant[0]:g}} and {{ constant[1]:g}} practically every comment takes the same number of steps
# ({{ ends[constant[0]][0]:.2f}} and {{ ends[constant[1]][0]:.2f}}): the median of the prior. This
# PonderNet ponders nothing; it is a network of fixed depth whose training went through all four
# steps. Only with the rates whose median is about to change ({{ " and ".join(f"{rate:g}" for rate in varied) }}) do comments
# differ. Against the control of equal mean steps, {{ ponder_above }} of {{ len(pondered) }} intervals lie
# above 0 and {{ ponder_below }} below, with a mean of {{ ponder_earned:+.4f}}; behind {{ ponder_doubtful }} of those above
# stands the poor control of seed 2 again. The verdict of section 6 stands.
#
# **Think.** ACT stops each *word* by itself, our PonderNet the whole comment. What does that change for
# a batch of 64?
#
# <details><summary>Answer</summary>
#
# Where words stop, nearly every comment has some word that goes on: all rows stay as long as the batch's
# slowest word does, with fewer and fewer positions. Where comments stop, whole rows leave:
# matrices shrink by rows, which is easier to program, and an answer can be sent off as soon as its row has left.
#
# </details>

# %% [markdown]
# ## 8. What is left of it in a batch
#
# *About 5 minutes.*
#
# "{{ usual["universal"]:.1f}} of 4 steps" is a count, and a server has no use for counts. Two things stand between them and
# milliseconds. The halting itself costs: a unit to compute, lists to keep, at every step. And in a
# batch the **slowest holds the rest**. A batch goes on while any of its words does, and a recurrent
# network must finish a word for all comments before it can read the next.

# %%
def waiting(form, size):
    """Mean steps of a word, and mean over batches of the steps that the whole batch waits for."""
    steps = spent[form][1]
    batches = [steps[rows] for rows in naive_batches(len(steps), size) if len(rows) == size]
    if form == "recurrent":  # word by word, the slowest comment
        slowest = np.concatenate([batch.max(axis=0) for batch in batches])
        return steps[steps > 0].mean(), slowest[slowest > 0].mean()
    return steps[steps > 0].mean(), np.mean([batch.max() for batch in batches])


waits = {(form, size): waiting(form, size) for form in names for size in (1, 8, 64)}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
shipped = {}
for form, method in zip(names, FORMS, strict=True):
    few = [r for r in load_records("adaptive", experiment=form, split="dev", method=method, seed=0)
           if r["mean_steps"] <= 0.6 * r["max_steps"]]
    shipped[method] = max(few, key=lambda r: r["macro_f1"])["time_penalty"]

# %% [markdown]
# | steps | mean of a word | waited for, 1 comment | 8 | 64 |
# | --- | ---: | ---: | ---: | ---: |
# | recurrent ACT (at each word) | {{ waits["recurrent", 1][0]:.2f}} | {{ waits["recurrent", 1][1]:.2f}} | {{ waits["recurrent", 8][1]:.2f}} | {{ waits["recurrent", 64][1]:.2f}} |
# | spatial ACT | {{ waits["spatial", 1][0]:.2f}} | {{ waits["spatial", 1][1]:.2f}} | {{ waits["spatial", 8][1]:.2f}} | {{ waits["spatial", 64][1]:.2f}} |
# | Universal Transformer | {{ waits["universal", 1][0]:.2f}} | {{ waits["universal", 1][1]:.2f}} | {{ waits["universal", 8][1]:.2f}} | {{ waits["universal", 64][1]:.2f}} |
#
# Thanks to the list of section 4, words that have stopped cost nothing in the linear layers while they
# wait; attention and the copying of states still run for their rows. And each step has fixed costs, and
# many small products take longer than few large ones. So measure time: in turns with the control, one
# thread, from raw text to labels. The table above is of the shipped models (penalties
# {{ shipped[REC]:g}}, {{ shipped[SPA]:g}} and {{ shipped[UNI]:g}}); the times are of the largest penalty, {{ PENALTIES[-1]:g}}, in all three
# forms, which leaves the fewest steps.

# %%
clocks = load_records("adaptive", experiment="latency")


def clock(method, setting, size, field="ratio"):
    """A field of the timings; by default the median time as a share of that of four fixed steps.

    The Transformers of fixed depth raced twice; the first race is the one with ACT.
    """
    return next(row[field] for row in clocks
                if (row["method"], row["setting"], row["batch_size"]) == (method, setting, size))


def depth(n):
    return f"{n} step{'s' * (n > 1)}"


fewest = f"penalty {PENALTIES[-1]:g}"
share = {(method, size): {"ACT": clock(method, fewest, size)}
         | {n: clock(control, depth(n), size) for n in (1, 2, 3)}
         for method, control in FORMS.items() for size in (1, 8, 64)}
share_of_steps = {method: clock(method, fewest, 1, "mean_steps") / 4 for method in FORMS}

# %%
predict("batch-time", f"The Universal Transformer takes {share_of_steps[UNI]:.0%} of the steps here. What "
        "share of the time of four fixed steps does it take, for one comment?", "%", high=200)

# %%
reveal("batch-time", 100 * share[UNI, 1]["ACT"], "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
time_rows = "\n".join(
    f"| {method.replace(' with ACT', '')} | {size} | {clock(method, fewest, size, 'batch_ms_p50'):.2f} | "
    + " | ".join(f"{row[name]:.2f}" for name in ("ACT", 1, 2, 3))
    + f" | {clock(method, fewest, size, 'ratio_p99'):.2f} | {share_of_steps[method]:.2f} |"
    for (method, size), row in share.items())
claim(all(row["ACT"] > 1.5 * share_of_steps[method] for (method, _), row in share.items()),
      "no network's share of time comes near its share of steps")
claim(all(row[1] < row["ACT"] for row in share.values()), "one fixed step is faster everywhere")
claim(min(share[REC, 8]["ACT"], share[REC, 64]["ACT"]) > 1,
      "recurrent ACT is slower in a batch than all its fixed steps")
claim(waits["recurrent", 64][1] < 2.2, "and it makes only about half of the calls")
claim(min(share[SPA, 1]["ACT"], share[SPA, 8]["ACT"]) > 0.95 and share[SPA, 64]["ACT"] < 0.75,
      "spatial ACT saves time in large batches only")
claim(max(share[UNI, size]["ACT"] for size in (1, 8, 64)) < 0.75, "the Universal Transformer saves time")
same_race = [clock(UNI, fewest, size, "batch_ms_p50") / share[UNI, size]["ACT"]
             / clock(FORMS[UNI], depth(4), size, "batch_ms_p50") for size in (1, 8, 64)]
claim(np.allclose(same_race, 1), "ACT and the fixed steps beside it are of one race")
raced = {method: [row["ratio"] for row in clocks if row["method"] == method] for method in FORMS}
faster = {method: sum(ratio < 1 for ratio in ratios) for method, ratios in raced.items()}
claim(faster[REC] <= 2 and faster[SPA] <= 3 and faster[UNI] >= 10,
      "over all penalties and batches, halting saves time in one form of three")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
asked = {(row["method"], row["width"], row["setting"].split(",")[1].strip(), row["setting"][0]):
         row["batch_ms_p50"]
         for row in load_records("adaptive", experiment="cost of asking", batch_size=1)}
KINDS = {"RecurrentACTNetwork": "recurrent ACT", "SpatialACTNetwork": "spatial ACT",
         "UniversalTransformerNetwork": "Universal Transformer"}
WIDTHS = sorted({width for _, width, *_ in asked})
question = {(kind, width): asked[kind, width, "asked", "1"] / asked[kind, width, "not asked", "1"]
            for kind in KINDS for width in WIDTHS}
best_case = {(kind, width): asked[kind, width, "asked", "1"] / asked[kind, width, "not asked", "4"]
             for kind in KINDS for width in WIDTHS}
asked_rows = "\n".join(
    f"| {name} | " + " | ".join(f"{question[kind, width]:.2f} ({best_case[kind, width]:.2f})"
                                for width in WIDTHS) + " |" for kind, name in KINDS.items())
claim(all(question[kind, WIDTHS[-1]] < question[kind, WIDTHS[0]] for kind in KINDS),
      "in the widest network the question costs less beside a step")
claim(all(best_case[kind, WIDTHS[-1]] < best_case[kind, WIDTHS[0]] - 0.15 for kind in list(KINDS)[:2]),
      "in the widest recurrent and spatial networks there is more to save")
# One Transformer step against four, of the same width, in three races.
races = [row["ratio"] for row in clocks if row["batch_size"] == 1
         and (row["method"], row["setting"]) == (FORMS[UNI], depth(1))]
kind = list(KINDS)[2]
races.append(asked[kind, WIDTHS[0], "not asked", "1"] / asked[kind, WIDTHS[0], "not asked", "4"])
claim(max(races) - min(races) > abs(best_case[kind, WIDTHS[-1]] - best_case[kind, WIDTHS[0]]),
      "the races of the Transformer differ by more than its widths do")

# %% [markdown]
# | share of the time of 4 fixed steps | batch | ms, ACT | ACT | 1 fixed step | 2 | 3 | p99, ACT | share of the steps |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
# {{ time_rows }}
#
# For {{ share_of_steps[REC]:.2f}} of the steps, recurrent ACT takes {{ share[REC, 1]["ACT"]:.2f}}, {{ share[REC, 8]["ACT"]:.2f}} and
# {{ share[REC, 64]["ACT"]:.2f}} of the time in batches of 1, 8 and 64: **in a batch it is slower than all four steps at
# every word**. Waiting is not the cause: in a batch of 64 it takes {{ waits["recurrent", 64][1]:.2f}} steps at a word, so
# it makes about half of the calls. The halting itself costs. Spatial ACT takes {{ share[SPA, 1]["ACT"]:.2f}},
# {{ share[SPA, 8]["ACT"]:.2f}} and {{ share[SPA, 64]["ACT"]:.2f}}, the Universal Transformer {{ share[UNI, 1]["ACT"]:.2f}},
# {{ share[UNI, 8]["ACT"]:.2f}} and {{ share[UNI, 64]["ACT"]:.2f}}. Over all penalties and batches, {{ faster[REC] }}, {{ faster[SPA] }} and {{ faster[UNI] }} of
# {{ len(raced[UNI]) }} settings are faster than four fixed steps: halting saves time in **one form of three**. Nobody's share
# of the time comes near its share of the steps. And the control stands in the same table: *one* fixed step,
# with nothing to decide, is faster in every row, and section 6 has its score.
#
# Is that a law? Our networks are narrow ({{ WIDTHS[0] }} units), so a step costs little, and beside it the
# question whether to stop costs something. Untrained networks of three widths, made to stop after one
# step in any case, against one step without being asked, for one comment:
#
# | times as long as one step unasked (and share of four steps) | {{ " | ".join(f"{width} units" for width in WIDTHS) }} |
# | --- | ---: | ---: | ---: |
# {{ asked_rows }}
#
# In brackets stands the best that halting could do: every word stops at once. In the widest network the
# question costs less beside a step than in the narrowest, and with recurrent and spatial ACT there is more
# to save: adaptive depth is for blocks that are expensive. What the Universal Transformer could save shows no
# such trend, and is noisy: of {{ WIDTHS[0] }} units, one fixed step took
# {{ ", ".join(f"{ratio:.2f}" for ratio in races[:-1]) }} and {{ races[-1]:.2f}} of the time of four in three races.
#
# **A speed-up is a factor of time.** To take 0.6 of the time is to be $1 / 0.6 = 1.67$ times as fast,
# not "40% faster"; and whoever leaves out a third of the *layers* has not measured any time yet.

# %% [markdown]
# ## 9. Leave when you are sure
#
# *About 5 minutes.*
#
# The practical relative needs no halting unit. Take a trained transformer, MiniLM with its six layers,
# put a classifier after *each* layer, train all of them together, and let a comment leave where its
# classifier is sure ([DeeBERT](https://arxiv.org/abs/2004.12993)), or where $k$ classifiers in a row
# agree ([PABEE](https://arxiv.org/abs/2006.04152)). Both papers choose one label among several. Ours
# are seven independent questions, yes or no, so "sure" is a sum of seven entropies, and "agree" means
# on all seven:

# %%
def unsure(logits):
    p = expit(logits)
    return (entr(p) + entr(1 - p)).sum()


def unsure_of_one_label(logits):  # what the papers compute
    return entr(softmax(logits)).sum()


two_labels = np.array([8.0, 8.0, -8.0, -8.0, -8.0, -8.0, -8.0])  # certain: these two
no_label = np.full(7, -8.0)  # certain: none
{f.__name__: (f(two_labels), f(no_label)) for f in (unsure, unsure_of_one_label)}

# %% [markdown]
# By the entropy of a softmax, a comment that has two labels for certain looks unsure, and one that has
# none looks as unsure as can be. Seven sigmoids say what is meant. The threshold of a rule is then set
# on dev: the smallest with which comments leave after so many layers in the mean.
#
# The controls are again of fixed depth: *everybody* leaves after layer 1, 2, ..., by the same
# classifiers. For every rule, time was measured in turns with the whole transformer and with its first
# half, one thread, from raw text.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
exits = {(r["method"], r["setting"]): r for r in
         load_records("adaptive", experiment="early exit", split="test")}
rules = {key: r for key, r in exits.items() if r["rule"] != "fixed"}
layers = {int(r["mean_steps"]): r for r in exits.values() if r["rule"] == "fixed"}
timings = load_records("adaptive", experiment="exit latency")


def timed(key, size, field="ratio"):
    """Mean over runs of a field of the timings: a share of the whole transformer's time."""
    return np.mean([t[field] for t in timings
                    if (t["method"], t["setting"]) == key and t["batch_size"] == size])


raced_keys = list(dict.fromkeys((t["method"], t["setting"]) for t in timings))
half = next(key for key in raced_keys if key in exits and exits[key]["mean_steps"] == max(layers) / 2)
whole_exits = layers[max(layers)]

# %%
predict("exit-batch", "A rule after which comments take half of the layers in the mean: what share of the "
        "whole transformer's time does a batch of 64 take?", "%", high=200)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
near_half = min(rules, key=lambda key: abs(rules[key]["mean_steps"] - max(layers) / 2))
reveal("exit-batch", 100 * timed(near_half, 64), "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
left.plot(list(layers), [r["macro_f1"] for r in layers.values()], "s-", color=plots.GREY,
          label="the same layer for all")
for kind, color, marker in (("entropy", BLUE, "o"), ("patience", GREEN, "^")):
    keys = [key for key, r in rules.items() if r["rule"] == kind]
    f1 = [rules[key]["macro_f1"] for key in keys]
    label = "sure enough" if kind == "entropy" else "in a row agree"
    left.plot([rules[key]["mean_steps"] for key in keys], f1, marker, color=color, label=label)
    for size, fill in ((1, color), (64, "white")):
        right.plot([timed(key, size) for key in keys], f1, marker, color=color,
                   markerfacecolor=fill, label=f"{label}, batch of {size}")
for key in (half, (whole_exits["method"], whole_exits["setting"])):
    right.plot(timed(key, 1), exits[key]["macro_f1"], "s", color=plots.GREY)
left.axhline(linear["mean"], color="black", linestyle=":", label="sparse linear")
left.set(xlabel="mean layers", ylabel="macro-F1 on test")
right.set(xlabel="median time, as a share of the whole transformer's")
left.legend(loc="lower right")
right.legend(loc="lower right")
show(figure, alt="Macro-F1 of early exit against mean layers, beside fixed layers, and against time. "
     + " ".join(f"{key[1]}: {r['mean_steps']:.2f} layers, {r['macro_f1']:.3f}, share of time "
                f"{timed(key, 1):.2f} alone and {timed(key, 64):.2f} in batches of 64."
                for key, r in rules.items())
     + " Fixed: " + ", ".join(f"layer {n} {r['macro_f1']:.3f}" for n, r in layers.items()) + ".")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def interval(record, control):
    middle, low, high = (record[f"difference_to_{control}{end}"] for end in ("", "_low", "_high"))
    return f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"


rows = [f"| {key[1]} | {exits[key]['mean_steps']:.2f} | {exits[key]['macro_f1']:.3f} | "
        + ("" if key == half else interval(exits[key], "full_depth")) + " | "
        + ("" if key == half else interval(exits[key], "equal_steps"))
        + f" | {timed(key, 1):.2f} | {timed(key, 1, 'ratio_p99'):.2f} | {timed(key, 64):.2f} |"
        for key in (*rules, half)]
rows = "\n".join(rows)
on_dev = {(r["method"], r["setting"]): r["macro_f1"] for r in
          load_records("adaptive", experiment="early exit", split="dev")}
fast = [key for key in rules if timed(key, 1) <= 0.6]
claim(bool(fast), "some rule takes at most 0.6 of the whole transformer's median time")
chosen = max(fast, key=on_dev.get)
lost_early = rules[chosen]["difference_to_full_depth"]
lost_half = exits[half]["macro_f1"] - whole_exits["macro_f1"]
exits_above, exits_below = (sum(r[f"difference_to_equal_steps_{end}"] * sign > 0 for r in rules.values())
                            for end, sign in (("low", 1), ("high", -1)))
claim(timed(chosen, 1, "ratio_p99") > 0.9, "the slowest comments save next to nothing")
claim(timed(chosen, 1) < timed(half, 1), "the rule is faster than the half for a single comment, in the median")
claim(timed(chosen, 64) > timed(half, 64), "the half is faster than the rule in batches")
claim(abs(lost_early - lost_half) < 0.005, "the rule and the half lose about the same")

# %% [markdown]
# | rule | mean layers | macro-F1 | against all layers | against equal mean layers | time, 1 comment | its p99 | time, 64 |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
# {{ rows }}
#
# Times are shares of the whole transformer's; the last row is the transformer cut in half.
#
# Of the rules that take at most 0.6 of the time in the median, dev chooses *{{ chosen[1] }}*: on test,
# {{ lost_early:+.3f}} of macro-F1 for {{ timed(chosen, 1):.2f}} of the time. The half transformer, which
# decides nothing: {{ lost_half:+.3f}} for {{ timed(half, 1):.2f}}. Against fixed layers of equal mean
# depth, {{ exits_above }} of {{ len(rules) }} intervals lie above 0 and {{ exits_below }} below.
#
# The bad news is in the other columns. At p99 the chosen rule takes {{ timed(chosen, 1, "ratio_p99"):.2f}} of
# the time: somebody is always unsure up to the last layer, and waits for all layers and all
# classifiers. In batches of 64 it takes {{ timed(chosen, 64):.2f}}, and the half transformer
# {{ timed(half, 64):.2f}}. So early exit is the better choice where single comments come and the median
# counts; where p99 or batches count, cut the transformer: it loses about as much F1, every comment
# takes half of the time, and its file is smaller. All this is one training, one seed.

# %% [markdown]
# ## 10. Looping saves bytes, halting time in one form of three
#
# *About 3 minutes.*
#
# That one form is the Universal Transformer. In it a shared block and halting come together, and are
# easily taken for one thing. Pull them apart: the shared block four times, four separate blocks, and the
# shared block with halting. Complete files, from raw text to labels.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SEPARATE = load_records("adaptive", experiment="separate blocks", split="test")
networks = {
    "one block, four times": of(FORMS[UNI], max_steps=4),
    "four separate blocks": SEPARATE,
    "one block, halting": of(UNI, time_penalty=PENALTIES[-1]),
}
facts = {name: {field: np.mean([row[field] for row in rows])
                for field in ("file_bytes", "encoder_bytes", "macro_f1", "mean_steps")}
         | {size: clock(rows[0]["method"], rows[0]["setting"], size) for size in (1, 64)}
         for name, rows in networks.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
looped, separate, halted = facts.values()
by_seed = [{row["seed"]: row["macro_f1"] for row in rows} for rows in networks.values()]
against = ", ".join(f"{by_seed[1][seed] - by_seed[0][seed]:+.3f}" for seed in sorted(by_seed[0]))
bills = "\n".join(
    f"| {name} | {f['file_bytes']:,.0f} | {f['encoder_bytes']:,.0f} | {f['macro_f1']:.3f} | "
    f"{f['mean_steps']:.2f} | {f[1]:.2f} | {f[64]:.2f} |" for name, f in facts.items())
claim(separate["encoder_bytes"] > 2 * looped["encoder_bytes"]
      and abs(separate[1] - 1) < 0.15, "looping saves bytes, and no time")
claim(max(halted[1], halted[64]) < 0.9
      and halted["encoder_bytes"] < 1.05 * looped["encoder_bytes"], "halting saves time, and no bytes")
claim(share[UNI, 1][1] < halted[1] and share[UNI, 64][1] < halted[64], "one fixed step saves more time")

# %% [markdown]
# | | bytes of the file | without words and their vectors, before compression | macro-F1 | mean steps | time, 1 comment | time, 64 |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: |
# {{ bills }}
#
# **Looping saves bytes**: without words and word vectors, the separate blocks take
# {{ separate["encoder_bytes"] / looped["encoder_bytes"]:.1f}} times as many, for
# {{ separate["macro_f1"] - looped["macro_f1"]:+.4f}} of macro-F1 (seed by seed {{ against }}, the last against the poor control of section 6) and
# {{ separate[1]:.2f}} times the time. The whole file is {{ separate["file_bytes"] / looped["file_bytes"]:.2f}}
# times as large, since most of it is words. **Halting saves time here**: it takes {{ halted[1]:.2f}} of it for one
# comment and {{ halted[64]:.2f}} in batches of 64, and saves no bytes at all. One fixed step takes less
# ({{ share[UNI, 1][1]:.2f}} and {{ share[UNI, 64][1]:.2f}}), and needs no halting unit.

# %% [markdown]
# ## 11. What you have learned
#
# *About 4 minutes, with the questions.*

# %% jupyter={"source_hidden": true} tags=["hide-input"]
recorded = "; ".join(sorted({
    f"{run['date']}, PyTorch {run['versions']['torch']}, {run['machine']['processor']}, "
    f"data: {run['data']['kind']}" for run in load_runs("adaptive")}))

# %% [markdown]
# - **Weights sum to 1** because the last step, forced or not, weighs the remainder.
# - **The number of steps has no gradient.** The ponder cost is learned through the remainder: -1 for each
#   probability before the last step.
# - **Compute only what goes on.** A list of active positions saves time; a mask saves none.
# - **Steps that are taken need not be needed.** On parity, harder vectors take more of them on average
#   (rank correlation {{ min(ranks_of_means):.2f}} to {{ max(ranks_of_means):.2f}}); a network trained with one step is
#   right in {{ one:.1%}} of cases all the same. The control is trained by itself, not cut short.
# - **On GoEmotions it earns nothing that we can show.** Of {{ len(compared) }} comparisons at equal mean
#   steps, {{ len(above) }} intervals lie above 0 and {{ len(below) }} below; one fixed step loses
#   {{ max(one_step.values()):.3f}} at most.
# - **Steps are not milliseconds.** In batches of 64, recurrent ACT takes {{ share[REC, 64]["ACT"]:.2f}} of the time of
#   four fixed steps, for {{ share_of_steps[REC]:.2f}} of the steps: the halting itself costs, and the slowest holds the rest.
# - **Looping saves bytes, halting time in one form of three**, and one fixed step is faster everywhere.
# - **Early exit** at {{ timed(chosen, 1):.2f}} of the time for one comment changes macro-F1 by
#   {{ lost_early:+.3f}}, the half transformer at {{ timed(half, 1):.2f}} by {{ lost_half:+.3f}}; in batches
#   of 64 they take {{ timed(chosen, 64):.2f}} and {{ timed(half, 64):.2f}}.
#
# Recorded measurements: {{ recorded }}.

# %% [markdown]
# **Check yourself.** Five questions; each option answers back.

# %%
quiz(
    "Halting probabilities 0.5, 0.375, 0.25, and so on; five steps are allowed. What are N and R?",
    {
        "N = 3, R = 0.125": "0.5 and 0.375 are 0.875; the third step reaches 1, and weighs what is left.",
        "N = 3, R = 0.25": "That is the third probability. The last step weighs the remainder.",
        "N = 5, R = 0": "It stops as soon as the sum reaches 0.99, and that is at the third step.",
    },
    answer="N = 3, R = 0.125",
)

# %%
quiz(
    "The same probabilities. What is the gradient of the ponder cost by the third one?",
    {
        "-1": "So it is for those before the last step.",
        "0": "The third is the last step: its weight is the remainder, in which only those before it are.",
        "0.125": "That is the remainder itself.",
    },
    answer="0",
)

# %%
quiz(
    "A paper: adaptive depth takes 40% of the steps and loses 0.3 points of F1 against the full depth. "
    "What is missing?",
    {
        "More seeds.": "They would help, and still compare with the wrong model.",
        "The network of fixed depth with 40% of the steps, trained by itself.":
            "If that one loses 0.3 points as well, adaptivity earned nothing. And then time, of course.",
        "A larger network.": "Perhaps it would need its depth. But the claim is about this one.",
    },
    answer="The network of fixed depth with 40% of the steps, trained by itself.",
)

# %%
quiz(
    "A network takes 2 steps for nine comments in ten, and 8 for the tenth. Batches of 64, drawn at "
    "random. For how many steps does nearly every batch run?",
    {
        "2.6": "That is the mean, and what the list of active comments computes in sum.",
        "8": "A batch without a slow comment has a probability of 0.9 to the 64th: about one in a thousand.",
        "2": "Only if the tenth comment is kept out of it.",
    },
    answer="8",
)

# %%
quiz(
    "In PonderNet, why KL(p || prior) and not KL(prior || p)?",
    {
        "It makes no difference, both are 0 for p = prior.":
            "Where they are 0 they agree. Elsewhere one of them can be infinite.",
        "Only so may p be 0 at some steps.":
            "The other way around, each step that is never taken costs infinitely much.",
        "It is cheaper to compute.": "Both are sums over the steps.",
    },
    answer="Only so may p be 0 at some steps.",
)

# %% [markdown]
# **Next.** In the assignment you write the weights, the cost with its gradient and the padded batch
# yourself, calibrate an early exit for a budget, and choose a policy of depth for a server from
# measured records.
#
# **Further reading.** [Graves (2016)](https://arxiv.org/abs/1603.08983), section 2, is short and
# exact. [Dehghani et al. (2019)](https://arxiv.org/abs/1807.03819) report tasks on which a shared
# block with ACT earns something. [DeeBERT](https://arxiv.org/abs/2004.12993) and
# [PABEE](https://arxiv.org/abs/2006.04152) leave a trained transformer early.
