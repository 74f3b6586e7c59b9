-- The ceiling: one cached byte string from the bare framework.
dofile(os.getenv("WRK") .. "report.lua")
request = function() return wrk.format("GET", "/form") end
done = function(summary, latency) report(summary, latency, summary.requests - summary.errors.status) end
