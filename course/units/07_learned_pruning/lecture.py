# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Learned pruning: which of the weights does the loss want to keep?
#
# Unit 06 removed weights by rules: the small ones, those of little curvature, those drawn by lot. A
# rule looks at a trained network from outside. This lecture asks the loss itself. Every weight, neuron
# or attention head gets a **gate**, a gate that is open costs something, and gradients find out which
# of them are worth it. That needs a trick, since a count has no gradient. At the end stands the
# question that all charts of papers leave open: which one works best, at the same sparsity, and at the
# same number of bytes?
#
# **After this lecture you can**
#
# 1. say why the L0 norm has no gradient, and derive one for its expectation in six steps;
# 2. draw from the hard concrete distribution, and give its masses at 0 and at 1 in closed form;
# 3. turn learned gates into a mask, at weights, units, heads or layers, and remove what is shut;
# 4. say what the penalty of variational dropout measures, with its sign, and which weights it lets go;
# 5. say what movement keeps that magnitude throws away, and when that is worth something;
# 6. compare ways of pruning by sparsity and by the bytes of a complete file, beside dumb baselines.
#
# **How it works.** Plan about 60 minutes. Before some of the results a box asks for your guess: write
# one down. Cells that only draw, or prepare what the text says, are folded. No number here is from
# memory: those in the text were filled in from `course/results/` and from the cells above them when
# this notebook was built.

# %%
import copy
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import Dropdown, FloatSlider, SelectionSlider
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm
from torch import logit, sigmoid
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import softplus

# %%
from utils import plots
from utils.claims import claim
from utils.data import SPLITS, Vocabulary, label_names, load_sample
from utils.distillation import teacher_logits
from utils.efficiency import count_parameters, seconds_in_turns
from utils.embeddings import distilled_vectors
from utils.metrics import macro_f1
from utils.models import MeanVectorNetwork, TransformerNetwork, predict_logits
from utils.plots import human_bytes, show
from utils.pruning import (
    L0Network,
    PenalizedLoss,
    gated,
    linear_units,
    prune_transformer,
    remove_units,
)
from utils.records import load_records, load_runs
from utils.training import fit, set_seed
from utils.widgets import explore, predict, quiz, reveal

# %% jupyter={"source_hidden": true} tags=["hide-input"]
torch.set_num_threads(1)  # one thread: the machine may be shared
torch.set_printoptions(precision=4, sci_mode=False)
np.set_printoptions(legacy="1.25", suppress=True, precision=4)
plots.set_style()
BLUE, RED, GREEN, PINK = plots.PALETTE[:4]

# %% [markdown]
# ## 1. A price for being there
#
# *About 4 minutes.*
#
# Say what we want, before we say how to get it: a small loss, and few weights. With a price $\lambda$
# for each weight that is not 0,
#
# $$\min_w \; \mathcal{L}(w) + \lambda \, \lVert w \rVert_0,
#   \qquad \lVert w \rVert_0 = \#\{ j : w_j \neq 0 \}.$$
#
# A single weight shows what is special about this price. Let the loss be $(t - w)^2$, so that alone it
# would like $w = t$, and put three prices beside one another: $\lambda$ for being there (L0),
# $\lambda |w|$ for its size (L1), and $\lambda w^2$ (L2, weight decay).

# %%
grid = torch.linspace(-2, 2, 4001)
PRICES = {"L0": (grid.abs() > 1e-6).float(), "L1": grid.abs(), "L2": grid**2}


def best_weight(t, price, strength=0.25):
    """The weight on the grid at which loss and price together are least."""
    return grid[((t - grid) ** 2 + strength * price).argmin()].item()


wanted = np.linspace(-1.5, 1.5, 121)
found = {name: [best_weight(t, price) for t in wanted] for name, price in PRICES.items()}

# %%
predict("l1", "A weight of 1 is needed, and L1 at this price (0.25) throws out those that would be at "
        "0.1. To which value does it set the weight that is needed?", high=1)

# %%
reveal("l1", best_weight(1.0, PRICES["L1"]))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, axes = plt.subplots(figsize=(8, 3.8))
axes.plot(wanted, wanted, color=plots.GREY, linestyle=":", label="no price")
for (name, weights), color, style in zip(found.items(), (BLUE, RED, GREEN), plots.LINES, strict=False):
    axes.plot(wanted, weights, color=color, linestyle=style, label=name)
axes.set(xlabel="weight that the loss alone wants", ylabel="weight with the price")
axes.legend()
show(figure, alt="The best weight against the one that the loss alone wants, for three prices of "
     "strength 0.25. L0: 0 up to a size of 0.5, and from there on exactly what is wanted. L1: 0 up to "
     "0.125, and then everywhere 0.125 less than wanted. L2: four fifths of what is wanted, never 0.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
needed = {name: best_weight(1.0, price) for name, price in PRICES.items()}
small = {name: best_weight(0.1, price) for name, price in PRICES.items()}
claim(abs(needed["L0"] - 1) < 1e-3 and abs(needed["L1"] - 0.875) < 2e-3, "L1 shrinks what it keeps")
claim(max(abs(small["L0"]), abs(small["L1"])) < 1e-3 < small["L2"], "L2 lets nothing go")
claim(abs(best_weight(0.49, PRICES["L0"])) < 1e-3 and best_weight(0.51, PRICES["L0"]) > 0.5,
      "L0 keeps what saves more than its price")

# %% [markdown]
# Weight decay makes everything smaller and nothing 0. L1 makes zeros, and takes
# {{ 1 - needed["L1"]:.3f }} from the weight that is needed as well: it cannot ask for few weights
# without asking for small ones. L0 alone asks one question, **whether**. It keeps a weight exactly if
# that saves more loss than $\lambda$, here $t^2 > \lambda$. You know $t^2$: it is the saliency
# $h w^2 / 2$ of Optimal Brain Damage, with $h = 2$.
#
# So why not simply train with it? Move a weight a little and count again: the count is what it was.

# %%
w = torch.tensor([1.0, 0.5, 0.1])
[((w + step != 0).sum() - (w != 0).sum()).item() / 1e-3 for step in 1e-3 * torch.eye(3)]

# %% [markdown]
# The derivative of the count is 0 wherever there is one, and where a weight becomes 0 the count jumps.
# For $n$ weights there are $2^n$ sets to try. Six steps lead around that.

# %% [markdown]
# ## 2. On the whiteboard: a gradient for a count
#
# *About 11 minutes.*
#
# After each step on the whiteboard, the next cell checks it with numbers. The specimen has three
# weights, and a loss whose truth we know: the squared error of a linear output with uncorrelated inputs.
#
# **Step 1: split each weight in two.** Let $w_j = \theta_j z_j$, with a size $\theta_j$ and a gate
# $z_j$ that is 0 or 1. Now $\lVert w \rVert_0 = \sum_j z_j$: the count is a plain sum. (What is gained?
# Only that "how large" and "whether" are two things now. The second is still a whole number.)

# %%
truth = torch.tensor([1.0, 0.5, 0.1])
theta = truth.clone()  # the sizes are right already; the question is whether
PRICE = 0.05


def loss(z):
    """Squared error of gates (..., 3), for inputs of variance 1."""
    return ((truth - theta * z) ** 2).sum(dim=-1)


[(gates, round(loss(torch.tensor(gates)).item() + PRICE * sum(gates), 3))
 for gates in ([1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0])]

# %% [markdown]
# **Step 2: make the gates random.** Each is open with a probability $\pi_j$, a Bernoulli variable, and
# what we minimise is the mean over gates:
#
# $$\mathbb{E}_{z \sim q(\pi)}\big[ \mathcal{L}(\theta \odot z) \big] + \lambda \sum_j \pi_j.$$
#
# The price has become smooth, by doing nothing but taking a mean. Nothing is lost, either: a mean is
# never below the best of its cases, so the least value is that of the best fixed set of gates. For our
# specimen the mean has a closed form, $\sum_j (1 - \pi_j)\, t_j^2$. Check: draw.

# %%
generator = torch.Generator().manual_seed(0)
pi = torch.tensor([0.9, 0.6, 0.3])
drawn = (torch.rand(100_000, 3, generator=generator) < pi).float()


def expected_loss(pi):
    return ((1 - pi) * truth**2).sum()


{"loss": (expected_loss(pi).item(), loss(drawn).mean().item()),
 "gates": (pi.sum().item(), drawn.sum(dim=1).mean().item())}  # closed form, Monte Carlo

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(abs(expected_loss(pi) - loss(drawn).mean()) < 0.01
      and abs(pi.sum() - drawn.sum(dim=1).mean()) < 0.01, "closed forms and draws agree")

# %% [markdown]
# **Step 3: the gradient of a mean, the slow way.** A real network has no closed form, so the gradient
# must come from draws too. One identity always works. With $\alpha_j = \pi_j / (1 - \pi_j)$, so that
# $\pi_j = \sigma(\log \alpha_j)$ and the parameter may be any number,
#
# $$\frac{\partial}{\partial \log \alpha_j} \mathbb{E}[\mathcal{L}] = \mathbb{E}\Big[ \mathcal{L} \;
#   \frac{\partial \log q(z)}{\partial \log \alpha_j} \Big] = \mathbb{E}\big[ \mathcal{L} \, (z_j - \pi_j) \big].$$
#
# This is REINFORCE. It asks nothing of $\mathcal{L}$, not even that it is differentiable. Beside it
# finite differences of the closed form:

# %%
log_alpha = logit(pi)


def finite_differences(function, at, step=1e-3):
    """The derivative of a number by each entry of a vector."""
    moves = step * torch.eye(len(at), dtype=at.dtype)
    return torch.stack([(function(at + m) - function(at - m)) / (2 * step) for m in moves])


by_differences = finite_differences(lambda a: expected_loss(sigmoid(a)), log_alpha.double())
reinforce = loss(drawn)[:, None] * (drawn - pi)  # a gradient for each draw
centred = (loss(drawn) - loss(drawn).mean())[:, None] * (drawn - pi)  # with a baseline
by_differences, reinforce.mean(dim=0), reinforce.std(dim=0), centred.std(dim=0)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim((by_differences - reinforce.mean(dim=0)).abs().max() < 0.005, "REINFORCE has the right mean")
noise_reinforce = (reinforce.std(dim=0) / by_differences.abs()).tolist()
noise_centred = (centred.std(dim=0) / by_differences.abs()).tolist()
claim(min(noise_reinforce[2], noise_centred[2]) > 30,
      "the third gate's gradient drowns in the noise of the others")

# %% [markdown]
# The means agree. Look at the spread of a single draw: {{ noise_reinforce[0]:.1f }} times the gradient
# for the first gate, and {{ noise_reinforce[2]:,.0f }} times for the third. Its gradient is small, since
# its weight is; but every draw multiplies by the *whole* loss, in which the other gates make the noise.
# To subtract the mean loss first (a baseline) is allowed, and helps: {{ noise_centred[0]:.1f }} and
# {{ noise_centred[2]:,.0f }} times. Still each gate hears all others, and a network has millions.
#
# **Step 4: take the randomness out of the parameters.** A gate can be made of a number $u$, uniform
# between 0 and 1, that knows nothing of $\alpha$:
#
# $$z = \mathbb{1}\big[\, \mathrm{logit}(u) + \log \alpha > 0 \,\big], \qquad
#   \mathrm{logit}(u) = \log \tfrac{u}{1 - u}.$$
#
# This is the **reparametrisation**: the mean is now over $u$, and the gradient may go inside. Check
# that it is the same variable:

# %%
u = torch.rand(100_000, 3, generator=generator)
by_step = (logit(u) + log_alpha > 0).float()
pi, by_step.mean(dim=0)

# %% [markdown]
# But inside stands a step, whose derivative is 0. We are where we began, with one difference: only
# *this step* is in the way now.
#
# **Step 5: soften the step.** Put a sigmoid in its place, with a temperature $\beta$. That is the
# **binary concrete** variable ([Maddison et al., 2017](https://arxiv.org/abs/1611.00712)):
#
# $$s = \sigma\Big( \frac{\mathrm{logit}(u) + \log \alpha}{\beta} \Big).$$
#
# The sign inside is the same, so $s > \tfrac12$ exactly where the gate was open, at any temperature.
# For $\beta \to 0$ it is the Bernoulli variable again; at $\beta = 1$ and $\alpha = 1$ it is $u$ itself.

# %%
def concrete(u, log_alpha, beta):
    return sigmoid((logit(u) + log_alpha) / beta)


{beta: ((concrete(u, log_alpha, beta) > 0.5).double().mean(dim=0).tolist(),
        (concrete(u, log_alpha, beta) == 0).double().mean().item()) for beta in (0.1, 2 / 3, 1.0)}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
above_half = (concrete(u, log_alpha, 2 / 3) > 0.5).double().mean(dim=0)
claim((above_half - pi).abs().max() < 0.01, "above one half at any temperature with probability pi")
claim((concrete(u, log_alpha, 2 / 3) == 0).sum() == 0, "a concrete variable is never 0")

# %% [markdown]
# Each is above one half with its $\pi$, whatever the temperature. Now it has a gradient, and it is
# never exactly 0. (The few zeros at a temperature of 0.1 are rounding: `float32` has no smaller numbers.) Nothing would be pruned, and the count of what is not 0 would be $n$.
#
# **Step 6: stretch and clip.** Let $s$ have more room than it needs, from a little below 0 to a
# little above 1, and cut off what overshoots. That is the **hard concrete** variable
# ([Louizos et al., 2018](https://arxiv.org/abs/1712.01312), equations 10 and 11; the constants are theirs):
#
# $$z = \min\big(1, \max(0, \; s\,(\zeta - \gamma) + \gamma )\big), \qquad \gamma = -0.1, \; \zeta = 1.1, \; \beta = \tfrac23.$$
#
# When is a gate shut? Where $s \le \frac{-\gamma}{\zeta - \gamma}$. The logit of that bound is
# $\log \frac{-\gamma}{\zeta}$, so $\mathrm{logit}(u) + \log \alpha \le \beta \log \frac{-\gamma}{\zeta}$, and
# $\mathrm{logit}(u)$ has the distribution function $\sigma$. It follows (equation 12)
#
# $$P(z \neq 0) = \sigma\Big( \log \alpha - \beta \log \frac{-\gamma}{\zeta} \Big), \qquad
#   P(z = 1) = \sigma\Big( \log \alpha - \beta \log \frac{1 - \gamma}{\zeta - 1} \Big).$$

# %%
GAMMA, ZETA, BETA = -0.1, 1.1, 2 / 3


def hard_concrete(u, log_alpha, beta=BETA, gamma=GAMMA, zeta=ZETA):
    return (concrete(u, log_alpha, beta) * (zeta - gamma) + gamma).clamp(0, 1)


def not_zero(log_alpha, beta=BETA, gamma=GAMMA, zeta=ZETA):
    return sigmoid(log_alpha - beta * np.log(-gamma / zeta))


def one(log_alpha, beta=BETA, gamma=GAMMA, zeta=ZETA):
    return sigmoid(log_alpha - beta * np.log((1 - gamma) / (zeta - 1)))


z = hard_concrete(u, log_alpha)
{"not 0": (not_zero(log_alpha), (z != 0).double().mean(dim=0)),
 "1": (one(log_alpha), (z == 1).double().mean(dim=0))}  # closed form, Monte Carlo

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim((not_zero(log_alpha) - (z != 0).double().mean(dim=0)).abs().max() < 0.01
      and (one(log_alpha) - (z == 1).double().mean(dim=0)).abs().max() < 0.01,
      "the masses at 0 and at 1 are those of the closed form")

# %% [markdown]
# Exactly 0, exactly 1, and in between a gradient. The objective that is trained has both parts, a loss
# from draws and a count in closed form, $\mathcal{L}_C = \lambda \sum_j P(z_j \neq 0)$. As the last
# check, the whole gradient: from draws by `backward`, and by finite differences of a numerical integral
# over $u$.

# %%
predict("noise", "REINFORCE's spread of a single draw was, with a baseline, "
        f"{noise_centred[2]:,.0f} times the third gate's gradient. How many times will it be for a hard "
        "concrete gate?", "times")

# %%
def objective(log_alpha, u):
    return loss(hard_concrete(u, log_alpha)) + PRICE * not_zero(log_alpha).sum(dim=-1)


each = log_alpha.repeat(len(u), 1).requires_grad_()  # so that each draw has a gradient of its own
(by_draws,) = torch.autograd.grad(objective(each, u).sum(), each)
points = ((torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000)[:, None].expand(-1, 3)
by_integral = finite_differences(lambda a: objective(a, points).mean(), log_alpha.double())
by_integral, by_draws.mean(dim=0), by_draws.std(dim=0)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
priced = finite_differences(lambda a: PRICE * not_zero(a).sum(), log_alpha.double())
of_loss = by_draws - priced.float()
noise_concrete = (of_loss.std(dim=0) / of_loss.mean(dim=0).abs()).tolist()
silent = (of_loss.abs() < 1e-6).double().mean(dim=0).tolist()
claim((by_integral - by_draws.mean(dim=0)).abs().max() < 0.005, "backward and the integral agree")
claim(max(noise_concrete) < 4 and noise_concrete[2] < noise_centred[2] / 20,
      "the gradient through the gate has far less noise")
reveal("noise", noise_concrete[2], "times")

# %% [markdown]
# They agree. Without the price, which has no noise at all, the spread of a draw is
# {{ noise_concrete[0]:.1f }}, {{ noise_concrete[1]:.1f }} and {{ noise_concrete[2]:.1f }} times the gradient of
# the loss (REINFORCE with a baseline: {{ noise_centred[0]:.1f }}, {{ noise_centred[1]:.1f }} and {{ noise_centred[2]:,.0f }}):
# each gate listens to its own weight. That has a price of its own. In {{ silent[0]:.0%}} of the draws the
# first gate was clipped, and a clipped gate learns nothing from the loss. And the mean is that of
# *another* problem: gates that are half open are not what we asked for. Section 5 shows what comes of it.

# %% [markdown]
# ## 3. The distribution, as its parameters move
#
# *About 4 minutes.*
#
# What does such a gate look like? Between 0 and 1 it has a density, which follows from that of
# $\mathrm{logit}(u)$ by a change of variables; at the two ends it has masses, drawn as bars.

# %%
def density(z, log_alpha, beta, gamma, zeta):
    """Of gates strictly between 0 and 1; what is missing to 1 lies on the ends."""
    s = (z - gamma) / (zeta - gamma)
    below = sigmoid(beta * logit(s) - log_alpha)  # the distribution function of s
    return beta * below * (1 - below) / (s * (1 - s)) / (zeta - gamma)


# %% jupyter={"source_hidden": true} tags=["hide-input"]
inner = torch.linspace(0.0005, 0.9995, 1000)


def shape_of(log_alpha, beta, stretch):
    numbers = beta, -stretch, 1 + stretch
    at = torch.tensor(float(log_alpha))
    if stretch == 0:  # a plain concrete variable has no masses
        return 0.0, 0.0, density(inner, at, *numbers)
    return 1 - not_zero(at, *numbers).item(), one(at, *numbers).item(), density(inner, at, *numbers)


def draw_shape(log_alpha, beta, stretch):
    shut, open_, curve = shape_of(log_alpha, beta, stretch)
    figure, axes = plt.subplots(figsize=(9, 3.6))
    axes.plot(inner, curve, color=BLUE)
    axes.fill_between(inner, curve, color=BLUE, alpha=0.15)
    axes.bar([-0.06, 1.06], [3 * shut, 3 * open_], width=0.05, color=[RED, GREEN])
    for x, mass in ((-0.06, shut), (1.06, open_)):
        axes.annotate(f"{mass:.1%}", (x, 3 * mass), xytext=(0, 4), ha="center",
                      textcoords="offset points")
    axes.set(ylim=(0, 3.4), xlim=(-0.12, 1.12), xlabel="gate", ylabel="density (bars: 3 times mass)",
             title=f"exactly 0: {shut:.1%}, in between: {1 - shut - open_:.1%}, exactly 1: {open_:.1%}")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_shape(log_alpha, beta, stretch):
    shut, open_, curve = shape_of(log_alpha, beta, stretch)
    return (f"Hard concrete gate with log alpha {log_alpha:.1f}, temperature {beta:.2f}, stretched by "
            f"{stretch:.2f} at both ends: mass {shut:.3f} at 0 and {open_:.3f} at 1; the density between "
            f"is {curve[0]:.2f} near 0, {curve[500]:.2f} in the middle and {curve[-1]:.2f} near 1.")


explore(draw_shape, describe_shape,
        log_alpha=FloatSlider(value=0, min=-5, max=5, step=0.1, description="log α"),
        beta=FloatSlider(value=0.66, min=0.1, max=1.5, step=0.02, description="β"),
        stretch=FloatSlider(value=0.1, min=0, max=0.5, step=0.02, description="stretch"))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 4, figsize=(11, 3), sharey=True)
cases = [(-2.0, BETA, 0.1), (0.0, BETA, 0.1), (0.0, 0.2, 0.1), (0.0, BETA, 0.4)]
shapes = [shape_of(*case) for case in cases]
for axes, case, (shut, open_, curve) in zip(panels, cases, shapes, strict=True):
    axes.plot(inner, curve, color=BLUE)
    axes.bar([-0.08, 1.08], [3 * shut, 3 * open_], width=0.07, color=[RED, GREEN])
    axes.set(title="log α {:.0f}, β {:.2f}\nstretch {:.1f}".format(*case), xlabel="gate", ylim=(0, 2.4))
    axes.title.set_fontsize(11)
panels[0].set_ylabel("density (bars: 3 times mass)")
show(figure, alt="Four hard concrete gates. " + " ".join(
    "Log alpha {:.0f}, temperature {:.2f}, stretch {:.1f}: ".format(*case)
    + f"mass {shut:.2f} at 0 and {open_:.2f} at 1." for case, (shut, open_, _) in
    zip(cases, shapes, strict=True)))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
between = [1 - shut - open_ for shut, open_, _ in shapes]
whole = [torch.trapezoid(curve, inner).item() for *_, curve in shapes]
claim(max(abs(a - b) for a, b in zip(whole, between, strict=True)) < 0.01, "density and masses sum to 1")
claim(between[2] < between[1] and between[3] < between[1],
      "a lower temperature, and more stretch, leave less in between")

# %% [markdown]
# The areas under the curves and the bars add up to 1 (checked). The four static pictures are for those
# who cannot move anything; $\log \alpha$ moves mass from one end to the other, and both a lower
# temperature and more stretch take it from the middle ({{ between[1]:.0%}} lie there in the second
# picture, {{ between[2]:.0%}} in the third, {{ between[3]:.0%}} in the fourth).
#
# 1. Set the stretch to 0. Where are the bars?
# 2. At $\log \alpha = 0$ and stretch 0.1, go down with $\beta$. What becomes of the gradient?
# 3. At which $\log \alpha$ is a gate as likely shut as not?
#
# <details><summary>Answers</summary>
#
# (1) Gone: a plain concrete variable is never 0, and its count never falls. (2) More and more gates are
# clipped, where the gradient is 0, and the few in between have very large ones: little bias, much
# noise. (3) At $\beta \log(-\gamma / \zeta) = \tfrac23 \log \tfrac1{11} \approx -1.6$; not at 0. A gate of
# $\log \alpha = 0$ is open at least a little in five draws of six.
#
# </details>

# %% [markdown]
# ## 4. The gate at test time
#
# *About 3 minutes.*
#
# A network that answers should not draw. At test time a gate is one number (equation 13): the stretched
# and clipped sigmoid *without noise and without temperature*,
#
# $$\hat z = \min\big(1, \max(0, \; \sigma(\log \alpha)(\zeta - \gamma) + \gamma)\big),$$
#
# which is 0 for $\sigma(\log\alpha) \le \frac{-\gamma}{\zeta - \gamma}$, so for
# $\log \alpha \le \log \frac{-\gamma}{\zeta}$:

# %%
def at_test_time(log_alpha):
    return (sigmoid(log_alpha) * (ZETA - GAMMA) + GAMMA).clamp(0, 1)


SHUT = np.log(-GAMMA / ZETA)
nine_in_ten = torch.tensor(np.log(9) + BETA * SHUT)  # where a gate is not 0 in nine draws of ten
SHUT, at_test_time(torch.tensor([SHUT - 0.001, SHUT + 0.001])), not_zero(nine_in_ten).item()

# %%
predict("test-gate", "In training, a gate is not 0 in nine draws of ten. What is its value at test time?",
        high=1)

# %%
reveal("test-gate", at_test_time(nine_in_ten))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
axis = torch.linspace(-5, 5, 401)
still_open = not_zero(torch.tensor(SHUT)).item()
with_temperature = BETA * SHUT
crossing = axis[(at_test_time(axis) > not_zero(axis)).nonzero()[0, 0]].item()
means = torch.stack([hard_concrete(points[::20, 0], value).mean() for value in axis.double()])
figure, axes = plt.subplots(figsize=(9, 3.8))
axes.plot(axis, not_zero(axis), color=GREEN, linestyle="--", label="P(not 0) in training")
axes.plot(axis, means, color=plots.GREY, linestyle=":", label="mean gate in training")
axes.plot(axis, at_test_time(axis), color=BLUE, label="gate at test time")
axes.axvline(SHUT, color=BLUE, linewidth=1)
axes.annotate(f"{SHUT:.3f}", (SHUT, 0.9), xytext=(-6, 0), textcoords="offset points", ha="right")
axes.plot([SHUT], [still_open], "o", color=GREEN)
axes.set(xlabel="log α")
axes.legend(loc="lower right")
show(figure, alt="Three curves against log alpha. The gate at test time is 0 up to "
     f"{SHUT:.3f}, 0.5 at 0 and 1 from {-SHUT:.3f} on. The probability not to be 0 in training lies "
     f"above it up to {crossing:.1f} and a little below it from there on: {still_open:.2f} where the gate "
     "at test time closes. The mean gate in training is close to the gate at test time.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
at_nine = at_test_time(nine_in_ten).item()
gap = (means - at_test_time(axis)).abs().max().item()
claim(0.6 < at_nine < 0.7 and 0.3 < still_open < 0.32, "a gate is less open than it is likely open")
claim(gap < 0.12, "the gate at test time is near the mean gate")

# %% [markdown]
# It is {{ at_nine:.2f}}, not 0.9: being open at all is one thing, how far another. The gate at test time
# is near the *mean* gate (at most {{ gap:.2f}} off), not near the probability. Two things follow.
#
# - At $\log \alpha = {{ SHUT:.3f}}$, where a gate closes for good, it still was open in
#   {{ still_open:.0%}} of all draws. **The expected count of the training and the count of the mask are
#   two numbers.** Report the second, it is what the file holds.
# - With the temperature left in, the bound would be {{ with_temperature:.3f}}, and the gates between the
#   two bounds would be removed although the paper's rule keeps them. A mistake of one symbol, and the
#   network still runs.

# %% [markdown]
# ## 5. Watching gates close
#
# *About 6 minutes.*
#
# Does it find what is needed? Begin where one can say: sixteen inputs, of which eight make the output,
# with weights from 1 down to 0.1, and some noise. By section 1, a price of $\lambda$ should keep those
# with $w^2 > \lambda$. Five prices are trained side by side, each with sizes and gates of its own.

# %%
STRENGTHS = torch.tensor([0.003, 0.03, 0.1, 0.3, 1.0])
truth16 = torch.tensor([1.0, -0.8, 0.6, -0.5, 0.4, -0.3, 0.2, -0.1] + 8 * [0.0])
generator = torch.Generator().manual_seed(0)
x = torch.randn(400, 16, generator=generator)
y = x @ truth16 + 0.3 * torch.randn(400, generator=generator)


def train_gates(start, steps=1000):
    """Sizes and gates of all prices (5, 16), and the gates at test time after each step."""
    theta = torch.zeros(5, 16, requires_grad=True)
    log_alpha = torch.full((5, 16), start, requires_grad=True)
    optimizer = torch.optim.Adam([{"params": theta, "lr": 0.02}, {"params": log_alpha, "lr": 0.05}])
    history = []
    for _ in range(steps):
        z = hard_concrete(torch.rand(5, 16, generator=generator), log_alpha)
        errors = ((y - (theta * z) @ x.T) ** 2).mean(dim=1)
        optimizer.zero_grad()
        (errors + STRENGTHS * not_zero(log_alpha).sum(dim=1)).sum().backward()
        optimizer.step()
        history.append(at_test_time(log_alpha.detach()))
    return theta.detach(), log_alpha.detach(), torch.stack(history)


# %%
predict("gates-left", "At a price of 0.3, only 1, -0.8 and 0.6 have a square above it. How many of the "
        "sixteen gates are open at the end?", "gates", high=16)

# %%
begin = time.perf_counter()
sizes, alphas, history = train_gates(start=1.6)
left = (history[-1] > 0).sum(dim=1).tolist()
reveal("gates-left", left[3], "gates")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_closing(price):
    row = STRENGTHS.tolist().index(price)
    figure, axes = plt.subplots(figsize=(9, 3.9))
    for number, weight in enumerate(truth16.tolist()):
        needed = weight**2 > price
        axes.plot(history[:, row, number], color=plots.GREY if not weight else BLUE if needed else RED,
                  linestyle="-" if weight else ":", linewidth=1.5)
    last = history[-1, row]
    for kind, color in (("worth its price", BLUE), ("not worth it", RED), ("not needed", plots.GREY)):
        axes.plot([], [], color=color, label=kind, linestyle=":" if kind == "not needed" else "-")
    axes.set(xlabel="step", ylabel="gate at test time", ylim=(-0.03, 1.03),
             title=f"price {price:g}: {int((last > 0).sum())} gates open at the end, "
             f"{int((truth16**2 > price).sum())} worth it")
    axes.legend(loc="center right")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
PRICES16 = STRENGTHS.tolist()


def describe_closing(price):
    last = history[-1, PRICES16.index(price)]
    opened = [f"{weight:g}" for weight, gate in zip(truth16.tolist(), last, strict=True) if gate > 0]
    return (f"Sixteen gates against training steps at a price of {price:g}. Open at the end are those of "
            f"the weights {', '.join(opened) or 'none'}; {int((truth16**2 > price).sum())} have a square "
            "above the price.")


explore(draw_closing, describe_closing,
        price=SelectionSlider(options=[(f"{p:g}", p) for p in PRICES16], value=PRICES16[3]))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def rest(weights):
    return ((y - weights @ x.T) ** 2).mean(dim=-1)


closed = history[-1] * sizes
worth = (truth16**2 > STRENGTHS[:, None]).sum(dim=1).tolist()
useless = int((history[-1, :, 8:] > 0).sum())
claim(useless == 0, "no gate of an input that is not needed stays open")
claim(all(bool((gates[:n] > 0).all()) for gates, n in zip(history[-1], left, strict=True)),
      "the gates that stay open are those of the largest weights")
claim(left[1] == worth[1], "at a price of 0.03 gradients find the best set")
claim(all(left[i] > worth[i] for i in (2, 3, 4)), "at high prices more gates stay open than are worth it")
shrinks = (closed[1, 0] / truth16[0]).item()
claim(abs(shrinks - 1) < 0.05, "what stays keeps its size")

# %% [markdown]
# | price | 0.003 | 0.03 | 0.1 | 0.3 | 1 |
# | --- | ---: | ---: | ---: | ---: | ---: |
# | worth their price | {{ worth[0] }} | {{ worth[1] }} | {{ worth[2] }} | {{ worth[3] }} | {{ worth[4] }} |
# | open at the end | {{ left[0] }} | {{ left[1] }} | {{ left[2] }} | {{ left[3] }} | {{ left[4] }} |
#
# No gate of an input without a use stays open here, the order is that of usefulness, and what
# stays keeps its size (the first weight is {{ closed[1, 0]:.2f}}; L1 would have shrunk it). But at
# prices of 0.1 and above more stay open than are worth it. It isn't a lack of patience. Look at one gate alone,
# of a weight of 0.5, at a price of 0.3, with the size that suits its $\log \alpha$ best: this is the curve that
# gradients descend.

# %%
def valley(log_alpha, weight=0.5, price=0.3):
    """Loss and price of one gate, if its size is the best one for it."""
    z = hard_concrete(points[::20, 0], log_alpha)
    return weight**2 * (1 - z.mean() ** 2 / (z**2).mean().clamp_min(1e-12)) + price * not_zero(log_alpha)


axis = torch.linspace(-8, 8, 321, dtype=torch.float64)
curve = torch.stack([valley(value) for value in axis])
bernoulli = sigmoid(axis) * 0.3 + (1 - sigmoid(axis)) * 0.5**2

# %% jupyter={"source_hidden": true} tags=["hide-input"]
top = int(curve.argmax())
figure, axes = plt.subplots(figsize=(9, 3.8))
axes.plot(axis, curve, color=BLUE, label="hard concrete gate")
axes.plot(axis, bernoulli, color=plots.GREY, linestyle=":", label="Bernoulli gate")
axes.plot(axis[top], curve[top], "o", color=RED)
axes.axvline(1.6, color=GREEN, linewidth=1, linestyle="--")
axes.annotate("start", (1.6, curve.min()), xytext=(5, 0), textcoords="offset points",
              color=plots.ink(GREEN))
axes.annotate("shut", (-7.5, curve[0]), xytext=(0, 6), textcoords="offset points")
axes.annotate("open", (7, curve[-1]), xytext=(0, 6), textcoords="offset points")
axes.set(xlabel="log α", ylabel="expected loss and price")
axes.legend(loc="lower right")
show(figure, alt="Expected loss and price of one gate against log alpha. Shut it costs "
     f"{curve[0]:.3f}, open {curve[-1]:.3f}, and between lies a ridge of {curve[top]:.3f} at log alpha "
     f"{axis[top]:.1f}. Training starts at 1.6, on its right. For a Bernoulli gate there is no ridge.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
ridge = axis[top].item()
again = train_gates(start=-2.0)[2]
left_low = (again[-1] > 0).sum(dim=1).tolist()
seconds = time.perf_counter() - begin
claim(curve[0] < curve[-1] < curve[top] and ridge < 1.6, "a ridge parts the start from the better end")
claim((np.diff(bernoulli) > 0).all(), "a Bernoulli gate has no ridge")
claim(all(low <= high for low, high in zip(left_low, left, strict=True)) and left_low[3] < worth[3],
      "who starts lower ends with fewer gates, and with fewer than are worth it")

# %% [markdown]
# Shut would cost {{ curve[0]:.2f}}, open costs {{ curve[-1]:.2f}}, and between them lies a **ridge**
# ({{ curve[top]:.2f}} at {{ ridge:.1f}}): a gate that is half open already pays nearly the whole price and
# disturbs the output as well. We started at 1.6, to the right of it. With a start at -2 the five prices
# leave {{ left_low[0] }}, {{ left_low[1] }}, {{ left_low[2] }}, {{ left_low[3] }} and {{ left_low[4] }} gates
# open: now some are shut that were worth their price. The mean of step 2 had no ridge; the softening made
# it. So the learned mask depends on the start and not only on the price: one more number to tune, and to
# report.

# %% [markdown]
# ## 6. What one gate is worth
#
# *About 5 minutes.*
#
# A gate need not stand at a weight. Multiply a whole neuron by one, or a head, a feed-forward column, a
# layer: if it is shut, all weights of the **group** go at once, and what is left is a smaller dense
# network, which is faster on any machine. First the exchange rate. The transformer is MiniLM with random
# weights and few words: sizes and times need no training.

# %%
WIDTHS = dict(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
torch.manual_seed(0)
minilm = TransformerNetwork(dict(vocab_size=1000, **WIDTHS), labels=7).eval()


def goes(**kept):
    """How many parameters are gone with all that is not kept."""
    return count_parameters(minilm) - count_parameters(prune_transformer(minilm, **kept))


def all_but_one(n):
    return [torch.arange(n) > 0] + 5 * [torch.ones(n, dtype=torch.bool)]  # of the first layer


column, head = goes(columns=all_but_one(1536)), goes(heads=all_but_one(12))
layer = goes(layers=[False] + 5 * [True])

# %% [markdown]
# | a gate at each | parameters behind it | gates of the six layers |
# | --- | ---: | ---: |
# | weight | 1 | {{ 6 * layer:,}} |
# | feed-forward column | {{ column:,}} | {{ 6 * 1536:,}} |
# | head | {{ head:,}} | 72 |
# | layer | {{ layer:,}} | 6 |
#
# A price for each gate is a price for its group: at $\lambda$ for a weight, a head has to pay
# {{ head:,}} $\lambda$. Whoever counts gates and not weights makes a head as cheap as a column. And what is
# it worth in *time*? Switch off half of the heads by gates, and remove them.

# %%
predict("half-heads", "Half of the 72 heads are removed for real. How many times as fast is the "
        "encoder with a text of 20 word pieces?", "times")

# %%
half_heads = 6 * [torch.arange(12) < 6]
smaller = prune_transformer(minilm, heads=half_heads)
pieces = torch.randint(5, 1000, (1, 20), generator=torch.Generator().manual_seed(0))


def switched_off():
    with gated(minilm, heads=[kept.float() for kept in half_heads]):
        return minilm(pieces)


cut = prune_transformer(minilm, layers=3 * [True, False])
ways = {"whole": lambda: minilm(pieces), "gates": switched_off, "removed": lambda: smaller(pieces),
        "half of the layers": lambda: cut(pieces)}


# %%
with torch.inference_mode():
    spent = {name: np.median(each) for name, each in seconds_in_turns(ways, repeats=40).items()}
fast = {name: spent["whole"] / seconds for name, seconds in spent.items()}
reveal("half-heads", fast["removed"], "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
with torch.inference_mode():
    differs = (switched_off() - smaller(pieces)).abs().max().item()
gone = goes(heads=half_heads) / (6 * layer)
claim(differs < 1e-5, "the smaller network says what the gated one says")
claim(abs(fast["gates"] - 1) < 0.15, "a gate alone saves no time")
claim(1 < fast["removed"] < fast["half of the layers"] - 0.3,
      "half of the heads save far less time than half of the layers")

# %% [markdown]
# Both say the same (the largest difference is {{ differs:.1g}}). Switched off: {{ fast["gates"]:.2f}} times as fast, which is to say,
# not at all. Removed: {{ fast["removed"]:.2f}} times. Half of the heads are {{ gone:.0%}} of the layers'
# parameters, since two thirds of a layer are feed-forward columns. Half of the *layers* make it
# {{ fast["half of the layers"]:.2f}} times as fast. Keep that in mind when a paper counts heads.
#
# Now the same with training. Model 1 on the course sample, of {{ 64 }} hidden units, learns with a gate at
# each; a price for each of its {{ 64 * 101:,}} gated weights.

# %%
train, dev, test = (load_sample(split) for split in SPLITS)
vocabulary = Vocabulary.from_texts(train.texts, min_count=1)
ids = {split.split: vocabulary.encode(split.texts) for split in (train, dev, test)}
soft = expit(teacher_logits(train)).astype(np.float32)  # the teacher's probabilities, as in unit 02
learn = {"batch_size": 32, "embedding_lr": 0, "progress": False}
data = (ids["train"], soft), (ids["dev"], dev.labels)

set_seed(0)
parent = MeanVectorNetwork(len(vocabulary), 100, hidden=64, labels=7)
parent.embedding.weight.data.copy_(torch.from_numpy(distilled_vectors(vocabulary, 100).values))
_ = fit(parent, *data, epochs=20, lr=5e-3, decay=True, **learn)


# %%
def learn_units(strength, epochs=12):
    gates = L0Network(copy.deepcopy(parent), units={"hidden": linear_units(parent, "hidden")}, stride=20)
    set_seed(0)
    history = fit(gates, *data, epochs=epochs, keep_from=epochs, lr=2e-3, **learn,
                  loss=PenalizedLoss(cross_entropy, gates.expected_l0, strength))
    masked, alive = gates.pruned(), gates.scores()["hidden.bias"] > SHUT
    small = remove_units(masked, [alive.nonzero().squeeze(1)])
    return masked, small, history


UNIT_PRICES = (1e-5, 3e-5, 1e-4)
learned = {strength: learn_units(strength) for strength in UNIT_PRICES}

# %% jupyter={"source_hidden": true} tags=["hide-input"]
alive = {strength: small.config["hidden"] for strength, (_, small, _) in learned.items()}
unlike = max(np.abs(predict_logits(masked, ids["test"]) - predict_logits(small, ids["test"])).max()
             for masked, small, _ in learned.values())
here = {strength: macro_f1(test.labels, expit(predict_logits(small, ids["test"])) >= h.thresholds)
        for strength, (_, small, h) in learned.items()}
counts = list(alive.values())
claim(unlike < 1e-4, "the smaller networks say what the masked ones say")
claim(64 > counts[0] > counts[1] > counts[2] > 0, "a higher price leaves fewer units")

# %% [markdown]
# At prices of {{ UNIT_PRICES[0]:g}}, {{ UNIT_PRICES[1]:g}} and {{ UNIT_PRICES[2]:g}}, {{ counts[0] }},
# {{ counts[1] }} and {{ counts[2] }} of 64 units are left; nobody said which, nor how many. Removed for real,
# the networks say what the masked ones say (the largest difference of a logit is {{ unlike:.0e}}). Their macro-F1 on the
# {{ len(test.texts) }} test comments of the sample ({{ here[UNIT_PRICES[0]]:.2f}}, {{ here[UNIT_PRICES[1]]:.2f}} and
# {{ here[UNIT_PRICES[2]]:.2f}}) means little, since so few comments tell little apart; section 11 has scores
# on all of GoEmotions.

# %% [markdown]
# ## 7. Variational dropout: how much noise a weight can bear
#
# *About 6 minutes.*
#
# The second way to learn a mask asks no gate. Give every weight noise in proportion to its size and let
# the *amount* be learned
# ([Molchanov et al., 2017](https://arxiv.org/abs/1701.05369)):
#
# $$w = \theta \, (1 + \sqrt{\alpha} \, \epsilon), \qquad \epsilon \sim \mathcal{N}(0, 1).$$
#
# A weight that the output needs exactly bears little noise; one that does not matter bears any. Left
# alone, training would turn all noise off, so noise has to be *worth* something. What is paid for is
# what is known of a weight: the divergence of its distribution $q$ from a prior that is the same at all
# scales, $p(\log|w|)$ constant. With $w = \theta\,\xi$, $\xi \sim \mathcal{N}(1, \alpha)$,
#
# $$\mathrm{KL}(q \,\|\, p) = \mathbb{E}[\log q - \log p]
#   = -\tfrac12 \log \alpha + \mathbb{E} \log |\xi| + \text{const}.$$
#
# The size $\theta$ is gone: only the *relative* noise counts. The mean has no closed form. The paper fits
# one (equation 14), for **minus** the divergence:
#
# $$-\mathrm{KL} \approx k_1 \, \sigma(k_2 + k_3 \log\alpha) - \tfrac12 \log(1 + \alpha^{-1}) - k_1.$$

# %%
K1, K2, K3 = 0.63576, 1.87320, 1.48695


def kl(log_alpha):
    """Equation 14 with its sign turned: at least 0, and 0 for a weight that is all noise."""
    return K1 - K1 * sigmoid(K2 + K3 * log_alpha) + 0.5 * softplus(-log_alpha)


def kl_by_integration(log_alpha):
    scale = np.exp(log_alpha / 2)
    where = [-1 / scale] if scale > 0.1 else []  # there the logarithm goes to minus infinity
    mean, _ = quad(lambda e: norm.pdf(e) * np.log(abs(1 + scale * e)), -10, 10, points=where, limit=400)
    return -log_alpha / 2 + mean


rates = np.arange(-8, 9.0, 0.5)
far = 0.5 * (np.log(2) + np.euler_gamma)  # the constant that makes it 0 for endless noise
exact = np.array([kl_by_integration(value) for value in rates]) + far
fitted = kl(torch.from_numpy(rates)).numpy()
np.abs(exact - fitted).max()

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, (axes, errors) = plt.subplots(1, 2, figsize=(11, 3.6), width_ratios=(3, 2))
axes.plot(rates, exact, "o", color=plots.GREY, label="numerical integration")
axes.plot(rates, fitted, color=BLUE, label="equation 14, sign turned")
axes.axvline(3, color=RED, linestyle="--", label="threshold")
axes.set(xlabel="log α", ylabel="KL of one weight")
axes.legend()
errors.plot(rates, fitted - exact, color=BLUE)
errors.set(xlabel="log α", ylabel="approximation minus exact")
at_three = kl(torch.tensor(3.0)).item()
worst = np.abs(exact - fitted).max()
show(figure, alt="The divergence of one weight from the prior against log alpha: from "
     f"{exact[0]:.2f} at -8 it falls to {at_three:.3f} at 3 and to 0. The approximation and the "
     f"integral differ by at most {worst:.4f}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(worst < 0.01 and (np.diff(fitted) < 0).all(), "the approximation is within 0.01 and falls")
slope_left = (fitted[0] - fitted[2]) / (rates[2] - rates[0])
claim(abs(slope_left - 0.5) < 0.05, "a factor of e in alpha costs half a nat")

# %% [markdown]
# The approximation is within {{ worst:.4f}} for $\log\alpha$ from -8 to 8.5. **The sign** is what goes wrong in practice. A
# divergence is a cost: it is *added* to the loss, falls as noise grows, and is 0 where nothing is known;
# equation 14 is its negative. Try both on a linear problem whose truth is known: 200 inputs, of which 50
# make the output.
#
# One more trick. The noise of all weights of an output adds up to one normal variable, so it is drawn
# there, once for each example: $\hat y = \theta^\top x + \epsilon \sqrt{\sum_j \alpha_j \theta_j^2 x_j^2}$. That
# is the **local reparametrisation**; every example has noise of its own, and the gradient less of it.

# %%
needed = torch.arange(200) < 50
truth200 = torch.cat([torch.linspace(1, 0.02, 50), torch.zeros(150)])
generator = torch.Generator().manual_seed(0)
x200 = torch.randn(1000, 200, generator=generator)
y200 = x200 @ truth200 + 0.3 * torch.randn(1000, generator=generator)


def learn_noise(sign, steps=800):
    """Weights and their log α; the divergence of all data, so it is divided by the examples."""
    theta = (0.1 * torch.randn(200, generator=generator)).requires_grad_()
    log_variance = torch.full((200,), -8.0, requires_grad=True)
    optimizer = torch.optim.Adam([{"params": theta, "lr": 0.01}, {"params": log_variance, "lr": 0.05}])
    slower = [lambda step: 1 - step / steps, lambda step: 1.0]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, slower)
    for step in range(steps):
        noise = (x200**2 @ log_variance.exp()).sqrt() * torch.randn(1000, generator=generator)
        errors = (y200 - x200 @ theta - noise) ** 2 / (2 * 0.3**2)
        log_alpha = (log_variance - torch.log(theta**2 + 1e-8)).clamp(-8, 8)
        price = min(1, step / 200) * kl(log_alpha).sum() / 1000  # it warms up
        optimizer.zero_grad()
        (errors.mean() + sign * price).backward()
        optimizer.step()
        schedule.step()
    return theta.detach(), log_alpha.detach()


# %%
theta200, log_alpha200 = learn_noise(+1)
wrong_sign = learn_noise(-1)[1]
drowned = log_alpha200 > 3

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
bins = np.linspace(-8, 8, 33)
for axes, values, title in zip(panels, (log_alpha200, wrong_sign), ("KL added", "KL subtracted"),
                               strict=True):
    axes.hist([values[needed], values[~needed]], bins, stacked=True, color=[BLUE, plots.GREY],
              label=["needed", "not needed"])
    axes.axvline(3, color=RED, linestyle="--")
    axes.set(xlabel="log α", title=title)
panels[0].set_ylabel("weights (of 200)")
panels[0].legend(loc="upper center")
lost_needed, lost_useless = int((drowned & needed).sum()), int((drowned & ~needed).sum())
above_zero = int((log_alpha200[~needed] > 0).sum())
needed_above_zero = int((log_alpha200[needed] > 0).sum())
show(figure, alt="Histograms of log alpha of 200 weights, 50 of them needed. With the divergence added, "
     f"{lost_useless} of those not needed and {lost_needed} of those needed lie above the threshold of 3, "
     f"and {above_zero} and {needed_above_zero} above 0. With it subtracted, "
     f"{int((wrong_sign > 3).sum())} lie above 3.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
least_squares = torch.linalg.lstsq(x200, y200[:, None]).solution[:, 0]


def overlap(weights):
    """Share of what drowned that is also among the equally many smallest of these weights."""
    smallest = weights.abs().argsort()[: int(drowned.sum())]
    return drowned[smallest].double().mean().item()


by_own_size, by_least_squares = overlap(theta200), overlap(least_squares)
claim(lost_needed == 0 and lost_useless > 60, "only weights that are not needed drown")
claim(lost_useless + 20 < above_zero and needed_above_zero <= 2, "the valley lies below the threshold")
claim(int((wrong_sign > 3).sum()) == 0, "with the wrong sign nothing goes")
claim(by_own_size > 0.95 and by_least_squares > 0.85, "what drowns are the small weights")

# %% [markdown]
# With the divergence added, {{ lost_useless }} of the 150 weights that are not needed end above
# $\log\alpha = 3$ (a dropout rate of {{ expit(3):.2f}}), the usual threshold, and {{ lost_needed }} of those
# that are. The two heaps part further down: above 0 lie {{ above_zero }} and {{ needed_above_zero }}. So look at
# the histogram before you trust a threshold. With the divergence *subtracted* nothing goes at all; the
# program runs, and it only looks as if variational dropout did not work here.
#
# Is it magnitude in disguise? Of what drowned, {{ by_own_size:.0%}} is also among the equally many smallest
# weights of this training, and {{ by_least_squares:.0%}} among those of plain least squares, which knows nothing
# of noise. Here it mostly is: these inputs have all the same variance, so that size says what a weight is
# worth. What the noise adds is that nobody had to say how many go.

# %% [markdown]
# ## 8. Movement: where a weight is going
#
# *About 4 minutes.*
#
# A fine-tuned weight is mostly what pretraining left: it is large because it was large *before*.
# [Movement pruning](https://arxiv.org/abs/2005.07683) (Sanh et al., 2020) asks where it is going. A mask
# that keeps the weights of the highest scores has no gradient; pretend that it has (the
# **straight-through** estimator), and the score of a weight collects
#
# $$S_j = -\sum_t \frac{\partial \mathcal{L}}{\partial w_j} \, w_j,$$
#
# which is positive where (small) steps of descent made the weight *larger in size*. A toy: pretrained
# weights of a task A, and a few steps towards a task B, to which half of the inputs mean nothing.

# %%
generator = torch.Generator().manual_seed(3)
task_a = torch.randn(64, generator=generator)
task_b = torch.where(torch.rand(64, generator=generator) < 0.5, 0.0,
                     torch.randn(64, generator=generator))
inputs = torch.randn(2000, 64, generator=generator)
outputs = inputs @ task_b + 0.1 * torch.randn(2000, generator=generator)


def fine_tune(steps, rate=0.02):
    w, score = task_a.clone(), torch.zeros(64)
    for _ in range(steps):
        gradient = 2 * inputs.T @ (inputs @ w - outputs) / len(inputs)
        score -= gradient * w
        w = w - rate * gradient
    return w, score


def pruned_error(w, score, keep=32):
    mask = torch.zeros(64)
    mask[score.argsort(descending=True)[:keep]] = 1
    return ((inputs @ (w * mask) - outputs) ** 2).mean().item()


# %%
lengths = (5, 10, 20, 40, 80, 160)
tuned = {steps: fine_tune(steps) for steps in lengths}
rows8 = {steps: (pruned_error(w, torch.ones(64), 64), pruned_error(w, w.abs()), pruned_error(w, score))
         for steps, (w, score) in tuned.items()}
all_zero = (outputs**2).mean().item()  # the dumb baseline: no weight at all
moved, score = tuned[10]

# %% jupyter={"source_hidden": true} tags=["hide-input"]
by_size, by_move = (value.argsort(descending=True)[:32] for value in (moved.abs(), score))
both = len(set(by_size.tolist()) & set(by_move.tolist()))
figure, (left_axes, right_axes) = plt.subplots(1, 2, figsize=(11, 4))
useful = task_b != 0
for which, color, marker, name in ((useful, BLUE, "o", "needed by B"), (~useful, RED, "x", "not needed")):
    left_axes.plot(moved.abs()[which], score[which], marker, color=color, label=name)
left_axes.axvline(moved.abs().sort().values[32], color=plots.GREY, linestyle="--")
left_axes.axhline(score.sort().values[32], color=plots.GREY, linestyle="--")
left_axes.set(xlabel="size after 10 steps", ylabel="movement score")
left_axes.legend()
for column_of, name, color, marker in ((0, "nothing pruned", plots.GREY, "s"), (1, "magnitude", RED, "o"),
                                       (2, "movement", BLUE, "^")):
    right_axes.plot(lengths, [row[column_of] for row in rows8.values()], f"{marker}-", color=color,
                    label=name)
right_axes.axhline(all_zero, color="black", linestyle=":", label="all weights 0")
right_axes.set(xscale="log", yscale="log", xlabel="steps of fine-tuning", ylabel="error on task B")
right_axes.set_xticks(lengths, [str(n) for n in lengths])
right_axes.minorticks_off()
right_axes.legend()
show(figure, alt="Left: movement score against the size of 64 weights after 10 steps; dashed, what each "
     f"method keeps: {both} of 32 are kept by both. Right: error on task B against steps of fine-tuning, "
     "with nothing pruned, half pruned by magnitude, half by movement: "
     + "; ".join(f"{steps} steps {a:.2g}, {b:.2g}, {c:.2g}" for steps, (a, b, c) in rows8.items())
     + f". With all weights 0 it is {all_zero:.2g}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
grew = moved.abs() > task_a.abs()
only_move = [j for j in by_move.tolist() if j not in by_size.tolist()]
only_size = [j for j in by_size.tolist() if j not in by_move.tolist()]
growing, shrinking = int(grew[only_move].sum()), int((~grew[only_size]).sum())
claim(shrinking == len(only_size), "what movement throws away of the large ones shrinks")
ahead = [steps for steps, (_, size, move) in rows8.items() if move < size]
claim(ahead == list(lengths[:len(ahead)]) and 0 < len(ahead) < len(lengths),
      "movement is ahead while weights are on their way, and behind when they have arrived")
claim(rows8[10][1] > all_zero > rows8[10][2], "after ten steps magnitude is worse than nothing at all")

# %% [markdown]
# On the left, after ten steps, the two agree on {{ both }} of 32 weights. Movement throws away large ones that
# are on their way to 0 (below, on the right: all {{ shrinking }} that magnitude alone keeps have shrunk), and keeps small
# ones instead, {{ growing }} of {{ len(only_move) }} of which grow; the others have lost little, since there was little to lose.
# On the right: up to {{ ahead[-1] }} steps it is the better choice. After ten, magnitude is worse than no weights at all
# ({{ rows8[10][1]:.0f}} against {{ all_zero:.0f}}), since it keeps what task A has left; but so is the network from which nothing
# was pruned ({{ rows8[10][0]:.0f}}). **Afterwards movement is the worse one**: once weights have arrived, their size says
# what they are worth, and where they came from says little. So it *may* pay where fine-tuning is too short to
# move the weights far. A toy does not prove that of transformers: ask for the control.

# %% [markdown]
# ## 9. The heads of a real transformer
#
# *About 6 minutes.*
#
# Now MiniLM: six layers of twelve heads, fine-tuned on what unit 02's ensemble of teachers says of
# GoEmotions. It is too large to ship, so what follows are records. First switch off one head at a time, of a
# network that is not trained for it, and ask comments of dev.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
one_off = load_records("pruning", experiment="one head off")
head_seeds = sorted({r["seed"] for r in one_off})
DEV_COMMENTS = one_off[0]["comments"]
LABELS = label_names("ekman")


def heads_off(field, seed):
    """Of each head (6, 12), what a field says when it is off."""
    table = np.full((6, 12), np.nan)
    for r in one_off:
        if r["setting"] == "head off" and r["seed"] == seed:
            table[r["layer"], r["head"]] = r[field]
    return table


def layers_off(field, seed):
    return np.array([r[field] for r in one_off if r["setting"] == "layer off" and r["seed"] == seed])


f1_off, loss_off = (np.array([heads_off(field, seed) for seed in head_seeds])
                    for field in ("macro_f1_difference", "loss_difference"))  # (seeds, 6, 12)
f1_layer = np.array([layers_off("macro_f1_difference", seed) for seed in head_seeds])
loss_layer = np.array([layers_off("loss_difference", seed) for seed in head_seeds])

# %%
predict("worst-head", "Of the 72 heads, switch off the one that is missed most. By how many points "
        "does macro-F1 fall?", "points")

# %%
worst_head = np.unravel_index(f1_off.mean(axis=0).argmin(), (6, 12))
reveal("worst-head", -100 * f1_off.mean(axis=0)[worst_head], "points")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def head_map(axes, table, limit, cmap="RdBu_r", sign=""):
    axes.imshow(table, cmap=cmap, vmin=-limit, vmax=limit, aspect="auto")
    for (layer, head), value in np.ndenumerate(table):
        axes.annotate(f"{round(value):{sign}d}", (head, layer), ha="center", va="center", fontsize=9,
                      color="white" if abs(value) > 0.6 * limit else "black")
    axes.set(xlabel="head", ylabel="layer", xticks=range(12), yticks=range(6))
    axes.set_xticklabels(range(1, 13))
    axes.set_yticklabels(range(1, 7))
    axes.grid(False)


figure, (axes, beside) = plt.subplots(1, 2, figsize=(11, 3.6), width_ratios=(4, 1))
risen = 1e4 * loss_off.mean(axis=0)
head_map(axes, risen, np.abs(risen).max())
axes.set_title("rise of the loss without a head (in 1/10,000)")
beside.barh(range(6), 1e4 * loss_layer.mean(axis=0), color=plots.GREY)
beside.set(yticks=range(6), xlabel="without the layer", ylim=(5.5, -0.5))
beside.set_yticklabels(range(1, 7))
show(figure, alt="Rise of the loss on dev when one head is off, for 6 layers of 12 heads, in 1/10,000: "
     f"from {risen.min():.0f} to {risen.max():.0f}. Beside it whole layers: "
     + ", ".join(f"{value:.0f}" for value in 1e4 * loss_layer.mean(axis=0)) + ".")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
helped = int((loss_off < 0).all(axis=0).sum())
loss_whole = np.mean([r["loss"] for r in one_off if r["setting"] == "nothing off"])
small_heads = int((np.abs(f1_off) < 0.005).all(axis=0).sum())
whole_off = f1_layer.mean(axis=0)
worst_layer, mildest_layer = int(whole_off.argmin()), int(whole_off.argmax())
(suited,) = {r["macro_f1_suited_thresholds"] for r in one_off if r["setting"] == "nothing off" and not r["seed"]}
suited_head = heads_off("macro_f1_suited_thresholds", 0)[worst_head] - suited
suited_layer = layers_off("macro_f1_suited_thresholds", 0) - suited
suited_heads = heads_off("macro_f1_suited_thresholds", 0) - suited
missed, mild_layers = int((suited_heads <= -0.005).sum()), int((suited_layer > -0.01).sum())
claim(missed <= 2, "with thresholds that suit, hardly any head is missed alone")
claim(small_heads > 48, "two thirds of the heads are not missed alone")
claim(whole_off.min() < -0.1 and suited_layer[worst_layer] > whole_off[worst_layer] / 2,
      "a layer is missed, and much of its loss is a shift that thresholds mend")

# %% [markdown]
# ({{ "One fine-tuning, one seed" if len(head_seeds) == 1 else f"{len(head_seeds)} fine-tunings with seeds of their own" }},
# and {{ DEV_COMMENTS }} comments, so that F1 cannot tell small differences apart.) The head that is missed most
# is head {{ worst_head[1] + 1 }} of layer {{ worst_head[0] + 1 }}: {{ 100 * f1_off.mean(axis=0)[worst_head]:+.1f}} points of macro-F1.
# {{ small_heads }} of the 72 change it by less than half a point, and without {{ helped }} the loss is even *lower*, if by
# {{ -loss_off.min():.3f}} at most (of {{ loss_whole:.2f}}). Whole
# layers are another matter: without layer {{ worst_layer + 1 }} it falls by {{ -100 * whole_off[worst_layer]:.1f}} points,
# without layer {{ mildest_layer + 1 }} by {{ -100 * whole_off[mildest_layer]:.1f}}. Beware of what such numbers measure: the
# thresholds are those of the whole network. With thresholds that suit the network without that head or layer, it
# is {{ 100 * suited_head:+.1f}} points for the head, and {{ 100 * suited_layer[worst_layer]:+.1f}} for layer {{ worst_layer + 1 }};
# then {{ missed }} of the 72 heads costs half a point or more, and {{ 6 - mild_layers }} of the six layers a point.
# Much of what seems lost is a shift of the logits.
#
# What does a head do to a sentence? Choose one of ours; each field is what the probability of one label
# becomes without that head.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SENTENCES = list(one_off[0]["sentences"])


def probabilities_of(sentence, seed=0):
    """Probabilities (7,) with nothing off, and with each head off (6, 12, 7)."""
    records = [r for r in one_off if r["seed"] == seed]
    (whole,) = [r for r in records if r["setting"] == "nothing off"]
    off = np.zeros((6, 12, len(LABELS)))
    for r in records:
        if r["setting"] == "head off":
            off[r["layer"], r["head"]] = expit(r["sentences"][sentence])
    return expit(np.array(whole["sentences"][sentence])), off


def draw_sentence(sentence):
    before, off = probabilities_of(sentence)
    label = int(np.abs(off - before).max(axis=(0, 1)).argmax())  # the one that moves most
    change = 100 * (off[..., label] - before[label])
    figure, axes = plt.subplots(figsize=(9, 3.4))
    head_map(axes, change, max(10, np.abs(change).max()), "RdBu", "+")
    axes.set_title(f"{LABELS[label]}, {before[label]:.0%}: change without a head, in points")
    return figure


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def describe_sentence(sentence):
    before, off = probabilities_of(sentence)
    label = int(np.abs(off - before).max(axis=(0, 1)).argmax())
    change = 100 * (off[..., label] - before[label])
    low, high = (np.unravel_index(f(change), (6, 12)) for f in (np.argmin, np.argmax))
    return (f"{sentence} With all heads: "
            + ", ".join(f"{name} {p:.2f}" for name, p in zip(LABELS, before, strict=True))
            + f". What moves most is {LABELS[label]}: {change[low]:+.0f} points without head "
            f"{low[1] + 1} of layer {low[0] + 1}, {change[high]:+.0f} without head {high[1] + 1} of layer "
            f"{high[0] + 1}; {int((np.abs(change) < 1).sum())} heads move it by less than a point.")


explore(draw_sentence, describe_sentence,
        sentence=Dropdown(options=SENTENCES, value=SENTENCES[3], layout={"width": "32em"}))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
moves, idle, flips = [], [], []
for sentence in SENTENCES:
    before, off = probabilities_of(sentence)
    change = np.abs(off - before)
    moves.append(change.max())
    idle.append(int((change.max(axis=2) < 0.01).sum()))
    flips.append(int(((off > 0.5) != (before > 0.5)).any(axis=2).sum()))
sentence_rows = "\n".join(
    f"| {sentence} | {', '.join(LABELS[i] for i in np.flatnonzero(probabilities_of(sentence)[0] > 0.5)) or 'none'}"
    f" | {100 * move:.0f} | {still} | {flip} |"
    for sentence, move, still, flip in zip(SENTENCES, moves, idle, flips, strict=True))

# %% [markdown]
# | sentence | labels above one half | largest change of any probability (points) | heads that change none by a point | heads without which a label crosses one half |
# | --- | --- | ---: | ---: | ---: |
# {{ sentence_rows }}
#
# One at a time, and with thresholds that suit, hardly any head is missed. From that it does not follow that half of them can go *at
# once*: where two do the same, either may go, but not both. So let gates choose together.
# [Voita et al. (2019)](https://arxiv.org/abs/1905.09418) put a hard concrete gate at each head of a
# converged model and train with a price. Here the network is frozen and only the 72 gates learn:

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def means(rows, field="macro_f1"):
    return np.mean([r[field] for r in rows])


def span(rows, field="macro_f1", form="{:.4f}"):
    values = [r[field] for r in rows]
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"


def against(rows, control="unpruned"):
    """Mean paired difference to a control; of one seed with its 95% interval."""
    name = f"difference_to_{control}"
    if name not in rows[0]:
        return ""
    if len(rows) == 1:
        return "{:+.4f} [{:+.4f}, {:+.4f}]".format(*(rows[0][name + end] for end in ("", "_low", "_high")))
    below = sum(r[f"{name}_high"] < 0 for r in rows)
    return f"{means(rows, name):+.4f}; {below} of {len(rows)} intervals below 0"


# %% jupyter={"source_hidden": true} tags=["hide-input"]
headless = load_records("pruning", experiment="heads", split="test")
living = load_records("pruning", experiment="which heads live")
left_at = {}
for r in living:
    if "gate" in r:
        left_at[r["setting"]] = left_at.get(r["setting"], 0) + r["kept"]
price_rows = "\n".join(f"| {setting} | {left} |" for setting, left in left_at.items())


def kept_of(rows):
    """Which heads (72,) are left, of each seed."""
    found = {}
    for r in rows:
        found.setdefault(r["seed"], np.zeros(72, bool))[12 * r["layer"] + r["head"]] = r["kept"]
    return found


survivors = {"L0 gates": kept_of([r for r in living if r["chosen"]])}
survivors |= {name: kept_of([r for r in living if r["setting"] == name])
              for name in ("importance", "magnitude", "random")}
chosen_prices = sorted({float(r["setting"].split("=")[1]) for r in living if r["chosen"]})


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def shared(first, second):
    """Heads that both keep; and what two choices by lot would share, with its standard deviation."""
    n, k = first.sum(), second.sum()
    spread = n * k / 72 * (1 - k / 72) * (72 - n) / 71  # hypergeometric
    return f"{(first & second).sum()} ({n * k / 72:.0f} ± {spread**0.5:.1f})"


gates_of = survivors["L0 gates"]
to_others = {name: ", ".join(shared(gates_of[seed], kept[seed]) for seed in kept)
             for name, kept in survivors.items() if name != "L0 gates"}
by_layer = np.mean([kept.reshape(6, 12).sum(axis=1) for kept in gates_of.values()], axis=0)
learned_alpha = np.mean([[r["log_alpha"] for r in living if r["chosen"] and r["seed"] == seed]
                         for seed in gates_of], axis=0).reshape(6, 12)

# %% [markdown]
# | price λ | heads left of 72 |
# | --- | ---: |
# {{ price_rows }}
#
# Then what is shut is removed for real, and the network trained a little further, as is the one with all heads.
# The smallest of these prices at which half of the heads are shut is taken ({{ ", ".join(f"{s:g}" for s in chosen_prices) }}).
# **Which heads live?** On the left $\log\alpha$ of the gates; a head lives above {{ SHUT:.1f}}.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
by_importance = np.mean(list(survivors["importance"].values()), axis=0).reshape(6, 12)
head_map(panels[0], learned_alpha - SHUT, np.abs(learned_alpha - SHUT).max(), "PuOr")
for label, value in zip(panels[0].texts, learned_alpha.ravel(), strict=True):
    label.set_text(f"{value:.0f}")
head_map(panels[1], by_importance, 1.6, "PuOr")
panels[0].set_title("log α at the price that was chosen")
panels[1].set_title("left by importance (1) or not (0)")
panels[1].set_ylabel("")
alive_map = np.mean(list(gates_of.values()), axis=0).reshape(6, 12)
show(figure, alt="Which of 72 heads live. " + " ".join(
    f"By {name}, in layers 1 to 6: " + "; ".join(
        "heads " + ", ".join(str(h + 1) for h in np.flatnonzero(row > 0.5)) for row in table) + "."
    for name, table in (("gates", alive_map), ("importance", by_importance))))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
by_criterion = {c: [r for r in headless if r["setting"] == f"heads by {c}"] for c in survivors}
unpruned = [r for r in headless if r["criterion"] == "none" and r["further_comments"]]
before = [r for r in headless if r["criterion"] == "none" and not r["further_comments"]]
criterion_rows = "\n".join(
    f"| {name} | {span(rows, 'heads_left', '{:.0f}')} | {span(rows)} | {against(rows)} |"
    for name, rows in {"all heads, no further training": before,
                       "all heads, the same further training": unpruned, **by_criterion}.items())
f1_by_seed = {c: {r["seed"]: r["macro_f1"] for r in rows} for c, rows in by_criterion.items()}
gates_minus = {c: [f1_by_seed["L0 gates"][seed] - f1_by_seed[c][seed] for seed in head_seeds]
               for c in survivors if c != "L0 gates"}
further_comments, heads_left = unpruned[0]["further_comments"], by_criterion["L0 gates"][0]["heads_left"]
both_keep = min(int((gates_of[s] & survivors["importance"][s]).sum()) for s in gates_of)
claim(both_keep > 0.7 * heads_left, "gates and importance keep mostly the same heads")
lost_heads = {c: -100 * means(rows, "difference_to_unpruned") for c, rows in by_criterion.items()}
claim(lost_heads["magnitude"] > lost_heads["random"] + 0.5, "the size of the weights is worse than chance")
claim(max(lost_heads[c] for c in ("L0 gates", "importance", "random")) < lost_heads["magnitude"] - 0.5,
      "magnitude is the worst rule")
claim(lost_heads["L0 gates"] >= lost_heads["importance"], "gates are not better than importance")
claim(abs(lost_heads["L0 gates"] - lost_heads["random"]) < 0.5, "gates are about as good as a draw")
claim(all(r["difference_to_unpruned_high"] < 0 for rows in by_criterion.values() for r in rows),
      "all intervals lie below 0")

# %% [markdown]
# Read it beside chance. The gates and the *importance* of [Michel et al. (2019)](https://arxiv.org/abs/1905.10650) (the
# size of the gradient by a gate, no training at all) share {{ to_others["importance"]}} heads; in brackets what two
# choices by lot would share. With the size of the weights they share {{ to_others["magnitude"]}}, with a draw
# {{ to_others["random"]}}. So the gates mostly find what those gradients say already. From the first layer to the last the gates leave {{ ", ".join(f"{n:.0f}" for n in by_layer) }} heads.
#
# And does it matter which? **The controls**: as many heads by each rule and by lot, removed for real, and all
# trained on {{ further_comments:,}} comments more; so is the network with all its heads.
#
# | heads left by | heads | macro-F1 on test | against all heads, with the same further training |
# | --- | ---: | ---: | ---: |
# {{ criterion_rows }}
#
# Gates minus importance: {{ ", ".join(f"{d:+.4f}" for d in gates_minus["importance"]) }}; minus magnitude:
# {{ ", ".join(f"{d:+.4f}" for d in gates_minus["magnitude"]) }}; minus random: {{ ", ".join(f"{d:+.4f}" for d in gates_minus["random"]) }}.
#
# Less than the map suggests, and the learned gates do not win. They lose {{ lost_heads["L0 gates"]:.1f}} points, importance
# {{ lost_heads["importance"]:.1f}}, which needs no training but only gradients on some comments, and a **draw**
# {{ lost_heads["random"]:.1f}}. The size of the weights is the worst rule here, behind even the draw
# ({{ lost_heads["magnitude"]:.1f}}). All four intervals
# lie below 0, so {{ 72 - heads_left }} heads less do cost something. Which rule is better than another they
# do not tell: each rule was compared in pairs with all heads, not with another rule, and there is one training and one
# draw. So take the order, magnitude's place too, as a hint. Do not read the map as one of the heads that
# the network *needs*: after {{ further_comments:,}} comments more, heads that were drawn do about as well.

# %% [markdown]
# ## 10. Until it is faster
#
# *About 3 minutes.*
#
# Heads alone save little time. So remove layers, heads and feed-forward columns together, by importance,
# until the whole model, from text to labels, is about as fast for a single comment as a network of half the
# depth. That one, every second layer of the same network with the same further training, is the
# control. All were timed in turns on one thread.

# %%
predict("shape", "The transformer with fewer layers, heads and columns: by how many points does its macro-F1 "
        "differ from that of every second layer?", "points")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
structure = load_records("pruning", experiment="structure", split="test")
clock = {(r["setting"], r["batch_size"]): r for r in
         load_records("pruning", experiment="structure latency")}
by_shape = {}
for r in structure:
    by_shape.setdefault(r["setting"], []).append(r)
by_shape = {"heads by L0 gates": by_criterion["L0 gates"], **by_shape}
HALF = "every second layer"
(best_shape,) = [name for name in by_shape if "columns" in name]
shape_minus_half = [r["macro_f1"] - h["macro_f1"] for r in by_shape[best_shape]
                    for h in by_shape[HALF] if h["seed"] == r["seed"]]
reveal("shape", 100 * np.mean(shape_minus_half), "points")
claim(0.5 < 100 * np.mean(shape_minus_half) < 1.5, "choosing what goes is worth about a point")
claim(all(r["difference_to_unpruned"] < -0.02 and r["difference_to_unpruned_high"] < 0
          for name in (best_shape, HALF) for r in by_shape[name]), "both lose two points and more")
claim(abs(clock[best_shape, 1]["times_as_fast"] - clock[HALF, 1]["times_as_fast"]) < 0.2, "about the same speed")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def times(name, size, field="times_as_fast"):
    return f"{clock[name, size][field]:.2f}" if (name, size) in clock else ""


def counts_of(rows):
    return f"{rows[0]['layers']} | {span(rows, 'heads_left', '{:.0f}')} | {sum(rows[0]['columns']):,}"


shape_rows = "\n".join(
    f"| {name} | {counts_of(rows)} | {span(rows)} | {against(rows)} | {times(name, 1)} | "
    f"{times(name, 1, 'times_as_fast_p99')} | {times(name, 64)} | {means(rows, 'file_bytes') / 1e6:.1f} |"
    for name, rows in by_shape.items())
old_half = load_records("distillation", experiment="half depth", split="test",
                        setting="taught by ensemble")
old_lost = np.mean([r["macro_f1"] - r["macro_f1_teacher"] for r in old_half])
old_fast = 1 / load_records("distillation", experiment="latency", batch_size=1,
                            method="half-depth transformer")[0]["ratio"]

# %% jupyter={"source_hidden": true} tags=["hide-input"]
long_rows = load_records("pruning", experiment="structure, longer", split="test")
long_clock = {(r["setting"], r["batch_size"]): r for r in
              load_records("pruning", experiment="structure latency, longer")}
_, long_whole, long_half, *long_shapes = sorted(
    long_rows, key=lambda r: (("none", "depth", "importance").index(r["criterion"]), r["further_comments"], -r["macs"]))
on_dev = {r["setting"]: r["macro_f1"] for r in
          load_records("pruning", experiment="structure, longer", split="dev")}
lasting = max(long_shapes, key=lambda r: on_dev[r["setting"]])
(smaller,) = [r for r in long_shapes if r is not lasting]
lasting_clock, smaller_clock, half_clock = (long_clock[r["setting"], 1] for r in (lasting, smaller, long_half))
to_whole, to_start = (-100 * lasting[f"difference_to_{name}"] for name in ("unpruned", "fine_tuned"))
to_best = 100 * (means(unpruned) - lasting["macro_f1"])
dev_apart = on_dev[lasting["setting"]] - on_dev[smaller["setting"]]

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(all(r["epochs"] == 3 for r in (long_whole, long_half, *long_shapes)), "three epochs more")
claim(min(c["times_as_fast"] for c in (lasting_clock, smaller_clock, half_clock)) >= 1.75, "all three are fast enough")
claim(all(-0.01 < lasting[f"difference_to_{name}"] < 0 < lasting[f"difference_to_{name}_high"]
          for name in ("unpruned", "fine_tuned")), "the shape chosen on dev loses less than a point, and maybe nothing")
claim(-0.02 < smaller["difference_to_unpruned"] < -0.01 and smaller["difference_to_unpruned_high"] < 0
      and 0 < dev_apart < 0.002, "the smaller one loses more than a point on test, and hardly anything on dev")
claim(long_half["difference_to_unpruned_high"] < -0.01, "every second layer loses more than a point")
claim(long_whole["difference_to_fine_tuned_low"] < 0 < long_whole["difference_to_fine_tuned_high"],
      "the whole transformer gains nothing from three epochs more")
claim(means(unpruned) > max(r["macro_f1"] for r in long_rows), "the best score is the one after few comments")
claim(all(r["macro_f1"] > means(by_shape[name]) + 0.005 for r, name in
          ((smaller, best_shape), (long_half, HALF))), "both recover")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def timed(row, size):
    return f"{long_clock[row['setting'], size]['times_as_fast']:.2f}"


long_table = "\n".join(
    f"| {r['setting'].rpartition(', 3')[0]} | {counts_of([r])} | {r['macro_f1']:.4f} | {against([r])} | "
    f"{against([r], 'fine_tuned')} | {timed(r, 1)} | {timed(r, 64)} | {r['file_bytes'] / 1e6:.1f} |"
    for r in (long_whole, long_half, *long_shapes))

# %% [markdown]
# | | layers | heads | columns | macro-F1 | against unpruned | times as fast, 1 comment | at p99 | 64 | MB |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
# {{ shape_rows }}
#
# Differences are to the unpruned transformer with the same further training. *{{ best_shape.capitalize() }}*
# minus every second layer: {{ ", ".join(f"{d:+.4f}" for d in shape_minus_half) }}. (Unit 02's student, with a training of its own: {{ old_lost:+.4f}} and
# {{ old_fast:.2f}} times as fast.)
#
# For one comment it is {{ times(best_shape, 1)}} times as fast and every second layer {{ times(HALF, 1)}} times, in batches of 64
# {{ times(best_shape, 64)}} and {{ times(HALF, 64)}}. (Leave the decimals: every second layer with other weights, further down, was timed
# at {{ timed(long_half, 1)}} and {{ timed(long_half, 64)}}.) So at about the same speed the chosen shape is ahead by about {{ 100 * np.mean(shape_minus_half):.0f}} point,
# less than either interval is wide; and it is another shape, {{ by_shape[best_shape][0]["layers"]}} narrow layers and not three wide ones, so that choosing
# is not all that differs. But **neither is free**: both lose two points and more of the {{ means(unpruned):.3f}} that the whole transformer has
# after the same training, and their intervals lie far below 0.
#
# These networks saw {{ further_comments:,}} comments after the cut. **Given time, they recover.** Here all had three epochs of
# train, {{ lasting["further_comments"]:,}} comments, of which dev chose the best one; the whole transformer too:
#
# | three epochs more | layers | heads | columns | macro-F1 | against unpruned, three epochs more | against where all come from | times as fast, 1 comment | 64 | MB |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
# {{ long_table }}
#
# The better one on dev, with {{ lasting["heads_left"]}} heads and {{ sum(lasting["columns"]):,}} columns in {{ lasting["layers"]}} layers, is {{ lasting_clock["times_as_fast"]:.2f}} times as fast for
# one comment ({{ lasting_clock["times_as_fast_low"]:.2f}} to {{ lasting_clock["times_as_fast_high"]:.2f}} in single repeats). It
# loses {{ to_whole:.1f}} points to the whole transformer after as much training and {{ to_start:.1f}} to the one that it was cut from, and both intervals
# hold 0. A little smaller, {{ smaller["heads_left"]}} heads and {{ sum(smaller["columns"]):,}} columns, and it loses {{ -100 * smaller["difference_to_unpruned"]:.1f}}, with an interval just below 0; on
# dev the two are {{ 100 * dev_apart:.1f}} points apart, so do not trust one training with half a point. Every second layer, about as fast, loses
# {{ -100 * long_half["difference_to_unpruned"]:.1f}}, with its interval below one point. The whole
# transformer gains nothing from its three epochs; its best score is that after {{ further_comments:,}} comments ({{ means(unpruned):.3f}}), and to that the
# shape chosen on dev loses {{ to_best:.1f}}. (Unit 02's student saw all of train once.) It is one seed of each, and one fine-tuning.
#
# Movement was not measured on the transformer. (`python -m course results pruning --seeds 1 --only movement` would do it.)

# %% [markdown]
# ## 11. Which one works best?
#
# *About 4 minutes.*
#
# The methods of both units but movement, on two small networks (Model 1 and a GRU): what is pruned starts from the same
# trained **parent** and learns on for the same few epochs, if the method trains at all. (Tickets go back
# to an early step and train anew, round after round; they were measured on Model 1 only.) Every weight
# matrix is pruned, word vectors included. L0 and variational dropout learn a network at two or three prices,
# and their scores then decide what goes at each sparsity, without any training after: gates are cut over all layers
# together, noise in each layer. Beside them the dumb baselines: the **control** (the same epochs more, at the
# parent's learning rates, nothing pruned), **smaller networks** trained from the start (squares, at the sparsity
# whose bytes they come near, if a little below), and the sparse linear model of unit 01.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
grid_records = [r for split in ("dev", "test") for r in load_records("pruning", split=split)
                if r.get("stored") == "8 bits"]
SPARSITIES = sorted({r["sparsity"] for r in grid_records if r["method"] == "magnitude, gradual"})
MODELS = ["dense", "GRU"]
LONGER = "magnitude, gradual, longer"  # has more epochs, and a control of its own
METHODS = list(dict.fromkeys(r["method"] for r in grid_records if r["sparsity"] in SPARSITIES
                             and r["method"] != LONGER and "not cut" not in r["method"]))


def cell(model, method, sparsity, split="test"):
    """Records of all seeds of one method at one sparsity; none, if it was not measured there."""
    return [r for r in grid_records if r["model"] == model and r["method"] == method
            and r["sparsity"] == sparsity and r["split"] == split]

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SMALLER = {model: sorted({(r["instead_of"], r["method"]) for r in grid_records
                          if r["model"] == model and "instead_of" in r}) for model in MODELS}
linear = {split: load_records("pruning", experiment="sparse linear", split=split) for split in ("dev", "test")}
NAMES, uncut = {"dense": "Model 1", "GRU": "GRU"}, {}  # and what was learned, before anything was cut
for r in grid_records:
    if "not cut" in r["method"]:
        uncut.setdefault((r["split"], r["model"], r["method"]), []).append(r)


def learned_of(model, split="test"):
    """By its name, what a method had learned, before it was cut: records of all seeds."""
    return {m: rows for (part, of, m), rows in uncut.items() if (part, of) == (split, model)}

# %%
predict("best-at-95", "On Model 1, with 95% of the weights gone: how many points of macro-F1 does the best "
        "method (chosen on dev) lose against the control?", "points")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def lost(model, method, sparsity, control="control"):
    """Macro-F1 on test minus that of the control, of each seed."""
    control = {r["seed"]: r["macro_f1"] for r in cell(model, control, 0.0)}
    return [r["macro_f1"] - control[r["seed"]] for r in cell(model, method, sparsity)]


def best_at(model, sparsity):
    """The method with the best mean macro-F1 on dev."""
    measured = [m for m in METHODS if cell(model, m, sparsity, "dev")]
    return max(measured, key=lambda m: means(cell(model, m, sparsity, "dev")))


winners = {(model, s): best_at(model, s) for model in MODELS for s in SPARSITIES}
lost_at = {key: np.mean(lost(key[0], method, key[1])) for key, method in winners.items()}
reveal("best-at-95", -100 * lost_at["dense", 0.95], "points")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SHOWN = ["magnitude, gradual", "OBD", "magnitude, one-shot, fine-tuned", "lottery ticket", "L0",
         "variational dropout"]  # the other rules lie below the picture at most sparsities
COLORS = dict(zip(SHOWN, plots.PALETTE[:6], strict=True))
MARKS = dict(zip(SHOWN, "osD^vP", strict=True))


def draw_methods(axes, model, along):
    """Macro-F1 on test of all methods, with least and most over seeds, along sparsity or bytes."""
    for method in SHOWN:
        points = [cell(model, method, s) for s in SPARSITIES if cell(model, method, s)]
        if not points:
            continue
        at = [along(rows) for rows in points]
        middle = np.array([means(rows) for rows in points])
        ends = np.array([[min(r["macro_f1"] for r in rows), max(r["macro_f1"] for r in rows)]
                         for rows in points]).T
        axes.errorbar(at, middle, [middle - ends[0], ends[1] - middle], capsize=3, label=method,
                      color=COLORS[method], marker=MARKS[method], linewidth=1.3, markersize=5)


# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(11, 5.4), sharey=True, layout="constrained")
for axes, model in zip(panels, MODELS, strict=True):
    draw_methods(axes, model, lambda rows: SPARSITIES.index(rows[0]["sparsity"]))
    for instead, method in SMALLER[model]:
        rows = cell(model, method, 0.0)
        axes.plot(SPARSITIES.index(instead), means(rows), "s", color="black", fillstyle="none",
                  markersize=9, label="smaller network" if instead == SMALLER[model][0][0] else None)
    axes.axhline(means(cell(model, "control", 0.0)), color="black", linewidth=1, label="control")
    axes.axhline(means(linear["test"]), color="black", linestyle=":", label="sparse linear")
    axes.set_xticks(range(len(SPARSITIES)), [f"{s:.0%}" for s in SPARSITIES])
    axes.set(title=NAMES[model], xlabel="weights gone")
panels[0].set(ylabel="macro-F1 on test", ylim=(0.5, None))  # what falls below stands in the table
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=10)
show(figure, alt="Macro-F1 on test against sparsity. " + " ".join(
    f"{NAMES[model]}: control {means(cell(model, 'control', 0.0)):.3f}; " + "; ".join(
        f"{method} " + ", ".join(f"{s:.0%} {means(cell(model, method, s)):.3f}" for s in SPARSITIES
                                 if cell(model, method, s))
        for method in SHOWN if cell(model, method, 0.9)) + "."
    for model in MODELS) + f" Sparse linear {means(linear['test']):.3f}. The picture ends at 0.5.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def row_of(model, method):
    found = [lost(model, method, s) for s in SPARSITIES]
    marks = ["**" if winners[model, s] == method else "" for s in SPARSITIES]
    return f"| {method} | " + " | ".join(
        f"{mark}{100 * np.mean(values):+.1f}{mark}" if values else ""
        for values, mark in zip(found, marks, strict=True)) + " |"


def spread_at(model, sparsity):
    """By how many points the seeds of the winner differ, against the control."""
    values = lost(model, winners[model, sparsity], sparsity)
    return f"{100 * min(values):+.1f} to {100 * max(values):+.1f}"


table_of = {model: "\n".join([*(row_of(model, m) for m in METHODS if cell(model, m, 0.9)), "| *best on dev, its seeds* | "
            + " | ".join(spread_at(model, s) for s in SPARSITIES) + " |"]) for model in MODELS}
# %% jupyter={"source_hidden": true} tags=["hide-input"]
GRADUAL, TUNED, VD = "magnitude, gradual", "magnitude, one-shot, fine-tuned", "variational dropout"
no_training = ["magnitude, one-shot, per layer", "magnitude, one-shot, over all", "activation-aware", "OBD"]
best_untrained = {model: max(no_training, key=lambda m: means(cell(model, m, 0.9, "dev"))) for model in MODELS}


def points_at(model, method, sparsity=0.9):
    return 100 * np.mean(lost(model, method, sparsity))


def minus(first, second, model, sparsity):
    """Macro-F1 of one method minus that of another, seed by seed, in points."""
    pairs = zip(cell(model, first, sparsity), cell(model, second, sparsity), strict=True)
    return ", ".join(f"{100 * (a['macro_f1'] - b['macro_f1']):+.1f}" for a, b in pairs)


def layers_at(method, sparsity, model="dense"):
    """Share of zeros in word vectors, hidden layer and outputs, means over seeds."""
    rows = [r["sparsity_of_layers"] for r in cell(model, method, sparsity)]
    return ", ".join(f"{np.mean([r[name] for r in rows]):.0%}" for name in rows[0])


# %% jupyter={"source_hidden": true} tags=["hide-input"]
own = {(m, s): means(cell("dense", m, s), "own_sparsity") for m in ("L0", VD) for s in (0.8, 0.9, 0.95)}
longer = {model: 100 * np.mean(lost(model, LONGER, 0.9, "control, longer")) for model in MODELS
          if cell(model, LONGER, 0.9)}
claim(best_untrained == {model: "OBD" for model in MODELS}, "without training OBD is the best rule at 90%")
claim(points_at("dense", "OBD") < points_at("dense", GRADUAL) - 2, "training is worth more than the rule")
claim(points_at("dense", TUNED) < points_at("dense", GRADUAL) - 2, "gradual pruning beats pruning at once")
claim(all(points_at("dense", "L0", s) > points_at("dense", GRADUAL, s) for s in (0.8, 0.95, 0.98))
      and abs(points_at("dense", "L0") - points_at("dense", GRADUAL)) < 0.3,
      "on Model 1 L0 is as good as gradual pruning or better")
claim(all(points_at("GRU", "L0", s) > points_at("GRU", GRADUAL, s) for s in (0.9, 0.95, 0.98)),
      "on the GRU L0 beats gradual pruning")
claim(all(points_at("dense", VD, s) < points_at("dense", GRADUAL, s) - 2 for s in (0.9, 0.95, 0.98)),
      "variational dropout, cut in each layer, loses by far from 90% on")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def learned_rows(model):
    """What was learned, before it was cut: price, zeros, points lost, and beside it what was cut."""
    control, found = {r["seed"]: r["macro_f1"] for r in cell(model, "control", 0.0)}, []
    for method, rows in learned_of(model).items():
        zeros = means(rows, "own_sparsity")
        near = min(SPARSITIES, key=lambda s: abs(s - zeros))
        loses = 100 * np.mean([r["macro_f1"] - control[r["seed"]] for r in rows])
        found.append((method.split()[-1], zeros, loses, near, points_at(model, VD, near),
                      points_at(model, GRADUAL, near)))
    return found


as_learned = {model: learned_rows(model) for model in MODELS}
as_learned_rows = "\n".join(
    f"| {NAMES[model]} | {price} | {zeros:.0%} | {loses:+.1f} | {near:.0%} | {cut_too:+.1f} | {plain:+.1f} |"
    for model, rows in as_learned.items() for price, zeros, loses, near, cut_too, plain in rows)
claim(all(abs(row[2] - row[5]) < 0.3 for row in as_learned["dense"]) and as_learned["dense"][2][1] > 0.87,
      "on Model 1 what variational dropout learned is as good as gradual pruning")
claim(as_learned["GRU"][2][2] < as_learned["GRU"][2][5] - 1.5, "on the GRU it is behind at 90%")
price_of_80 = next(rows for method, rows in learned_of("dense").items() if method.endswith("0.03"))
small_layers = ", ".join(f"{np.mean([r['sparsity_of_layers'][name] for r in price_of_80]):.0%}"
                         for name in price_of_80[0]["sparsity_of_layers"])

# %% jupyter={"source_hidden": true} tags=["hide-input"]
heading = "| points of macro-F1 against the control | " + " | ".join(f"{s:.0%}" for s in SPARSITIES) + " |"
rule = "| --- |" + " ---: |" * len(SPARSITIES)

# %% [markdown]
# **Model 1**
#
# {{ heading }}
# {{ rule }}
# {{ table_of["dense"] }}
#
# **GRU**
#
# {{ heading }}
# {{ rule }}
# {{ table_of["GRU"] }}
#
# Bold is what dev would choose; all are means over three seeds, of files that were saved and loaded back.
#
# - **Without training** no rule is good for much: OBD is the best at 90%, and loses {{ -points_at("dense", "OBD"):.1f}} points on
#   Model 1 and {{ -points_at("GRU", "OBD"):.1f}} on the GRU. Magnitude over all layers ruins both already at 50%: sizes of different
#   layers do not compare, and it takes nearly all that lies behind the word vectors of Model 1.
# - **Training while pruning is most of it.** The plain rule of unit 06, gradual magnitude, loses
#   {{ -points_at("dense", GRADUAL):.1f}} points at 90% on Model 1, and pruned at once with the same training
#   {{ -points_at("dense", TUNED):.1f}}. On the GRU it loses {{ -points_at("GRU", GRADUAL):.1f}}; with more epochs, {{ -longer["GRU"]:.1f}} (Model 1:
#   {{ -longer["dense"]:.1f}}), against controls that have as many.
# - **L0** on Model 1 against gradual pruning, seed by seed: {{ minus("L0", GRADUAL, "dense", 0.8) }} points at 80%,
#   {{ minus("L0", GRADUAL, "dense", 0.9) }} at 90%, {{ minus("L0", GRADUAL, "dense", 0.95) }} at 95% and
#   {{ minus("L0", GRADUAL, "dense", 0.98) }} at 98%. (The one for 90% has {{ own["L0", 0.9]:.0%}} zeros: a price is not a
#   target.) On the GRU: {{ minus("L0", GRADUAL, "GRU", 0.9) }} at 90%, {{ minus("L0", GRADUAL, "GRU", 0.95) }} at 95%,
#   {{ minus("L0", GRADUAL, "GRU", 0.98) }} at 98%. Look at *where* it prunes, though. On Model 1 at 95% the zeros in word vectors, hidden layer and outputs are
#   {{ layers_at("L0", 0.95) }}, and with the gradual rule {{ layers_at(GRADUAL, 0.95) }}. How much of its lead is the gates, and how
#   much only that it may spare the small layers, these records do not tell.
# - **Variational dropout** as it stands in the tables loses, from 90% on by far ({{ -points_at("dense", VD):.1f}} points at 90% on
#   Model 1). Do not blame the noise before you have looked at the cut. By itself it reached {{ own[VD, 0.8]:.0%}} where 80% were
#   asked for and {{ own[VD, 0.95]:.0%}} where 95% were, and at 80% it had left the small layers nearly alone (zeros in word vectors,
#   hidden layer and outputs: {{ small_layers }}). Then each *layer* was cut to the sparsity asked for, without any
#   training after. What it had learned, before that cut (in points against the control):
#
# | | price | zeros | as learned | cut to | after the cut | gradual magnitude there |
# | --- | ---: | ---: | ---: | ---: | ---: | ---: |
# {{ as_learned_rows }}
#
# On Model 1 that is as good as gradual pruning, up to {{ as_learned["dense"][2][1]:.0%}} zeros; on the GRU it is behind at {{ as_learned["GRU"][2][1]:.0%}}. Prices
# that lead it to 95% or 98% by itself were not measured, nor was its network trained on after a cut.
#
# **By bytes.** The same records along the length of the *complete file*: words, word vectors, weights,
# the positions of the non-zeros, thresholds. A word whose vector is all zeros still is in the file.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def spoken(groups):
    """Bytes and macro-F1 of each group of records."""
    return ", ".join(f"{human_bytes(means(rows, 'file_bytes'))} {means(rows):.3f}" for rows in groups if rows)


def by_bytes(model):
    """What the chart shows of one model."""
    return (f"{NAMES[model]}: " + "; ".join(f"{m} {spoken(cell(model, m, s) for s in SPARSITIES)}"
                                            for m in SHOWN if cell(model, m, 0.9))
            + f"; variational dropout, not cut, {spoken(learned_of(model).values())}; control "
            f"{spoken([cell(model, 'control', 0.0)])}; smaller networks "
            f"{spoken(cell(model, m, 0.0) for _, m in SMALLER[model])}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, panels = plt.subplots(1, 2, figsize=(11, 5.4), sharey=True, layout="constrained")
for axes, model in zip(panels, MODELS, strict=True):
    draw_methods(axes, model, lambda rows: means(rows, "file_bytes"))
    tiny = [cell(model, method, 0.0) for method in ("control", *(name for _, name in SMALLER[model]))]
    tiny.sort(key=lambda rows: means(rows, "file_bytes"))
    axes.plot([means(rows, "file_bytes") for rows in tiny], [means(rows) for rows in tiny], "s--",
              color="black", fillstyle="none", markersize=9, label="smaller networks, control")
    axes.plot(means(linear["test"], "file_bytes"), means(linear["test"]), "*", color="black",
              markersize=14, label="sparse linear")
    whole_ones = learned_of(model).values()
    axes.plot([means(rows, "file_bytes") for rows in whole_ones], [means(rows) for rows in whole_ones], "P:",
              color=COLORS[VD], fillstyle="none", markersize=9, label="variational dropout, not cut")
    plots.bytes_axis(axes)
    axes.set(title=NAMES[model], xlabel="complete file")
panels[0].set(ylabel="macro-F1 on test", ylim=(0.5, None))
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=10)
show(figure, alt="Macro-F1 on test against the bytes of the complete file. " + " ".join(map(by_bytes, MODELS))
     + f" Sparse linear {spoken([linear['test']])}. The picture ends at 0.5.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
def candidates(model, split):
    """Bytes and macro-F1 of everything with a file: methods at sparsities, and the baselines."""
    found = {(m, s): cell(model, m, s, split) for m in METHODS for s in SPARSITIES}
    found |= {(m, 0.0): cell(model, m, 0.0, split) for _, m in SMALLER[model]}
    found |= {("control", 0.0): cell(model, "control", 0.0, split), ("sparse linear", 0.0): linear[split]}
    found |= {(method, 0.0): rows for method, rows in learned_of(model, split).items()}
    return {key: (means(rows, "file_bytes"), means(rows)) for key, rows in found.items() if rows}


def best_within(model, budget):
    on_dev = candidates(model, "dev")
    return max((key for key, (size, _) in on_dev.items() if size <= budget), key=lambda k: on_dev[k][1])


budgets = {(model, s): max(means(cell(model, m, s), "file_bytes") for m in METHODS if cell(model, m, s))
           for model in MODELS for s in SPARSITIES}
choices = {key: best_within(key[0], budget) for key, budget in budgets.items()}
# %% jupyter={"source_hidden": true} tags=["hide-input"]
pruned_points = [(model, m, s) for model in MODELS for m in METHODS for s in SPARSITIES if cell(model, m, s)]
score_of = {key: means(cell(*key)) for key in pruned_points}
below_linear = sum(score < means(linear["test"]) for score in score_of.values())
smallest_above, just = min((means(cell(*key), "file_bytes"), score - means(linear["test"]))
                           for key, score in score_of.items() if score > means(linear["test"]))
claim(below_linear > len(pruned_points) / 2, "most pruned networks score below the sparse linear model")
claim(smallest_above > 5 * means(linear["test"], "file_bytes"), "those above it are far larger")
name_of = lambda key: key[0] + (f", {key[1]:.0%}" if key[1] else "")  # noqa: E731
budget_rows = "\n".join(
    f"| {NAMES[model]} | {s:.0%} | {winners[model, s]} | "
    f"{human_bytes(budgets[model, s])} | {name_of(choices[model, s])} | "
    f"{candidates(model, 'test')[choices[model, s]][1]:.4f} | "
    f"{means(cell(model, winners[model, s], s)):.4f} |" for model, s in budgets)

# %% [markdown]
# As a budget take the largest file of each sparsity, so that all methods fit in. Within it, dev chooses among all
# methods at all sparsities, what variational dropout had learned before the cut, *and* the dumb baselines:
#
# | | sparsity | best at this sparsity | budget | best within the budget | its macro-F1 on test | that of the best at this sparsity |
# | --- | ---: | --- | ---: | --- | ---: | ---: |
# {{ budget_rows }}
#
# The star in the picture is **the dumbest baseline of all**. The sparse linear model of unit 01 takes
# {{ human_bytes(means(linear["test"], "file_bytes")) }} and scores {{ means(linear["test"]):.4f}}. Of {{ len(pruned_points) }} pruned networks (each method cut to
# each sparsity, means over seeds), {{ below_linear }} score below it, and the smallest of those above it takes {{ human_bytes(smallest_above) }},
# {{ smallest_above / means(linear["test"], "file_bytes"):.0f}} times as much, for {{ 100 * just:.2f}} points. A chart of networks against each other never
# shows that.
#
# **So, which one works best?**
#
# - If there is time to train: gradual magnitude pruning, whose sparsity is what was asked for; or L0, mostly a little better
#   and at 98% clearly, if somebody spends the runs that finding its price takes.
# - If there is none: OBD, at 80% for {{ -points_at("dense", "OBD", 0.8):.1f}} points on Model 1 and {{ -points_at("GRU", "OBD", 0.8):.1f}} on the GRU, and nothing beyond. (At 50% the
#   activation-aware rule is as good or better.)
# - If it has to be *fast*: none of them. Remove units, heads and layers, and give what is left time to learn.
# - If it has to be small, and 0.58 will do: the sparse linear model, which needs no pruning at all.

# %% [markdown]
# ## 12. What you have learned
#
# *About 4 minutes, with the questions.*

# %% jupyter={"source_hidden": true} tags=["hide-input"]
recorded = "; ".join(sorted({
    f"{run['date']}, PyTorch {run['versions']['torch']}, {run['machine']['processor']}, "
    f"data: {run['data']['kind']}" for run in load_runs("pruning")}))

# %% [markdown]
# - **A count has no gradient; its expectation has.** Split, make random, take the noise out of the parameters,
#   soften, stretch and clip: each step is one line, and each can be checked by draws.
# - **A gate has three numbers**: in how many draws it is not 0 (its price), how far it is open in the mean, and
#   what it is at test time. It shuts for good at $\log\alpha = {{ SHUT:.3f}}$, where it still was open in
#   {{ still_open:.0%}} of the draws.
# - **Softening is paid for** by a ridge: at a price of 0.3, {{ worth[3] }} gates of sixteen were worth it, and
#   training left {{ left[3] }} or {{ left_low[3] }} open, depending on where it began.
# - **Gates alone make nothing faster** ({{ fast["gates"]:.2f}} times). Half of the heads removed: {{ fast["removed"]:.2f}} times;
#   half of the layers: {{ fast["half of the layers"]:.2f}}.
# - **Variational dropout** prices what is known of a weight. The divergence is added; equation 14 is its negative.
# - **Movement** is ahead while weights are on their way, and behind once they have arrived.
# - **Learned gates did not choose better heads than a draw**: they lost {{ lost_heads["L0 gates"]:.1f}} points with {{ heads_left }} of 72 heads left,
#   gradients by the gates {{ lost_heads["importance"]:.1f}}, a draw {{ lost_heads["random"]:.1f}}, and the size of the weights {{ lost_heads["magnitude"]:.1f}}.
# - **Learned masks beat the plain rule by little**, but at the highest sparsity. On Model 1 L0 loses {{ -points_at("dense", "L0", 0.95):.1f}} points at 95%
#   and {{ -points_at("dense", "L0", 0.98):.1f}} at 98%, gradual magnitude {{ -points_at("dense", GRADUAL, 0.95):.1f}} and {{ -points_at("dense", GRADUAL, 0.98):.1f}}. What variational dropout learned was as good as
#   gradual magnitude up to {{ as_learned["dense"][2][1]:.0%}}; a cut in each layer, without training after, ruined it.
# - **By bytes the sparse linear model beats {{ below_linear }} of {{ len(pruned_points) }} pruned networks**, in {{ human_bytes(means(linear["test"], "file_bytes")) }}.
#
# Recorded measurements: {{ recorded }}.

# %% [markdown]
# **Check yourself.** Five questions; each option answers back.

# %%
quiz(
    "A gate has log alpha = -2. In how many draws is it not 0, and what is it at test time?",
    {
        "In about 40% of draws; at test time a little above 0.":
            "sigmoid(-2 + 1.6) is 0.40; sigmoid(-2) is 0.119, stretched 0.043. It has not shut yet.",
        "In about 12% of draws; at test time 0.12.":
            "That is sigmoid(-2), without the stretch and without the temperature.",
        "In about 40% of draws; at test time 0.40.":
            "The probability of being open is not how far it is open.",
    },
    answer="In about 40% of draws; at test time a little above 0.",
)

# %%
quiz(
    "A network has gates at all heads, and 60% are shut. A colleague measures its latency: no change. Why?",
    {
        "The gates were learned badly.": "However they were learned, a product with 0 takes its time.",
        "A head that is multiplied by 0 is still computed.":
            "Remove its rows and columns, check that the outputs stay, and time it again.",
        "Attention takes no time.": "It takes some: half of the heads removed did make it faster.",
    },
    answer="A head that is multiplied by 0 is still computed.",
)

# %%
quiz(
    "Expected L0 says that 5,000 of 10,000 gates are open. The file holds 3,900 weights. Is it a mistake?",
    {
        "Yes: the closed form should give the number in the file.":
            "The closed form counts draws in training. The file holds the gates at test time.",
        "No: a gate that is open in up to 31% of the draws is 0 at test time.":
            "They count two things, and the second is what matters for bytes.",
        "No: the Monte Carlo error of 10,000 gates is as large as that.":
            "Its standard deviation is at most 50.",
    },
    answer="No: a gate that is open in up to 31% of the draws is 0 at test time.",
)

# %%
quiz(
    "In an implementation of variational dropout, all log alpha sink to the lower limit. What do you check first?",
    {
        "The threshold on log alpha.": "It only matters after training; log alpha sinks with any threshold.",
        "The sign of the divergence.":
            "Subtracted, it pays for knowledge: every weight becomes as exact as it can.",
        "Whether the noise is drawn at weights or at outputs.":
            "That changes how noisy gradients are, not where they point.",
    },
    answer="The sign of the divergence.",
)

# %%
quiz(
    "A paper prunes 90% of a transformer's weights by a learned mask and loses 0.5 points. Its file is written "
    "dense. What would you ask for before you call it compression?",
    {
        "The complete file's bytes, beside a smaller dense network of as many, trained as long.":
            "Sparsity is not bytes, and bytes have a dumb baseline.",
        "A higher sparsity.": "Perhaps it can bear more. It is not smaller yet.",
        "The expected L0 at the end of training.": "That is a number of the training, not of the file.",
    },
    answer="The complete file's bytes, beside a smaller dense network of as many, trained as long.",
)

# %% [markdown]
# **Next.** In the assignment you draw hard concrete gates and count what is left, write the loss of variational
# dropout with its sign, and remove attention heads and units of a GRU so that the smaller network says the same.
#
# **Further reading.** [Louizos et al. (2018)](https://arxiv.org/abs/1712.01312), section 2, is the derivation of
# section 2 here. [Voita et al. (2019)](https://arxiv.org/abs/1905.09418) look at what the heads that live do.
# [Michel et al. (2019)](https://arxiv.org/abs/1905.10650) remove heads without gates.
# [Gale et al. (2019)](https://arxiv.org/abs/1902.09574) trained such methods at a large scale, and found gradual
# magnitude pruning hard to beat.
