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
  local resting = networkGate()
  if resting then
    return { 'denied', now, 'network-resting', resting }
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
  local slots = take(best.b, math.max(first, k.rest or 0), isTrial(k, a.methods, a.egress) and 1 or a.calls)
  local last = slots[#slots]
  if slots[1] > now + a.horizon or last > now + a.window then
    -- Nothing was saved: the charge was made in memory only.
    local early = math.max(slots[1] - a.horizon, last - a.window)
    return { 'denied', now, 'no-slot', math.max(now + 1, early) }
  end
  local fence = E * 10000000000 + redis.call('INCR', P .. 'fence:' .. E)
  local lease = {
    k = best.id, b = k.b, v = k.v, f = fence, ws = a.ws, by = a.by, c = slots, g = now,
    x = last + a.slack + a.hold, done = 0, told = {}, eg = a.egress, ms = {},
  }
  for method in pairs(a.methods) do
    lease.ms[#lease.ms + 1] = method
  end
  if beginTrials(k, a.methods, a.egress, lease) then
    save('k:' .. best.id, k)
  end
  save('l:' .. a.id, lease, math.ceil((lease.x - now) / 1000) + 60000)
  save('b:' .. E .. ':' .. k.b, best.b, 120000)
  lower(k, best.id, place(best.b, first))
  return grantReply(lease, a.id, ruledOut)
end
