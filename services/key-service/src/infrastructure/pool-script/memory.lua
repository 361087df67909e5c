-- The pool's one script. Every call checks that Redis still remembers what was granted (epoch, run id, clock) and
-- does its work in the same step: choosing a key and charging its windows cannot be torn apart.
-- KEYS[1] prefix; ARGV: op, epoch record, run id, the caller's estimate of this clock (us, 0 = none), payload (JSON).
-- Times are microseconds. Big numbers leave as integers of the reply: cjson would round them to 14 digits.
local P = KEYS[1]
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

if redis.call('GET', P .. 'epoch') ~= ARGV[2] then
  return { 'lost', now, 'epoch' }
end
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= ARGV[3] then
  return { 'lost', now, 'run' }
end
local estimate = tonumber(ARGV[4])
-- A reading of this clock that is off by more than this is one of a clock that was set.
local CLOCK_SET = 250000
if estimate > 0 and math.abs(now - estimate) > CLOCK_SET then
  return { 'lost', now, 'clock' }
end
local E, readyAt = string.match(ARGV[2], '^(%d+)|%x+|(%d+)$')
local a = cjson.decode(ARGV[5])

local function load(name)
  local packed = redis.call('GET', P .. name)
  return packed and cmsgpack.unpack(packed)
end

local function save(name, value, ttlMs)
  if ttlMs then
    redis.call('SET', P .. name, cmsgpack.pack(value), 'PX', ttlMs)
  else
    redis.call('SET', P .. name, cmsgpack.pack(value))
  end
end

local function pool(name)
  return P .. 'z:' .. E .. ':' .. name
end

-- The score of a key in its pools: a lower bound of its next slot.
local function lower(k, id, score)
  for _, name in ipairs(k.z) do
    redis.call('ZADD', pool(name), 'XX', score, id)
  end
end

-- Each sequence number of a session is taken once; the bitmap costs one bit a request, 2 MB at most: a session ends
-- long before. It outlives its session.
local function replayed(session, sequence)
  if sequence > 16777215 then
    return true
  end
  local key = P .. 'seq:' .. session
  local seen = redis.call('SETBIT', key, sequence, 1) == 1
  redis.call('PEXPIRE', key, 7200000, 'NX')
  return seen
end

local ops = {}

function ops.clock()
  return { 'ok', now }
end
