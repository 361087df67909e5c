-- What stands against each of these keys right now; nothing is charged.
function ops.explain()
  local c, found, gate = a.c, {}, networkGate()
  local first = now + rules.lead
  local look = newLook(c, first)
  local allowed, other = {}, {}
  for _, name in ipairs(look.pools) do
    allowed[name] = true
  end
  for _, name in ipairs(poolsOf(c, c.others)) do
    other[name] = true
  end
  for i, id in ipairs(a.ids) do
    local k = load('k:' .. id)
    local entry = { id = id, weight = k and k.w or 1, used = usedInDay(id), last = redis.call('HGET', P .. 'last:' .. E, id) or nil }
    local isAllowed, isOther = false, false
    for _, name in ipairs(k and k.z or {}) do
      isAllowed = isAllowed or allowed[name]
      isOther = isOther or other[name]
    end
    local reason, again, till
    if not k then
      entry.reason = 'unknown'
    elseif k.s ~= 'active' then
      entry.reason = k.s
    elseif not isAllowed then
      entry.reason = isOther and 'kind' or 'not-shared'
    else
      reason, again, till = ruledOut(k, c, first)
      entry.reason = reason and RULED_OUT[reason]
      if gate and not reason then
        entry.reason, till = 'network', gate
      end
    end
    if till or (again and again > 0) then
      entry.till = string.format('%.0f', till or again)
    elseif not entry.reason then
      entry.slot = string.format('%.0f', earliest(bucketOf(k), look.g, math.max(first, k.rest or 0)))
    end
    found[i] = entry
  end
  return { 'ok', now, #found > 0 and cjson.encode(found) or '[]' }
end
