"""Surveys: the files in which the CDC publishes NHANES, by cycle and component.

=============  =======  ==================================================================================
cycle          letter   components that its manifest reads
=============  =======  ==================================================================================
nhanes-2005    D        DEMO BMX BPX CBC BIOPRO GHB CRP TCHOL HDL COT SLQ SMQ OPXRET OPXFDT VIX
nhanes-2007    E        DEMO BMX BPX CBC BIOPRO GHB CRP TCHOL HDL COTNAL SLQ SMQ OPXRET OPXFDT VIX SPX
nhanes-2013    H        DEMO BMX BPX CBC BIOPRO GHB TCHOL HDL COT SLQ SMQ MGX DXXFEM DXXSPN
=============  =======  ==================================================================================

A component lies at ``ADDRESS/YEAR/DataFiles/COMPONENT_LETTER.xpt``.  We hold none of these files and have verified
none, so that **none has a checksum here**; what a cycle's manifest reads is held against its ranges all the same.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ADDRESS", "SURVEYS", "Component", "components"]

ADDRESS = "https://wwwn.cdc.gov/Nchs/Data/Nhanes/Public"
_EVERY = "DEMO BMX BPX CBC BIOPRO GHB TCHOL HDL SLQ SMQ"
_EYE = "CRP OPXRET OPXFDT VIX"
SURVEYS = {
    "nhanes-2005": (2005, "D", f"{_EVERY} {_EYE} COT"),
    "nhanes-2007": (2007, "E", f"{_EVERY} {_EYE} COTNAL SPX"),
    "nhanes-2013": (2013, "H", f"{_EVERY} COT MGX DXXFEM DXXSPN"),
}


class Component(NamedTuple):
    """A component of a cycle: its name, its file below the folder of data, and where it is published."""

    name: str
    path: str
    url: str


def components(cycle: str) -> list[Component]:
    """The components of a cycle of `SURVEYS`.

    >>> components("nhanes-2007")[0].url
    'https://wwwn.cdc.gov/Nchs/Data/Nhanes/Public/2007/DataFiles/DEMO_E.xpt'
    """
    year, letter, names = SURVEYS[cycle]
    return [
        Component(name, f"nhanes/xpt/{name}_{letter}.XPT", f"{ADDRESS}/{year}/DataFiles/{name}_{letter}.xpt")
        for name in names.split()
    ]
