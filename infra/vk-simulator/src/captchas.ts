import { ApiError, apiErrors } from './api-error';
import { seededHash } from './content/seeded-hash';

/** `new`: `redirect_uri`; `old`: `captcha_sid` and `captcha_img`; `both`: as recorded in 2025. */
export type CaptchaForm = 'new' | 'old' | 'both';
export const CAPTCHA_FORMS: readonly CaptchaForm[] = ['new', 'old', 'both'];

interface Pending {
  form: CaptchaForm;
  sid: string;
  /** What the person would read in the picture. */
  text: string;
  /** What the person would be given by the page. */
  successToken: string;
  wrong: number;
}

/** So many wrong answers in a row, and the next are error 9. */
const MOST_WRONG = 5;

/**
 * Which keys have a captcha before them. A request that repeats with the right answer passes; a wrong answer, or
 * none, is challenged (anew). The answers are on the simulator's page `/captchas`, for whoever plays the person.
 */
export class Captchas {
  private readonly pending = new Map<string, Pending>();
  private made = 0;

  constructor(
    private readonly seed: number,
    private readonly clock: () => number,
  ) {}

  /** Undefined when the parameters answer what was asked of this scope; else the error to give. */
  refusal(scope: string, parameters: ReadonlyMap<string, string>, form: CaptchaForm): ApiError | undefined {
    const before = this.pending.get(scope);
    const answered = ['success_token', 'captcha_key'].some((name) => parameters.has(name));
    if (before !== undefined && answered && isRight(before, parameters)) {
      this.pending.delete(scope);
      return undefined;
    }
    const wrong = before === undefined ? 0 : before.wrong + (answered ? 1 : 0);
    if (wrong > MOST_WRONG && before !== undefined) {
      before.wrong = wrong;
      return apiErrors.tooManyCaptchas();
    }
    return this.challenge(scope, form, wrong);
  }

  /** A new challenge in place of the one before. */
  challenge(scope: string, form: CaptchaForm, wrong = 0): ApiError {
    this.made += 1;
    const word = (purpose: string): string => seededHash(this.seed, purpose, this.made).toString(36);
    const pending: Pending = {
      form,
      sid: String(seededHash(this.seed, 'captcha sid', this.made)),
      text: word('captcha text'),
      successToken: `${word('success token')}.${word('session')}`,
      wrong,
    };
    this.pending.set(scope, pending);
    return new ApiError(14, 'Captcha needed', this.fieldsOf(pending));
  }

  isPending(scope: string): boolean {
    return this.pending.has(scope);
  }

  list(): object[] {
    return [...this.pending].map(([scope, { form, sid, text, successToken, wrong }]) => ({
      scope,
      form,
      wrong,
      ...(form !== 'new' && { captcha_sid: sid, captcha_key: text }),
      ...(form !== 'old' && { success_token: successToken }),
    }));
  }

  reset(): void {
    this.pending.clear();
  }

  private fieldsOf({ form, sid, wrong }: Pending): Record<string, unknown> {
    const old = {
      captcha_sid: sid,
      captcha_img: `https://api.vk.com/captcha.php?sid=${sid}&s=1`,
      captcha_ts: Math.round(this.clock()) / 1000,
      captcha_attempt: wrong + 1,
      captcha_ratio: 2.6,
      captcha_track: `track${sid}`,
      is_refresh_enabled: true,
      is_sound_captcha_available: true,
      uiux_changes: true,
    };
    const session = `session_token=${sid}&variant=popup&blank=1`;
    const redirect = {
      redirect_uri: `https://id.vk.com/not_robot_captcha?domain=vk.com&${session}`,
      remixstlid: `${sid}9`,
    };
    return { ...(form !== 'new' && old), ...(form !== 'old' && redirect) };
  }
}

function isRight(pending: Pending, parameters: ReadonlyMap<string, string>): boolean {
  const { form, sid, text, successToken } = pending;
  if (form !== 'old' && parameters.get('success_token') === successToken) return true;
  const picture = parameters.get('captcha_sid') === sid && parameters.get('captcha_key') === text;
  return form !== 'new' && picture;
}
