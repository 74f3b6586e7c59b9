"""收到推送时怎样核对：只用Python标准库，照抄即可。secret是登记推送时给的whsec_…，headers是请求头，body是原样的正文。"""

import base64
import hashlib
import hmac
import time


def is_genuine(secret: str, headers: dict[str, str], body: bytes, seen: set[str]) -> bool:
    """真：是这个系统发的，不是旧消息重放，也没有收过。seen里记下收过的编号，请存起来。"""
    given = {name.lower(): value for name, value in headers.items()}
    message, sent_at = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not sent_at.isdigit() or abs(time.time() - int(sent_at)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{sent_at}.".encode() + body, hashlib.sha256).digest()
    wanted = ("v1," + base64.b64encode(digest).decode()).encode()
    # 换密钥的那一天有两个签名，用空格隔开，有一个对就行。
    signatures = given.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(one.encode(), wanted) for one in signatures):
        return False
    if message in seen:
        return False
    seen.add(message)
    return True
