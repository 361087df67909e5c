-- One call. KEYS: prefix; ARGV: op, epoch record, run id, the caller's estimate of this clock (us, 0 = none), payload
-- (JSON), rules of the network (JSON, or empty). Big numbers leave as integers of the reply: cjson would round them to
-- 14 digits.

-- What never changes while this process of Redis lives: its run id, and texts that were understood before.
local runId
local understood, count = {}, 0

local function rulesFrom(text)
  local known = understood[text]
  if not known then
    known = cjson.decode(text)
    if count == 100 then
      understood, count = {}, 0
    end
    understood[text], count = known, count + 1
  end
  return known
end

local recordRead
local function readRecord(text)
  if text ~= recordRead then
    local ready
    E, ready = string.match(text, '^(%d+)|%x+|(%d+)$')
    epoch, readyAt = tonumber(E), tonumber(ready)
    recordRead = text
  end
end

local function call(KEYS, ARGV)
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
  P = KEYS[1]
  for i = 1, #anew do
    anew[i]()
  end
  a = cjson.decode(ARGV[5])
  rules = ARGV[6] ~= '' and rulesFrom(ARGV[6]) or a
  readRecord(ARGV[2])
  local names = reads[ARGV[1]] and reads[ARGV[1]]() or {}
  names[#names + 1] = 'epoch'
  fetch(names)
  if records.epoch ~= ARGV[2] then
    return { 'lost', now, 'epoch' }
  end
  runId = runId or string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  if runId ~= ARGV[3] then
    return { 'lost', now, 'run' }
  end
  local estimate = tonumber(ARGV[4])
  if estimate > 0 and math.abs(now - estimate) > CLOCK_SET then
    return { 'lost', now, 'clock' }
  end
  return ops[ARGV[1]]()
end
