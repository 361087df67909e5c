-- What reports say about keys, and what follows of it. Fields of a key's record that belong here:
--   rest, since, fails, fc   the key rests until `rest`; since when, for the how manyth time in a row, by which code
--   m, eg                    rests of methods and of addresses, by name
--   cb                       its circuit: n failures in a row, w = { slice, calls, failures } of the last 30 s
--   own                      its state is what answers made of it, and the row does not know yet
--   fr, fv                   when its token was last sent to be refreshed, and which; until another was good for a call
-- A rest that ends with ONE trial call is { u = until, s = length, t = when its first trial was granted, c = code,
-- bar = 1 when it is a bar }; an open circuit has the same u, s, t. While a trial is out u is the end of its lease,
-- so that a trial nobody reports of makes way for the next one. The circuit of a network is `net:<E>:<network>`.
local SLICE, SLICES = 6000000, 5

local function networkName(kind, network)
  return kind .. ':' .. E .. ':' .. network
end

-- Active keys of a network; called wherever a key's state changes.
local function enlist(id, k)
  if k.n then
    redis.call(k.s == 'active' and 'SADD' or 'SREM', P .. networkName('ks', k.n), id)
  end
end

local function leavePools(id, k)
  for _, name in ipairs(k.z) do
    redis.call('ZREM', pool(name), id)
  end
  enlist(id, k)
end

-- What another token makes void. Its account is the same, and so are the limits of methods that it met.
local function newToken(k)
  k.rest, k.since, k.fails, k.fc, k.eg, k.cb = nil, nil, nil, nil, nil, nil
  for method, rest in pairs(k.m or {}) do
    if rest.bar then
      k.m[method] = nil
    end
  end
end

-- The network's circuit: until when nobody calls it (nil: it may be called), and its record when a call would probe.
local function networkGate()
  local net = a.network and load(networkName('net', a.network))
  if net and net.u > now then
    return net.u
  end
  return nil, net or nil
end

-- The rests that a call of `methods` from `egress` would be the trial of.
local function trialsOf(k, methods, egress)
  local found = {}
  for method in pairs(methods) do
    if k.m and k.m[method] then
      found[#found + 1] = k.m[method]
    end
  end
  if k.eg and k.eg[egress] then
    found[#found + 1] = k.eg[egress]
  end
  if k.cb and k.cb.u then
    found[#found + 1] = k.cb
  end
  return found
end

-- Why a key may not be asked now: nil, or until when and a word (until 0: not by waiting that makes sense).
local function outcomesForbid(k, methods, egress, first)
  local bar = k.eg and k.eg[egress]
  if bar and bar.u > now then
    return 0, 'egress barred', bar.u
  end
  if k.rest and k.rest > first + a.horizon then
    return k.rest, 'resting', k.rest
  end
  if k.cb and k.cb.u and k.cb.u > now then
    return k.cb.u, 'circuit open', k.cb.u
  end
  for method in pairs(methods) do
    local rest = k.m and k.m[method]
    if rest and rest.u > now then
      if rest.bar and not rest.t then
        return 0, 'method barred', rest.u
      end
      return rest.u, 'method resting', rest.u
    end
  end
  return nil
end

-- True when a grant of this key would be a trial or a probe: then it is of one call.
local function isTrial(k, methods, egress)
  local _, net = networkGate()
  return net ~= nil or #trialsOf(k, methods, egress) > 0
end

-- The lease is the trial of every rest that it touches; others wait for what comes of it. True: k has to be saved.
local function beginTrials(k, methods, egress, lease)
  local trials = trialsOf(k, methods, egress)
  for _, rest in ipairs(trials) do
    rest.u = lease.x
    rest.t = rest.t or now
    lease.tr = 1
  end
  local _, net = networkGate()
  if net then
    net.u = lease.x
    net.t = net.t or now
    lease.np = 1
    save(networkName('net', a.network), net, 3600000)
  end
  return #trials > 0
end

local function isTrialOf(rest, lease)
  return rest.t and lease.g >= rest.t
end

-- A trial that ended without saying anything makes way at once.
local function releaseTrials(k, lease)
  local methods = {}
  for _, method in ipairs(lease.ms) do
    methods[method] = 1
  end
  local changed = false
  for _, rest in ipairs(trialsOf(k, methods, lease.eg)) do
    if rest.u == lease.x then
      rest.u = now
      changed = true
    end
  end
  return changed
end

local function releaseProbe(lease)
  local net = lease.np and load(networkName('net', a.network))
  if net and net.u == lease.x then
    net.u = now
    save(networkName('net', a.network), net, 3600000)
  end
end

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
      redis.call('DEL', P .. networkName('net', k.n))
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

local function contains(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
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

-- Rests of a key as they are, for people who look, and the way to end them before their time.
function ops.rests()
  local k = load('k:' .. a.id)
  local found = {}
  local function add(kind, name, rest)
    found[#found + 1] = {
      kind = kind, name = name, u = string.format('%.0f', rest.u), s = math.floor((rest.s or 0) / 1000),
      code = rest.c, trial = rest.t and true or false, bar = rest.bar and true or false,
    }
  end
  if k then
    if k.rest and k.rest > now then
      add('key', '', { u = k.rest, s = k.rest - k.since, c = k.fc })
    end
    for method, rest in pairs(k.m or {}) do
      add('method', method, rest)
    end
    for egress, rest in pairs(k.eg or {}) do
      add('egress', egress, rest)
    end
    if k.cb and k.cb.u then
      add('circuit', '', k.cb)
    end
  end
  return { 'ok', now, #found > 0 and cjson.encode(found) or '[]' }
end

function ops.endRests()
  local k = load('k:' .. a.id)
  if not k then
    return { 'ok', now, 0 }
  end
  local ended = 0
  for _, rests in ipairs({ { 'method', k.m or {} }, { 'egress', k.eg or {} } }) do
    for name in pairs(rests[2]) do
      if not a.kind or (a.kind == rests[1] and (not a.name or a.name == name)) then
        rests[2][name] = nil
        ended = ended + 1
      end
    end
  end
  if (not a.kind or a.kind == 'key') and k.rest then
    ended = ended + (k.rest > now and 1 or 0)
    k.rest, k.since, k.fails, k.fc = nil, nil, nil, nil
  end
  if (not a.kind or a.kind == 'circuit') and k.cb then
    ended = ended + (k.cb.u and 1 or 0)
    k.cb = nil
  end
  save('k:' .. a.id, k)
  return { 'ok', now, ended }
end

-- Rests that outlived a memory of the pool: what this one knows itself is newer.
function ops.restoreRests()
  local restored = 0
  for _, row in ipairs(a.rests) do
    local k = load('k:' .. row.id)
    if k and (row.v == k.v or (row.kind == 'method' and not row.bar)) then
      local rest = { u = row.u, s = row.s, c = row.code, bar = row.bar and 1 or nil }
      local field = row.kind == 'method' and 'm' or 'eg'
      if row.kind == 'key' then
        if not k.rest and row.u > now then
          k.rest, k.since, k.fails, k.fc = row.u, now, 1, row.code
          restored = restored + 1
        end
      elseif not (k[field] and k[field][row.name]) then
        k[field] = k[field] or {}
        k[field][row.name] = rest
        restored = restored + 1
      end
      save('k:' .. row.id, k)
    end
  end
  return { 'ok', now, restored }
end
