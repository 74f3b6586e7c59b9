"""The inventory of cryptography: what is used for what, by which standard, and where its key lies (ASVS 11.1).

Kept as one list, shown at /v/cryptography, and held by a test against every import and call of
the source: a use that is not listed, or a row whose module no longer uses it, fails.
"""

from typing import NamedTuple

from litestar import Response, get

from survey.web.access import anyone, check_query
from survey.web.pages import AnyRequest, html


class Use(NamedTuple):
    """One purpose: the algorithm with its sizes, its standard, its key, and how it is replaced, in Chinese.

    `calls` are the names of Python's that carry it out, `modules` the files below `survey/` that call them.
    """

    purpose: str
    algorithm: str
    standard: str
    key: str
    replaced: str
    calls: tuple[str, ...]
    modules: tuple[str, ...]


INVENTORY = (
    Use(
        "计划、结束、开箱、结果的签名；日志头的签名",
        "Ed25519，256位密钥",
        "RFC 8032",
        "经办、签发各一把，用口令加密后存成文件（PKCS #8，PBKDF2，AES-256），只有本人知道口令；日志头的一把在服务器的密钥文件里",
        "签名行写明算法，换算法就换一种签名行；旧证书照旧能验",
        (
            "cryptography.ed25519.Ed25519PrivateKey",
            "cryptography.ed25519.Ed25519PublicKey",
            "cryptography.serialization",
            "hashlib.sha256",
            "hashlib.sha512",
            "secrets.token_bytes",
        ),
        (
            "certification/signature.py",
            "certification/conformance.py",
            "certification/ed25519_verify.py",
            "certification/note.py",
            "jobs/signers.py",
            "jobs/plan_codes.py",
        ),
    ),
    Use(
        "答卷封存：开箱之前谁也打不开",
        "X25519，HKDF-SHA-256，AES-256-GCM，明文补齐到256字节的倍数",
        "RFC 7748、RFC 5869、NIST SP 800-38D",
        "每次调查一把，秘密部分拆成两份（异或），经办和签发各一份，合起来才能打开；录到一半的纸质问卷用服务器上的另一把",
        "标签 survey/v1/seal 写进密钥推导；换算法就换标签",
        (
            "cryptography.x25519.X25519PrivateKey",
            "cryptography.x25519.X25519PublicKey",
            "cryptography.aead.AESGCM",
            "cryptography.hashes.SHA256",
            "cryptography.hkdf.HKDF",
            "hashlib.sha256",
            "hmac.digest",
            "secrets.token_bytes",
        ),
        (
            "certification/sealing.py",
            "jobs/remote_signing.py",
            "jobs/receive_response.py",
            "jobs/enter_paper.py",
            "jobs/plan_codes.py",
            "jobs/plant_answers.py",
            "jobs/simulate_responses.py",
        ),
    ),
    Use(
        "公开日志、文件摘要、名册和抽样的重演",
        "SHA-256，Merkle树",
        "FIPS 180-4、RFC 9162",
        "没有密钥",
        "每个对象写明类型和版本",
        ("hashlib.sha256",),
        (
            "canonical.py",
            "certification/conformance_wave.py",
            "certification/packed_papers.py",
            "certification/transparency_log.py",
            "jobs/estimate_file.py",
            "sampling/selection.py",
            "sampling/wave_sample.py",
            "scheme/recording.py",
        ),
    ),
    Use(
        "填写码：只存带密钥的摘要",
        "HMAC-SHA-256；填写码约53位随机",
        "RFC 2104、FIPS 198-1",
        "每次调查一把，在服务器的密钥文件里，不进备份",
        "每次调查都是新的",
        ("hmac.new", "secrets.token_bytes"),
        ("fieldwork/invitation.py", "jobs/plan_codes.py"),
    ),
    Use(
        "日志读到哪里的记录：启动时从那里接着读",
        "HMAC-SHA-256",
        "RFC 2104",
        "日志头的签名密钥，只用作推导记号的种子，在服务器的密钥文件里",
        "重新读完整个日志，就写一份新的",
        ("hmac.digest", "hmac.compare_digest"),
        ("storage/frontier.py",),
    ),
    Use(
        "表单发出时间的印记、同一网络当天的记号（只用来防猜码，不存地址）、留言板",
        "HMAC-SHA-256，截到64位以上",
        "RFC 2104",
        "服务器启动时随机产生，不落盘",
        "重启就换",
        ("hmac.digest", "hmac.new", "hmac.compare_digest", "hashlib.sha256", "secrets.token_bytes"),
        (
            "web/respondent/stamp.py",
            "web/respondent/sender.py",
            "web/respondent/desk.py",
            "web/respondent/board.py",
            "jobs/message_board.py",
        ),
    ),
    Use(
        "预览链接",
        "HMAC-SHA-256",
        "RFC 2104",
        "安装时产生的密钥文件",
        "换密钥文件，旧链接随即失效",
        ("hmac.new", "hmac.compare_digest", "hashlib.sha256", "secrets.token_bytes"),
        ("jobs/preview_form.py", "web/respondent/preview.py"),
    ),
    Use(
        "后台口令",
        "Argon2id，64 MiB，3遍",
        "RFC 9106",
        "没有密钥；口令只存摘要，容易猜到的不收",
        "参数写在摘要里，登录时可以换新",
        ("argon2.PasswordHasher",),
        ("storage/accounts.py",),
    ),
    Use(
        "一次性验证码和恢复码",
        "TOTP（HMAC-SHA-1，6位，30秒）；恢复码约57位随机，只存摘要",
        "RFC 6238",
        "由安装时产生的密钥文件和表里的随机数合成，只有数据库算不出来",
        "重新绑定手机即换",
        (
            "pyotp.TOTP",
            "hmac.new",
            "hmac.compare_digest",
            "hashlib.sha256",
            "secrets.token_bytes",
            "secrets.choice",
        ),
        ("storage/second_factors.py",),
    ),
    Use(
        "登录会话、一次性链接、接口令牌、学校联系人链接",
        "随机256位，只存SHA-256摘要；表单另有HMAC-SHA-256记号",
        "OWASP ASVS 5.0.0 第7章",
        "在使用者的浏览器或系统里",
        "随时可以结束；会话最长12小时",
        ("secrets.token_urlsafe", "hashlib.sha256", "hmac.new", "hmac.compare_digest"),
        (
            "storage/accounts.py",
            "storage/sessions.py",
            "storage/tokens.py",
            "storage/school_contacts.py",
            "web/access.py",
            "web/school/pages.py",
        ),
    ),
    Use(
        "统一登录",
        "OpenID Connect，带PKCE（S256）；令牌签名按对方公布的公钥验",
        "OpenID Connect Core 1.0、RFC 7636、RFC 7519",
        "客户端密钥在单独的文件里；登录过程的记号由安装密钥推导",
        "在对方和本机同时换",
        ("joserfc.jwk", "joserfc.jwt", "hashlib.sha256", "hmac.new", "hmac.compare_digest", "secrets.token_urlsafe"),
        ("jobs/sign_in_elsewhere.py",),
    ),
    Use(
        "推送给别的系统的消息",
        "HMAC-SHA-256签名；传输用TLS",
        "Standard Webhooks 1.0、RFC 8446",
        "每个地址一把，由安装密钥推导，只显示一次",
        "停掉旧地址、重新登记即换",
        ("hmac.digest", "standardwebhooks.Webhook", "ssl.create_default_context"),
        ("storage/webhooks.py", "jobs/send_webhooks.py", "jobs/reach_out.py"),
    ),
    Use(
        "对方怎样核对推送的消息：给他们照抄的例子，本机不用",
        "HMAC-SHA-256",
        "Standard Webhooks 1.0",
        "登记推送时给对方的那一把",
        "和推送的签名一起换",
        ("hmac.new", "hmac.compare_digest", "hashlib.sha256"),
        ("web/api/data/receive_webhook.py",),
    ),
    Use(
        "备份",
        "age：X25519，ChaCha20-Poly1305；密钥文件另可用口令（scrypt）",
        "age-encryption.org/v1",
        "公钥在设置里，私钥不在服务器上",
        "换公钥，之后的备份用新的",
        ("pyrage.encrypt_io", "pyrage.decrypt_io", "pyrage.x25519", "pyrage.passphrase", "hashlib.sha256"),
        ("jobs/backup_file.py",),
    ),
    Use(
        "抽签：回访名单、剩余纸条的核对",
        "操作系统的随机源",
        "Python secrets",
        "没有密钥",
        "不适用",
        ("secrets.randbelow", "secrets.SystemRandom", "secrets.token_hex"),
        ("jobs/call_back.py", "jobs/void_leftovers.py"),
    ),
    Use(
        "编号、提交号、事故号、网页缓存的记号",
        "随机32位以上，或SHA-256摘要；知道它什么也打不开",
        "RFC 9110（ETag）",
        "没有密钥",
        "不适用",
        ("secrets.token_hex", "secrets.token_urlsafe", "hashlib.sha256"),
        (
            "cli/demo.py",
            "storage/callbacks.py",
            "storage/plan_drafts.py",
            "storage/school_contacts.py",
            "storage/second_factors.py",
            "storage/webhooks.py",
            "web/api/answers.py",
            "web/api/client.py",
            "web/api/ledger.py",
            "web/errors.py",
            "web/request_log.py",
            "web/respondent/preview.py",
            "web/respondent/ready.py",
            "web/respondent/routes.py",
            "web/respondent/taking.py",
            "web/templating.py",
        ),
    ),
)


@get("/v/cryptography", guards=[anyone])
async def show_cryptography(request: AnyRequest) -> Response[str]:
    """Everything that is hashed, signed or sealed here, and where each key lies."""
    check_query(request, frozenset())
    return html("verify/cryptography.html", uses=INVENTORY)
