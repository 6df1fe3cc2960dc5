import matplotlib
import matplotlib.pyplot as plt
import pytest

from utils import plots

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def style():
    with matplotlib.rc_context():
        plots.set_style()
        yield
    plt.close("all")
