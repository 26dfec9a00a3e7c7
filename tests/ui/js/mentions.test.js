import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completionAt, mentionNames, mentionParts, rearranged, renumbered } from '../../../kling_nb/ui/static/mentions.js';

test('known and unknown mentions are told apart, an address is neither', () => {
  const parts = mentionParts('@Image1 mails a@b.org and @Image9', ['Image1']);
  assert.deepEqual(parts.filter((part) => part.kind !== 'plain'), [{ text: '@Image1', kind: 'known' }, { text: '@Image9', kind: 'unknown' }]);
  assert.equal(parts.map((part) => part.text).join(''), '@Image1 mails a@b.org and @Image9');
});

test('an @ that was only begun stands alone', () => {
  assert.deepEqual(mentionParts('walks to @ in rain', []).map((part) => part.text), ['walks to ', '@', ' in rain']);
  assert.deepEqual(mentionParts('walks to @', []).at(-1), { text: '@', kind: 'plain' });
});

test('completion offers what begins or contains the letters so far', () => {
  const names = ['Image1', 'Image2', 'Element1'];
  assert.deepEqual(completionAt('see @', 5, names), { start: 4, options: names });
  assert.deepEqual(completionAt('see @im', 7, names).options, ['Image1', 'Image2']);
  assert.deepEqual(completionAt('@2', 2, names).options, ['Image2']);
});

test('completion is quiet inside a word, after an address, and when nothing is left to add', () => {
  assert.equal(completionAt('a@Im', 4, ['Image1']), null);
  assert.equal(completionAt('@Image1', 3, ['Image1']), null);
  assert.equal(completionAt('@Image1', 7, ['Image1']), null);
  assert.equal(completionAt('@x', 2, ['Image1']), null);
});

test('mentions follow the picture that they meant', () => {
  const { list, texts } = rearranged(['a', 'b', 'c'], 'Image', 0, 2);
  assert.deepEqual(list, ['b', 'c', 'a']);
  assert.equal(texts('@Image1 @Image2 @Image3 @Image9 @Element1'), '@Image3 @Image1 @Image2 @Image9 @Element1');
});

test('a mention of a removed picture loses its number and never means another', () => {
  const { list, texts } = rearranged(['a', 'b', 'c'], 'Image', 1, null);
  assert.deepEqual(list, ['a', 'c']);
  assert.equal(texts('@Image1 @Image2 @Image3'), '@Image1 @Image @Image2');
});

test('every order keeps every meaning', () => {
  const pictures = ['a', 'b', 'c', 'd'];
  for (let from = 0; from < 4; from += 1) {
    for (let to = 0; to < 4; to += 1) {
      const { list, texts } = rearranged(pictures, 'Image', from, to);
      pictures.forEach((picture, i) => assert.equal(list[Number(texts(`@Image${i + 1}`).slice(6)) - 1], picture));
    }
  }
});

test('longer words and other nouns are left alone', () => {
  assert.equal(renumbered('@Image1s @Images1', 'Image', () => 7), '@Image1s @Images1');
  assert.deepEqual(mentionNames({ input_image: ['k'], elements: [{}] }), ['Image1', 'Element1']);
});
