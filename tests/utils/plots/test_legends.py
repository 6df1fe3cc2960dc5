"""Legends over curves are found, and no others."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils import plots
from utils.plots.legends import hidden_by_legends

RISING = np.linspace(0, 1, 50)
DRAWN = {
    "line": lambda ax: ax.plot(RISING, RISING, label="it"),
    "dashes": lambda ax: ax.plot(RISING, RISING, "--", linewidth=1, label="it"),
    "marks": lambda ax: ax.plot(RISING, RISING, "o", markersize=4, label="it"),
    "scatter": lambda ax: ax.scatter(RISING, RISING, label="it"),
    "steps": lambda ax: ax.step(RISING, RISING, label="it"),
    "bars": lambda ax: ax.bar(RISING, RISING, width=0.02, label="it"),
    "errors": lambda ax: ax.errorbar(RISING, RISING, 0.02, fmt="none", label="it"),
    "text": lambda ax: (
        ax.plot([0, 1], [0, 0], label="it"),
        ax.text(0.93, 0.95, "a name", transform=ax.transAxes),
    ),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
@pytest.mark.parametrize("place, hidden", [("upper right", ["it"]), ("upper center", [])])
def test_a_legend_over_what_is_drawn(draw, place, hidden):
    fig, ax = plt.subplots()
    draw(ax)
    ax.legend(loc=place)
    assert hidden_by_legends(fig) == hidden


def test_only_the_entries_in_the_way_are_told():
    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, 0], label="below")
    ax.axhline(1, label="above")
    ax.legend(loc=(0.4, 0.88))
    assert hidden_by_legends(fig) == ["below"]


def test_the_handle_may_not_lie_on_a_curve_either():
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.axvline(0.5, label="it")
    ax.legend(loc=(0.48, 0.3))
    assert hidden_by_legends(fig) == ["it"]
    ax.legend(loc=(0.52, 0.3))
    assert hidden_by_legends(fig) == []


def test_the_curve_may_be_of_a_twin_and_the_legend_of_the_figure():
    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, 0], label="low")
    twin = ax.twinx()
    twin.plot([0, 1], [0.9, 0.9])
    twin.set_ylim(0, 1)
    fig.legend(loc="center", bbox_to_anchor=(0.5, 0.9), bbox_transform=ax.transAxes)
    assert hidden_by_legends(fig) == ["low"]


def test_a_grid_and_a_pale_area_may_lie_behind():
    fig, ax = plt.subplots()
    ax.fill_between([0, 1], 0, 1, alpha=0.2, linewidth=0, label="likely")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.legend(loc="center")
    assert hidden_by_legends(fig) == []


def test_a_legend_outside_the_axes():
    fig, ax = plt.subplots()
    ax.plot(RISING, RISING, label="it")
    fig.legend(loc="outside lower center")
    assert hidden_by_legends(fig) == []
    assert hidden_by_legends(plt.figure()) == []  # which has none


def test_a_build_stops_and_a_student_does_not(monkeypatch):
    def rising():
        fig, ax = plt.subplots()
        ax.plot(RISING, RISING, label="it")
        ax.legend(loc="upper right")
        return fig

    monkeypatch.delenv("COURSE_BUILD", raising=False)
    plots.picture(rising(), alt="A rising line.")
    monkeypatch.setenv("COURSE_BUILD", "1")
    with pytest.raises(AssertionError, match="'it'.* lies over"):
        plots.picture(rising(), alt="A rising line.")
