"""The description of the API (OpenAPI 3.1), generated from the structs that answers are made of."""

from functools import cache
from typing import Any

import msgspec

from survey import __version__
from survey.web.api import documents, record_documents
from survey.web.api.frames import MOST_ROWS, ROWS
from survey.web.api.paging import DEFAULT, MOST
from survey.web.api.webhook_documents import WEBHOOKS, describe_webhooks
from survey.web.ration import A_SECOND
from survey.web.rights import SCOPES

WAVE = {
    "name": "wave",
    "in": "path",
    "required": True,
    "description": "调查的名字",
    "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{2,39}$"},
    "example": "wanan-2026-autumn",
}


def paging(most: int, default: int) -> tuple[dict[str, Any], ...]:
    """The query of a collection."""
    sizes = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    cursor = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,80}$"}
    return (
        {"name": "limit", "in": "query", "description": f"一页几个，1到{most}", "schema": sizes},
        {"name": "cursor", "in": "query", "description": "上一页给出的next，原样", "schema": cursor},
    )


PAGING, LONG_PAGING = paging(MOST, DEFAULT), paging(MOST_ROWS, ROWS)
NUMBER = {
    "name": "number",
    "in": "path",
    "required": True,
    "description": "台账编号",
    "schema": {"type": "integer", "minimum": 1, "maximum": 2147483647},
    "example": 1,
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "每次写入一个新的键；重试用同一个键，24小时内只做一次，回答同第一次",
    "schema": {"type": "string", "pattern": "^[!-~]{1,100}$"},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "上次得到的ETag；没有变化时回答304",
    "schema": {"type": "string"},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "看到的ETag；别人先改了就回答412，不执行",
    "schema": {"type": "string"},
}
OPERATIONS: tuple[dict[str, Any], ...] = (
    {
        "path": "/api/v1/waves",
        "id": "listWaves",
        "summary": "调查的清单，新的在前，按cursor翻页",
        "scope": "waves:read",
        "answer": documents.WavePage,
        "parameters": PAGING,
        "refusals": (400, 401, 403),
    },
    {
        "path": "/api/v1/waves/{wave}",
        "id": "getWave",
        "summary": "一次调查：日期、人群、状态",
        "scope": "waves:read",
        "answer": documents.Wave,
        "parameters": (WAVE,),
        "refusals": (400, 401, 403, 404),
    },
    {
        "path": "/api/v1/waves/{wave}/participation",
        "id": "getParticipation",
        "summary": "参与情况：要求的和收回的份数，没有任何回答的内容",
        "scope": "participation:read",
        "answer": documents.Participation,
        "parameters": (WAVE,),
        "refusals": (400, 401, 403, 404, 409),
    },
    {
        "path": "/api/v1/waves/{wave}/figure",
        "id": "getFigure",
        "summary": "满意度、区间、阈值、各组、别的算法；结束并开箱以前是409",
        "scope": "figure:read",
        "answer": documents.Figure,
        "parameters": (WAVE,),
        "refusals": (400, 401, 403, 404, 409),
    },
    {
        "path": "/api/v1/waves/{wave}/areas",
        "id": "listAreas",
        "summary": "各督学责任区的满意度，签发以后才有；按代码，按cursor翻页",
        "scope": "areas:read",
        "answer": documents.AreaPage,
        "parameters": (WAVE, *PAGING),
        "refusals": (400, 401, 403, 404, 409),
    },
    {
        "path": "/api/v1/waves/{wave}/certificate",
        "id": "getCertificate",
        "summary": "现行的结果证书在哪里、怎样验证",
        "scope": "figure:read",
        "answer": documents.Certificate,
        "parameters": (WAVE,),
        "refusals": (400, 401, 403, 404, 409),
    },
    {
        "path": "/api/v1/records",
        "id": "listRecords",
        "summary": "满意度数据项，一次调查一条，给已有的督导管理信息系统；约定见/contract/figure/v1",
        "scope": "figure:read",
        "answer": record_documents.RecordPage,
        "parameters": PAGING,
        "refusals": (400, 401, 403),
    },
    {
        "path": "/api/v1/waves/{wave}/record",
        "id": "getRecord",
        "summary": "一次调查的满意度数据项；没有签发、已撤回时没有满意度",
        "scope": "figure:read",
        "answer": record_documents.FigureRecord,
        "parameters": (WAVE,),
        "refusals": (400, 401, 403, 404),
    },
    {
        "path": "/api/v1/waves/{wave}/frame",
        "id": "getFrame",
        "summary": "学校名册：只有学校，没有人；按学校代码，按cursor翻页",
        "scope": "frame:read",
        "answer": documents.FrameDocument,
        "parameters": (WAVE, *LONG_PAGING),
        "refusals": (400, 401, 403, 404, 409),
    },
    {
        "path": "/api/v1/waves/{wave}/sample",
        "id": "getSample",
        "summary": "抽中的学校、种子和摘要，任何人可以重抽；按cursor翻页",
        "scope": "frame:read",
        "answer": documents.SampleDocument,
        "parameters": (WAVE, *LONG_PAGING),
        "refusals": (400, 401, 403, 404, 409),
    },
    {
        "path": "/api/v1/waves/{wave}/ledger",
        "id": "listLedger",
        "summary": "问题台账，按编号，按cursor翻页",
        "scope": "ledger:read",
        "answer": documents.LedgerPage,
        "parameters": (WAVE, *PAGING),
        "refusals": (400, 401, 403, 404),
    },
    {
        "path": "/api/v1/waves/{wave}/ledger",
        "method": "post",
        "id": "takeUp",
        "summary": "登记一个问题；签发以后才可以",
        "scope": "ledger:write",
        "body": documents.NewEntry,
        "answer": documents.LedgerRow,
        "status": 201,
        "parameters": (WAVE, IDEMPOTENCY),
        "refusals": (400, 401, 403, 404, 408, 409, 413, 415, 422),
    },
    {
        "path": "/api/v1/waves/{wave}/ledger/{number}",
        "id": "getLedgerEntry",
        "summary": "一个问题和它的经过",
        "scope": "ledger:read",
        "answer": documents.LedgerRow,
        "parameters": (WAVE, NUMBER),
        "refusals": (400, 401, 403, 404),
    },
    {
        "path": "/api/v1/waves/{wave}/ledger/{number}/acts",
        "method": "post",
        "id": "actOnLedgerEntry",
        "summary": "对一个问题做一步：开始整改、申请销号、同意销号、退回、回头看、重新整改",
        "scope": "ledger:write",
        "body": documents.NewAct,
        "answer": documents.LedgerRow,
        "parameters": (WAVE, NUMBER, IDEMPOTENCY, IF_MATCH),
        "refusals": (400, 401, 403, 404, 408, 409, 412, 413, 415, 422),
    },
)
ALWAYS = (406, 429, 500, 503)
"""What every operation may answer besides its own refusals."""
REASONS = {
    304: "没有变化",
    400: "参数不认识、重复或不对",
    401: "没有令牌，或令牌已过期，带WWW-Authenticate",
    403: "令牌没有这项范围",
    404: "没有这次调查",
    406: "Accept里没有application/json",
    408: "内容没有在时限内收完",
    409: "这次调查还没有走到这一步，别人先做了，或者键用在了别的请求上",
    412: "看到以后已经有改动",
    413: "内容太大，最多64 KB",
    415: "内容不是application/json，或者压缩过",
    422: "内容里有要改的地方，逐条列在faults里",
    429: f"这个令牌问得太勤，每分钟最多{A_SECOND * 60}次，带Retry-After",
    500: "系统出了意外，带事件编号",
    503: "现在很忙，带Retry-After",
}
_CHALLENGE = {"WWW-Authenticate": {"description": "Bearer，和为什么不行", "schema": {"type": "string"}}}
_LATER = {"Retry-After": {"description": "过多少秒再来", "schema": {"type": "integer", "minimum": 1}}}
TOLD_WITH = {401: _CHALLENGE, 429: _LATER, 503: _LATER}
"""The headers that a refusal always has."""


@cache
def describe_api() -> dict[str, Any]:
    """The OpenAPI document: every path, its scope, its answer and its refusals."""
    structs = [
        documents.Problem,
        *(operation["answer"] for operation in OPERATIONS),
        *(operation["body"] for operation in OPERATIONS if "body" in operation),
        *WEBHOOKS.values(),
    ]
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation["path"], {})[operation.get("method", "get")] = _operation(operation)
    paths["/metrics"] = {"get": _metrics()}
    _, schemas = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "教育满意度调查接口",
            "version": __version__,
            "description": (
                "给其他系统取用调查、参与情况和已经签发的满意度，并维护问题台账。答卷和满意度只能读。"
                "比例都是文字，截断而不四舍五入；引用时请带上sentences里的话。演示数据的demonstration为真，不能引用。"
                "不在下面列着的请求也用问题文档（RFC 9457）回答：没有的网址404，别的方法405（带Allow），别的主机名421。"
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [
            {"name": "waves", "description": "调查"},
            {"name": "operation", "description": "运行"},
            {"name": "webhooks", "description": "推送"},
        ],
        "paths": paths,
        "webhooks": describe_webhooks(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "管理员发放的令牌，有范围和期限。范围："
                    + "；".join(f"{scope} {words}" for scope, words in SCOPES.items()),
                }
            },
        },
    }


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": operation["summary"],
        "content": {"application/json": {"schema": _reference(operation["answer"].__name__)}},
    }
    responses: dict[str, Any] = {str(operation.get("status", 200)): answer}
    answer["headers"] = {"ETag": {"description": "内容的摘要", "schema": {"type": "string"}}}
    reads = operation.get("method", "get") == "get"
    if reads:
        responses["304"] = {"description": REASONS[304]}
    responses |= {str(status): _refusal(status) for status in sorted((*operation["refusals"], *ALWAYS))}
    return {
        "operationId": operation["id"],
        "summary": operation["summary"],
        "description": f"需要范围 {operation['scope']}。",
        "tags": ["waves"],
        "security": [{"token": [operation["scope"]]}],
        "parameters": [*operation["parameters"], *((IF_NONE_MATCH,) if reads else ())],
        **({"requestBody": _body(operation["body"].__name__)} if "body" in operation else {}),
        "responses": responses,
    }


def _metrics() -> dict[str, Any]:
    refused = {str(status): _refusal(status) for status in (401, 403, 429, 500, 503)}
    figures = {"description": "Prometheus的文本格式", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        "operationId": "getMetrics",
        "summary": "运行指标，给Prometheus：收了多少、排队、磁盘、内存；没有结果，没有调查，没有人",
        "description": "需要范围 metrics:read。",
        "tags": ["operation"],
        "security": [{"token": ["metrics:read"]}],
        "responses": {"200": figures, **refused},
    }


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": REASONS[status],
        **({"headers": TOLD_WITH[status]} if status in TOLD_WITH else {}),
        "content": {"application/problem+json": {"schema": _reference("Problem")}},
    }


def _body(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _reference(name)}}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
