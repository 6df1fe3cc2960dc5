"""What Jupyter does otherwise in this course; `make lab` and Binder name this folder to it, others by
JUPYTER_CONFIG_PATH.

A notebook that was run holds references to widgets of a kernel that is gone when it is opened again,
and they are shown before the picture or the text beside them: "Error displaying widget". So a saved
notebook keeps the picture.
"""

from pathlib import Path

VIEW = "application/vnd.jupyter.widget-view+json"


def without_views(model, **_):
    """Drop from a notebook that is about to be saved what only its kernel can show."""
    if model["type"] != "notebook" or model["content"]["nbformat"] != 4:
        return
    for cell in model["content"]["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if len(data) > 1:
                data.pop(VIEW, None)


c = get_config()  # noqa: F821 - Jupyter gives it
c.ContentsManager.pre_save_hook = without_views
# An exported page folds the cells that draw, as the notebook does.
c.HTMLExporter.extra_template_basedirs = [
    str(Path(__file__).parent / "course" / "assets" / "nbconvert")
]
c.HTMLExporter.template_name = "folded"
