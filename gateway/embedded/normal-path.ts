/** Holds nothing to decode or to resolve, but for `//`. */
const PLAIN = /^\/[A-Za-z0-9_~:/-]*$/;

/**
 * The path as Kong matches and forwards it: unreserved characters decoded, other escapes upper-cased, `//` merged,
 * dot segments resolved. `..%2f` is one segment and stays. Undefined = 400 (broken escape, NUL, raw blank or control
 * character, a way above the root).
 */
export function normalPath(raw: string): string | undefined {
  if (PLAIN.test(raw) && !raw.includes('//')) return raw;
  let decoded = '';
  for (let at = 0; at < raw.length; at += 1) {
    const character = raw.charAt(at);
    const code = raw.charCodeAt(at);
    if (character === '%') {
      const hex = raw.slice(at + 1, at + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(hex) || hex === '00') return undefined;
      const byte = String.fromCharCode(parseInt(hex, 16));
      decoded += /[A-Za-z0-9._~-]/.test(byte) ? byte : `%${hex.toUpperCase()}`;
      at += 2;
    } else if (code <= 0x20 || code === 0x7f) {
      return undefined;
    } else if (code > 0x7f || '\\"<>^`{|}'.includes(character)) {
      decoded += `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
    } else {
      decoded += character;
    }
  }
  const kept: string[] = [];
  const segments = decoded.split('/').slice(1);
  for (const [position, segment] of segments.entries()) {
    const last = position === segments.length - 1;
    if (segment === '..') {
      if (kept.pop() === undefined) return undefined;
    } else if (segment !== '.' && segment !== '') {
      kept.push(segment);
    }
    // A trailing slash, or a trailing dot segment, leaves a slash.
    if (last && kept.length > 0 && (segment === '' || segment === '.' || segment === '..')) kept.push('');
  }
  return `/${kept.join('/')}`;
}

/** Kong's default router answers 404 to paths whose escapes are no UTF-8. */
export function isUtf8(path: string): boolean {
  if (!path.includes('%')) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
