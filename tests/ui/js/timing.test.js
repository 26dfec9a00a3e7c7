import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barBlocks, boundaryAt, boundaryMoved, movedItem, nextDuration, placeAt, splitShot, totalFault, totalSeconds } from '../../../kling_nb/ui/static/timing.js';

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

const lengths = (list) => list.map((shot) => shot.duration);

test('a boundary between shots gives seconds of one to the other', () => {
  assert.deepEqual(lengths(boundaryMoved(shots(3, 4, 5), 0, 5)), [5, 2, 5]);
  assert.deepEqual(lengths(boundaryMoved(shots(3, 4, 5), 1, 0)), [3, 1, 8]);
  assert.deepEqual(lengths(boundaryMoved(shots(3, 4, 5), 0, 99)), [6, 1, 5]);
});

test('the last boundary makes the whole longer, never over 15 s', () => {
  assert.deepEqual(lengths(boundaryMoved(shots(3, 4), 1, 9.6)), [3, 7]);
  assert.deepEqual(lengths(boundaryMoved(shots(3, 4), 1, 99)), [3, 12]);
  assert.deepEqual(boundaryAt(shots(3, 4), 1), { now: 7, least: 4, most: 15 });
});

test('shots that are too long already can only be made shorter', () => {
  const long = shots(10, 10);
  assert.deepEqual(boundaryAt(long, 1), { now: 20, least: 11, most: 20 });
  assert.equal(boundaryMoved(long, 1, 99), long);
  assert.deepEqual(lengths(boundaryMoved(long, 1, 15)), [10, 5]);
});

test('a shot is split into two that last as long together', () => {
  const split = splitShot([{ prompt: 'a', duration: 5, id: 'x' }], 0, 'y');
  assert.deepEqual(split, [{ prompt: 'a', duration: 3, id: 'x' }, { prompt: 'a', duration: 2, id: 'y' }]);
  const short = shots(1);
  assert.equal(splitShot(short, 0, 'y'), short);
});

test('a shot that is dragged changes places with those whose middle it passes', () => {
  const list = shots(3, 4, 5);
  assert.equal(placeAt(list, 0, 0), 0);
  assert.equal(placeAt(list, 0, 2), 0);
  assert.equal(placeAt(list, 0, 2.5), 1);
  assert.equal(placeAt(list, 0, 9), 2);
  assert.equal(placeAt(list, 2, 6), 2);
  assert.equal(placeAt(list, 2, 4.5), 1);
  assert.equal(placeAt(list, 2, -1), 0);
});

test('a shot that rests where it is stays there, whatever the lengths', () => {
  for (const list of [shots(1, 14), shots(14, 1), shots(2, 2, 2, 2, 2, 5), shots(9, 1, 9)]) {
    list.forEach((_, i) => assert.equal(placeAt(list, i, totalSeconds(list.slice(0, i))), i));
  }
});
