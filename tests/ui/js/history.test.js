import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedPath, emptyHistory, recordEdit, redoStep, sameDraft, undoStep } from '../../../kling_nb/ui/static/history.js';

const draft = (prompt, more = {}) => ({ prompt, duration: 5, input_image: [], multi_prompt: [], edit: Math.random(), ...more });

/** Record edits `[draft, at]` from an empty form. */
function record(...edits) {
  let [history, current] = [emptyHistory(), draft('')];
  for (const [next, at] of edits) { history = recordEdit(history, current, next, at); current = next; }
  return { history, current };
}

test('typing is one step until there is a pause', () => {
  const { history } = record([draft('a'), 0], [draft('ab'), 300], [draft('abc'), 900], [draft('abc d'), 3000]);
  assert.deepEqual(history.past.map((step) => step.draft.prompt), ['', 'abc']);
});

test('typing without a pause is a step every few seconds', () => {
  const letters = Array.from({ length: 30 }, (_, i) => [draft('x'.repeat(i + 1)), i * 400]);
  assert.deepEqual(record(...letters).history.past.map((step) => step.draft.prompt.length), [0, 13, 26]);
});

test('each change of images, shots or mode is a step of its own, however quick', () => {
  const { history } = record([draft('', { input_image: ['a1'] }), 0], [draft('', { input_image: ['a1', 'a2'] }), 10], [draft('', { input_image: ['a2', 'a1'] }), 20]);
  assert.equal(history.past.length, 3);
});

test('dragging a slider is one step, and so are edits with the same name', () => {
  const { history } = record([draft('', { duration: 6 }), 0], [draft('', { duration: 7 }), 50]);
  assert.equal(history.past.length, 1);
  const [one, two, three] = [[3, 3], [4, 2], [5, 1]].map(([a, b]) => draft('', { multi_prompt: [{ duration: a }, { duration: b }] }));
  let dragged = recordEdit(emptyHistory(), one, two, 0, 'boundary.0');
  dragged = recordEdit(dragged, two, three, 400, 'boundary.0');
  assert.equal(dragged.past.length, 1);
});

test('undo and redo go back and forth, and an edit clears redo', () => {
  const { history, current: now } = record([draft('a'), 0], [draft('a', { input_image: ['a1'] }), 10]);
  const once = undoStep(history, now);
  assert.deepEqual(once.draft.input_image, []);
  const twice = undoStep(once.history, once.draft);
  assert.equal(twice.draft.prompt, '');
  assert.equal(undoStep(twice.history, twice.draft), null);
  const again = redoStep(twice.history, twice.draft);
  assert.equal(again.draft.prompt, 'a');
  assert.deepEqual(redoStep(again.history, again.draft).draft.input_image, ['a1']);
  assert.equal(redoStep(recordEdit(again.history, again.draft, draft('z'), 99), draft('z')), null);
});

test('a letter that was typed and deleted leaves no step', () => {
  const { history } = record([draft('a'), 0], [draft(''), 200]);
  assert.equal(history.past.length, 0);
});

test('switching on and later off again can be undone twice', () => {
  const { history } = record([draft('', { generate_audio: true }), 0], [draft('', { generate_audio: false }), 100]);
  assert.equal(history.past.length, 2);
});

test('undo always restores the earlier draft, whatever the sequence', () => {
  const edits = ['a', 'ab', 'x'].flatMap((text, i) => [[draft(text), i * 5000], [draft(text, { input_image: [`a${i}`] }), i * 5000 + 10]]);
  const { history, current: now } = record(...edits);
  let [at, seen] = [{ history, draft: now }, [now]];
  for (let next = undoStep(at.history, at.draft); next; next = undoStep(at.history, at.draft)) { at = next; seen.push(next.draft); }
  for (let next = redoStep(at.history, at.draft); next; next = redoStep(at.history, at.draft)) { at = next; seen.splice(-1); assert.ok(sameDraft(seen.at(-1), next.draft)); }
  assert.ok(sameDraft(at.draft, now));
});

test('a changed value is named by its path', () => {
  const shots = (text) => draft('', { multi_prompt: [{ prompt: 'x', id: '1' }, { prompt: text, id: '2' }] });
  assert.equal(changedPath(shots('a'), shots('ab')), 'multi_prompt.1.prompt');
  assert.equal(changedPath(shots('a'), { ...shots('ab'), prompt: 'y' }), '');
  assert.equal(changedPath(draft('a'), draft('a', { input_image: ['k'] })), '');
});
