import { wallOwnerOf } from './post-id';

describe('wallOwnerOf', () => {
  it.each([
    ['107_17', '107'],
    ['some_body_17', 'some_body'],
    ['-107_17', undefined],
    ['_17', undefined],
    ['107', undefined],
    ['', undefined],
  ])('reads the owner of %p as %p', (postId, owner) => {
    expect(wallOwnerOf(postId)).toBe(owner);
  });
});
