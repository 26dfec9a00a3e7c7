import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barBlocks, movedItem, nextDuration, totalFault, totalSeconds } from '../../../kling_nb/views/static/timing.js';

const shots = (...durations) => durations.map((duration) => ({ duration }));

test('the blocks of the bar lie end to end in proportion', () => {
  const blocks = barBlocks(shots(3, 6, 6));
  assert.deepEqual(blocks.map((block) => Math.round(block.left)), [0, 20, 60]);
  assert.deepEqual(blocks.map((block) => Math.round(block.width)), [20, 40, 40]);
  assert.ok(blocks.every((block) => !block.over));
});

test('a bar that is too long shrinks to fit and marks what is over', () => {
  const blocks = barBlocks(shots(10, 10));
  assert.equal(Math.round(blocks[1].left + blocks[1].width), 100);
  assert.deepEqual(blocks.map((block) => block.over), [false, true]);
});

test('a total is short under 3 s and long over 15 s', () => {
  assert.deepEqual([2, 3, 15, 16].map(totalFault), ['short', '', '', 'long']);
  assert.equal(totalSeconds(shots(4, Number.NaN, 3)), 7);
});

test('a new shot takes what is left, from 1 to 5 s', () => {
  assert.deepEqual([[], [12], [15]].map((list) => nextDuration(shots(...list))), [5, 3, 1]);
});

test('an item moves without changing the list that was given', () => {
  const list = ['a', 'b', 'c'];
  assert.deepEqual(movedItem(list, 0, 2), ['b', 'c', 'a']);
  assert.deepEqual(movedItem(list, 2, -1), ['c', 'a', 'b']);
  assert.deepEqual(list, ['a', 'b', 'c']);
});
