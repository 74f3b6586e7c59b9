"""What is asked, of whom, which figure is owed.

Enters: schemes, instruments and plans that people wrote in YAML or JSON; a submitted form.
Leaves: `Scheme`, `Instrument`, `Plan`, each checked, frozen and digested; typed answers or
faults; the `Codebook`; warnings of `lint`; the words of pages and paper.

Decisions
- 2026-11-24: decimals are text from the moment they are read, since a signed plan holds
  strings and 0.85 has no binary form. Typed views give fractions. Reopen: never.
- 2026-11-24: only the plain forms of YAML are read (no dates, anchors, merges, tags, octals,
  no key twice), so a file means one thing to every reader. Reopen: a superior office
  issues files that need more.
- 2026-11-24: the satisfaction scale belongs to the scheme; a draft instrument is asked with
  the scheme's options (`plan.instrument_of`). Reopen: an issued form fixes its own.
- 2026-11-24: an adopted scheme travels inside the plan, so a plan is complete by itself and
  its digest covers the scheme. Reopen: schemes shared by many counties of a province.
- 2026-11-24: a form issued by a superior travels inside the plan too, and keeps its own
  options; the scheme must then read them. Reopen: forms shared across counties.
- 2026-11-24: grade 3 is the pupils' draft with three steps under a name of its own
  (`students_g3`), so the two are never mixed in one domain. Reopen: domains by grade.
- 2026-11-24: a workbook is read from rows of cells; what unpacks XLSX stands in `sampling`,
  with its bounds. Reopen: a second room needs cells before sampling.
- 2026-11-24: a condition on a skipped answer never holds. Reopen: an issued form that asks
  a question because of a silence.
- 2026-11-24: line breaks in an open text become spaces, so no control character is stored.
"""
