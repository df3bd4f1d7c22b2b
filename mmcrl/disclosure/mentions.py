"""Mentions: the ids that a text holds, also as parts of words and of files' names: SEQN70123, 70123_left.png.

A number of five digits or more is one's where nothing but letters, zeros or separators stand around it. It is none as
a part of a decimal fraction, a version, a date, a hash, or a web address in which it is no part of its own.  Of seven
digits or more it is one's also as 1,004,736, and any as 1.004736e+06 where the digits tell it wholly: where another
zero follows, or in an array, whose numbers are all written as one of them must be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mmcrl.disclosure.counts import PEOPLE
from mmcrl.disclosure.persons import Persons

__all__ = ["Mention", "is_counted", "is_round", "mentions"]

_DIGITS = re.compile(r"(?<!\d)\d{4,}(?!\d)")
_GROUPED = re.compile(r"(?<![\w.,-])\d{1,3}([,_])\d{3}(?:\1\d{3})+(?!\w|[.,]\d)")  # fewer digits may count people
_SCIENTIFIC = re.compile(r"(?<![\w.,-])(\d)\.(\d{4,})[eE]\+?(\d{1,2})(?!\w|\.\d)")
_PARTS = re.compile(r"[^\W_]+")
_AROUND = 120  # how much of a text is looked at on each side
_ADDRESS = re.compile(r"://|arxiv|\bdoi\b|\b10\.\d{4,9}/", re.I)
_HEX = re.compile(r"[0-9a-f]+")
_SETTING = re.compile(r"(?:^|[^A-Za-z])(?:ipykernel|seed|step|epoch|iter|n|size|run|version)[_=-]$", re.I)

_COUNTED = re.compile(rf"[\s-]*(?:{PEOPLE}|(?:row|value|step|cell|column|point|second|parameter)s?|entries)\b", re.I)
_COUNTING = re.compile(
    r"(?:^|[^A-Za-z])(?:(?:n|n_\w+|counts?|people)\W{0,3}|(?:size|len|total|steps?|seed|rows)[\"']?\s?[:=(]\s?)$"
    r"|\d\s?%?\s(?:out\s)?of\s(?:the\s|all\s)?$",  # a share of all
    re.I,
)


@dataclass(frozen=True)
class Mention:
    """Where somebody is named, and whether by a part of a longer word or name instead of a number alone."""

    person: str
    start: int
    end: int
    joined: bool

    def around(self, text: str) -> tuple[str, str]:
        """What stands in the text before and after it."""
        return text[max(0, self.start - 40) : self.start], text[self.end : self.end + 20]


def mentions(text: str, persons: Persons) -> Iterator[Mention]:
    """The ids that are known wherever they stand (`Persons.telling`).

    >>> persons = Persons("survey", ["70123", "MM0015X"], {})
    >>> [mention.person for mention in mentions("70123_L.png of MM0015X-left, 0.70123 and 70123.5", persons)]
    ['70123', 'MM0015X']
    """
    for match in _DIGITS.finditer(text):
        number = match[0] if match[0] in persons.telling else match[0].lstrip("0")
        if number in persons.telling and (len(number) > 4 or number == match[0]):
            before = text[max(0, match.start() - _AROUND) : match.start()].rpartition("\n")[2]
            after = text[match.end() : match.end() + _AROUND].partition("\n")[0]
            if _is_one(before, match[0], after):
                joined = re.search(r"[^\W\d][-./\\]?$", before) or re.match(r"[-./\\]?[^\W\d]", after)
                yield Mention(number, match.start(), match.end(), bool(joined))
    for match in _GROUPED.finditer(text):
        if (number := match[0].replace(match[1], "")) in persons.telling:
            yield Mention(number, match.start(), match.end(), False)
    for match in _SCIENTIFIC.finditer(text):
        number, rest = match[1] + match[2][: int(match[3])], match[2][int(match[3]) :]
        exact = rest or re.search(r"\[[^\]\n]*$", text[max(0, match.start() - _AROUND) : match.start()])
        if exact and not rest.strip("0") and len(number) == int(match[3]) + 1 and number in persons.telling:
            yield Mention(number, match.start(), match.end(), False)
    parts = list(_PARTS.finditer(text)) if persons.lengths else []
    for size in persons.lengths:
        for first, last in zip(parts, parts[size - 1 :], strict=False):
            if (word := text[first.start() : last.end()]) in persons.telling and not word.isdigit():
                yield Mention(word, first.start(), last.end(), True)


def is_counted(before: str, after: str, joined: bool = False) -> bool:
    """Whether a number counts something, by what stands around it; one in a name only by what follows."""
    return bool(_COUNTED.match(after)) or (not joined and _COUNTING.search(before) is not None)


def is_round(token: str) -> bool:
    """Whether a number is of thousands."""
    return token.isdigit() and token.endswith("000")


def _is_one(before: str, digits: str, after: str) -> bool:
    """Whether a number, of which the line is known before and after it, may be a name by what stands around it."""
    left, right = re.search(r"[^\W_]*$", before)[0], re.match(r"[^\W_]*", after)[0]  # type: ignore[index]
    start, rest = before[: len(before) - len(left)], after[len(right) :]
    if not (left + right or "a").isalpha() or _SETTING.search(start + left):
        return False
    if right and (_HEX.fullmatch(left + digits + right) or not re.match(r"[._-][A-Za-z]", rest)):
        return False  # a hash, a unit
    if not left and re.search(r"\d[.,]$|(?<![A-Za-z])\.$", start):
        return False  # decimals, the end of a grouped number
    if re.match(r"[.,]\d", rest) and not re.match(r"\.0+(?!\w)", rest):
        return False
    word = re.search(r"[\w-]*$", before)[0] + digits + re.match(r"[\w-]*", after)[0]  # type: ignore[index]
    if re.fullmatch(r"[\d-]*\d-\d[\d-]*", word) and not re.match(r"[\d-]*\.[A-Za-z]", after):
        return False  # a date, a range
    inside = re.search(r"\S*$", start)[0]  # type: ignore[index]
    return not (_ADDRESS.search(inside) and (re.search(r"[._-]$", start) or re.match("[_-]", rest)))
