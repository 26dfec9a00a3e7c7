import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockWords, countWords, expectedShare, leftWords, newsWords, summaryWords, titleParts } from '../../../kling_nb/ui/static/words.js';

test('elapsed time is written as a clock', () => {
  assert.equal(clockWords(0), '0:00');
  assert.equal(clockWords(42.9), '0:42');
  assert.equal(clockWords(3723), '1:02:03');
  assert.equal(clockWords(-5), '0:00');
});

test('what is left is rounded, and never promised when it is over', () => {
  assert.equal(leftWords(null, 100), '');
  assert.equal(leftWords(220, 100), 'about 2 min left');
  assert.equal(leftWords(112, 100), 'about 15 s left');
  assert.equal(leftWords(99, 100), 'taking longer than usual');
});

test('a bar has no share when nothing is expected, and never fills by itself', () => {
  assert.equal(expectedShare({ created: 0, expected: null }, 50), null);
  assert.equal(expectedShare({ created: 0, expected: 100 }, 50), 0.5);
  assert.equal(expectedShare({ created: 0, expected: 100 }, 5000), 0.97);
});

test('many jobs are one line, active ones first', () => {
  const rows = ['succeeded', 'processing', 'succeeded', 'failed'].map((status) => ({ status }));
  assert.equal(summaryWords(rows), '1 generating · 2 done · 1 failed');
  assert.equal(countWords(1, 'thing'), '1 thing');
  assert.equal(countWords(2, 'thing'), '2 things');
});

test('one or two jobs are spoken of by title, more as counts, and what is known is not said again', () => {
  const rows = [1, 2, 3].map((n) => ({ id: `${n}`, title: n === 2 ? '' : `boat ${n}`, status: 'succeeded', text: 'Done' }));
  assert.equal(newsWords(new Map(), rows.slice(0, 2)), 'boat 1: Done. 2: Done');
  assert.equal(newsWords(new Map([['1', 'succeeded'], ['2', 'queued'], ['3', 'succeeded']]), rows), '2: Done');
  assert.equal(newsWords(new Map(), rows), '3 done');
  assert.equal(newsWords(new Map(rows.map((row) => [row.id, row.status])), rows), '');
});

test('the number of a title stands apart from its prompt', () => {
  assert.deepEqual(titleParts('4 of 4 · قطة'), ['4 of 4 · ', 'قطة']);
  assert.deepEqual(titleParts('kites, 1 of 2 · red'), ['', 'kites, 1 of 2 · red']);
});
