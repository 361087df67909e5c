-- What reports say about keys, and what follows of it. Fields of a key's record that belong here:
--   rest, since, fails, fc   the key rests until `rest`; since when, for the how manyth time in a row, by which code
--   m, eg                    rests of methods and of addresses, by name
--   cb                       its circuit: n failures in a row, w = { slice, calls, failures } of the last 30 s
--   own                      its state is what answers made of it, and the row does not know yet
--   fr, fv                   when its token was last sent to be refreshed, and which; until another was good for a call
-- A rest that ends with ONE trial call is { u = until, s = length, t = when its first trial was granted, c = code,
-- bar = 1 when it is a bar }; an open circuit has the same u, s, t. While a trial is out u is the end of its lease,
-- so that a trial nobody reports of makes way for the next one. The circuit of a network is `net:<E>:<network>`.
local function networkName(kind, network)
  return kind .. ':' .. E .. ':' .. network
end

-- The network's circuit: until when nobody calls it (nil: it may be called), and its record when a call would probe.
local network
anew[#anew + 1] = function() network = nil end

local function networkGate()
  network = network or { r = rules.network and load(networkName('net', rules.network)) }
  local net = network.r
  if net and net.u > now then
    return net.u
  end
  return nil, net or nil
end

-- The rests that a call of `methods` from `egress` would be the trial of.
local function trialsOf(k, methods, egress)
  local found = {}
  for method in pairs(methods) do
    if k.m and k.m[method] then
      found[#found + 1] = k.m[method]
    end
  end
  if k.eg and k.eg[egress] then
    found[#found + 1] = k.eg[egress]
  end
  if k.cb and k.cb.u then
    found[#found + 1] = k.cb
  end
  return found
end
