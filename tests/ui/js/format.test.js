import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remedySeparator, clockText, countText, expectedShare, remainingText, changesText, summaryText, titleParts } from '../../../kling_nb/ui/static/format.js';

test('elapsed time is formatted as a clock', () => {
  assert.equal(clockText(0), '0:00');
  assert.equal(clockText(42.9), '0:42');
  assert.equal(clockText(3723), '1:02:03');
  assert.equal(clockText(-5), '0:00');
});

test('the remaining time is rounded, and is not given once it has passed', () => {
  assert.equal(remainingText(null, 100), '');
  assert.equal(remainingText(220, 100), 'about 2 min left');
  assert.equal(remainingText(112, 100), 'about 15 s left');
  assert.equal(remainingText(99, 100), 'taking longer than usual');
});

test('without an expected time there is no share, and the bar never fills up by itself', () => {
  assert.equal(expectedShare({ created: 0, expected: null }, 50), null);
  assert.equal(expectedShare({ created: 0, expected: 100 }, 50), 0.5);
  assert.equal(expectedShare({ created: 0, expected: 100 }, 5000), 0.97);
});

test('many jobs are summarized in one line, active ones first', () => {
  const rows = ['succeeded', 'processing', 'succeeded', 'failed'].map((status) => ({ status }));
  assert.equal(summaryText(rows), '1 generating · 2 done · 1 failed');
  assert.equal(countText(1, 'thing'), '1 thing');
  assert.equal(countText(2, 'thing'), '2 things');
});

test('one or two changes are announced by title, more as counts, and known ones not at all', () => {
  const rows = [1, 2, 3].map((n) => ({ id: `${n}`, title: n === 2 ? '' : `boat ${n}`, status: 'succeeded', text: 'Done' }));
  assert.equal(changesText(new Map(), rows.slice(0, 2)), 'boat 1: Done. 2: Done');
  assert.equal(changesText(new Map([['1', 'succeeded'], ['2', 'queued'], ['3', 'succeeded']]), rows), '2: Done');
  assert.equal(changesText(new Map(), rows), '3 done');
  assert.equal(changesText(new Map(rows.map((row) => [row.id, row.status])), rows), '');
});

test('the number of a title is separated from its prompt', () => {
  assert.deepEqual(titleParts('4 of 4 · قطة'), ['4 of 4 · ', 'قطة']);
  assert.deepEqual(titleParts('kites, 1 of 2 · red'), ['', 'kites, 1 of 2 · red']);
});

test('a remedy follows a sentence after a space, and a phrase after a dash', () => {
  assert.equal(remedySeparator('duration must be 3 to 15, got 2.'), ' ');
  assert.equal(remedySeparator('2 s is too short'), ' – ');
});
