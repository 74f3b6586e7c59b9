"""Rows in, values out: the only room that knows a database.

Values of the rooms to the left enter and come back as they were; answers enter through the
intake and come back as leaves, boxes and receipts. One module per value, plain functions
`load_…` (may refuse), `find_…` (may be None), `save_…`; the open database of the process is
ambient. `database` opens it, `migration` brings it to the newest structure, `office` holds
the intakes of all waves.

Decisions
---------
2026-11-24  One connection writes on SQLite, Piccolo's statements too, and reads wait in the
            same line: 400 parallel writers on Piccolo's own engine got 399 "locked". Reopen
            when a console page waits noticeably for another.
2026-11-24  `journal_mode=TRUNCATE` everywhere: for intakes because a WAL keeps which rows
            changed together, for the rest because WAL below SQLite 3.51.3 can lose pages and
            one connection gains little from it.
2026-11-24  A process locks its data folder with flock before it opens anything; the kernel
            gives the lock back after `kill -9`. Windows would need another call.
2026-11-24  An intake is a file (SQLite) or a schema (PostgreSQL) per wave, so that it can be
            rewritten at closing, moved, and destroyed alone. Statements never name the wave.
2026-11-24  Both intakes decide a batch with the pure `settlement.settle`, instead of one
            savepoint per submission. A batch that the database refuses is taken one by one,
            which keeps the promise of the savepoint: a bad entry never spoils the others.
2026-11-24  Of the 5 % free disk that TRUST R6 asks for, at most 2 GB are insisted on.
2026-11-25  Answers that lie in columns elsewhere (Parquet, PostgreSQL, Spark) are opened here too
            and counted where they lie, by `cases.counting_expression`; only counts come back.
            The expression stands in `cases` because it names columns and touches no engine.
            Reopen when a pass needs what the four engines do not share.
2026-11-25  A start reads the log behind its last frontier, every 1 024 leaves, and no slip; the rest
            is read while the wave runs. Up to 16 MB of intakes are read whole at once, since that
            takes no time. What lies before the frontier may thus be damaged for the minutes until it
            is read: an answer taken meanwhile is as good as any, and the wave stops where it is.
            A fault once found is stored, and keeps the wave from listening until it is read whole.
2026-11-25  A damaged wave rests alone, and `/ready` stays yes while others take answers in: a proxy
            that turned everybody away would make one fault everybody's. Reopen when an office
            would rather stop everything.
2026-11-25  Slips are looked up in memory, twenty bytes each, filled behind the start: a thread hop
            for each page would cost the form more than the form. Reopen beyond fifty million slips.
"""
