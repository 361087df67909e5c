-- True when a limit of the whole key is spent and nothing more can be booked yet.
local function isSpent(k)
  for span in pairs(SPANS) do
    local entry = k.lim and k.lim[span] and accountOf(k.b)[span]
    if entry and (entry.u or 0) > now and leftOf(entry) == 0 then
      return true
    end
  end
  return false
end

-- What may be called now: nothing while the network itself rests.
function ops.capacity()
  local keys, perSecond = 0, 0
  if networkGate() then
    return { 'ok', now, 0, 0 }
  end
  for _, name in ipairs(a.pools) do
    for _, id in ipairs(redis.call('ZRANGE', pool(name), 0, -1)) do
      local k = load('k:' .. id)
      if k and k.s == 'active' and (k.rest or 0) <= now and not isSpent(k) and not (k.cb and (k.cb.u or 0) > now) then
        keys = keys + 1
        perSecond = perSecond + k.q
      end
    end
  end
  return { 'ok', now, keys, math.floor(perSecond * 1000 * 1000000 / rules.window) }
end

-- Out of the orders of pools that it is no member of any more; in the others it keeps its place.
local function leaveOrders(id, k, z)
  for _, name in ipairs(k.z or {}) do
    for strategy in pairs(contains(z, name) and {} or orders) do
      redis.call('ZREM', orderName(strategy, name), id)
    end
  end
end

-- The limits that a key has from now on. Other ones may leave room at once: more can be asked for.
local function limitsDefined(k, d)
  if k.lim or d.lim then
    local account = accountOf(d.b)
    for _, entry in pairs(account) do
      entry.u = nil
    end
    saveAccount(d.b)
  end
  return d.lim
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
      local sameToken = k.v == d.v
      if not sameToken then
        newToken(k)
      end
      if k.b and k.b ~= d.b then
        -- Its last calls stand in the other bucket: the network's windows must have lost them before the next one.
        k.rest, k.since = math.max(k.rest or 0, now + 5000000), k.since or now
      end
      for _, name in ipairs(k.z or {}) do
        redis.call('ZREM', pool(name), d.id)
      end
      leaveOrders(d.id, k, d.z)
      k.e, k.w, k.lim = d.e, d.w, limitsDefined(k, d)
      k.r, k.v, k.q, k.b, k.z, k.n, k.rf = d.r, d.v, d.q, d.b, d.z, d.n, d.rf
      k.c = d.c
      -- The row may not know yet what the answers made of its token.
      if not (sameToken and k.own and d.s == 'active') then
        k.s, k.own = d.s, nil
      end
      save('k:' .. d.id, k)
    end
    if k.s ~= d.s and k.r == d.r then
      differing[#differing + 1] = { id = d.id, state = k.s }
    end
    for _, name in ipairs(k.z) do
      if k.s == 'active' then
        redis.call('ZADD', pool(name), 'NX', 0, d.id)
        for strategy in pairs(orders) do
          redis.call('ZADD', orderName(strategy, name), 'NX', 0, d.id)
        end
      else
        redis.call('ZREM', pool(name), d.id)
      end
    end
    enlist(d.id, k)
  end
  return { 'ok', now, #differing > 0 and cjson.encode(differing) or '[]' }
end

-- Ends a lease that nobody settles: its slots stay charged, a settle that comes after all is late.
function ops.release()
  local lease = load('l:' .. a.id)
  if not lease or lease.ws ~= a.ws then
    return { 'ok', now, 'unknown' }
  elseif lease.done == 1 or lease.x <= now then
    return { 'ok', now, 'ended' }
  end
  local k = load('k:' .. lease.k)
  if k and lease.tr and releaseTrials(k, lease) then
    save('k:' .. lease.k, k)
  end
  releaseProbe(lease)
  lease.x = now
  save('l:' .. a.id, lease, 90000)
  redis.call('ZREM', P .. 'lk:' .. E .. ':' .. lease.k, a.id)
  return { 'ok', now, 'released' }
end

-- Leases of a key that are neither settled nor over.
function ops.leases()
  local name, found = P .. 'lk:' .. E .. ':' .. a.id, {}
  redis.call('ZREMRANGEBYSCORE', name, '-inf', string.format('%.0f', now))
  for _, id in ipairs(redis.call('ZRANGE', name, 0, 999)) do
    local lease = load('l:' .. id)
    if lease and lease.done == 0 and lease.x > now then
      found[#found + 1] = {
        id = id, ws = lease.ws, imp = lease.im, by = lease.by, g = string.format('%.0f', lease.g),
        x = string.format('%.0f', lease.x), calls = #lease.c, methods = lease.ms, why = lease.y,
      }
    end
  end
  return { 'ok', now, #found > 0 and cjson.encode(found) or '[]' }
end
