"""Small bars, steps and cells are counts of people where all of them add up to these, whatever an axis says."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mmcrl.disclosure import Drawing, inspect
from mmcrl.disclosure.artists import artists
from mmcrl.disclosure.madeup import measured, notebook_of, people

PEOPLE = people(400)
TABLE = measured(PEOPLE).reset_index(drop=True)
GLUCOSE, HBA1C = TABLE["glucose"], TABLE["hba1c"]
BOTH = np.histogram2d(GLUCOSE, HBA1C, 15)[0]


def sorts(draw):
    figure = Figure()
    draw(figure.subplots())
    return {
        finding.sort for finding in inspect(notebook_of(), [PEOPLE], None, [Drawing(1, **artists(figure))]).findings
    }


SMALL = {
    "bars": lambda ax: ax.hist(GLUCOSE, 60),
    "bars of another name": lambda ax: (ax.hist(GLUCOSE, 60), ax.set(xlabel="glucose", ylabel="how many")),
    "bars across": lambda ax: ax.hist(GLUCOSE, 60, orientation="horizontal"),
    "bars of those held out": lambda ax: ax.hist(GLUCOSE[:100], 20),
    "bars of two groups": lambda ax: ax.hist([GLUCOSE[:250], GLUCOSE[250:]], 20),
    "steps": lambda ax: ax.hist(GLUCOSE, 60, histtype="step"),
    "filled steps": lambda ax: ax.hist(GLUCOSE, 60, histtype="stepfilled"),
    "stairs": lambda ax: ax.stairs(*np.histogram(GLUCOSE, 60)),
    "a line": lambda ax: ax.plot(np.histogram(GLUCOSE, 60)[0]),
    "two bars": lambda ax: ax.bar(["no", "yes"], [397, 3]),
    "cells": lambda ax: ax.hist2d(GLUCOSE, HBA1C, 15),
    "cells without empty ones": lambda ax: ax.hist2d(GLUCOSE, HBA1C, 15, cmin=1),
    "cells of an image": lambda ax: ax.imshow(BOTH),
    "cells of a mesh": lambda ax: ax.pcolormesh(BOTH),
}
EDGES = np.quantile(GLUCOSE, np.linspace(0, 1, 9))
EDGES[-1] += 0.01
GRAPH = np.zeros((25, 25))
GRAPH.flat[:100] = 1  # as many links as people are held out
MANY = {
    "large bars": lambda ax: ax.hist(GLUCOSE, EDGES),
    "large bars and empty ones": lambda ax: ax.hist(GLUCOSE, [-9, -8, -7, *EDGES, 90, 99]),
    "large steps": lambda ax: ax.hist(GLUCOSE, EDGES, histtype="step"),
    "a density of bars": lambda ax: ax.hist(GLUCOSE, 60, density=True),
    "large cells": lambda ax: ax.pcolormesh(np.array([[100, 90], [110, 100]])),
    "a share of each": lambda ax: (ax.bar(range(4), [60, 30, 7, 3]), ax.set_ylabel("% of all")),
    "numbers of links": lambda ax: (ax.bar(range(5), [40, 30, 20, 7, 3]), ax.set_ylabel("number of links")),
    "links alone": lambda ax: (ax.bar(range(5), [40, 30, 20, 7, 3]), ax.set_ylabel("links")),
    "a graph of links": lambda ax: ax.imshow(GRAPH),
    "places": lambda ax: ax.plot(range(25)),  # add up to 300
    "numbers of another sum": lambda ax: ax.bar(range(4), [41, 12, 7, 3]),
    "correlations": lambda ax: ax.imshow(TABLE.corr()),
}


@pytest.mark.parametrize("draw", SMALL.values(), ids=SMALL)
def test_small_ones_of_which_all_are_people_are_counts(draw):
    assert "count" in sorts(draw)


@pytest.mark.parametrize("draw", MANY.values(), ids=MANY)
def test_large_ones_shares_and_numbers_of_other_things_are_none(draw):
    assert sorts(draw) == set()
