# Whole analyses of files by R survey, for `survey estimate --cases` to reproduce from a spec.
# Run from this folder: Rscript file_designs.R > file_designs.json      (R >= 4.2, survey >= 4.1)
suppressMessages(library(survey))
options(survey.lonely.psu = "certainty", digits = 15)

county <- read.csv("../reference/data/county_a.csv")
roster <- read.csv("../reference/data/county_roster_a.csv")
election <- read.csv("../reference/data/election_pps.csv")
margins <- list(
  area = c(rural = 4200, town = 4700, urban = 3600),
  grp = c(delegate = 200, parent = 6900, student = 4600, teacher = 800),
  gender = c(F = 6450, M = 6050)
)

number <- function(x) if (is.na(x)) "null" else sprintf("%.15g", x)
out <- list()
keep <- function(analysis, key, value, se = NA, lower = NA, upper = NA) {
  out[[length(out) + 1]] <<- sprintf(
    '{"analysis": "%s", "key": "%s", "value": %s, "se": %s, "lower": %s, "upper": %s}',
    analysis, key, number(value), number(se), number(lower), number(upper)
  )
}
# A rate as the ratio of those satisfied to those with an opinion: na.rm on a calibrated design stops in 4.1.
for (item in c("sat1", "sat2", "sat5", "score")) {
  county[[paste0("y_", item)]] <- ifelse(is.na(county[[item]]), 0, county[[item]])
  county[[paste0("m_", item)]] <- as.numeric(!is.na(county[[item]]))
}
rate <- function(analysis, item, design) {
  one <- svyratio(as.formula(paste0("~y_", item)), as.formula(paste0("~m_", item)), design)
  p <- coef(one); se <- SE(one)[1]
  df <- degf(design)
  ends <- plogis(qlogis(p) + c(-1, 1) * qt(0.975, df) * se / (p * (1 - p)))
  keep(analysis, item, p, se, ends[1], ends[2])
}

# 1 Two stages with populations known, one school of two in a stratum.
staged <- svydesign(ids = ~school + ssu, strata = ~stratum + ssu_kind, fpc = ~N_schools + M_ssu,
                    weights = ~w_base, nest = TRUE, data = county)
for (item in c("sat1", "sat2", "sat5")) rate("staged", item, staged)
by <- svyby(~sat2, ~grp, staged, svymean, na.rm = TRUE)
for (g in rownames(by)) keep("staged", paste0("sat2/", g), by[g, "sat2"], by[g, "se"])
level <- svyby(~sat2, ~level + area, staged, svymean, na.rm = TRUE)
for (i in seq_len(nrow(level))) keep("staged", sprintf("sat2/%s/%s", level$level[i], level$area[i]), level$sat2[i], level$se[i])
total <- svytotal(~score, staged, na.rm = TRUE)
keep("staged", "total score", coef(total), SE(total))
mean_score <- svymean(~score, staged, na.rm = TRUE, deff = TRUE)
keep("staged", "mean score", coef(mean_score), SE(mean_score))
keep("staged", "deff score", deff(mean_score))
r <- svyratio(~sat1, ~sat2, staged, na.rm = TRUE)
keep("staged", "ratio", coef(r), SE(r)[1])
shares <- svymean(~factor(q2), subset(staged, !is.na(q2)))
for (k in seq_along(shares)) keep("staged", paste0("share ", sub("factor\\(q2\\)", "", names(shares)[k])), coef(shares)[k], SE(shares)[k])
# Differences and the composite from totals, because svyby(covmat = TRUE, na.rm = TRUE) stops in 4.1.
for (g in names(margins$grp)) {
  county[[paste0("y_", g)]] <- ifelse(is.na(county$sat2), 0, county$sat2) * (county$grp == g)
  county[[paste0("m_", g)]] <- (!is.na(county$sat2)) * (county$grp == g)
}
staged <- svydesign(ids = ~school + ssu, strata = ~stratum + ssu_kind, fpc = ~N_schools + M_ssu,
                    weights = ~w_base, nest = TRUE, data = county)
parts <- svytotal(~y_delegate + m_delegate + y_parent + m_parent + y_student + m_student + y_teacher + m_teacher, staged)
d <- svycontrast(parts, list(
  `difference parent student` = quote(y_student / m_student - y_parent / m_parent),
  `difference parent teacher` = quote(y_teacher / m_teacher - y_parent / m_parent),
  `difference student teacher` = quote(y_teacher / m_teacher - y_student / m_student),
  composite = quote(0.1 * y_delegate / m_delegate + 0.5 * y_parent / m_parent + 0.3 * y_student / m_student + 0.1 * y_teacher / m_teacher)
))
for (i in seq_along(coef(d))) keep("staged", names(coef(d))[i], coef(d)[i], SE(d)[i])

# 2 The same raked to three margins; the variance by residuals under base weights.
target <- with(margins, c(`(Intercept)` = sum(area), areatown = area[["town"]], areaurban = area[["urban"]],
  grpparent = grp[["parent"]], grpstudent = grp[["student"]], grpteacher = grp[["teacher"]], genderM = gender[["M"]]))
raked <- calibrate(staged, ~area + grp + gender, target, calfun = "raking", epsilon = 1e-12, maxit = 200)
for (item in c("sat1", "sat2", "sat5")) rate("raked", item, raked)
for (g in names(margins$grp)) {
  one <- svyratio(as.formula(paste0("~y_", g)), as.formula(paste0("~m_", g)), raked)
  keep("raked", paste0("sat2/", g), coef(one), SE(one)[1])
}
keep("raked", "largest weight", max(weights(raked)))
keep("raked", "smallest weight", min(weights(raked)))

# 3 Logit calibration with bounds, a number among the totals.
bounded <- calibrate(staged, ~grp + id, c(target[c("(Intercept)", "grpparent", "grpstudent", "grpteacher")], id = 11000000),
                     calfun = "logit", bounds = c(0.4, 2.5), epsilon = 1e-12, maxit = 200)
rate("bounded", "sat2", bounded)
keep("bounded", "largest weight", max(weights(bounded)))

# 4 Post-strata, then the jackknife of the whole weighting.
one_stage <- svydesign(ids = ~school, strata = ~stratum, weights = ~w, nest = TRUE, data = subset(county, stratum != "BD"))
jack <- as.svrepdesign(one_stage, type = "JKn", mse = FALSE)
jack <- postStratify(jack, ~grp, data.frame(grp = names(margins$grp), Freq = margins$grp))
for (item in c("sat1", "sat2")) {
  m <- svymean(as.formula(paste0("~", item)), jack, na.rm = TRUE)
  keep("jackknife", item, coef(m), SE(m))
}
q <- svyquantile(~score, one_stage, c(0.25, 0.5, 0.75), na.rm = TRUE, qrule = "math", ci = TRUE, df = degf(subset(one_stage, !is.na(score))))
for (i in 1:3) keep("quantiles", rownames(q$score)[i], q$score[i, "quantile"], NA, q$score[i, "ci.2.5"], q$score[i, "ci.97.5"])

# 5 PPS without replacement, Brewer's variance.
pps <- svydesign(id = ~1, fpc = ~p, data = election, pps = "brewer")
for (v in c("Bush", "Kerry", "Nader")) {
  t <- svytotal(as.formula(paste0("~", v)), pps)
  keep("pps", v, coef(t), SE(t))
}

# 6 Nonresponse within cells; the silent keep their place in the design.
roster$answered <- roster$disposition %in% c("complete", "partial")
eligible <- subset(roster, disposition != "ineligible")
cell <- interaction(eligible$stratum, eligible$grp, drop = TRUE)
f <- tapply(eligible$w_base, cell, sum) / tapply(eligible$w_base * eligible$answered, cell, sum)
eligible$w <- ifelse(eligible$answered, eligible$w_base * f[cell], 0)
nr <- svydesign(ids = ~id, strata = ~stratum, weights = ~w, data = eligible)
m <- svymean(~I(gender == "F"), subset(nr, answered))
keep("nonresponse", "female", coef(m)[2], SE(m)[2])
keep("nonresponse", "largest weight", max(eligible$w))

cat(sprintf('{"what": "whole analyses of files by R survey", "software": "%s, survey %s", "tolerance": 1e-8,\n "rows": [\n  %s\n ]}\n',
  R.version.string, packageVersion("survey"), paste(unlist(out), collapse = ",\n  ")))
