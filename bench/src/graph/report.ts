/** One line of the table: what was measured, what is asked, and what a peer needs for the same. */
export interface Line {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** `least`: at least so much is asked; `most`: at most. */
  readonly bar?: { readonly least: number } | { readonly most: number };
  readonly peer?: { readonly name: string; readonly value: number };
}

export function isMissed({ value, bar }: Line): boolean {
  if (bar === undefined) return false;
  return 'least' in bar ? !(value >= bar.least) : !(value <= bar.most);
}

/** A Markdown table; `ratio` is how many times better than the peer: more where much is good, less where little is. */
export function tableOf(lines: readonly Line[]): string {
  const rows = lines.map((line) => {
    const { what, value, unit, bar, peer } = line;
    const asked =
      bar === undefined ? '' : 'least' in bar ? `>= ${short(bar.least)}` : `<= ${short(bar.most)}`;
    const verdict = bar === undefined ? '' : isMissed(line) ? 'MISSED' : 'kept';
    const beside =
      peer === undefined ? ['', ''] : [`${peer.name}: ${short(peer.value)}`, `${short(ratioOf(line))} x`];
    return `| ${[what, `${short(value)} ${unit}`.trim(), asked, verdict, ...beside].join(' | ')} |`;
  });
  return [
    '| what | measured | asked | | peer | ratio |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function ratioOf({ value, unit, peer }: Line): number {
  if (peer === undefined) return NaN;
  return unit.endsWith('/s') ? value / peer.value : peer.value / value;
}

/** Three digits at least, whole from a hundred on. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}
