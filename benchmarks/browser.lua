-- What a browser sends, for wrk: 12 header fields, Cookie and Referer different from request to request.
-- All requests are built before the run, so that wrk only picks the next string and is not the bottleneck itself.
-- The last line of output is one JSON object for cpu_per_request.py.

local distinct = 5000
local requests = {}
local position = 0

local template = table.concat({
  "GET %s HTTP/1.1",
  "Host: %s",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Connection: keep-alive",
  "Referer: http://%s/catalogue/page-%d?sort=name&from=%d",
  "Cookie: sessionid=%08x%08x%08x; csrftoken=%08x%08x; theme=dark",
  "Upgrade-Insecure-Requests: 1",
  "Sec-Fetch-Dest: document",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-Site: same-origin",
  "",
  "",
}, "\r\n")

function init(args)
  math.randomseed(20261121) -- the same visitors for every server
  local host = wrk.headers["Host"]
  local function word()
    return math.random(0, 0x7fffffff)
  end
  for number = 1, distinct do
    requests[number] =
      template:format(wrk.path, host, host, number, word(), word(), word(), word(), word(), word())
  end
end

function request()
  position = position % distinct + 1
  return requests[position]
end

function done(summary, latency, requests_per_second)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d,'
      .. ' "latency_p50_us": %d, "latency_p99_us": %d}\n',
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
