import { describe, expect, it } from 'vitest';
import { Inbox } from './inbox.ts';

const alice = { node: 'alice/0', port: 'web' };
const bob = { node: 'bob/0', port: 'web' };

describe('an inbox', () => {
  it('takes a request once, also when its copy comes after the answer', () => {
    const inbox = new Inbox<string>();
    expect(inbox.isNew(alice, 7)).toBe(true);
    inbox.hold(alice, 7, 'work');
    expect(inbox.isNew(alice, 7)).toBe(false);
    expect(inbox.take(alice, 7)).toBe('work');
    expect(inbox.isNew(alice, 7)).toBe(false);
    expect(inbox.isNew(alice, 8)).toBe(true);
    expect(inbox.count).toBe(0);
  });

  it('keeps callers apart, and the lives of one', () => {
    const inbox = new Inbox<string>();
    expect(inbox.isNew(alice, 2 ** 32 + 5)).toBe(true);
    expect(inbox.isNew(bob, 2 ** 32 + 5)).toBe(true);
    expect(inbox.isNew(alice, 2 * 2 ** 32)).toBe(true);
  });

  it('names what a caller that is gone still waited for', () => {
    const inbox = new Inbox<string>();
    for (const id of [1, 2, 3]) if (inbox.isNew(alice, id)) inbox.hold(alice, id, `job ${id}`);
    inbox.take(alice, 2);
    expect(inbox.heldFor('alice/0')).toEqual(['job 1', 'job 3']);
    expect(inbox.heldFor('nobody/0')).toEqual([]);
    expect(inbox.takeAllOf('alice/0')).toEqual(['job 1', 'job 3']);
    expect(inbox.count).toBe(0);
  });
});
