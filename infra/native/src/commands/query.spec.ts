import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PlainFault } from '../servers/server';
import { query } from './query';

describe('a question to Prometheus', () => {
  let server: Server;
  let asked: string[];
  let answer: object;
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const printed = async (expression?: string): Promise<string[]> => {
    const lines: string[] = [];
    await query(url(), expression, (line) => void lines.push(line));
    return lines;
  };

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push(`${request.method} ${request.url} ${new URLSearchParams(body).get('query')}`);
        response.end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('is answered with a line for each series, its name and labels first', async () => {
    const result = [
      { metric: { __name__: 'up', service: 'a', instance: 'a-0' }, value: [1, '1'] },
      { metric: { service: 'b' }, value: [1, '0.5'] },
      { metric: { __name__: 'up' }, values: [[1, '1'], [2, '0']] }, // prettier-ignore
      { metric: {}, value: [1, '3'] },
    ];
    answer = { status: 'success', data: { resultType: 'vector', result } };
    expect(await printed('up + 1')).toEqual([
      'up{service="a", instance="a-0"}  1',
      '{service="b"}  0.5',
      'up  1 0',
      '{}  3',
    ]);
    expect(asked).toEqual(['POST /api/v1/query up + 1']);
  });

  it('may be answered with one figure, or with none', async () => {
    answer = { status: 'success', data: { resultType: 'scalar', result: [1, '42'] } };
    expect(await printed('scalar(up)')).toEqual(['42']);
    answer = { status: 'success', data: { resultType: 'vector', result: [] } };
    expect(await printed('down')).toEqual(['No series.']);
  });

  it('fails with the reason of Prometheus, without an expression, and without a Prometheus', async () => {
    answer = { status: 'error', error: 'parse error: unclosed left parenthesis' };
    await expect(printed('sum(')).rejects.toThrow(
      new PlainFault('Prometheus refuses it: parse error: unclosed left parenthesis'),
    );
    await expect(printed()).rejects.toThrow('Give an expression in quotes');
    await expect(query('http://127.0.0.1:1', 'up', () => undefined)).rejects.toThrow(
      'Prometheus does not answer at http://127.0.0.1:1',
    );
  });
});
