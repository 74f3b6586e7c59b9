"""Room: web. Pages and API; the only room that knows HTTP.

Enters: a request. Leaves: a page, a document or a refusal in words. Pages may load what they
show; whatever changes a wave goes through a job, so that page, worker and command line do it
alike. `app.create_app` wires everything on one screen; `access` says who may do what,
`errors` turns refusals into statuses, `headers` stands before and behind every route.

Decisions
- 2026-11-24: sessions are ours, not the framework's, whose server-side sessions keep an id
  that the client brought (TRUST section 17). Reopened if the framework learns to renew ids.
- 2026-11-24: a form is ours if `Sec-Fetch-Site` says same-origin, or `Origin` does where that
  header is absent; and its hidden field is derived from the session. No second cookie.
- 2026-11-24: on http (the demonstration on one machine) the session cookie is called
  `session`, since browsers refuse the `__Host-` prefix without TLS. Everywhere else it is
  `__Host-session`, Secure, HttpOnly, SameSite=Lax.
- 2026-11-24: a frame that was tried but not yet confirmed waits in the memory of the process
  for half an hour, never on disk: it may hold names. Reopened when several processes serve.
- 2026-11-24: charts are SVG drawn by templates from numbers, because nothing in this room may
  mark text as safe; the table under each says the same in words.
- 2026-11-25: a school's contact is no account: a one-time link, a session and a cookie of their own
  (`school/`), so that no mistake in the console's rights can open a school's page or the reverse.
- 2026-11-25: print jobs live in the process (`console/print_room`), one at a time; a restart forgets
  them and leaves no half file. Reopen when several processes serve one console.
- 2026-11-26: what moves a wave or makes a file of it (`console/work_room`) lives in the process too, one a
  wave and kind by a lock among all processes. Its file has no name on the disk, so that nothing has to be
  swept up; its page is known to the process that made it only. Reopen when several serve one console.
- 2026-11-26: /v takes 64 MB, the evidence pack of 200 000 slips, from the disk and one at a time; what is
  larger is checked by `survey verify`. Reopen when a county asks more people whole.
- 2026-11-25: the message board has no cookie and no account either; how many came from one address
  is known in memory for an hour.
"""
