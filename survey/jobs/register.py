"""Write a signed document into the installation's registry, the log nobody can rewrite unseen."""

from __future__ import annotations

from survey.certification.registry import registry_leaf
from survey.certification.transparency_log import sign_head
from survey.jobs.signers import registry_signer
from survey.settings import Settings
from survey.storage.certificates import RegistryEntry, append_registry


async def register(settings: Settings, digest: str, document_type: str) -> RegistryEntry:
    """Append the digest of a document that two people signed, under a new signed head."""
    signer = registry_signer(settings)
    return await append_registry(
        registry_leaf(digest, document_type), lambda size, root: sign_head(signer.name, size, root, [signer])
    )
