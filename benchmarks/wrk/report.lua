-- One JSON line at the end of a run.
function report(summary, latency, accepted)
  local seconds = summary.duration / 1e6
  io.write(string.format(
    '{"requests":%d,"per_second":%d,"p50_ms":%.1f,"p99_ms":%.1f,"max_ms":%.1f,"refused":%d,"broken":%d,"accepted":%d}\n',
    summary.requests, summary.requests / seconds, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    latency.max / 1000, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, accepted))
end
