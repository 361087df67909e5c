-- What ends a trial, and what follows of a change of a key's state or token.
local function contains(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
end

-- Active keys of a network; called wherever a key's state changes.
local function enlist(id, k)
  if k.n then
    redis.call(k.s == 'active' and 'SADD' or 'SREM', P .. networkName('ks', k.n), id)
  end
end

local function leavePools(id, k)
  for _, name in ipairs(k.z) do
    redis.call('ZREM', pool(name), id)
  end
  enlist(id, k)
end

-- What another token makes void. Its account is the same, and so are the limits of methods that it met.
local function newToken(k)
  k.rest, k.since, k.fails, k.fc, k.eg, k.cb = nil, nil, nil, nil, nil, nil
  for method, rest in pairs(k.m or {}) do
    if rest.bar then
      k.m[method] = nil
    end
  end
end

local function isTrialOf(rest, lease)
  return rest.t and lease.g >= rest.t
end

-- A trial that ended without saying anything makes way at once.
local function releaseTrials(k, lease)
  local methods = {}
  for _, method in ipairs(lease.ms) do
    methods[method] = 1
  end
  local changed = false
  for _, rest in ipairs(trialsOf(k, methods, lease.eg)) do
    if rest.u == lease.x then
      rest.u = now
      changed = true
    end
  end
  return changed
end

local function releaseProbe(lease)
  local net = lease.np and load(networkName('net', lease.np))
  if net and net.u == lease.x then
    net.u = now
    save(networkName('net', lease.np), net, 3600000)
  end
end
