import { Network } from './network';

const settings = { jitterMs: 20, replyJitterMs: 10, delayMs: [50, 300] as const };

describe('the network', () => {
  it('draws every delay within its bounds, near both of them, and apart from the others', () => {
    const network = new Network(1, settings);
    const paths = Array.from({ length: 2000 }, () => network.draw());
    const range = (of: (path: (typeof paths)[number]) => number): number[] => [
      Math.round(Math.min(...paths.map(of))),
      Math.round(Math.max(...paths.map(of))),
    ];
    expect(range(({ requestMs }) => requestMs)).toEqual([0, 20]);
    expect(range(({ serviceMs }) => serviceMs)).toEqual([50, 300]);
    expect(range(({ replyMs }) => replyMs)).toEqual([0, 10]);
    const same = paths.filter(({ requestMs, replyMs }) => Math.abs(requestMs / 2 - replyMs) < 0.01);
    expect(same.length).toBeLessThan(50);
  });

  it('repeats itself for the same seed and after a reset, and differs for another seed', () => {
    const network = new Network(7, settings);
    const first = [network.draw(), network.draw()];
    expect([first[0]]).not.toEqual([first[1]]);
    network.reset();
    expect([network.draw(), network.draw()]).toEqual(first);
    expect(new Network(7, settings).draw()).toEqual(first[0]);
    expect(new Network(8, settings).draw()).not.toEqual(first[0]);
  });

  it('changes what is named and leaves the rest', () => {
    const network = new Network(1, settings);
    expect(network.change({ jitterMs: 0 })).toEqual({ ...settings, jitterMs: 0 });
    const { requestMs, serviceMs } = network.draw();
    expect(requestMs).toBe(0);
    expect(serviceMs).toBeGreaterThanOrEqual(50);
  });
});
