import { expositionOf, memoryOf } from './exposition';

const INFO = [
  '# Memory',
  'used_memory:1048576',
  'used_memory_human:1.00M',
  'used_memory_rss:9',
  'total_system_memory:8589934592',
  'maxmemory:268435456',
  'maxmemory_policy:noeviction',
  '',
].join('\r\n');

describe('the figures of the stores', () => {
  it('are a line each, and a folder that was not counted yet has none for its data', () => {
    const disks = [
      { store: 'kafka', available: 5, size: 10, data: 3 },
      { store: 'postgres', available: 6, size: 11, data: undefined },
    ];
    const redis = [{ store: 'redis-pool', used: 1, max: 0, machine: 8 }];
    expect(
      expositionOf(disks, redis)
        .split('\n')
        .filter((line) => !line.startsWith('# HELP')),
    ).toEqual([
      '# TYPE store_disk_available_bytes gauge',
      'store_disk_available_bytes{store="kafka"} 5',
      'store_disk_available_bytes{store="postgres"} 6',
      '# TYPE store_disk_size_bytes gauge',
      'store_disk_size_bytes{store="kafka"} 10',
      'store_disk_size_bytes{store="postgres"} 11',
      '# TYPE store_data_bytes gauge',
      'store_data_bytes{store="kafka"} 3',
      '# TYPE redis_memory_used_bytes gauge',
      'redis_memory_used_bytes{store="redis-pool"} 1',
      '# TYPE redis_memory_max_bytes gauge',
      'redis_memory_max_bytes{store="redis-pool"} 0',
      '# TYPE redis_total_system_memory_bytes gauge',
      'redis_total_system_memory_bytes{store="redis-pool"} 8',
      '',
    ]);
  });

  it('are read from what Redis says of itself, all or none', () => {
    expect(memoryOf('redis-pool', INFO)).toEqual({
      store: 'redis-pool',
      used: 1_048_576,
      max: 268_435_456,
      machine: 8_589_934_592,
    });
    expect(memoryOf('redis-pool', INFO.replace('maxmemory:', 'minmemory:'))).toBeUndefined();
    expect(memoryOf('redis-pool', '')).toBeUndefined();
  });
});
