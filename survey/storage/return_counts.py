"""How many answers many waves have, for a list of them: one look, not one a wave.

On SQLite the intakes know their slips by heart; on PostgreSQL three statements count in every
schema at once, the server walking its own list of schemas. A count is good for
ten seconds, that of a closed wave for as long as the process lives.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from piccolo.querystring import QueryString

from survey.storage import piccolo_conf
from survey.storage.current import transaction
from survey.storage.office import IntakeOffice
from survey.storage.postgres_schema import schema_of

GOOD_FOR_SECONDS = 10.0
SURPLUS = "surplus"

NAME = "SELECT set_config('survey.schemas', {}, true)"
COUNT = """
DO $$ DECLARE name text; used bigint; found jsonb := jsonb_build_object();
BEGIN
    FOR name IN SELECT nspname FROM pg_namespace
        WHERE nspname = ANY (string_to_array(current_setting('survey.schemas'), ','))
    LOOP
        EXECUTE format('SELECT
            (SELECT count(*) FROM %1$I.slips WHERE state IN (''used'', ''disputed''))
          + (SELECT coalesce(sum(used), 0) FROM %1$I.posters WHERE mode <> ''surplus'')', name) INTO used;
        found := found || jsonb_build_object(name, used);
    END LOOP;
    PERFORM set_config('survey.counts', found::text, true);
END $$"""
TELL = "SELECT current_setting('survey.counts') AS counts"


class ReturnCounts:
    """Answers of waves that have an intake, counted when asked and remembered for a moment."""

    def __init__(self, office: IntakeOffice) -> None:
        self._office = office
        self._known: dict[str, tuple[float, int]] = {}
        """Wave to the moment until which its count is good, and the count."""

    async def of(self, waves: Mapping[str, bool]) -> dict[str, int]:
        """The answers of each wave that has an intake; surplus of a full quota left out.

        Args:
            waves: name to whether it is closed, so that its count can no longer grow.
        """
        now = time.monotonic()
        here = [wave for wave in waves if wave in self._office.waves()]
        unknown = [wave for wave in here if self._known.get(wave, (0.0, 0))[0] <= now]
        counted = await self._count(unknown) if unknown else {}
        for wave, used in counted.items():
            self._known[wave] = (float("inf") if waves[wave] else now + GOOD_FOR_SECONDS, used)
        return {wave: self._known[wave][1] for wave in here if wave in self._known}

    async def _count(self, waves: list[str]) -> dict[str, int]:
        if not self._office.settings.database_url:
            return {wave: await self._count_here(wave) for wave in waves}
        schemas = {schema_of(wave): wave for wave in waves}
        async with transaction():
            await piccolo_conf.DB.run_querystring(QueryString(NAME, ",".join(schemas)))
            await piccolo_conf.DB.run_querystring(QueryString(COUNT))
            rows = await piccolo_conf.DB.run_querystring(QueryString(TELL))
        return {schemas[name]: used for name, used in json.loads(rows[0]["counts"]).items()}

    async def _count_here(self, wave: str) -> int:
        surplus = {p.domain for p in self._office.about(wave).posters if p.mode == SURPLUS}
        counts = await self._office.participation(wave)
        return sum(count.used for count in counts if count.domain not in surplus)
