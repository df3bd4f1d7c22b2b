"""What is written in a figure is read like any other text, since a PNG has its outlines alone."""

import pytest
from matplotlib.figure import Figure

from mmcrl.disclosure import Drawing, inspect
from mmcrl.disclosure.artists import artists
from mmcrl.disclosure.madeup import notebook_of, people

PEOPLE = people()
SOME = PEOPLE.order[3:6]


def sorts(draw):
    """What the guard finds in the figure that this draws."""
    figure = Figure()
    draw(figure.subplots())
    return {
        finding.sort for finding in inspect(notebook_of(), [PEOPLE], None, [Drawing(1, **artists(figure))]).findings
    }


@pytest.mark.parametrize(
    "sort, draw",
    {
        "labels of ticks": ("id", lambda ax: ax.set_yticks([0, 1, 2], SOME)),
        "categories": ("id", lambda ax: ax.barh([f"person {i}" for i in SOME], [0.4, 0.3, 0.2])),
        "a note": ("id", lambda ax: ax.annotate(SOME[0], (0, 0))),
        "a legend": ("id", lambda ax: ax.legend(ax.plot([0, 1]), SOME[:1])),
        "a title": ("count", lambda ax: ax.set_title("only 3 people")),
        "a title of a figure": ("count", lambda ax: ax.figure.suptitle("n = 3")),
        "a label of an axis": ("count", lambda ax: ax.set_xlabel("score of four patients")),
    }.values(),
)
def test_what_is_written_in_a_figure_is_held_against_people(sort, draw):
    assert sorts(draw) == {sort}


def test_names_of_groups_and_places_on_an_axis_are_nobodys():
    def draw(ax):
        ax.plot([int(SOME[0]), int(SOME[1])], [5.1, 5.4], label="mean of 310 people")
        ax.set(title="HbA1c, 600 people", xlabel="SEQN", ylabel="people", xlim=(int(SOME[0]) - 1, int(SOME[1]) + 1))
        ax.set_yticks([5, 5.2, 5.5], ["young", "middle", "old"])
        ax.legend()

    assert sorts(draw) == set()
