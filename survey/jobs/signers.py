"""The two people who sign: 经办 (operator) and 签发 (approver), and their halves of the box key.

A role and a passphrase enter, a `Signer` leaves. Keys are encrypted PKCS#8 in the key folder;
the half of a wave's box secret that belongs to a person is kept the same way, under the same
passphrase (TRUST section 4). The installation's registry key signs log heads only.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from survey.certification.note import Vkey, parse_vkey
from survey.certification.sealing import join_shares, split_secret
from survey.certification.signature import Signer, generate_signer, load_encrypted, save_encrypted
from survey.certification.signed_plan import SignedPlan
from survey.errors import SurveyError
from survey.jobs.remote_signing import (
    AwaitingSignatureError,
    RemoteSigner,
    RequestRefusedError,
    SigningRequest,
    remote_from,
    seal_half,
)
from survey.settings import Settings
from survey.storage.keys import KeyMissingError, has_key, load_key, save_key

OPERATOR = "operator"
APPROVER = "approver"
AUDITOR = "auditor"
ROLES = (OPERATOR, APPROVER)
TITLES = {OPERATOR: "经办", APPROVER: "签发", AUDITOR: "上级核查"}


class SamePersonError(SurveyError):
    """Operator and approver are one and the same."""

    code = "signers.same_person"
    kind = "refused"

    def __init__(self) -> None:
        super().__init__(
            "签名", "经办和签发是同一把密钥或同一个口令", "两步要由两个人分别用自己的密钥和口令完成"
        )


class SignerExistsError(SurveyError):
    """The role already has a key; signed plans would lose their signer."""

    code = "signers.exists"
    kind = "conflict"

    def __init__(self, role: str) -> None:
        super().__init__(
            f"{TITLES[role]}密钥", "已经有了，不能覆盖", "换人时先让进行中的调查结束，再另建数据文件夹"
        )


class UnknownRoleError(SurveyError):
    """Only the two roles hold signing keys."""

    code = "signers.unknown_role"
    kind = "invalid"

    def __init__(self, role: str) -> None:
        super().__init__(
            f"角色“{role}”", "没有这个角色", "写 operator（经办）、approver（签发）或 auditor（上级核查）"
        )


class NotTheSignersError(SurveyError):
    """The keys given are not those under the wave's plan."""

    code = "signers.not_the_plans"
    kind = "forbidden"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "这两把密钥不是签下计划的那两把", "请签下计划的经办和签发本人来签")


@dataclass(frozen=True)
class Signers:
    """Both signers with their passphrases, for the length of one verb."""

    operator: Signer | RemoteSigner
    approver: Signer | RemoteSigner
    passphrases: Mapping[str, str]

    def both(self) -> tuple[Signer | RemoteSigner, Signer | RemoteSigner]:
        """Operator first, approver second, the order of lines in every note."""
        return self.operator, self.approver

    def __repr__(self) -> str:
        return f"Signers({self.operator.name}, {self.approver.name})"


def create_signer(settings: Settings, role: str, passphrase: str) -> Signer:
    """A new signing key for one role, kept encrypted.

    Raises:
        UnknownRoleError, SignerExistsError.
        KeyFileError: the passphrase is too short.
    """
    if role not in TITLES:
        raise UnknownRoleError(role)
    if has_key(settings, None, role):
        raise SignerExistsError(role)
    name = f"{settings.host_name}/{role}"
    if has_key(settings, None, f"{role}-name"):  # an earlier attempt ended between the two files
        name = load_key(settings, None, f"{role}-name").decode()
    signer = generate_signer(name, secrets.token_bytes)
    sealed = save_encrypted(signer, passphrase)
    if not has_key(settings, None, f"{role}-name"):
        save_key(settings, None, f"{role}-name", signer.name.encode())
    save_key(settings, None, role, sealed)
    return signer


class SignerMissingError(KeyMissingError):
    """A role has no signing key on this computer."""

    code = "signers.missing"

    def __init__(self, role: str) -> None:
        super().__init__(
            f"{TITLES[role]}密钥",
            "这台机器上还没有",
            f"先由{TITLES[role]}运行 survey signer {role}；以前建过的，从单独保管的备份中放回",
        )


def open_signer(settings: Settings, role: str, passphrase: str) -> Signer:
    """One signer's key, opened with its passphrase.

    Raises:
        KeyFileError: a wrong passphrase. SignerMissingError: no such key here.
    """
    if not has_key(settings, None, role):
        raise SignerMissingError(role)
    name = load_key(settings, None, f"{role}-name").decode()
    return load_encrypted(load_key(settings, None, role), passphrase, name)


def register_vkey(settings: Settings, role: str, text: str, share: str | None = None) -> Vkey:
    """Remember the public keys of somebody whose signing key lies on another computer.

    Args:
        share: the share key, which an approver needs.

    Raises:
        VkeyRefusedError: not a key. SignerExistsError: the role has one already.
        RequestRefusedError: the share key is missing or is none.
    """
    key = remote_from(text.strip(), share or "").key if role == APPROVER else parse_vkey(text.strip())
    if has_key(settings, None, role) or has_key(settings, None, f"{role}-vkey"):
        raise SignerExistsError(role)
    if role == APPROVER:
        save_key(settings, None, f"{role}-share-key", (share or "").encode())
    save_key(settings, None, f"{role}-vkey", str(key).encode())
    return key


def remote_approver(settings: Settings) -> RemoteSigner:
    """The approver whose key lies on another computer.

    Raises:
        KeyMissingError: none was registered.
    """
    vkey = load_key(settings, None, f"{APPROVER}-vkey").decode()
    return remote_from(vkey, load_key(settings, None, f"{APPROVER}-share-key").decode())


def signs_elsewhere(settings: Settings) -> bool:
    """Whether the approver's key lies on another computer, and its public half is registered here."""
    return not has_key(settings, None, APPROVER) and has_key(settings, None, f"{APPROVER}-vkey")


def request_for(settings: Settings, wave: str, waiting: AwaitingSignatureError) -> SigningRequest:
    """What the approver is asked to sign elsewhere; for an opening also their sealed half of the box key."""
    half = ""
    is_opening = waiting.text.split("\n", 1)[0].endswith("/opening")
    if is_opening and has_key(settings, wave, f"share-{APPROVER}"):
        half = load_key(settings, wave, f"share-{APPROVER}").hex()
    return SigningRequest(wave, waiting.text, waiting.document_to_sign, half)


def auditor_keys(settings: Settings) -> list[str]:
    """The vkeys of auditors known here, for the plan; none where nobody above audits."""
    if has_key(settings, None, f"{AUDITOR}-vkey"):
        return [load_key(settings, None, f"{AUDITOR}-vkey").decode()]
    return []


def open_signers(
    settings: Settings, passphrases: Mapping[str, str], request: SigningRequest | None = None
) -> Signers:
    """Both signers, each opened with its own passphrase; an approver elsewhere by what came back.

    Args:
        passphrases: by role; without the approver's, the approver signs on another computer.
        request: what that approver was asked, answered or not.

    Raises:
        KeyFileError: a wrong passphrase. KeyMissingError: no such key yet.
        SamePersonError: one key or one passphrase for both.
    """
    if APPROVER not in passphrases:
        near, remote = (
            open_signer(settings, OPERATOR, passphrases.get(OPERATOR, "")),
            remote_approver(settings),
        )
        if near.key.public == remote.key.public or near.name == remote.name:
            raise SamePersonError()
        return Signers(near, remote if request is None else request.answered(remote), passphrases)
    operator, approver = (open_signer(settings, role, passphrases.get(role, "")) for role in ROLES)
    if operator.seed == approver.seed or passphrases[OPERATOR] == passphrases[APPROVER]:
        raise SamePersonError()
    return Signers(operator, approver, passphrases)


def hold_same_people(plan: SignedPlan, signers: Signers) -> None:
    """Nothing, when the signers are the two who signed the plan.

    Raises:
        NotTheSignersError: anybody else.
    """
    if (plan.operator, plan.approver) != (signers.operator.key, signers.approver.key):
        raise NotTheSignersError(plan.wave)


def registry_signer(settings: Settings) -> Signer:
    """The installation's own key for heads of the registry; made on first use."""
    if not has_key(settings, None, "registry"):
        signer = generate_signer(f"{settings.host_name}/registry", secrets.token_bytes)
        save_key(settings, None, "registry-name", signer.name.encode())
        save_key(settings, None, "registry", signer.seed)
    name = load_key(settings, None, "registry-name").decode()
    return Signer(name, load_key(settings, None, "registry"))


def seal_halves(settings: Settings, wave: str, box_secret: bytes, signers: Signers) -> dict[str, bytes]:
    """Both halves of the wave's box secret, each under its holder's passphrase or share key."""
    halves = split_secret(box_secret, secrets.token_bytes(len(box_secret)))
    sealed = {}
    for role, half, signer in zip(ROLES, halves, signers.both(), strict=True):
        if isinstance(signer, RemoteSigner):
            sealed[role] = seal_half(half, signer.share_key)
        else:
            sealed[role] = save_encrypted(Signer(f"{wave}/{role}-share", half), signers.passphrases[role])
    return sealed


def join_box_secret(settings: Settings, wave: str, signers: Signers) -> bytes:
    """The wave's box secret, from both halves."""
    halves = []
    for role, signer in zip(ROLES, signers.both(), strict=True):
        if isinstance(signer, RemoteSigner):
            if signer.half is None:
                raise RequestRefusedError("里面没有签发的那一半钥匙，请签发再签一次这份请求")
            halves.append(signer.half)
        else:
            pem = load_key(settings, wave, f"share-{role}")
            halves.append(load_encrypted(pem, signers.passphrases[role], f"{wave}/{role}-share").seed)
    return join_shares(*halves)
