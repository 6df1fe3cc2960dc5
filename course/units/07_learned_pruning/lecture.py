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

from utils import plots
from utils.claims import claim
from utils.data import SPLITS, Vocabulary, label_names, load_sample
from utils.distillation import teacher_logits
from utils.efficiency import count_parameters
from utils.embeddings import distilled_vectors
from utils.metrics import macro_f1
from utils.models import MeanVectorNetwork, TransformerNetwork, predict_logits
from utils.plots import human_bytes, show
from utils.pruning import (
    L0Network,
    PenalizedLoss,
    VariationalNetwork,
    fit_to_the_end,
    gated,
    linear_units,
    prune_transformer,
    remove_units,
)
from utils.records import load_records, load_runs, summarise
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
        "0.1. To which value does it set the weight that is needed?")

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
claim(small["L0"] == small["L1"] == 0 != small["L2"], "L2 lets nothing go")
claim(best_weight(0.49, PRICES["L0"]) == 0 != best_weight(0.51, PRICES["L0"]),
      "L0 keeps what saves more than its price")

# %% [markdown]
# Weight decay makes everything smaller and nothing 0. L1 makes zeros, and takes
# {{ 1 - needed["L1"]:.3f }} from the weight that is needed as well: it cannot ask for few weights
# without asking for small ones. L0 alone asks one question, **whether**. It keeps a weight exactly if
# that saves more loss than $\lambda$, here $t^2 > \lambda$. You know $t^2$: it is the saliency
# $h w^2 / 2$ of Optimal Brain Damage, with $h = 2$.
#
# So why did nobody train with it? Move a weight a little and count again: the count is what it was.

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
by_differences, reinforce.mean(dim=0), reinforce.std(dim=0)

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim((by_differences - reinforce.mean(dim=0)).abs().max() < 0.005, "REINFORCE has the right mean")
noise_reinforce = (reinforce.std(dim=0) / reinforce.mean(dim=0).abs()).tolist()
claim(noise_reinforce[2] > 50, "the third gate's gradient drowns in the noise of the others")

# %% [markdown]
# The means agree. Look at the spread of a single draw: {{ noise_reinforce[0]:.1f }} times the gradient
# for the first gate, and {{ noise_reinforce[2]:,.0f }} times for the third. Its gradient is small, since
# its weight is; but every draw multiplies by the *whole* loss, in which the other gates make the noise.
# With a million gates, nobody could hear any of them.
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
# never exactly 0. Nothing would be pruned, and the count of what is not 0 would be $n$.
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
predict("noise", "REINFORCE's spread of a single draw was "
        f"{noise_reinforce[2]:,.0f} times the third gate's gradient. How many times will it be for a hard "
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
claim(max(noise_concrete) < 4 and noise_concrete[2] < noise_reinforce[2] / 20,
      "the gradient through the gate has far less noise")
reveal("noise", noise_concrete[2], "times")

# %% [markdown]
# They agree. Without the price, which has no noise at all, the spread of a draw is
# {{ noise_concrete[0]:.1f }}, {{ noise_concrete[1]:.1f }} and {{ noise_concrete[2]:.1f }} times the gradient of
# the loss (REINFORCE: {{ noise_reinforce[0]:.1f }}, {{ noise_reinforce[1]:.1f }} and {{ noise_reinforce[2]:,.0f }}):
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
    axes.bar([-0.06, 1.06], [5 * shut, 5 * open_], width=0.05, color=[RED, GREEN])
    for x, mass in ((-0.06, shut), (1.06, open_)):
        axes.annotate(f"{mass:.1%}", (x, min(5 * mass, 4.6)), xytext=(0, 4), ha="center",
                      textcoords="offset points")
    axes.set(ylim=(0, 5.2), xlim=(-0.12, 1.12), xlabel="gate", ylabel="density (bars: 5 times mass)",
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
    axes.bar([-0.08, 1.08], [5 * shut, 5 * open_], width=0.07, color=[RED, GREEN])
    axes.set(title="log α {:.0f}, β {:.2f}\nstretch {:.1f}".format(*case), xlabel="gate", ylim=(0, 3.5))
    axes.title.set_fontsize(11)
panels[0].set_ylabel("density (bars: 5 times mass)")
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
predict("test-gate", "In training, a gate is not 0 in nine draws of ten. What is its value at test time?")

# %%
reveal("test-gate", at_test_time(nine_in_ten))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
axis = torch.linspace(-5, 5, 401)
still_open = not_zero(torch.tensor(SHUT)).item()
with_temperature = BETA * SHUT
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
     f"above it: {still_open:.2f} where the gate at test time closes. The mean gate in training is close "
     "to the gate at test time.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
at_nine = at_test_time(nine_in_ten).item()
gap = (means - at_test_time(axis)).abs().max().item()
claim(0.6 < at_nine < 0.7 and 0.3 < still_open < 0.32, "a gate is less open than it is likely open")
claim(gap < 0.1, "the gate at test time is near the mean gate")

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
        "sixteen gates are open at the end?", "gates")

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
claim(left[1] == worth[1], "at a price of 0.03 gradients find the best set")
claim(left[3] > worth[3] and left[4] > worth[4], "at high prices more gates stay open than are worth it")
shrinks = (closed[1, 0] / truth16[0]).item()
claim(abs(shrinks - 1) < 0.05, "what stays keeps its size")

# %% [markdown]
# | price | 0.003 | 0.03 | 0.1 | 0.3 | 1 |
# | --- | ---: | ---: | ---: | ---: | ---: |
# | worth their price | {{ worth[0] }} | {{ worth[1] }} | {{ worth[2] }} | {{ worth[3] }} | {{ worth[4] }} |
# | open at the end | {{ left[0] }} | {{ left[1] }} | {{ left[2] }} | {{ left[3] }} | {{ left[4] }} |
#
# No gate of an input without a use stays open at any price, the order is that of usefulness, and what
# stays keeps its size (the first weight is {{ closed[1, 0]:.2f}}; L1 would have shrunk it). But at high
# prices gates stay open that are not worth it. It isn't a lack of patience. Look at one gate alone, of a
# weight of 0.5, at a price of 0.3: everything that descends on this curve, as $\log \alpha$ moves.

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
axes.annotate("start", (1.6, curve.min()), xytext=(5, 0), textcoords="offset points", color=GREEN)
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
claim(left_low[3] < left[3] or left_low[4] < left[4], "who starts lower ends with fewer gates")

# %% [markdown]
# Shut would cost {{ curve[0]:.2f}}, open costs {{ curve[-1]:.2f}}, and between them lies a **ridge**
# ({{ curve[top]:.2f}} at {{ ridge:.1f}}): a gate that is half open already pays nearly the whole price and
# disturbs the output as well. We started at 1.6, to the right of it. With a start at -2 the five prices
# leave {{ left_low[0] }}, {{ left_low[1] }}, {{ left_low[2] }}, {{ left_low[3] }} and {{ left_low[4] }} gates
# open. The mean of step 2 had no ridge; the softening of step 5 made it. So the learned mask depends on
# the start, not only on the price: one more number to tune, and to report.

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


ways = {"whole": lambda: minilm(pieces), "gates": switched_off, "removed": lambda: smaller(pieces),
        "half of the layers": lambda: cut(pieces)}
cut = prune_transformer(minilm, layers=3 * [True, False])


@torch.inference_mode()
def milliseconds(repeats=40):
    """Median milliseconds of this process, all ways in turns."""
    spent = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.process_time()
            way()
            spent[name].append(1000 * (time.process_time() - start))
    return {name: np.median(values) for name, values in spent.items()}


spent = milliseconds()
fast = {name: spent["whole"] / value for name, value in spent.items()}
reveal("half-heads", fast["removed"], "times")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
with torch.inference_mode():
    differs = (switched_off() - smaller(pieces)).abs().max().item()
gone = goes(heads=half_heads) / (6 * layer)
claim(differs < 1e-5, "the smaller network says what the gated one says")
claim(abs(fast["gates"] - 1) < 0.12, "a gate alone saves no time")
claim(1.05 < fast["removed"] < 1.5 < fast["half of the layers"],
      "half of the heads save far less time than half of the layers")

# %% [markdown]
# Both say the same (to {{ differs:.0e}}). Switched off: {{ fast["gates"]:.2f}} times as fast, which is to say,
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
fit(parent, *data, epochs=20, lr=5e-3, decay=True, **learn)


# %%
def learn_units(strength, epochs=12):
    gates = L0Network(copy.deepcopy(parent), units={"hidden": linear_units(parent, "hidden")}, stride=20)
    set_seed(0)
    history = fit_to_the_end(gates, *data, epochs=epochs, lr=2e-3, **learn,
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
# the networks say what the masked ones say (to {{ unlike:.0e}}). Their macro-F1 on the
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
    return (K1 - K1 * sigmoid(K2 + K3 * log_alpha)
            + 0.5 * torch.nn.functional.softplus(-log_alpha))


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
     f"integral differ by at most {worst:.3f}.")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
claim(worst < 0.01 and (np.diff(fitted) < 0).all(), "the approximation is within 0.01 and falls")
slope_left = (fitted[0] - fitted[2]) / (rates[2] - rates[0])
claim(abs(slope_left - 0.5) < 0.05, "a factor of e in alpha costs half a nat")

# %% [markdown]
# The approximation is within {{ worst:.3f}} everywhere. **The sign** is what goes wrong in practice. A
# divergence is a cost: it is *added* to the loss, falls as noise grows, and is 0 where nothing is known.
# Equation 14 is its negative. Try both on the hidden layer and the outputs of our parent. (With the noise
# drawn at each *output*, not at each weight; the sum of normal variables is normal, so this is the same
# distribution, and every comment of a batch gets noise of its own.)

# %%
def learn_noise(sign, epochs=20):
    noisy = VariationalNetwork(copy.deepcopy(parent), ["hidden.weight", "output.weight"], stride=20)
    set_seed(0)
    price = PenalizedLoss(cross_entropy, noisy.kl, sign / len(train.texts), warmup=200)
    history = fit_to_the_end(noisy, *data, epochs=epochs, lr=2e-3, loss=price, **learn)
    values = torch.cat([value.detach().flatten() for value in noisy.log_alphas().values()])
    return noisy, values, history


noisy, right_sign, noise_history = learn_noise(+1)
_, wrong_sign, _ = learn_noise(-1)
drowned, spared = ((values > 3).double().mean().item() for values in (right_sign, wrong_sign))

# %% jupyter={"source_hidden": true} tags=["hide-input"]
figure, axes = plt.subplots(figsize=(9, 3.6))
bins = np.linspace(-8, 8, 65)
axes.hist(right_sign, bins, color=BLUE, label="KL added")
axes.hist(wrong_sign, bins, color=RED, histtype="step", linewidth=2, label="KL subtracted")
axes.axvline(3, color="black", linestyle="--")
axes.set(xlabel="log α", ylabel=f"weights (of {len(right_sign):,})", yscale="log")
axes.legend()
show(figure, alt=f"Histogram of log alpha of {len(right_sign):,} weights. With the divergence added, "
     f"{drowned:.0%} lie above the threshold of 3; with it subtracted, {spared:.0%}.")

# %%
weights = torch.cat([noisy.network.get_parameter(name).detach().flatten() for name in noisy.names])
count = int((right_sign > 3).sum())
smallest = torch.zeros(len(weights), dtype=torch.bool)
smallest[weights.abs().argsort()[:count]] = True
both_drop = (smallest & (right_sign > 3)).sum().item() / count

# %% jupyter={"source_hidden": true} tags=["hide-input"]
f1_noise = macro_f1(test.labels, expit(predict_logits(noisy.pruned(), ids["test"]))
                    >= noise_history.thresholds)
claim(drowned > 0.3 and spared < 0.01, "with the right sign many weights drown, with the wrong one none")

# %% [markdown]
# With the divergence added, {{ drowned:.0%}} of the weights end above $\log\alpha = 3$ (a dropout rate of
# {{ expit(3):.2f}}) and become 0; with it subtracted, {{ spared:.1%}} do. Both programs run, and only the
# second looks as if "variational dropout did not work here".
#
# Is it magnitude in disguise? Of the weights that drowned, {{ both_drop:.0%}} are also among the equally many
# smallest: it mostly is, at least here. $\alpha = \sigma^2 / \theta^2$, and a weight that is not needed is
# pulled towards 0 while its noise grows.

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
# which is positive exactly if steps of descent made the weight *larger in size*. A toy: pretrained
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
right_axes.set(xscale="log", yscale="log", xlabel="steps of fine-tuning", ylabel="error on task B")
right_axes.set_xticks(lengths, [str(n) for n in lengths])
right_axes.minorticks_off()
right_axes.legend()
show(figure, alt="Left: movement score against the size of 64 weights after 10 steps; dashed, what each "
     f"method keeps: {both} of 32 are kept by both. Right: error on task B against steps of fine-tuning, "
     "with nothing pruned, half pruned by magnitude, half by movement: "
     + "; ".join(f"{steps} steps {a:.2g}, {b:.2g}, {c:.2g}" for steps, (a, b, c) in rows8.items()) + ".")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
ahead = [steps for steps, (_, size, move) in rows8.items() if move < size]
claim(ahead == list(lengths[:len(ahead)]) and 0 < len(ahead) < len(lengths),
      "movement is ahead while weights are on their way, and behind when they have arrived")

# %% [markdown]
# In the left picture the two keep the same weights in {{ both }} of 32 cases. Movement throws away large weights that are
# on their way to 0 (right, below), and keeps small ones that grow. On the right: up to {{ ahead[-1] }}
# steps it is the better choice, and **afterwards the worse one**: once weights have arrived, their size says
# what they are worth, and where they came from says nothing any more. So expect it to pay where
# fine-tuning is short and much is to go, and ask for the control.
