"""Districts for the tests: skipped where no machine of one's own can be had."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.machines.district import District, Plan, district
from tests.machines.namespaces import ForbiddenHereError, NoNamespacesError


@asynccontextmanager
async def some_district(folder: Path, plan: Plan) -> AsyncIterator[District]:
    """Without namespaces the test is skipped, but not where CI should have them."""
    try:
        async with district(folder, plan) as made:
            yield made
    except NoNamespacesError as reason:
        if os.environ.get("CI") and not isinstance(reason, ForbiddenHereError):  # noqa: TID251
            raise
        pytest.skip(str(reason))
