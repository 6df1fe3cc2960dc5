"""Interactive parts of a lecture that leave something to read where nothing can be moved.

Each function displays one output with several forms. JupyterLab shows the widget; a front end
without widgets (GitHub, the site, a printed page) shows the picture or the text beside it.

Two environment variables matter:

``COURSE_EXERCISE_WIDGETS=1``
    move every control to its ends while the notebook runs, so that a build meets the errors that
    a student would meet.
``COURSE_PREDICTIONS``
    the file of guesses, instead of ``predictions.json`` in the working directory.
"""

import json
import math
import os
import re
import tempfile
import traceback
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

from utils.claims import claim
from utils.plots import checked_alt, picture

_VIEW = "application/vnd.jupyter.widget-view+json"

# JupyterLab takes the keys of whatever has the focus in an output for its own: the arrows leave the
# cell, and "D D" deletes it. Only this attribute stops that, on the very element that has the focus
# (most shortcuts ask for ":focus"), and ipywidgets cannot set it, so an invisible image does once it
# has loaded: for every widget, and for what unfolds.
_KEEP_KEYS = """<img alt="" role="presentation" width="1" height="1" onload="
document.keepsWidgetKeys || (document.keepsWidgetKeys = true, document.addEventListener('focusin',
event => event.target.closest('.jupyter-widgets, .jp-OutputArea summary')
&& event.target.setAttribute('data-lm-suppress-shortcuts', 'true')))"
src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">"""


def _display(box: ipywidgets.Widget, bundle: dict, metadata: dict | None = None) -> None:
    """One output: the widget, and what stands in for it elsewhere."""
    display({_VIEW: box.get_view_spec(), **bundle}, metadata=metadata or {}, raw=True)


@contextmanager
def _errors_shown(area: ipywidgets.HTML, result: ipywidgets.HTML | None = None) -> Iterator[None]:
    """Show an error under the widget, where a student sees it, and let it go on.

    In a live notebook the error of a callback ends in a log that few people open; in a build it
    must stop the notebook. An earlier ``result`` is taken away: it was for other values than the
    controls now show.
    """
    area.value = ""
    try:
        yield
    except Exception as error:
        # Without this file's own lines, which come first.
        where = error.__traceback__
        while where.tb_next and where.tb_frame.f_code.co_filename == __file__:
            where = where.tb_next
        text = escape("".join(traceback.format_exception(type(error), error, where)))
        area.value = f'<div role="alert"><strong>Something failed.</strong><pre>{text}</pre></div>'
        if result is not None:
            result.value = ""
        raise


def _exercising() -> bool:
    return os.environ.get("COURSE_EXERCISE_WIDGETS") == "1"


def _prose(text: str) -> str:
    """Text as HTML: escaped, with `code` between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


# ------------------------------------------------------------------------------------ explore


def explore(draw: Callable[..., Figure], alt: str | Callable[..., str], **controls) -> None:
    """A picture with controls: it is drawn anew when one of them moves.

    Where no control can be moved, the picture at their first values stands there.

    Parameters
    ----------
    draw : function of the controls' values, by name, that returns a matplotlib figure
    alt : what the picture shows, for those who cannot see it
        Either a text that holds for any values, or a function of the values like ``draw``.
    **controls : ipywidgets, such as ``bits=IntSlider(value=4, min=1, max=8)``
        One without a description is described by its name. Sliders redraw when they are let go,
        not on the way: on one core the pictures would queue up.

    Raises
    ------
    ValueError
        If there is no control, or a description of the picture is empty.
    TypeError
        If a control is not a widget with a value, or ``draw`` does not return a figure.

    Notes
    -----
    An error in ``draw`` is shown under the picture and raised. With ``COURSE_EXERCISE_WIDGETS=1``
    each control is moved to its least and greatest value, or to each of its options, and back.
    """
    if not controls:
        raise ValueError("explore needs at least one control; for a fixed picture use plots.show")
    for name, control in controls.items():
        if not isinstance(control, ipywidgets.DOMWidget) or not control.has_trait("value"):
            raise TypeError(f"the control {name!r} must be an ipywidget with a value")
        _describe(control, name)

    image, errors = ipywidgets.HTML(), ipywidgets.HTML()
    rows = [_with_choice(control) for control in controls.values()]

    def render() -> tuple[dict, dict]:
        values = {name: control.value for name, control in controls.items()}
        with _errors_shown(errors, image), _no_figures_left():
            figure = draw(**values)
            if not isinstance(figure, Figure):
                raise TypeError(
                    f"the function given to explore must return a matplotlib Figure, "
                    f"it returned {type(figure).__name__}"
                )
            text = checked_alt(alt(**values) if callable(alt) else alt)
            bundle, metadata = picture(figure, text)
        width = metadata["image/png"]["width"]
        image.value = (
            f'<img src="data:image/png;base64,{bundle["image/png"]}" '
            f'alt="{escape(text, quote=True)}" style="width: {width}px; max-width: 100%">'
            f"{_KEEP_KEYS}"
        )
        return bundle, metadata

    bundle, metadata = render()
    for control in controls.values():
        control.observe(lambda change: render(), names="value")
    if _exercising():
        for control in controls.values():
            _move_to_ends(control)
    box = ipywidgets.VBox([*rows, image, errors])
    _display(box, bundle, metadata)


def _describe(control, name: str) -> None:
    if not getattr(control, "description", ""):
        control.description = name.replace("_", " ")
    if hasattr(control.style, "description_width"):
        control.style.description_width = "initial"  # or a long description is cut off
    if control.has_trait("continuous_update"):
        control.continuous_update = False
    if isinstance(control, ipywidgets.Dropdown | ipywidgets.Combobox):
        control.layout.width, control.layout.max_width = "max-content", "100%"  # long options


def _with_choice(control) -> ipywidgets.Widget:
    """A control as it is shown. A slider over options lets one type into its readout and takes no
    notice, so it gets a label that nobody can type into."""
    if not isinstance(control, ipywidgets.SelectionSlider | ipywidgets.SelectionRangeSlider):
        return control
    control.readout = False
    label = ipywidgets.Label()

    def say(_=None) -> None:
        chosen = control.label
        label.value = " to ".join(chosen) if isinstance(chosen, tuple) else chosen

    say()
    control.observe(say, names="value")
    return ipywidgets.HBox([control, label])


@contextmanager
def _no_figures_left() -> Iterator[None]:
    """Close what a failing ``draw`` leaves open: the notebook would show it after the cell."""
    before = set(plt.get_fignums())
    try:
        yield
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def _ends(control) -> list[tuple[str, object]]:
    """(trait, value) pairs that bring a control to its ends."""
    if isinstance(control, ipywidgets.SelectMultiple):
        return [("index", (i,)) for i in range(len(control.options))]
    if isinstance(control, ipywidgets.SelectionRangeSlider):
        last = len(control.options) - 1
        return [("index", ends) for ends in ((0, last), (0, 0), (last, last))]
    if control.has_trait("options") and control.has_trait("index"):
        return [("index", i) for i in range(len(control.options))]
    if isinstance(control.value, bool):
        return [("value", False), ("value", True)]
    if control.has_trait("min") and control.has_trait("max"):
        low, high = control.min, control.max
        if isinstance(control, ipywidgets.FloatLogSlider):  # its ends are exponents
            low, high = control.base**low, control.base**high
        if isinstance(control.value, tuple):
            return [("value", ends) for ends in ((low, high), (low, low), (high, high))]
        return [("value", low), ("value", high)]
    return []  # a text box has no ends


def _move_to_ends(control) -> None:
    first = control.value
    for trait, value in _ends(control):
        setattr(control, trait, value)
    control.value = first


# --------------------------------------------------------------------------- predict and reveal


def _predictions_file() -> Path:
    return Path(os.environ.get("COURSE_PREDICTIONS") or "predictions.json").absolute()


def _read_guesses() -> dict:
    path = _predictions_file()
    if not path.exists():
        return {}
    try:
        guesses = json.loads(path.read_text(encoding="utf-8"))
        for guess in guesses.values():
            float(guess["guess"]), str(guess["unit"])
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path} is not a file of guesses any more ({error}): "
            "delete or rename it and run the cell again"
        ) from error
    return guesses


def _write_guess(key: str, guess: float, unit: str) -> None:
    path = _predictions_file()
    guesses = _read_guesses() | {key: {"guess": guess, "unit": unit}}
    # Written beside the file and then renamed: a kernel killed halfway leaves the old file whole.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(guesses, file, indent=1, ensure_ascii=False)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _parse(text: str) -> float | None:
    """A finite number, or None. Commas are refused: 1,500 is a large number here, a small there."""
    try:
        number = float(text.strip().replace(" ", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _with_unit(number: float, unit: str) -> str:
    digits = f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
    return f"{digits} {unit}".strip()


# What a guess can be, by its unit; an amount of anything else is at least nothing.
_BOUNDS = {"%": (0.0, 100.0), "points": (-100.0, 100.0)}
_asked: dict[str, tuple[float, float]] = {}  # the bounds of the guesses that this kernel asked for


def predict(key: str, question: str, unit: str = "", *, low=None, high=None) -> None:
    """Ask for a guess, before the measurement is seen, and write it down.

    The guess is kept in a file (see the module) until another one replaces it, so it survives a
    restart of the kernel.

    Parameters
    ----------
    key : name of the guess, for :func:`reveal`
    question : what to guess
    unit : unit of the answer, such as ``"ms"``
    low, high : the least and the greatest guess that makes sense, such as 0 and 1 for an F1
        By default 0 to 100 for ``"%"``, -100 to 100 for ``"points"``, and else 0 or more.

    Raises
    ------
    ValueError
        If no guess lies between ``low`` and ``high``, or the file of guesses exists and is not one.
    OSError
        When a guess is written, if it cannot be; also shown under the box.
    """
    least, most = _BOUNDS.get(unit, (0.0, math.inf))
    low, high = least if low is None else low, most if high is None else high
    if not low < high:
        raise ValueError(f"no guess of {key!r} lies between {low:g} and {high:g}")
    _asked[key] = low, high
    unit_text = f" ({unit})" if unit else ""
    title = ipywidgets.HTML(f"<p><strong>Predict.</strong> {_prose(question)}{_KEEP_KEYS}</p>")
    number = ipywidgets.Text(
        description=f"Your guess{unit_text}:",
        placeholder="a number, such as 12.5",
        continuous_update=False,
        style={"description_width": "initial"},
    )
    button = ipywidgets.Button(description="Write it down", button_style="primary")
    status, errors = ipywidgets.HTML(), ipywidgets.HTML()

    def say(text: str) -> None:
        status.value = f'<p role="status">{escape(text)}</p>'

    def save(_=None) -> None:
        with _errors_shown(errors):
            guess = _parse(number.value)
            if guess is None:
                say("That is not a number. Write one with a decimal point, such as 12.5.")
                return
            if not low <= guess <= high:
                limits = f"{low:g} or more" if high == math.inf else f"from {low:g} to {high:g}"
                say(f"It cannot be {guess:.12g} {unit}".rstrip() + f". Write a number {limits}.")
                return
            _write_guess(key, guess, unit)
            say(f"Written down: {guess:.12g} {unit}".rstrip() + ". Now go on and see.")

    known = _read_guesses().get(key)
    if known:
        number.value = f"{known['guess']:.12g}"
        say(f"Your guess so far: {number.value} {known['unit']}".rstrip() + ".")
    number.observe(save, names="value")  # Enter, or leaving the box
    button.on_click(save)
    box = ipywidgets.VBox([title, ipywidgets.HBox([number, button]), status, errors])
    plain = f"Predict{unit_text}: {question}\nWrite down your guess before you go on."
    html = (
        f"<p><strong>Predict{escape(unit_text)}.</strong> {_prose(question)}</p>"
        "<p>Write down your guess before you go on.</p>"
    )
    _display(box, {"text/html": html, "text/plain": plain})


def reveal(key: str, measured: float, unit: str = "") -> None:
    """Set the guess of :func:`predict` beside what was measured.

    It is folded until there is a guess, so that nobody sees it who has not made one. What is measured
    must be a guess that :func:`predict` would have taken, see :func:`utils.claims.claim`.

    Parameters
    ----------
    key : name of the guess
    measured : the measurement, a finite number
    unit : its unit, the same as in :func:`predict`

    Raises
    ------
    ValueError
        If the measurement is not finite, the guess was asked for in another unit, or the file of
        guesses is not one.
    """
    measured = float(measured)
    if not math.isfinite(measured):
        raise ValueError(f"the measurement of {key!r} must be a finite number, got {measured}")
    low, high = _asked.get(key, (measured, measured))
    claim(low <= measured <= high, f"{key!r} takes {measured:g}, which was measured, as a guess")
    known = _read_guesses().get(key)
    rows = [("Measured", _with_unit(measured, unit))]
    if known is None:
        verdict, fold = "You wrote down no guess for this one.", "<details>"
    else:
        if known["unit"] != unit:
            raise ValueError(f"{key!r} was guessed in {known['unit']!r} and measured in {unit!r}")
        guess = float(known["guess"])
        rows.insert(0, ("Your guess", _with_unit(guess, unit)))
        verdict, fold = _compare(guess, measured, unit), "<details open>"
    plain = "\n".join([f"{name + ':':<12} {value}" for name, value in rows] + [verdict])
    cells = "".join(
        f'<tr><th scope="row">{name}</th><td>{escape(value)}</td></tr>' for name, value in rows
    )
    html = f"{fold}<summary>What was measured</summary><table>{cells}</table>"
    html += f"<p>{escape(verdict)}</p></details>"
    display({"text/html": html, "text/plain": plain}, raw=True)


def _compare(guess: float, measured: float, unit: str) -> str:
    if guess == measured:
        return "Your guess was exact."
    side = "high" if guess > measured else "low"
    same_sign = guess * measured > 0
    ratio = max(guess / measured, measured / guess) if same_sign else math.inf
    if ratio < 1.1:
        return f"Your guess was right within 10% (a little {side})."
    if guess < 0 or not same_sign:  # no ratio to speak of
        return f"Your guess was {_with_unit(abs(guess - measured), unit)} too {side}."
    factor = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.2g}"
    return f"Your guess was {factor} times too {side}."


# --------------------------------------------------------------------------------------- quiz


def quiz(question: str, options: Mapping[str, str] | str, answer: str = "") -> None:
    """A question with options that answer back, with a kernel and without.

    Parameters
    ----------
    question : what is asked
    options : option -> what to say to someone who chooses it, also for the right one: why
        In a built lecture the text that :func:`sealed` makes of both, so that the answer does not
        stand in the cell.
    answer : the right option

    Raises
    ------
    ValueError
        If there are fewer than two options, one says nothing back, or ``answer`` is none of them.
    """
    if isinstance(options, str):
        options, answer = json.loads(zlib.decompress(b64decode(options)))
    _check_quiz(options, answer)
    folded = "".join(
        f"<details><summary>{_prose(option)}</summary><p><strong>"
        f"{'Right.' if option == answer else 'Not right.'}</strong> {_prose(feedback)}</p></details>"
        for option, feedback in options.items()
    )
    html = f"<p><strong>{_prose(question)}</strong> Choose an answer:{_KEEP_KEYS}</p>{folded}"
    plain = "\n".join([question, *(f"( ) {option}" for option in options)])
    display({"text/html": html, "text/plain": plain}, raw=True)


def sealed(options: Mapping[str, str], answer: str) -> str:
    """Options, what they say back and the right one as a text that says nothing at a glance.

    Raises
    ------
    ValueError
        Where :func:`quiz` would.
    """
    _check_quiz(options, answer)
    text = json.dumps([dict(options), answer], ensure_ascii=False)
    return b64encode(zlib.compress(text.encode(), 9)).decode()


def _check_quiz(options: Mapping[str, str], answer: str) -> None:
    if len(options) < 2 or not all(feedback.strip() for feedback in options.values()):
        raise ValueError("a quiz needs at least two options, each with its feedback")
    if answer not in options:
        raise ValueError(f"the answer {answer!r} is not among the options {list(options)}")
