import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldSummary, isUnset, formLayout, stepOf } from '../../../kling_nb/ui/static/formlayout.js';

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
