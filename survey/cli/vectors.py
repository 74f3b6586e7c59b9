"""A folder of reference vectors as values: statistics (`vectors/`, `data/`), or evidence (TRUST's).

Kept beside the command because only a command reads folders; the checking itself is
`survey.estimation.conformance` and `survey.certification.conformance`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from survey.certification.conformance import VECTORS
from survey.certification.conformance_wave import NAME as WORKED_WAVE
from survey.errors import SurveyError

EVIDENCE = (*VECTORS, WORKED_WAVE)


class NotAReferenceFolderError(SurveyError):
    """The folder does not hold vectors in the expected schema."""

    code = "validate.not_a_reference_folder"
    kind = "invalid"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"文件夹 {folder}", reason, "里面应有 vectors/*.json 和 data/*.csv，或者证据格式的向量文件"
        )


@dataclass
class ReferenceFolder:
    """The vectors asked for, and their datasets read when first needed."""

    folder: Path
    vectors: list[dict[str, Any]]
    _columns: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def dataset(self, name: str) -> dict[str, list[str]]:
        """The columns of `data/<name>.csv`, every field as text.

        Raises:
            NotAReferenceFolderError: no such file.
        """
        if name not in self._columns:
            path = self.folder / "data" / f"{name}.csv"
            try:
                with path.open(encoding="utf-8-sig", newline="") as file:
                    header, *rows = csv.reader(file)
            except (OSError, ValueError) as error:
                raise NotAReferenceFolderError(self.folder, f"读不到 data/{name}.csv") from error
            self._columns[name] = {
                column: [row[place] for row in rows] for place, column in enumerate(header)
            }
        return self._columns[name]

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """The topics present, in file order."""
        return tuple(dict.fromkeys(vector["topic"] for vector in self.vectors))


def read_vectors(folder: Path, topics: Iterable[str] = ()) -> ReferenceFolder:
    """Every vector under `folder`, or those of some topics.

    Raises:
        NotAReferenceFolderError: no vectors, or a file that is not a list of them.
    """
    wanted = set(topics)
    vectors: list[dict[str, Any]] = []
    for path in sorted((folder / "vectors").glob("*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            vectors += [vector for vector in found if not wanted or vector["topic"] in wanted]
        except (ValueError, KeyError, TypeError) as error:
            raise NotAReferenceFolderError(folder, f"{path.name} 不是向量文件") from error
    if not vectors:
        raise NotAReferenceFolderError(folder, "没有找到参考值")
    return ReferenceFolder(folder, vectors)


def is_evidence_folder(folder: Path) -> bool:
    """Whether the folder holds the vectors of the evidence format."""
    return any((folder / f"{name}.json").is_file() for name in EVIDENCE)


def read_evidence_vectors(folder: Path) -> dict[str, Any]:
    """Every evidence file of the folder, parsed, by its name without ending.

    Raises:
        NotAReferenceFolderError: a file that is not JSON.
    """
    files: dict[str, Any] = {}
    for name in EVIDENCE:
        path = folder / f"{name}.json"
        if path.is_file():
            try:
                files[name] = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise NotAReferenceFolderError(folder, f"{path.name} 读不成JSON") from error
    return files
