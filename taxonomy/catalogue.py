"""Find the parts in a folder by their file names, and load one on use."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from convsafe.taxonomy.errors import UnknownName


@dataclass(frozen=True)
class Shelf:
    """A folder of YAML files: one file is one part, and its name is the file's name.

    Args:
        kind: What the parts are, as `run setting`.
        folder: Where they stand.
        place: The folder as a contributor knows it, as `benchmark/settings`.
    """

    kind: str
    folder: Path
    place: str

    def names(self) -> list[str]:
        """Return the parts' names in order, without reading any."""
        return sorted(path.stem for path in self.folder.glob("*.yaml"))

    def path(self, name: str) -> Path:
        """Return a part's file.

        Raises:
            UnknownName: If there is no such file, with the nearest names.
        """
        if name not in (known := self.names()):
            raise UnknownName(self.kind, name, known, f"Add one: {self.place}/<name>.yaml")
        return self.folder / f"{name}.yaml"


@dataclass(frozen=True)
class Catalogue:
    """A folder of parts: one file is one part, and its name is the file's name.

    Args:
        kind: What the parts are, as `judge`.
        package: The folder as a package, as `convsafe.benchmark.judges`.
    """

    kind: str
    package: str

    @property
    def folder(self) -> Path:
        """The folder that is scanned."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(self.package)
        return Path(next(iter(spec.submodule_search_locations)))

    def names(self) -> list[str]:
        """Return the parts' names in order, without importing any."""
        return sorted(
            path.stem for path in self.folder.glob("*.py") if not path.stem.startswith("_")
        )

    def load(self, name: str) -> ModuleType:
        """Import one part.

        Raises:
            UnknownName: If there is no such file, with the nearest names.
        """
        known = self.names()
        if name not in known:
            path = self.package.removeprefix("convsafe.").replace(".", "/")
            raise UnknownName(self.kind, name, known, f"Add one: {path}/<name>.py")
        return importlib.import_module(f"{self.package}.{name}")
