import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barBlocks, boundaryAt, moveBoundary, moveItem, nextDuration, dropIndex, splitShot, totalError, totalSeconds } from '../../../kling_nb/ui/static/timing.js';

const shots = (...durations) => durations.map((duration) => ({ duration }));

test('the blocks of the timeline are adjacent and proportional', () => {
  const blocks = barBlocks(shots(3, 6, 6));
  assert.deepEqual(blocks.map((block) => Math.round(block.left)), [0, 20, 60]);
  assert.deepEqual(blocks.map((block) => Math.round(block.width)), [20, 40, 40]);
  assert.ok(blocks.every((block) => !block.over));
});

test('a timeline that is too long shrinks to fit and marks the excess', () => {
  const blocks = barBlocks(shots(10, 10));
  assert.equal(Math.round(blocks[1].left + blocks[1].width), 100);
  assert.deepEqual(blocks.map((block) => block.over), [false, true]);
});

test('a total is too short below 3 s and too long above 15 s', () => {
  assert.deepEqual([2, 3, 15, 16].map(totalError), ['short', '', '', 'long']);
  assert.equal(totalSeconds(shots(4, Number.NaN, 3)), 7);
});

test('a new shot takes the remaining time, from 1 to 5 s', () => {
  assert.deepEqual([[], [12], [15]].map((list) => nextDuration(shots(...list))), [5, 3, 1]);
});

test('moving an item does not change the original list', () => {
  const list = ['a', 'b', 'c'];
  assert.deepEqual(moveItem(list, 0, 2), ['b', 'c', 'a']);
  assert.deepEqual(moveItem(list, 2, -1), ['c', 'a', 'b']);
  assert.deepEqual(list, ['a', 'b', 'c']);
});

const lengths = (list) => list.map((shot) => shot.duration);

test('a boundary between shots moves seconds from one to the other', () => {
  assert.deepEqual(lengths(moveBoundary(shots(3, 4, 5), 0, 5)), [5, 2, 5]);
  assert.deepEqual(lengths(moveBoundary(shots(3, 4, 5), 1, 0)), [3, 1, 8]);
  assert.deepEqual(lengths(moveBoundary(shots(3, 4, 5), 0, 99)), [6, 1, 5]);
});

test('the last boundary changes the total, up to 15 s', () => {
  assert.deepEqual(lengths(moveBoundary(shots(3, 4), 1, 9.6)), [3, 7]);
  assert.deepEqual(lengths(moveBoundary(shots(3, 4), 1, 99)), [3, 12]);
  assert.deepEqual(boundaryAt(shots(3, 4), 1), { now: 7, min: 4, max: 15 });
});

test('shots that are too long can only be made shorter', () => {
  const long = shots(10, 10);
  assert.deepEqual(boundaryAt(long, 1), { now: 20, min: 11, max: 20 });
  assert.equal(moveBoundary(long, 1, 99), long);
  assert.deepEqual(lengths(moveBoundary(long, 1, 15)), [10, 5]);
});

test('a shot is split into two with the same total', () => {
  const split = splitShot([{ prompt: 'a', duration: 5, id: 'x' }], 0, 'y');
  assert.deepEqual(split, [{ prompt: 'a', duration: 3, id: 'x' }, { prompt: 'a', duration: 2, id: 'y' }]);
  const short = shots(1);
  assert.equal(splitShot(short, 0, 'y'), short);
});

test('a dragged shot swaps places with shots whose middle it passes', () => {
  const list = shots(3, 4, 5);
  assert.equal(dropIndex(list, 0, 0), 0);
  assert.equal(dropIndex(list, 0, 2), 0);
  assert.equal(dropIndex(list, 0, 2.5), 1);
  assert.equal(dropIndex(list, 0, 9), 2);
  assert.equal(dropIndex(list, 2, 6), 2);
  assert.equal(dropIndex(list, 2, 4.5), 1);
  assert.equal(dropIndex(list, 2, -1), 0);
});

test('a shot that is not moved keeps its place, whatever the lengths', () => {
  for (const list of [shots(1, 14), shots(14, 1), shots(2, 2, 2, 2, 2, 5), shots(9, 1, 9)]) {
    list.forEach((_, i) => assert.equal(dropIndex(list, i, totalSeconds(list.slice(0, i))), i));
  }
});
