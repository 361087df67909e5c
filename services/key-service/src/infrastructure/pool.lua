-- The pool's one script. Every call checks that Redis still remembers what was granted (epoch, run id, clock) and
-- does its work in the same step: choosing a key and charging its windows cannot be torn apart.
-- KEYS[1] prefix; ARGV: op, epoch record, run id, the caller's estimate of this clock (us, 0 = none), payload (JSON).
-- Times are microseconds. Big numbers leave as integers of the reply: cjson would round them to 14 digits.
local P = KEYS[1]
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

if redis.call('GET', P .. 'epoch') ~= ARGV[2] then
  return { 'lost', now, 'epoch' }
end
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= ARGV[3] then
  return { 'lost', now, 'run' }
end
local estimate = tonumber(ARGV[4])
if estimate > 0 and math.abs(now - estimate) > 250000 then
  return { 'lost', now, 'clock' }
end
local E, readyAt = string.match(ARGV[2], '^(%d+)|%x+|(%d+)$')
local a = cjson.decode(ARGV[5])

local function load(name)
  local packed = redis.call('GET', P .. name)
  return packed and cmsgpack.unpack(packed)
end

local function save(name, value, ttlMs)
  if ttlMs then
    redis.call('SET', P .. name, cmsgpack.pack(value), 'PX', ttlMs)
  else
    redis.call('SET', P .. name, cmsgpack.pack(value))
  end
end

local function pool(name)
  return P .. 'z:' .. E .. ':' .. name
end

-- Each sequence number of a session is taken once; the bitmap costs one bit a request.
local function replayed(session, sequence)
  local key = P .. 'seq:' .. session
  local seen = redis.call('SETBIT', key, sequence, 1) == 1
  if sequence % 256 == 1 then
    redis.call('PEXPIRE', key, 7200000)
  end
  return seen
end

-- Bucket: anchor a, x = window + margin, q, index n of the next slot, charges c = { notBefore, latest arrival, hole }.
-- Slots lie x/q apart from the anchor on; slot n + q then begins exactly when the window of slot n has ended.
local function gridTime(b, n)
  return b.a + math.floor(n * b.x / b.q)
end

local function gridIndex(b, from)
  local n = math.max(b.n, math.ceil((from - b.a) * b.q / b.x))
  while gridTime(b, n) < from do
    n = n + 1
  end
  return n
end

local function bucketOf(k)
  local x = a.window + a.margin
  local b = load('b:' .. E .. ':' .. k.b)
  local first = now + a.lead
  if not b then
    b = { a = first + math.floor(k.ph * x / k.q), x = x, q = k.q, n = 0, c = {} }
  elseif b.x ~= x or b.q ~= k.q then
    b.a = math.max(first, gridTime(b, b.n - 1) + math.ceil(x / k.q))
    b.x = x
    b.q = k.q
    b.n = 0
  end
  local kept = {}
  for _, c in ipairs(b.c) do
    -- A freed slot whose time has come was never used; a charge is over when its window is.
    local over = c[2] + a.window <= now
    if c[3] == 1 then
      over = c[1] < first
    end
    if not over then
      kept[#kept + 1] = c
    end
  end
  b.c = kept
  return b
end

-- A new call at `nb` may have at most q - 1 earlier ones whose window can still be open then.
local function windowFreeAt(b)
  if #b.c < b.q then
    return 0
  end
  local latest = {}
  for i, c in ipairs(b.c) do
    latest[i] = c[2]
  end
  table.sort(latest)
  return latest[#latest - b.q + 1] + a.window
end

-- Kinds of window: each says where the next slot of a bucket lies.
local place = {}

function place.sliding(b, from)
  local hole
  for _, c in ipairs(b.c) do
    if c[3] == 1 and c[1] >= from and (not hole or c[1] < hole[1]) then
      hole = c
    end
  end
  local n = gridIndex(b, math.max(from, windowFreeAt(b)))
  local nb = gridTime(b, n)
  if hole and hole[1] <= nb then
    return hole[1], hole
  end
  return nb, nil, n
end

-- Takes `calls` slots, earliest first; the bucket is changed in memory only.
local function take(b, from, calls)
  local slots = {}
  for i = 1, calls do
    local nb, hole, n = place[a.kind](b, from)
    if hole then
      hole[3] = 0
    else
      b.c[#b.c + 1] = { nb, nb + a.margin, 0 }
      b.n = n + 1
    end
    slots[i] = nb
  end
  return slots
end

-- What rules a key out: nil, or since when it may be asked again (0 = not by waiting).
local function barredUntil(k, first)
  if k.s ~= 'active' or (a.egress and k.eg and k.eg[a.egress]) then
    return 0
  end
  if k.rest and k.rest > first + a.horizon then
    return k.rest
  end
  for method in pairs(a.methods) do
    if k.bar and k.bar[method] then
      return 0
    end
    local rest = k.m and k.m[method]
    if rest and rest.u > now then
      return rest.u
    end
  end
  return nil
end

-- Strategy earliest-free: members are scored by a lower bound of their next slot, so the scan ends at the first
-- score that is not below the best slot found. What was seen to be too low is corrected.
local choose = {}
choose['earliest-free'] = function(first)
  local best, ruledOut, comesBack, candidates = nil, 0, nil, 0
  for _, name in ipairs(a.pools) do
    local z, from, done = pool(name), 0, false
    local corrections = {}
    while not done do
      local page = redis.call('ZRANGE', z, from, from + 15, 'WITHSCORES')
      for i = 1, #page, 2 do
        if best and tonumber(page[i + 1]) >= best.nb then
          done = true
          break
        end
        local k = load('k:' .. page[i])
        local barred = 0
        if k then
          barred = barredUntil(k, first)
        end
        if barred then
          ruledOut = ruledOut + 1
          if barred > 0 and (not comesBack or barred < comesBack) then
            comesBack = barred
          end
        else
          candidates = candidates + 1
          local b = bucketOf(k)
          local nb = place[a.kind](b, math.max(first, k.rest or 0))
          corrections[#corrections + 1] = nb
          corrections[#corrections + 1] = page[i]
          if not best or nb < best.nb then
            best = { nb = nb, id = page[i], k = k, b = b }
          end
        end
      end
      if #page < 32 then
        done = true
      end
      from = from + 16
    end
    if #corrections > 0 then
      redis.call('ZADD', z, 'XX', unpack(corrections))
    end
  end
  return best, ruledOut, comesBack
end

local function lower(k, id, score)
  for _, name in ipairs(k.z) do
    redis.call('ZADD', pool(name), 'XX', score, id)
  end
end

local function grantReply(lease, id, ruledOut)
  local reply = { 'granted', now, lease.f, lease.k, lease.v, lease.g, lease.x, ruledOut }
  for _, nb in ipairs(lease.c) do
    reply[#reply + 1] = nb
  end
  return reply
end

local ops = {}

function ops.clock()
  return { 'ok', now }
end

function ops.grant()
  if a.deadline <= now then
    return { 'denied', now, 'expired', now }
  end
  local known = load('l:' .. a.id)
  if known then
    if known.ws ~= a.ws or known.by ~= a.by then
      return { 'denied', now, 'replay', now }
    elseif known.x <= now then
      return { 'denied', now, 'expired', now }
    end
    return grantReply(known, a.id, 0)
  end
  if a.first and replayed(a.session, a.seq) then
    return { 'denied', now, 'replay', now }
  end
  if now < tonumber(readyAt) then
    return { 'denied', now, 'recovering', tonumber(readyAt) }
  end
  local first = now + a.lead
  local best, ruledOut, comesBack = choose[a.strategy](first)
  if not best then
    if comesBack then
      return { 'denied', now, 'no-slot', comesBack }
    end
    return { 'denied', now, 'no-key', now + 1000000 }
  end
  local k = best.k
  local slots = take(best.b, math.max(first, k.rest or 0), a.calls)
  local last = slots[#slots]
  if last > now + a.horizon then
    -- Nothing was saved: the charge was made in memory only.
    return { 'denied', now, 'no-slot', math.max(now + 1, last - a.horizon) }
  end
  for method in pairs(a.methods) do
    local rest = k.m and k.m[method]
    if rest then
      -- Its rest is over: one trial call, the others wait for what comes of it.
      rest.u = now + a.trial
      rest.t = now
      save('k:' .. best.id, k)
    end
  end
  local fence = E * 10000000000 + redis.call('INCR', P .. 'fence:' .. E)
  local lease = {
    k = best.id, b = k.b, v = k.v, f = fence, ws = a.ws, by = a.by, c = slots, g = now,
    x = last + a.slack + a.hold, done = 0, told = {}, eg = a.egress, ms = {},
  }
  for method in pairs(a.methods) do
    lease.ms[#lease.ms + 1] = method
  end
  save('l:' .. a.id, lease, math.ceil((lease.x - now) / 1000) + 60000)
  save('b:' .. E .. ':' .. k.b, best.b, 120000)
  lower(k, best.id, place[a.kind](best.b, first))
  return grantReply(lease, a.id, ruledOut)
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

function effects.fine(k, e, sent, lease)
  local changed = false
  if k.fails and k.fails > 0 and sent > k.since then
    k.fails = 0
    changed = true
  end
  for _, method in ipairs(lease.ms) do
    local rest = k.m and k.m[method]
    if rest and rest.t and sent > rest.t and not contains(e.except, method) then
      k.m[method] = nil
      changed = true
    end
  end
  return changed
end

function effects.rest(k, e, sent)
  -- Calls that were under way when the key began to rest say nothing new.
  if k.since and sent <= k.since then
    return false
  end
  k.fails = (k.fails or 0) + 1
  k.since = now
  local pause = math.min(e.base * 2 ^ (k.fails - 1), e.cap)
  pause = math.max(math.floor(pause * (1 + e.spread)), e.atLeast)
  k.rest = math.max(k.rest or 0, now + pause)
  return true, { kind = 'resting', forMs = math.floor(pause / 1000) }
end

function effects.restMethods(k, e, sent, lease)
  k.m = k.m or {}
  local longest
  for _, method in ipairs(methodsOf(e, lease)) do
    local rest = k.m[method]
    if not rest then
      rest = { s = e.base }
      k.m[method] = rest
      rest.u = now + rest.s
      longest = rest.s
    elseif rest.t and sent > rest.t then
      rest.s = math.min(rest.s * 2, e.cap)
      rest.t = nil
      rest.u = now + rest.s
      longest = rest.s
    end
  end
  if not longest then
    return false
  end
  return true, { kind = 'method-resting', forMs = math.floor(longest / 1000) }
end

function effects.barMethods(k, e, _, lease)
  k.bar = k.bar or {}
  for _, method in ipairs(methodsOf(e, lease)) do
    k.bar[method] = true
  end
  return true, { kind = 'method-barred', forMs = 0 }
end

function effects.barEgress(k, _, _, lease)
  k.eg = k.eg or {}
  k.eg[lease.eg] = true
  return true, { kind = 'egress-barred', forMs = 0 }
end

function effects.invalidate(k, _, _, lease)
  if k.s ~= 'active' then
    return false
  end
  k.s = 'invalid'
  for _, name in ipairs(k.z) do
    redis.call('ZREM', pool(name), lease.k)
  end
  return true, { kind = 'invalid', forMs = 0 }
end

local function settleOne(s)
  local lease = load('l:' .. s.id)
  if not lease or lease.f ~= s.fence or lease.ws ~= s.ws or lease.by ~= a.by then
    return 'unknown', {}
  end
  local status = 'settled'
  if lease.done == 1 then
    status = 'already-settled'
  elseif lease.x <= now then
    status = 'late'
  end
  local k = load('k:' .. lease.k)
  local b = load('b:' .. E .. ':' .. lease.b)
  local told, free = {}, nil
  local keyChanged = false
  for _, r in ipairs(s.reports) do
    local nb = lease.c[r.slot + 1]
    if nb and status == 'settled' and b then
      for i, c in ipairs(b.c) do
        if c[1] == nb then
          if r.o ~= 'unsent' then
            c[2] = math.max(r.sent, nb) + a.margin - a.slack
            if r.o == 'answered' then
              c[2] = math.min(c[2], math.max(r.answered, nb))
            end
          elseif nb >= now + a.lead then
            c[3] = 1
            free = math.min(free or nb, nb)
          else
            table.remove(b.c, i)
          end
          break
        end
      end
    end
    local slot = tostring(r.slot)
    if nb and k and k.v == lease.v and r.o ~= 'unsent' and not lease.told[slot] then
      lease.told[slot] = 1
      for _, e in ipairs(r.effects) do
        local changed, event = effects[e.kind](k, e, r.sent, lease)
        keyChanged = keyChanged or changed
        if event then
          event.keyId = lease.k
          event.code = e.code
          event.reason = e.reason
          told[#told + 1] = event
        end
      end
    end
  end
  if status == 'settled' then
    lease.done = 1
    if b then
      save('b:' .. E .. ':' .. lease.b, b, 120000)
    end
    if free and k then
      lower(k, lease.k, free)
    end
  end
  save('l:' .. s.id, lease, math.max(1000, math.ceil((lease.x - now) / 1000) + 60000))
  if keyChanged then
    save('k:' .. lease.k, k)
  end
  return status, told
end

function ops.settle()
  if a.seq > 0 and replayed(a.session, a.seq) then
    return { 'denied', now, 'replay' }
  end
  local statuses, told = {}, {}
  for i, s in ipairs(a.settles) do
    local status, events = settleOne(s)
    statuses[i] = status
    for _, event in ipairs(events) do
      told[#told + 1] = event
    end
  end
  return { 'ok', now, table.concat(statuses, ','), #told > 0 and cjson.encode(told) or '[]' }
end

function ops.capacity()
  local keys, perSecond = 0, 0
  for _, name in ipairs(a.pools) do
    for _, id in ipairs(redis.call('ZRANGE', pool(name), 0, -1)) do
      local k = load('k:' .. id)
      if k and k.s == 'active' and (k.rest or 0) <= now then
        keys = keys + 1
        perSecond = perSecond + k.q
      end
    end
  end
  return { 'ok', now, keys, math.floor(perSecond * 1000 * 1000000 / a.window) }
end

-- Definitions of keys, newest revision wins. What the pool learned stays unless the token is another one.
function ops.sync()
  local differing = {}
  for _, d in ipairs(a.keys) do
    local k = load('k:' .. d.id)
    if not k then
      k = { ph = (redis.call('INCR', P .. 'ordinal') * 0.61803398875) % 1, r = 0, s = d.s }
    end
    if d.r > k.r then
      if k.v ~= d.v then
        k.rest, k.m, k.bar, k.eg, k.fails, k.since = nil, nil, nil, nil, nil, nil
      end
      for _, name in ipairs(k.z or {}) do
        redis.call('ZREM', pool(name), d.id)
      end
      k.r, k.v, k.s, k.q, k.b, k.z = d.r, d.v, d.s, d.q, d.b, d.z
      save('k:' .. d.id, k)
    elseif k.s ~= d.s and k.r == d.r then
      differing[#differing + 1] = { id = d.id, state = k.s }
    end
    for _, name in ipairs(k.z) do
      if k.s == 'active' then
        redis.call('ZADD', pool(name), 'NX', 0, d.id)
      else
        redis.call('ZREM', pool(name), d.id)
      end
    end
  end
  return { 'ok', now, #differing > 0 and cjson.encode(differing) or '[]' }
end

return ops[ARGV[1]]()
