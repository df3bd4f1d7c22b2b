"""Watch: notes in a kernel which people and files a notebook loads and what its figures are made of, for the guard.

Only a picture's outlines reach the notebook; the guard has to know the numbers behind it.  Loaded by its path, as
`mmcrl.runner.launch` is, so that a kernel starts without importing the package.  The notes lie in the folder of the
execution, which only its owner can read and which is removed with it.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["watch"]


def _artists() -> Callable[[Any], dict[str, list[Any]]]:
    """`mmcrl.disclosure.artists.artists`, of a module that is loaded by its path too."""
    path = Path(__file__).parents[1] / "disclosure" / "artists.py"
    spec = importlib.util.spec_from_file_location("_mmcrl_artists", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.artists


_ARTISTS = _artists()
_SIMULATED, _MANIFEST = ("mmcrl.simulate", "mmcrl.disclosure.madeup"), "mmcrl.manifest"
_PROGRAMS = (".py", ".pyc", ".so")
_OWN = ("mmcrl.runner.", "mmcrl.proof.published.")  # look whether a file has changed; read what others published
_READERS = {  # what opens a file outside Python, of which no audit hook hears
    "pyarrow.parquet.core": ("read_table", "ParquetFile.__init__", "ParquetDataset.__init__"),
    "pyarrow.dataset": ("dataset",),
    "pyarrow.csv": ("read_csv", "open_csv"),
    "pyarrow.feather": ("read_table",),
    "h5py._hl.files": ("File.__init__",),
}


def watch(folder: Path) -> None:
    """From now on, note every cohort, every figure and every file that is opened in this folder."""
    folder.mkdir()
    notes = _Notes(folder)
    sys.addaudithook(notes.note_file)
    hooks: dict[str, Callable[[ModuleType], None]] = dict.fromkeys(_READERS, notes.follow_readers)
    hooks |= {"mmcrl.cohort": notes.follow_cohorts, "matplotlib.backend_bases": notes.follow_figures}
    sys.meta_path.insert(0, _Finder(hooks))


class _Finder(MetaPathFinder):
    """Calls a function on a module right after it was imported for the first time."""

    def __init__(self, hooks: dict[str, Callable[[ModuleType], None]]) -> None:
        self._hooks = hooks

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        hook = self._hooks.pop(name, None)
        spec = importlib.util.find_spec(name) if hook else None
        if hook is None or spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def then(module: ModuleType) -> None:
            execute(module)
            hook(module)

        spec.loader.exec_module = then  # type: ignore[method-assign]
        return spec


class _Notes:
    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._count = 0
        self._opened: set[str] = set()

    def follow_cohorts(self, module: Any) -> None:
        make = module.Cohort.__init__

        def made(cohort: Any, *arguments: Any, **options: Any) -> None:
            make(cohort, *arguments, **options)
            self._note_cohort(cohort, sys._getframe(1))

        module.Cohort.__init__ = made

    def follow_figures(self, module: Any) -> None:
        draw = module.FigureCanvasBase.print_figure

        def drawn(canvas: Any, *arguments: Any, **options: Any) -> Any:
            self._note_figure(canvas.figure)
            return draw(canvas, *arguments, **options)

        module.FigureCanvasBase.print_figure = drawn

    def follow_readers(self, module: Any) -> None:
        for reader in _READERS[module.__name__]:
            *inside, name = reader.split(".")
            owner = getattr(module, inside[0]) if inside else module
            setattr(owner, name, self._noting(getattr(owner, name)))

    def _noting(self, read: Callable[..., Any]) -> Callable[..., Any]:
        """The same function or method, which notes every file, or folder of files, among what it is given."""

        @functools.wraps(read)
        def noted(*arguments: Any, **options: Any) -> Any:
            for given in (*arguments, *options.values()):
                for path in given if isinstance(given, list | tuple) else [given]:
                    if isinstance(path, str | os.PathLike) and os.path.exists(path):
                        self._note_path(path)
                        for folder, _, files in os.walk(os.fspath(path)):
                            for file in files:
                                self._note_path(os.path.join(folder, file))
            return read(*arguments, **options)

        return noted

    def note_file(self, event: str, arguments: tuple[Any, ...]) -> None:
        """A file that is opened to be read; an audit hook. One that is made anew holds nothing new."""
        if event not in ("open", "sqlite3.connect") or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path, flags = os.fsdecode(arguments[0]), os.O_RDWR | os.O_CREAT  # as a database is opened
        if event == "open":
            flags = arguments[2] if isinstance(arguments[2], int) else 0
        elif path.startswith("file:"):  # an address, such as file:people.db?mode=ro
            path = unquote(urlsplit(path).path)
        if flags & (os.O_TRUNC | os.O_EXCL) or (flags & os.O_CREAT and not os.path.exists(path)):
            self._opened.add(os.path.abspath(path))
        elif os.path.exists(path) and flags & (os.O_RDWR | os.O_WRONLY) != os.O_WRONLY:
            self._note_path(path)

    def _note_path(self, opened: str | os.PathLike[str]) -> None:
        """A file, unless it is a program or the package looks into it for itself."""
        path = os.path.abspath(os.fspath(opened))
        known = path.startswith(str(self._folder)) or path in self._opened
        if known or path.endswith(_PROGRAMS) or os.path.isdir(path):
            return
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not f"{frame.f_globals.get('__name__', '')}.".startswith(_OWN):
            frame = frame.f_back
        if frame is None:
            self._opened.add(path)
            with open(self._folder / "opened.txt", "a", encoding="utf-8", errors="replace") as file:
                file.write(os.path.realpath(path) + "\n")

    def _note_cohort(self, cohort: Any, frame: FrameType | None) -> None:
        """A simulated one by name alone, another with its people."""
        record: dict[str, Any] = {"name": cohort.name, "simulated": False, "manifest": None}
        while frame is not None:
            module = str(frame.f_globals.get("__name__", ""))
            record["simulated"] |= f"{module}.".startswith(tuple(f"{name}." for name in _SIMULATED))
            if module == _MANIFEST and frame.f_code.co_name == "assemble":
                record["manifest"] = str(Path(frame.f_locals["path"]).resolve())
            frame = frame.f_back
        if not record["simulated"]:
            record["id_name"] = None if cohort.ids.name is None else str(cohort.ids.name)
            record["ids"] = [str(person) for person in cohort.ids]
            record["modalities"] = [
                [name, modality.kind, list(modality.names), self._values(modality)]
                for name, modality in cohort.modalities.items()
            ]
            record["weights"] = None if cohort.weights is None else self._array(cohort.weights)
        self._write("cohort", record)

    def _note_figure(self, figure: Any) -> None:
        drawn = _ARTISTS(figure)
        record = {kind: [self._array(array) for array in drawn[kind]] for kind in ("marks", "lines", "images")}
        bars = [[label, self._array(heights)] for label, heights in drawn["bars"]]
        self._write("figure", {"count": _execution(), **record, "bars": bars, "texts": drawn["texts"]})

    def _values(self, modality: Any) -> str:
        """The values of a modality, of a large one a piece at a time."""
        if not modality.large:
            return self._array(modality.values)
        import numpy as np

        name, held, done = self._name(), None, 0
        for piece in modality.pieces():
            if held is None:
                held = np.lib.format.open_memmap(self._folder / name, "w+", piece.dtype, modality.shape)
            held[done : done + len(piece)] = piece
            done += len(piece)
        return self._array(modality.values) if held is None else name

    def _array(self, values: Any) -> str:
        import numpy as np

        name = self._name()
        np.save(self._folder / name, np.asarray(values), allow_pickle=False)
        return name

    def _name(self) -> str:
        self._count += 1
        return f"{self._count}.npy"

    def _write(self, kind: str, record: dict[str, Any]) -> None:
        self._count += 1
        (self._folder / f"{kind}-{self._count}.json").write_text(json.dumps(record), encoding="utf-8")


def _execution() -> int:
    """The number of the cell that is drawing: the one before the next, which is set before a cell runs."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return 0 if shell is None else shell.execution_count - 1
