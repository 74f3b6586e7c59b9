"""Unified sign-in by OpenID Connect: authorization code with PKCE, for accounts registered here.

The browser carries a random start, marked with the installation's key. State, nonce and PKCE
verifier are derived from it, so nothing is stored until somebody comes back, and a start
comes back once. Only the subject of the ID token is used; an unknown one opens nothing and
creates nothing. What the provider says is checked as OpenID Connect Core 1.0, section 3.1.3.7,
and RFC 9207 ask; signatures and claims by joserfc, which is loaded when somebody signs in so.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from survey.errors import SurveyError
from survey.jobs.reach_out import tls_context
from survey.settings import Settings, is_private_enough
from survey.storage.accounts import Account
from survey.storage.second_factors import installation_key
from survey.storage.subjects import find_subject_account, spend_start

if TYPE_CHECKING:
    from joserfc import jwk

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by the provider's private key; `none` and those by a shared secret are refused."""
LASTS = timedelta(minutes=10)
"""How long somebody may take at the provider."""
LEEWAY = 60
SECONDS = 5.0
MOST_BYTES = 256 * 1024
KEPT = timedelta(minutes=10)
ASKED_AGAIN = timedelta(minutes=1)
LEFT_ALONE = timedelta(seconds=30)
"""How long a provider that did not answer is not asked again, so that nobody waits for it at every click."""
BACK = "/console/sign-in/unified/back"


class SignInRefusedError(SurveyError):
    """What came back from the provider opens nothing."""

    code = "oidc.refused"
    kind = "forbidden"

    def __init__(self, reason: str) -> None:
        super().__init__("统一登录", reason, "请回到登录页，从头再登录一次")


class UnregisteredError(SurveyError):
    """The provider knows the person, and no account here is registered for them."""

    code = "oidc.unregistered"
    kind = "forbidden"

    def __init__(self, subject: str) -> None:
        super().__init__(
            "统一登录", f"标识“{subject}”没有登记到能用的账号", "把这个标识告诉管理员，由管理员在“人员”页登记"
        )


class ProviderUnreachableError(SurveyError):
    """The provider does not answer, or not as OpenID Connect says."""

    code = "oidc.unreachable"
    kind = "busy"

    def __init__(self, reason: str) -> None:
        super().__init__("统一登录", reason, "请过一会儿再试，或者用密码登录")


@dataclass(frozen=True)
class Metadata:
    """What the provider says of itself."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    posts_secret: bool
    names_issuer: bool


@dataclass(frozen=True)
class Start:
    """A sign-in that was begun in this browser."""

    state: str
    nonce: str
    verifier: str
    next_page: str
    until: datetime


class Provider:
    """The provider of the settings; what it says of itself is kept for ten minutes, its silence for half one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.issuer, self.client = settings.oidc_issuer or "", settings.oidc_client_id or ""
        self._known: tuple[Metadata, jwk.KeySet, datetime] | None = None
        self._silent: tuple[str, datetime] | None = None
        self._asking = asyncio.Lock()

    async def known(self, *, now: datetime, fresh: timedelta = KEPT) -> tuple[Metadata, jwk.KeySet]:
        """Its addresses and keys, not older than `fresh`.

        Raises:
            ProviderUnreachableError.
        """
        async with self._asking:
            if self._known is None or now - self._known[2] >= fresh:
                if (silent := self.silent(now)) is not None:
                    raise ProviderUnreachableError(f"{silent}，半分钟内不再去问")
                try:
                    self._known = *await self._ask(), now
                except ProviderUnreachableError as error:
                    self._silent = error.reason, now + LEFT_ALONE
                    raise
            return self._known[0], self._known[1]

    def silent(self, now: datetime) -> str | None:
        """Why it was just out of reach; None while it may be asked."""
        return self._silent[0] if self._silent is not None and now < self._silent[1] else None

    async def _ask(self) -> tuple[Metadata, jwk.KeySet]:
        metadata = read_metadata(
            await _fetch("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"), self.issuer
        )
        return metadata, read_keys(await _fetch("GET", metadata.jwks))

    async def begin(self, next_page: str, *, now: datetime) -> tuple[str, str]:
        """The provider's address to go to, and what the browser must bring back in a cookie."""
        metadata, _ = await self.known(now=now)
        page = base64.urlsafe_b64encode(next_page.encode()).decode().rstrip("=")
        text = f"{int((now + LASTS).timestamp())}.{secrets.token_urlsafe(32)}.{page}"
        start = self._start(text)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(start.verifier.encode()).digest()).decode().rstrip("=")
        )
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.client,
                "redirect_uri": self.settings.base_url + BACK,
                "scope": "openid",
                "state": start.state,
                "nonce": start.nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        joint = "&" if "?" in metadata.authorization else "?"
        return f"{metadata.authorization}{joint}{query}", f"{self._derive('mark', text)}.{text}"

    async def finish(self, cookie: str, answer: dict[str, str], *, now: datetime) -> tuple[Account, str]:
        """The account of whoever has signed in at the provider, and the page to go on to.

        Args:
            cookie: what `begin` gave this browser.
            answer: the query the browser came back with: `state` and `code`, or `error`; `iss`.

        Raises:
            SignInRefusedError, UnregisteredError, ProviderUnreachableError.
        """
        from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError

        start = self._read(cookie, now)
        if start is None or not hmac.compare_digest(start.state.encode(), answer.get("state", "").encode()):
            raise SignInRefusedError("不是在这个浏览器里刚刚开始的登录，或者过了10分钟")
        if not await spend_start(start.state, start.until, now=now):
            raise SignInRefusedError("这次登录已经用过了")
        metadata, keys = await self.known(now=now)
        if ("iss" in answer or metadata.names_issuer) and answer.get("iss") != self.issuer:
            raise SignInRefusedError("答复来自另一个签发者")
        if "code" not in answer or "error" in answer:
            raise SignInRefusedError("统一登录没有同意")
        token = await self._redeem(metadata, answer["code"], start.verifier)
        try:
            subject = read_id_token(token, keys, self.issuer, self.client, start.nonce, now=now)
        except (InvalidKeyIdError, BadSignatureError):
            _, keys = await self.known(now=now, fresh=ASKED_AGAIN)
            try:
                subject = read_id_token(token, keys, self.issuer, self.client, start.nonce, now=now)
            except JoseError as error:
                raise SignInRefusedError("签名不对") from error
        account = await find_subject_account(self.issuer, subject)
        if account is None:
            raise UnregisteredError(subject)
        return account, start.next_page

    async def _redeem(self, metadata: Metadata, code: str, verifier: str) -> str:
        """The ID token that the code stands for."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.base_url + BACK,
            "code_verifier": verifier,
        }
        headers = {}
        file = self.settings.oidc_client_secret_file
        secret = file.read_text(encoding="utf-8").strip() if file else None
        if secret is None or metadata.posts_secret:
            fields |= {"client_id": self.client, **({"client_secret": secret} if secret else {})}
        else:
            # RFC 6749, section 2.3.1: both are form-encoded first.
            pair = f"{quote(self.client, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        reply = await _fetch("POST", metadata.token, headers=headers, fields=fields)
        token = reply.get("id_token")
        if not isinstance(token, str):
            raise SignInRefusedError("答复里没有身份令牌")
        return token

    def _start(self, text: str) -> Start:
        until, _, page = text.split(".")
        return Start(
            state=self._derive("state", text),
            nonce=self._derive("nonce", text),
            verifier=self._derive("verifier", text),
            next_page=base64.urlsafe_b64decode(page + "=" * (-len(page) % 4)).decode(),
            until=datetime.fromtimestamp(int(until), UTC),
        )

    def _read(self, cookie: str, now: datetime) -> Start | None:
        mark, _, text = cookie.partition(".")
        if not hmac.compare_digest(mark.encode(), self._derive("mark", text).encode()):
            return None
        start = self._start(text)
        return start if start.until > now else None

    def _derive(self, purpose: str, text: str) -> str:
        key = installation_key(self.settings)
        return hmac.new(key, f"survey/v1/oidc\0{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def read_metadata(document: dict[str, Any], issuer: str) -> Metadata:
    """The addresses a provider publishes, if it is the one that was asked.

    Raises:
        ProviderUnreachableError: another issuer, or an address over which a secret may not travel.
    """
    if document.get("issuer") != issuer:
        raise ProviderUnreachableError("说明里的issuer与SURVEY_OIDC_ISSUER不一致")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    found = [document.get(name) for name in names]
    if not all(isinstance(url, str) and is_private_enough(url) for url in found):
        raise ProviderUnreachableError("说明里缺少网址，或者网址不是https")
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    authorization, token, keys = map(str, found)
    return Metadata(
        issuer,
        authorization,
        token,
        keys,
        posts_secret="client_secret_basic" not in methods and "client_secret_post" in methods,
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def read_keys(document: dict[str, Any]) -> jwk.KeySet:
    """The public keys of a provider that can be read; shared secrets are none.

    Raises:
        ProviderUnreachableError: there is no such key.
    """
    from joserfc import jwk
    from joserfc.errors import JoseError

    keys: list[Any] = []
    listed = document.get("keys")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("kty") in ("RSA", "EC") and one.get("use", "sig") == "sig":
            try:
                keys.append(jwk.import_key({name: part for name, part in one.items() if name != "d"}))
            except (JoseError, ValueError, KeyError, TypeError):
                continue  # a key of a kind we do not read must not shut out the others
    if not keys:
        raise ProviderUnreachableError("没有公布可用的公钥")
    return jwk.KeySet(keys)


def read_id_token(
    token: str, keys: jwk.KeySet, issuer: str, client: str, nonce: str, *, now: datetime
) -> str:
    """The subject of an ID token that this issuer signed, for this client and this very sign-in.

    Raises:
        SignInRefusedError: a claim does not hold.
        InvalidKeyIdError, BadSignatureError: not by one of the keys; perhaps they have changed.
    """
    from joserfc import jwt
    from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError

    try:
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
        jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
    except (InvalidKeyIdError, BadSignatureError):
        raise
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise SignInRefusedError("身份令牌不是为这一次登录签发的，或者已经过期") from error
    audience, party = claims["aud"], claims.get("azp", client)
    if party != client or (isinstance(audience, list) and len(audience) > 1 and "azp" not in claims):
        raise SignInRefusedError("身份令牌是为另一个系统签发的")
    return str(claims["sub"])


async def _fetch(
    method: str, url: str, *, headers: dict[str, str] | None = None, fields: dict[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object at an address of the provider; nothing is followed, nothing long is read.

    Raises:
        ProviderUnreachableError, or SignInRefusedError where the provider refuses a code.
    """
    import httpcore

    sent = {"accept": "application/json", **(headers or {})}
    body = None
    if fields is not None:
        sent["content-type"], body = "application/x-www-form-urlencoded", urlencode(fields).encode()
    read = b""
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpcore.AsyncConnectionPool(ssl_context=tls_context()) as pool,
            pool.stream(method, url, headers=list(sent.items()), content=body) as reply,
        ):
            async for part in reply.aiter_stream():
                read += part
                if len(read) > MOST_BYTES:
                    raise ProviderUnreachableError("答复太长")
    except TimeoutError as error:
        raise ProviderUnreachableError("5秒内没有答复") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise ProviderUnreachableError(f"连不上（{type(error).__name__}）") from error
    if fields is not None and reply.status in (400, 401):
        raise SignInRefusedError("统一登录没有认可这次登录")
    try:
        document = json.loads(read) if reply.status == 200 else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderUnreachableError(f"答复读不懂（HTTP {reply.status}）")
    return document
