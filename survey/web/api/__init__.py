"""JSON under /api/v1 for other systems: one module per noun, read-only, never an answer.

A token of its own for every system, with scopes and an end. Refusals are problem documents
(RFC 9457). Figures are text, cut off and never rounded, exactly as pages and paper show them.
"""
