-- Fair shares (start-time fair queueing, two levels). `share:<E>:<network>` the virtual time; `ws:<E>:<network>:<workspace>`
-- { f finish of its last grant, l that grant, v virtual time of its imports }, `imp:...:<workspace>:<import>` { f, l }: a flow
-- that was idle starts at the virtual time, so it makes up for nothing. `wait:<E>:<network>`: flows that found no slot,
-- { start, start of the import, asks again at, pools, egress, hold }; whoever has had more leaves them the next slot. A
-- request of several calls holds the slots before its own as well: single calls would take them one by one.
local FLOW_MS, WAIT_MS, GRACE, POLL, CLOSE = 600000, 5000, 60000, 2000, 40000

local verdicts
anew[#anew + 1] = function() verdicts = {} end

local function deny(i, reason, at)
  verdicts[#verdicts + 1] = string.format('%d %s %.0f', i, reason, at)
end

local function reply(i, lease)
  local dealt = { 'dealt', now, i, table.concat(verdicts, ';'), table.concat(hints, '\n') }
  if lease then
    for _, part in ipairs({ lease.f, lease.k, lease.v, lease.g, lease.x, lease.y, unpack(lease.c) }) do
      dealt[#dealt + 1] = part
    end
  end
  return dealt
end

-- Takes the sequence of a request with its first try and says which lease it has already, if any.
local function admit(i, c)
  if c.deadline <= now then
    return deny(i, 'expired', now)
  end
  local known = load('l:' .. c.id)
  if known then
    if known.ws ~= c.ws or known.by ~= c.by then
      deny(i, 'replay', now)
    elseif known.x <= now or math.floor(known.f / 10000000000) ~= epoch then
      -- A lease of an earlier memory: its slots are charged nowhere.
      deny(i, 'expired', now)
    else
      return known
    end
  elseif c.first and replayed(c.session, c.seq) then
    deny(i, 'replay', now)
  elseif now < readyAt then
    deny(i, 'recovering', readyAt)
  else
    return nil, true
  end
end

local function flowNames(c)
  if not c.flow then
    local name = E .. ':' .. rules.network .. ':' .. c.ws
    c.flow = { 'ws:' .. name, 'imp:' .. name .. ':' .. c.imp }
  end
  return c.flow[1], c.flow[2]
end

local function virtualTime()
  return load('share:' .. E .. ':' .. rules.network) or 0
end

-- Those who have had least come first; of equals the one that was served longest ago.
local function inFairOrder(open, present)
  for _, flow in ipairs(open) do
    local ws, imp = flowNames(flow.c)
    flow.ws, flow.imp = load(ws) or { f = 0, l = 0, v = 0 }, load(imp) or { f = 0, l = 0 }
    flow.sw, flow.si = math.max(present, flow.ws.f), math.max(flow.ws.v, flow.imp.f)
  end
  table.sort(open, function(x, y)
    if x.sw ~= y.sw then
      return x.sw < y.sw
    elseif x.ws.l ~= y.ws.l then
      return x.ws.l < y.ws.l
    elseif x.si ~= y.si then
      return x.si < y.si
    elseif x.imp.l ~= y.imp.l then
      return x.imp.l < y.imp.l
    end
    return x.i < y.i
  end)
end

local function countShare(flow, present, calls, fence)
  local ws, imp = flowNames(flow.c)
  flow.ws.f, flow.ws.l, flow.ws.v = flow.sw + calls, fence, math.max(flow.ws.v, flow.si)
  flow.imp.f, flow.imp.l = flow.si + calls, fence
  save(ws, flow.ws, FLOW_MS)
  save(imp, flow.imp, FLOW_MS)
  save('share:' .. E .. ':' .. rules.network, math.max(present, flow.sw))
end

local function waitingName()
  return P .. 'wait:' .. E .. ':' .. rules.network
end

local function noteWaiting(flow, again, hold)
  local c = flow.c
  redis.call('HSET', waitingName(), c.ws .. ' ' .. c.imp,
    cmsgpack.pack({ c.ws, flow.sw, flow.si, again, poolsOf(c, c.kinds), c.egress, hold and 1 or 0 }))
  redis.call('PEXPIRE', waitingName(), WAIT_MS)
end

-- When somebody who has had less is about to ask for a slot of this key, the slot is left to them while it lies far
-- enough ahead to lose nothing: answers when to ask again. Who does not come within 60 ms has lost the turn.
local function isTurnOfAnother(flow, k, slot, present, first)
  if slot < first + CLOSE or redis.call('HLEN', waitingName()) == 0 then
    return nil
  end
  local own, stored = flow.c.ws .. ' ' .. flow.c.imp, redis.call('HGETALL', waitingName())
  for i = 1, #stored, 2 do
    local ws, sw, si, again, pools, egress, hold = unpack(cmsgpack.unpack(stored[i + 1]))
    local due = (hold == 1 or again <= now + POLL) and now <= again + GRACE
    if again + GRACE < now then
      redis.call('HDEL', waitingName(), stored[i])
    elseif due and stored[i] ~= own and (not k.e or k.e == egress) then
      local less
      if ws == flow.c.ws then
        less = math.max(si, flow.ws.v) < flow.si
      else
        less = math.max(sw, present) < flow.sw
      end
      for _, name in ipairs(less and pools or {}) do
        for _, member in ipairs(k.z) do
          if member == name then
            return math.max(again, now + POLL)
          end
        end
      end
    end
  end
  return nil
end

local function charge(flow, best, slots, look)
  local c, k, last = flow.c, best.k, slots[#slots]
  local fence = epoch * 10000000000 + redis.call('INCR', P .. 'fence:' .. E)
  local lease = {
    k = best.id, b = k.b, v = k.v, f = fence, ws = c.ws, by = c.by, im = c.imp, c = slots, g = now,
    x = last + rules.slack + rules.hold, done = 0, told = {}, eg = c.egress, ms = {}, n = best.g and best.g.name,
    y = whyOf(look, best),
  }
  for method in pairs(c.methods) do
    lease.ms[#lease.ms + 1] = method
  end
  if beginTrials(k, c.methods, c.egress, lease) then
    save('k:' .. best.id, k)
  end
  spend(k, { calls = #slots, methods = c.methods }, lease)
  save('l:' .. c.id, lease, math.ceil((lease.x - now) / 1000) + 60000)
  saveBucket(k.b, best.b)
  if best.g then
    saveBucket(best.g.name, best.g)
  end
  local open = P .. 'lk:' .. E .. ':' .. best.id
  redis.call('ZADD', open, string.format('%.0f', lease.x), c.id)
  redis.call('PEXPIRE', open, math.ceil((lease.x - now) / 1000) + 60000)
  lower(k, best.id, place(best.b, now + rules.lead))
  used(best, #slots)
  return lease
end

function reads.grant()
  local network = rules.network
  local names = { networkName('net', network), 'share:' .. E .. ':' .. network, 'path:' .. network }
  for _, c in ipairs(a.cands) do
    names[#names + 1] = 'l:' .. c.id
    names[#names + 1], names[#names + 2] = flowNames(c)
  end
  return names
end

-- Deals one lease to the first of the candidates, in fair order, that can have one. Each gets a verdict, or none when
-- its turn did not come. Later calls of a lease may lie up to a window ahead.
function ops.grant()
  local open, held = {}, nil
  for i, c in ipairs(a.cands) do
    local known, isOpen = admit(i, c)
    if known then
      held = held or { i, known }
    elseif isOpen then
      open[#open + 1] = { i = i, c = c }
    end
  end
  if held then
    return reply(unpack(held))
  end
  local gate = networkGate()
  if gate then
    for _, flow in ipairs(open) do
      deny(flow.i, 'network-resting', gate)
    end
    return reply(0)
  end
  local present, failed = virtualTime(), {}
  inFairOrder(open, present)
  for _, flow in ipairs(open) do
    local c = flow.c
    -- Whose leases come in late gets slots that lie farther ahead, and is dealt them as much sooner; what they are
    -- charged for is the same. What is too near for them may suit who stands beside them.
    local first = now + math.max(rules.lead, c.lead or 0)
    local horizon = rules.horizon + first - now - rules.lead
    local lane = c.ws .. ' ' .. c.calls .. ' ' .. (first - now) .. ' ' .. laneOf(c)
    local denied = failed[lane]
    if not denied then
      local look = newLook(c, first)
      local best = choose(look)
      if best then
        -- A trial is one call: who asked for several gets one, so that the key comes back whoever asks.
        local calls = isTrial(best.k, c.methods, c.egress) and 1 or c.calls
        local slots = takeSlots(best, calls, math.max(first, best.k.rest or 0))
        local last, reach = slots[#slots], math.max(horizon, calls > 1 and rules.window or 0)
        if slots[1] > now + horizon or last > now + reach then
          -- Nothing was saved: the charge was made in memory only.
          local holds = slots[1] <= now + horizon and last - slots[1] <= reach - rules.lead - CLOSE
          denied = { 'no-slot', math.max(now + 1, slots[1] - horizon, last - reach), true, holds }
        else
          local another = isTurnOfAnother(flow, best.k, slots[1], present, first)
          if not another then
            local lease = charge(flow, best, slots, look)
            countShare(flow, present, calls, lease.f)
            if c.more then
              -- More of its requests stand behind this one: what comes meanwhile must not pass them.
              flow.sw, flow.si = flow.sw + calls, flow.si + calls
              noteWaiting(flow, now, false)
            else
              redis.call('HDEL', waitingName(), c.ws .. ' ' .. c.imp)
            end
            return reply(flow.i, lease)
          end
          deny(flow.i, 'no-slot', another)
          noteWaiting(flow, another, false)
        end
      elseif look.comesBack then
        denied = { look.comesBackFrom == BUDGET and 'budget-spent' or 'no-slot', look.comesBack }
      else
        denied = { 'no-key', now + 1000000 }
      end
      failed[lane] = denied
    end
    if denied then
      deny(flow.i, denied[1], denied[2])
      if denied[3] then
        noteWaiting(flow, denied[2], denied[4])
      end
    end
  end
  return reply(0)
end
