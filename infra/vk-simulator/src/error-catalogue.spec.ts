import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from './settings';
import { catalogued, catalogueNames } from './error-catalogue';

const README = readFileSync(join(__dirname, '../README.md'), 'utf8');

describe('the catalogue of errors', () => {
  it('knows every code of the README and no other', () => {
    const [, line = ''] = /\| an error code +\|([^|]+)\|/.exec(README) ?? [];
    const documented = line.split(',').flatMap((part) => {
      const [from = 0, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, n) => from + n);
    });
    const codes = catalogueNames()
      .filter((name) => !name.includes(':'))
      .map(Number);
    expect([...codes, 14].sort((a, b) => a - b)).toEqual(documented);
    for (const name of catalogueNames()) {
      if (name.includes(':')) expect(README).toContain(`\`${name}\``);
      expect(catalogued(name)?.code).toBe(Number.parseInt(name, 10));
    }
    expect(catalogued('5:nothing')).toBeUndefined();
    expect(catalogued('toString')).toBeUndefined();
  });

  it('and the settings: every flag is in the README', () => {
    let known = '';
    try {
      readSettings(['--unknown', '1'], {});
    } catch (error) {
      known = (error as Error).message;
    }
    expect(known).toContain('--unknown');
    const source =
      readFileSync(join(__dirname, 'settings.ts'), 'utf8') +
      readFileSync(join(__dirname, 'content-settings.ts'), 'utf8');
    const flags = [
      ...source.matchAll(
        /given\('([a-z-]+)'\)|(?:number|choice|whole)\('([a-z-]+)'|chosen\(given, '([a-z-]+)'\)/g,
      ),
    ];
    expect(flags.length).toBeGreaterThan(30);
    for (const [, a, b, c] of flags) expect(README).toContain(`--${a ?? b ?? c}`);
  });
});
