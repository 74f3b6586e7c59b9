"""Drafts on both databases: what is typed comes back as it was, and two savers meet."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from survey.storage.database import Database
from survey.storage.plan_drafts import (
    DraftMovedError,
    DraftNotFoundError,
    add_draft,
    delete_draft,
    find_draft_of,
    list_drafts,
    load_draft,
    save_draft,
)

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
TYPED = {"county": "万安\x00县", "title": "“\u202e”\n'; DROP TABLE waves", "county_code": "360\x00828"}


async def test_what_is_typed_comes_back_and_the_second_saver_is_told(database: Database) -> None:
    draft = await add_draft("甲", TYPED, wave="county-a", now=NOW)
    version = await save_draft(draft.draft, TYPED | {"office": "办"}, expected=1, saved_by="乙", now=NOW)
    with pytest.raises(DraftMovedError) as moved:
        await save_draft(draft.draft, {}, expected=1, saved_by="丙", now=NOW)
    kept = await load_draft(draft.draft)
    await delete_draft(draft.draft)
    with pytest.raises(DraftNotFoundError):
        await save_draft(draft.draft, {}, expected=2, saved_by="丙", now=NOW)

    assert version == 2
    assert "乙" in str(moved.value)
    assert kept.fields == TYPED | {"office": "办"}
    assert (kept.owner, kept.saved_by, kept.county_code, kept.wave) == ("甲", "乙", "360828", "county-a")
    assert await find_draft_of("county-a") is None
    assert await list_drafts() == ()
