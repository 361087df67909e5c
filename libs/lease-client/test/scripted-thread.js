const { parentPort, workerData } = require('node:worker_threads');

/** The sending thread of specs: it sends nothing; the body of each call says what became of it. */
const changes = [];

if (workerData.pathProbe !== undefined) {
  for (let sentAt = 0; sentAt < 10; sentAt += 1) {
    parentPort.postMessage({ kind: 'probe', sample: { sentAt, roundTripMs: 5 } });
  }
}

parentPort.on('message', (message) => {
  if (message.kind === 'key-changed') {
    const { keyId, state } = message.change;
    changes.push({ keyId, state });
  }
  if (message.kind !== 'send') return;
  const { text = '', ...outcome } = JSON.parse(message.call.body);
  if (outcome.kind === 'die') process.exit(0);
  const told =
    outcome.kind === 'changes'
      ? { kind: 'answered', body: bytes(JSON.stringify(changes)) }
      : outcome.kind === 'answered'
        ? { ...outcome, body: bytes(text) }
        : outcome;
  parentPort.postMessage({ kind: 'outcome', id: message.id, outcome: told });
});

function bytes(text) {
  return new Uint8Array(Buffer.from(text));
}
