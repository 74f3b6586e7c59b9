"""JSON under /api/v1 for other systems: one module per noun, never an answer.

Figures can only be read; the problem ledger can be kept, each write once by its Idempotency-Key.

A token of its own for every system, with scopes and an end. Refusals are problem documents
(RFC 9457). Figures are text, cut off and never rounded, exactly as pages and paper show them.
"""
