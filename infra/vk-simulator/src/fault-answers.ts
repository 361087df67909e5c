import type { ApiError } from './api-error';
import type { CaptchaForm } from './captchas';
import { catalogued, catalogueNames } from './error-catalogue';

/**
 * How a planted fault answers. `late`: the request is served and counted, its answer comes so much later. `truncated`:
 * half of the JSON as a whole HTTP answer; `cut`: the connection breaks in mid-answer. `without` and `retyped`: the
 * answer as if the API had changed.
 */
export type FaultAnswer =
  | { kind: 'error'; error: ApiError }
  | { kind: 'captcha'; form: CaptchaForm | undefined }
  | { kind: 'status'; status: number }
  | { kind: 'reset' | 'hang' | 'truncated' | 'cut' }
  | { kind: 'late'; ms: number }
  | { kind: 'without' | 'retyped'; path: string };

const SLOW_MS = 5_000;
/** Later than any client waits. */
const LATE_MS = 60_000;

/** Reads the text of a fault; undefined for `none`. Throws one sentence for what it does not know. */
export function faultAnswer(text: string): FaultAnswer | undefined {
  const [name, detail] = split(text);
  switch (name) {
    case 'none':
      return undefined;
    case 'reset':
    case 'hang':
    case 'truncated':
    case 'cut':
      return { kind: name };
    case 'slow':
    case 'late': {
      const ms = detail === undefined ? (name === 'slow' ? SLOW_MS : LATE_MS) : Number(detail);
      if (!(ms >= 0)) throw new Error(`${name} takes milliseconds: ${name}:2000.`);
      return { kind: 'late', ms };
    }
    case 'without':
    case 'retyped':
      if (detail === undefined) throw new Error(`${name} takes a path: ${name}:response.items.`);
      return { kind: name, path: detail };
    case '14':
      if (detail !== undefined && detail !== 'new' && detail !== 'old' && detail !== 'both')
        throw new Error('14 takes new, old or both.');
      return { kind: 'captcha', form: detail };
    default:
      return statusOrError(text);
  }
}

function statusOrError(text: string): FaultAnswer {
  const code = Number(text);
  if (Number.isInteger(code) && code >= 500 && code <= 599) return { kind: 'status', status: code };
  const error = catalogued(text);
  if (error !== undefined) return { kind: 'error', error };
  throw new Error(
    'answer must be none, reset, hang, truncated, cut, slow:MS, late:MS, without:PATH, retyped:PATH, a status from ' +
      `500 to 599, or one of the error codes 14, ${catalogueNames().join(', ')}.`,
  );
}

function split(text: string): [string, string | undefined] {
  const at = text.indexOf(':');
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
