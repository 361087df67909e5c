/**
 * A 32-bit hash of a seed, a purpose and a number (murmur3's finaliser over each word). What it decides about a
 * person does not depend on the order of requests, so every run with one seed shows the same world.
 */
export function seededHash(seed: number, purpose: string, value: number): number {
  let hash = mix(seed >>> 0);
  for (let at = 0; at < purpose.length; at += 1) hash = mix(hash ^ purpose.charCodeAt(at));
  hash = mix(hash ^ (value >>> 0));
  return mix(hash ^ (Math.floor(value / 0x1_0000_0000) >>> 0));
}

/** The same as a fraction in [0, 1). */
export function seededFraction(seed: number, purpose: string, value: number): number {
  return seededHash(seed, purpose, value) / 0x1_0000_0000;
}

function mix(value: number): number {
  let hash = (value + 0x9e3779b9) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}
