/** What the script answers: its verdict, its clock (microseconds), and what the operation has to say. */
export type ScriptReply = (string | number)[];

/** Times of the script are whole microseconds. */
export function micros(ms: number): number {
  return Math.round(ms * 1000);
}

/** Big figures come as texts: integers of a reply would do, but JSON of the script's has 14 digits. */
export function figure(value: string | number | undefined): number {
  return Number(value);
}
