# Opens the answers of a wave with R's `survey` and prints the figure with its standard error.
# Made together with the data; run it in the folder of the data: Rscript open_in_R.R
suppressPackageStartupMessages(library(survey))
answers <- read.csv("@FILE@", encoding = "UTF-8", stringsAsFactors = FALSE)
options(survey.lonely.psu = "adjust")

# Schools are drawn within strata, persons within a school and group; people of a county list are
# first-stage units themselves. A drawn school without an answer stays in, with weight zero.
design <- svydesign(
  ids = ~psu + row, strata = ~stratum + ssu_stratum, fpc = ~n_psu + n_ssu,
  weights = ~weight_before, data = answers, nest = TRUE
)
people <- aggregate(weight ~ poststratum, answers, sum)
names(people)[2] <- "Freq"
design <- postStratify(design, ~poststratum, people, partial = TRUE)

groups <- c(@GROUPS@)
shares <- c(@SHARES@)
w <- weights(design)
figure <- 0
score <- numeric(nrow(answers))
for (g in seq_along(groups)) {
  inside <- which(answers$answered == 1 & answers$group == groups[g] & !is.na(answers$figure_base))
  base <- sum(w[inside] * answers$figure_base[inside])
  rate <- sum(w[inside] * answers$figure_top[inside]) / base
  cat(sprintf("%-10s %.6f  n %d\n", groups[g], rate, length(inside)))
  figure <- figure + shares[g] * rate
  # The linearised variable of a ratio, joined over groups by their shares (Saerndal et al. 1992, 5.6).
  score[inside] <- shares[g] * (answers$figure_top[inside] - rate * answers$figure_base[inside]) / base
}
design <- update(design, score = score)
cat(sprintf("figure %.6f  se %.6f   (published, cut off: @FIGURE@, @SE@)\n", figure, SE(svytotal(~score, design))))

# The same by replicate weights, for programs and statistics that a formula does not reach. Each column
# is a whole weighting; both stages and the known totals are in them (Fay 1989).
replicates <- svrepdesign(
  data = answers, weights = ~weight, repweights = "^rep_[0-9]+$", type = "other",
  scale = @SCALE@, rscales = rep(1, sum(grepl("^rep_[0-9]+$", names(answers)))), combined.weights = TRUE, mse = TRUE
)
by_replicates <- withReplicates(replicates, function(w, data) {
  sum(shares * sapply(groups, function(g) {
    inside <- which(data$answered == 1 & data$group == g & !is.na(data$figure_base))
    sum(w[inside] * data$figure_top[inside]) / sum(w[inside] * data$figure_base[inside])
  }))
})
cat(sprintf("replicates %.6f  se %.6f\n", coef(by_replicates), SE(by_replicates)))
