import { TimeOrderedIds } from '@sociograph/kernel';

const ids = new TimeOrderedIds();
let last = '';

/** UUIDv7 of one millisecond are in no order; what is sorted by id wants rising ones. */
export function risingId(): string {
  let id = ids.next();
  while (id <= last) id = ids.next();
  last = id;
  return id;
}
