-- What stands open in the accounts (accounts.lua), for whoever books.
-- An empty block stays for so long, because calls that were not sent give back to their own block only.
local GIVEN_BACK_WITHIN = { minute = 1000000, hour = 31000000, day = 31000000 }

local function spanOf(limit)
  return string.match(limit, '^%a+')
end

-- Calls of the last hour: those of this hour and the part of the one before that still belongs to it, taken as even.
local function lastHour(entry)
  local h, hour = entry.h, math.floor(now / HOUR)
  if not h or h[1] < hour - 1 then
    return 0
  end
  local part = 1 - (now - hour * HOUR) / HOUR
  if h[1] < hour then
    return math.floor(h[2] * part + 0.5)
  end
  return math.floor(h[2] + h[3] * part + 0.5)
end

-- Closes blocks that are empty or old (what is left of those was never spent) and says what stands open.
function ops.accounts()
  local found = {}
  for i, bucket in ipairs(a.buckets) do
    local account, limits, changed = accountOf(bucket), {}, false
    for limit, entry in pairs(account) do
      local span = spanOf(limit)
      local open, closed, kept = {}, {}, {}
      for _, block in ipairs(entry.b or {}) do
        local age = now - block[4]
        if age >= SPANS[span] / 10 or (block[3] == 0 and age >= GIVEN_BACK_WITHIN[span]) then
          closed[#closed + 1] = { id = block[1], left = block[3] }
          changed = true
          if block[3] > 0 then
            entry.u = nil
          end
        else
          kept[#kept + 1] = block
          open[#open + 1] = { id = block[1], size = block[2], left = block[3] }
        end
      end
      entry.b = kept
      limits[#limits + 1] = { limit = limit, open = open, closed = closed, lastHour = lastHour(entry) }
    end
    if changed then
      saveAccount(bucket)
    end
    found[i] = { bucket = bucket, limits = limits }
  end
  return { 'ok', now, epoch, cjson.encode(found) }
end

-- A block that was booked, or how long none can be had.
function ops.credit()
  local account = accountOf(a.bucket)
  local entry = account[a.limit] or { b = {} }
  account[a.limit] = entry
  if a.block then
    if now > a.before then
      return { 'ok', now, 0 }
    end
    for _, block in ipairs(entry.b) do
      if block[1] == a.block then
        return { 'ok', now, 1 }
      end
    end
    entry.b[#entry.b + 1] = { a.block, a.size, a.size, now }
    entry.u = nil
  else
    entry.u = now + a.wait
  end
  saveAccount(a.bucket)
  return { 'ok', now, 1 }
end
