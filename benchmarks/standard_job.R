# The standard job of METHOD section 5 with R's survey package, on columns written by estimation.py.
#   Rscript standard_job.R FOLDER N REPEAT
# FOLDER holds one raw little-endian file a column. Prints wall and processor seconds of each run, then value and standard error of
# ten rates, of ten rates in four groups, of ten rates after raking, and one interval.
suppressPackageStartupMessages(library(survey))
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]; n <- as.integer(given[2]); times <- as.integer(given[3])
whole <- function(name, size) readBin(file.path(folder, name), "integer", n, size = size, endian = "little")
data <- data.frame(
  stratum = factor(whole("stratum", 2)), school = whole("school", 2),
  group = factor(whole("group", 2)), gender = factor(whole("gender", 2)),
  w = readBin(file.path(folder, "w"), "double", n, endian = "little"))
items <- paste0("y", 0:9)
for (item in items) data[[item]] <- as.double(whole(item, 1))
known <- readBin(file.path(folder, "margins"), "double", 12, endian = "little")
population <- c(
  setNames(sum(known[1:6]), "(Intercept)"), setNames(known[2:6], paste0("stratum", 1:5)),
  setNames(known[8:10], paste0("group", 1:3)), setNames(known[12], "gender1"))
asked <- reformulate(items)
job <- function() {
  design <- svydesign(ids = ~school, strata = ~stratum, weights = ~w, data = data, nest = TRUE)
  all <- svymean(asked, design)
  limits <- confint(all, df = degf(design))
  grouped <- svyby(asked, ~group, design, svymean, keep.var = TRUE)
  one <- svyciprop(~y0, design, method = "beta")
  raked <- calibrate(design, ~stratum + group + gender, population, calfun = "raking", epsilon = 1e-10, maxit = 100)
  after <- svymean(asked, raked)
  list(coef(all), SE(all), as.matrix(coef(grouped)), as.matrix(SE(grouped)), coef(after), SE(after), attr(one, "ci"))
}
seconds <- numeric(2 * times)
for (k in seq_len(times)) {
  gc()
  took <- system.time(result <- job())
  seconds[2 * k - 1] <- took[["elapsed"]]
  seconds[2 * k] <- took[["user.self"]] + took[["sys.self"]]
}
cat("version", as.character(packageVersion("survey")), "R", as.character(getRversion()), "\n")
cat("seconds", sprintf("%.6f", seconds), "\n")
# svyby's coefficients run through the groups of one item before the next item.
for (part in result) cat("values", sprintf("%.17g", as.vector(part)), "\n")
