"""A version of a report as files: JSON, PDF, XLSX, CSV, and each picture as SVG and PNG."""

import asyncio
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from aiohttp import web

from occupancy import database_report_versions
from occupancy.export import CSV_TYPE, XLSX_TYPE, every, write_csv
from occupancy.export_cells import Column, Row
from occupancy.permissions import Permission
from occupancy.report import figure_rows, quarters
from occupancy.report.drawing import draw
from occupancy.report.kept import PDF, QUARTERS, KeptReport
from occupancy.report.pdf import CURE
from occupancy.report.png import png
from occupancy.report.sections import find_chart, find_table
from occupancy.report.table_files import export_columns, export_rows
from occupancy.report.workbook import write_workbook
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.report_subject import HOME, read_subject
from occupancy.web.admin.reports_page import get_version
from occupancy.web.admin.visit import Visit
from occupancy.web.problems import Problem

# A version never changes; it is only for whoever was let in.
_KEEP = "private, max-age=31536000, immutable"
_PDF_TYPE, _SVG_TYPE = "application/pdf", "image/svg+xml; charset=utf-8"


class ReportFiles:
    """`/reports/{period}/v{version}/...`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        base = HOME + "{period}/v{version}/"
        return [
            AdminRoute("GET", base + "charts/{file}", self.chart, Permission.SEE),
            AdminRoute("GET", base + "report.json", self.as_json, Permission.EXPORT),
            AdminRoute("GET", base + "report.pdf", self.as_pdf, Permission.EXPORT),
            AdminRoute("GET", base + "report.xlsx", self.as_xlsx, Permission.EXPORT),
            AdminRoute("GET", base + "report.csv", self.as_csv, Permission.EXPORT),
            AdminRoute("GET", base + "quarters.csv", self.raw, Permission.EXPORT),
            AdminRoute("GET", base + "tables/{file}", self.table, Permission.EXPORT),
        ]

    async def chart(self, visit: Visit) -> web.StreamResponse:
        kept = await self._kept(visit)
        name, _, ending = visit.word("file").rpartition(".")
        chart = find_chart(kept.report, name)
        if chart is None or ending not in ("svg", "png"):
            raise Problem(404, f"没有 {visit.word('file')[:60]} 这张图", field="file")
        if ending == "svg":
            return _answer(draw(chart).encode(), _SVG_TYPE)
        body = await asyncio.to_thread(png, draw(chart))
        return _answer(body, "image/png")

    async def as_json(self, visit: Visit) -> web.StreamResponse:
        """The report itself, letter by letter as it was made."""
        kept = await self._kept(visit)
        return _answer(kept.document, "application/json", _name(kept, "json"))

    async def as_pdf(self, visit: Visit) -> web.StreamResponse:
        kept = await self._kept(visit)
        found = await self._file(kept, PDF)
        if found is None:
            raise Problem(
                409, f"这一版生成时服务器缺少 Pango，没有 PDF：请先安装（{CURE}），再生成新版本"
            )
        return _answer(found, _PDF_TYPE, _name(kept, "pdf"))

    async def as_xlsx(self, visit: Visit) -> web.StreamResponse:
        kept = await self._kept(visit)
        raw = await self._quarters(kept)
        with tempfile.TemporaryDirectory(prefix="zhibo-report-") as folder:
            path = Path(folder) / "report.xlsx"
            await asyncio.to_thread(write_workbook, path, kept.report, raw)
            return _answer(await asyncio.to_thread(path.read_bytes), XLSX_TYPE, _name(kept, "xlsx"))

    async def as_csv(self, visit: Visit) -> web.StreamResponse:
        kept = await self._kept(visit)
        rows = figure_rows.figure_rows(kept.report)
        return await self._stream(visit, _name(kept, "csv"), figure_rows.COLUMNS, rows)

    async def raw(self, visit: Visit) -> web.StreamResponse:
        kept = await self._kept(visit)
        names = {lot.lot_id: lot.name for lot in kept.report.lots}
        rows = quarters.rows_of(await self._quarters(kept), names)
        return await self._stream(visit, _name(kept, "csv", "-15min"), quarters.COLUMNS, rows)

    async def table(self, visit: Visit) -> web.StreamResponse:
        kept = await self._kept(visit)
        name, _, ending = visit.word("file").rpartition(".")
        table = find_table(kept.report, name)
        if table is None or ending != "csv":
            raise Problem(404, f"没有 {visit.word('file')[:60]} 这张表", field="file")
        file = _name(kept, "csv", f"-{name}")
        return await self._stream(visit, file, export_columns(table), export_rows(table))

    async def _stream(
        self, visit: Visit, name: str, columns: Sequence[Column], rows: Iterable[Row]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=_headers(CSV_TYPE, name))
        await response.prepare(visit.request)
        async for chunk in write_csv(columns, every(rows)):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _kept(self, visit: Visit) -> KeptReport:
        subject = read_subject(visit, self._ground)
        return await get_version(self._ground, subject, visit.word("version"))

    async def _file(self, kept: KeptReport, name: str) -> bytes | None:
        return await database_report_versions.find_file(
            self._ground.connections, kept.head.report_id, name
        )

    async def _quarters(self, kept: KeptReport) -> quarters.Quarters:
        packed = await self._file(kept, QUARTERS)
        return {} if packed is None else await asyncio.to_thread(quarters.unpack, packed)


def _name(kept: KeptReport, ending: str, tail: str = "") -> str:
    period = kept.head.subject.period.slug.replace("..", "_")
    return f"report-{period}-v{kept.head.version}{tail}.{ending}"


def _headers(content_type: str, name: str) -> dict[str, str]:
    saved = {"Content-Disposition": f'attachment; filename="{name}"'} if name else {}
    return {"Content-Type": content_type, "Cache-Control": _KEEP, **saved}


def _answer(body: bytes, content_type: str, name: str = "") -> web.Response:
    return web.Response(body=body, headers=_headers(content_type, name))
