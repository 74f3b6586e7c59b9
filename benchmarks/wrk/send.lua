-- Send one slip's form after the other, each once, with a submission key of its own.
dofile(os.getenv("WRK") .. "report.lua")
local codes, n = {}, tonumber(os.getenv("FIRST"))
for line in io.lines(os.getenv("CODES")) do codes[#codes + 1] = line end
local body, script = os.getenv("BODY"), os.getenv("SCRIPT") ~= ""
local headers = {["Content-Type"] = "application/x-www-form-urlencoded", ["Accept-Encoding"] = "gzip"}
if script then headers["X-Requested-With"] = "form" end
accepted, used_up = 0, 0
function setup(thread) one = thread end
request = function()
  n = n + 1
  if n > #codes then wrk.thread:stop() end
  return wrk.format("POST", "/s/" .. (codes[n] or codes[#codes]), headers, string.format("k=%032x&%s", n, body))
end
-- A kept answer is thanked with its receipt: in the address, or in the page where the script asked.
response = function(status, given, page)
  if script and status == 200 then accepted = accepted + 1 end
  if not script and status == 303 and #(given["location"] or given["Location"] or "") > 200 then accepted = accepted + 1 end
end
done = function(summary, latency) report(summary, latency, one:get("accepted")) end
