import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areMentioned, completionAt, mentionParts, mentionTargets, reorder, renumberMentions } from '../../../kling_nb/ui/static/mentions.js';

test('known and unknown mentions are distinguished, and an email address is neither', () => {
  const parts = mentionParts('@Image1 mails a@b.org and @Image9', ['Image1']);
  assert.deepEqual(parts.filter((part) => part.kind !== 'plain'), [{ text: '@Image1', kind: 'known' }, { text: '@Image9', kind: 'unknown' }]);
  assert.equal(parts.map((part) => part.text).join(''), '@Image1 mails a@b.org and @Image9');
});

test('a mention in another spelling is marked as unknown, and follows its image', () => {
  const parts = mentionParts('<<<image_1>>> and ＠Image2@Image1', ['Image1', 'Image2']);
  assert.deepEqual(parts.filter((part) => part.kind !== 'plain').map((part) => [part.text, part.kind]), [['<<<image_1>>>', 'unknown'], ['＠Image2', 'unknown'], ['@Image1', 'known']]);
  assert.equal(reorder(['a', 'b'], 'Image', 0, 1).rewrite('<<<image_1>>> and @image2'), '@Image2 and @Image1');
});

test('a lone @ is a part of its own', () => {
  assert.deepEqual(mentionParts('walks to @ in rain', []).map((part) => part.text), ['walks to ', '@', ' in rain']);
  assert.deepEqual(mentionParts('walks to @', []).at(-1), { text: '@', kind: 'plain' });
});

test('completion offers names that start with or contain the typed letters', () => {
  const names = ['Image1', 'Image2', 'Element1'];
  assert.deepEqual(completionAt('see @', 5, names), { start: 4, options: names });
  assert.deepEqual(completionAt('see @im', 7, names).options, ['Image1', 'Image2']);
  assert.deepEqual(completionAt('@2', 2, names).options, ['Image2']);
});

test('nothing is completed inside a word, in an email address, or when the name is complete', () => {
  assert.equal(completionAt('a@Im', 4, ['Image1']), null);
  assert.equal(completionAt('@Image1', 3, ['Image1']), null);
  assert.equal(completionAt('@Image1', 7, ['Image1']), null);
  assert.equal(completionAt('@x', 2, ['Image1']), null);
});

test('mentions follow their image', () => {
  const { list, rewrite } = reorder(['a', 'b', 'c'], 'Image', 0, 2);
  assert.deepEqual(list, ['b', 'c', 'a']);
  assert.equal(rewrite('@Image1 @Image2 @Image3 @Image9 @Element1'), '@Image3 @Image1 @Image2 @Image9 @Element1');
});

test('a mention of a removed image loses its number and never refers to another image', () => {
  const { list, rewrite } = reorder(['a', 'b', 'c'], 'Image', 1, null);
  assert.deepEqual(list, ['a', 'c']);
  assert.equal(rewrite('@Image1 @Image2 @Image3'), '@Image1 @Image @Image2');
});

test('mentions refer to the same image in every order', () => {
  const images = ['a', 'b', 'c', 'd'];
  for (let from = 0; from < 4; from += 1) {
    for (let to = 0; to < 4; to += 1) {
      const { list, rewrite } = reorder(images, 'Image', from, to);
      images.forEach((image, i) => assert.equal(list[Number(rewrite(`@Image${i + 1}`).slice(6)) - 1], image));
    }
  }
});

test('longer words and other nouns are unchanged', () => {
  assert.equal(renumberMentions('@Image1s @Images1', 'Image', () => 7), '@Image1s @Images1');
});

test('the files of any model can be mentioned, but not its frames', () => {
  const names = (/** @type {Record<string, unknown>} */ draft) => [...mentionTargets(draft).keys()].join(' ');
  assert.equal(names({ input_image: ['k'], elements: [{}], tail_image_url: 'k' }), 'Image1 Element1');
  assert.equal(names({ input_images: ['k', 'l'], input_videos: ['v', 'w'], input_audio: 'a', input_video: null }), 'Image1 Image2 Video1 Video2 Audio1');
  assert.equal(mentionTargets({ input_image: 'k' }).get('Image1'), 'k');
  assert.equal(mentionTargets({ elements: [{ frontal_image_url: 'f' }] }).get('Element1'), 'f');
  assert.deepEqual([areMentioned('input_images', { input_images: [] }), areMentioned('images', { images: [], input_image: '' })], [true, false]);
});
