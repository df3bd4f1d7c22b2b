"""Disclosure: a guard that looks for people in an executed notebook before anybody else sees it.

`inspect` returns a `Report` of what it found: participant ids, rows of people, counts under a minimum, pictures with
marks for single people, images and series of a person.  A finding says where, never what.
"""

from mmcrl.disclosure.drawings import Drawing
from mmcrl.disclosure.finding import SORTS, Finding, Report, Rules
from mmcrl.disclosure.inspecting import inspect
from mmcrl.disclosure.persons import Persons

__all__ = ["SORTS", "Drawing", "Finding", "Persons", "Report", "Rules", "inspect"]
