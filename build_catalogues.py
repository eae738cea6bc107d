"""Build hook: compile the message catalogues, which git does not hold, for wheel and editable."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface[Any]):
    """Write an .mo beside each .po before the files of the build are gathered."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile every catalogue of the package; one that stays as it was is not touched.

        Pages that are being made read it, and their keys hold it: on every machine, whenever it was
        installed, its bytes are the same.
        """
        for source in sorted(Path(self.root, "ecoanalysis", "locale").rglob("*.po")):
            binary, place = BytesIO(), source.with_suffix(".mo")
            with source.open("rb") as text:
                catalogue = read_po(text, locale=source.parts[-3])
            catalogue.creation_date = datetime.fromtimestamp(0, UTC)  # else the time of this build
            write_mo(binary, catalogue)
            if not place.is_file() or place.read_bytes() != binary.getvalue():
                fresh = place.with_suffix(".new")
                fresh.write_bytes(binary.getvalue())
                fresh.replace(place)
