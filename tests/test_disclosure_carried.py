"""What a notebook carries in base64, in strings of JSON, in widgets, in files of pictures and in foreign SVG."""

import base64
import gzip
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image, PngImagePlugin

from mmcrl.disclosure import inspect
from mmcrl.disclosure.madeup import attached, measured, notebook_of, people

PEOPLE = people()
TABLE = measured(PEOPLE).reset_index(drop=True)
SOME, ONE = TABLE.head(), PEOPLE.order[7]
MEANS = TABLE.groupby(pd.cut(TABLE["age"], 5)).mean()
CSV = SOME.to_csv(index=False)


def coded(what):
    return base64.b64encode(what.encode() if isinstance(what, str) else what).decode()


def output(kind, value):
    return notebook_of({"output_type": "display_data", "data": {kind: value}, "metadata": {}})


def widgets(**state):
    kept = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {"model_name": "Any", "state": state}}}}
    return {**notebook_of(), "metadata": {"widgets": kept}}


def sorts(notebook):
    return {finding.sort for finding in inspect(notebook, [PEOPLE]).findings}


def picture(form, **saved):
    file = io.BytesIO()
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(file, form, **saved)
    return coded(file.getvalue())


def with_text(text):
    note = PngImagePlugin.PngInfo()
    note.add_text("Title", text)
    return picture("PNG", pnginfo=note)


def with_exif(text):
    exif = Image.Exif()
    exif[0x010E] = text
    return picture("JPEG", exif=exif)


def link(kind):
    return f"<a download='a.csv' href='data:{kind};base64,{coded(CSV)}'>all</a>"


def packed(values):
    return {"dtype": "f8", "bdata": coded(np.asarray(values, dtype=float).tobytes())}


def traces(x, y):
    return output("application/vnd.plotly.v1+json", {"data": [{"x": packed(x), "y": packed(y)}]})


printed = {"output_type": "stream", "name": "stdout", "text": SOME.to_string()}
LEAKS = {
    "a page in a widget": ("row", widgets(value=SOME.to_html())),
    "an output in a widget": ("row", widgets(outputs=[printed])),
    "an id in a widget": ("id", widgets(value=f"<b>{ONE}</b>")),
    "an id in a widget's label": ("id", widgets(description=f"scan {ONE}")),
    "a file in a string": ("row", output("application/json", {"csv": CSV})),
    "a page in a string": ("row", output("application/json", {"html": SOME.to_html()})),
    "a page in a string of a text": ("row", output("application/json", json.dumps({"html": SOME.to_html()}))),
    "a page in the metadata": ("row", notebook_of(metadata={"note": SOME.to_html()})),
    "bytes": ("row", output("text/html", link("application/octet-stream"))),
    "a spreadsheet that is none": ("row", output("text/html", link("application/vnd.ms-excel"))),
    "no kind": ("row", output("text/html", link(""))),
    "a link in a text": (
        "row",
        {"metadata": {}, "cells": [{"cell_type": "markdown", "source": link(""), "metadata": {}}]},
    ),
    "a program that downloads": ("row", output("text/html", f"<script>save('{coded(CSV)}')</script>")),
    "printed": ("row", notebook_of({"output_type": "stream", "text": coded(CSV)})),
    "an attached file": ("row", attached("a.csv", {"text/csv": coded(CSV)})),
    "an attached list": ("id", attached("a.json", {"application/json": coded(json.dumps(PEOPLE.order[3:8]))})),
    "arrays of plotly": ("row", traces(TABLE["height"], TABLE["weight"])),
    "forty people in arrays of plotly": ("row", traces(TABLE["height"][:40], TABLE["weight"][:40])),
    "a note in a PNG": ("id", output("image/png", with_text(f"fundus of SEQN {ONE}"))),
    "a note in a PNG in a page": (
        "id",
        output("text/html", f"<img src='data:image/png;base64,{with_text(f'fundus of SEQN {ONE}')}'>"),
    ),
    "a note in a JPEG": ("id", output("image/jpeg", with_exif(f"SEQN {ONE}"))),
}
eye = np.kron(PEOPLE.pictures[0][4, 0], np.ones((2, 2)))
grey = ((eye - eye.min()) / np.ptp(eye) * 255).astype(np.uint8)
file = io.BytesIO()
Image.fromarray(grey).save(file, "PNG")
memory = [{"data": coded(file.getvalue()), "encoding": "base64", "path": ["value"]}]
LEAKS["an image in a widget's memory"] = ("image", widgets(buffers=memory))


def moving(form):
    """Somebody's image as the second of a moving picture."""
    file = io.BytesIO()
    frames = [Image.fromarray(np.full_like(grey, 90)), Image.fromarray(grey)]
    frames[0].save(file, form, save_all=True, append_images=frames[1:], lossless=True)
    return coded(file.getvalue())


def coloured():
    """A photograph of which the cohort has one colour, and whose others say something else."""
    noise, file = np.random.default_rng(0).integers(0, 256, (*grey.shape, 2), dtype=np.uint8), io.BytesIO()
    Image.fromarray(np.dstack([noise, grey])).save(file, "PNG")
    return coded(file.getvalue())


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("people.csv", CSV)
    return file.getvalue()


film = coded(b"\0\0\0\x20ftypisom" + bytes(60))
broken = coded(file.getvalue()).replace("A", "A\\\n")  # as matplotlib breaks the lines of its animations
LEAKS |= {
    "an image in a moving GIF": ("image", output("image/gif", moving("GIF"))),
    "an image in a moving WebP": (
        "image",
        output("text/html", f"<img src='data:image/webp;base64,{moving('WEBP')}'>"),
    ),
    "one colour of a photograph": ("image", output("image/png", coloured())),
    "an image in a program": (
        "image",
        output("text/html", f"<script>f[0] = 'data:image/png;base64,{broken}'</script>"),
    ),
    "a zip file": ("file", output("text/html", f"<a href='data:;base64,{coded(zipped())}'>all</a>")),
    "a PDF": ("file", output("application/pdf", coded(b"%PDF-1.7 " + CSV.encode()))),
    "a compressed file": ("file", notebook_of({"output_type": "stream", "text": coded(gzip.compress(CSV.encode()))})),
    "a film": ("file", output("text/html", f"<video src='data:video/mp4;base64,{film}'></video>")),
    "an attached spreadsheet": ("file", attached("a.xlsx", {"application/vnd.ms-excel": coded(zipped())})),
}


@pytest.mark.parametrize("sort, notebook", LEAKS.values(), ids=LEAKS)
def test_what_a_notebook_carries_is_found(sort, notebook):
    assert sort in sorts(notebook)


HONEST = {
    "a page of means in a widget": widgets(value=MEANS.to_html(), description="7 latents", layout="IPY_MODEL_50123"),
    "progress": widgets(value=" 600/600 [00:03<00:00, 120.5it/s]"),
    "a file of means": output("text/html", f"<a href='data:;base64,{coded(MEANS.to_csv())}'>all</a>"),
    "means in a string": output("application/json", {"html": MEANS.to_html(), "csv": MEANS.to_csv()}),
    "arrays of means": traces(MEANS["height"], MEANS["weight"]),
    "a plain note": output("image/png", with_text("Matplotlib version 3.11.2, https://matplotlib.org/")),
    "a checksum": notebook_of({"output_type": "stream", "text": "0f" * 64}),
    "coded bytes": output("application/pdf", coded(bytes(range(256)) * 9)),
}


def test_a_packed_file_of_simulated_people_is_nobodys():
    assert not inspect(output("application/pdf", coded(b"%PDF-1.7 " + CSV.encode()))).findings


@pytest.mark.parametrize("notebook", HONEST.values(), ids=HONEST)
def test_aggregates_may_be_carried(notebook):
    assert sorts(notebook) == set()


def test_what_is_carried_is_no_further_output():
    report = inspect(output("text/html", link("")), [PEOPLE])
    assert (report.checked["outputs"], report.checked["tables"]) == (1, 0)


# Foreign SVG

WEIGHT = 300 - TABLE["weight"].to_numpy()
PLACES = list(zip(range(600), WEIGHT.round(2), strict=True))


def drawn(inside):
    return output("image/svg+xml", f"<svg>{inside}</svg>")


def path(places):
    return " L ".join(f"{x} {y}" for x, y in places)


@pytest.mark.parametrize(
    "inside",
    [
        "".join(f'<rect x="{x}" y="{y}" width="3" height="3"/>' for x, y in PLACES),
        "".join(f'<rect x="{x}" y="{y}" width="1" height="{300 - y}"/>' for x, y in PLACES),
        f'<polyline points="{" ".join(f"{x},{y}" for x, y in PLACES)}"/>',
        f'<path fill="none" d="M {path(PLACES)}"/>',
        "".join(f'<path transform="translate({x},{y})" d="M3,0A3,3 0 1,1 0,-3Z"/>' for x, y in PLACES),
    ],
    ids=["marks", "bars", "a line", "a path", "paths of one shape"],
)
def test_everybody_in_a_foreign_picture_is_found(inside):
    assert sorts(drawn(inside)) == {"scatter"}


@pytest.mark.parametrize(
    "inside",
    [
        "".join(
            f'<rect x="{x}" y="{y}" width="9" height="9"/>' for x in range(0, 200, 10) for y in range(0, 200, 10)
        ),
        f'<polyline points="{" ".join(f"{x},{np.exp(-x / 300):.3f}" for x in range(1000))}"/>',
        "".join(f'<path d="M {x} 0 C 1 2 {path([(k, x) for k in range(300)])}"/>' for x in range(40)),
        "".join(f'<defs><path id="a-{k}" d="M 2 3 L 4 5" transform="scale(0.1)"/></defs>' for k in range(300)),
    ],
    ids=["a heat map", "a curve", "outlines", "letters"],
)
def test_a_foreign_picture_of_many_passes(inside):
    assert sorts(drawn(inside)) == set()
