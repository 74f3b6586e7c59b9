"""Two files by which a statistician recomputes the figure in R, without this product.

Plan and table enter; `figure.R` and `counts.csv` leave, to ride in the public bundle under the
statement's digests. The script is the same for every estimator: each is a sum over groups and
parts of share times Σ w·x ÷ Σ w·v, which R's `survey::svyratio` computes; it compares the figure,
cut to four decimals, with the statement's. A part of which a group gave no valid opinion leaves,
and its other parts carry the share, as `table.weighted_parts` has it. The decision is made again
too: of the figure, or of every group with a share where the plan holds each; what lies nearer to
the line than a double can tell is left to the verifier, which counts in fractions. The standard
error takes the rows of the table as clusters drawn with replacement: near the statement's, which
knows schools, persons and the finite county, and not meant to equal it. Standard library only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from survey import exact
from survey.certification.signed_plan import SignedPlan
from survey.certification.table import TableRow

SCRIPT_FILE, COUNTS_FILE = "figure.R", "counts.csv"
COLUMNS = ("row", "stratum", "group", "share", "part", "part_share", "w", "x", "v")

_SCRIPT = """\
# 用R重算满意度：解开证据包，在那个文件夹里运行  Rscript figure.R
# Recomputes the figure from counts.csv with the R package "survey" and compares it with statement.json.
suppressMessages(library(survey))
options(survey.lonely.psu = "adjust")

exact <- function(text) {
  vapply(strsplit(text, "/", fixed = TRUE), function(part) {
    as.numeric(part[1]) / if (length(part) > 1) as.numeric(part[2]) else 1
  }, 0)
}

rows <- read.csv("counts.csv", colClasses = "character", fileEncoding = "UTF-8")
for (name in c("share", "part_share", "w", "x", "v")) rows[[name]] <- exact(rows[[name]])

# A group of one row has no other row to vary from: its persons, one by one, take the place of rows.
persons <- function(part) {
  if (nrow(part) > 1) return(part)
  whole <- floor(part$x)
  value <- c(rep(1, whole), if (part$x > whole) part$x - whole)
  data.frame(row = seq_len(part$v), stratum = part$stratum, share = part$share, part_share = part$part_share,
             w = part$w, x = c(value, rep(0, part$v - length(value))), v = 1)
}

decision <- "@decision@" # point-estimate-… holds the figure, every-group-… every group with a share
line <- exact("@threshold@")

figure <- 0
variance <- 0
groups <- c()
for (group in split(rows, rows$group)) {
  if (group$share[1] == 0) next
  # A part without a valid opinion leaves; the group's other parts carry its share in proportion to their own.
  parts <- lapply(Filter(function(part) sum(part$v) > 0, split(group, group$part)), persons)
  carried <- sum(vapply(parts, function(part) part$part_share[1], 0))
  if (carried == 0) stop("no valid opinion in group ", group$group[1])
  own <- 0
  for (part in parts) {
    factor <- part$share[1] * part$part_share[1] / carried
    if (nrow(part) == 1) { # one person: no spread to be seen
      own <- own + factor * part$x / part$v
      variance <- NA
      next
    }
    ratio <- svyratio(~x, ~v, svydesign(ids = ~row, strata = ~stratum, weights = ~w, data = part))
    own <- own + factor * as.numeric(coef(ratio))
    # Parts of one group come from the same people; their covariance is not in this table.
    variance <- variance + if (length(parts) == 1) factor^2 * as.numeric(vcov(ratio)) else NA
  }
  figure <- figure + own
  groups[group$group[1]] <- own / group$share[1]
}

# The certificate cuts, it never rounds; 1e-9 is far above the error of a double and far below a digit.
shown <- formatC(floor(figure * 1e4 + 1e-9) / 1e4, format = "f", digits = 4)
said <- paste(readLines("statement.json", warn = FALSE, encoding = "UTF-8"), collapse = "")
stated <- sub('.*"shown":"([0-9.]+)".*', "\\\\1", said)
cat("figure", shown, "statement", stated, "se", formatC(sqrt(variance), format = "f", digits = 4), "\\n")
if (shown != stated) stop("the figure recomputed in R is not the one in the statement")

for (name in names(groups)) cat("group", name, formatC(floor(groups[name] * 1e4 + 1e-9) / 1e4, format = "f", digits = 4), "\\n")
held <- if (startsWith(decision, "every-group-")) groups else figure
reached <- if (grepl("-above-", decision)) all(held > line) else all(held >= line)
verdict <- sub('.*"reached":(true|false|null).*', "\\\\1", said)
if (is.na(line)) {
  cat("decision none\\n")
} else if (any(abs(held - line) < 1e-9)) {
  cat("decision", decision, "too near the line for R, statement", verdict, "\\n")
} else {
  # null: the plan's rule lets nothing be said of answers that did not come by slips.
  cat("decision", decision, tolower(reached), "statement", verdict, "\\n")
  if (verdict != "null" && verdict != tolower(reached)) stop("the decision recomputed in R is not the one in the statement")
}
"""


def r_files(
    rows: Sequence[TableRow], plan: SignedPlan, members: Mapping[str, Sequence[str]]
) -> dict[str, bytes]:
    """The script and the counts it reads, by file name."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_counts(rows, plan, members))
    script = _SCRIPT.replace("@decision@", plan.decision).replace("@threshold@", plan.threshold_text or "NA")
    return {SCRIPT_FILE: script.encode(), COUNTS_FILE: text.getvalue().encode()}


def _counts(
    rows: Sequence[TableRow], plan: SignedPlan, members: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, ...]]:
    """One line a row and part, every number as exact text."""
    for row in rows:
        inside = [plan.domains[domain] for domain in members[row.domain]]
        eligible = sum(domain.eligible for domain in inside)
        stratum = str(inside[0].more.get("stratum", "")) or "-"
        group = str(row.group or "all")
        share = plan.shares.get(group, Fraction(0)) if row.group else Fraction(1)
        for part, part_share, w, x, v in _ratios(row, plan, eligible):
            numbers = (
                exact.fraction_text(share),
                part,
                exact.fraction_text(part_share),
                exact.fraction_text(w),
                exact.fraction_text(Fraction(x)),
                str(v),
            )
            yield row.domain, stratum, group, *numbers


def _ratios(
    row: TableRow, plan: SignedPlan, eligible: int
) -> Iterator[tuple[str, Fraction, Fraction, Fraction | int, int]]:
    """(part, its share of the group, w, x, v) of one row, so that Σ w·x ÷ Σ w·v is the estimator's."""
    one = Fraction(1)
    if plan.estimator == "stratified-mean/v1":
        yield "all", one, Fraction(eligible, row.n), row.x, row.n
    elif plan.estimator == "full-body/v1":
        yield "all", one, one, row.x, eligible
    elif plan.estimator == "weighted-parts/v1":
        for part, share in plan.part_shares.get(str(row.group), {}).items():
            v, x = row.parts.get(part, (0, Fraction(0)))
            yield part, share, row.w or one, x, v
    else:
        yield "all", one, row.w or one, row.x, row.v
