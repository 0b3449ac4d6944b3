"""The project's own benchmarks: one module a name, each with `measure(arguments) -> Report`."""

import ast
import importlib
from pathlib import Path

from tests.bench.report import Report

_FOLDER = Path(__file__).parent


def list_benches() -> dict[str, str]:
    """Name to what it measures: the modules here that have a `measure`."""
    found = {}
    for file in sorted(_FOLDER.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(n, ast.FunctionDef) and n.name == "measure" for n in tree.body):
            found[file.stem] = (ast.get_docstring(tree) or "").splitlines()[0]
    found.pop("__init__", None)
    return found


def measure(name: str, arguments: list[str]) -> Report:
    report: Report = importlib.import_module(f"tests.bench.{name}").measure(arguments)
    return report
