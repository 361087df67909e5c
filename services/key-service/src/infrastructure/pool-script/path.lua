-- The path to a network as it is in force: `path:<network>` { s spread, e clock error, t taken at, h least spread that a
-- refusal asked for { s, u until }, o offset of the network's clock { lo, hi, at }, m lateness { mean, max }, n samples }.
-- The spread is how far apart the delays of two requests may lie; learning.lua finds it.
local DRIFT = 0.0005

local inForce
anew[#anew + 1] = function() inForce = nil end

local function path()
  if not inForce then
    inForce = load('path:' .. rules.network) or { s = rules.margin - rules.slack, e = 0, t = 0, n = 0 }
  end
  return inForce
end

-- From the send of a call to its latest arrival, counted from the earliest one that the path allows.
local function spread()
  return path().s
end
