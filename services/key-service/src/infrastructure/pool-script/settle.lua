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
