"""What is taught has a card whose example runs: its source, and what people get wrong."""

import doctest
import importlib

import pytest

import utils.adaptive

MODULES = (
    "base",
    "early_exit",
    "halting",
    "parity",
    "pondernet",
    "recurrent",
    "spatial",
    "universal",
)
TAUGHT = (
    "EarlyExitTransformer",
    "PonderNetwork",
    "PonderingGRUCell",
    "RecurrentACTNetwork",
    "SpatialACTNetwork",
    "TimePenalty",
    "UniversalTransformerNetwork",
    "halting_weights",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_right(name):
    module = importlib.import_module(f"utils.adaptive.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", TAUGHT)
def test_a_card_is_complete(name):
    card = getattr(utils.adaptive, name).__doc__
    for part in (">>> ", "What people get wrong:", "Source:"):
        assert part in card, f"{name} lacks {part!r}"


def test_all_names_are_handed_on():
    assert sorted(utils.adaptive.__all__) == utils.adaptive.__all__
    assert all(hasattr(utils.adaptive, name) for name in utils.adaptive.__all__)
