"""Tables whose rows each belong to one school of a wave; below the county one finds here only one's own."""

from __future__ import annotations

from piccolo.columns import Integer, Text, Timestamptz
from piccolo.table import Table

from survey.storage.branch import OfSchool
from survey.storage.tables import OfWave


class SchoolAreas(OfSchool, OfWave, Table, tablename="school_areas"):
    """The schools of a wave's frame, each with its responsibility area; beside the frame, which is signed."""

    wave = Text(primary_key=True)
    school_code = Text()
    area = Text(null=True, default=None)


class SchoolLinks(OfSchool, OfWave, Table, tablename="school_links"):
    """One-time links of schools' contacts; only digests are here."""

    digest = Text(primary_key=True)
    wave = Text()
    school_code = Text()
    contact = Text()
    expires_at = Timestamptz(default=None)
    used_at = Timestamptz(null=True, default=None)


class SchoolSessions(OfSchool, OfWave, Table, tablename="school_sessions"):
    """Contacts who are signed in, each to one school of one wave."""

    digest = Text(primary_key=True)
    wave = Text()
    school_code = Text()
    contact = Text()
    started_at = Timestamptz(default=None)
    seen_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)


class Handouts(OfSchool, OfWave, Table, tablename="handouts"):
    """What a school has handed out: class, group, slips, day."""

    wave = Text(primary_key=True)
    school_code = Text()
    respondent_group = Text()
    class_name = Text()
    n = Integer()
    handed_out_on = Text()


class SpareRequests(OfSchool, OfWave, Table, tablename="spare_requests"):
    """Spare slips that schools ask for, and what the bureau decided."""

    id = Text(primary_key=True)
    wave = Text()
    school_code = Text()
    respondent_group = Text()
    n = Integer()
    reason = Text()
    state = Text()
    asked_at = Timestamptz(default=None)
    decided_by = Text(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)
