# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Distillation: a small model taught by a large one
#
# First train the best model you can, however large. Then train a small one to imitate it. The
# small one learns from the large one's *probabilities*, which say more than labels do. This lecture
# shows what they say, how a student learns from them, and what a student can look like. It ends
# with the question that is seldom asked: when was the teacher worth it?
#
# **After this lecture you can**
#
# 1. say what soft labels carry that hard ones do not, and what they do not carry;
# 2. write the distillation loss of a multi-label classifier, and say what $T$ and $T^2$ do in it;
# 3. build a student in five ways, and predict its bytes and, for a factorised one, its error;
# 4. say what ensembles, dropout distillation, co-distillation and feature matching add;
# 5. read a comparison over seeds, and say from it where a teacher helped and where it did not.
#
# **How it works.** Plan about 88 minutes. Before eight of the measurements a box asks for your
# guess: write one down. Cells that only draw, or prepare what the text says, are folded. No number
# here is from memory: it was read from `course/results/` or computed when the lecture was built. Where
# your own run turns out otherwise, a line below a folded cell says so.

# %%
import textwrap
from collections import Counter
from functools import cache
from math import comb
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import Dropdown, SelectionSlider
from matplotlib.patches import Rectangle
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.special import entr, expit, logit, rel_entr
from threadpoolctl import threadpool_limits
from torch.nn.functional import binary_cross_entropy_with_logits as bce

# %%
from utils import packing, plots
from utils.claims import claim
from utils.data import SPLITS, Vocabulary, load_sample
from utils.distillation import (
    SoftLabelLoss,
    TensorTrainEmbedding,
    ensemble_logits,
    factorize_network,
    replace_layers,
    static_sparse_index,
    static_sparse_network,
    teacher_logits,
    tensor_train,
    truncated_svd,
    tt_reconstruct,
)
from utils.embeddings import distilled_vectors
from utils.metrics import macro_f1, paired_difference, tune_thresholds
from utils.models import GRUNetwork, MeanVectorNetwork, NeuralClassifier, SparseLinear
from utils.plots import human_bytes, show
from utils.records import load_records, load_runs, summarise
from utils.training import fit, set_seed
from utils.widgets import explore, predict, quiz, reveal

# %% jupyter={"source_hidden": true} tags=["hide-input"]
torch.set_num_threads(1)
threadpool_limits(limits=1)  # one thread everywhere: the machine may be shared
np.set_printoptions(legacy="1.25", suppress=True, precision=4)
plots.set_style()
BLUE, RED, GREEN = plots.PALETTE[:3]


# %% [markdown]
# ## 1. What a soft label says
#
# *About 10 minutes.*
#
# Our teacher is MiniLM, a transformer with six layers, fine-tuned on GoEmotions. It ships with the
# course, not as a model but as what matters of one: its logits for every comment. Here are its
# probabilities of the 28 emotions, for comments of the course sample. It was not trained on these.

# %%
comments = load_sample("test", "emotions")
emotions = np.array(comments.label_names)
teacher = expit(teacher_logits(comments, "transformer"))
teacher.shape

# %% [markdown]
# A **hard label** is a list of 28 zeros and ones. A **soft label** is the teacher's list of 28
# probabilities. Take the comments that have a single label and for which the teacher's first choice
# is that label. Teacher and label agree, so is there anything left to say?

# %%
single = comments.labels.sum(axis=1) == 1
agreed = single & (teacher.argmax(axis=1) == comments.labels.argmax(axis=1))
others = np.where(comments.labels == 1, 0, teacher)[:, :-1]  # without neutral, the last column
single.sum(), agreed.sum()

# %%
predict(
    "second-opinion",
    "Of the comments on which teacher and label agree: for what share does the teacher give some "
    "other emotion (not neutral) a probability of more than 0.1?",
    "%",
)

# %%
reveal("second-opinion", 100 * (others[agreed].max(axis=1) > 0.1).mean(), "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
fitting = agreed & (comments.labels[:, -1] == 0) & (np.char.str_len(comments.texts) < 85)
strongest = {}  # for each emotion, the comment with the strongest second opinion
for row in np.argsort(-np.where(fitting, others.max(axis=1), 0)):
    strongest.setdefault(emotions[comments.labels[row].argmax()], row)
chosen = list(strongest.values())[:6]

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(2, 3, figsize=(10.5, 5.4))
for axes, row in zip(panels.flat, chosen, strict=True):
    top = np.argsort(-teacher[row])[:5]
    given = comments.labels[row, top] == 1
    axes.barh(emotions[top], teacher[row, top], color=np.where(given, BLUE, "white"),
              edgecolor=BLUE, linewidth=1.2)
    axes.set_title(textwrap.fill(comments.texts[row], 28), fontsize=10)
    axes.set(xlim=(0, 1), xticks=[0, 0.5, 1])
    axes.invert_yaxis()
show(figure, alt="Six comments with the teacher's five most likely emotions as bars; the one that "
     "is the label is filled. " + " ".join(
         f"{comments.texts[row]} " + ", ".join(
             f"{emotions[e]} {teacher[row, e]:.2f}" for e in np.argsort(-teacher[row])[:3]) + "."
         for row in chosen))

# %% [markdown]
# The filled bars are all that a hard label says. The others say what the comment is *nearly*, and a
# student that gets them need not find that out by itself.
#
# How much is it? In bits: the **entropy** of a probability $p$ is
# $-p \log_2 p - (1-p) \log_2 (1-p)$, and that of 0 and of 1 is nothing. Added up over the 28 labels:

# %%
def bits(p):
    return (entr(p) + entr(1 - p)) / np.log(2)


entropy = bits(teacher).sum(axis=1)
entropy.min(), entropy.mean(), entropy.max(), bits(comments.labels.astype(float)).sum()

# %% jupyter={"source_hidden": true} tags=["hide-input"]
surest, vaguest = entropy.argmin(), entropy.argmax()
claim(entropy[vaguest] > 2 * entropy[surest], "the teacher is far surer of one comment than of another")

# %% [markdown]
# Surest: *{{ comments.texts[surest] }}* ({{ entropy[surest]:.1f }} bits). Least sure:
# *{{ comments.texts[vaguest] }}* ({{ entropy[vaguest]:.1f }} bits). A hard label has 0 bits for both,
# and tells a student to be as certain of the one as of the other.

# %% [markdown]
# **Which emotions are related?** Labels say so only through comments that have two of them. The
# teacher says so in every comment: when the logit of one emotion rises, which others rise too?

# %%
many = load_sample("train", "emotions")
together = many.labels.T.astype(int) @ many.labels  # comments that have both labels
related = np.corrcoef(teacher_logits(many).T)  # (28, 28)
upper = np.triu_indices(len(emotions), 1)
never = (together[upper] == 0).sum()
len(upper[0]), never

# %% jupyter={"source_hidden": true} tags=["hide-input"]
order = leaves_list(linkage(1 - related[upper], "average"))  # related emotions side by side
closest = [(emotions[upper[0][k]], emotions[upper[1][k]], related[upper][k])
           for k in np.argsort(-related[upper])[:6]]
figure, axes = plt.subplots(figsize=(7.6, 6.4))
picture = axes.imshow(related[np.ix_(order, order)], cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
axes.set_xticks(range(28), emotions[order], rotation=90, fontsize=9)
axes.set_yticks(range(28), emotions[order], fontsize=9)
axes.grid(False)
figure.colorbar(picture, label="correlation of the teacher's logits")
show(figure, alt="Correlation of the teacher's logits for each pair of 28 emotions, related ones "
     "side by side. The highest: " + ", ".join(f"{a} and {b} {r:.2f}" for a, b, r in closest) + ".")
closest_pairs = ", ".join(f"*{a}* and *{b}*" for a, b, _ in closest)
claim(never > len(upper[0]) / 2, "most pairs of emotions never occur together in the labels")

# %% [markdown]
# Of {{ len(upper[0]) }} pairs of emotions, {{ never }} never occur together in the labels of
# {{ len(many):, }} comments. For the teacher, the closest are {{ closest_pairs }}.
#
# There is a second reason why soft labels teach well, and it needs no relations at all. Suppose 3
# people in 10 would call a comment joyful. Its hard label is one draw from them:

# %%
draws = np.random.default_rng(0).random(12) < 0.3  # twelve such comments
draws.astype(int), draws.mean(), np.full(12, 0.3).mean()

# %% [markdown]
# A student of hard labels sees noise, and needs many such comments to average it away. A teacher
# that has found the 0.3 passes it on without noise. The price is its own error: where the teacher
# is wrong, so is every soft label, and no number of comments averages that away. Less variance for
# more bias ([Menon et al., 2021](https://proceedings.mlr.press/v139/menon21a.html)).
#
# **Think.** A teacher gives every comment of a split 0.0001 or 0.9999. What does its student learn
# that labels would not have taught?
#
# <details><summary>Answer</summary>
#
# Where the teacher differs from the labels: which of them it takes for mistakes. Nothing else;
# its soft labels are hard labels again. This happens to large teachers on the comments they were
# trained on, because they have memorised many of them.
#
# </details>

# %% [markdown]
# ## 2. Temperature and the loss
#
# *About 13 minutes.*
#
# A **temperature** $T$ softens the probabilities: $\sigma(t/T)$ in place of $\sigma(t)$. From here
# on with the labels of this course, Ekman's six emotions and neutral. Play with it.

# %%
seven = load_sample("test")
t = torch.from_numpy(teacher_logits(seven))
s = torch.from_numpy(logit(packing.load_model(Path("../course/models/sparse-linear.slm"))
                           .predict_proba(seven.texts))).requires_grad_()
s.shape, t.shape  # the student is the sparse linear baseline, as shipped

# %% [markdown]
# In the right panel stands the size of the gradient that the student gets from its teacher: the mean
# of the absolute derivative by a logit, times the number of logits. PyTorch computes it.

# %%
def slopes(loss):
    """Absolute derivatives by the student's logits, times the number of logits."""
    return s.numel() * torch.autograd.grad(loss, s)[0].abs()


def gradient(loss):
    return slopes(loss).mean().item()


def soft(T):
    return bce(s / T, torch.sigmoid(t / T))


# %% jupyter={"source_hidden": true} tags=["hide-input"]
TEMPERATURES = [0.5, 1, 2, 4, 8, 16, 32]
bare = np.array([gradient(soft(T)) for T in TEMPERATURES])
scaled = bare * np.square(TEMPERATURES)
hard_gradient = gradient(bce(s, torch.from_numpy(seven.labels).float()))


def draw_temperature(row, T):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    p = expit(t[row].numpy() / T)
    left.barh(seven.label_names, p, edgecolor=BLUE, linewidth=1.2,
              color=np.where(seven.labels[row] == 1, BLUE, "white"))
    left.plot(expit(t[row].numpy()), range(7), "|", color=RED, markersize=14, markeredgewidth=2)
    left.set(xlim=(0, 1), xlabel="probability (orange: T = 1; filled: the label)",
             title=f"T = {T:g}: {bits(p).sum():.1f} bits")
    left.invert_yaxis()
    for values, style, name in ((scaled, "o-", "times T²"), (bare, "s--", "as it is")):
        right.plot(TEMPERATURES, values, style, label=f"soft labels, {name}")
    right.axhline(hard_gradient, color="black", linestyle=":", label="hard labels")
    right.axvline(T, color=plots.GREY, linewidth=1)
    right.set(xscale="log", yscale="log", xlabel="T", title="size of the gradient",
              xticks=TEMPERATURES, xticklabels=[f"{x:g}" for x in TEMPERATURES])
    right.minorticks_off()
    figure.legend(loc="outside lower center", ncols=3)
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_temperature(row, T):
    p, k = expit(t[row].numpy() / T), TEMPERATURES.index(T)
    named = ", ".join(f"{name} {value:.2f}" for name, value in
                      zip(seven.label_names, p, strict=True))
    return (f"Left: probabilities of seven labels at T = {T:g} for: {seven.texts[row]} {named}; "
            f"together {bits(p).sum():.1f} bits. Right: size of the gradient against T. With T "
            f"squared {scaled[k]:.3f} at this T, without {bare[k]:.4f}; of hard labels "
            f"{hard_gradient:.3f}.")


explore(
    draw_temperature,
    describe_temperature,
    row=Dropdown(options=[(seven.texts[row], row) for row in chosen], description="comment"),
    T=SelectionSlider(options=TEMPERATURES, value=2),
)

# %% [markdown]
# 1. What do the probabilities tend to when $T$ grows? And when it goes to 0?
# 2. With seven labels most answers are "no". What becomes of a confident "no" at $T = 8$?
# 3. Which of the two lines would you rather train with, and why?
#
# <details><summary>Answers</summary>
#
# (1) To 0.5, each of them: a softmax would tend to equal shares, but here every label has a sigmoid
# of its own. Near 0 all become 0 or 1. (2) It becomes "perhaps": high temperatures make differences
# between unlikely labels visible, and also whatever noise is in them. (3) The one with $T^2$: without
# it the teacher falls silent. But it is level for high temperatures only; below them another $T$ is
# another strength of the teacher, even so.
#
# </details>

# %%
predict(
    "vanishing",
    "Without T², what share of the gradient at T = 1 is left at T = 8?",
    "%",
)

# %%
reveal("vanishing", 100 * gradient(soft(8)) / gradient(soft(1)), "%")

# %% [markdown]
# The derivative of one soft cross entropy by the logit $s$ is, by the chain rule,
#
# $$\frac{1}{T} \big(\sigma(s/T) - \sigma(t/T)\big) \;\approx\; \frac{s - t}{4\,T^2}
# \quad\text{for large } T,$$
#
# since $\sigma(x) \approx 1/2 + x/4$ near 0. Hence the factor $T^2$: it keeps the gradient alive, and
# shows what high temperatures really do. They make the student *match logits*.

# %%
gradient(soft(32)), 32**2 * gradient(soft(32)), (s - t).abs().mean().item() / 4

# %% [markdown]
# That is the limit. How soon is it reached? And who gets the gradient? Most answers are a confident
# "no", a probability below 0.05.

# %%
sure = torch.sigmoid(t) < 0.05  # a confident "no", at T = 1
by_T = {T: SimpleNamespace(bare=gradient(soft(T)), scaled=T**2 * gradient(soft(T)),
                           sure=(slopes(soft(T))[sure].sum() / slopes(soft(T)).sum()).item())
        for T in (1, 2, 4, 8, 16)}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
sure_share, typical = sure.float().mean().item(), t.abs().median().item()
claim(by_T[2].scaled > 1.5 * by_T[1].scaled and by_T[4].scaled > 1.5 * by_T[2].scaled
      and by_T[16].scaled < 1.1 * by_T[8].scaled,
      "with T squared the gradient grows up to T = 4 and is level from T = 8 on")
claim(by_T[1].sure < 0.3 and by_T[4].sure > 0.6,
      "at T = 1 confident answers get little of the gradient, at T = 4 most of it")

# %% [markdown]
# | T | gradient without T² | with T² | share of it that confident "no"s get |
# | ---: | ---: | ---: | ---: |
# | 1 | {{ by_T[1].bare:.3f }} | {{ by_T[1].scaled:.3f }} | {{ by_T[1].sure:.0% }} |
# | 2 | {{ by_T[2].bare:.3f }} | {{ by_T[2].scaled:.3f }} | {{ by_T[2].sure:.0% }} |
# | 4 | {{ by_T[4].bare:.3f }} | {{ by_T[4].scaled:.3f }} | {{ by_T[4].sure:.0% }} |
# | 8 | {{ by_T[8].bare:.3f }} | {{ by_T[8].scaled:.3f }} | {{ by_T[8].sure:.0% }} |
# | 16 | {{ by_T[16].bare:.3f }} | {{ by_T[16].scaled:.3f }} | {{ by_T[16].sure:.0% }} |
#
# Confident "no"s are {{ sure_share:.0% }} of the teacher's answers.
#
# **$T^2$ does not keep the gradient's size**, not at the temperatures that people use. It is level only
# where sigmoids are nearly straight: a logit of this teacher is typically {{ typical:.1f }} away from 0
# (the median), and has to be divided by 8 before it comes near. At $T = 1$ it lies where the sigmoid is
# flat, and however far the student's logit is from it, there is next to no slope. A higher $T$ brings it to
# where there is one. So $T$ does two things, and $T^2$ undoes neither: the soft part weighs more, against
# hard labels, and **its gradient goes elsewhere**, to confident answers, where other logits are nearly the
# same probability.

# %% [markdown]
# Put together, with $\alpha$ for the share of the teacher
# ([Hinton, Vinyals and Dean, 2015](https://arxiv.org/abs/1503.02531), there for a softmax):

# %%
def distillation_loss(s, t, y, T, alpha):
    """Of the student's logits, the teacher's logits and the labels: a mean over all of them."""
    return alpha * T**2 * bce(s / T, torch.sigmoid(t / T)) + (1 - alpha) * bce(s, y)


# %% [markdown]
# By hand, for one comment and one label. The student has the logit $s = 2 \log 1.5$, the teacher
# $t = 2 \log 4$, the label is 1, $T = 2$, $\alpha = 0.5$. Then $\sigma(s/2) = 1.5/2.5 = 0.6$,
# $\sigma(t/2) = 4/5 = 0.8$, and $\sigma(s) = 2.25/3.25 = 9/13$:

# %%
soft_part = -0.8 * np.log(0.6) - 0.2 * np.log(0.4)
hard_part = -np.log(9 / 13)
one = torch.ones(1)
(0.5 * 2**2 * soft_part + 0.5 * hard_part,
 distillation_loss(2 * np.log(1.5) * one, 2 * np.log(4) * one, one, T=2, alpha=0.5).item())

# %% [markdown]
# Two traps. **The soft part never reaches 0.** Where student and teacher agree, the teacher's own
# entropy is left, and the gradient is 0. **The mean hides a factor.** This is a mean over comments
# *and* labels, for both parts. Whoever averages one part over comments only, or leaves out $T^2$, has
# chosen another $\alpha$ without noticing; libraries differ in both.

# %%
agreeing = distillation_loss(2 * np.log(4) * one, 2 * np.log(4) * one, one, T=2, alpha=1).item()
agreeing, 4 * np.log(2) * bits(0.8)

# %% [markdown]
# ## 3. Teach a student
#
# *About 14 minutes.*
#
# Now train. The sparse linear model first: logistic regression does not care whether a label is
# 1, 0 or 0.3. The comments are those of the course sample, so that this takes seconds.

# %%
train, dev, test = (load_sample(split) for split in SPLITS)
logits = {split.split: teacher_logits(split) for split in (train, dev, test)}


def linear(targets):
    model = SparseLinear("ekman", train.label_names, C=3).fit(train.texts, targets)
    return model.tune(dev.texts, dev.labels)


alone = linear(train.labels)
alone_f1 = macro_f1(test.labels, alone.predict(test.texts))
len(train), alone_f1

# %%
predict(
    "taught-here",
    f"Trained on labels, this model has a macro-F1 of {alone_f1:.3f} on the sample's test comments. "
    "What is it if it learns from the transformer's probabilities instead?",
    high=1,
)

# %%
taught = linear(expit(logits["train"]))
taught_f1 = macro_f1(test.labels, taught.predict(test.texts))
reveal("taught-here", taught_f1)

# %% [markdown]
# Before we explain that, a network: Model 1, the mean of word vectors. For `fit`, the targets are the
# labels and, beside them, the teacher's logits. The loss is the one above.

# %%
vocabulary = Vocabulary.from_texts(train.texts, min_count=1)
vectors = torch.from_numpy(distilled_vectors(vocabulary, 100).values)
ids = {split.split: vocabulary.encode(split.texts) for split in (train, dev, test)}
targets = np.hstack([train.labels, logits["train"]])  # (comments, 7 + 7)


def model_1(alpha, temperature=2):
    set_seed(0)
    network = MeanVectorNetwork(len(vocabulary), 100, hidden=128, labels=7)
    network.embedding.weight.data.copy_(vectors)
    history = fit(network, (ids["train"], targets), (ids["dev"], dev.labels), epochs=20,
                  batch_size=32, lr=5e-3, embedding_lr=0, decay=True, progress=False,
                  loss=SoftLabelLoss(temperature, alpha))
    return NeuralClassifier(network, vocabulary, "ekman", train.label_names, history.thresholds)


# %%
networks = {alpha: model_1(alpha) for alpha in (0, 0.5, 1)}

# %%
def f1_here(on_dev, on_test):
    """Macro-F1 of logits on the sample, with thresholds tuned on its dev split."""
    return macro_f1(test.labels, expit(on_test) >= tune_thresholds(dev.labels, expit(on_dev)))


def distance(model):
    """Mean Kullback-Leibler divergence of a label from the teacher's probability, in bits."""
    q = expit(logits["test"]).astype(float)
    p = np.clip(model.predict_proba(test.texts).astype(float), 1e-6, 1 - 1e-6)
    return (rel_entr(q, p) + rel_entr(1 - q, 1 - p)).mean() / np.log(2)


thresholds = tune_thresholds(dev.labels, expit(logits["dev"]))
decided = {name: expit(values) >= thresholds for name, values in logits.items()}  # by the teacher
teacher_f1 = macro_f1(test.labels, decided["test"])
models = {"linear": alone, "linear, taught": taught, "Model 1": networks[0],
          "Model 1, half": networks[0.5], "Model 1, taught": networks[1]}
bits_away = {name: distance(model) for name, model in models.items()}
sample_f1 = {name: macro_f1(test.labels, model.predict(test.texts))
             for name, model in models.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
for name in ("linear", "Model 1"):
    claim(bits_away[f"{name}, taught"] < 0.7 * bits_away[name], f"{name}, taught, is nearer its teacher")
claim(teacher_f1 < alone_f1, "on the sample the teacher is no better than the linear model on labels")
claim(taught_f1 < teacher_f1 - 0.03, "the taught linear model stays below its teacher")
claim(teacher_f1 > sample_f1["Model 1"] > sample_f1["Model 1, taught"] + 0.03,
      "on test the teacher is ahead of Model 1 on labels, and taught it falls")

# %% [markdown]
# | on the sample's test comments | distance to the teacher (bits a label) | macro-F1 |
# | --- | ---: | ---: |
# | sparse linear, on labels | {{ bits_away["linear"]:.3f }} | {{ sample_f1["linear"]:.3f }} |
# | sparse linear, taught | {{ bits_away["linear, taught"]:.3f }} | {{ sample_f1["linear, taught"]:.3f }} |
# | Model 1, on labels | {{ bits_away["Model 1"]:.3f }} | {{ sample_f1["Model 1"]:.3f }} |
# | Model 1, half and half | {{ bits_away["Model 1, half"]:.3f }} | {{ sample_f1["Model 1, half"]:.3f }} |
# | Model 1, taught | {{ bits_away["Model 1, taught"]:.3f }} | {{ sample_f1["Model 1, taught"]:.3f }} |
# | the teacher itself | 0 | {{ teacher_f1:.3f }} |
#
# Both taught students came closer to their teacher: imitation worked. For the sparse linear model
# macro-F1 went from {{ alone_f1:.3f }} to {{ taught_f1:.3f }}. The teacher itself, with thresholds tuned
# for this sample, reaches {{ teacher_f1:.3f }}, no more than the sparse linear model on labels, and its
# student stays below that. It learned from GoEmotions, whose comments and whose raters differ from those
# of the sample. (These are {{ len(test) }} comments and one seed: a few points either way mean nothing
# here.) **A student learns its teacher, not the truth.**
#
# Model 1 is less simple: on test its teacher is ahead of it, and still it falls from
# {{ sample_f1["Model 1"]:.3f }} to {{ sample_f1["Model 1, taught"]:.3f }}. Is the lead real? And does the
# student get what its teacher has? Score it once more, with the teacher's answers in place of the labels:

# %%
lead, low, high = paired_difference(test.labels, decided["test"], networks[0].predict(test.texts))
lead, (low, high)  # of the teacher over Model 1 on labels, on test; 95% interval


# %%
def followed(model):
    """Macro-F1 on test where the teacher's answers are the truth, with thresholds tuned for them."""
    tuned = tune_thresholds(decided["dev"], model.predict_proba(dev.texts))
    return macro_f1(decided["test"], model.predict_proba(test.texts) >= tuned)


follows = {name: followed(models[name]) for name in ("Model 1, taught", "linear, taught")}
dev_f1 = {"teacher": macro_f1(dev.labels, decided["dev"])} | {
    name: macro_f1(dev.labels, model.predict(dev.texts)) for name, model in models.items()}
follows, dev_f1

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(low < 0 < high and abs(dev_f1["teacher"] - dev_f1["Model 1"]) < 0.02,
      "the teacher's lead over Model 1 may be chance on test, and is none on dev")
claim(1 - max(follows.values()) > 5 * lead, "students miss far more of the teacher than its lead")
claim(dev_f1["Model 1, taught"] < dev_f1["Model 1"] - 0.08
      and dev_f1["linear, taught"] < dev_f1["linear"] - 0.05,
      "dev shows for both students that the teacher does not help")

# %% [markdown]
# 1. **The lead is not sure.** On test it is {{ lead:.3f }}, with a 95% interval from {{ low:.3f }} to
#    {{ high:.3f }}, 0 among it; on dev, where one would look, teacher and Model 1 have
#    {{ dev_f1["teacher"]:.3f }} and {{ dev_f1["Model 1"]:.3f }}.
# 2. **Most of it would not have arrived.** Measured by its teacher's answers the taught Model 1 has a
#    macro-F1 of {{ follows["Model 1, taught"]:.3f }}. Mean vectors that never move, and
#    {{ len(train):, }} comments, are not enough to follow a transformer. Whatever its labels could have
#    told it about the rest, it did not hear.
#
# So **a teacher's lead is necessary, and not enough: a student gets only a part of its teacher.** The test
# that decides is the student itself, on dev, taught and on labels: {{ dev_f1["Model 1, taught"]:.3f }}
# against {{ dev_f1["Model 1"]:.3f }}. It costs seconds here.
#
# So much for the sample. On GoEmotions the teacher is at home, and students get all training comments.
# That was recorded, over five seeds where nothing else is said. All networks of this section but the
# half transformer learned by one recipe, with larger batches than in lecture 01, so the same network
# may score a little differently here. Whoever is taught learns from probabilities alone, $\alpha = 1$,
# at $T = 1$. First, who teaches? (The linear ones come out alike every time; the ensemble was mixed
# once.) A teacher is asked for Ekman's labels and for the 28 emotions, and what it is scored by here
# is the mean of two answers: its own for the label, and the probability that at least one of the
# emotions behind it is there.

# %%
def load(experiment, **filters):
    return load_records("distillation", experiment=experiment, **filters)


recorded = load("students", split="test") + load(
    "half depth", split="test", method="half-depth transformer")
of_seven = {row["method"]: row for row in summarise(load("teachers", split="test"), by=("method",))}
emotions_f1 = {row["method"]: row["mean"] for row in summarise(
    load("teachers", split="test"), "macro_f1_emotions", by=("method",))}
teachers = {row["method"]: row["macro_f1"] for row in load("shipped teachers", split="test")}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
gru, transformer = of_seven["gru"], of_seven["transformer"]
claim(all((row["n"] == 5) is (row in (gru, transformer)) for row in of_seven.values()),
      "the networks were trained with five seeds, the linear models and the ensemble once")
claim(len(of_seven) == 6, "the teachers are six")

# %% [markdown]
# | teacher | seeds | macro-F1 (7 labels) | lowest to highest | macro-F1 (28 emotions) | as shipped (7 labels) |
# | --- | ---: | ---: | ---: | ---: | ---: |
# | linear-words | 1 | {{ of_seven["linear-words"]["mean"]:.3f }} | | {{ emotions_f1["linear-words"]:.3f }} | |
# | linear-word-pairs | 1 | {{ of_seven["linear-word-pairs"]["mean"]:.3f }} | | {{ emotions_f1["linear-word-pairs"]:.3f }} | |
# | linear-characters | 1 | {{ of_seven["linear-characters"]["mean"]:.3f }} | | {{ emotions_f1["linear-characters"]:.3f }} | |
# | gru | 5 | {{ gru["mean"]:.3f }} | {{ gru["min"]:.3f }} to {{ gru["max"]:.3f }} | {{ emotions_f1["gru"]:.3f }} | {{ teachers["gru"]:.3f }} |
# | transformer | 5 | {{ transformer["mean"]:.3f }} | {{ transformer["min"]:.3f }} to {{ transformer["max"]:.3f }} | {{ emotions_f1["transformer"]:.3f }} | {{ teachers["transformer"]:.3f }} |
# | ensemble | 1 | {{ of_seven["ensemble"]["mean"]:.3f }} | | {{ emotions_f1["ensemble"]:.3f }} | {{ teachers["ensemble"]:.3f }} |
#
# The linear teachers read words, pairs of words, or groups of letters; "gru" is a GRU of two layers, far
# larger than our Model 2; the ensemble adds up the logits of the others, by weights learned on dev. Look
# at the linear ones before you train a transformer: they take a minute. Teachers have been trained anew
# since their logits were shipped, so the last column is what students heard.
#
# Now the students. To compare two groups of seeds we use a crude and honest rule: a difference is
# **clear** if their ranges do not overlap. How often would that happen to two groups of five by luck
# alone, in either direction?

# %%
2 / comb(10, 5)

# %%
def seeds(method, setting, field="macro_f1"):
    return np.array([row[field] for row in recorded
                     if (row["method"], row["setting"]) == (method, setting)])


def verdict(taught, labels):
    if np.ptp(taught) == np.ptp(labels) == 0:
        return "has no seed"  # it comes out the same every time
    if taught.min() > labels.max():
        return "gains"
    return "loses" if taught.max() < labels.min() else "undecided"


settings = {}  # method -> its settings with a teacher
for row in recorded:
    if row["setting"] != "labels":
        settings.setdefault(row["method"], {})[row["setting"]] = None
MAIN = "taught by ensemble"  # the teacher of most students

# %%
predict(
    "gru-8",
    f"GRU-8, with 8 units in each direction, has a macro-F1 of "
    f"{seeds('GRU-8', 'labels').mean():.3f} on test when trained on labels, the teacher "
    f"(ensemble) {teachers['ensemble']:.3f}. How much better is the taught GRU-8? (A point is 0.01.)",
    "points",
)

# %%
gru_8 = seeds("GRU-8", MAIN).mean() - seeds("GRU-8", "labels").mean()
reveal("gru-8", 100 * gru_8, "points")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SPARSE, MODEL_1 = "sparse linear", "Model 1"
baseline = seeds(SPARSE, "labels").mean()


def strips(groups, xlabel="macro-F1 on test"):
    """Rows of dots: {row: {name: scores of the seeds}}, each name in a colour of its own."""
    names = list(dict.fromkeys(name for row in groups.values() for name in row))
    figure, axes = plt.subplots(figsize=(9, 1.1 + 0.42 * len(groups)))
    for k, name in enumerate(names):
        axes.plot([], [], plots.MARKERS[k], color=plots.PALETTE[k], label=name)
    for y, row in enumerate(groups.values()):
        for place, (name, scores) in enumerate(row.items()):
            at, k = y + 0.28 * (place - (len(row) - 1) / 2), names.index(name)
            axes.plot(scores, np.full(len(scores), at), plots.MARKERS[k], markersize=6, alpha=0.55,
                      color=plots.PALETTE[k])
            axes.plot([scores.mean()] * 2, [at - 0.17, at + 0.17], "k", linewidth=2)
    axes.axvline(baseline, color="black", linestyle="--", linewidth=1.2, label="sparse linear")
    axes.set(yticks=range(len(groups)), yticklabels=groups, xlabel=xlabel)
    axes.invert_yaxis()
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe(groups):
    return "Macro-F1 of each seed as dots, means as bars. " + " ".join(
        f"{row}: " + ", ".join(f"{name} {scores.mean():.3f} ({scores.min():.3f} to {scores.max():.3f})"
                               for name, scores in group.items()) + "."
        for row, group in groups.items())


# %% jupyter={"source_hidden": true} tags=["hide-input"]
first_three = {method: {"labels": seeds(method, "labels"), MAIN: seeds(method, MAIN)}
               for method in (SPARSE, MODEL_1, "GRU-8")}
show(strips(first_three), alt=describe(first_three))
change = {method: group[MAIN].mean() - group["labels"].mean()
          for method, group in first_three.items()}
claim([verdict(group[MAIN], group["labels"]) for group in first_three.values()]
      == ["has no seed", "gains", "gains"], "of the first three students the two networks gain")

# %% [markdown]
# **Sparse linear** has no seed: {{ change["sparse linear"]:+.3f }}. **Model 1** gains:
# {{ change["Model 1"]:+.3f }}. **GRU-8** gains: {{ change["GRU-8"]:+.3f }}.
#
# And the temperature? The same student and teacher, with other $T$:

# %% jupyter={"source_hidden": true} tags=["hide-input"]
tried = {split: {row["setting"]: row for row in summarise(load("temperature", split=split))}
         for split in ("dev", "test")}
best_T = max(tried["dev"], key=lambda setting: tried["dev"][setting]["mean"])
of_T = {setting: {"taught": np.array([row["macro_f1"] for row in load(
            "temperature", split="test", setting=setting)])}
        for setting in sorted(tried["test"], key=lambda setting: float(setting[2:]))}
of_T = {"labels": {"labels": seeds("GRU-8", "labels")}} | of_T
show(strips(of_T, "macro-F1 of GRU-8 on test"), alt=describe(of_T))
worst_T = min(tried["test"], key=lambda setting: tried["test"][setting]["mean"])
gap = tried["test"][best_T]["mean"] - tried["test"][worst_T]["mean"]
by_seed = max(row["max"] - row["min"] for row in tried["test"].values())
wins = (of_T[best_T]["taught"] > of_T[worst_T]["taught"]).sum()
claim(1.2 * gap < by_seed, "one temperature differs by more from seed to seed than two on average")
claim(wins == len(of_T[best_T]["taught"]), "the best temperature is ahead of the worst in every pair")

# %% [markdown]
# Chosen on dev: {{ best_T }}, with {{ tried["test"][best_T]["mean"]:.3f }} on test. The seeds of one and
# the same temperature differ by up to {{ by_seed:.3f }}, and {{ best_T }} and {{ worst_T }} by
# {{ gap:.3f }} on average. So one run of each says little. But they come in pairs, with the same start
# and the same order of comments, and in all {{ wins }} pairs {{ best_T }} is ahead of {{ worst_T }}.
# Tune the temperature on dev, and over several seeds, or you tune luck.
#
# Why should {{ worst_T }} cost that much, with $T^2$ in the loss? Section 2 says where to look: a high
# temperature sends the gradient to confident answers. Model 1 on the sample, which trains in seconds,
# shows what becomes of its student. How far are its logits from the teacher's, where that says "no" with
# a probability below 0.05, and elsewhere?

# %%
at = {1: model_1(1, 1), 2: networks[1], 4: model_1(1, 4)}
confident = expit(logits["test"]) < 0.05


def misses(model, where):
    """Root of the mean squared difference of logits from the teacher's."""
    return np.sqrt(np.mean((logit(model.predict_proba(test.texts)) - logits["test"])[where] ** 2))


missed = {T: (misses(model, confident), misses(model, ~confident)) for T, model in at.items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(worst_T == "T=4", "the highest temperature is the worst")
claim(missed[4][0] < 0.85 * missed[1][0] and missed[4][1] > 1.05 * missed[1][1],
      "the student of T = 4 is nearer to its teacher's confident answers, and further from the others")

# %% [markdown]
# | T | distance in logits, confident "no" | distance in logits, elsewhere |
# | ---: | ---: | ---: |
# | 1 | {{ missed[1][0]:.2f }} | {{ missed[1][1]:.2f }} |
# | 2 | {{ missed[2][0]:.2f }} | {{ missed[2][1]:.2f }} |
# | 4 | {{ missed[4][0]:.2f }} | {{ missed[4][1]:.2f }} |
#
# A small student cannot match all logits. At T = 4 it comes nearer to those of a confident "no", where other
# logits are nearly the same probability, and pays for it where the teacher is in doubt. $T^2$ has no part
# in this: it is one factor for all labels.

# %% [markdown]
# ## 4. Five kinds of students
#
# *About 18 minutes.*
#
# A student may be any model. Here are five ways to make one small: four for Model 2, whose GRU has 64
# units in each direction, and one for the transformer.

# %%
model_2 = packing.load_model(Path("../course/models/model-2.slm"))
gru_64 = model_2.network
size = gru_64.config["vocabulary_size"]
SHAPES = (20, 26, 27), (4, 5, 5)  # 20 * 26 * 27 rows hold all words, 4 * 5 * 5 = 100 columns
students = {
    "GRU-64": gru_64,
    "GRU-8": GRUNetwork(size, 100, units=8, labels=7),
    "factorised GRU-64": factorize_network(gru_64, rank=16),
    "tensor-train embedding": replace_layers(
        gru_64, {"embedding": TensorTrainEmbedding(size, 100, SHAPES, 16)}),
    "static sparse 90%": static_sparse_network(gru_64, 0.9),
}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
KINDS = {"embedding": ("word vectors", "#CFE3F2"), "gru": ("GRU", "#D5EFE4"),
         "output": ("output", "#FBE3CF")}


def parts(network):
    """Of each layer: its name, its colour, the shapes of its matrices, its parameters."""
    for name, (title, color) in KINDS.items():
        weights = list(network.get_submodule(name).parameters())
        shapes = Counter(" × ".join(f"{side:,}" for side in w.shape) for w in weights if w.ndim > 1)
        yield (title, color, [f"{shape}" + (f" ({n} times)" if n > 1 else "")
                              for shape, n in shapes.items()], sum(w.numel() for w in weights))


def file_of(name):
    return np.mean([row["file_bytes"] for row in recorded if row["method"] == name])


# %% jupyter={"source_hidden": true} tags=["hide-input"]
whole = sum(count for *_, count in parts(gru_64))


def draw_student(axes, name, network):
    """Layers as boxes, the words below; at the bottom all parameters as a bar, to scale."""
    x, total = 0, sum(count for *_, count in parts(network))
    for y, (title, color, shapes, count) in enumerate(parts(network)):
        axes.add_patch(Rectangle((0, 1.5 * y), 1, 1.2, facecolor=color, edgecolor=plots.GREY))
        axes.annotate("\n".join([f"{title}: {count:,}", *shapes]), (0.5, 1.5 * y + 0.6), fontsize=8,
                      ha="center", va="center")
        axes.annotate("", (0.5, 1.5 * y + 1.5), (0.5, 1.5 * y + 1.2),
                      arrowprops=dict(arrowstyle="->", color=plots.GREY))
        axes.add_patch(Rectangle((x, -0.6), count / whole, 0.3, facecolor=color,
                                 edgecolor=plots.GREY, linewidth=0.6))
        x += count / whole
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.7, 4.6))
    axes.axis("off")
    axes.set_title(f"{name}\n{total:,} parameters\nfile: {human_bytes(file_of(name))}",
                   fontsize=9, loc="center")


# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 5, figsize=(11, 4.6))
for axes, (name, network) in zip(panels, students.items(), strict=True):
    draw_student(axes, name, network)
show(figure, alt="Five networks, each as three boxes from the words up, with the shapes of their "
     "matrices, and their parameters as a bar. " + " ".join(
         f"{name}: " + "; ".join(f"{title} {count:,} parameters ({', '.join(shapes)})"
                                 for title, _, shapes, count in parts(network))
         + f"; file {human_bytes(file_of(name))}." for name, network in students.items()))

# %% [markdown]
# **Smaller of the same kind** needs no idea. But look at the bars: a GRU with an
# eighth of the units has nearly as many parameters as before, because word vectors outnumber
# everything else. Only the factorised and the tensor-train student touch those.
#
# These two start from a GRU-64 that was trained on labels, and train on, on labels again or taught. The
# half transformer starts from its teacher's layers. The others start from word vectors alone:

# %% jupyter={"source_hidden": true} tags=["hide-input"]
longest = {row["method"]: row["max"] for row in summarise(
    [row for row in recorded if "epochs" in row], "epochs", by=("method",))}
claim(len(longest) == 7, "seven students are trained in epochs")

# %% [markdown]
# | student | epochs at most |
# | --- | ---: |
# | Model 1 | {{ longest["Model 1"] }} |
# | GRU-8 | {{ longest["GRU-8"] }} |
# | GRU-64 | {{ longest["GRU-64"] }} |
# | factorised GRU-64 | {{ longest["factorised GRU-64"] }} |
# | tensor-train embedding | {{ longest["tensor-train embedding"] }} |
# | static sparse 90% | {{ longest["static sparse 90%"] }} |
# | half-depth transformer | {{ longest["half-depth transformer"] }} |
#
# ### Every second layer
#
# The layers of a transformer all have the same shape, so a student can take over layers 0, 2 and 4
# with their trained weights, and train on ([Sanh et al., 2019](https://arxiv.org/abs/1910.01108)). Errors
# on rare labels weigh more, as they did when its teacher was trained. Its parameters can be counted
# without loading it: a layer has four square matrices of attention, two of the feed-forward part, their
# biases, and two normalisations.

# %%
d = 384
layer = 4 * (d * d + d) + (d * 4 * d + 4 * d) + (4 * d * d + d) + 2 * 2 * d
tables = (30_522 + 512 + 2) * d + 2 * d  # pieces of words, positions, segments; a normalisation
output = d * (7 + 28) + (7 + 28)  # Ekman's labels, and the emotions behind them
tables + 6 * layer + output, tables + 3 * layer + output

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def box(axes, x, y, text):
    axes.add_patch(Rectangle((x, y), 2.2, 0.7, facecolor="#CFE3F2", edgecolor=plots.GREY))
    axes.annotate(text, (x + 1.1, y + 0.35), ha="center", va="center", fontsize=9)


figure, axes = plt.subplots(figsize=(7.5, 4.2))
for x, layers in ((0, range(6)), (4.2, (0, 2, 4))):
    box(axes, x, 0, f"word pieces: {tables:,}")
    for y, number in enumerate(layers, start=1):
        box(axes, x, y, f"layer {number}: {layer:,}")
        if x:
            axes.annotate("", (x, y + 0.35), (2.2, number + 1.35),
                          arrowprops=dict(arrowstyle="->", color=BLUE))
    box(axes, x, len(layers) + 1, f"output: {output:,}")
    axes.annotate("student" if x else "teacher", (x + 1.1, len(layers) + 2.1), ha="center")
axes.set(xlim=(-0.1, 6.5), ylim=(-0.1, 8.6))
axes.axis("off")
show(figure, alt=f"Two stacks of boxes. The transformer: word pieces with {tables:,} parameters, six "
     f"layers of {layer:,}, output. Its student: the same with three layers, and arrows from layers "
     "0, 2 and 4 of the teacher show where their weights come from.")

# %%
latency = load("latency")
half_ms, full_ms = ({row["batch_size"]: row["batch_ms"] for row in latency
                     if row["method"].startswith("half") == half} for half in (True, False))
predict(
    "half-depth",
    "One comment at a time: what share of the teacher's latency does the student with half of its "
    "layers have?",
    "%",
)

# %%
reveal("half-depth", 100 * half_ms[1] / full_ms[1], "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
kept = (tables + 3 * layer) / (tables + 6 * layer)
on_labels, from_ensemble = (
    np.array([row["macro_f1"] / row["macro_f1_teacher"]
              for row in load("half depth", split="test", setting=how)]) for how in ("labels", MAIN))
claim(half_ms[1] < 0.7 * full_ms[1] and half_ms[64] < 0.6 * full_ms[64] and kept > 0.7,
      "half of the layers are nearly half of the time, and far more of the parameters")

# %% [markdown]
# | ms a batch, both in one run | batch of 1 | batch of 64 |
# | --- | ---: | ---: |
# | transformer | {{ full_ms[1]:.1f }} | {{ full_ms[64]:.1f }} |
# | half-depth transformer | {{ half_ms[1]:.1f }} | {{ half_ms[64]:.1f }} |
#
# Of the parameters it keeps {{ kept:.0% }}, and its file has
# {{ human_bytes(file_of("half-depth transformer")) }}: half of the layers are half of the work, but the
# table of word pieces stays, which costs bytes and hardly any time. On test it keeps
# {{ on_labels.mean():.1% }} ({{ on_labels.min():.1% }} to {{ on_labels.max():.1% }}; labels) and
# {{ from_ensemble.mean():.1% }} ({{ from_ensemble.min():.1% }} to {{ from_ensemble.max():.1% }}; taught by
# ensemble) of the macro-F1 of the transformer that it was cut from, over {{ len(on_labels) }} seeds.
#
# Half of the layers, and {{ half_ms[1] / full_ms[1]:.0% }} of the time for one comment: where is the rest?
# Another run timed both by their parts, on one thread, of many repeats the fastest:

# %%
spent = {}  # method -> part -> ms for one comment
for row in load("parts of the time"):
    part = "layers" if row["setting"].startswith("layer ") else row["setting"]
    ms = spent.setdefault(row["method"], Counter())
    ms[part] += row["batch_ms"]
full_parts, half_parts = spent["transformer"], spent["half-depth transformer"]

# %% jupyter={"source_hidden": true} tags=["hide-input"]
PARTS = ["tokenizer", "embeddings", "layers", "pooling", "classifier", "between"]
claim(all(sorted(parts) == sorted(PARTS) for parts in spent.values()), "the parts are these six")
full_total, half_total = full_parts.total(), half_parts.total()
fixed, fixed_half = (parts.total() - parts["layers"] for parts in (full_parts, half_parts))
parts_ratio = half_total / full_total
common = 2 * half_ms[1] - full_ms[1]  # if layers are half of their time there, too
claim(max(PARTS, key=lambda part: (part != "layers") * full_parts[part]) == "tokenizer"
      and min(PARTS, key=full_parts.get) == "embeddings" and common > fixed,
      "of what is no layer the tokenizer takes most, and the table of word pieces least")
claim(0.48 < half_parts["layers"] / full_parts["layers"] < 0.52, "half of the layers are half of their time")
claim(0.85 < fixed_half / fixed < 1.15, "all that is no layer takes the same time in both")
claim(parts_ratio > 0.53 and fixed > 0.08 * full_total, "what is no layer is a good tenth of the time")

# %% [markdown]
# | ms for one comment | tokenizer | word pieces | layers | pooling | classifier | between them | together |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
# | transformer | {{ full_parts["tokenizer"]:.2f }} | {{ full_parts["embeddings"]:.2f }} | {{ full_parts["layers"]:.2f }} | {{ full_parts["pooling"]:.2f }} | {{ full_parts["classifier"]:.2f }} | {{ full_parts["between"]:.2f }} | {{ full_total:.2f }} |
# | half-depth transformer | {{ half_parts["tokenizer"]:.2f }} | {{ half_parts["embeddings"]:.2f }} | {{ half_parts["layers"]:.2f }} | {{ half_parts["pooling"]:.2f }} | {{ half_parts["classifier"]:.2f }} | {{ half_parts["between"]:.2f }} | {{ half_total:.2f }} |
#
# The layers' time is halved; all else, {{ fixed:.1f }} ms, stays. The tokenizer has the largest share of
# that, and the table of word pieces, {{ tables / (tables + 6 * layer):.0% }} of the parameters, the
# smallest. So the half takes {{ parts_ratio:.0% }} of the time at best. In the first run, of medians
# instead of the fastest, what both have in common took {{ common:.1f }} ms, hence the
# {{ half_ms[1] / full_ms[1]:.0% }}.
#
# ### Factorised: two thin matrices
#
# Every matrix is a sum of simple ones, each weighted by a **singular value**. Keep the $r$ largest,
# and you have the best approximation of rank $r$ there is. Its squared error is the sum of the
# squares that were left out ([Eckart and Young, 1936](https://doi.org/10.1007/BF02288367)), so we
# know the error of every rank before computing a single factor.

# %%
W = gru_64.gru.weight_hh_l0.detach().numpy()  # 192 by 64: from the state to three gates
S = np.linalg.svd(W, compute_uv=False)
lost = 1 - np.cumsum(S**2) / np.sum(S**2)  # share of the squared norm, for rank 1, 2, ...
A, B = truncated_svd(W, 10)
lost[9], np.sum((W - A @ B) ** 2) / np.sum(W**2)

# %% [markdown]
# Both factors have to be stored, $r\,(m + n)$ numbers in place of $m\,n$. That is less
# as long as $r < m n / (m + n)$, here 192 · 64 / 256 = 48.

# %%
predict(
    "svd-half",
    "Our matrix in half of its bytes: what share of its squared norm is lost?",
    "%",
)

# %%
m, n = W.shape
half_rank = m * n // 2 // (m + n)
reveal("svd-half", 100 * lost[half_rank - 1], "%")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
@cache  # the picture and its description ask for the same
def low_rank(rank):
    A, B = truncated_svd(W, rank)
    return A @ B, np.sum((W - A @ B) ** 2) / np.sum(W**2)


def draw_rank(rank):
    approximation, error = low_rank(rank)
    figure, panels = plt.subplots(1, 3, figsize=(10, 2.6))
    shown = {"W, transposed": W, f"rank {rank}: {rank * (m + n) / (m * n):.0%} of the numbers":
             approximation, f"what is lost: {error:.1%}": W - approximation}
    for axes, (title, matrix) in zip(panels, shown.items(), strict=True):
        axes.imshow(matrix.T, cmap="RdBu_r", vmin=-0.8, vmax=0.8, aspect="auto",
                    interpolation="nearest")
        axes.set_title(title, fontsize=11)
        axes.grid(False)
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_rank(rank):
    return (f"The matrix, its approximation of rank {rank}, and their difference as images. "
            f"{rank * (m + n):,} numbers instead of {m * n:,}; {low_rank(rank)[1]:.1%} of the "
            "squared norm is lost.")


explore(draw_rank, describe_rank, rank=SelectionSlider(options=[1, 2, 4, 8, 16, 24, 32, 48, 64],
                                                       value=8))

# %% [markdown]
# How good is that? It depends on the matrix. The word vectors are a matrix too; and a matrix of random
# numbers tells what low rank can do where there is nothing to find.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
vectors_2 = gru_64.embedding.weight.detach().numpy()
noise = np.random.default_rng(0).normal(size=W.shape)
spectra = {f"state to gates, {m} by {n}": W, f"word vectors, {size:,} by 100": vectors_2,
           f"random numbers, {m} by {n}": noise,
           f"random numbers, {size:,} by 100": np.random.default_rng(1).normal(size=vectors_2.shape)}
curves = {}
for name, matrix in spectra.items():
    values = np.linalg.svd(matrix, compute_uv=False)
    share = np.arange(1, len(values) + 1) * sum(matrix.shape) / matrix.size
    curves[name] = values / values[0], share, 1 - np.cumsum(values**2) / np.sum(values**2)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
for (name, (values, share, error)), style in zip(curves.items(), plots.LINES, strict=False):
    left.plot(values, linestyle=style, label=name)
    right.plot(share, error, linestyle=style)
ranks = np.array([8, 16, 32])
right.plot(ranks * (m + n) / (m * n), [low_rank(rank)[1] for rank in ranks], "o", color=BLUE)
right.axvline(1, color="black", linestyle=":", linewidth=1.2)
left.set(xlabel="number of the singular value", ylabel="singular value / the largest", ylim=(0, 1))
right.set(xlabel="numbers in the factors / in the matrix", xlim=(0, 1.3), ylim=(0, 1),
          ylabel="lost share of squared norm")
figure.legend(loc="outside lower center", ncols=2)
halves = {name: np.interp(0.5, share, error) for name, (_, share, error) in curves.items()}
show(figure, alt="Left: singular values of four matrices, each divided by its largest. Right: lost "
     "share of the squared norm against the size of the factors, with dots for approximations that "
     "were computed; they lie on the line. At half the numbers: " + ", ".join(
         f"{name} {value:.0%}" for name, value in halves.items()) + ".")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
gates, words, noise_gates, noise_words = halves.values()
claim(0.05 < gates < 0.8 * noise_gates and words < 0.8 * noise_words,
      "trained matrices lose less than random ones, and still much")
claim(words > 1.5 * gates, "the word vectors lose more than the matrix of the GRU")

# %% [markdown]
# In half of its numbers the matrix of the GRU loses {{ gates:.0% }}, random numbers of its shape
# {{ noise_gates:.0% }}; the word vectors lose {{ words:.0% }}, random numbers of their shape
# {{ noise_words:.0% }}. Trained matrices have structure, but **they are not of low rank**. The word vectors
# have been through a principal component analysis once; what was easy to leave out is gone already. That
# is why a factorised student is trained further, with a teacher if there is one.
#
# ### Tensor train: more than two factors
#
# Why stop at two? Write the number of a word as three digits, and the number of a column as three
# digits too. Each pair of digits picks a small matrix from a **core**, and the entry of the table is
# the product of the three ([Novikov et al., 2015](https://arxiv.org/abs/1509.06569)). Two singular
# value decompositions find cores for a table that exists: the first splits off the first digit, the
# second parts the rest. Only the rows that are asked for are ever computed:

# %%
cores = tensor_train(vectors_2, SHAPES, 64)
G1, G2, G3 = cores
i, j, k = np.unravel_index(5000, SHAPES[0])  # word number 5,000
vector = np.einsum("xar,rbs,scy->abc", G1[:, i], G2[:, j], G3[:, k]).ravel()
(i, j, k), [core.shape for core in cores], np.abs(vector - tt_reconstruct(cores)[5000]).max()

# %% jupyter={"source_hidden": true} tags=["hide-input"]
shuffled = np.random.default_rng(0).permutation(vectors_2)
_, share, error = curves[f"word vectors, {size:,} by 100"]


def trained_apart(matrix, rank):
    cores = tensor_train(matrix, SHAPES, rank)
    gap = np.sum((tt_reconstruct(cores, len(matrix)) - matrix) ** 2) / np.sum(matrix**2)
    return sum(core.size for core in cores) / matrix.size, gap


def tensor_trains(rank):
    part, lost = trained_apart(vectors_2, rank)
    return SimpleNamespace(part=part, lost=lost, shuffled=trained_apart(shuffled, rank)[1],
                           factors=np.interp(part, np.r_[0, share], np.r_[1, error]))


rank_16, rank_32, rank_64 = map(tensor_trains, (16, 32, 64))
claim(all(row.factors < 0.99 * row.lost < row.lost < 0.99 * row.shuffled
          for row in (rank_16, rank_32, rank_64)),
      "two factors lose less than a tensor train, and this less than one of the shuffled words")

# %% [markdown]
# | rank of the cores | numbers / table | lost, tensor train | lost, same words shuffled | lost, two factors of that size |
# | --- | ---: | ---: | ---: | ---: |
# | 16 | {{ rank_16.part:.1% }} | {{ rank_16.lost:.1% }} | {{ rank_16.shuffled:.1% }} | {{ rank_16.factors:.1% }} |
# | 32 | {{ rank_32.part:.1% }} | {{ rank_32.lost:.1% }} | {{ rank_32.shuffled:.1% }} | {{ rank_32.factors:.1% }} |
# | 64 | {{ rank_64.part:.1% }} | {{ rank_64.lost:.1% }} | {{ rank_64.shuffled:.1% }} | {{ rank_64.factors:.1% }} |
#
# Two factors of the same size lose less, at each of these ranks. The digits of a word's number carry no
# meaning, only how frequent the word is: in another order the same words give another error, whereas two
# factors do not care. So a tensor train is a way to *have few parameters* that are trained from here on,
# as our student's were, rather than a way to compress a table and leave it at that.
#
# ### Static sparse: a pattern from a seed
#
# Leave out nine connections in ten, at random, before training, and never change which. Whoever
# knows the seed knows the pattern, so only the weights that exist are stored. Random is one choice
# ([Prabhu et al., 2018](https://arxiv.org/abs/1711.08757)); blocks are meant to suit the hardware; a small world
# joins each unit to its neighbours and rewires a few connections at random
# ([Watts and Strogatz, 1998](https://doi.org/10.1038/30918)).

# %%
patterns = {pattern: static_sparse_index(80, 80, fan_in=8, pattern=pattern, seed=1)
            for pattern in ("random", "block", "small-world")}  # (80 units, 8 inputs)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 3, figsize=(10, 4))
for axes, (pattern, index) in zip(panels, patterns.items(), strict=True):
    mask = np.zeros((80, 80))
    np.put_along_axis(mask, index, 1, axis=1)
    axes.imshow(mask, cmap="Greys", interpolation="nearest")
    axes.set(title=pattern, xlabel="input")
    axes.grid(False)
panels[0].set_ylabel("unit")
show(figure, alt="Three masks of 80 units by 80 inputs with 8 inputs a unit: scattered dots, "
     "scattered squares of 4 by 4, and a diagonal band with some scattered dots.")

# %% [markdown]
# Bytes are simple: a width for each weight that exists, and nothing for the pattern. We saved our
# student once with its sparse weights and once with zeros in their place, which take no room:

# %%
sparse_rows = load("students", method="static sparse 90%", split="test", setting="labels")
file, rest, nonzeros = (np.mean([row[field] for row in sparse_rows])
                        for field in ("file_bytes", "bytes_without_nonzeros", "nonzeros"))
file, rest + 2 * nonzeros, file / (rest + 2 * nonzeros)  # in half precision, two bytes a weight

# %% [markdown]
# And time? The products that are left out are not computed. Recorded for a layer of a transformer's
# size (384 inputs, 1,536 units), at one comment and at 64:

# %%
multiply = {(row["pattern"], row["batch_size"]): row["ratio"] for row in load("sparse multiply")}
predict(
    "sparse-time",
    "A tenth of the multiplications, at random places, one comment at a time: what is the time, "
    "divided by that of the dense layer? (Below 1 is faster.)",
    "times",
)

# %%
reveal("sparse-time", multiply["random", 1], "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(len(multiply) == 6, "three patterns are timed at two batches")
claim(all(ratio > 1.5 if batch == 1 else ratio < 0.8 for (_, batch), ratio in multiply.items()),
      "sparse layers are slower than dense ones for one comment, and faster for 64")

# %% [markdown]
# | time / time of the dense layer | batch of 1 | batch of 64 |
# | --- | ---: | ---: |
# | random | {{ multiply["random", 1]:.2f }} | {{ multiply["random", 64]:.2f }} |
# | block | {{ multiply["block", 1]:.2f }} | {{ multiply["block", 64]:.2f }} |
# | small-world | {{ multiply["small-world", 1]:.2f }} | {{ multiply["small-world", 64]:.2f }} |
#
# All three patterns are faster than dense for 64 comments, and much slower for one. A dense product reads
# memory in order and uses the processor's widest instructions. A sparse one has to look up where its next
# number is. **Zeros save bytes for certain, and time only if there is a kernel for their pattern.**

# %% [markdown]
# ## 5. Four tricks
#
# *About 10 minutes.*
#
# **Ensemble.** Teachers that make different mistakes correct one another in their mean
# ([Freitag et al., 2017](https://arxiv.org/abs/1702.01802)). A student learns the mean, and costs no
# more for it. How different are the two whose logits are shipped one by one?

# %%
members = ["transformer", "gru"]
on_dev, on_test = (np.stack([teacher_logits(split, name) for name in members])
                   for split in (dev, test))  # (teachers, comments, labels)
together_f1 = f1_here(ensemble_logits(on_dev), ensemble_logits(on_test))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
transformer_f1, gru_f1 = (f1_here(*both) for both in zip(on_dev, on_test, strict=True))
agreement = np.corrcoef(on_test.reshape(len(members), -1))[0, 1]

# %% [markdown]
# Their logits correlate by {{ agreement:.2f }}. One by one they score {{ transformer_f1:.3f }}
# (transformer) and {{ gru_f1:.3f }} (gru) on the sample, and the plain mean of their probabilities
# {{ together_f1:.3f }}. (This is not home ground for either; the table in section 3 has all scores on
# GoEmotions.)
#
# **Dropout distillation.** A network that was trained with dropout is many networks, another one for
# each mask. Usually dropout is switched off to predict, and one pass stands for their mean. It is not
# their mean: **the mean of sigmoids is not the sigmoid of the mean.** Model 2 reads one sentence, two
# thousand times, with dropout on:

# %%
sentence = "Well, that went better than I feared."
sentence_ids = model_2.tokenizer.encode([sentence])
sentence_ids = torch.from_numpy(sentence_ids[:, : (sentence_ids > 0).sum()])
torch.manual_seed(0)
with torch.no_grad():
    off = torch.sigmoid(gru_64.eval()(sentence_ids))[0].numpy()
    sampled = gru_64.train()(sentence_ids.repeat(2000, 1)).numpy()  # (samples, labels)
gru_64.eval()
mean_probability, of_mean = expit(sampled).mean(axis=0), expit(sampled.mean(axis=0))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
widest = np.abs(mean_probability - of_mean).argmax()
label = model_2.label_names[widest]
marks = {"mean of the probabilities (the target)": (mean_probability[widest], RED, "-"),
         "sigmoid of the mean logit": (of_mean[widest], GREEN, "--"),
         "dropout off": (off[widest], "black", ":")}
figure, axes = plt.subplots(figsize=(9, 3.4))
axes.hist(expit(sampled[:, widest]), bins=np.linspace(0, 1, 51), color=plots.PALETTE[5])
for name, (value, color, style) in marks.items():
    axes.axvline(value, color=color, linestyle=style, label=f"{name}: {value:.3f}")
axes.set(xlabel=f"probability of {label}", ylabel="samples (of 2,000)", title=sentence)
axes.margins(y=0.25)
axes.legend(loc="upper left")
show(figure, alt=f"Histogram of Model 2's probability of {label} for: {sentence} Over 2,000 dropout "
     "samples it spreads over the whole range. " + " ".join(
         f"{name}: {value:.3f}." for name, (value, *_) in marks.items()))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
doubt = np.abs(mean_probability - 0.5) < np.abs(of_mean - 0.5)
claim(doubt.sum() > 4, "mean probabilities are nearer to 0.5 than those of mean logits")

# %% [markdown]
# For {{ doubt.sum() }} of 7 labels the mean of the probabilities is nearer to 0.5 than the sigmoid of
# the mean logit: many masks that doubt are heard as well as a few that are sure. A student of the same
# shape learns the mean, and needs a single pass
# ([Bulò et al., 2016](https://proceedings.mlr.press/v48/bulo16.html)).
#
# **Co-distillation** does without a teacher: two networks train side by side, each on the labels and
# on what the other predicts at the moment ([Anil et al., 2018](https://arxiv.org/abs/1804.03235)). The
# other's prediction counts as a constant, or both would drift towards saying nothing.
#
# **Feature matching** gives the student more to imitate than seven numbers: the layer under the
# teacher's output, too. The two layers differ in size, so a matrix in between is learned and thrown
# away after training ([Romero et al., 2015](https://arxiv.org/abs/1412.6550)).
#
# What each was worth, over seeds:

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def trick_rows():
    rows = {}
    for row in load("tricks", split="test"):
        rows.setdefault((row["method"], row["setting"]), []).append(row["macro_f1"])
    return {key: np.array(scores) for key, scores in rows.items()}


tricks = trick_rows()
tricky = {}
for method in dict.fromkeys(method for method, _ in tricks):
    tricky[f"{method}, labels"] = {"labels": seeds(method, "labels")}
    tricky |= {f"{method}, {setting}": {"taught": seeds(method, setting)}
               for setting in settings[method]}
    tricky |= {f"{method}, {setting}": {"trick": scores}
               for (found, setting), scores in tricks.items() if found == method}
show(strips(tricky), alt=describe(tricky))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def against(scores, others):
    return f"{scores.mean() - others.mean():+.3f}, {verdict(scores, others)}"


def worth(trick):
    scores = tricks["GRU-8", trick]
    return SimpleNamespace(labels=against(scores, seeds("GRU-8", "labels")),
                           taught=against(scores, seeds("GRU-8", MAIN)), f1=scores.mean())


dropout, features, mutual = map(
    worth, ("dropout distillation", "feature matching", "co-distillation"))
claim(len(tricks) == 3, "three tricks were tried, with GRU-8")
claim(all("gains" not in trick.labels and "loses" in trick.taught for trick in (dropout, mutual)),
      "the tricks without a large teacher do not gain, and lose to the ensemble")
claim("gains" in features.labels and "undecided" in features.taught,
      "feature matching gains, and the ensemble's soft labels alone do as much")

# %% [markdown]
# | trick | student | against labels | against taught by ensemble | macro-F1 |
# | --- | --- | --- | --- | ---: |
# | dropout distillation | GRU-8 | {{ dropout.labels }} | {{ dropout.taught }} | {{ dropout.f1:.3f }} |
# | feature matching | GRU-8 | {{ features.labels }} | {{ features.taught }} | {{ features.f1:.3f }} |
# | co-distillation | GRU-8 | {{ mutual.labels }} | {{ mutual.taught }} | {{ mutual.f1:.3f }} |
#
# For this student, the two that do without a large teacher are no substitute for one, and the gain of
# feature matching cannot be told from that of the ensemble's soft labels.
#
# Why do these two end below plain labels? Ask as in section 3: how far is what the student hears ahead of
# it, and how much of that arrives? So what two GRU-8s on labels know was scored as well: one with dropout
# off, its mean over ten masks, and its mean with the other.

# %%
heard = {row["setting"]: row["mean"]
         for row in summarise(load("own teachers", split="test"), by=("setting",))}
plain = seeds("GRU-8", "labels")


def way(lead, scores):
    return SimpleNamespace(lead=lead, change=scores.mean() - plain.mean(), worse=(scores < plain).sum())


ensemble_way = way(teachers["ensemble"] - plain.mean(), seeds("GRU-8", MAIN))
dropout_way, mutual_way = (
    way(heard[said] - heard["itself"], tricks["GRU-8", trick])
    for said, trick in (("itself, mean over dropout", "dropout distillation"),
                        ("mean of itself and a peer", "co-distillation")))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(0 < ensemble_way.change < 0.5 * ensemble_way.lead, "most of the ensemble's lead is lost on the way")
claim(dropout_way.lead < 0 < mutual_way.lead < 0.2 * ensemble_way.lead,
      "the mean over dropout is behind the network itself, two networks' mean a little ahead of them")
claim(dropout_way.worse == len(plain) and mutual_way.worse == len(plain) - 1,
      "dropout distillation is below labels in all five pairs, co-distillation in four")
claim(dropout_way.change < mutual_way.change < 0, "co-distillation, which hears labels too, loses less")

# %% [markdown]
# | GRU-8 hears | ahead of GRU-8 on labels by | what GRU-8 gains | below its own seed on labels |
# | --- | ---: | ---: | ---: |
# | the ensemble | {{ ensemble_way.lead:+.3f }} | {{ ensemble_way.change:+.3f }} | {{ ensemble_way.worse }} of {{ len(plain) }} |
# | itself, the mean over dropout | {{ dropout_way.lead:+.3f }} | {{ dropout_way.change:+.3f }} | {{ dropout_way.worse }} of {{ len(plain) }} |
# | a peer, and labels (ahead: the mean of both) | {{ mutual_way.lead:+.3f }} | {{ mutual_way.change:+.3f }} | {{ mutual_way.worse }} of {{ len(plain) }} |
#
# Of the ensemble's lead {{ ensemble_way.change / ensemble_way.lead:.0% }} arrives. **Dropout distillation**
# has less than nothing to pass on: this network's mean over dropout scores lower than the network with
# dropout off, and imitation loses some more. **Co-distillation** has what the mean of two knows more than
# one, {{ mutual_way.lead / ensemble_way.lead:.0% }} of the ensemble's lead. Were the same share of that to
# arrive, it would be {{ mutual_way.lead * ensemble_way.change / ensemble_way.lead:.3f }}: less than seeds
# differ by, as is the loss.
#
# **Think.** Dropout distillation and co-distillation can be had without a large model. What do they
# cost instead?
#
# <details><summary>Answer</summary>
#
# Passes. Dropout distillation reads every training comment once for each sample, after a training of
# the same length has made the teacher. Co-distillation trains two networks to keep one. None of it is
# paid by whoever runs the student.
#
# </details>

# %% [markdown]
# ## 6. Size against macro-F1
#
# *About 6 minutes.*
#
# All students on one chart, trained on labels and taught, with the sparse linear baseline.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SHORT = {"labels": "labels", MAIN: "taught"}
charted = [row | {"setting": SHORT[row["setting"]]} for row in recorded if row["setting"] in SHORT]
f1 = {(row["method"], row["setting"]): row for row in summarise(charted)}
bytes_of = {(row["method"], row["setting"]): row["mean"] for row in summarise(charted, "file_bytes")}
show(plots.size_f1_chart(charted, baseline_setting="labels"),
     alt="Size of the file in bytes, log scale, against macro-F1 on "
     f"test; taught means {MAIN}. " + " ".join(
         f"{method}, {setting}: {human_bytes(bytes_of[method, setting])}, macro-F1 "
         f"{row['mean']:.3f} ({row['min']:.3f} to {row['max']:.3f})."
         for (method, setting), row in f1.items()))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def spread(row):
    return f"{row['mean']:.3f} ({row['min']:.3f} to {row['max']:.3f})"


parameters = {row["method"]: row["mean"] for row in summarise(recorded, "parameters", ("method",))}


def of_student(method):
    labels, taught = f1[method, "labels"], f1[method, "taught"]
    return SimpleNamespace(parameters=parameters[method], file=human_bytes(bytes_of[method, "taught"]),
                           labels=spread(labels), taught=spread(taught),
                           change=taught["mean"] - labels["mean"])


linear_row, model_1_row, gru_8_row, gru_64_row, factors_row, cores_row, sparse_row, half_row = map(
    of_student, (SPARSE, MODEL_1, "GRU-8", "GRU-64", "factorised GRU-64", "tensor-train embedding",
                 "static sparse 90%", "half-depth transformer"))
claim(sum(setting == "taught" for _, setting in f1) == 8, "eight students learned from the ensemble")

# %% [markdown]
# On the chart, *taught* means *taught by ensemble*.
#
# | student | parameters | whole file | on labels (seeds) | taught by ensemble (seeds) | difference |
# | --- | ---: | ---: | ---: | ---: | ---: |
# | sparse linear | {{ linear_row.parameters:,.0f }} | {{ linear_row.file }} | {{ linear_row.labels }} | {{ linear_row.taught }} | {{ linear_row.change:+.3f }} |
# | Model 1 | {{ model_1_row.parameters:,.0f }} | {{ model_1_row.file }} | {{ model_1_row.labels }} | {{ model_1_row.taught }} | {{ model_1_row.change:+.3f }} |
# | GRU-8 | {{ gru_8_row.parameters:,.0f }} | {{ gru_8_row.file }} | {{ gru_8_row.labels }} | {{ gru_8_row.taught }} | {{ gru_8_row.change:+.3f }} |
# | GRU-64 | {{ gru_64_row.parameters:,.0f }} | {{ gru_64_row.file }} | {{ gru_64_row.labels }} | {{ gru_64_row.taught }} | {{ gru_64_row.change:+.3f }} |
# | factorised GRU-64 | {{ factors_row.parameters:,.0f }} | {{ factors_row.file }} | {{ factors_row.labels }} | {{ factors_row.taught }} | {{ factors_row.change:+.3f }} |
# | tensor-train embedding | {{ cores_row.parameters:,.0f }} | {{ cores_row.file }} | {{ cores_row.labels }} | {{ cores_row.taught }} | {{ cores_row.change:+.3f }} |
# | static sparse 90% | {{ sparse_row.parameters:,.0f }} | {{ sparse_row.file }} | {{ sparse_row.labels }} | {{ sparse_row.taught }} | {{ sparse_row.change:+.3f }} |
# | half-depth transformer | {{ half_row.parameters:,.0f }} | {{ half_row.file }} | {{ half_row.labels }} | {{ half_row.taught }} | {{ half_row.change:+.3f }} |

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def sizes(rows):
    return [np.mean([row[field] for row in rows]) for field in ("macro_f1", "file_bytes",
                                                                "encoder_bytes")]


_, gru_file, gru_encoder = sizes(load("teachers", method="gru", split="test"))
small_f1, small_file, small_encoder = sizes(load(
    "students", method="factorised GRU-64", setting="taught by gru", split="test"))
claim([method for method, found in settings.items() if "taught by gru" in found]
      == ["factorised GRU-64"], "one student learned from the GRU")

# %% [markdown]
# How small may a student be? Here is the GRU teacher beside the student that learned from it:
#
# | taught by gru | macro-F1 | against the teacher | whole file | of the teacher's | encoder alone |
# | --- | ---: | ---: | ---: | ---: | ---: |
# | the teacher itself | {{ teachers["gru"]:.3f }} | | {{ human_bytes(gru_file) }} | 1 | {{ human_bytes(gru_encoder) }} |
# | factorised GRU-64 | {{ small_f1:.3f }} | {{ small_f1 - teachers["gru"]:+.3f }} | {{ human_bytes(small_file) }} | 1 / {{ gru_file / small_file:.1f }} | {{ human_bytes(small_encoder) }} |
#
# Suppose the budget comes first: so many bytes for the complete file, from raw text to prediction. These
# were built for it, and quantized as in units 03 and 04. The first two are sparse linear models that do
# not even hold their words, or pairs of words, only the numbers of **buckets** that these are hashed into:
# a byte each. The GRUs learned from texts that nobody wrote, too: comments cut, spliced and stirred,
# which only a teacher can label. The smaller GRU then went on learning while it computed with its rounded
# weights, so that the others could make up for what rounding does to each.

# %%
by = ("budget_bytes", "method", "setting")


def budgets(split, field="macro_f1"):
    return {tuple(row[k] for k in by): row
            for row in summarise(load("budgets", split=split), field, by)}


budget_rows = budgets("test")
on_dev = {key: row["mean"] for key, row in budgets("dev").items()}
budget_bytes = {key: row["max"] for key, row in budgets("test", "file_bytes").items()}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
best = {}  # for each budget the best on dev, of those of which every seed fits
for key in sorted(budget_rows, key=lambda key: on_dev[key]):
    if budget_bytes[key] <= key[0]:
        best[key[0]] = key


def within(budget):
    """Of the two models of a budget, the one on labels and the taught one, what was measured."""
    keys = sorted((key for key in budget_rows if key[0] == budget), key=lambda key: key[2] != "labels")
    return [SimpleNamespace(name=key[1], bytes=budget_bytes[key], dev=on_dev[key],
                            test=spread(budget_rows[key]), f1=budget_rows[key]["mean"])
            for key in keys]


words_labels, words_taught = within(1_500)
pairs_labels, pairs_taught = within(6_000)
small_labels, small_taught = within(64_000)
large_labels, large_taught = within(1_000_000)
claim([model.name for model in (words_taught, pairs_taught, small_taught, large_taught)]
      == ["hashed words", "hashed pairs", "GRU-64 in 3 and 4 bits", "GRU-96 in 5 and 6 bits"],
      "these models were built for the four budgets")
claim([best[budget][2].split()[0] for budget in sorted(best)]
      == ["labels", "taught", "taught", "taught"], "the teacher helps on dev in all budgets but one")
claim(all(budget_bytes[key] <= key[0] for key in budget_rows), "all of them fit")

# %% [markdown]
# | budget | model | learned from (bold: best on dev) | bytes, largest seed | macro-F1 on dev | on test (seeds) |
# | --- | --- | --- | ---: | ---: | ---: |
# | 1.5 kB | hashed words | **labels** | {{ words_labels.bytes:, }} | {{ words_labels.dev:.3f }} | {{ words_labels.test }} |
# | 1.5 kB | hashed words | taught by ensemble | {{ words_taught.bytes:, }} | {{ words_taught.dev:.3f }} | {{ words_taught.test }} |
# | 6 kB | hashed pairs | labels | {{ pairs_labels.bytes:, }} | {{ pairs_labels.dev:.3f }} | {{ pairs_labels.test }} |
# | 6 kB | hashed pairs | **taught by ensemble** | {{ pairs_taught.bytes:, }} | {{ pairs_taught.dev:.3f }} | {{ pairs_taught.test }} |
# | 64 kB | GRU-64 in 3 and 4 bits | labels | {{ small_labels.bytes:, }} | {{ small_labels.dev:.3f }} | {{ small_labels.test }} |
# | 64 kB | GRU-64 in 3 and 4 bits | **taught by ensemble, made-up texts too** | {{ small_taught.bytes:, }} | {{ small_taught.dev:.3f }} | {{ small_taught.test }} |
# | 1 MB | GRU-96 in 5 and 6 bits | labels | {{ large_labels.bytes:, }} | {{ large_labels.dev:.3f }} | {{ large_labels.test }} |
# | 1 MB | GRU-96 in 5 and 6 bits | **taught by ensemble, made-up texts too** | {{ large_taught.bytes:, }} | {{ large_taught.dev:.3f }} | {{ large_taught.test }} |
#
# What a teacher changes on test, the same architecture with and without:
# {{ words_taught.f1 - words_labels.f1:+.3f }} in 1.5 kB, {{ pairs_taught.f1 - pairs_labels.f1:+.3f }} in
# 6 kB, {{ small_taught.f1 - small_labels.f1:+.3f }} in 64 kB, {{ large_taught.f1 - large_labels.f1:+.3f }}
# in 1 MB. For the GRUs this is the worth of both, its soft labels and the made-up texts, which nobody
# could have labelled without it.

# %% [markdown]
# ## 7. Where the teacher does not help
#
# *About 10 minutes.*
#
# Every student with every teacher it had, seed by seed:

# %% jupyter={"source_hidden": true} tags=["hide-input"]
pairs = {}
for method, found in settings.items():
    for setting in found:
        pairs[method, setting.removeprefix("taught by ")] = (seeds(method, setting),
                                                             seeds(method, "labels"))
rows = {f"{method}, {name}": {"labels": labels, "taught": taught}
        for (method, name), (taught, labels) in pairs.items()}
show(strips(rows, "macro-F1 on test (rows: student, teacher)"), alt=describe(rows))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
gains = {pair: taught.mean() - labels.mean() for pair, (taught, labels) in pairs.items()}
judged = {}
for pair, both in pairs.items():
    judged.setdefault(verdict(*both), []).append(pair)
seeded = [both for both in pairs.values() if verdict(*both) != "has no seed"]
lucky = sum(2 / comb(len(taught) + len(labels), len(labels)) for taught, labels in seeded)
claim(judged == {
    "has no seed": [(SPARSE, "ensemble")],
    "gains": [(MODEL_1, "ensemble"), ("GRU-8", "ensemble"), ("GRU-8", "transformer"),
              ("factorised GRU-64", "ensemble")],
    "undecided": [("GRU-64", "ensemble"), ("factorised GRU-64", "gru"),
                  ("tensor-train embedding", "ensemble"), ("static sparse 90%", "ensemble"),
                  ("half-depth transformer", "ensemble")]},
      "these pairs gain clearly, these are undecided, and none loses")
claim(all(len(taught) == len(labels) == 5 for taught, labels in seeded), "all have five seeds")

# %% [markdown]
# Of the {{ len(pairs) }} pairs of student and teacher,
#
# - **{{ len(judged["gains"]) }} clearly gain** (every taught seed above every seed on labels): Model 1 by
#   ensemble ({{ gains["Model 1", "ensemble"]:+.3f }}); GRU-8 by ensemble
#   ({{ gains["GRU-8", "ensemble"]:+.3f }}); GRU-8 by transformer
#   ({{ gains["GRU-8", "transformer"]:+.3f }}); factorised GRU-64 by ensemble
#   ({{ gains["factorised GRU-64", "ensemble"]:+.3f }}).
# - **None clearly loses.**
# - **{{ len(judged["undecided"]) }} are undecided** (the ranges overlap): GRU-64 by ensemble
#   ({{ gains["GRU-64", "ensemble"]:+.3f }}); factorised GRU-64 by gru
#   ({{ gains["factorised GRU-64", "gru"]:+.3f }}); tensor-train embedding by ensemble
#   ({{ gains["tensor-train embedding", "ensemble"]:+.3f }}); static sparse 90% by ensemble
#   ({{ gains["static sparse 90%", "ensemble"]:+.3f }}); half-depth transformer by ensemble
#   ({{ gains["half-depth transformer", "ensemble"]:+.3f }}).
# - **One has no seed** (training comes out the same every time, so the difference is real for these test
#   comments, and may be chance for others): sparse linear by ensemble
#   ({{ gains["sparse linear", "ensemble"]:+.3f }}).
#
# If no teacher made any difference, the {{ len(seeded) }} comparisons that have seeds would still bring
# {{ lucky:.2f }} clear ones on average.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
interval = next(row for row in recorded if (row["method"], row["setting"]) == (SPARSE, "labels"))
width = (interval["macro_f1_high"] - interval["macro_f1_low"]) / 2
top, bottom = max(gains, key=gains.get), min(gains, key=gains.get)
claim(top == ("GRU-8", "ensemble") and bottom == (SPARSE, "ensemble"),
      "GRU-8 gains most by the ensemble, and the sparse linear model least")
claim({method for (method, _), (taught, _) in pairs.items() if taught.mean() < baseline}
      == {"GRU-8", SPARSE}, "GRU-8 and the sparse linear model, taught, are below the baseline")

# %% [markdown]
# The largest gain is {{ gains[top]:+.3f }} (GRU-8 by ensemble): on labels this student has
# {{ pairs[top][1].mean():.3f }}, its teacher {{ teachers["ensemble"]:.3f }}. The smallest is
# {{ gains[bottom]:+.3f }} (sparse linear by ensemble). For scale, with other test comments the baseline's
# score could differ by {{ width:.3f }} either way (95% bootstrap interval). Below the sparse linear
# baseline on labels ({{ baseline:.3f }}) even when taught, by one teacher or another: GRU-8 and the sparse
# linear model.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def label_gain(method, name):
    """Gain of each label, a mean over seeds."""
    taught, labels = (np.array([[row["per_label_f1"][label] for label in model_2.label_names]
                                for row in recorded if row["method"] == method
                                and row["setting"] == setting]).mean(axis=0)
                      for setting in (f"taught by {name}", "labels"))
    return dict(zip(model_2.label_names, taught - labels, strict=True))


by_label = label_gain(*top)
most, least = max(by_label, key=by_label.get), min(by_label, key=by_label.get)

score = {pair: taught.mean() for pair, (taught, _) in pairs.items()}
small, factorised = (
    verdict(pairs[method, "ensemble"][0], pairs[method, other][0])
    for method, other in (("GRU-8", "transformer"), ("factorised GRU-64", "gru")))
claim(teachers["ensemble"] > teachers["transformer"] > teachers["gru"], "the ensemble is the best teacher")
claim(gains["GRU-8", "ensemble"] > gains["GRU-8", "transformer"] and small == "undecided",
      "GRU-8 learns more from the ensemble than from the transformer, but the seeds overlap")
claim(factorised == "gains", "the factorised GRU learns clearly more from the ensemble than from the GRU")

# %% [markdown]
# A mean hides who gains. For GRU-8 by ensemble, *{{ most }}* changes by {{ by_label[most]:+.3f }} and
# *{{ least }}* by {{ by_label[least]:+.3f }}.
#
# **Is the better teacher the better one to learn from?** Two students had two teachers. GRU-8: ensemble
# ({{ teachers["ensemble"]:.3f }} itself) takes it to {{ score["GRU-8", "ensemble"]:.3f }}; transformer
# ({{ teachers["transformer"]:.3f }} itself) takes it to {{ score["GRU-8", "transformer"]:.3f }}. Factorised
# GRU-64: ensemble takes it to {{ score["factorised GRU-64", "ensemble"]:.3f }}; gru
# ({{ teachers["gru"]:.3f }} itself) takes it to {{ score["factorised GRU-64", "gru"]:.3f }}. Both times the
# better teacher has the better student, clearly so for the factorised GRU; the seeds of GRU-8 overlap.
#
# Where a teacher adds nothing, four reasons are worth checking, in this order:
#
# 1. **It knows nothing more.** A teacher has to be better than the student on labels, *on these comments*.
#    Compare both on dev, in pairs, before anything else. Without a lead there is nothing to gain; a lead is
#    no promise (Model 1 in section 3).
# 2. **The student cannot use it.** Score the taught student by its teacher's answers: what it misses of
#    them has to be less than the lead is worth. A bag of words does not see what a transformer saw in the
#    order of words. Small students of large teachers may gain less than those of middling ones
#    ([Cho and Hariharan, 2019](https://arxiv.org/abs/1910.01348)).
# 3. **There is nothing new in it.** On comments it was trained on, a teacher may say little but their
#    labels (measured below).
# 4. **There were labels enough.** Soft labels spare variance. A student that finds in its labels all
#    that it can express has none to spare.
#
# The other side of reason 4: there are always comments *without* labels. Labels end; a teacher goes on.
# The GRUs of the last table learned from three made-up texts for each real one.

# %% [markdown]
# **Reason 3 can be measured.** Cut train in two halves, and train a teacher twice, on one half each. It then
# speaks of comments that it has seen, and of as many of the same kind that it has not. Two numbers, in bits an
# answer, say how sure it is, and how rightly: its **doubt** is the entropy of its answers, as in section 1; its
# **surprise** is the cross entropy of the labels with them. Who knows how much they know is in doubt as much
# as the labels surprise them.

# %%
known = {(row["method"], row["setting"]): SimpleNamespace(**row) for row in load("seen and unseen")}
pairs_unseen = known["linear-word-pairs", "unseen"]
predict(
    "seen",
    f"Of comments that it has not seen, the linear teacher of word pairs has a macro-F1 of "
    f"{pairs_unseen.macro_f1:.3f}, and {pairs_unseen.doubt_bits:.3f} bits of doubt an answer. How many bits of "
    "doubt has it of those that it was trained on?",
    "bits",
    high=1,
)

# %%
reveal("seen", known["linear-word-pairs", "seen"].doubt_bits, "bits")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def of_half(name):
    return SimpleNamespace(seen=known[name, "seen"], unseen=known[name, "unseen"])


HALVES = ("linear-words", "linear-word-pairs", "linear-characters", "transformer")
half_words, half_pairs, half_characters, half_transformer = map(of_half, HALVES)
halves = (half_words, half_pairs, half_characters, half_transformer)
doubts = [half.unseen.doubt_bits - half.seen.doubt_bits for half in halves]
surprises = [half.unseen.surprise_bits - half.seen.surprise_bits for half in halves]
claim(0 <= min(doubts) and max(doubts) < 0.01, "teachers are as much in doubt of what they have seen")
claim(min(surprises) > 5 * max(doubts), "but labels that they have seen surprise them far less")
claim(all(half.seen.surprise_bits < half.seen.doubt_bits for half in halves)
      and half_transformer.unseen.surprise_bits > half_transformer.unseen.doubt_bits,
      "of seen comments all know more than they let on; of others the transformer knows less")

# %% [markdown]
# | trained on half of train | doubt, seen | doubt, unseen | surprise, seen | surprise, unseen | macro-F1, seen | unseen |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: |
# | linear-words | {{ half_words.seen.doubt_bits:.3f }} | {{ half_words.unseen.doubt_bits:.3f }} | {{ half_words.seen.surprise_bits:.3f }} | {{ half_words.unseen.surprise_bits:.3f }} | {{ half_words.seen.macro_f1:.3f }} | {{ half_words.unseen.macro_f1:.3f }} |
# | linear-word-pairs | {{ half_pairs.seen.doubt_bits:.3f }} | {{ half_pairs.unseen.doubt_bits:.3f }} | {{ half_pairs.seen.surprise_bits:.3f }} | {{ half_pairs.unseen.surprise_bits:.3f }} | {{ half_pairs.seen.macro_f1:.3f }} | {{ half_pairs.unseen.macro_f1:.3f }} |
# | linear-characters | {{ half_characters.seen.doubt_bits:.3f }} | {{ half_characters.unseen.doubt_bits:.3f }} | {{ half_characters.seen.surprise_bits:.3f }} | {{ half_characters.unseen.surprise_bits:.3f }} | {{ half_characters.seen.macro_f1:.3f }} | {{ half_characters.unseen.macro_f1:.3f }} |
# | transformer | {{ half_transformer.seen.doubt_bits:.3f }} | {{ half_transformer.unseen.doubt_bits:.3f }} | {{ half_transformer.seen.surprise_bits:.3f }} | {{ half_transformer.unseen.surprise_bits:.3f }} | {{ half_transformer.seen.macro_f1:.3f }} | {{ half_transformer.unseen.macro_f1:.3f }} |
#
# Of what they have seen these teachers are not surer. **They are righter.** Their doubt is where it was,
# but the answers lean to the labels that they were shown, mistakes of the raters among them. What a student
# hears of such a comment is in part the comment's own label again, and no score on dev shows it.
#
# **Cross-fitting** lets each comment be labelled by whoever has not seen it
# ([Wolpert, 1992](https://doi.org/10.1016/S0893-6080(05)80023-1)). The shipped teacher *cross-fitted* adds
# up these four, each asked of the half that it has not seen, by weights fitted on dev. The price: every
# member learned from half of the comments, and there is one transformer in it where *ensemble* has four. So two
# things change against *ensemble*. The control has one: the same teachers and weights, **asked the wrong
# way round**, each of the half that it has seen.

# %%
WAYS = {"many": "ensemble", "unseen": "cross-fitted", "seen": "cross-fitted, asked the wrong way round"}


def beside(method, split):
    """Mean macro-F1 of a student by three teachers, over the seeds that all of them had."""
    rows = load("students", method=method, split=split)
    rows += load("cross-fitted students", method=method, split=split)
    by_seed = {way: {row["seed"]: row["macro_f1"] for row in rows
                     if row["setting"] == f"taught by {teacher}"} for way, teacher in WAYS.items()}
    common = set.intersection(*(set(found) for found in by_seed.values()))
    means = {way: np.mean([found[seed] for seed in common]) for way, found in by_seed.items()}
    return SimpleNamespace(n=len(common), lost=means["unseen"] - means["many"],
                           change=means["unseen"] - means["seen"], **means)


crossed_dev, crossed_test = ([beside(method, split) for method in (SPARSE, MODEL_1, "GRU-8")]
                             for split in ("dev", "test"))
mixed = {row["method"]: row["macro_f1"] for row in load("shipped teachers", split="dev")}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
linear_dev, model_1_dev, gru_8_dev = crossed_dev
linear_test, model_1_test, gru_8_test = crossed_test
claim(mixed["cross-fitted"] < mixed["ensemble"] and max(one.lost for one in crossed_dev) < 0,
      "on dev the cross-fitted teacher is behind the ensemble, and so are its students")
claim(all(min(one.change for one in ones) < 0 < max(one.change for one in ones)
          for ones in (crossed_dev, crossed_test)),
      "against the control some students gain and some lose, on dev and on test")

# %% [markdown]
# | mean over seeds | seeds | dev: ensemble | cross-fitted | the wrong way round | test: ensemble | cross-fitted | the wrong way round |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
# | sparse linear | {{ linear_dev.n }} | {{ linear_dev.many:.3f }} | {{ linear_dev.unseen:.3f }} | {{ linear_dev.seen:.3f }} | {{ linear_test.many:.3f }} | {{ linear_test.unseen:.3f }} | {{ linear_test.seen:.3f }} |
# | Model 1 | {{ model_1_dev.n }} | {{ model_1_dev.many:.3f }} | {{ model_1_dev.unseen:.3f }} | {{ model_1_dev.seen:.3f }} | {{ model_1_test.many:.3f }} | {{ model_1_test.unseen:.3f }} | {{ model_1_test.seen:.3f }} |
# | GRU-8 | {{ gru_8_dev.n }} | {{ gru_8_dev.many:.3f }} | {{ gru_8_dev.unseen:.3f }} | {{ gru_8_dev.seen:.3f }} | {{ gru_8_test.many:.3f }} | {{ gru_8_test.unseen:.3f }} | {{ gru_8_test.seen:.3f }} |
#
# On dev, where one chooses, *cross-fitted* is behind *ensemble* itself ({{ mixed["cross-fitted"]:.3f }} against
# {{ mixed["ensemble"]:.3f }}), and so is every student of it: {{ linear_dev.lost:+.3f }},
# {{ model_1_dev.lost:+.3f }}, {{ gru_8_dev.lost:+.3f }}. Was it the asking? Against the control it is
# {{ linear_dev.change:+.3f }}, {{ model_1_dev.change:+.3f }} and {{ gru_8_dev.change:+.3f }} on dev,
# {{ linear_test.change:+.3f }}, {{ model_1_test.change:+.3f }} and {{ gru_8_test.change:+.3f }} on test: some
# gain, some lose, with so few seeds. What a teacher knows by heart of the comments does these students no harm
# that shows. What they miss is likely what *ensemble* has more of: comments to learn from, and members.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def in_pairs(method):
    """By each of two teachers the means on dev and test, and the paired differences on test, in points."""
    mean = {way: [np.mean([row["macro_f1"] for row in load(
        "cross-fitted pairs", method=method, setting=f"taught by {WAYS[way]}", split=split)])
        for split in ("dev", "test")] for way in ("many", "unseen")}
    rows = load("cross-fitted pairs", method=method, setting="taught by cross-fitted", split="test")
    points = [[100 * row[f"difference_to_ensemble{end}"] for end in ("", "_low", "_high")] for row in rows]
    return SimpleNamespace(points=points, n=len(points), lost=mean["unseen"][0] - mean["many"][0],
                           mean=np.mean([point for point, *_ in points]), **mean)


larger = {method: in_pairs(method) for method in ("GRU-64", "GRU-64 in 3 and 4 bits")}
table_larger = "\n".join(
    f"| {method} | {one.n} | {one.many[0]:.3f} | {one.unseen[0]:.3f} | {one.many[1]:.3f} | {one.unseen[1]:.3f} | "
    + "; ".join(f"{d:+.1f} [{low:+.1f}, {high:+.1f}]" for d, low, high in one.points) + " |"
    for method, one in larger.items())

# %% jupyter={"source_hidden": true} tags=["hide-input"]
whole, in_bits = larger.values()
apart = [sum(low > 0 or high < 0 for _, low, high in one.points) for one in (whole, in_bits)]
claim(whole.lost < 0 and whole.mean < 0 and apart[0] == 1, "GRU-64 is behind, on test for sure in one seed")
claim(abs(in_bits.lost) < 0.003 and abs(in_bits.mean) < 0.3 and apart[1] == 0, "in few bits nothing is told apart")

# %% [markdown]
# **Larger students**, without made-up texts, which no teacher has heard half by half, and on test comment by comment:
#
# | mean over seeds | seeds | dev: ensemble | cross-fitted | test: ensemble | cross-fitted | points to ensemble on test, each seed in pairs |
# | --- | ---: | ---: | ---: | ---: | ---: | --- |
# {{ table_larger }}
#
# On dev GRU-64 is {{ whole.lost:+.3f }}, and {{ whole.mean:+.1f }} points on test, where {{ apart[0] }} of {{ whole.n }}
# intervals leaves out 0. In 3 and 4 bits it is {{ in_bits.lost:+.3f }} and {{ in_bits.mean:+.1f }}, and no interval
# leaves out 0. On dev no student gains by asking those who have not seen the comment, so the students of section 6
# keep their teacher.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
left = gradient(soft(8)) / gradient(soft(1))
origins = "; ".join(f"{date}, PyTorch {torch_version}, {processor}, data: {kind}"
                    for date, torch_version, processor, kind in sorted(
    {(run["date"], run["versions"]["torch"], run["machine"]["processor"], run["data"]["kind"])
     for run in load_runs("distillation")}))

# %% [markdown]
# ## 8. What you have learned
#
# *About 7 minutes, with the quiz.*
#
# - **Soft labels name the neighbours.** Our teacher has {{ entropy.mean():.1f }} bits of doubt about a
#   comment, a label none.
# - **T² keeps the gradient alive, not its size.** Without it, {{ left:.1% }} of the gradient is left at
#   T = 8. With it, it grows from {{ by_T[1].scaled:.3f }} at T = 1 to {{ by_T[8].scaled:.3f }} at T = 8, then
#   is level: high temperatures match logits, of confident answers above all.
# - **A student learns its teacher, not the truth.** On the sample, macro-F1 went from {{ alone_f1:.3f }} to
#   {{ taught_f1:.3f }}, with a teacher of {{ teacher_f1:.3f }}. Nor does it learn all of it: Model 1 fell
#   although its teacher had {{ lead:.3f }} more. Compare students on dev.
# - **Low rank has a price known in advance.** Half of the numbers: {{ gates:.0% }} of our matrix is lost,
#   {{ words:.0% }} of the word vectors.
# - **A tenth of the multiplications is not a tenth of the time.** At random places they take
#   {{ multiply["random", 1]:.2f }} times as long as all for one comment, and
#   {{ multiply["random", 64]:.2f }} times for 64.
# - **The mean of sigmoids is not the sigmoid of the mean:** {{ mean_probability[widest]:.2f }} and
#   {{ of_mean[widest]:.2f }} for one sentence, and {{ off[widest]:.2f }} with dropout off.
# - **When was the teacher worth it?** Of {{ len(pairs) }} pairs of student and teacher,
#   {{ len(judged["gains"]) }} clearly gained, none clearly lost, and {{ len(judged["undecided"]) }} cannot
#   be told from a change of seed.
# - **The budget decides.** In 1 MB, GRU-96 in 5 and 6 bits (taught by ensemble, made-up texts too) reaches
#   {{ large_taught.f1:.3f }}; the ensemble that taught most students has {{ teachers["ensemble"]:.3f }}.
#
# Recorded measurements: {{ origins }}.

# %% [markdown]
# **Check yourself.** Five questions; each option answers back.

# %%
quiz(
    "A student's soft loss at T = 2 has stopped falling at 0.41. A colleague concludes that it is far "
    "from its teacher. What do you say?",
    {
        "Right: a perfect student has loss 0.":
            "Cross entropy with a soft target is least where both agree, and there the teacher's "
            "entropy, times T², is left.",
        "Nobody can tell without the teacher's entropy.":
            "Subtract T² times that entropy; the rest, a Kullback-Leibler divergence, is 0 for a "
            "perfect student.",
        "Wrong: it should be trained at T = 1.":
            "At T = 1 the teacher's entropy is left as well, just another number.",
    },
    answer="Nobody can tell without the teacher's entropy.",
)

# %%
quiz(
    "You raise T from 8 to 16, leave α and the learning rate, and have forgotten T². What happens?",
    {
        "The soft part weighs about a quarter as much.":
            "For large T its gradient falls with the square of T, so α no longer says what it said.",
        "Nothing: the student's logits are divided by the same T.":
            "That makes the minimum the same, not the gradient.",
        "The soft part weighs about four times as much.":
            "That would be T² applied twice. The bare gradient falls as T rises.",
    },
    answer="The soft part weighs about a quarter as much.",
)

# %%
quiz(
    "A 1000 by 1000 matrix is factorised with rank 600. What about its size?",
    {
        "It has 60% of the numbers.":
            "Each of the two factors has 600,000 numbers.",
        "It is larger than before.":
            "600 · (1000 + 1000) = 1,200,000 numbers. Up to rank 500 the factors are no larger.",
        "That depends on the singular values.":
            "They tell the error. The size depends on the rank and the shape alone.",
    },
    answer="It is larger than before.",
)

# %%
quiz(
    "Taught, a student's best seed scores 0.612; on labels, its best seed scored 0.604. Was the "
    "teacher worth it?",
    {
        "Yes, by 0.008.":
            "The best of several seeds is mostly luck, and whoever tries more seeds gets a better "
            "best one.",
        "No, 0.008 is too little to notice.":
            "Perhaps it is not. Without the other seeds you cannot say.",
        "Compare all seeds of both, and the best other use of the same bytes.":
            "Means with their spread first; then the models without a teacher that fit the budget, the "
            "baseline among them.",
    },
    answer="Compare all seeds of both, and the best other use of the same bytes.",
)

# %%
quiz(
    "You have 2,000 labelled comments of your own, and a strong teacher from another forum. On your dev "
    "comments it is 2 points ahead of your student on labels. Will the student gain from it?",
    {
        "Yes: its teacher is better.":
            "So was Model 1's on test in section 3, by more, and taught it fell. A student gets only a part "
            "of its teacher.",
        "Train it both ways, and compare the two on dev.":
            "Without a lead you need not begin. With one, what the student misses of its teacher may be "
            "worth more than the lead, and only the student itself can tell.",
        "Yes, at the right temperature.":
            "That changes which of the teacher's answers are heard, not what it knows, nor what the "
            "student can follow.",
    },
    answer="Train it both ways, and compare the two on dev.",
)

# %% [markdown]
# **Next.** In the assignment you write the loss and its gradient, factorise a matrix into a given
# number of bytes, store a sparse layer by its seed, average dropout samples, choose a student for a
# budget, and argue when the teacher was worth it. Unit 03 takes the weights that are left, and stores
# each in fewer bits.
#
# **Further reading.** A student may score well without agreeing much with its teacher, and agree
# better without scoring higher: [Stanton et al. (2021)](https://arxiv.org/abs/2106.05945) measured
# both. The idea is older than its name: [Buciluǎ, Caruana and Niculescu-Mizil
# (2006)](https://doi.org/10.1145/1150402.1150464) taught a small network by an ensemble, with
# comments made up for the purpose.
