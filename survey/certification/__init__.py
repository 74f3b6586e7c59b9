"""The figure, sealed so that nobody has to take it on trust.

In come what earlier rooms decided: the plan that may move the figure, the bytes of each
answer as it is accepted, the table on which the figure can be recomputed. Out go signed
notes, log heads, receipts, one portable certificate and a public bundle, and the verdict of
a verifier that needs no network, no database and nothing but Python's standard library.
The byte formats are TRUST's; `tests/golden/trust` holds a whole wave worked out in them.

Decisions
---------
2026-11-24  Signing, sealing and opening use `cryptography`, imported inside the functions
    that need it; checking uses the pure `ed25519_verify`, so an inspector's laptop needs no
    package. Reopen if the standard library learns Ed25519.
2026-11-24  Our own files are read more strictly than C2SP asks: a note in a certificate or
    bundle carries lines by keys of its plan only, each once, in the plan's order. A line by
    an unknown key would be a place where a byte could change unseen.
2026-11-24  A bundle is a ZIP of stored entries with one fixed date, and a reader writes it
    again and compares. Compression would save half and make "the same file" depend on the
    version of zlib.
2026-11-24  Registry leaves carry the document's own `type` ("survey/statement/v1").
"""
