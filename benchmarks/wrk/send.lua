-- Send one slip's form after the other, each once, with a submission key of its own; codes after FIRST up to LAST, or all.
dofile(os.getenv("WRK") .. "report.lua")
local codes, n = {}, tonumber(os.getenv("FIRST"))
for line in io.lines(os.getenv("CODES")) do codes[#codes + 1] = line end
local last = tonumber(os.getenv("LAST") or #codes)
local body, script = os.getenv("BODY"), os.getenv("SCRIPT") ~= ""
local headers = {["Content-Type"] = "application/x-www-form-urlencoded", ["Accept-Encoding"] = "gzip"}
if script then headers["X-Requested-With"] = "form" end
accepted, used_up = 0, false
function setup(thread) one = thread end
request = function()
  n = n + 1
  if n > last then used_up = true; wrk.thread:stop() end
  n = math.min(n, last)
  return wrk.format("POST", "/s/" .. codes[n], headers, string.format("k=%032x&%s", n, body))
end
-- A kept answer is thanked with its receipt: in the address, or in the page where the script asked.
response = function(status, given, page)
  if used_up then return end -- from here on a code may have been sent again
  if script and status == 200 then accepted = accepted + 1 end
  if not script and status == 303 and #(given["location"] or given["Location"] or "") > 200 then accepted = accepted + 1 end
end
done = function(summary, latency) report(summary, latency, one:get("accepted")) end
