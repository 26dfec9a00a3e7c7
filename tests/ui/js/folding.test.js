import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsInSight } from '../../../kling_nb/ui/static/folding.js';

const rowsOf = (...statuses) => statuses.map((status, id) => ({ id, status, ended: ['succeeded', 'failed', 'cancelled'].includes(status) }));
const seen = (...statuses) => rowsInSight(rowsOf(...statuses)).map((row) => row.id);

test('a few rows are all in sight', () => {
  assert.deepEqual(seen('queued', 'succeeded', 'processing', 'queued', 'queued', 'failed'), [0, 1, 2, 3, 4, 5]);
});

test('of many, what went wrong and what is under way stay in sight, in their order', () => {
  assert.deepEqual(seen('succeeded', 'succeeded', 'processing', 'queued', 'queued', 'queued', 'uncertain', 'failed'), [2, 3, 6, 7]);
});

test('nothing that went wrong is folded away', () => {
  assert.deepEqual(seen(...Array(6).fill('failed'), 'succeeded', 'queued'), [0, 1, 2, 3, 4, 5]);
});

test('when all is done the first are in sight', () => {
  assert.deepEqual(seen(...Array(20).fill('succeeded')), [0, 1, 2, 3]);
});
