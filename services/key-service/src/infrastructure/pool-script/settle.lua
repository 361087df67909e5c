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
  fetch({ 'k:' .. lease.k, 'b:' .. E .. ':' .. lease.b })
  local k = load('k:' .. lease.k)
  local b = load('b:' .. E .. ':' .. lease.b)
  local g = lease.n and load('b:' .. E .. ':' .. lease.n)
  local told, free = {}, nil
  local keyChanged = false
  for _, r in ipairs(s.reports) do
    local nb = lease.c[r.slot + 1]
    if nb and status == 'settled' and b and chargeSettled(b, lease.b, nb, r, k) then
      free = math.min(free or nb, nb)
    end
    if nb and status == 'settled' and g then
      chargeSettled(g, lease.n, nb, r)
    end
    local slot = tostring(r.slot)
    if nb and k and k.v == lease.v and r.o ~= 'unsent' and not lease.told[slot] then
      lease.told[slot] = 1
      -- Stamps of a lease of another memory may be of another clock; a worker that stood still took its stamp after the
      -- network had answered.
      local isPrompt = r.sent <= nb + rules.slack
      if isPrompt and r.date and r.date > 0 and math.floor(lease.f / 10000000000) == epoch then
        clockSeen(r.sent, r.answered, r.date)
      end
      for _, e in ipairs(r.effects) do
        if e.kind == 'rest' and (e.code == 6 or e.code == 429) then
          local verdict, length = refused(k, lease.k, b, nb, r)
          keyChanged = true
          if verdict == 'foreign' then
            told[#told + 1] = { kind = 'foreign-use', keyId = lease.k, code = e.code, forMs = length / 1000 }
          end
        end
      end
      local changed, events = conclude(k, r, lease)
      keyChanged = keyChanged or changed
      for _, event in ipairs(events) do
        told[#told + 1] = event
      end
    elseif nb and k and r.o == 'unsent' and status == 'settled' and (lease.tr or lease.np) then
      keyChanged = conclude(k, r, lease) or keyChanged
    end
  end
  if status == 'settled' then
    lease.done = 1
    if b then
      saveBucket(lease.b, b)
    end
    if g then
      saveBucket(lease.n, g)
    end
    if free and k then
      lower(k, lease.k, free)
    end
    giveBack(lease, s)
    redis.call('ZREM', P .. 'lk:' .. E .. ':' .. lease.k, s.id)
  end
  save('l:' .. s.id, lease, math.max(1000, math.ceil((lease.x - now) / 1000) + 60000))
  if keyChanged then
    save('k:' .. lease.k, k)
  end
  return status, told
end

function reads.settle()
  local names = {}
  for _, s in ipairs(a.settles) do
    names[#names + 1] = 'l:' .. s.id
  end
  return names
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
