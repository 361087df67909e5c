-- Bucket: anchor a, x = window + margin, q, index n of the next slot, charges c = { notBefore, latest arrival, hole }.
-- Slots lie x/q apart from the anchor on; slot n + q then begins exactly when the window of slot n has ended.
local function gridTime(b, n)
  return b.a + math.floor(n * b.x / b.q)
end

local function gridIndex(b, from)
  local n = math.max(b.n, math.ceil((from - b.a) * b.q / b.x))
  while gridTime(b, n) < from do
    n = n + 1
  end
  return n
end

local function bucketOf(k)
  local x = a.window + a.margin
  local b = load('b:' .. E .. ':' .. k.b)
  local first = now + a.lead
  if not b then
    b = { a = first + math.floor(k.ph * x / k.q), x = x, q = k.q, n = 0, c = {} }
  elseif b.x ~= x or b.q ~= k.q then
    b.a = math.max(first, gridTime(b, b.n - 1) + math.ceil(x / k.q))
    b.x = x
    b.q = k.q
    b.n = 0
  end
  local kept = {}
  for _, c in ipairs(b.c) do
    -- A freed slot whose time has come was never used; a charge is over when its window is.
    local over = c[2] + a.window <= now
    if c[3] == 1 then
      over = c[1] < first
    end
    if not over then
      kept[#kept + 1] = c
    end
  end
  b.c = kept
  return b
end

-- A new call at `nb` may have at most q - 1 earlier ones whose window can still be open then.
local function windowFreeAt(b)
  if #b.c < b.q then
    return 0
  end
  local latest = {}
  for i, c in ipairs(b.c) do
    latest[i] = c[2]
  end
  table.sort(latest)
  return latest[#latest - b.q + 1] + a.window
end

-- Kinds of window: each says where the next slot of a bucket lies.
local place = {}

function place.sliding(b, from)
  local hole
  for _, c in ipairs(b.c) do
    if c[3] == 1 and c[1] >= from and (not hole or c[1] < hole[1]) then
      hole = c
    end
  end
  local n = gridIndex(b, math.max(from, windowFreeAt(b)))
  local nb = gridTime(b, n)
  if hole and hole[1] <= nb then
    return hole[1], hole
  end
  return nb, nil, n
end

-- Takes `calls` slots, earliest first; the bucket is changed in memory only.
local function take(b, from, calls)
  local slots = {}
  for i = 1, calls do
    local nb, hole, n = place[a.kind](b, from)
    if hole then
      hole[3] = 0
    else
      b.c[#b.c + 1] = { nb, nb + a.margin, 0 }
      b.n = n + 1
    end
    slots[i] = nb
  end
  return slots
end
