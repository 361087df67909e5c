-- Gives back what a settled lease did not use: calls that were not sent, and parts of `methods`.
local function giveBack(lease, s)
  if not lease.u then
    return
  end
  local unsent, seen = 0, {}
  for _, r in ipairs(s.reports) do
    if r.o == 'unsent' and lease.c[r.slot + 1] and not seen[r.slot] then
      seen[r.slot] = true
      unsent = unsent + 1
    end
  end
  local account, back, changed = accountOf(lease.b), {}, false
  for i = #lease.u, 1, -1 do
    local limit, id, taken = unpack(lease.u[i])
    local method = string.match(limit, '^day:(.*)$')
    if not back[limit] then
      local unused = s.unused and s.unused[method] or 0
      back[limit] = not method and unsent or unsent == #lease.c and math.huge or unused
    end
    local calls = math.min(taken, back[limit])
    back[limit] = back[limit] - calls
    for _, block in ipairs(calls > 0 and account[limit] and account[limit].b or {}) do
      if block[1] == id then
        block[3] = block[3] + calls
        changed = true
      end
    end
  end
  if changed then
    saveAccount(lease.b)
  end
end
