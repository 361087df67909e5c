export interface Metric {
  name: string;
  type: string;
  /** Sorted; those of every series left out. */
  labels: string[];
}

const OF_EVERY_SERIES = ['service', 'instance', 'le'];

/** What docs/telemetry.md says that a program shows: the tables of all, of several with its name, and its own. */
export function listedFor(program: string, document: string): Metric[] {
  const sections = document.split('\n## ').slice(1);
  return sections.flatMap((section) => {
    const title = section.split('\n', 1)[0];
    const rows = [
      ...section.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*) \|(?: ([^|]*) \|)?/gm),
    ];
    const said = rows.map(([, name, type, labels, more]) => ({
      ...{ name: name as string, type: type as string, more: more ?? '' },
      labels: own([...(labels as string).matchAll(/`(\w+)`/g)].map(([, label]) => label as string)),
    }));
    const shown = section.match(/^Shown by (.*)\.$/m)?.[1]?.split(', ');
    const mine = said.filter(({ more }) =>
      title === 'Several processes'
        ? more.split(', ').includes(program)
        : shown === undefined
          ? title === program
          : shown.includes(program),
    );
    return mine.map(({ name, type, labels }) => ({ name, type, labels }));
  });
}

/** What a program shows: the text of its /metrics. Labels are known of metrics that have a sample. */
export function shownIn(text: string): (Metric & { sampled: boolean })[] {
  const found = new Map<string, Metric & { sampled: boolean }>();
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) found.set(name, { name, type, labels: [], sampled: false });
    const sample = /^(\w+?)(_bucket|_sum|_count)?(?:\{(.*)\})? \S+$/.exec(line);
    if (sample === null || line.startsWith('#')) continue;
    const metric = found.get(`${sample[1]}${sample[2] ?? ''}`) ?? found.get(sample[1] as string);
    if (metric === undefined) throw new Error(`A sample of no metric: ${line}`);
    const labels = [...(sample[3] ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label as string);
    metric.labels = own([...metric.labels, ...labels]);
    metric.sampled = true;
  }
  return [...found.values()];
}

function own(labels: readonly string[]): string[] {
  return [...new Set(labels)].filter((label) => !OF_EVERY_SERIES.includes(label)).sort();
}

/** In words, what one side has and the other has not; labels count where there is a sample to see them on. */
export function differences(
  listed: readonly Metric[],
  shown: readonly (Metric & { sampled: boolean })[],
): string[] {
  return [
    ...shown
      .filter(({ name }) => !listed.some((metric) => metric.name === name))
      .map(({ name }) => `${name} is not listed`),
    ...listed
      .filter(({ name }) => !shown.some((metric) => metric.name === name))
      .map(({ name }) => `${name} is not shown`),
    ...shown.flatMap(({ name, type, labels, sampled }) => {
      const said = listed.find((metric) => metric.name === name);
      if (said === undefined) return [];
      return [
        ...(said.type === type ? [] : [`${name} is a ${type}`]),
        ...(!sampled || said.labels.join() === labels.join()
          ? []
          : [`${name} has the labels ${labels.join()}`]),
      ];
    }),
  ];
}
