"""Words: texts where a column should have numbers, and what a manifest can say of them.

Only words that at least ``minimum`` people have are named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mmcrl.checking.draft import Draft, Place
from mmcrl.schema import ColumnSpec
from mmcrl.transforms import unread_texts

__all__ = ["levels_of", "mend_words"]

_NOTHING = {
    "unknown",
    "refused",
    "missing",
    "none given",
    "not done",
    "not known",
    "don't know",
    "dont know",
    "n.a.",
    "-",
}
_NOTHING |= {
    "na",
    "n/a",
    "?",
    ".",
    "..",
    "invalid",
    "error",
    "prefer not to say",
    "prefer not to answer",
    "do not know",
}
_SCALES = [
    ["no", "yes"],
    ["false", "true"],
    ["absent", "present"],
    ["negative", "positive"],
    ["never", "rarely", "sometimes", "often", "usually", "always"],
    ["none", "mild", "moderate", "severe"],
    ["low", "medium", "normal", "high"],
    ["poor", "fair", "good", "very good", "excellent"],
    ["not at all", "several days", "more than half the days", "nearly every day"],
]
_FORMS = {
    r"[-+]?\d+,\d+": "decimal commas: write points in the table",
    r"\d{4}-\d\d?-\d\d?.*|\d\d?[./]\d\d?[./]\d{2,4}": "dates are no numbers: write an age or a number of days",
    r"[<>≤≥]=?\s*[\d.,]+": "values beyond a limit of detection: write a number, such as half the limit",
    r"[-+]?[\d.]+\s*[A-Za-z/%µ]+": "units beside the numbers: write the numbers alone",
}
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?"


def mend_words(draft: Draft, place: Place, spec: ColumnSpec, table: pd.DataFrame, minimum: int) -> bool:
    """Propose missing codes, levels or a clock time for texts that cannot be read; False where nothing helps."""
    found = [unread_texts(spec, table[variable]) for variable in spec.variables]
    unread, written = pd.concat([words for words, _ in found]), sum(count for _, count in found)
    common = sorted(str(word) for word, count in unread.value_counts().items() if count >= minimum)
    if spec.kind != "time" and spec.levels is None and _share(unread, _CLOCK) > 0.9 and 2 * len(unread) > written:
        draft.set((*place, "kind"), "time", "clock times")
        return True
    for form, why in _FORMS.items():
        if _share(unread, form) > 0.5:
            draft.note(place, why)
            return False
    if not common:
        draft.note(place, f"words that fewer than {minimum} people have each: mend them in the table")
        return False
    nothing = [word for word in common if word.casefold() in _NOTHING]
    if spec.kind == "time" or (spec.levels is None and 2 * len(unread) <= written):
        nothing = common
    if nothing:
        stated = [*(draft.get((*place, "missing")) or []), *nothing]
        draft.set((*place, "missing"), stated, f"no number for those who have {_listed(nothing)}")
    words = [word for word in common if word not in nothing]
    if words:
        levels, why = levels_of(words, spec.levels, str(place[-1]))
        draft.set((*place, "levels"), levels, why)
        if spec.kind == "numeric":
            draft.set((*place, "kind"), "binary" if len(levels) == 2 else "ordinal", f"{len(levels)} levels")
    return True


def levels_of(
    words: Sequence[str], known: dict[str, Any] | None = None, named: str = ""
) -> tuple[dict[str, Any], str]:
    """Words to numbers, in the order of a customary scale where they are one, and why; those known keep theirs.

    Beside words that are known, a number that one of them stands for is that number.

    Of two words, the one that begins like the column's name is 1: F of ``female``.

    >>> levels_of(["Always", "Never", "Often"])
    ({'Never': 0, 'Often': 1, 'Always': 2}, 'words in their customary order')
    >>> levels_of(["NO"], {"No": 0, "Yes": 1})[0]
    {'No': 0, 'Yes': 1, 'NO': 0}
    >>> levels_of(["0", "1", "maybe"], {"no": 0, "yes": 1})[0]
    {'no': 0, 'yes': 1, '0': 0, '1': 1, 'maybe': 2}
    >>> levels_of(["0", "Maybe", "maybe"], {"1": 0, "2": 1})[0]
    {'1': 0, '2': 1, '0': 2, 'Maybe': 3, 'maybe': 3}
    """
    if known:
        told = {word.casefold(): number for word, number in known.items()}
        numbers = {} if any(_number(word) is not None for word in known) else {float(n): n for n in known.values()}
        for word in words:
            if (same := numbers.get(_number(word))) is not None:  # type: ignore[arg-type]
                told.setdefault(word.casefold(), same)
        more = list(dict.fromkeys(word.casefold() for word in words if word.casefold() not in told))
        told |= {word: max(known.values()) + i for i, word in enumerate(more, 1)}
        why = "more levels: give each its number" if more else "levels, written otherwise"
        return {**known, **{word: told[word.casefold()] for word in words}}, why
    for scale in _SCALES:
        if all(word.casefold() in scale for word in words):
            ordered = sorted(words, key=lambda word: scale.index(word.casefold()))
            return {word: i for i, word in enumerate(ordered)}, "words in their customary order"
    if len(words) == 2:
        ones = [word for word in words if named.casefold().startswith(word.casefold())]
        ordered = sorted(words, key=lambda word: (word in ones, word))
        return {word: i for i, word in enumerate(ordered)}, "two words"
    return {word: i for i, word in enumerate(words)}, "words in alphabetical order: put them in their own"


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _share(words: pd.Series, form: str) -> float:
    return float(words.str.fullmatch(form).mean()) if len(words) else 0.0


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(repr, words))
