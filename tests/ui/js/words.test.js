import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WORDS, wordsAt } from '../../../kling_nb/ui/static/words.js';

const texts = (/** @type {string} */ text) => wordsAt(text, text.length)?.options.map((option) => option.text) ?? [];

test('a slash completes words by their beginning, their middle, their group and their meaning', () => {
  assert.equal(texts('A cat, /gold')[0], 'golden hour');
  assert.ok(texts('/dolly').includes('slow dolly in') && texts('/dolly').includes('dolly zoom'));
  assert.ok(texts('/lens').some((word) => word.includes('mm')));
  assert.ok(texts('(/sun').includes('golden hour'));
  assert.equal(texts('A cat /').length, WORDS.length * 2);
});

test('a slash within a word, a date or an address is plain text', () => {
  for (const text of ['and/or', '1/2', 'https://a', 'a / b', '/ ', '/zzzz', 'no slash']) assert.deepEqual(texts(text), [], text);
});

test('the completion begins at the slash', () => {
  assert.equal(wordsAt('A cat, /gol', 11)?.start, 7);
});

test('every word is listed once and has a meaning', () => {
  const all = WORDS.flatMap(({ words }) => words);
  assert.equal(new Set(all.map(([word]) => word)).size, all.length);
  assert.ok(all.every(([, note]) => note));
});
