import pytest

from course.errors import UserError
from course.measuring.inference import evaluate, predict_lines
from utils.data import load_sample
from utils.models import SparseLinear
from utils.packing import save_model


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    data = load_sample("train")
    model = SparseLinear("ekman", data.label_names, C=2.0).fit(data.texts, data.labels)
    path = tmp_path_factory.mktemp("models") / "m.slm"
    save_model(model.tune(data.texts, data.labels), path)
    return path


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.delenv("GOEMOTIONS_DIR", raising=False)
    monkeypatch.setattr("utils.data.reading.find_goemotions", lambda: load_sample().source)


def test_each_line_gets_probabilities_and_labels_in_order(model_path):
    lines = ["Thank you so much, this made my day!\n", "\n", "see you there\r\n"] * 200
    answers = list(predict_lines(model_path, iter(lines)))
    assert [a["text"] for a in answers[:3]] == [
        "Thank you so much, this made my day!",
        "",
        "see you there",
    ]
    assert len(answers) == 600
    assert set(answers[0]["probabilities"]) == set(load_sample().label_names)
    assert "joy" in answers[0]["labels"]
    assert all(0 <= p <= 1 for p in answers[0]["probabilities"].values())


def test_a_line_is_answered_before_the_next_is_asked_for(model_path):
    asked = []

    def lines():
        for number in range(3):
            asked.append(number)
            yield f"text {number}\n"

    answers = predict_lines(model_path, lines(), batch=1)
    for number in range(3):
        assert next(answers)["text"] == f"text {number}"
        assert asked == list(range(number + 1))


@pytest.mark.parametrize("batch", [1, 2, 256])
@pytest.mark.parametrize("good", [0, 1, 2, 3])
def test_the_lines_before_a_bad_one_are_answered(model_path, batch, good):
    def lines():
        yield from (f"text {number}\n" for number in range(good))
        raise UserError("the next line is bad")

    answers = predict_lines(model_path, lines(), batch)
    assert [next(answers)["text"] for _ in range(good)] == [f"text {n}" for n in range(good)]
    with pytest.raises(UserError, match="the next line is bad"):
        next(answers)


def test_nothing_in_nothing_out(model_path):
    assert list(predict_lines(model_path, [])) == []


def test_evaluation_scores_the_file(model_path):
    report = evaluate(model_path, "train", "ekman")
    assert report["macro_f1_low"] < report["macro_f1"] < report["macro_f1_high"]
    assert report["macro_f1"] > 0.5
    assert report["file_bytes"] == model_path.stat().st_size
    assert (report["rows"], report["data"]) == (len(load_sample("train").texts), "sample")


def test_another_taxonomy_is_refused_with_the_right_one(model_path):
    with pytest.raises(UserError, match="--taxonomy ekman"):
        evaluate(model_path, "test", "sentiment")
