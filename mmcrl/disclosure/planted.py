"""Planted: leaks of each sort, as somebody may write them without noticing. All must be refused."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.ndimage import zoom

from mmcrl.disclosure.artists import artists
from mmcrl.disclosure.drawings import Drawing
from mmcrl.disclosure.finding import Sort
from mmcrl.disclosure.madeup import attached, measured, notebook_of, shown
from mmcrl.disclosure.persons import Persons

__all__ = ["Leak", "planted"]


@dataclass(frozen=True)
class Leak:
    """A notebook that must be refused: what it leaks and how."""

    sort: Sort
    how: str
    notebook: dict[str, Any]
    drawings: list[Drawing] = field(default_factory=list)


def planted(persons: Persons, seed: int = 0) -> list[Leak]:
    """Leaks of these people, of each sort."""
    rng, table = np.random.default_rng(seed), measured(persons)
    tables = [*_ids(table, rng), *_rows(table, persons, rng), *_counts(table), *_files(table)]
    return [*tables, *_marks(table, rng), *_images(persons)]


def _ids(table: pd.DataFrame, rng: np.random.Generator) -> list[Leak]:
    person, some = int(rng.choice(table.index)), table.index[7:12]
    scores = pd.DataFrame({"score": rng.normal(size=5).round(3)}, index=some)
    failed = {
        "output_type": "error",
        "ename": "KeyError",
        "evalue": str(person),
        "traceback": [f"KeyError: {person}"],
    }
    stored = _json({"SEQN": [int(i) for i in some]})
    notebooks = {
        "one id printed": notebook_of(_print(f"{person}\n")),
        "an id as a float": notebook_of(_print(f"{float(person)}\n")),
        "an id in a sentence": notebook_of(_print(f"the outlier is {person}, see the file\n")),
        "the name of a person's file": notebook_of(_print(f"reading scans/person-{person}.png\n")),
        "a list of ids": notebook_of(shown([int(i) for i in some])),
        "ids that commas join": notebook_of(_print(",".join(map(str, some)) + "\n")),
        "lines of a file": notebook_of(_print(scores.assign(score=[9, 5, 3, 2, 1]).to_csv(header=False))),
        "the cohort's index": notebook_of(shown(some)),
        "the index of a table": notebook_of(shown(scores)),
        "a column of ids": notebook_of(shown(scores.reset_index())),
        "ids as columns": notebook_of(shown(scores.T)),
        "a printed table": notebook_of(_print(scores.to_string())),
        "a glued id": notebook_of(shown(str(person), "strongest")),
        "stored data": notebook_of(stored),
        "an error": notebook_of(failed),
        "a label in a picture": notebook_of(_svg(f"<!-- {person} -->")),
        "a link to a person's file": notebook_of(_html(f'<a href="scans/{person}.dcm">scan</a>')),
        "the name of an element": notebook_of(_html(f'<p id="p{person}">three years younger</p>')),
        "a comment in a page": notebook_of(_html(f"<p>the outlier</p><!-- {person} -->")),
        "ids in a script": notebook_of(_html(f"<script>const left = {[int(i) for i in some]};</script>")),
        "the name of an attachment": attached(f"{person}.png", {"image/png": ""}),
        "ids in the code": notebook_of(source=f"left_out = {[int(i) for i in some]}"),
        "ids in the metadata": notebook_of(metadata={"left_out": [int(i) for i in some]}),
    }
    return [Leak("id", how, notebook) for how, notebook in notebooks.items()]


def _rows(table: pd.DataFrame, persons: Persons, rng: np.random.Generator) -> list[Leak]:
    plain, body = table.reset_index(drop=True), persons.modalities["body"].values
    records = plain.head(3).to_dict("records")
    scripted = f"<script>plot({json.dumps(records)}, 3);</script>"
    linked = base64.b64encode(plain.head(3).to_csv(index=False).encode()).decode()
    named = " ".join(f'data-{name}="{value}"' for name, value in plain.iloc[13].items())
    embedded = f'<div><script type="application/json">{json.dumps(records)}</script></div>'
    scores = pd.DataFrame(rng.normal(size=(len(table), 2)), columns=["body.0", "blood.0"])
    notebooks = {
        "the first rows": notebook_of(shown(plain.head())),
        "rows drawn by lot": notebook_of(shown(plain.sample(4, random_state=0).reset_index(drop=True))),
        "one person": notebook_of(shown(plain.iloc[7].rename("example"))),
        "one person in a sentence": notebook_of(_print(str(plain.iloc[9].to_dict()))),
        "three cells of a person": notebook_of(shown(plain.loc[[3], ["weight", "waist", "glucose"]])),
        "printed rows": notebook_of(_print(plain.head().to_string())),
        "an array": notebook_of(shown(body[:4])),
        "values without names": notebook_of(_print("\t".join(map(str, plain.iloc[11, 2:])))),
        "one column, in order": notebook_of(shown(plain["height"].tolist()[:30])),
        "one column, sorted": notebook_of(shown(sorted(body[:40, 1].tolist()))),
        "stored records": notebook_of(_json(records)),
        "records in a script": notebook_of(_html(embedded)),
        "records in a program": notebook_of(_html(scripted)),
        "attributes of an element": notebook_of(_html(f"<p {named}>one of them</p>")),
        "a page in a frame": notebook_of(_html(f'<iframe srcdoc="{html.escape(plain.head().to_html())}">')),
        "a link to download a table": notebook_of(_html(f'<a href="data:text/csv;base64,{linked}">all</a>')),
        "a row of latents for each person": notebook_of(shown(scores)),
        "a row in the code": notebook_of(source=f"example = {body[5].tolist()}"),
        "a glued row": notebook_of(shown(plain.iloc[21].tolist(), "example")),
        "a table beside another one": notebook_of(_beside(plain.head().to_string())),
        **_stored(plain),
    }
    return [Leak("row", how, notebook) for how, notebook in notebooks.items()]


def _stored(plain: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Rows as JSON, in the ways in which pandas and others write it."""
    some, one = plain.iloc[30:34], json.loads(plain.iloc[15].to_json())
    ways = {how: some.to_json(orient=how) for how in ("index", "columns", "split")}
    values = {f"stored by {how}": json.loads(text) for how, text in ways.items()}
    values["one stored person"] = one
    values["stored records within records"] = [{"visit": 1, "of": row} for row in some.to_dict("records")]
    values["stored lines"] = some.to_json(orient="records", lines=True)
    notebooks = {how: notebook_of(_json(value)) for how, value in values.items()}
    notebooks["a row in a cell's metadata"] = notebook_of(metadata={"example": one})
    notebooks["a row in the notebook's metadata"] = {**notebook_of(), "metadata": {"example": one}}
    return notebooks


def _files(table: pd.DataFrame) -> list[Leak]:
    packed = base64.b64encode(gzip.compress(table.to_csv().encode())).decode()
    return [Leak("file", "a packed table", notebook_of(_html(f'<a href="data:;base64,{packed}">all</a>')))]


def _counts(table: pd.DataFrame) -> list[Leak]:
    oldest = pd.cut(table["age"], [19, 40, 79, 80]).astype(str)
    groups = pd.DataFrame({"people": [310, 286, 4], "HbA1c": [5.5, 5.7, 6.0]}, index=["young", "old", "oldest"])
    crossed = pd.crosstab(oldest, pd.qcut(table["lead"], [0, 0.01, 0.5, 1]).astype(str))
    named = pd.Series([400, 190, 7, 3], index=["none", "mild", "severe", "blind"], name="count")
    sorted_into = dict(zip(named.index, [len(table) - 110, 100, 7, 3], strict=True))
    bars = {words: Drawing(1, bars=[(words, np.array([120.0, 60.0, 3.0]))]) for words in ("people", "Patients")}
    leaks = {
        "a column of people": notebook_of(shown(groups)),
        "a printed column": notebook_of(_print(groups.rename(columns={"people": "n"}).to_string())),
        "values counted": notebook_of(shown(named.to_frame())),
        "a printed file": notebook_of(_print(groups.to_csv())),
        "a printed file of one column": notebook_of(_print(named.rename_axis("grade").to_csv(sep=";"))),
        "a cross table": notebook_of(shown(crossed)),
        "a sentence": notebook_of(_print("Only 3 people have both.\n")),
        "a sentence in words": notebook_of(_print("Only three participants have both.\n")),
        "a number behind its letter": notebook_of(_print("blind: n = 3\n")),
        "a number behind its name": notebook_of(_print("number of people: 3\n")),
        "a number out of all": notebook_of(_print(f"3 of {len(table)} have both.\n")),
        "counts as a dictionary": notebook_of(_print(f"{sorted_into}\n")),
        "a glued number": notebook_of(shown(4, "n_people_left_out")),
        "a number beside its share": notebook_of(_print("blind: 3 (0.5%)\n")),
        "a cell with its share": notebook_of(shown(pd.DataFrame({"blind": ["40 (6.7%)", "3 (0.5%)"]}))),
        "a column of cases": notebook_of(shown(named.replace(400, 410).rename("cases").to_frame())),
        "cases in a sentence": notebook_of(_print("There are 3 cases of glaucoma.\n")),
        "a cross table of some": notebook_of(shown(pd.crosstab(table["female"][:250], oldest[:250]))),
    }
    return [Leak("count", how, notebook) for how, notebook in leaks.items()] + [
        Leak("count", f"a low bar of {words}", notebook_of(), [drawing]) for words, drawing in bars.items()
    ]


def _marks(table: pd.DataFrame, rng: np.random.Generator) -> list[Leak]:
    latents, values = rng.normal(size=(len(table), 2)), table[["height", "weight"]].to_numpy()
    use = '<use xlink:href="#m1" x="1" y="1"/>'
    drawn = {
        "two columns": Drawing(1, marks=[values]),
        "latents": Drawing(1, marks=[latents]),
        "forty people": Drawing(1, marks=[values[rng.choice(len(values), 40, replace=False)]]),
        "groups in colours": Drawing(1, marks=[latents[i::6] for i in range(6)]),
        "a curve through everyone": Drawing(1, lines=[np.column_stack([np.arange(len(latents)), latents[:, 0]])]),
        **_shapes(values),
    }
    outlines = notebook_of(_svg('<g id="PathCollection_1">' + use * len(table) + "</g>"))
    return [Leak("scatter", how, notebook_of(), [drawing]) for how, drawing in drawn.items()] + [
        Leak("scatter", "outlines alone", outlines)
    ]


def _shapes(values: np.ndarray) -> dict[str, Drawing]:
    """Values of two dozen people in pictures without a mark, as matplotlib draws them."""
    drawings = {}
    at, some = np.arange(24), values[50:74, 1]
    for how, draw in {
        "bars of people": lambda ax: ax.bar(at, some),
        "a stem for each person": lambda ax: ax.vlines(at, 0, some),
        "a line across for each person": lambda ax: [ax.axhline(value) for value in some],
        "points beyond the whiskers of a box": lambda ax: ax.boxplot(values[:, 1]),
        "an area under people": lambda ax: ax.fill_between(at, some),
        "a shape with a corner for each person": lambda ax: ax.fill(at, some),
    }.items():
        figure = Figure()
        draw(figure.subplots())
        drawings[how] = Drawing(1, **artists(figure))
    return drawings


def _images(persons: Persons) -> list[Leak]:
    image, night = persons.pictures[0][4, 0].astype(float), persons.series[0][8, 0]
    other = np.round(image[3:5], 4)
    file = _png(image, 1)["data"]["image/png"]
    wrapped = base64.b64encode(f'<svg><image href="data:image/png;base64,{file}"/></svg>'.encode()).decode()
    drawn_file = f"data:image/svg+xml;base64,{wrapped}"
    notebooks = {
        "a picture file": notebook_of(_png(image, 1)),
        "a picture file, enlarged": notebook_of(_png(image, 8)),
        "a picture file, turned": notebook_of(_png(np.rot90(image), 1)),
        "a picture file in a drawn one": notebook_of(_svg(f'<image xlink:href="data:image/png;base64,{file}"/>')),
        "a picture file in a drawn one in a page": notebook_of(_html(f'<img src="{drawn_file}">')),
        "an attached picture": attached("a.png", {"image/png": file}),
    }
    drawn = {
        "an image": Drawing(1, images=[image]),
        "an image, each pixel four times": Drawing(1, images=[np.kron(image, np.ones((2, 2)))]),
        "an image, enlarged by straight lines": Drawing(1, images=[zoom(image, 3, order=1)]),
        "an image, mirrored and darker": Drawing(1, images=[0.4 * image[:, ::-1] - 2]),
        "a night": Drawing(1, lines=[np.column_stack([np.arange(len(night)), night])]),
        "a third of a night": Drawing(1, lines=[np.column_stack([np.arange(32), night[40:72]])]),
    }
    numbers = {"numbers of a night": night[:40].tolist(), "numbers of an image": other}
    return [
        *(Leak("image", how, notebook) for how, notebook in notebooks.items()),
        *(Leak("image", how, notebook_of(), [drawing]) for how, drawing in drawn.items()),
        *(Leak("row", how, notebook_of(shown(values))) for how, values in numbers.items()),
    ]


def _print(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def _json(value: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"application/json": value}}


def _beside(text: str) -> dict[str, Any]:
    """A text in an output that also has a table of something else."""
    table = "<table><tr><th>r2</th></tr><tr><td>0.5</td></tr></table>"
    return {"output_type": "display_data", "data": {"text/plain": text, "text/html": table}, "metadata": {}}


def _html(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/html": text}, "metadata": {}}


def _svg(inside: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"image/svg+xml": f"<svg>{inside}</svg>"}, "metadata": {}}


def _png(image: np.ndarray, scale: int) -> dict[str, Any]:
    from matplotlib.image import imsave

    file = io.BytesIO()
    imsave(file, np.kron(image, np.ones((scale, scale))), format="png", cmap="gray")
    data = {"image/png": base64.b64encode(file.getvalue()).decode()}
    return {"output_type": "display_data", "data": data, "metadata": {}}
