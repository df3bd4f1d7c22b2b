"""A small table of links and what the tests of pictures read off an axes."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib import rcParams
from matplotlib.axes import Axes

LINKS = pd.DataFrame(
    [
        ("age.0", "blood.0", 0.8, 0.99, "directed", "tier", 1, "cross", 0.5, 0.02),
        ("body.0", "blood.1", 0.4, 0.90, "undirected", "none", -1, "cross", 0.09, 0.01),
        ("body.0", "body.1", 0.3, 0.70, "undirected", "none", 1, "within", 0.04, 0.01),
        ("age.0", "body.1", 0.1, 0.50, "directed", "tier", 0, "cross", 0.005, 0.003),
        ("blood.0", "body.1", 0.1, 0.20, "undirected", "none", 1, "cross", 0.001, 0.003),
        ("blood.0", "body.0", 0.0, 0.01, "undirected", "none", 1, "cross", -0.001, 0.001),
    ],
    columns=[
        "source",
        "target",
        "strength",
        "confidence",
        "direction",
        "rests_on",
        "sign",
        "scope",
        "evidence",
        "evidence_se",
    ],
)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close every figure, and see that a plot left matplotlib's settings alone."""
    before = dict(rcParams)
    yield
    assert dict(rcParams) == before, "a plot changed matplotlib's settings"
    plt.close("all")


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    box = ax.get_legend()
    return [] if box is None else [text.get_text() for text in box.get_texts()]
