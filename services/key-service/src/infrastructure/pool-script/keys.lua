function ops.capacity()
  local keys, perSecond = 0, 0
  for _, name in ipairs(a.pools) do
    for _, id in ipairs(redis.call('ZRANGE', pool(name), 0, -1)) do
      local k = load('k:' .. id)
      if k and k.s == 'active' and (k.rest or 0) <= now then
        keys = keys + 1
        perSecond = perSecond + k.q
      end
    end
  end
  return { 'ok', now, keys, math.floor(perSecond * 1000 * 1000000 / a.window) }
end

-- Definitions of keys, newest revision wins. What the pool learned stays unless the token is another one.
function ops.sync()
  local differing = {}
  for _, d in ipairs(a.keys) do
    local k = load('k:' .. d.id)
    if not k then
      k = { ph = (redis.call('INCR', P .. 'ordinal') * 0.61803398875) % 1, r = 0, s = d.s }
    end
    if d.r > k.r then
      if k.v ~= d.v then
        k.rest, k.m, k.bar, k.eg, k.fails, k.since = nil, nil, nil, nil, nil, nil
      end
      for _, name in ipairs(k.z or {}) do
        redis.call('ZREM', pool(name), d.id)
      end
      k.r, k.v, k.s, k.q, k.b, k.z = d.r, d.v, d.s, d.q, d.b, d.z
      save('k:' .. d.id, k)
    elseif k.s ~= d.s and k.r == d.r then
      differing[#differing + 1] = { id = d.id, state = k.s }
    end
    for _, name in ipairs(k.z) do
      if k.s == 'active' then
        redis.call('ZADD', pool(name), 'NX', 0, d.id)
      else
        redis.call('ZREM', pool(name), d.id)
      end
    end
  end
  return { 'ok', now, #differing > 0 and cjson.encode(differing) or '[]' }
end
