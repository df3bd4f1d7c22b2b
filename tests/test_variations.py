"""Variations: a planted link returns whatever is chosen, one that cannot be there never does, by what latents say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, plots
from mmcrl.cards import link_cards
from mmcrl.doubts import doubts
from mmcrl.links import link_table
from mmcrl.sensitivity import VARIATION_COLUMNS, variation_table, variations, varied

N = 1_200
SIZES = {"a": 1, "b": 1, "c": 2}


def people() -> Cohort:
    """Two latents each; a acts on b, one strongly, and on c before c is shuffled among people."""
    rng = np.random.default_rng(1)
    a, noise = rng.laplace(size=(2, N, 2))
    b = np.array([2.5, 0.5]) * a + noise
    c = rng.laplace(size=(N, 2)) + a
    tables = {
        name: Modality(np.repeat(z, 3, axis=1) + 0.3 * rng.normal(size=(N, 6)))
        for name, z in (("a", a), ("b", b), ("c", c))
    }
    return Cohort(tables).shuffled("c", 0)


@pytest.fixture(scope="module")
def fitted() -> tuple[MultimodalCRL, Cohort, pd.DataFrame]:
    cohort = people()
    model = MultimodalCRL(SIZES, 0, starts=1, steps=120, jobs=1, width=32).fit(cohort, progress=False)
    return model, cohort, variation_table(model, cohort, progress=False)


def test_each_choice_is_changed_alone(fitted: tuple[MultimodalCRL, Cohort, pd.DataFrame]) -> None:
    model, cohort, _ = fitted
    models = varied(model, cohort, seeds=2)
    sizes = {title: again.n_latents for title, again in models.items()}
    more, fewer = "one latent more in each modality", "one latent fewer in each modality"
    assert sizes[more] == {"a": 2, "b": 2, "c": 3}
    assert sizes[fewer] == {"a": 1, "b": 1, "c": 1}
    assert sizes["half the penalty"] == sizes["seed 2"] == SIZES
    penalties = {title: again.settings.penalty for title, again in models.items()}
    assert (penalties["half the penalty"], penalties["twice the penalty"]) == (0.05, 0.2)
    assert [again.seed for again in models.values()] == [0, 0, 0, 0, 1, 2]
    assert {again.settings.steps for again in models.values()} == {120}
    assert list(models)[4:] == ["seed 1", "seed 2"]


def test_what_changes_nothing_or_needs_more_people_is_left_out() -> None:
    few = people().take(np.arange(100))
    model = MultimodalCRL(SIZES, 0, starts=1, steps=1, penalty=0).fit(few, progress=False)
    assert list(varied(model, few, 0)) == ["one latent fewer in each modality"], "7 latents need 140 people"
    assert varied(model, few, 0)["one latent fewer in each modality"].n_latents == {"a": 1, "b": 1, "c": 1}


def test_a_planted_link_returns_in_every_variation_and_one_of_a_shuffled_modality_in_none(
    fitted: tuple[MultimodalCRL, Cohort, pd.DataFrame],
) -> None:
    model, _, table = fitted
    assert list(table.columns) == VARIATION_COLUMNS
    links = model.links()
    assert table["variation"].nunique() == 5 and len(table) == 5 * len(links)
    planted = table[[set(pair) == {"a.0", "b.0"} for pair in _pairs(table)]]
    assert planted["returns"].tolist() == [True] * 5
    assert (planted["agreement"] > 0.8).all() and (planted["sign"] == 1).all()
    assert (planted["evidence"] > 5 * planted["evidence_se"]).all()
    shuffled = table[[("c." in name) != ("c." in other) for name, other in _pairs(table)]]
    assert len(shuffled) == 5 * 4
    assert not shuffled["returns"].fillna(False).any() and shuffled["confidence"].max() < 0.1
    fewer = shuffled[shuffled["variation"].str.contains("fewer")]
    lost = fewer[fewer["agreement"].isna()]
    assert len(lost) == 2, "of c one latent is left: nothing can be said of the other"
    assert lost["returns"].isna().all() and lost["evidence"].isna().all()


def _pairs(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(table["source"], table["target"], strict=True))


class Known(MultimodalCRL):
    """Its latents are the columns, every second seed in another order and turned."""

    def __init__(self, seed: int) -> None:
        super().__init__(2, seed, jobs=1)

    def fit(self, cohort: Cohort, progress: bool = False) -> "Known":
        self._links = link_table(self.transform(cohort).to_numpy(), ["a.0", "a.1", "b.0", "b.1"])
        return self

    def transform(self, cohort: Cohort) -> pd.DataFrame:
        turned = [m.values[:, :: -1 if self.seed % 2 else 1] for m in cohort.modalities.values()]
        turned[0] = turned[0] * (-1) ** self.seed
        return pd.DataFrame(
            np.hstack(turned), index=cohort.ids, columns=pd.MultiIndex.from_product([["a", "b"], [0, 1]])
        )

    def links(self) -> pd.DataFrame:
        return self._links


def test_latents_are_matched_by_what_they_say_and_not_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 800, 2))
    b[:, 0] += a[:, 0]
    cohort = Cohort({"a": Modality(a), "b": Modality(b)})
    monkeypatch.setattr(variations, "varied", lambda model, cohort, seeds: {"seed 1": Known(1), "seed 2": Known(2)})
    model = Known(0).fit(cohort)
    table = variation_table(model, cohort, progress=False)
    linked = table[[{s, t} == {"a.0", "b.0"} for s, t in _pairs(table)]]
    assert linked["returns"].tolist() == [True, True] and (linked["agreement"] > 0.999).all()
    swapped = Known(1).fit(cohort).links()
    assert {swapped.iloc[0]["source"], swapped.iloc[0]["target"]} == {"a.1", "b.1"}, "there it has other names"
    assert swapped.iloc[0]["sign"] == -1 and linked["sign"].tolist() == [1, 1], "and one end is turned"
    assert not table[[{s, t} == {"a.1", "b.1"} for s, t in _pairs(table)]]["returns"].any()


@pytest.mark.parametrize(
    ("given", "argument"), [({"seeds": -1}, "seeds"), ({"seeds": 1.5}, "seeds"), ({"confidence": 1.2}, "confidence")]
)
def test_wrong_arguments_are_refused(
    fitted: tuple[MultimodalCRL, Cohort, pd.DataFrame], given: dict, argument: str
) -> None:
    model, cohort, _ = fitted
    with pytest.raises(InputError, match=argument):
        variation_table(model, cohort, progress=False, **given)


def test_a_model_that_is_not_fitted_and_other_people_are_refused(
    fitted: tuple[MultimodalCRL, Cohort, pd.DataFrame],
) -> None:
    model, cohort, _ = fitted
    with pytest.raises(InputError, match="fitted"):
        variation_table(MultimodalCRL(2), cohort)
    with pytest.raises(InputError, match="columns"):
        variation_table(model, Cohort({**cohort.modalities, "a": np.random.default_rng(0).normal(size=(N, 5))}))


# On the cards


def test_a_card_says_with_which_settings_its_link_returns(
    fitted: tuple[MultimodalCRL, Cohort, pd.DataFrame],
) -> None:
    model, cohort, table = fitted
    unseen = cohort.split(model.settings.held_out, model.seed)[1]
    cards = link_cards(model, unseen, variations=table)
    link = cards.links.iloc[0]
    ends = link["source"], link["target"]
    rows = cards.of("variations", *ends)
    assert len(rows) == 5
    html = plots.card_view(replace(cards, links=cards.links.head(1))).html
    first = rows.iloc[0]
    assert f"{first['variation']}: returns, {first['evidence']:.3f} ± {first['evidence_se']:.3f} nats" in html
    assert html.count(": returns, ") == 5 and not [text for text in doubts(cards, *ends) if "penalty" in text]
    changed = rows.assign(
        returns=pd.array([False, pd.NA, True, True, True], dtype="boolean"),
        confidence=0.12,
        sign=[1, 0, -link["sign"], link["sign"], link["sign"]],
    )
    other = replace(cards, variations=changed)
    told = doubts(other, *ends)
    assert f"With {rows['variation'].iloc[0]} it is not found (confidence 0.12)." in told
    assert f"With {rows['variation'].iloc[2]} its sign turns." in told
    html = plots.card_view(replace(other, links=cards.links.head(1))).html
    assert "does not return, " in html and "one of its latents is not back" in html
    without = plots.card_view(replace(link_cards(model, unseen), links=cards.links.head(1))).html
    assert "refits with other settings: none in this run" in without
