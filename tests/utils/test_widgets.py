"""Widgets, driven in this process."""

import base64
import json
import os
from pathlib import Path

import ipywidgets
import matplotlib
import matplotlib.pyplot as plt
import pytest

from utils import widgets

matplotlib.use("agg")
VIEW = "application/vnd.jupyter.widget-view+json"
PNG = b"\x89PNG\r\n\x1a\n"


class Output:
    """The last thing displayed: its forms, and the widget itself."""

    def __init__(self):
        self.count = 0

    def __call__(self, data, metadata=None, raw=False):
        assert raw
        self.count += 1
        self.data, self.metadata = data, metadata
        if VIEW in data:
            self.box = ipywidgets.widgets.widget._instances[data[VIEW]["model_id"]]

    def all(self, kind, box=None):
        found = []
        for child in (box or self.box).children:
            if isinstance(child, ipywidgets.Box):
                found += self.all(kind, child)
            elif isinstance(child, kind):
                found.append(child)
        return found

    def text(self):
        return " ".join(html.value for html in self.all(ipywidgets.HTML))


@pytest.fixture
def output(monkeypatch, tmp_path):
    output = Output()
    monkeypatch.setattr(widgets, "display", output)
    monkeypatch.delenv("COURSE_EXERCISE_WIDGETS", raising=False)
    monkeypatch.setenv("COURSE_PREDICTIONS", str(tmp_path / "guesses.json"))
    return output


class Draw:
    """A function for ``explore`` that remembers what it was asked for."""

    def __init__(self, fails_at=()):
        self.calls, self.fails_at = [], fails_at

    def __call__(self, **values):
        self.calls.append(values)
        fig, ax = plt.subplots(figsize=(2, 1))
        if any(value in self.fails_at for value in values.values()):
            raise RuntimeError("cannot <draw> this")
        ax.plot([0, 1])
        return fig


def bits(**options):
    return ipywidgets.IntSlider(**{"value": 4, "min": 1, "max": 8, **options})


# -------------------------------------------------------------------------------------- explore


def test_explore_shows_widget_and_picture_in_one_output(output):
    widgets.explore(Draw(), "Error against bits.", bits=bits())
    assert output.count == 1
    assert set(output.data) == {VIEW, "image/png", "text/plain"}
    assert base64.b64decode(output.data["image/png"]).startswith(PNG)
    assert output.data["text/plain"] == output.metadata["image/png"]["alt"] == "Error against bits."
    assert output.data[VIEW]["version_major"] == 2
    assert plt.get_fignums() == []


def test_moving_a_control_draws_anew_with_all_values(output):
    draw, scheme = Draw(), ipywidgets.Dropdown(options=["linear", "log"])
    slider = bits()
    widgets.explore(draw, "Error.", bits=slider, scheme=scheme)
    image = output.all(ipywidgets.HTML)[0]
    first = image.value
    assert 'alt="Error."' in first and base64.b64decode(output.data["image/png"]) in (
        base64.b64decode(first.split("base64,")[1].split('"')[0]),
    )
    slider.value = 7
    scheme.value = "log"
    assert draw.calls == [
        {"bits": 4, "scheme": "linear"},
        {"bits": 7, "scheme": "linear"},
        {"bits": 7, "scheme": "log"},
    ]


def test_the_description_may_follow_the_values(output):
    slider = bits()
    widgets.explore(Draw(), lambda bits: f'At "{bits}" bits.', bits=slider)
    assert output.data["text/plain"] == 'At "4" bits.'
    slider.value = 8
    assert 'alt="At &quot;8&quot; bits."' in output.text()


def test_every_control_has_a_description_and_waits_until_it_is_let_go(output):
    named, unnamed = bits(description="number of bits"), bits()
    widgets.explore(Draw(), "Error.", named=named, arrival_rate=unnamed)
    assert (named.description, unnamed.description) == ("number of bits", "arrival rate")
    assert not unnamed.continuous_update
    assert unnamed.style.description_width == "initial"


def test_an_error_is_shown_and_raised_and_the_next_move_clears_it(output):
    slider, draw = bits(), Draw(fails_at=[2])
    widgets.explore(draw, "Error.", bits=slider)
    with pytest.raises(RuntimeError, match="cannot <draw> this"):
        slider.value = 2
    text = output.text()
    assert 'role="alert"' in text and "cannot &lt;draw&gt; this" in text
    assert "_errors_shown" not in text  # none of our own lines
    assert "base64" not in text  # no picture of other values
    assert plt.get_fignums() == []
    slider.value = 3
    assert 'role="alert"' not in output.text()
    assert draw.calls[-1] == {"bits": 3}


def move(control, value):
    """As a front end does: a message, whose errors ipywidgets sends to a log."""
    data = {"method": "update", "state": {"value": value}}
    control._handle_msg({"content": {"data": data}, "buffers": []})


def test_a_front_end_moves_a_control_and_sees_the_error(output):
    slider, draw = bits(), Draw(fails_at=[2])
    widgets.explore(draw, "Error.", bits=slider)
    move(slider, 6)
    move(slider, 2)
    assert 'role="alert"' in output.text() and "cannot &lt;draw&gt; this" in output.text()
    move(slider, 7)
    assert 'role="alert"' not in output.text()
    assert [call["bits"] for call in draw.calls] == [4, 6, 2, 7]


def test_jupyterlab_is_kept_from_the_keys_of_a_control(output):
    """What the attribute does in JupyterLab is shown by tests/browser."""
    widgets.explore(Draw(), "Error.", kind=ipywidgets.Dropdown(options=["a", "b"]))
    assert "data-lm-suppress-shortcuts" in output.text()
    widgets.predict("speed", "?")
    assert "data-lm-suppress-shortcuts" in output.text()
    widgets.quiz("?", OPTIONS, "p99")
    assert "data-lm-suppress-shortcuts" in output.data["text/html"]


def test_a_slider_over_options_shows_its_choice_where_nobody_can_type(output):
    slider = ipywidgets.SelectionSlider(options=[1, 8, 64], value=8)
    ends = ipywidgets.SelectionRangeSlider(options=[1, 8, 64], index=(0, 1))
    widgets.explore(Draw(), "Error.", size=slider, ends=ends)
    assert not slider.readout and not ends.readout
    labels = output.all(ipywidgets.Label)
    assert [label.value for label in labels] == ["8", "1 to 8"]
    slider.value, ends.index = 64, (1, 2)
    assert [label.value for label in labels] == ["64", "8 to 64"]


def test_a_list_is_as_wide_as_its_longest_option(output):
    chosen = ipywidgets.Dropdown(options=["a", "a comment " * 9])
    widgets.explore(Draw(), "Error.", comment=chosen)
    assert (chosen.layout.width, chosen.layout.max_width) == ("max-content", "100%")


def test_an_error_at_the_first_values_is_raised(output):
    with pytest.raises(RuntimeError):
        widgets.explore(Draw(fails_at=[4]), "Error.", bits=bits())
    assert output.count == 0


def test_explore_rejects_what_it_cannot_show(output):
    with pytest.raises(ValueError, match="at least one control"):
        widgets.explore(Draw(), "Error.")
    with pytest.raises(ValueError, match="alt"):
        widgets.explore(Draw(), "  ", bits=bits())
    with pytest.raises(TypeError, match="'bits' must be an ipywidget"):
        widgets.explore(Draw(), "Error.", bits=(1, 8))
    with pytest.raises(TypeError, match="returned int"):
        widgets.explore(lambda bits: bits, "Error.", bits=bits())
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (bits(), [1, 8, 4]),
        (ipywidgets.FloatLogSlider(value=10, base=10, min=0, max=3), [1, 1000, 10]),
        (ipywidgets.FloatSlider(value=0.5, min=0, max=1), [0, 1, 0.5]),
        (ipywidgets.BoundedIntText(value=2, min=0, max=5), [0, 5, 2]),
        (ipywidgets.Checkbox(value=False), [True, False]),
        (ipywidgets.Dropdown(options=["a", "b", "c"], value="b"), ["a", "b", "c", "b"]),
        (ipywidgets.RadioButtons(options=[("one", 1), ("two", 2)]), [2, 1]),
        (ipywidgets.SelectionSlider(options=[1, 8, 64], value=8), [1, 8, 64, 8]),
        (ipywidgets.SelectMultiple(options=["a", "b"], value=["a"]), [("b",), ("a",)]),
        (
            ipywidgets.IntRangeSlider(value=(2, 3), min=0, max=9),
            [(0, 9), (0, 0), (9, 9), (2, 3)],
        ),
        (
            ipywidgets.SelectionRangeSlider(options=[1, 8, 64], index=(0, 1)),
            [(1, 64), (1, 1), (64, 64), (1, 8)],
        ),
        (ipywidgets.Text(value="word"), []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exercise_moves_each_control_to_its_ends_and_back(output, monkeypatch, control, expected):
    monkeypatch.setenv("COURSE_EXERCISE_WIDGETS", "1")
    draw, first = Draw(), control.value
    widgets.explore(draw, "Error.", control=control, other=bits())
    seen = [call["control"] for call in draw.calls if call["other"] == 4]
    assert seen == [first, *expected, first]  # the last one when `other` comes back
    assert control.value == first
    assert {call["other"] for call in draw.calls} == {1, 4, 8}


def test_exercise_meets_an_error_at_the_end_of_a_slider(output, monkeypatch):
    draw = Draw(fails_at=[8])
    widgets.explore(draw, "Error.", bits=bits())  # nobody moves it: nothing happens
    monkeypatch.setenv("COURSE_EXERCISE_WIDGETS", "1")
    with pytest.raises(RuntimeError):
        widgets.explore(draw, "Error.", bits=bits())


# --------------------------------------------------------------------------- predict and reveal


def ask(output, key="speed", question="How long does `predict` take?", unit="ms"):
    widgets.predict(key, question, unit)
    return output.all(ipywidgets.Text)[0], output.all(ipywidgets.Button)[0]


def guesses():
    return json.loads(Path(os.environ["COURSE_PREDICTIONS"]).read_text())


def test_a_guess_is_written_down_by_the_button(output):
    number, button = ask(output)
    assert number.description == "Your guess (ms):" and button.description
    with number.hold_trait_notifications():
        number.value = "12.5"
    button.click()
    assert guesses() == {"speed": {"guess": 12.5, "unit": "ms"}}
    assert "Written down: 12.5 ms" in output.text()


def test_a_guess_is_written_down_by_enter_and_replaced_by_the_next(output):
    number, _ = ask(output)
    number.value = "3"
    ask(output, key="size", unit="kB")[0].value = "1e3"
    number.value = "4"
    assert guesses()["speed"]["guess"] == 4 and guesses()["size"]["guess"] == 1000
    assert os.listdir(Path(os.environ["COURSE_PREDICTIONS"]).parent) == ["guesses.json"]


@pytest.mark.parametrize("text", ["", "fast", "1,500", "nan", "inf", "12 ms"])
def test_what_is_no_number_is_not_written_down(output, text):
    number, button = ask(output)
    number.value = text
    button.click()
    assert "That is not a number" in output.text()
    assert not Path(os.environ["COURSE_PREDICTIONS"]).exists()


@pytest.mark.parametrize(
    ("unit", "bounds", "refused", "kept"),
    [
        ("%", {}, ["-3", "100.1"], "100"),
        ("%", {"high": 200}, ["-3", "201"], "150"),
        ("points", {}, ["-101", "101"], "-3"),
        ("ms", {}, ["-0.1"], "0"),
        ("", {"high": 1}, ["2", "-0.1"], "0.6"),
        ("times", {"low": -1}, ["-2"], "-0.5"),
    ],
)
def test_what_cannot_be_is_not_written_down(output, unit, bounds, refused, kept):
    widgets.predict("speed", "?", unit, **bounds)
    number = output.all(ipywidgets.Text)[0]
    for text in refused:
        number.value = text
        assert f"It cannot be {text} {unit}".rstrip() + ". Write a number" in output.text()
        assert not Path(os.environ["COURSE_PREDICTIONS"]).exists()
    number.value = kept
    assert guesses()["speed"]["guess"] == float(kept)


def test_bounds_without_room_are_refused(output):
    with pytest.raises(ValueError, match="no guess of 'speed' lies between 2 and 1"):
        widgets.predict("speed", "?", low=2, high=1)


def test_a_guess_of_before_is_shown(output):
    ask(output)[0].value = "1234567.5"
    number, _ = ask(output)
    assert number.value == "1234567.5" and "Your guess so far: 1234567.5 ms." in output.text()


def test_predict_leaves_a_text_and_no_picture(output):
    ask(output, question="Is 1 < 2?")
    assert set(output.data) == {VIEW, "text/html", "text/plain"}
    assert output.data["text/plain"].startswith("Predict (ms): Is 1 < 2?")
    assert "Is 1 &lt; 2?" in output.data["text/html"]


def test_a_write_that_fails_is_shown_raised_and_leaves_the_old_file(output, monkeypatch):
    number, _ = ask(output)
    number.value = "3"

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(widgets.os, "replace", full)
    with pytest.raises(OSError):
        number.value = "4"
    assert "No space left" in output.text()
    assert guesses()["speed"]["guess"] == 3
    assert os.listdir(Path(os.environ["COURSE_PREDICTIONS"]).parent) == ["guesses.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"speed": 3}', '{"speed": {"guess": "x"}}', "\xff"]
)
def test_a_broken_file_of_guesses_is_named(output, text):
    Path(os.environ["COURSE_PREDICTIONS"]).write_text(text, encoding="latin-1")
    for use in (lambda: widgets.predict("speed", "?"), lambda: widgets.reveal("speed", 1)):
        with pytest.raises(ValueError, match=r"guesses\.json is not a file of guesses any more"):
            use()


def test_without_the_variable_guesses_lie_in_the_working_directory(output, monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_PREDICTIONS")
    monkeypatch.chdir(tmp_path)
    ask(output)[0].value = "3"
    assert json.loads((tmp_path / "predictions.json").read_text())["speed"]["guess"] == 3


@pytest.mark.parametrize(
    ("guess", "measured", "verdict"),
    [
        ("12", 4, "Your guess was 3 times too high."),
        ("4", 12, "Your guess was 3 times too low."),
        ("1e6", 4, "Your guess was 250,000 times too high."),
        ("100", 104, "Your guess was right within 10% (a little low)."),
        ("4", 4, "Your guess was exact."),
        ("0", 4, "Your guess was 4 ms too low."),
        ("4", 0, "Your guess was 4 ms too high."),
        ("8", -4, "Your guess was 12 ms too high."),
    ],
)
def test_reveal_compares(output, guess, measured, verdict):
    ask(output)[0].value = guess
    widgets.reveal("speed", measured, "ms")
    lines = output.data["text/plain"].splitlines()
    assert lines[0].startswith("Your guess:") and lines[1].startswith("Measured:")
    assert lines[2] == verdict
    assert "<table>" in output.data["text/html"] and verdict in output.data["text/html"]
    assert output.data["text/html"].startswith("<details open>")
    assert set(output.data) == {"text/html", "text/plain"}


def test_reveal_says_when_there_is_no_guess(output):
    widgets.reveal("speed", 4.25, "ms")
    assert output.data["text/plain"].splitlines() == [
        "Measured:    4.25 ms",
        "You wrote down no guess for this one.",
    ]
    before, _, folded = output.data["text/html"].partition("</summary>")
    assert before.startswith("<details><summary>") and "4.25" in folded and "4.25" not in before


def test_reveal_rejects_another_unit_and_what_is_not_finite(output):
    ask(output)[0].value = "3"
    with pytest.raises(ValueError, match="guessed in 'ms' and measured in 's'"):
        widgets.reveal("speed", 0.003, "s")
    with pytest.raises(ValueError, match="finite"):
        widgets.reveal("speed", float("nan"), "ms")


@pytest.mark.parametrize(
    ("bounds", "measured"), [({}, -3), ({"high": 1}, 1.5), ({"low": 2, "high": 4}, 1)]
)
def test_a_build_stops_where_the_measurement_could_not_be_guessed(
    output, monkeypatch, bounds, measured
):
    monkeypatch.setenv("COURSE_BUILD", "1")
    widgets.predict("slope", "?", **bounds)
    with pytest.raises(AssertionError, match=f"'slope' takes {measured}, which was measured"):
        widgets.reveal("slope", measured)
    widgets.predict("slope", "?", low=-3, high=1.5)
    widgets.reveal("slope", measured)  # either end is a guess


# ----------------------------------------------------------------------------------------- quiz

OPTIONS = {"the mean": "It hides the tail.", "p99": "One request in 100 is slower."}


def test_every_option_of_a_quiz_answers_back_without_a_kernel(output):
    widgets.quiz("Is `1 < 2`?", {"`yes`": "Right so.", "no": "Look again."}, "`yes`")
    assert set(output.data) == {"text/html", "text/plain"}
    question, *folded = output.data["text/html"].split("<details>")
    assert "<code>1 &lt; 2</code>" in question and "Right so." not in question
    assert [text.split("</summary>") for text in folded] == [
        ["<summary><code>yes</code>", "<p><strong>Right.</strong> Right so.</p></details>"],
        ["<summary>no", "<p><strong>Not right.</strong> Look again.</p></details>"],
    ]
    assert output.data["text/plain"].splitlines()[1:] == ["( ) `yes`", "( ) no"]


def test_a_sealed_quiz_is_the_same_quiz_and_tells_nothing(output):
    widgets.quiz("?", OPTIONS, "p99")
    plain = output.data
    text = widgets.sealed(OPTIONS, "p99")
    assert not any(word in text for word in (*OPTIONS, *OPTIONS.values()))
    widgets.quiz("?", text)
    assert output.data == plain
    with pytest.raises(ValueError, match="not among the options"):
        widgets.sealed(OPTIONS, "median")


def test_a_quiz_without_a_right_answer_or_feedback_is_refused(output):
    with pytest.raises(ValueError, match="'median' is not among the options"):
        widgets.quiz("?", OPTIONS, "median")
    with pytest.raises(ValueError, match="at least two options"):
        widgets.quiz("?", {"p99": "Yes."}, "p99")
    with pytest.raises(ValueError, match="feedback"):
        widgets.quiz("?", OPTIONS | {"p50": " "}, "p99")
