-- Keys: e the egress it is bound to, w weight. What was counted: `use:<E>:<day>` calls by key, `last:<E>` last grant by key.
-- `o:<E>:<strategy>:<pool>`: members by the order of a strategy. `out:<E>:<second>:<lane>`: keys that a lane (network,
-- egress, methods) was found unable to have in this second, by until when (0: not by waiting) + reason.
local RULED_OUT = { 'inactive', 'resting', 'method', 'egress', 'budget', 'circuit' }
local INACTIVE, RESTING, METHOD, EGRESS, BUDGET, CIRCUIT = 1, 2, 3, 4, 5, 6
local FORBIDDEN = {
  ['egress barred'] = EGRESS, ['resting'] = RESTING, ['circuit open'] = CIRCUIT, ['method barred'] = METHOD,
  ['method resting'] = METHOD,
}
local DAY, ORDERED, ENOUGH = 86400000000, 64, 8

-- What rules a key out: nil, or why, since when it may be asked again (0 = not by waiting) and until when it lasts.
local function ruledOut(k, c, first)
  if k.s ~= 'active' then
    return INACTIVE, 0
  end
  if k.e and k.e ~= c.egress then
    return EGRESS, 0
  end
  local again, word, till = outcomesForbid(k, c.methods, c.egress, first)
  if again then
    return FORBIDDEN[word], again, till
  end
  local spent = spentUntil(k, c)
  if spent then
    return BUDGET, spent, spent
  end
  return nil
end

local function poolsOf(c, kinds)
  local names = {}
  for i, kind in ipairs(kinds) do
    names[i] = c.ws .. ':' .. rules.network .. ':' .. kind
  end
  return names
end

local function laneOf(c)
  if not c.lane then
    local methods = {}
    for method, calls in pairs(c.methods) do
      methods[#methods + 1] = method .. '=' .. calls
    end
    table.sort(methods)
    c.lane = rules.network .. ' ' .. c.egress .. ' ' .. table.concat(methods, ' ')
  end
  return c.lane
end

-- The bucket of all calls from one egress to the network, where that is limited.
local function egressBucket(c)
  return rules.egressQuota
    and bucketOf({ b = 'net:' .. rules.network .. ':' .. c.egress, q = rules.egressQuota, ph = 0, z = { '' } })
end

-- The earliest moment that suits the key's bucket and, where there is one, the egress' bucket as well.
local function earliest(b, g, from)
  local nb = place(b, from)
  if not g then
    return nb
  end
  b.ph = 0
  for _ = 1, 50 do
    local both = place(g, nb)
    if both == nb then
      return nb
    end
    nb = place(b, both)
    if nb == both then
      return nb
    end
  end
  return nb + rules.window
end

local function takeSlots(best, calls, from)
  if not best.g then
    return take(best.b, from, calls)
  end
  local slots = {}
  for i = 1, calls do
    local nb = earliest(best.b, best.g, from)
    take(best.b, nb, 1)
    take(best.g, nb, 1)
    slots[i] = nb
  end
  return slots
end

-- One look at the keys for one request: what was found and what was ruled out, by reason.
local function newLook(c, first)
  local lane = laneOf(c)
  return {
    c = c, first = first, till = first + rules.horizon - rules.lead, g = egressBucket(c),
    out = P .. 'out:' .. E .. ':' .. math.floor(now / 1000000) .. ':' .. lane,
    counts = {}, seen = {}, examined = {}, pools = poolsOf(c, c.kinds),
  }
end

local function ruleOut(look, id, reason, till)
  look.counts[reason] = (look.counts[reason] or 0) + 1
  if till > 0 and (not look.comesBack or till < look.comesBack) then
    look.comesBack, look.comesBackFrom = till, reason
  end
  look.seen[id] = true
end

-- Asked of a page of ids at once: those that are known to be out are counted and left aside.
local function knownOut(look, ids)
  if not look.hasOut then
    look.hasOut = redis.call('EXISTS', look.out)
  end
  if look.hasOut == 0 or #ids == 0 then
    return {}
  end
  return redis.call('ZMSCORE', look.out, unpack(ids))
end

-- The first ones of a page are about to be considered, more than that seldom are; most of them are their own bucket.
local function fetchKeys(ids)
  local names = {}
  for i = 1, math.min(#ids, ENOUGH) do
    if records['k:' .. ids[i]] == nil then
      names[#names + 1] = 'k:' .. ids[i]
      names[#names + 1] = 'b:' .. E .. ':' .. ids[i]
    end
  end
  if names[1] then
    fetch(names)
  end
end

-- Keys as this call has read them: until one of them is granted nothing changes any.
local keysRead
anew[#anew + 1] = function() keysRead = {} end

-- A key and its next slot, or why it is ruled out and since when it may be asked again.
local function examine(look, id)
  local k = keysRead[id] or load('k:' .. id)
  keysRead[id] = k
  local reason, again = INACTIVE, 0
  if k then
    reason, again = ruledOut(k, look.c, look.first)
  end
  if reason then
    -- A budget that is being booked may be there in a moment.
    if reason > RESTING and not (reason == BUDGET and again <= now + BOOKING) then
      redis.call('ZADD', look.out, string.format('%.0f', again - again % 8 + reason), id)
      redis.call('PEXPIRE', look.out, 2000)
    end
    return { reason = reason, again = again }
  end
  local b = bucketOf(k)
  local nb = earliest(b, look.g, math.max(look.first, k.rest or 0))
  local low, least = nb, now + rules.lead
  if look.first > least then
    -- What others may have of it, who need not ask so far ahead.
    low = earliest(b, look.g, math.max(least, k.rest or 0))
  end
  return { id = id, k = k, b = b, g = look.g, nb = nb, low = low }
end

-- The key and its next slot, or nil when it is ruled out. Nothing is charged before the end of the look, so who looks at
-- a key twice (in the order of a strategy, then for the earliest slot) finds the same.
local function consider(look, id, known)
  if look.seen[id] then
    return nil
  end
  local till = known and tonumber(known)
  if till and (till - till % 8 > now or till < 8) then
    ruleOut(look, id, till % 8, till - till % 8)
    return nil
  end
  local found = look.examined[id] or examine(look, id)
  look.examined[id] = found
  if found.reason then
    ruleOut(look, id, found.reason, found.again)
    return nil, found.reason, found.again
  end
  look.seen[id] = true
  return found
end

-- Members are scored by a lower bound of their next slot, so the scan ends at the first score that is not below the
-- best slot found. What was seen to be too low is corrected. Of many idle keys eight are enough to choose from.
local function earliestFree(look)
  local best, considered = nil, 0
  for _, name in ipairs(look.pools) do
    local z, from, size, done = pool(name), 0, 4, false
    local corrections = {}
    while not done do
      local page = redis.call('ZRANGE', z, from, from + size - 1, 'WITHSCORES')
      local ids = {}
      for i = 1, #page, 2 do
        ids[#ids + 1] = page[i]
      end
      local out = knownOut(look, ids)
      fetchKeys(ids)
      for i, id in ipairs(ids) do
        local enough = best and (best.nb <= look.first or (considered >= ENOUGH and best.nb <= look.till))
        if enough or (best and tonumber(page[2 * i]) >= best.nb) then
          done = true
          break
        end
        local found, reason, again = consider(look, id, out[i])
        if found then
          considered = considered + 1
          -- The best one is scored again when it is charged.
          local other = found
          if not best or found.nb < best.nb then
            best, other = found, best
          end
          if other then
            corrections[#corrections + 1] = other.low
            corrections[#corrections + 1] = other.id
          end
        elseif reason == RESTING then
          corrections[#corrections + 1] = again
          corrections[#corrections + 1] = id
        end
      end
      done = done or #ids < size
      from, size = from + size, math.min(size * 2, 256)
    end
    -- Not while the pages are read: they would shift.
    for i = 1, #corrections, 500 do
      redis.call('ZADD', z, 'XX', unpack(corrections, i, math.min(i + 499, #corrections)))
    end
  end
  if best then
    best.why = string.format('slot in %.1f ms', (best.nb - now) / 1000)
  end
  return best
end

-- Strategies that have an order of their own: the place of a key in it after it was used, and how that reads.
local orders = {}

orders['round-robin'] = {
  after = function() return redis.call('INCR', P .. 'turn:' .. E) end,
  why = 'last turn %.0f',
}

orders['weighted'] = {
  -- A key that was idle begins at the present share: it makes up for nothing.
  after = function(id, k, calls, score)
    local present = tonumber(redis.call('GET', P .. 'share:' .. E) or 0)
    local begun = math.max(score, present)
    redis.call('SET', P .. 'share:' .. E, string.format('%.17g', begun))
    return begun + calls / (k.w or 1)
  end,
  why = 'share %.2f',
}

-- Calls of a key in the last day: today's and the part of yesterday's that still belongs to it, taken as even.
local function usedInDay(id)
  local day = math.floor(now / DAY)
  local today = tonumber(redis.call('HGET', P .. 'use:' .. E .. ':' .. day, id) or 0)
  local before = tonumber(redis.call('HGET', P .. 'use:' .. E .. ':' .. (day - 1), id) or 0)
  return today + math.floor(before * (1 - (now - day * DAY) / DAY))
end

orders['least-used'] = {
  after = usedInDay,
  why = '%.0f calls in the last day',
}

local function orderName(strategy, name)
  return P .. 'o:' .. E .. ':' .. strategy .. ':' .. name
end

-- The first one of the order that has a slot soon enough; only the first 64 are asked, then the earliest free one is
-- taken: no call waits for the sake of an order.
local function inOrder(look, strategy)
  local heads = {}
  for _, name in ipairs(look.pools) do
    local page = redis.call('ZRANGE', orderName(strategy, name), 0, ORDERED - 1, 'WITHSCORES')
    for i = 1, #page, 2 do
      heads[#heads + 1] = { page[i], tonumber(page[i + 1]), name }
    end
  end
  table.sort(heads, function(x, y) return x[2] < y[2] or (x[2] == y[2] and x[1] < y[1]) end)
  local ids = {}
  for i, head in ipairs(heads) do
    ids[i] = head[1]
  end
  local out, busy = knownOut(look, ids), 0
  fetchKeys(ids)
  for i, head in ipairs(heads) do
    local found, reason = consider(look, head[1], out[i])
    if found and found.nb <= look.till then
      found.score = head[2]
      found.why = string.format(orders[strategy].why, head[2])
      return found
    elseif found then
      busy = busy + 1
      if busy == 8 then
        break
      end
    elseif reason == INACTIVE then
      redis.call('ZREM', orderName(strategy, head[3]), head[1])
    end
  end
  look.seen, look.counts, look.comesBack = {}, {}, nil
  return nil
end

local function choose(look)
  local best
  if orders[rules.strategy] then
    best = inOrder(look, rules.strategy)
  end
  return best or earliestFree(look)
end

-- Why this key: the strategy, what won, and how many of the others were ruled out by what.
local function whyOf(look, best)
  local parts, all = {}, 0
  for reason, count in pairs(look.counts) do
    all = all + count
    parts[#parts + 1] = count .. ' ' .. RULED_OUT[reason]
  end
  table.sort(parts)
  local others = 0
  for _, name in ipairs(poolsOf(look.c, look.c.others)) do
    others = others + redis.call('ZCARD', pool(name))
  end
  if others > 0 then
    all = all + others
    parts[#parts + 1] = others .. ' other kind'
  end
  local text = rules.strategy .. '; ' .. best.why .. '; ' .. all .. ' ruled out'
  return all > 0 and text .. ': ' .. table.concat(parts, ', ') or text
end

-- Counts a grant and moves its key in the order of the strategy.
local function used(best, calls)
  local day = P .. 'use:' .. E .. ':' .. math.floor(now / DAY)
  if redis.call('HINCRBY', day, best.id, calls) == calls then
    redis.call('PEXPIRE', day, 172800000)
  end
  redis.call('HSET', P .. 'last:' .. E, best.id, string.format('%.0f', now))
  local order = orders[rules.strategy]
  if order then
    local known = best.score or tonumber(redis.call('ZSCORE', orderName(rules.strategy, best.k.z[1]), best.id) or 0)
    local score = string.format('%.17g', order.after(best.id, best.k, calls, known))
    for _, name in ipairs(best.k.z) do
      redis.call('ZADD', orderName(rules.strategy, name), 'XX', score, best.id)
    end
  end
end
