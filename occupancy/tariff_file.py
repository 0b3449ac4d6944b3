"""The tariffs that ship: the five car parks' placeholders and the gallery."""

from pathlib import Path

from occupancy.tariff import Tariff
from occupancy.tariff_toml import TariffFile, parse_tariff

OUR_TARIFFS = Path(__file__).parent / "tariffs"
GALLERY = OUR_TARIFFS / "gallery"


def read_folder(folder: Path) -> dict[str, TariffFile]:
    """Every *.toml of a folder by its name without the suffix; raises TariffFileError."""
    paths = sorted(folder.glob("*.toml"))
    return {path.stem: parse_tariff(path.read_text("utf-8"), path.name) for path in paths}


def shipped_tariffs() -> list[Tariff]:
    return [file.tariff for file in read_folder(OUR_TARIFFS).values()]
