"""A school's own page: what it hands out, and never what came back.

A contact signs in with a one-time link and has a session that knows one school of one wave;
it opens nothing of the console, and a console session opens nothing here. Reading the link
changes nothing, because messengers read links before people do.
"""
