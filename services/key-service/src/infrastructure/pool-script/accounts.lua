-- Limits longer than a window are spent from blocks that were booked before (application/book-budgets.ts). A bucket's
-- account `u:<E>:<bucket>` has by limit ('minute', 'hour', 'day', 'day:<method>'): b open blocks { id, size, left, since },
-- u nothing more can be booked before, h calls by hour { hour, in it, in the one before }. A lease remembers in u what it
-- took: { limit, block, calls }. Keys: lim { minute, hour, day, m by method } calls that are allowed.
local SPANS = { minute = 60000000, hour = 3600000000, day = 86400000000 }
local HOUR, ACCOUNT_MS = 3600000000, 259200000

local accounts
anew[#anew + 1] = function() accounts = {} end

local function accountOf(bucket)
  if not accounts[bucket] then
    accounts[bucket] = load('u:' .. E .. ':' .. bucket) or {}
  end
  return accounts[bucket]
end

local function saveAccount(bucket)
  save('u:' .. E .. ':' .. bucket, accounts[bucket], ACCOUNT_MS)
end

local function leftOf(entry)
  local left = 0
  for _, block in ipairs(entry and entry.b or {}) do
    left = left + block[3]
  end
  return left
end
