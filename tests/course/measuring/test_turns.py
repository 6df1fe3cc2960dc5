import numpy as np
import pytest

from course.measuring.turns import in_turns


class Model:
    """Notes what it is asked, in a list that several share."""

    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def predict_proba(self, texts, batch_size):
        assert batch_size == len(texts)
        self.calls.append((self.name, tuple(texts)))


@pytest.mark.parametrize("repeats", [1, 3])
def test_models_take_turns_at_each_full_batch_and_the_first_round_does_not_count(repeats):
    calls, noted = [], []
    models = {name: Model(name, calls) for name in "ab"}
    texts = [str(number) for number in range(7)]

    def after(model, batch):
        noted.append(model.name)
        return len(noted)

    (one, two) = in_turns(models, texts, (1, 3), repeats=repeats, seed=0, after=after)
    for (size, seconds, said), batches in (
        (one, 7),
        (two, 2),
    ):  # the seventh fills no batch of three
        assert size == {7: 1, 2: 3}[batches]
        for name in models:
            assert seconds[name].shape == (repeats, batches) and (seconds[name] > 0).all()
            assert len(said[name]) == repeats * batches
    assert [name for name, _ in calls] == noted == list("ab") * (7 + 2) * (repeats + 1)
    assert one[2]["a"][0] == 1 + 2 * 7  # after a round of seven batches for each of two models
    assert {text for _, batch in calls[:14] for text in batch} == set(texts)
    assert calls[0][1] == calls[1][1] != ("0",)  # the same batch for both, drawn at random


def test_a_seed_draws_the_batches():
    def asked(seed):
        calls = []
        models = {"a": Model("a", calls)}
        list(in_turns(models, np.arange(50).astype(str), (1,), repeats=1, seed=seed))
        return calls

    assert asked(0) == asked(0) != asked(1)
