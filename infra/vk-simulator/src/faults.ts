import { ApiError, apiErrors } from './api-error';

/** A VK error code, an HTTP status from 500 on, or a connection that breaks after the request was counted. */
export type Fault =
  { kind: 'error'; error: ApiError } | { kind: 'status'; status: number } | { kind: 'reset' };

const ERRORS: Readonly<Record<number, string>> = {
  1: 'Unknown error occurred',
  9: 'Flood control',
  10: 'Internal server error',
  14: 'Captcha needed',
  15: 'Access denied: no access to call this method',
  17: 'Validation required: please open redirect_uri in browser to validate',
  43: 'This service is temporarily unavailable',
  1117: 'Token extension required',
  3609: 'Token extension required',
  3610: 'User is deactivated',
};

/** Faults planted by key: every request of that key which the limits let through is answered so until it is taken away. */
export class Faults {
  private readonly planted = new Map<string, Fault>();

  plant(keyName: string, answer: string): void {
    const fault = faultOf(answer);
    if (fault === undefined) this.planted.delete(keyName);
    else this.planted.set(keyName, fault);
  }

  of(keyName: string): Fault | undefined {
    return this.planted.get(keyName);
  }

  reset(): void {
    this.planted.clear();
  }
}

/** `none`, `reset`, `500`..`599`, or a VK error code. Throws one sentence for anything else. */
function faultOf(answer: string): Fault | undefined {
  if (answer === 'none') return undefined;
  if (answer === 'reset') return { kind: 'reset' };
  const code = Number(answer);
  if (code >= 500 && code <= 599) return { kind: 'status', status: code };
  if (code === 5) return { kind: 'error', error: apiErrors.invalidToken() };
  if (code === 6) return { kind: 'error', error: apiErrors.tooManyPerSecond() };
  if (code === 29) return { kind: 'error', error: apiErrors.budgetSpent() };
  const message = ERRORS[code];
  if (message === undefined)
    throw new Error(
      `answer must be none, reset, a status from 500 to 599, or one of the error codes 5, 6, 29, ${Object.keys(ERRORS).join(', ')}.`,
    );
  return { kind: 'error', error: new ApiError(code, message) };
}
