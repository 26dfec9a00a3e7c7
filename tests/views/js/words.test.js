import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockWords, countWords, expectedShare, leftWords, summaryWords } from '../../../kling_nb/views/static/words.js';

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
