import { prometheusRule } from './prometheus-rule';

describe('prometheusRule', () => {
  it('puts the groups of all files under one spec, comments and empty lines as they were', () => {
    const first =
      '# about\ngroups:\n  - name: a\n    rules:\n      # why\n      - record: x\n\n        expr: 1\n';
    expect(prometheusRule([first, 'groups:\n  - name: b\n']).split('spec:\n')[1]).toBe(
      '  groups:\n    - name: a\n      rules:\n        # why\n        - record: x\n\n          expr: 1\n    - name: b\n',
    );
  });

  it('refuses a file without groups', () => {
    expect(() => prometheusRule(['rules: []\n'])).toThrow('begins with "groups:"');
  });
});
