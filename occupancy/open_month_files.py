"""The files of a month: gzipped CSV and, where the part for it is installed, Parquet."""

import gzip
import importlib
import importlib.util
import tempfile
from pathlib import Path
from typing import NamedTuple

from occupancy.open_month import COLUMNS, checksum

GZIP_LEVEL = 9
PARQUET_WRITER = "duckdb"


class MonthFiles(NamedTuple):
    """Both say the same; `parquet` None: nothing here can write it."""

    lines: int
    content_sha256: str
    csv: bytes
    parquet: bytes | None


def make_files(content: bytes) -> MonthFiles:
    """From the month's CSV lines with their heading; takes a while: for a thread."""
    return MonthFiles(
        content.count(b"\r\n") - 1,
        checksum(content),
        gzip.compress(content, GZIP_LEVEL, mtime=0),
        _parquet(content) if importlib.util.find_spec(PARQUET_WRITER) else None,
    )


def _parquet(content: bytes) -> bytes:
    """Typed as `open_month` says, from the very lines of the CSV."""
    duckdb = importlib.import_module(PARQUET_WRITER)
    columns = ", ".join(f"'{one.name}': '{one.sql_type}'" for one in COLUMNS)
    with tempfile.TemporaryDirectory(prefix="zhibo-month-") as folder:
        lines, packed = Path(folder) / "month.csv", Path(folder) / "month.parquet"
        lines.write_bytes(content)
        with duckdb.connect(":memory:", config={"threads": 1}) as engine:
            engine.execute(
                f"COPY (SELECT * FROM read_csv('{lines}', header=true, "  # noqa: S608  # ours
                f"columns={{{columns}}})) TO '{packed}' (FORMAT parquet, COMPRESSION zstd)"
            )
        return packed.read_bytes()
