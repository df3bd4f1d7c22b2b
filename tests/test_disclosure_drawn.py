"""What matplotlib draws of people is found however it was drawn; what a page may draw of many is not."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mmcrl.disclosure import Drawing, inspect
from mmcrl.disclosure.madeup import measured, notebook_of, people
from mmcrl.runner.watch import artists

PEOPLE = people()
TABLE = measured(PEOPLE).reset_index(drop=True)
NIGHT, EYES = PEOPLE.series[0][:, 0], PEOPLE.pictures[0][:, 0].astype(float)


def sorts(draw):
    """What the guard finds in the figure that this draws on one axes."""
    figure = Figure()
    draw(figure.subplots())
    drawing = Drawing(1, **artists(figure))
    return {finding.sort for finding in inspect(notebook_of(), [PEOPLE], None, [drawing]).findings}


def density(ax):
    x, y = np.meshgrid(np.linspace(150, 200, 60), np.linspace(40, 130, 60))
    z = np.exp(-(((x - 170) / 9) ** 2) - ((y - 75) / 15) ** 2)
    ax.contourf(x, y, z)
    ax.clabel(ax.contour(x, y, z, colors="k"))


HONEST = {
    "a density of two columns": density,
}


@pytest.mark.parametrize("draw", HONEST.values(), ids=HONEST)
def test_what_a_page_may_draw_passes(draw):
    assert sorts(draw) == set()
