import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One thing of a page that somebody may type or click. */
export interface Item {
  page: string;
  kind: 'script' | 'shell' | 'promql' | 'route' | 'prometheus-page' | 'file' | 'link' | 'words';
  text: string;
}

const FENCE = /^ *```(\S*)\n([\s\S]*?)^ *```$/gm;
const ROUTE = /^(GET|POST|PUT|PATCH|DELETE) \//;
/** A lone series: words of small letters with underscores, as no label or value of ours is. */
const SERIES = /^[a-z]+(_[a-z0-9]+)+$/;
/** What begins with a function, an aggregation or a selector of PromQL. */
const EXPRESSION = /^(-?[a-z_:0-9]+(\(|\{|\[)|(sum|max|min|avg|count|topk|bottomk)\b.*\()/;
const FILE = /^[\w.<>-]+\/[\w./<>-]*$/;

/** Every command, expression, route, file and link of the pages in a folder. */
export function itemsIn(folder: string): Item[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .flatMap((name) => itemsOf(name, readFileSync(join(folder, name), 'utf8')));
}

/** Throws for a fenced block of a kind that nobody tries. */
export function itemsOf(page: string, text: string): Item[] {
  const fenced = [...text.matchAll(FENCE)].flatMap(([, language = '', body = '']) => {
    const lines = body.split('\n').flatMap((line) => line.trim() || []);
    if (language === 'promql') return lines.map((line) => itemOf(page, 'promql', line));
    if (language === 'sh') return lines.map(withoutComment).map((line) => command(page, line));
    throw new Error(`${page} has a block "${language}": its lines are tried as sh or promql only`);
  });
  const prose = text.replace(FENCE, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => inline(page, span));
  const links = [...prose.matchAll(/\]\(([^)]+)\)/g)].map(([, to = '']) => itemOf(page, 'link', to));
  return [...fenced, ...spans, ...links];
}

function inline(page: string, span: string): Item {
  if (span.startsWith('npm run ')) return itemOf(page, 'script', span);
  if (ROUTE.test(span)) return itemOf(page, 'route', span);
  if (/^\/(api\/v1\/)?[a-z]+$/.test(span)) return itemOf(page, 'prometheus-page', span);
  if (SERIES.test(span) || EXPRESSION.test(span)) return itemOf(page, 'promql', span);
  return itemOf(page, FILE.test(span) ? 'file' : 'words', span);
}

function command(page: string, line: string): Item {
  return itemOf(page, line.startsWith('npm run ') ? 'script' : 'shell', line);
}

function withoutComment(line: string): string {
  return line.replace(/ +# .*$/, '');
}

function itemOf(page: string, kind: Item['kind'], text: string): Item {
  return { page, kind, text };
}

/** Words of a command line, with single and double quotes as a shell has them. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
}
