"""Invitation, figure and data, as files.

Enters: plain values that other rooms made: plan facts, slip codes, results, certificates.
Leaves: bytes of PDF and ZIP, text of SVG. Nothing here reads a clock: the date written into a
file is handed in, so that the same input gives the same bytes.

Decisions
- 2026-11-24: typst sets all pages: no system package, tagged PDF/UA-1, a thousand slips in about
  two seconds. Reopen: a script typst cannot shape.
- 2026-11-24: codes are drawn as one vector path with a fixed mask (`qr.MASK`); two decoders read
  them in the tests. Choosing the best of eight masks costs four times as much and never read
  better. Reopen: a phone that reads another mask better.
- 2026-11-24: one face, Noto Sans SC, for what is printed for many: the only Chinese face that is
  both on the package index and whole. 2026-11-25: the report is set in Song, Hei and a face between
  Fangsong and Kai, cut to 8 105 characters in `faces/`: no open Fangsong was to be had, and a whole
  face weighs 15 MB. What they lack Noto Sans SC draws. Reopen: an open Fangsong, or Song as a wheel.
- 2026-11-24: slips come as one file for each school, so that a county never needs the memory of
  one huge document, and each school gets only its own. Reopen: printers that want one stack.
- 2026-11-25: a print job is pieces that are made and written one after the other (`pieces`), two
  at a time because typst works outside Python's lock. Reopen: machines with many cores.
- 2026-11-25: Noto Sans Arabic comes second in every template, before the mono face, which has a few
  Arabic glyphs of its own. Reopen: Tibetan, Mongolian or Yi on paper, each with a face as a wheel.
- 2026-11-25: an emblem is drawn anew by typst into a PNG of one size; what an office sent is never
  passed on. Reopen: a printer that needs vectors.
- 2026-11-25: options stand side by side on paper, unlike on the screen, where they are short: a
  questionnaire of 27 items then takes four to five pages and not nine; "cannot say" keeps its gap.
"""
