import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldSummary, isUnset, formLayout, stepOf } from '../../../kling_nb/ui/static/formlayout.js';
import { matchingModels, nextIndex } from '../../../kling_nb/ui/static/modelpicker.js';

const spec = (name, kind, basic = true, more = {}) => ({ name, kind, basic, title: name, note: '', requires: '', default: null, ...more });
const names = (specs) => specs.map(({ name }) => name);

test('the prompt comes first, settings have a fixed order, and the rest is collapsed', () => {
  const layout = formLayout([spec('input_image', 'images'), spec('generate_audio', 'toggle'), spec('style', 'choice'), spec('duration', 'integer'), spec('prompt', 'prompt'),
    spec('start_image_url', 'image', false), spec('tail_image_url', 'image', false), spec('negative_prompt', 'prompt', false), spec('cfg_scale', 'number', false)]);
  assert.deepEqual(names(layout.main), ['prompt', 'input_image']);
  assert.deepEqual(names(layout.settings), ['duration', 'generate_audio', 'style']);
  assert.deepEqual(layout.folds.map((part) => [part.id, names(part.specs)]), [['frames', ['start_image_url', 'tail_image_url']], ['negative_prompt', ['negative_prompt']], ['more', ['cfg_scale']]]);
});

test('a lone tail frame is one of the other settings, and a video includes the fields that require it', () => {
  const layout = formLayout([spec('prompt', 'prompt'), spec('tail_image_url', 'image', false), spec('input_video', 'video', false), spec('keep_audio', 'toggle', false, { requires: 'input_video' })]);
  assert.deepEqual(layout.folds.map((part) => [part.id, names(part.specs)]), [['video', ['input_video', 'keep_audio']], ['more', ['tail_image_url']]]);
});

test('every field appears exactly once', () => {
  const kinds = ['prompt', 'shots', 'images', 'image', 'elements', 'video', 'choice', 'integer', 'number', 'toggle', 'text', 'json'];
  const specs = kinds.flatMap((kind) => [spec(`${kind}_a`, kind), spec(`${kind}_b`, kind, false), spec(`${kind}_c`, kind, false)]);
  const layout = formLayout(specs);
  const placed = [...layout.main, ...layout.settings, ...layout.folds.flatMap((part) => part.specs)];
  assert.deepEqual(names(placed).sort(), names(specs).sort());
});

test('a collapsed part shows how much of it is set', () => {
  const more = { id: 'more', specs: [spec('cfg_scale', 'number', false, { default: 0.5 }), spec('seed', 'integer', false)] };
  assert.equal(foldSummary(more, { cfg_scale: 0.5, seed: null }), '');
  assert.equal(foldSummary(more, { cfg_scale: 0.7, seed: 0 }), '2 set');
  assert.equal(foldSummary({ id: 'frames', specs: [spec('start_image_url', 'image'), spec('tail_image_url', 'image')] }, { start_image_url: 'a1', tail_image_url: 'a2' }), 'start + tail');
  assert.ok(isUnset(spec('x', 'toggle', true, { default: true }), true) && !isUnset(spec('x', 'toggle', true, { default: true }), false));
});

test('the step of a slider depends on its range', () => {
  assert.deepEqual([[3, 15, 'integer'], [0, 1, 'number'], [0, 10, 'number'], [0, 100, 'number']].map(([minimum, maximum, kind]) => stepOf({ minimum, maximum, kind })), [1, 0.01, 0.1, 1]);
});

const models = [
  { id: 'kling-video-o3-omni', title: 'Kling O3 Omni', family: 'reference to video', makes: 'video', summary: 'One model for all.' },
  { id: 'kling-o3-image', title: 'Kling O3', family: 'image to video', makes: 'video', summary: '' },
  { id: 'flux', title: 'FLUX', family: 'text to image', makes: 'image', summary: 'A still.' },
];

test('a search matches words in any order, with or without hyphens', () => {
  assert.deepEqual(matchingModels(models, 'image-to-video').map(({ id }) => id), ['kling-o3-image']);
  assert.deepEqual(matchingModels(models, ' OMNI  kling').map(({ id }) => id), ['kling-video-o3-omni']);
  assert.deepEqual(matchingModels(models, 'still').map(({ id }) => id), ['flux']);
  assert.equal(matchingModels(models, '').length, 3);
  assert.equal(matchingModels(models, 'sora').length, 0);
  const old = { ...models[0], id: 'kling-video-v2-6-pro-text-to-video', title: 'Kling 2.6 Pro Text to Video' };
  for (const version of ['v2.6', '2.6', 'v2-6']) assert.deepEqual(matchingModels([...models, old], version), [old]);
});

test('keys move through the list and wrap around', () => {
  assert.deepEqual(['ArrowDown', 'ArrowUp', 'Home', 'End', 'PageDown', 'a'].map((key) => nextIndex(key, 2, 3)), [0, 1, 0, 2, 2, null]);
  assert.equal(nextIndex('ArrowDown', 0, 0), null);
});
