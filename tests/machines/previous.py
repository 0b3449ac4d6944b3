"""The version before: the code as it was before the newest migration, from the repository."""

import compileall
import shutil
import subprocess
import sys
from pathlib import Path

from occupancy.database import migrations

ROOT = Path(__file__).parents[2]


def previous_version(folder: Path) -> dict[str, str]:
    """What a process is told to be that version; empty where the repository has no such past.

    A shallow clone has none: then both versions are this one, and only the rolling is shown.
    """
    newest = f"occupancy/migrations/{migrations()[-1][1]}"
    added = _git("log", "--diff-filter=A", "--format=%H", "-1", "--", newest).strip()
    if not added or not _git("rev-parse", "--verify", "--quiet", f"{added}^").strip():
        return {}
    archive = folder / "previous.zip"
    _git("archive", "--output", str(archive), f"{added}^")
    shutil.unpack_archive(archive, folder / "previous")
    # Once, and not again in each of its processes.
    compileall.compile_dir(folder / "previous", quiet=1)
    # Safe path: else `python -m` looks into the working directory first, which is this version.
    return {"PYTHONPATH": str(folder / "previous"), "PYTHONSAFEPATH": "1"}


def _git(*words: str) -> str:
    command = ("git", "-C", str(ROOT), *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.stderr.write(done.stderr)
        return ""
    return done.stdout
