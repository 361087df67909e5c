import { isDomainError } from '@sociograph/kernel';
import { poolUnavailable } from '../domain/errors';

/** A question of an operator to the pool's memory; when that one is away, or being built anew, the answer says so. */
export async function askPool<R>(question: () => Promise<R>): Promise<R> {
  try {
    return await question();
  } catch (error) {
    throw isDomainError(error) ? error : poolUnavailable(error);
  }
}
