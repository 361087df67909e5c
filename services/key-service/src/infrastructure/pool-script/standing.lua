-- Whether a key may be asked as far as answers go (rests.lua), and what a grant makes of its rests.
-- Why a key may not be asked now: nil, or until when and a word (until 0: not by waiting that makes sense).
local function outcomesForbid(k, methods, egress, first)
  local bar = k.eg and k.eg[egress]
  if bar and bar.u > now then
    return 0, 'egress barred', bar.u
  end
  if k.rest and k.rest > first + rules.horizon then
    return k.rest, 'resting', k.rest
  end
  if k.cb and k.cb.u and k.cb.u > now then
    return k.cb.u, 'circuit open', k.cb.u
  end
  for method in pairs(methods) do
    local rest = k.m and k.m[method]
    if rest and rest.u > now then
      if rest.bar and not rest.t then
        return 0, 'method barred', rest.u
      end
      return rest.u, 'method resting', rest.u
    end
  end
  return nil
end

-- True when a grant of this key would be a trial or a probe: then it is of one call.
local function isTrial(k, methods, egress)
  local _, net = networkGate()
  return net ~= nil or #trialsOf(k, methods, egress) > 0
end

-- The lease is the trial of every rest that it touches; others wait for what comes of it. True: k has to be saved.
local function beginTrials(k, methods, egress, lease)
  local trials = trialsOf(k, methods, egress)
  for _, rest in ipairs(trials) do
    rest.u = lease.x
    rest.t = rest.t or now
    lease.tr = 1
  end
  local _, net = networkGate()
  if net then
    net.u = lease.x
    net.t = net.t or now
    lease.np = rules.network
    save(networkName('net', rules.network), net, 3600000)
  end
  return #trials > 0
end
