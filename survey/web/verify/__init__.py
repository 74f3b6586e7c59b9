"""V1: anyone may check a figure. No sign-in, no cookie, nothing kept of what is handed in.

A file is read in place and by the same code as `survey verify`; the short number and twelve
signs only look up what this installation issued. The log's signed heads are public here too.
"""
