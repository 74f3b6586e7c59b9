"""The record that an existing inspection system pulls, as closed structs; the contract itself is the JSON Schema.

`data/figure-record.v1.schema.json` says in Chinese what every field means and stays compatible; these
structs are how this program fills it in. What is not there is left out, never null.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from survey.web.api.documents import Count, Cursor, Day, Digest, Rate, WaveId

CONTRACT = "survey/figure-record/v1"
Whole = Annotated[str, Meta(pattern="^(0|[1-9][0-9]*)$", description="十进制整数，写成文字")]


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A division by its code, and those above it by theirs."""

    code: str
    standard: Annotated[str, Meta(description="GB/T 2260, GB/T 10114, statistical, local")]
    province: str | UnsetType = UNSET
    prefecture: str | UnsetType = UNSET
    county: str | UnsetType = UNSET


class SchemeName(Struct, frozen=True, kw_only=True):
    """The scheme a figure is owed to."""

    id: str
    title: str


class ExactFigure(Struct, frozen=True, kw_only=True):
    """The figure: exact as a fraction, and cut off as share and percent."""

    name: str
    numerator: Whole
    denominator: Whole
    share: Rate
    percent: Annotated[str, Meta(description="单位是百分之一，不带百分号", examples=["88.43"])]


class SignedInterval(Struct, frozen=True, kw_only=True):
    """The interval of the statement."""

    level: str
    lower: Rate
    upper: Rate
    method: str


class Line(Struct, frozen=True, kw_only=True):
    """The line that is asked for, and whether it is reached."""

    value: Rate
    edge: Annotated[str, Meta(description="at_least, above")]
    each_group: bool
    reached: bool | None


class Base(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many answers the figure stands on."""

    valid: Count
    effective_n: str | UnsetType = UNSET
    slips: Count | UnsetType = UNSET
    used: Count | UnsetType = UNSET
    response_rate_2: str | UnsetType = UNSET


class Evidence(Struct, frozen=True, kw_only=True):
    """How the answers came, and who looked them over."""

    class_: Annotated[str, Meta(description="A, B, C")] = field(name="class")
    level: Annotated[str, Meta(description="public, audited")]


class SaidWith(Struct, frozen=True, kw_only=True):
    """A sentence that goes with the figure."""

    code: str
    text: str


class RecordCertificate(Struct, frozen=True, kw_only=True):
    """The newest certificate of the wave."""

    number: Count
    short: str
    statement_digest: Digest
    file_digest: Digest
    issued_on: Day
    state: Annotated[str, Meta(description="valid, revoked")]
    page: str
    download: str
    replaced: list[int]


class Revocation(Struct, frozen=True, kw_only=True):
    """Why the certificate was taken back."""

    reason: str


class FigureRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One wave for another system; the figure only while a certificate holds."""

    contract: Annotated[str, Meta(description=CONTRACT)]
    wave: WaveId
    title: str
    county: str
    division: Place
    office: str
    scheme: SchemeName
    demonstration: bool
    opens_on: Day
    closes_on: Day
    status: Annotated[str, Meta(description="not_opened, not_certified, certified, revoked")]
    status_name: str
    figure: ExactFigure | UnsetType = UNSET
    standard_error: Rate | UnsetType = UNSET
    interval: SignedInterval | UnsetType = UNSET
    threshold: Line | UnsetType = UNSET
    base: Base | UnsetType = UNSET
    evidence: Evidence | UnsetType = UNSET
    formula: str | UnsetType = UNSET
    method_version: str | UnsetType = UNSET
    sentences: list[SaidWith] | UnsetType = UNSET
    certificate: RecordCertificate | UnsetType = UNSET
    revocation: Revocation | UnsetType = UNSET


class RecordPage(Struct, frozen=True, kw_only=True):
    """One page of records, the newest wave first."""

    items: list[FigureRecord]
    next: Cursor
