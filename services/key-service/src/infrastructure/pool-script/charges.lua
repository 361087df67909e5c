-- When this memory began, at the earliest: it is ready two windows and more after that.
local function begunAt()
  return readyAt - (rules.settle or 0)
end

-- Windows that begin with a key's first call: its arrival is known when the earliest call of the bucket is settled.
-- A key that is older than this memory may have been called before it: where its windows begin is not known.
local function firstCall(b, name, k)
  if rules.align ~= 'first-call' or load('f:' .. E .. ':' .. name) or not k or (k.c or 0) < begunAt() then
    return
  end
  local first
  for _, c in ipairs(b.c) do
    if c[3] == 0 and (not first or c[1] < first[1]) then
      first = c
    end
  end
  if first and (first[4] == 0 or first[2] > first[1] + rules.slack) then
    -- It may never have reached the network, and its windows begin with a later call; or its worker stood still before
    -- it took the stamp, and they began before that.
    save('f:' .. E .. ':' .. name, {})
  elseif first and first[4] then
    local hi = math.min(first[2] + spread() + (path().lo or spread()), first[4])
    save('f:' .. E .. ':' .. name, { lo = first[2], hi = hi })
  end
end

-- What became of a slot: sent and answered, or known not to have been sent. True when it is free again.
local function chargeSettled(b, name, nb, r, k)
  for i, c in ipairs(b.c) do
    if c[1] == nb then
      if r.o ~= 'unsent' then
        c[2] = math.max(r.sent, nb)
        c[4] = r.o == 'answered' and math.max(r.answered, nb) or 0
        firstCall(b, name, k)
      elseif nb >= now + rules.lead then
        c[3] = 1
        return true
      else
        table.remove(b.c, i)
      end
      return false
    end
  end
  return false
end
