-- The pool's one function. Every call checks that Redis still remembers what was granted (epoch, run id, clock) and
-- does its work in the same step (call.lua): choosing a key and charging its windows cannot be torn apart. This text is
-- run once, when it is loaded, so that no call makes its functions anew; what a call may not find as the one before it
-- left it begins anew with each (`anew`). Times are microseconds.
local P, now, E, epoch, readyAt
-- The payload of the call, and the rules of the network that it is about (the payload again where it is about none).
local a, rules
local anew = {}
-- A reading of this clock that is off by more than this is one of a clock that was set.
local CLOCK_SET = 250000

-- Records as this call has read or written them, by name; false: there is none.
local records
anew[#anew + 1] = function() records = {} end

-- Reads what will be asked for by `load` in one go.
local function fetch(names)
  local full = {}
  for i, name in ipairs(names) do
    full[i] = P .. name
  end
  local found = redis.call('MGET', unpack(full))
  for i, name in ipairs(names) do
    records[name] = found[i]
  end
end

local function load(name)
  local packed = records[name]
  if packed == nil then
    packed = redis.call('GET', P .. name)
    records[name] = packed
  end
  return packed and cmsgpack.unpack(packed)
end

local function save(name, value, ttlMs)
  local packed = cmsgpack.pack(value)
  records[name] = packed
  if ttlMs then
    redis.call('SET', P .. name, packed, 'PX', ttlMs)
  else
    redis.call('SET', P .. name, packed)
  end
end

local function erase(name)
  records[name] = false
  redis.call('DEL', P .. name)
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
-- long before. It outlives its session; that it ends some day is said now and then.
local function replayed(session, sequence)
  if sequence > 16777215 then
    return true
  end
  local key = P .. 'seq:' .. session
  local seen = redis.call('SETBIT', key, sequence, 1) == 1
  if sequence < 32 or sequence % 32 == 0 then
    redis.call('PEXPIRE', key, 7200000, 'NX')
  end
  return seen
end

-- Operations by name, and for some of them what they are about to read.
local ops, reads = {}, {}

function ops.clock()
  return { 'ok', now }
end
