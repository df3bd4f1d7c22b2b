"""Words: ids that are no numbers, such as DMKCMEKB or S01/1005, found as whole words of a text.

An id of letters alone may be an ordinary word.  It is somebody wherever it stands if no word is written so: it has
six letters or more, and two of them are capitals, or the ids of the whole cohort are of one length.  Any other one is
somebody where it is all that is told, or where three different ones stand in a row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmcrl.disclosure.persons import Persons

__all__ = ["in_row", "in_words"]

_AROUND = ".,;:!?\"'()[]{}<>|=*`"
_SEPARATORS = re.compile(r"[\s=:,;|\"'()\[\]{}<>]+")


def in_words(text: str, persons: Persons) -> set[str]:
    """The worded ids of a text.

    >>> persons = Persons("clinic", ["DMKCMEKB", "PQXWOEIR", "S01/1005"], {})
    >>> sorted(in_words("left out: 'DMKCMEKB', and scans/PQXWOEIR.png of S01/1005.", persons))
    ['DMKCMEKB', 'PQXWOEIR', 'S01/1005']
    """
    if not persons.worded:
        return set()
    words = [word.strip(_AROUND) for word in text.split()]
    several = {" ".join(words[i : i + k]) for k in _lengths(persons) for i in range(len(words))}
    parts = {part.strip(_AROUND) for part in _SEPARATORS.split(text)}
    runs = set(re.findall(r"(?<![^\W_])[^\W\d_]{6,}(?![^\W_])", text))
    found = (several | parts | runs) & persons.worded & persons.telling
    alone = {text.strip().strip(_AROUND)} & persons.worded
    return found | alone | in_row([part for part in _SEPARATORS.split(text) if part], persons)


def in_row(words: Sequence[str], persons: Persons) -> set[str]:
    """The worded ids among which three different ones follow one another."""
    found: set[str] = set()
    run: list[str] = []
    for word in [*words, ""]:
        if (plain := word.strip(_AROUND)) in persons.worded:
            run.append(plain)
        else:
            found |= set(run) if len(set(run)) > 2 else set()
            run = []
    return found


def _lengths(persons: Persons) -> set[int]:
    """Of how many words an id is made."""
    return {len(person.split()) for person in persons.worded}
