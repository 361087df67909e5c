import { pathOf, type Query } from '@sociograph/api-client';
import type { OptionSpec } from '../arguments';
import type { Call, Command } from '../command';
import { PAGE_OPTIONS, printList } from '../page';

/** A question to the graph or its views: one GET whose options are the route's own parameters. */
interface Question {
  name: string;
  words?: string;
  summary: string;
  path: (network: string, word: string) => string;
  /** `parameter`: how the route calls it, where that is not the name of the option. */
  options?: Readonly<Record<string, OptionSpec & { parameter?: string }>>;
  needed?: string[];
  /** The parameter that the word is, where it is no part of the path. */
  word?: string;
  /** A list that is read page by page; else one answer, with a table of what this field of it holds. */
  list?: true;
  table?: string;
}

const AT = { type: 'string', value: 'TIME', help: 'as of this moment (2026-11-01T00:00:00Z)' } as const;
const COUNT = { type: 'string', value: 'N' } as const;
const FRESH = {
  'min-position': { type: 'string', value: 'TOKEN', help: 'an answer that includes this position at least' },
} as const;

const graph: Question[] = [
  {
    name: 'people',
    summary: 'people by what their profiles say',
    path: (network) => pathOf`/v1/people/${network}`,
    options: {
      name: { type: 'string', value: 'TEXT', help: 'how "first last" begins' },
      'last-name': { type: 'string', value: 'TEXT', help: 'how "last first" begins', parameter: 'lastName' },
      city: { type: 'string', value: 'TEXT', help: 'the whole name of the city' },
      state: { type: 'string', value: 'STATE', help: 'active, deleted or banned' },
      sex: { type: 'string', value: 'SEX', help: 'female, male or unknown' },
      closed: { type: 'string', value: 'true|false', help: 'whether only friends may see the lists' },
    },
    list: true,
  },
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
    name: 'mutual',
    words: 'ID',
    summary: 'friends that a person has in common with others',
    path: (network, id) => pathOf`/v1/people/${network}/${id}/friends/mutual`,
    options: { with: { type: 'string', value: 'ID,...', help: 'the others' } },
    needed: ['with'],
    list: true,
  },
  {
    name: 'path',
    words: 'ID',
    summary: 'one of the shortest chains of friends to another person',
    path: (network, id) => pathOf`/v1/people/${network}/${id}/path`,
    options: {
      to: { type: 'string', value: 'ID', help: 'the other person' },
      'max-length': { ...COUNT, help: 'friendships on the way at most', parameter: 'maxLength' },
    },
    needed: ['to'],
    table: 'people',
  },
  {
    name: 'surroundings',
    words: 'ID',
    summary: 'people around a person and the friendships among them',
    path: (network, id) => pathOf`/v1/people/${network}/${id}/surroundings`,
    options: {
      depth: { ...COUNT, help: 'steps from the person' },
      nodes: { ...COUNT, help: 'people at most' },
      at: AT,
    },
    table: 'people',
  },
  ...(['groups', 'pages', 'follows', 'posts'] as const).map((part) => ofPerson(part)),
  {
    name: 'group',
    words: 'ID',
    summary: 'what is stored of a group or page',
    path: (network, id) => pathOf`/v1/groups/${network}/${id}`,
  },
  ...(['members', 'followers', 'posts'] as const).map((part) => ofGroup(part)),
  {
    name: 'post',
    words: 'ID',
    summary: 'what is stored of a post',
    path: (network, id) => pathOf`/v1/posts/${network}/${id}`,
  },
];

const views: Question[] = [
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
  {
    name: 'rankings',
    words: 'BY',
    summary: 'the first people of the graph by degree, triangles or clustering',
    path: (network, by) => pathOf`/v1/graphs/${network}/rankings/${by}`,
    options: FRESH,
    list: true,
  },
  {
    name: 'search',
    words: 'TEXT',
    summary: 'people by name, or posts by their words',
    path: (network) => pathOf`/v1/graphs/${network}/search`,
    word: 'q',
    options: { in: { type: 'string', value: 'KIND', help: 'people (unless told) or posts' }, ...FRESH },
    list: true,
  },
];

export const queries: Command[] = [...graph, ...views].map((question) => ({
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
  const word = args.words[0] ?? '';
  const path = question.path(args.text('network') ?? 'vk', word);
  const query: Query = Object.fromEntries(
    Object.entries(question.options ?? {}).map(([name, option]) => [
      option.parameter ?? name,
      args.text(name),
    ]),
  );
  if (question.word !== undefined) query[question.word] = word;
  if (question.list === true) return printList(call, path, query);
  const api = await call.api();
  const answer = await api.get<Record<string, unknown>>(path, query);
  if (question.table === undefined || output.json) return output.record(answer);
  const { [question.table]: rows, ...rest } = answer;
  output.record(rest);
  output.rows(rows as unknown[]);
}

function ofPerson(part: 'groups' | 'pages' | 'follows' | 'posts'): Question {
  const summaries = {
    groups: 'the groups that a person belongs to',
    pages: 'the pages that a person follows',
    follows: 'the people whom a person follows',
    posts: "the posts on a person's wall, newest first",
  };
  return {
    name: part,
    words: 'ID',
    summary: summaries[part],
    path: (network, id) => pathOf`/v1/people/${network}/${id}/${part}`,
    list: true,
  };
}

function ofGroup(part: 'members' | 'followers' | 'posts'): Question {
  const summaries = {
    members: 'the people who belong to a group',
    followers: 'the people who follow a page',
    posts: 'the posts of a group, newest first',
  };
  return {
    name: `group-${part}`,
    words: 'ID',
    summary: summaries[part],
    path: (network, id) => pathOf`/v1/groups/${network}/${id}/${part}`,
    list: true,
  };
}
