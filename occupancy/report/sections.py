"""Finds what stands in a report: its charts and tables by name, and the place of each section."""

from collections.abc import Iterator

from occupancy.report.document import Chart, Report, Section, Table


def anchor_of(section: Section) -> str:
    return f"s{section.number}"


def charts_of(report: Report) -> Iterator[Chart]:
    return (b for section in report.sections for b in section.blocks if isinstance(b, Chart))


def tables_of(report: Report) -> Iterator[Table]:
    return (b for section in report.sections for b in section.blocks if isinstance(b, Table))


def find_chart(report: Report, name: str) -> Chart | None:
    return next((chart for chart in charts_of(report) if chart.name == name), None)


def find_table(report: Report, name: str) -> Table | None:
    return next((table for table in tables_of(report) if table.name == name), None)
