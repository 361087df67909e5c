const PATIENCE_MS = 1_500;

/** All series of a metric added up, those only whose labels hold every one of these (`kind="lease"`). */
export function sumOf(page: string, name: string, labels: readonly string[] = []): number {
  return page
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** The metrics of a process; undefined while it does not answer. */
export async function metricsPage(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    return undefined;
  }
}
