import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchingModels, nextIndex } from '../../../kling_nb/ui/static/modelpicker.js';

const models = [
  { id: 'kling-video-o3-omni', title: 'Kling O3 Omni', family: 'reference to video', makes: 'video', summary: 'One model for all.' },
  { id: 'kling-o3-image', title: 'Kling O3', family: 'image to video', makes: 'video', summary: '' },
  { id: 'flux', title: 'FLUX', family: 'text to image', makes: 'image', summary: 'A single image.' },
];

test('a search matches words in any order, with or without hyphens', () => {
  assert.deepEqual(matchingModels(models, 'image-to-video').map(({ id }) => id), ['kling-o3-image']);
  assert.deepEqual(matchingModels(models, ' OMNI  kling').map(({ id }) => id), ['kling-video-o3-omni']);
  assert.deepEqual(matchingModels(models, 'single').map(({ id }) => id), ['flux']);
  assert.equal(matchingModels(models, '').length, 3);
  assert.equal(matchingModels(models, 'sora').length, 0);
  const old = { ...models[0], id: 'kling-video-v2-6-pro-text-to-video', title: 'Kling 2.6 Pro Text to Video' };
  for (const version of ['v2.6', '2.6', 'v2-6']) assert.deepEqual(matchingModels([...models, old], version), [old]);
});

test('keys move through the list and wrap around', () => {
  assert.deepEqual(['ArrowDown', 'ArrowUp', 'Home', 'End', 'PageDown', 'a'].map((key) => nextIndex(key, 2, 3)), [0, 1, 0, 2, 2, null]);
  assert.equal(nextIndex('ArrowDown', 0, 0), null);
});
