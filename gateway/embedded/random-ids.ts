import { randomFillSync } from 'node:crypto';

const drawn = Buffer.allocUnsafe(8192);
let used = drawn.length;

/** So many random bytes in hexadecimal. They are drawn in larger pieces: a request needs three ids. */
export function randomHex(bytes: number): string {
  if (used + bytes > drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += bytes;
  return drawn.toString('hex', used - bytes, used);
}
