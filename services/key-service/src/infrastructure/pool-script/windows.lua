-- Bucket: { c charges, l last notBefore }, and what its key lends it. Charge: { notBefore, latest send, hole, answer (0:
-- sent, never answered; none: not settled) }. `f:<E>:<bucket>`: arrival of its first call { lo, hi }. A call is taken to
-- leave as late as it may (notAfter) until its stamped send is known, to arrive `spread` after that and not after its
-- answer, and to leave a window W later. Only times of the charges are kept, so that a spread that changes holds for all
-- of them at once.
-- Where windows begin with the first call, one that nobody reported must be remembered until the next one.
local function bucketMs()
  return rules.align == 'first-call' and 2592000000 or 120000
end

local function latestArrival(c, widest)
  local latest, answer = c[2] + widest, c[4]
  return answer and answer > 0 and answer < latest and answer or latest
end

local function quotaOf(k)
  if k.fo and k.fo.u > now then
    return math.max(1, k.q - 1)
  end
  return k.q
end

-- A bucket as it is asked for slots. The spread is the same until the end of the call, so what is asked for with every
-- slot is reckoned once: `gap` between two slots, latest arrival of each charge, number of freed slots (`holes`).
local function bucketOf(k)
  local b = load('b:' .. E .. ':' .. k.b) or { c = {} }
  b.q, b.ph, b.name, b.pool = quotaOf(k), k.ph, k.b, k.z[1]
  local first, begun = now + rules.lead, now - (rules.kind == 'fixed' and 2 or 1) * rules.window
  local kept, latest, n, holes, widest = {}, {}, 0, 0, spread()
  for _, c in ipairs(b.c) do
    -- A freed slot whose time has come was never used; a charge is over when its window is. Fixed windows are told
    -- apart by up to one more.
    local arrival = latestArrival(c, widest)
    local over = arrival <= begun
    if c[3] == 1 then
      over = c[1] < first
      holes = over and holes or holes + 1
    end
    if not over then
      n = n + 1
      kept[n], latest[n] = c, arrival
    elseif rules.align == 'first-call' and c[3] ~= 1 and not c[4] and not load('f:' .. E .. ':' .. k.b) then
      -- The first call may have been this one, which nobody reported: where windows begin will not be known.
      save('f:' .. E .. ':' .. k.b, {})
    end
  end
  b.c, b.latest, b.holes = kept, latest, holes
  b.gap = math.floor((rules.window + widest) / b.q)
  return b
end

-- Without what its key lends it.
local function saveBucket(name, b)
  save('b:' .. E .. ':' .. name, { c = b.c, l = b.l }, bucketMs())
end

-- A new call may have at most q - 1 earlier ones whose window can still be open when it arrives.
local function windowFreeAt(b)
  if #b.c < b.q then
    return 0
  end
  if not b.free then
    -- Not unpack: of an egress' bucket there may be more than the stack of Lua holds.
    local latest = {}
    for i = 1, #b.latest do
      latest[i] = b.latest[i]
    end
    table.sort(latest)
    b.free = latest[#latest - b.q + 1] + rules.window
  end
  return b.free
end

-- Keys that begin together begin out of phase, so that their calls do not leave in bursts.
local function phased(b, from)
  if #b.c > 0 then
    return from
  end
  local keys = redis.call('ZCARD', pool(b.pool))
  return from + math.floor(b.ph * math.min(b.gap, keys * 5000))
end

-- Kinds of window: each says where the next slot of a bucket lies, not before `from`.
local kinds = {}

function kinds.sliding(b, from)
  return math.max(phased(b, from), (b.l or 0) + b.gap, windowFreeAt(b))
end

-- Where the windows of a bucket begin: two bounds of one beginning, or nothing when that is not known well enough.
local function beginning(b)
  local p = path()
  local lo, hi
  if rules.align == 'clock' and p.o and p.o.e == E then
    local aged = (now - p.o.at) * DRIFT
    lo, hi = -(p.o.hi + aged), -(p.o.lo - aged)
  elseif rules.align == 'first-call' then
    local f = load('f:' .. E .. ':' .. b.name) or {}
    lo, hi = f.lo, f.hi
  end
  local length = lo and rules.window - (hi - lo) - spread() - rules.slack - (p.lo or 0)
  if not length or length < rules.window / 4 then
    return nil
  end
  return lo, hi, length
end

-- Calls are sent where they arrive in one window for certain, evenly in its middle. What may have arrived in it counts.
function kinds.fixed(b, from)
  b.windows = b.windows or { beginning(b) }
  local lo, hi, length = unpack(b.windows)
  if not lo then
    return kinds.sliding(b, from)
  end
  local n, shortest = math.floor((from - hi) / rules.window), path().lo or 0
  while true do
    local count = 0
    for i, c in ipairs(b.c) do
      local last = b.latest[i] + shortest
      if last >= lo + n * rules.window and c[1] < hi + (n + 1) * rules.window then
        count = count + 1
      end
    end
    local usable = hi + n * rules.window
    if count < b.q then
      local nb = math.max(from, usable + math.floor((count + 0.5) * length / b.q))
      if nb <= usable + length then
        return nb
      end
    end
    n = n + 1
  end
end

-- The earliest notBefore of a bucket, and the freed slot that it reuses, if any.
local function place(b, from)
  local nb, hole = math.ceil(kinds[rules.kind](b, from)), nil
  if b.holes == 0 then
    return nb
  end
  for _, c in ipairs(b.c) do
    if c[3] == 1 and c[1] >= from and (not hole or c[1] < hole[1]) then
      hole = c
    end
  end
  if hole and hole[1] <= nb then
    return hole[1], hole
  end
  return nb
end

-- Takes `calls` slots, earliest first; the bucket is changed in memory only.
local function take(b, from, calls)
  local slots = {}
  for i = 1, calls do
    local nb, hole = place(b, from)
    if hole then
      hole[3] = 0
      b.holes = b.holes - 1
    else
      local charge = { nb, nb + rules.slack, 0 }
      b.c[#b.c + 1] = charge
      b.latest[#b.c], b.l, b.free = latestArrival(charge, spread()), nb, nil
    end
    slots[i] = nb
  end
  return slots
end
