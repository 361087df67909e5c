-- Whether the limits longer than a window allow a request, and what a grant takes from their blocks (accounts.lua).
local BOOKING, MOST_HINTS = 50000, 8

-- What has to be booked soon: told to the caller, who books outside of the lease's path.
local hints
anew[#anew + 1] = function() hints = {} end

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
