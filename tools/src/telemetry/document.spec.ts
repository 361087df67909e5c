import type { DeclaredMetric } from './declared-metrics';
import { telemetryDocument } from './document';
import { SHARED } from './processes';

const metric = (name: string): DeclaredMetric => ({
  ...{ name, type: 'counter', labels: ['x', 'y'] },
  meaning: `Of ${name} | b`,
});
const shared = new Map(Object.keys(SHARED).map((file, at) => [file, [metric(`shared_${at}`)]]));
const whole = {
  shared,
  own: new Map([['gateway', [metric('b_total'), metric('a_total')]]]),
  recorded: [{ name: 'a:b', expression: 'sum(a)\n/ b' }],
};

describe('telemetryDocument', () => {
  it('lists what one program shows by name, and of what several show who does', () => {
    const text = telemetryDocument(whole);
    expect(text).toContain(`## gateway

| metric | type | labels | meaning |
| --- | --- | --- | --- |
| \`a_total\` | counter | \`x\`, \`y\` | Of a_total \\| b |
| \`b_total\` | counter | \`x\`, \`y\` | Of b_total \\| b |

## Recorded`);
    const tasks = Object.keys(SHARED).indexOf('libs/messaging/src/task-consumer.ts');
    expect(text).toContain(
      `| \`shared_${tasks}\` | counter | \`x\`, \`y\` | parser-service | Of shared_${tasks} \\| b |`,
    );
    expect(text).toContain('| `a:b` | `sum(a) / b` |');
  });

  it('refuses a lib whose metrics nobody is said to show, and one that has none any more', () => {
    const more = new Map([...shared, ['libs/new/src/x.ts', [metric('new_total')]] as const]);
    expect(() => telemetryDocument({ ...whole, shared: more })).toThrow('libs/new/src/x.ts');
    const fewer = new Map([...shared, ['libs/auth/src/admission.ts', []] as const]);
    expect(() => telemetryDocument({ ...whole, shared: fewer })).toThrow('libs/auth/src/admission.ts');
  });
});
