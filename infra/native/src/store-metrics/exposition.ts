/** What one folder of data takes and has; all in bytes. */
export interface StoreDisk {
  readonly store: string;
  /** Left to who is not root, on the file system that it lies on. */
  readonly available: number;
  /** Of that file system. */
  readonly size: number;
  /** Of the folder itself; undefined until it was counted for the first time. */
  readonly data: number | undefined;
}

/** As `INFO memory` says it, in bytes; `max` is 0 where nothing bounds it. */
export interface RedisMemory {
  readonly store: string;
  readonly used: number;
  readonly max: number;
  readonly machine: number;
}

/** Text for Prometheus. Names of Redis' figures are those of redis_exporter, so that rules and boards fit that as well. */
export function expositionOf(disks: readonly StoreDisk[], redis: readonly RedisMemory[]): string {
  const counted = disks.filter((disk): disk is StoreDisk & { data: number } => disk.data !== undefined);
  return [
    ...gauge('store_disk_available_bytes', 'Free disk under the data of a store', disks, (d) => d.available),
    ...gauge('store_disk_size_bytes', 'Size of the disk under the data of a store', disks, (d) => d.size),
    ...gauge(
      'store_data_bytes',
      'Disk that the data of a store takes, counted every minute',
      counted,
      (d) => d.data,
    ),
    ...gauge('redis_memory_used_bytes', 'Memory of the data of a Redis', redis, (r) => r.used),
    ...gauge('redis_memory_max_bytes', 'From here on it refuses or evicts; 0: no limit', redis, (r) => r.max),
    ...gauge('redis_total_system_memory_bytes', 'Memory of its machine', redis, (r) => r.machine),
    '',
  ].join('\n');
}

/** The figures of `INFO memory`; undefined when one of them is missing. */
export function memoryOf(store: string, info: string): RedisMemory | undefined {
  const figure = (name: string): number => Number(new RegExp(`^${name}:(\\d+)\\r?$`, 'm').exec(info)?.[1]);
  const memory = {
    store,
    used: figure('used_memory'),
    max: figure('maxmemory'),
    machine: figure('total_system_memory'),
  };
  return [memory.used, memory.max, memory.machine].some(Number.isNaN) ? undefined : memory;
}

function gauge<Row extends { store: string }>(
  name: string,
  help: string,
  rows: readonly Row[],
  value: (row: Row) => number,
): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...rows.map((row) => `${name}{store="${row.store}"} ${value(row)}`),
  ];
}
