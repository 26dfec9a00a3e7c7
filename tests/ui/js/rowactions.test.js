import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipBefore } from '../../../kling_nb/ui/static/rowactions.js';

const row = (id, batch, file = `${id}.mp4`) => ({ id, batch, file, image: false });
const rows = [row('c1', 'c'), row('c2', 'c'), row('c3', 'c', ''), row('b1', 'b', ''), row('a1', 'a')];

test('the clip before one of several is its neighbour in the same request', () => {
  assert.equal(clipBefore(rows, 'c2')?.id, 'c1');
});

test('the clip before the first of a request is the newest clip of an earlier one', () => {
  assert.equal(clipBefore(rows, 'c1')?.id, 'a1');
});

test('the oldest clip has none before it', () => {
  assert.equal(clipBefore(rows, 'a1'), null);
});
