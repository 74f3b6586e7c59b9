# Made with R 4.x and survey; see the versions it prints. Rscript collapse_and_overlap.R
suppressMessages(library(survey))
d <- data.frame(s=rep(c("a","a","b","b","c"),each=4), u=rep(c("1","2","1","2","1"),each=4),
  y=c(3,4,5,6,2,3,4,9,1,2,2,3,8,7,6,9,4,4,5,6), w=rep(c(2,2,3,3,5),each=4), N=rep(c(10,10,12,12,7),each=4))
d$s2 <- ifelse(d$s=="c","b",d$s); d$u2 <- paste(d$s,d$u); d$N2 <- ifelse(d$s2=="b",19,10)
m <- svymean(~y, svydesign(id=~u2,strata=~s2,weights=~w,fpc=~N2,data=d))
one <- d[d$s!="c",]
two <- transform(one, y=y+c(1,0,2,1, 3,0,0,1, -1,0,1,0, 2,2,1,0), u=ifelse(s=="a" & u=="2","3",u))
e <- rbind(cbind(one,wave=1), cbind(two,wave=2))
over <- svydesign(id=~u,strata=~s,weights=~w,data=e,nest=TRUE)
k <- svycontrast(svyby(~y,~wave,over,svymean,covmat=TRUE),c(-1,1))
cat(sprintf('{"collapsed": {"mean": %.15g, "se": %.15g}, "overlap": {"difference": %.15g, "se": %.15g, "df": %d}, "bh": [%s], "versions": "%s, survey %s"}\n',
  coef(m), SE(m), coef(k), SE(k), degf(over), paste(sprintf("%.15g", p.adjust(c(.01,.02,.035,.04,.5),"BH")), collapse=", "),
  R.version.string, packageVersion("survey")))
