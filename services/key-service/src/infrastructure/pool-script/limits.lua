-- Limits longer than a window are spent from blocks that were booked before (application/book-budgets.ts). A bucket's
-- account `u:<E>:<bucket>` has by limit ('minute', 'hour', 'day', 'day:<method>'): b open blocks { id, size, left, since },
-- u nothing more can be booked before, h calls by hour { hour, in it, in the one before }. A lease remembers in u what it
-- took: { limit, block, calls }. Keys: lim { minute, hour, day, m by method } calls that are allowed.
local SPANS = { minute = 60000000, hour = 3600000000, day = 86400000000 }
-- An empty block stays for so long, because calls that were not sent give back to their own block only.
local GIVEN_BACK_WITHIN = { minute = 1000000, hour = 31000000, day = 31000000 }
local HOUR, BOOKING, MOST_HINTS, ACCOUNT_MS = 3600000000, 50000, 8, 259200000

local accounts = {}
local function accountOf(bucket)
  if not accounts[bucket] then
    accounts[bucket] = load('u:' .. E .. ':' .. bucket) or {}
  end
  return accounts[bucket]
end

local function saveAccount(bucket)
  save('u:' .. E .. ':' .. bucket, accounts[bucket], ACCOUNT_MS)
end

local function spanOf(limit)
  return string.match(limit, '^%a+')
end

local function leftOf(entry)
  local left = 0
  for _, block in ipairs(entry and entry.b or {}) do
    left = left + block[3]
  end
  return left
end

-- What has to be booked soon: told to the caller, who books outside of the lease's path.
local hints = {}
local function hint(bucket, limit, allowed, need)
  if #hints < MOST_HINTS then
    hints[#hints + 1] = string.format('%s\t%s\t%.0f\t%.0f', bucket, limit, allowed, need)
  end
end

-- The limits that a request draws on: { limit, calls, allowed }.
local function needsOf(k, c)
  if not k.lim then
    return nil
  end
  local needs
  for span in pairs(SPANS) do
    if k.lim[span] then
      needs = needs or {}
      needs[#needs + 1] = { span, c.calls, k.lim[span] }
    end
  end
  for method, calls in pairs(k.lim.m and c.methods or {}) do
    if k.lim.m[method] then
      needs = needs or {}
      needs[#needs + 1] = { 'day:' .. method, calls, k.lim.m[method] }
    end
  end
  return needs
end

-- Nil when what is booked covers the request, else when it may be asked again.
local function spentUntil(k, c)
  local comesBack
  for _, need in ipairs(needsOf(k, c) or {}) do
    local entry = accountOf(k.b)[need[1]]
    if leftOf(entry) < need[2] then
      local known = entry and entry.u and entry.u > now and entry.u
      if not known then
        hint(k.b, need[1], need[3], need[2])
      end
      comesBack = math.max(comesBack or 0, known or now + BOOKING)
    end
  end
  return comesBack
end

local function countHour(entry, calls)
  local hour = math.floor(now / HOUR)
  local h = entry.h
  if not h or h[1] < hour - 1 then
    h = { hour, 0, 0 }
  elseif h[1] < hour then
    h = { hour, 0, h[2] }
  end
  h[2] = h[2] + calls
  entry.h = h
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

-- Takes what was found to be covered. The next block is asked for when half of one is left.
local function spend(k, c, lease)
  local needs = needsOf(k, c)
  if not needs then
    return
  end
  local account = accountOf(k.b)
  lease.u = {}
  for _, need in ipairs(needs) do
    local entry, calls = account[need[1]], need[2]
    for _, block in ipairs(entry.b) do
      local taken = math.min(block[3], calls)
      if taken > 0 then
        block[3] = block[3] - taken
        calls = calls - taken
        lease.u[#lease.u + 1] = { need[1], block[1], taken }
      end
    end
    countHour(entry, need[2])
    if leftOf(entry) == 0 then
      -- What was known of the next block was said while some was left.
      entry.u = nil
    end
    if leftOf(entry) <= entry.b[#entry.b][2] / 2 and not (entry.u and entry.u > now) then
      hint(k.b, need[1], need[3], 1)
    end
  end
  saveAccount(k.b)
end

-- Gives back what a settled lease did not use: calls that were not sent, and parts of `methods`.
local function giveBack(lease, s)
  if not lease.u then
    return
  end
  local unsent, seen = 0, {}
  for _, r in ipairs(s.reports) do
    if r.o == 'unsent' and lease.c[r.slot + 1] and not seen[r.slot] then
      seen[r.slot] = true
      unsent = unsent + 1
    end
  end
  local account, back, changed = accountOf(lease.b), {}, false
  for i = #lease.u, 1, -1 do
    local limit, id, taken = unpack(lease.u[i])
    local method = string.match(limit, '^day:(.*)$')
    if not back[limit] then
      local unused = s.unused and s.unused[method] or 0
      back[limit] = not method and unsent or unsent == #lease.c and math.huge or unused
    end
    local calls = math.min(taken, back[limit])
    back[limit] = back[limit] - calls
    for _, block in ipairs(calls > 0 and account[limit] and account[limit].b or {}) do
      if block[1] == id then
        block[3] = block[3] + calls
        changed = true
      end
    end
  end
  if changed then
    saveAccount(lease.b)
  end
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
  return { 'ok', now, tonumber(E), cjson.encode(found) }
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
