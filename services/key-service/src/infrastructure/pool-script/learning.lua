-- What is learned of a network's path. Measured: `path:<network>:samples` { r recent { at, trip }, p periods { at, n, lo,
-- top largest trips }}. The spread (path.lua) is the range of the round trips that nothing but the path
-- makes (probes, refusals), at least 10 ms (a network and a worker are busy for that long now and then, and a probe a
-- second does not see it), widened for what a sample of that size has not shown yet, plus both clocks' errors.
-- Before ten samples the declared margin holds: delays that have two values only are the same five times in a row one
-- time in thirty. Up to twenty it is let go by and by: the range of a dozen samples falls short once in some thousand runs
-- by more than the widening makes up for (after an hour without a call, on a path that had changed meanwhile).
local RECENT, PERIOD, PERIODS = 5000000, 5000000, 12
local TOP, LEAST_SAMPLES, ENOUGH_SAMPLES, LEAST_SPREAD = 8, 10, 20, 10000

local function samplesOf()
  return load('path:' .. rules.network .. ':samples') or { r = {}, p = {} }
end

local function addSample(samples, trip)
  local recent = {}
  for _, sample in ipairs(samples.r) do
    if sample[1] > now - RECENT and #recent < 200 then
      recent[#recent + 1] = sample
    end
  end
  recent[#recent + 1] = { now, trip }
  samples.r = recent
  local last = samples.p[#samples.p]
  if not last or last.at <= now - PERIOD then
    last = { at = now, n = 0, lo = trip, top = {} }
    samples.p[#samples.p + 1] = last
  end
  while samples.p[1].at <= now - PERIOD * PERIODS do
    table.remove(samples.p, 1)
  end
  last.n = last.n + 1
  last.lo = math.min(last.lo, trip)
  last.top[#last.top + 1] = trip
  if #last.top > TOP then
    table.sort(last.top)
    table.remove(last.top, 1)
  end
end

-- Number of samples, the shortest round trip, and the longest ones, longest last.
local function summary(samples)
  local n, lo, top = 0, nil, {}
  for _, period in ipairs(samples.p) do
    n = n + period.n
    lo = math.min(lo or period.lo, period.lo)
    for _, trip in ipairs(period.top) do
      top[#top + 1] = trip
    end
  end
  table.sort(top)
  return n, lo, top
end

-- A minute's range without its outliers (one in sixty), times 1 + 6k/n: of n even delays the k-th longest falls short
-- of the true range by k/n on average. What the last five seconds showed counts whole, and a jump by more.
local function estimate(samples)
  local n, lo, top = summary(samples)
  if n == 0 then
    return nil, 0
  end
  local k = math.min(1 + math.floor(n / 60), TOP, #top)
  local slow = (top[#top - k + 1] - lo) * (1 + math.min(1, 6 * k / n))
  local longest = lo
  for _, sample in ipairs(samples.r) do
    longest = math.max(longest, sample[2])
  end
  local fast = longest - lo
  if fast > 1.5 * slow then
    fast = 1.25 * fast
  end
  local found = math.max(slow, fast)
  local declared = rules.margin - rules.slack
  if n < LEAST_SAMPLES then
    found = math.max(found * 2, declared)
  elseif n < ENOUGH_SAMPLES then
    found = math.max(found, declared * (ENOUGH_SAMPLES - n) / (ENOUGH_SAMPLES - LEAST_SAMPLES))
  end
  return found, n, lo
end

-- Brings the spread in force up to date with the samples; a refusal keeps it from falling for a while.
local function relearn(samples)
  local p = path()
  local found, n, lo = estimate(samples)
  if found then
    p.s = math.ceil(math.max(found + 2 * p.e, LEAST_SPREAD))
    p.n = n
    p.lo = lo
    p.t = now
  end
  if p.h and p.h.u > now then
    p.s = math.max(p.s, p.h.s)
  else
    p.h = nil
  end
  save('path:' .. rules.network .. ':samples', samples)
  save('path:' .. rules.network, p)
end

-- The network's clock minus ours, between two bounds: an answer of second `date` was made between `from` and `to`.
local function clockSeen(from, to, date)
  if rules.kind ~= 'fixed' or rules.align ~= 'clock' then
    return
  end
  local p = path()
  local lo, hi = date - to, date + 1000000 - from
  -- Another memory may have another clock.
  local known = p.o and p.o.e == E and p.o
  if known then
    local aged = (now - known.at) * DRIFT
    lo = math.max(lo, known.lo - aged)
    hi = math.min(hi, known.hi + aged)
    if lo > hi then
      -- One of the clocks was set: what is known begins anew with this answer.
      lo, hi = date - to, date + 1000000 - from
    end
  end
  p.o = { lo = lo, hi = hi, at = now, e = E }
  save('path:' .. rules.network, p)
end

function reads.learn()
  return { 'path:' .. rules.network, 'path:' .. rules.network .. ':samples' }
end

function ops.learn()
  if replayed(a.session, a.seq) then
    return { 'denied', now, 'replay' }
  end
  local p, samples = path(), samplesOf()
  -- A worker that has not heard yet that Redis' clock was set stamps by the clock that was. A report that is merely late
  -- loses its dates by that, nothing else.
  local isOurClock = a.issued == 0 or math.abs(now - a.issued) < CLOCK_SET
  for _, probe in ipairs(a.probes) do
    addSample(samples, probe.trip)
    if probe.date > 0 and isOurClock then
      clockSeen(probe.sent, probe.sent + probe.trip, probe.date)
    end
  end
  -- The worst mapping of the last reports: it falls by a tenth with each report that is better.
  p.e = math.max(a.err, p.e * 0.9)
  if a.late then
    p.m = { mean = a.late.mean, max = math.max(a.late.max, (p.m and p.m.max or 0) * 0.95) }
  end
  relearn(samples)
  return { 'ok', now, p.s + rules.slack }
end

-- What is in force, as it is shown and kept outside of this memory.
function ops.path()
  local known = load('path:' .. rules.network)
  return { 'ok', now, known and cjson.encode(known) or 'null' }
end

-- Begins with what was learned before a loss of memory; what was measured since is newer.
function ops.restore()
  if not load('path:' .. rules.network) then
    save('path:' .. rules.network, { s = a.known.s, e = a.known.e, t = a.known.t, n = 0, lo = a.known.lo })
  end
  return { 'ok', now }
end

function ops.forget()
  erase('path:' .. rules.network)
  erase('path:' .. rules.network .. ':samples')
  return { 'ok', now }
end
