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
2026-11-24  An intake whose log disagrees with its last head keeps the whole server from
            starting. Reopen when an office runs many waves and one broken one stops them.
2026-11-24  Of the 5 % free disk that TRUST R6 asks for, at most 2 GB are insisted on.
2026-11-25  Answers that lie in columns elsewhere (Parquet, PostgreSQL, Spark) are opened here too
            and counted where they lie, by `cases.counting_expression`; only counts come back.
            The expression stands in `cases` because it names columns and touches no engine.
            Reopen when a pass needs what the four engines do not share.
"""
