-- What a refusal (error 6, 429) says: that calls of ours met in one window ('explained': the spread was too small), that
-- the network refuses many keys at once ('storm'), or that somebody else uses the key ('foreign', after a second one).
-- `path:<network>:refused`: unexplained ones of the last 10 s { at, key }. Key: ut first unexplained one of the last
-- minute, fo quota lowered by one { u until, s for how long }.
local REFUSED_FOR, HOLD_FOR, AGAIN_AFTER, FORGET_AFTER = 10000000, 60000000, 2000000, 60000000
-- Who stood still reads an answer long after it came: probes say nothing either when they take longer than this.
local LONGEST_TRIP = 2000000
local LOWERED, LOWERED_MOST = 600000000, 21600000000

-- Can calls of ours have been in the window of the refused one, at the widest spread that was measured?
local function isExplained(b, q, nb, r, widest)
  local count = 0
  for _, c in ipairs(b.c) do
    if c[1] ~= nb and c[3] == 0 and c[2] <= r.sent + widest and latestArrival(c, widest) + rules.window > r.sent then
      count = count + 1
    end
  end
  return count >= q
end

local function isStorm(k, id)
  local name, kept, keys, count = 'path:' .. rules.network .. ':refused', { { now, id } }, { [id] = true }, 1
  for _, entry in ipairs(load(name) or {}) do
    if entry[1] > now - REFUSED_FOR and #kept < 500 then
      kept[#kept + 1] = entry
      if not keys[entry[2]] then
        keys[entry[2]] = true
        count = count + 1
      end
    end
  end
  save(name, kept, REFUSED_FOR / 1000)
  return count >= math.max(3, math.ceil(redis.call('ZCARD', pool(k.z[1])) / 5))
end

-- Verdict, and for 'foreign' how long the key's quota is lowered. The caller saves the key.
local function refused(k, id, b, nb, r)
  local samples = samplesOf()
  if r.o == 'answered' and r.answered - r.sent <= LONGEST_TRIP then
    addSample(samples, r.answered - r.sent)
  end
  local _, lo, top = summary(samples)
  local widest = (lo and top[#top] - lo or 0) + 2 * path().e
  local explained = b and isExplained(b, quotaOf(k), nb, r, widest)
  if explained then
    path().h = { s = math.ceil(widest), u = now + HOLD_FOR }
  elseif rules.align == 'first-call' then
    -- Its windows may begin elsewhere: whatever they are, a sliding schedule keeps them.
    save('f:' .. E .. ':' .. k.b, {})
  end
  relearn(samples)
  if explained then
    return 'explained'
  elseif isStorm(k, id) then
    return 'storm'
  end
  if not k.ut or k.ut <= now - FORGET_AFTER then
    k.ut = now
  elseif k.ut <= now - AGAIN_AFTER then
    k.ut = nil
    local length = k.fo and math.min(k.fo.s * 2, LOWERED_MOST) or LOWERED
    k.fo = { u = now + length, s = length }
    return 'foreign', length
  end
  return 'unexplained'
end
