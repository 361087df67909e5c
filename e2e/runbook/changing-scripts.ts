/**
 * How the form of a script is tried that a spec must not run as it stands. `help`: its own parser reads the options and
 * then only explains itself; `none`: it takes no words; otherwise the words that it is run with in the page's stead.
 */
export type Form = 'help' | 'none' | readonly string[];

/** Scripts of the runbook that change something or take minutes, with the reason and what is tried of each. */
export const CHANGING: Readonly<Record<string, { why: string; form: Form }>> = {
  up: { why: 'starts and restarts servers that other specs use', form: 'help' },
  down: { why: 'ends them, or purges their data', form: 'help' },
  backup: {
    why: 'starts a Keycloak for its export; infra/native and drill:restore try it whole',
    form: 'help',
  },
  restore: { why: 'only goes into empty servers; drill:restore tries it whole', form: 'help' },
  'drill:restore': { why: 'starts a fleet of its own, for minutes', form: 'help' },
  'drill:restarts': { why: 'starts a fleet of its own, for minutes', form: 'help' },
  'drill:upgrade': { why: 'starts a fleet of its own, for minutes', form: 'help' },
  'chaos:fleet': { why: 'starts a fleet of its own, for minutes', form: 'help' },
  'projector:rebuild': {
    why: 'writes every row of the views anew; specs of the projector try it',
    form: 'none',
  },
  'audit:verify': { why: 'other specs tamper with the trail on purpose', form: 'none' },
  'rotate:signing-key': { why: 'changes the key that tokens are signed with', form: ['--check'] },
};
