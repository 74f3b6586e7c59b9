"""The answering side: what a parent, a pupil or a teacher sees between the slip and the thanks.

A code, a form or a receipt enters; one HTML document or one sealed answer leaves. Reading
changes nothing, no cookie is set, nothing is loaded from anywhere, and every task can be
finished with scripts off.

Decisions:
- 2026-11-24 A form is rendered and compressed once per (wave, instrument, language, size);
  the school's name and the submission key are spliced into the compressed bytes as stored
  blocks. Rendering costs 0.6 ms and compressing 1 ms, splicing 0.02 ms. Would be reopened
  if anything else on the page became personal.
- 2026-11-24 The form has no `action`: it posts to its own address, so the slip code stands
  nowhere in the page and the cached bytes are the same for everybody.
- 2026-11-24 The script sends the same form post as the page without scripts and gets the
  thanks page in the reply; whatever else comes back is left to an ordinary post, so that
  one code path on the server decides what a person sees.
- 2026-11-24 Paging uses the fragment (`#p2`): one history entry a part, working anchors
  without scripts, and no history code that an old web view could get wrong.
"""
