import { ApiError, apiErrors } from '../api-error';
import { runScript } from '../vkscript/interpreter';
import type { ScriptLimits } from '../vkscript/interpreter';
import { ScriptError } from '../vkscript/script-error';
import { fromJson, toJson } from '../vkscript/values';

export interface ExecuteOptions extends ScriptLimits {
  responseBytes: number;
  /** Recent recordings end `execute_errors` with a copy of the last error under the name `execute`; old ones do not. */
  trailingEntry: boolean;
}

interface InnerError {
  method: string;
  error_code: number;
  error_msg: string;
}

/** Runs the script of an `execute` request and gives the answer as JSON. A call that fails inside is `false` there and named in the answer. */
export function execute(
  parameters: ReadonlyMap<string, string>,
  callMethod: (method: string, parameters: ReadonlyMap<string, string>) => unknown,
  options: ExecuteOptions,
): string {
  const code = parameters.get('code');
  if (code === undefined || code.trim() === '') throw apiErrors.missing('code');
  const errors: InnerError[] = [];
  const callApi = (method: string, inner: Map<string, string>) => {
    try {
      return fromJson(callMethod(method, inner));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      errors.push({ method, error_code: error.code, error_msg: error.message });
      return false;
    }
  };
  const response = translated(() => toJson(runScript(code, new Map(parameters), callApi, options)));
  const json = JSON.stringify(response);
  if (Buffer.byteLength(json) > options.responseBytes)
    throw apiErrors.failedAtRunTime('response size is too big');
  const last = errors.at(-1);
  if (last === undefined) return `{"response":${json}}`;
  if (options.trailingEntry) errors.push({ ...last, method: 'execute' });
  return `{"response":${json},"execute_errors":${JSON.stringify(errors)}}`;
}

function translated<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    throw error.code === 12
      ? apiErrors.doesNotCompile(error.detail)
      : apiErrors.failedAtRunTime(error.detail);
  }
}
