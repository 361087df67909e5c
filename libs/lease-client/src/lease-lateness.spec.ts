import { LeaseLateness } from './lease-lateness';

const after = (...late: number[]): LeaseLateness => {
  const lateness = new LeaseLateness();
  for (const ms of late) lateness.note(ms);
  return lateness;
};

describe('how late leases come in', () => {
  it('asks for nothing while ten milliseconds are enough, five of which the way to the sender takes', () => {
    expect(after().leadMs).toBeUndefined();
    expect(after(5).leadMs).toBeUndefined();
    expect(after(5.1).leadMs).toBe(11);
    expect(after(20).leadMs).toBe(25);
  });

  it('asks for 60 ms at most', () => {
    expect(after(54).leadMs).toBe(59);
    expect(after(55).leadMs).toBe(60);
    expect(after(2_000).leadMs).toBe(60);
  });

  it('rises at once and falls by and by', () => {
    const lateness = after(1, 40);
    expect(lateness.leadMs).toBe(45);
    lateness.note(30);
    expect(lateness.leadMs).toBe(45);
    for (let lease = 0; lease < 49; lease += 1) lateness.note(0);
    // Half of what it was: (40 - 0.14) x 0.986^49 = 19.98.
    expect(lateness.leadMs).toBe(25);
    for (let lease = 0; lease < 150; lease += 1) lateness.note(0);
    expect(lateness.leadMs).toBeUndefined();
  });

  it('takes a lease that came before its grant by this clock as one in time, and makes nothing of no time at all', () => {
    const lateness = after(20, NaN, Infinity);
    expect(lateness.leadMs).toBe(25);
    for (let lease = 0; lease < 20; lease += 1) lateness.note(-1_000);
    expect(lateness.leadMs).toBe(21);
  });
});
