"""Every table, in corridor order; keys begin with the wave.

Piccolo knows one key column per table, so where the database's key is (wave, name) the
class marks the wave; the migrations hold the truth. Documents are canonical text with
their digest, certified numbers are inside them as text. Slips, sealed answers and leaves
are not here: every wave has an intake of its own (`intake.py`), apart from these tables.
"""

from __future__ import annotations

from typing import Any

from piccolo.columns import BigInt, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table

from survey.storage.branch import OfBranch, OfDomain, OfPlace, WholeBelow


class Waves(WholeBelow, Table, tablename="waves"):
    """One fielding of a plan, and how far it has come."""

    wave = Text(primary_key=True)
    title = Text()
    county = Text()
    county_code = Text(default="")
    state = Text()
    demonstration = Boolean()
    created_at = Timestamptz(default=None)
    changed_at = Timestamptz(default=None)

    @classmethod
    def _in_counties(cls, counties: list[str]) -> Any:
        return cls.county_code.is_in(counties)


class OfWave(OfBranch):
    """A table of rows that each belong to one wave."""

    @classmethod
    def _in_counties(cls, counties: list[str]) -> Any:
        """Rows of the waves that may be seen; the table of waves keeps to the branch by itself."""
        return cls.wave.is_in(Waves.select(Waves.wave))  # type: ignore[attr-defined]


class Catalogues(Table, tablename="catalogues"):
    """What a bureau made of the answering pages in a language: being filled, and signed."""

    language = Text(primary_key=True)
    signed = Boolean()
    document = Text()
    digest = Text()
    saved_at = Timestamptz(default=None)


class Plans(WholeBelow, OfWave, Table, tablename="plans"):
    """What is asked, of whom, which figure is owed."""

    wave = Text(primary_key=True)
    document = Text()
    digest = Text()
    saved_at = Timestamptz(default=None)


class PlanDrafts(Table, tablename="plan_drafts"):
    """What a person has typed into the set-up pages so far, as it was typed."""

    draft = Text(primary_key=True)
    wave = Text(null=True, default=None)
    owner = Text()
    county_code = Text()
    fields = Text()
    version = Integer()
    saved_by = Text()
    saved_at = Timestamptz(default=None)


class LaunchTicks(OfWave, Table, tablename="launch_ticks"):
    """Lines of the launch checklist that a named person has answered for."""

    wave = Text(primary_key=True)
    item = Text()
    person = Text()
    note = Text()
    ticked_at = Timestamptz(default=None)


class Frames(WholeBelow, OfWave, Table, tablename="frames"):
    """Who exists: the schools of a wave."""

    wave = Text(primary_key=True)
    document = Text()
    digest = Text()
    filename = Text()
    saved_at = Timestamptz(default=None)


class ColumnMaps(Table, tablename="column_maps"):
    """Which header of an office's own sheets means which column of the frame."""

    name = Text(primary_key=True)
    document = Text()


class Samples(WholeBelow, OfWave, Table, tablename="samples"):
    """Who is asked."""

    wave = Text(primary_key=True)
    document = Text()
    digest = Text()
    saved_at = Timestamptz(default=None)


class Cases(OfWave, Table, tablename="cases"):
    """Opened answers by commitment, confidential: no page, export or API reads them."""

    wave = Text(primary_key=True)
    c = Text()
    record = Text()


class Salts(OfWave, Table, tablename="salts"):
    """What turns a record back into its commitment; for an auditor, and erased with the records."""

    wave = Text(primary_key=True)
    c = Text()
    salt = Text()


class ResultsTable(OfWave, Table, tablename="results"):
    """What the wave says."""

    wave = Text(primary_key=True)
    document = Text()
    digest = Text()
    saved_at = Timestamptz(default=None)


class Recordings(OfWave, Table, tablename="recordings"):
    """Questions read aloud to pupils, in base64; a signed plan pins their digests."""

    wave = Text(primary_key=True)
    name = Text()
    digest = Text()
    content = Text()


class Evidence(WholeBelow, OfWave, Table, tablename="evidence"):
    """Signed documents of a wave and their notes, by file name; written once."""

    wave = Text(primary_key=True)
    name = Text()
    text = Text()
    digest = Text()
    saved_at = Timestamptz(default=None)

    @classmethod
    def _of_schools(cls, account: str, writing: bool) -> Any:
        """Below the county two papers: a closing date that was put off, and that opening is signed."""
        told = cls.name.like("extension%") | (cls.name == "opening.note")
        return super()._of_schools(account, writing) & told


class RegistryLeaves(Table, tablename="registry_leaves"):
    """The installation's log of signed documents; append-only."""

    position = Integer(primary_key=True)
    leaf = Text()


class RegistryHeads(Table, tablename="registry_heads"):
    """The signed head after each append."""

    size = Integer(primary_key=True)
    note = Text()


class Certificates(Table, tablename="certificates"):
    """Portable certificates by number and by the twelve signs people type."""

    wave = Text(primary_key=True)
    number = Integer()
    short = Text()
    document = Text()
    saved_at = Timestamptz(default=None)


class CertificationSteps(OfWave, Table, tablename="certification_steps"):
    """Who prepared, reviewed, sent back and signed a certificate; only ever added to."""

    wave = Text(primary_key=True)
    number = Integer()
    issue = Integer()
    step = Text()
    person = Text()
    digest = Text()
    document = Text()
    done_at = Timestamptz(default=None)


class LedgerEntries(OfPlace, OfWave, Table, tablename="ledger_entries"):
    """Problems of a wave and what is done about them; each row's document holds its history."""

    wave = Text(primary_key=True)
    number = Integer()
    source = Text()
    source_key = Text()
    state = Text()
    due_on = Text(null=True, default=None)
    about = Text(default="")
    """A school's or an area's code; empty where it is about the whole county."""
    version = Integer()
    document = Text()


class Accounts(Table, tablename="accounts"):
    """Who works at the console; passwords as Argon2id."""

    name = Text(primary_key=True)
    display = Text()
    password = Text(null=True, default=None)
    active = Boolean()
    created_at = Timestamptz(default=None)


class AccountSubjects(Table, tablename="account_subjects"):
    """Who an account is at the provider of the unified sign-in."""

    account = Text(primary_key=True)
    issuer = Text()
    subject = Text()


class SpentStarts(Table, tablename="spent_starts"):
    """Sign-ins begun at the provider that have come back; each comes back once."""

    state = Text(primary_key=True)
    expires_at = Timestamptz(default=None)


class AccountRoles(Table, tablename="account_roles"):
    """What each account may be; one row a role."""

    account = Text(primary_key=True)
    role = Text()


class AccountDivisions(Table, tablename="account_divisions"):
    """The branches of the country an account works in; none means the whole installation."""

    account = Text(primary_key=True)
    division = Text()


class LocalDivisions(Table, tablename="local_divisions"):
    """Divisions without a national code, and the division each lies under."""

    code = Text(primary_key=True)
    parent = Text()
    name = Text()
    ended_on = Text(null=True, default=None)


class SignInLinks(Table, tablename="sign_in_links"):
    """One-time sign-ins; only the digest of the link is here."""

    digest = Text(primary_key=True)
    account = Text()
    expires_at = Timestamptz(default=None)
    used_at = Timestamptz(null=True, default=None)


class SecondFactors(Table, tablename="second_factors"):
    """What each account's one-time codes are derived from, together with a key outside the database."""

    account = Text(primary_key=True)
    nonce = Text()
    confirmed_at = Timestamptz(null=True, default=None)
    last_step = BigInt()


class RecoveryCodes(Table, tablename="recovery_codes"):
    """Codes for a lost phone, each good once; only digests are here."""

    account = Text(primary_key=True)
    digest = Text()
    used_at = Timestamptz(null=True, default=None)


class Sessions(Table, tablename="sessions"):
    """Who is signed in; only the digest of the session's id is here."""

    digest = Text(primary_key=True)
    account = Text()
    started_at = Timestamptz(default=None)
    seen_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    device = Text(default="")


class Webhooks(Table, tablename="webhooks"):
    """Addresses of other systems that are told of certificates; their secrets are derived, not kept."""

    id = Text(primary_key=True)
    account = Text()
    label = Text()
    url = Text()
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
    turns = Integer(default=0)
    turned_at = Timestamptz(null=True, default=None)


class WebhookMessages(Table, tablename="webhook_messages"):
    """What is to be told, whom, and how far it has come; written with the act itself."""

    id = Text(primary_key=True)
    webhook = Text()
    event = Text()
    body = Text()
    state = Text()
    tries = Integer()
    outcome = Text()
    created_at = Timestamptz(default=None)
    due_at = Timestamptz(default=None)


class ApiTokens(Table, tablename="api_tokens"):
    """Keys of other programs, with what they may read; only digests are here."""

    digest = Text(primary_key=True)
    account = Text()
    label = Text()
    scopes = Text()
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)


class IdempotentReplies(Table, tablename="idempotent_replies"):
    """What was answered to a write of another system, by its token and key, for a day."""

    token = Text(primary_key=True)
    key = Text()
    asked = Text()
    body = Text()
    kept_at = Timestamptz(default=None)


class AuditTrail(Table, tablename="audit_trail"):
    """Who did what to which object, when, with which result; each row holds the digest before it."""

    position = Integer(primary_key=True)
    document = Text()
    digest = Text()


class PaperEntries(OfWave, Table, tablename="paper_entries"):
    """First passes of paper forms, sealed, until a second clerk has typed the same form."""

    wave = Text(primary_key=True)
    slip = Text()
    clerk = Text()
    c = Text()
    box = Text()
    entered_on = Text()


class CallBackTickets(OfDomain, OfWave, Table, tablename="callback_tickets"):
    """Who was drawn to be called: a random ticket, its domain, and whether it is spent."""

    wave = Text(primary_key=True)
    ticket = Text()
    domain = Text()
    spent = Integer()


class CallBacks(OfDomain, OfWave, Table, tablename="callbacks"):
    """What was said on the telephone; no key leads to a ticket, a person or a web answer."""

    wave = Text(primary_key=True)
    id = Text()
    domain = Text()
    outcome = Text()
    called_on = Text()
    answer = Integer(null=True, default=None)


class BoardMessages(OfWave, Table, tablename="board_messages"):
    """What people wrote on the message board; nothing here leads to an answer or a person."""

    id = Text(primary_key=True)
    wave = Text()
    respondent_group = Text()
    text = Text()
    received_on = Text()
    state = Text()
    cleared = Text()
    theme = Text()
    cleared_by = Text(null=True, default=None)
    released_by = Text(null=True, default=None)


class Backups(Table, tablename="backups"):
    """When a backup was made and verified."""

    digest = Text(primary_key=True)
    made_at = Timestamptz(default=None)
    size = BigInt()
    answers = BigInt()
