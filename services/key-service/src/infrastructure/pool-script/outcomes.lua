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
