"""A small cohort on disk, for the tests of manifests: a table, its questions, its manifest."""

import numpy as np
import pandas as pd

N = 60
MANIFEST = """
name = "small"
tiers = [["who"], ["lab", "night"]]
[source]
path = "people.csv"
id = "person"
zero_below = 1e-70
[source.questions]
path = "questions.tsv"
variable = "name"
question = "text"
code = "code"
[[include]]
variable = "age"
min = 20
[people]
require = ["who"]
min_modalities = 2
[modality.who]
kind = "observed"
[modality.who.columns]
age = { variable = "age", unit = "years", range = [20, 90] }
female = { variable = "sex", kind = "binary", levels = { "F" = 1, "M" = 0 } }
[modality.lab]
n_latents = 1
[modality.lab.columns]
lead = { variable = "pb", unit = "ug/L", range = [0.01, 100], transform = "log", missing = [99] }
mean = { variable = ["one", "two"], unit = "g", range = [0, 100], transform = "sqrt" }
[modality.lab.columns.cigarettes]
variable = "cigs"
range = [0, 90]
transform = "log1p"
skipped = [{ variable = "smoker", equals = 0, value = 0 }]
[modality.night.columns]
bed = { variable = "bed", unit = "h after noon", kind = "time", day_starts = "12:00", missing = [99999] }
snoring = { variable = "snore", kind = "ordinal", levels = { "Never" = 0, "Often" = 1, "Always" = 2 } }
[[known]]
source = "who.age"
target = "lab.lead"
sign = 1
rests_on = "a book"
"""


def people():
    """One row per person, person 0 a child, person 1 without anything but age and sex."""
    i = np.arange(N)
    frame = pd.DataFrame(
        {
            "person": 100 + i,
            "age": np.where(i == 0, 12, 20 + i),
            "sex": np.where(i % 2, "F", "M"),
            "pb": np.where(i == 2, 99, 1 + i / 10),
            "one": 4.0 + i,
            "two": np.where(i == 3, np.nan, 6.0 + i),
            "smoker": np.where(i % 3 == 0, 5.4e-79, 1),
            "cigs": np.where(i % 3 == 0, np.nan, i),
            "bed": np.where(i % 2, "b'23:30'", "b'01:15'"),
            "snore": np.array(["Never", "Often", "Always"])[i % 3],
        }
    )
    frame.loc[4, ["bed", "snore"]] = ["b'99999'", None]
    frame.loc[1, ["pb", "one", "two", "cigs", "bed", "snore", "smoker"]] = None
    return frame


def write_small(folder):
    """Its three files in this folder."""
    people().to_csv(folder / "people.csv", index=False)
    (folder / "questions.tsv").write_text("name\ttext\tcode\npb\tHow much {of your/of his} lead?\tLBX\n")
    (folder / "small.toml").write_text(MANIFEST)
    return folder


def edit(folder, old, new):
    """The manifest with one thing changed."""
    assert old in MANIFEST
    (folder / "small.toml").write_text(MANIFEST.replace(old, new))


def cut(path, keep):
    """What a killed writer leaves: the first part of a file."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
