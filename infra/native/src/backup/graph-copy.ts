import { join } from 'node:path';
import type { Document, GraphStore } from './graph-store';
import { LinesFile, readLines } from './lines-file';

/**
 * Against the order in which graph-storage writes, so that what is read looks like a store in which a process died in the
 * middle of its batches: people with the lists of before, friendships that are ahead of them. The observations of those
 * batches are applied once more afterwards and find everything as after such a death. The other way round a person's new list
 * would stand without its friendships, and the same list again changes nothing.
 */
const ORDER = [
  'erasures',
  'member_lists',
  'users',
  'groups',
  'posts',
  'user_posts',
  'group_posts',
  'subscriptions',
  'friendships',
  // What ends is first written there and then taken out of friendships.
  'past_friendships',
];

/** Made anew by whoever needs it: versions of the schema, files that lie elsewhere, answers that are kept for a day. */
const LEFT_OUT = new Set(['schema_migrations', 'exports', 'idempotency_keys']);

/** Documents of these may be large: a person has lists of up to 20,000 ids, a group all its members. */
const PAGE_SIZES: Readonly<Record<string, number>> = { users: 200, member_lists: 5, erasures: 100 };

/** Writes a file for each collection; collections that nobody ordered come last. Answers how many documents each has. */
export async function dumpGraph(store: GraphStore, folder: string): Promise<Record<string, number>> {
  const there = [...(await store.collections()).keys()].filter((name) => !LEFT_OUT.has(name));
  const unknown = there.filter((name) => !ORDER.includes(name)).sort();
  const counts: Record<string, number> = {};
  for (const name of [...ORDER.filter((known) => there.includes(known)), ...unknown]) {
    const file = new LinesFile(fileOf(folder, name));
    let documents = 0;
    for await (const document of store.documents(name, PAGE_SIZES[name])) {
      await file.write(document);
      documents += 1;
    }
    await file.close();
    counts[name] = documents;
  }
  return counts;
}

/** Puts the files into the collections, which a migration has made; `seen` is shown each document. */
export async function loadGraph(
  store: GraphStore,
  folder: string,
  collections: readonly string[],
  seen: (document: Document) => void = () => undefined,
): Promise<void> {
  for (const name of collections) {
    await store.insert(name, shown(readLines<Document>(fileOf(folder, name)), seen));
  }
}

async function* shown(
  documents: AsyncIterable<Document>,
  seen: (document: Document) => void,
): AsyncGenerator<Document> {
  for await (const document of documents) {
    seen(document);
    yield document;
  }
}

function fileOf(folder: string, collection: string): string {
  return join(folder, `${collection}.jsonl.gz`);
}
