import { stamp } from '../../test/builders';
import { Confirmations } from './confirmations';

describe('Confirmations', () => {
  it('remembers, replaces and forgets', () => {
    const confirmations = new Confirmations();
    expect(confirmations.of('a')).toEqual({});
    confirmations.remember('a', { list: stamp(1) });
    confirmations.remember('a', { list: stamp(2) });
    expect(confirmations.of('a')).toEqual({ list: stamp(2) });
    confirmations.forget('a');
    expect(confirmations.of('a')).toEqual({});
  });

  it('forgets the least recently confirmed when it is full', () => {
    const confirmations = new Confirmations(2);
    confirmations.remember('a', { list: stamp(1) });
    confirmations.remember('b', { list: stamp(1) });
    confirmations.remember('a', { list: stamp(2) });
    confirmations.remember('c', { list: stamp(1) });
    expect(confirmations.of('b')).toEqual({});
    expect(confirmations.of('a')).toEqual({ list: stamp(2) });
    expect(confirmations.of('c')).toEqual({ list: stamp(1) });
  });
});
