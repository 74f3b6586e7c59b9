-- Open one slip's form after the other.
dofile(os.getenv("WRK") .. "report.lua")
local codes, n = {}, 0
for line in io.lines(os.getenv("CODES")) do codes[#codes + 1] = line end
local headers = {["Accept-Encoding"] = "gzip"}
request = function()
  n = n % #codes + 1
  return wrk.format("GET", "/s/" .. codes[n], headers)
end
done = function(summary, latency) report(summary, latency, summary.requests - summary.errors.status) end
