-- What is learned of a provider's path: how far the delays of requests lie apart, and how late workers send.

function ops.learn()
  if replayed(a.session, a.seq) then
    return { 'denied', now, 'replay' }
  end
  return { 'ok', now, a.margin }
end
