import { isConflict, toDomainError } from '@sociograph/arango';
import { isDomainError } from '@sociograph/kernel';

const TRIES = 10;

/** One request; what the database answers with is thrown as a DomainError that says what was tried. */
export async function guarded<T>(what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw toDomainError(error, what);
  }
}

/**
 * One request up to ten times, from its reading on, when another write came between: the database answers that with
 * 1200.
 */
export async function withoutConflict<T>(what: string, request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (isDomainError(error)) throw error;
      if (attempt === TRIES || !isConflict(error)) throw toDomainError(error, what);
    }
  }
}
