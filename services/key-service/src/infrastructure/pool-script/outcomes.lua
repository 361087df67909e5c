-- What a report says about its key (rests.lua has the fields of the record).
local SLICE, SLICES = 6000000, 5

local function shorter(pause, spread)
  return math.floor(pause * (1 + (spread or 0)))
end

local function untilEvent(kind, until_)
  return { kind = kind, forMs = math.floor((until_ - now) / 1000), u = string.format('%.0f', until_) }
end

-- Calls and failures of the last 30 s, counted in slices of six seconds.
local function countCall(k, failed)
  local circuit = k.cb or { n = 0, w = {} }
  k.cb = circuit
  local slice = math.floor(now / SLICE)
  local w = circuit.w
  while w[1] and w[1][1] <= slice - SLICES do
    table.remove(w, 1)
  end
  local last = w[#w]
  if not last or last[1] < slice then
    last = { slice, 0, 0 }
    w[#w + 1] = last
  end
  last[2] = last[2] + 1
  last[3] = last[3] + failed
  circuit.n = failed == 1 and circuit.n + 1 or 0
  local calls, failures = 0, 0
  for _, counted in ipairs(w) do
    calls = calls + counted[2]
    failures = failures + counted[3]
  end
  return circuit, calls, failures
end

-- The provider answered, whatever it said: failures in a row are over, a probe went well.
local function answered(k, lease, told)
  if k.cb and k.cb.u then
    if isTrialOf(k.cb, lease) then
      k.cb = nil
      told[#told + 1] = { kind = 'circuit-closed', forMs = 0 }
    end
  else
    countCall(k, 0)
  end
  if k.n then
    redis.call('ZREM', P .. networkName('nf', k.n), lease.k)
    local net = lease.np and load(networkName('net', k.n))
    if net and isTrialOf(net, lease) then
      erase(networkName('net', k.n))
      told[#told + 1] = { kind = 'network-circuit-closed', forMs = 0, network = k.n }
    end
  end
end

-- True when the failure is the network's: more than half of its keys failed with their last call, within 10 s.
local function networkFailed(k, e, lease, told)
  if not k.n then
    return false
  end
  local name = networkName('net', k.n)
  local net = load(name)
  if net then
    if isTrialOf(net, lease) and lease.np then
      net.s = math.min(net.s * 2, e.netCap)
      net.u = now + shorter(net.s, e.spread)
      net.t = nil
      save(name, net, 3600000)
      local event = untilEvent('network-circuit-open', net.u)
      event.network = k.n
      told[#told + 1] = event
    end
    return true
  end
  local failing = P .. networkName('nf', k.n)
  redis.call('ZADD', failing, now, lease.k)
  redis.call('ZREMRANGEBYSCORE', failing, '-inf', now - e.netWithin)
  redis.call('PEXPIRE', failing, math.ceil(e.netWithin / 1000))
  local count = redis.call('ZCARD', failing)
  if count < e.netKeys or count * 2 <= redis.call('SCARD', P .. networkName('ks', k.n)) then
    return false
  end
  -- What was counted against these keys was not theirs.
  for _, id in ipairs(redis.call('ZRANGE', failing, 0, -1)) do
    local other = id ~= lease.k and load('k:' .. id)
    if other and other.cb then
      other.cb = nil
      save('k:' .. id, other)
    end
  end
  k.cb = nil
  redis.call('DEL', failing)
  net = { s = e.netBase, u = now + shorter(e.netBase, e.spread) }
  save(name, net, 3600000)
  local event = untilEvent('network-circuit-open', net.u)
  event.network = k.n
  told[#told + 1] = event
  return true
end

-- What a report says about the KEY. Called once per call, and only for the version of the token that made it.
local effects = {}

-- Methods that an effect is about: those it names, or all that the lease was for.
local function methodsOf(e, lease)
  return e.methods == 'all' and lease.ms or e.methods
end

function effects.fine(k, e, sent, lease, told)
  if k.fails and k.fails > 0 and sent > k.since then
    k.fails = 0
  end
  k.fr = nil
  for _, method in ipairs(lease.ms) do
    local rest = k.m and k.m[method]
    if rest and isTrialOf(rest, lease) and not contains(e.except, method) then
      k.m[method] = nil
      told[#told + 1] = { kind = 'method-returned', forMs = 0, method = method }
    end
  end
  local bar = k.eg and k.eg[lease.eg]
  if bar and isTrialOf(bar, lease) then
    k.eg[lease.eg] = nil
    told[#told + 1] = { kind = 'egress-returned', forMs = 0, egress = lease.eg }
  end
end

function effects.rest(k, e, sent, _, told)
  -- Calls that were under way when the key began to rest say nothing new.
  if k.since and sent <= k.since then
    return
  end
  k.fails = (k.fc == e.code and k.fails or 0) + 1
  k.fc = e.code
  k.since = now
  local pause = math.max(shorter(math.min(e.base * 2 ^ (k.fails - 1), e.cap), e.spread), e.atLeast)
  k.rest = math.max(k.rest or 0, now + pause)
  told[#told + 1] = untilEvent('resting', k.rest)
  if e.owner then
    told[#told + 1] = { kind = 'needs-owner', forMs = 0, reason = e.owner }
  end
end

-- A rest begins, or its trial failed and it grows. What was under way when it began says nothing new.
local function restOrGrow(rests, name, e, lease, bar)
  local rest = rests[name]
  if not rest then
    rest = { s = e.base }
    rests[name] = rest
  elseif isTrialOf(rest, lease) then
    rest.s = math.max(e.base, math.min(rest.s * 2, e.cap))
    rest.t = nil
  else
    return nil
  end
  rest.c, rest.bar = e.code, bar
  rest.u = now + rest.s
  return rest
end

local function restMethods(k, e, lease, told, kind, bar)
  k.m = k.m or {}
  for _, method in ipairs(methodsOf(e, lease)) do
    local rest = restOrGrow(k.m, method, e, lease, bar)
    if rest then
      local event = untilEvent(kind, rest.u)
      event.method = method
      told[#told + 1] = event
    end
  end
end

function effects.restMethods(k, e, _, lease, told)
  restMethods(k, e, lease, told, 'method-resting', nil)
end

function effects.barMethods(k, e, _, lease, told)
  restMethods(k, e, lease, told, 'method-barred', 1)
end

function effects.barEgress(k, e, _, lease, told)
  k.eg = k.eg or {}
  local bar = restOrGrow(k.eg, lease.eg, e, lease, 1)
  if bar then
    local event = untilEvent('egress-barred', bar.u)
    event.egress = lease.eg
    told[#told + 1] = event
  end
end

function effects.invalidate(k, _, _, lease, told)
  if k.s ~= 'active' and k.s ~= 'refreshing' then
    return
  end
  k.s, k.own = 'invalid', 1
  leavePools(lease.k, k)
  told[#told + 1] = { kind = 'invalid', forMs = 0 }
end

-- A key with a refresh token gets another token; one that is refused at once again is given up.
function effects.refresh(k, e, sent, lease, told)
  if k.s ~= 'active' then
    return
  end
  if not k.rf or (k.fr and k.fv ~= k.v and now - k.fr < e.again) then
    return effects.invalidate(k, e, sent, lease, told)
  end
  k.s, k.own = 'refreshing', 1
  k.fr, k.fv = now, k.v
  leavePools(lease.k, k)
  told[#told + 1] = { kind = 'refresh-needed', forMs = 0, tokenVersion = k.v }
end

function effects.fail(k, e, _, lease, told)
  if networkFailed(k, e, lease, told) then
    return
  end
  local circuit = k.cb
  if circuit and circuit.u then
    if not isTrialOf(circuit, lease) then
      return
    end
    circuit.s = math.min(circuit.s * 2, e.cap)
  else
    local calls, failures
    circuit, calls, failures = countCall(k, 1)
    if circuit.n < e.inARow and not (calls >= e.least and failures >= calls * e.share) then
      return
    end
    circuit.s = e.base
  end
  circuit.u = now + shorter(circuit.s, e.spread)
  circuit.t = nil
  told[#told + 1] = untilEvent('circuit-open', circuit.u)
end

-- Counted outside; that an answer came is all it says.
function effects.count() end

-- One report of one call. Answers whether the key's record changed, and what happened (events).
local function conclude(k, r, lease)
  local events = {}
  if r.o == 'unsent' then
    releaseProbe(lease)
    return lease.tr and releaseTrials(k, lease) or false, events
  end
  if not (r.effects[1] and r.effects[1].kind == 'fail') then
    answered(k, lease, events)
  end
  for _, event in ipairs(events) do
    event.code = 0
  end
  for _, e in ipairs(r.effects) do
    local told = {}
    effects[e.kind](k, e, r.sent, lease, told)
    for _, event in ipairs(told) do
      event.code = e.code or 0
      event.reason = event.reason or e.reason
      events[#events + 1] = event
    end
  end
  if lease.tr then
    releaseTrials(k, lease)
  end
  for _, event in ipairs(events) do
    event.keyId = lease.k
  end
  return true, events
end
