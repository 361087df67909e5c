import { DomainError } from '@sociograph/kernel';

/**
 * A graph file that cannot be read. `message` is one sentence for the person who named the file; it names the
 * file and, where one line is at fault, that line (counted from 1). Code `GRAPH_FILE.UNREADABLE`.
 */
export class GraphFileError extends DomainError {
  constructor(message: string, line?: number, cause?: unknown) {
    super({
      code: 'GRAPH_FILE.UNREADABLE',
      kind: 'invalid-input',
      message,
      facts: { line: line ?? null },
      cause,
    });
    this.name = 'GraphFileError';
  }
}
