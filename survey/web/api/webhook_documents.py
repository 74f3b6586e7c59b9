"""What another system is told, as closed structs and as the webhooks of the OpenAPI document.

A message names a wave, a certificate and a digest, never a figure: whoever is told comes and reads.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from survey.web.api.documents import Digest, WaveId

SIGNED = (
    {
        "name": "webhook-id",
        "description": "消息的编号；重发时不变，据此去重",
        "schema": {"type": "string", "pattern": "^msg_[0-9a-f]{32}$"},
    },
    {
        "name": "webhook-timestamp",
        "description": "发送时刻，1970年以来的秒数；相差五分钟以上的不要收",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    {
        "name": "webhook-signature",
        "description": "v1,加Base64的HMAC-SHA256，对“编号.时刻.正文”，按Standard Webhooks；用登记时给的whsec_密钥核对",
        "schema": {"type": "string", "pattern": "^v1,"},
    },
)


class Told(Struct, frozen=True, kw_only=True):
    """Which certificate of which wave."""

    wave: WaveId
    number: Annotated[int, Meta(ge=0, description="证书编号", examples=[7])]
    statement_digest: Digest


class CertificateMessage(Struct, frozen=True, kw_only=True):
    """A message about a certificate."""

    type: Annotated[str, Meta(description="同名称", examples=["certificate.issued"])]
    timestamp: Annotated[str, Meta(description="发生的时刻（UTC）", examples=["2026-12-12T02:32:00Z"])]
    data: Told


SUMMARIES = {
    "certificate.issued": "签发了一次调查的第一份证书",
    "certificate.superseded": "签发了新的证书，代替以前的；number是新的",
    "certificate.revoked": "撤回了一份证书；请撤下用过的数字",
}
WEBHOOKS = dict.fromkeys(SUMMARIES, CertificateMessage)
"""Event to what is told."""


def describe_webhooks() -> dict[str, Any]:
    """The `webhooks` of the OpenAPI document."""
    return {event: {"post": _operation(event, summary)} for event, summary in SUMMARIES.items()}


def _operation(event: str, summary: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{WEBHOOKS[event].__name__}"}
    return {
        "operationId": "on" + "".join(part.title() for part in event.split(".")),
        "summary": summary,
        "description": "管理员登记网址后推送；十秒内回答2xx算收到，别的（重定向也算）过一会儿再发，约三天。可能收到两次。",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [{**header, "in": "header", "required": True} for header in SIGNED],
        "requestBody": {"required": True, "content": {"application/json": {"schema": reference}}},
        "responses": {"2XX": {"description": "收到"}, "default": {"description": "没有收到，再发"}},
    }
