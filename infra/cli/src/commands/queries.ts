import { pathOf, type Query } from '@sociograph/api-client';
import type { Options } from '../arguments';
import type { Call, Command } from '../command';
import { PAGE_OPTIONS, printList } from '../page';

/** A question to the graph or its views: one GET whose options are the route's own parameters. */
interface Question {
  name: string;
  words?: string;
  summary: string;
  path: (network: string, word: string) => string;
  /** Option -> parameter of the route where the names differ. */
  options?: Options;
  needed?: string[];
  /** A list that is read page by page; else one answer. */
  list?: true;
}

const AT = { type: 'string', value: 'TIME', help: 'as of this moment (2026-11-01T00:00:00Z)' } as const;
const FRESH = {
  'min-position': { type: 'string', value: 'TOKEN', help: 'an answer that includes this position at least' },
} as const;

const questions: Question[] = [
  {
    name: 'person',
    words: 'ID',
    summary: 'what is stored of a person',
    path: (network, id) => pathOf`/v1/people/${network}/${id}`,
  },
  {
    name: 'friends',
    words: 'ID',
    summary: 'the friends of a person, and whose list says so',
    path: (network, id) => pathOf`/v1/people/${network}/${id}/friends`,
    options: { at: AT },
    list: true,
  },
  {
    name: 'changes',
    words: 'ID',
    summary: 'friends that came and went between two moments',
    path: (network, id) => pathOf`/v1/people/${network}/${id}/friends/changes`,
    options: { from: { ...AT, help: 'the earlier moment' }, to: { ...AT, help: 'the later moment' } },
    needed: ['from', 'to'],
    list: true,
  },
  {
    name: 'summary',
    summary: 'the figures of the whole graph',
    path: (network) => pathOf`/v1/graphs/${network}/summary`,
    options: FRESH,
  },
  {
    name: 'profile',
    words: 'ID',
    summary: 'a person with their figures in the graph',
    path: (network, id) => pathOf`/v1/profiles/${network}/${id}`,
    options: FRESH,
  },
];

export const queries: Command[] = questions.map((question) => ({
  name: `query ${question.name}`,
  ...(question.words === undefined ? {} : { words: question.words }),
  summary: question.summary,
  takes: question.words === undefined ? { min: 0, max: 0 } : { min: 1, max: 1 },
  options: {
    network: { type: 'string', value: 'NAME', help: 'vk unless told' },
    ...question.options,
    ...(question.list === true ? PAGE_OPTIONS : {}),
  },
  run: (call) => ask(question, call),
}));

async function ask(question: Question, call: Call): Promise<void> {
  const { args, output } = call;
  for (const name of question.needed ?? []) args.needed(name);
  const path = question.path(args.text('network') ?? 'vk', args.words[0] ?? '');
  const query: Query = Object.fromEntries(
    Object.keys(question.options ?? {}).map((name) => [name, args.text(name)]),
  );
  if (question.list === true) return printList(call, path, query);
  output.record(await (await call.api()).get(path, query));
}
