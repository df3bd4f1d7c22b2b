"""Pictures of real people are found whatever their size on the page."""

import numpy as np
import pytest
from PIL import Image

from mmcrl.disclosure import Drawing, inspect
from mmcrl.disclosure.madeup import measured, notebook_of, people
from mmcrl.disclosure.pictures import is_picture


@pytest.mark.parametrize("side", [32, 40, 48, 130])
@pytest.mark.parametrize("way", [Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_an_enlarged_image_is_found_however_it_was_enlarged_and_nobody_else_s(side, way):
    def enlarged(image, turns):
        return np.rot90(np.asarray(Image.fromarray(image.astype(np.float32)).resize((side, side), way)), turns)

    known, others = people().pictures[0], people(seed=8).pictures[0]
    uneven = side % 16 and way == Image.Resampling.NEAREST  # pixels of unequal size
    assert uneven or all(is_picture(enlarged(known[7 * k, 0], k), [known]) for k in range(4))
    assert not any(is_picture(enlarged(image[0], 1), [known]) for image in others[:5])
    assert not is_picture(enlarged(known.mean(0)[0], 0), [known]), "the mean of all"


def sorts_of_marks(values):
    marks = np.column_stack([np.ones(len(values)), values])
    found = inspect(notebook_of(), [people()], drawings=[Drawing(1, marks=[marks])]).findings
    return {finding.sort for finding in found}


def test_outliers_beside_a_box_are_people_and_quantiles_are_not():
    weight = measured(people())["weight"].to_numpy()
    outermost = np.sort(weight)[-3:]
    assert sorts_of_marks(outermost) == {"scatter"}
    assert sorts_of_marks(outermost + 0.03) == set(), "nobody's values"
    assert sorts_of_marks(np.quantile(weight, [0.1, 0.25, 0.5, 0.75, 0.9])) == set()
    assert sorts_of_marks(np.array([1.0, 2.0, 3.0])) == set()
