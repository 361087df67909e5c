/**
 * The person on whose wall a post stands, by its id: owner, underscore, number. Undefined for walls of groups, whose
 * ids begin with a minus.
 */
export function wallOwnerOf(postId: string): string | undefined {
  const end = postId.lastIndexOf('_');
  return end <= 0 || postId.startsWith('-') ? undefined : postId.slice(0, end);
}
