import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visibleRows } from '../../../kling_nb/ui/static/joblist.js';

const rowsOf = (...statuses) => statuses.map((status, id) => ({ id, status, ended: ['succeeded', 'failed', 'cancelled'].includes(status) }));
const seen = (...statuses) => visibleRows(rowsOf(...statuses)).map((row) => row.id);

test('a few rows are all shown', () => {
  assert.deepEqual(seen('queued', 'succeeded', 'processing', 'queued', 'queued', 'failed'), [0, 1, 2, 3, 4, 5]);
});

test('of many rows, failed and active ones are shown, in their order', () => {
  assert.deepEqual(seen('succeeded', 'succeeded', 'processing', 'queued', 'queued', 'queued', 'uncertain', 'failed'), [2, 3, 6, 7]);
});

test('failed rows are never hidden', () => {
  assert.deepEqual(seen(...Array(6).fill('failed'), 'succeeded', 'queued'), [0, 1, 2, 3, 4, 5]);
});

test('when every job has ended, the first rows are shown', () => {
  assert.deepEqual(seen(...Array(20).fill('succeeded')), [0, 1, 2, 3]);
});
