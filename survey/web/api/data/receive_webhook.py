"""收到推送时怎样核对：只用Python标准库，照抄即可。"""

import base64
import hashlib
import hmac
import time


def checked_id(secret: str, headers: dict[str, str], body: bytes) -> str | None:
    """核对过的消息编号。None是别人发的，或者旧消息重放：不要理，回答400。

    secret是登记推送时给的whsec_…，headers是请求头，body是原样的正文，一个字节也不要动。
    编号以前收过的，直接回答204。没有收过的，做完再记下编号，然后回答204：
    做到一半断了，这里会再发一次。
    """
    given = {name.lower(): value for name, value in headers.items()}
    message, sent_at = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not sent_at.isdigit() or abs(time.time() - int(sent_at)) > 300:
        return None
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{sent_at}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    wanted = b"v1," + base64.b64encode(digest)
    # 换密钥的那一天有两个签名，用空格隔开，有一个对就行。
    signatures = given.get("webhook-signature", "").split(" ")
    genuine = any(hmac.compare_digest(one.encode(), wanted) for one in signatures)
    return message if genuine else None
