"""A public satisfaction survey, from the school frame to a figure anyone can check.

The house is one corridor. Data flows to the right, imports look to the left: a room may
import from any room before it and from none after it (`tests/test_architecture.py`).

    scheme         what is asked, of whom, which figure is owed   ⇒ Plan, Scheme, Instrument
    sampling       who is asked                                   ⇒ Frame, Design, Sample
    fieldwork      how each is reached, what became of it         ⇒ Invitation, Response
    cases          what came back, made fit to count              ⇒ CaseFile
    weighting      whom each case stands for                      ⇒ Weights
    estimation     what it says, and how surely                   ⇒ Estimate, Results
    certification  the figure, sealed and checkable by anyone     ⇒ Statement, Certificate
    followup       what is done about it                          ⇒ Finding, LedgerEntry
    documents      invitation, figure and data, as files          ⇒ bytes

    settings       the environment, read once
    storage        rows in, values out; the only room that knows a database
    jobs           the platform's verbs: load, compute, save; one verb a module
    web            pages and API; the only room that knows HTTP
    cli            the same verbs by hand

The first nine rooms only compute: clock, randomness, key and typeface are handed to them,
so any result can be replayed from its inputs. `errors`, `canonical`, `exact`, `arrays` and
`columns` stand before the first room: what a refusal looks like, one value as one byte
string, exact decimals, the shapes of arrays, and the named columns of a file.
"""

__version__ = "0.1.0"

METHOD_VERSION = "2"
"""Raised whenever the same answers would give another published number."""
