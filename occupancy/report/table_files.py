"""A table of the report as a file of its own: the same cells, in the columns of an export."""

from collections.abc import Iterator

from occupancy import export_cells
from occupancy.export_cells import Row
from occupancy.report.document import Kind, Table

KINDS = {
    Kind.TEXT: export_cells.Kind.TEXT,
    Kind.NUMBER: export_cells.Kind.NUMBER,
    Kind.SHARE: export_cells.Kind.PERCENT,
    Kind.FEN: export_cells.Kind.YUAN,
    Kind.DATE: export_cells.Kind.DATE,
    Kind.MOMENT: export_cells.Kind.MOMENT,
}


def export_columns(table: Table) -> tuple[export_cells.Column, ...]:
    return tuple(
        export_cells.Column(
            f"{one.title}（{one.unit}）" if one.unit else one.title, KINDS[one.kind]
        )
        for one in table.columns
    )


def export_rows(table: Table) -> Iterator[Row]:
    """What is not known is an empty cell."""
    for row in table.rows:
        yield [None if cell == "" else cell for cell in row]
