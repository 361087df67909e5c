-- Rests of a key as they are, for people who look, and the way to end them before their time.
function ops.rests()
  local k = load('k:' .. a.id)
  local found = {}
  local function add(kind, name, rest)
    found[#found + 1] = {
      kind = kind, name = name, u = string.format('%.0f', rest.u), s = math.floor((rest.s or 0) / 1000),
      code = rest.c, trial = rest.t and true or false, bar = rest.bar and true or false,
    }
  end
  if k then
    if k.rest and k.rest > now then
      add('key', '', { u = k.rest, s = k.rest - k.since, c = k.fc })
    end
    for method, rest in pairs(k.m or {}) do
      add('method', method, rest)
    end
    for egress, rest in pairs(k.eg or {}) do
      add('egress', egress, rest)
    end
    if k.cb and k.cb.u then
      add('circuit', '', k.cb)
    end
  end
  return { 'ok', now, #found > 0 and cjson.encode(found) or '[]' }
end

function ops.endRests()
  local k = load('k:' .. a.id)
  if not k then
    return { 'ok', now, 0 }
  end
  local ended = 0
  for _, rests in ipairs({ { 'method', k.m or {} }, { 'egress', k.eg or {} } }) do
    for name in pairs(rests[2]) do
      if not a.kind or (a.kind == rests[1] and (not a.name or a.name == name)) then
        rests[2][name] = nil
        ended = ended + 1
      end
    end
  end
  if (not a.kind or a.kind == 'key') and k.rest then
    ended = ended + (k.rest > now and 1 or 0)
    k.rest, k.since, k.fails, k.fc = nil, nil, nil, nil
  end
  if (not a.kind or a.kind == 'circuit') and k.cb then
    ended = ended + (k.cb.u and 1 or 0)
    k.cb = nil
  end
  save('k:' .. a.id, k)
  return { 'ok', now, ended }
end

-- Rests that outlived a memory of the pool: what this one knows itself is newer.
function ops.restoreRests()
  local restored = 0
  for _, row in ipairs(a.rests) do
    local k = load('k:' .. row.id)
    if k and (row.v == k.v or (row.kind == 'method' and not row.bar)) then
      local rest = { u = row.u, s = row.s, c = row.code, bar = row.bar and 1 or nil }
      local field = row.kind == 'method' and 'm' or 'eg'
      if row.kind == 'key' then
        if not k.rest and row.u > now then
          k.rest, k.since, k.fails, k.fc = row.u, now, 1, row.code
          restored = restored + 1
        end
      elseif not (k[field] and k[field][row.name]) then
        k[field] = k[field] or {}
        k[field][row.name] = rest
        restored = restored + 1
      end
      save('k:' .. row.id, k)
    end
  end
  return { 'ok', now, restored }
end
