-- What rules a key out: nil, or since when it may be asked again (0 = not by waiting).
local function barredUntil(k, first)
  if k.s ~= 'active' then
    return 0
  end
  return (outcomesForbid(k, a.methods, a.egress, first))
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
          local nb = place(b, math.max(first, k.rest or 0))
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
