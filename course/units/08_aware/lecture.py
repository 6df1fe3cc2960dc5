# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Aware
#
# A placeholder: say here what question this lecture answers, and why anybody should care.
#
# **After this lecture you can**
#
# 1. say what the placeholder measures;
# 2. replace the placeholder.
#
# **How it works.** Plan about 5 minutes. Before a result, a box asks for your guess: write one down.
# No number here is from memory: it is read from `course/results/` or computed while the notebook
# runs.

# %%
import matplotlib.pyplot as plt
import numpy as np

from utils import plots
from utils.plots import show
from utils.widgets import quiz

plots.set_style()

# %% [markdown]
# ## 1. What it measures
#
# *About 5 minutes.*
#
# Forty answers of a model that nobody built: most take about a millisecond, some take ten.

# %%
milliseconds = np.random.default_rng(0).choice([1.0, 1.1, 1.2, 10.0], size=40)
print(f"median {np.median(milliseconds):.2f} ms, mean {np.mean(milliseconds):.2f} ms")

# %% jupyter={"source_hidden": true} tags=["hide-input"]
fig, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
ax.hist(milliseconds, bins=20)
ax.set(xlabel="latency (ms)", ylabel="answers")
show(fig, "A histogram of latencies: most answers near one millisecond, some near ten")

# %% [markdown]
# ## 2. What you have learned
#
# - The mean follows the few slow answers; the median does not.

# %%
quiz(
    "One answer in forty takes a minute. Which of the two tells you so?",
    {
        "the mean": "It is the sum over all answers that is divided, and one long one moves it far.",
        "the median": "The one in the middle stays what it was, whatever the slowest is.",
    },
    answer="the mean",
)
