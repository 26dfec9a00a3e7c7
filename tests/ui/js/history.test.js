import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedLeaf, freshHistory, recorded, redone, sameDraft, undone } from '../../../kling_nb/ui/static/history.js';

const draft = (prompt, more = {}) => ({ prompt, duration: 5, input_image: [], multi_prompt: [], edit: Math.random(), ...more });

/** Plays edits `[draft, at]` from an empty form. */
function played(...edits) {
  let [history, now] = [freshHistory(), draft('')];
  for (const [next, at] of edits) { history = recorded(history, now, next, at); now = next; }
  return { history, now };
}

test('typing is one step until there is a pause', () => {
  const { history } = played([draft('a'), 0], [draft('ab'), 300], [draft('abc'), 900], [draft('abc d'), 3000]);
  assert.deepEqual(history.past.map((step) => step.draft.prompt), ['', 'abc']);
});

test('typing without a pause is a step every few seconds', () => {
  const letters = Array.from({ length: 30 }, (_, i) => [draft('x'.repeat(i + 1)), i * 400]);
  assert.deepEqual(played(...letters).history.past.map((step) => step.draft.prompt.length), [0, 13, 26]);
});

test('each change of pictures, shots or mode is a step of its own, however quick', () => {
  const { history } = played([draft('', { input_image: ['a1'] }), 0], [draft('', { input_image: ['a1', 'a2'] }), 10], [draft('', { input_image: ['a2', 'a1'] }), 20]);
  assert.equal(history.past.length, 3);
});

test('a slider that is dragged is one step, and so is what is named', () => {
  const { history } = played([draft('', { duration: 6 }), 0], [draft('', { duration: 7 }), 50]);
  assert.equal(history.past.length, 1);
  const [one, two, three] = [[3, 3], [4, 2], [5, 1]].map(([a, b]) => draft('', { multi_prompt: [{ duration: a }, { duration: b }] }));
  let dragged = recorded(freshHistory(), one, two, 0, 'boundary.0');
  dragged = recorded(dragged, two, three, 400, 'boundary.0');
  assert.equal(dragged.past.length, 1);
});

test('undo and redo go back and forth, and an edit ends the future', () => {
  const { history, now } = played([draft('a'), 0], [draft('a', { input_image: ['a1'] }), 10]);
  const once = undone(history, now);
  assert.deepEqual(once.draft.input_image, []);
  const twice = undone(once.history, once.draft);
  assert.equal(twice.draft.prompt, '');
  assert.equal(undone(twice.history, twice.draft), null);
  const again = redone(twice.history, twice.draft);
  assert.equal(again.draft.prompt, 'a');
  assert.deepEqual(redone(again.history, again.draft).draft.input_image, ['a1']);
  assert.equal(redone(recorded(again.history, again.draft, draft('z'), 99), draft('z')), null);
});

test('a letter that was typed and deleted leaves no step', () => {
  const { history } = played([draft('a'), 0], [draft(''), 200]);
  assert.equal(history.past.length, 0);
});

test('switching on and off again later can be undone twice', () => {
  const { history } = played([draft('', { generate_audio: true }), 0], [draft('', { generate_audio: false }), 100]);
  assert.equal(history.past.length, 2);
});

test('what undo gives back is what was there, through any walk', () => {
  const edits = ['a', 'ab', 'x'].flatMap((text, i) => [[draft(text), i * 5000], [draft(text, { input_image: [`a${i}`] }), i * 5000 + 10]]);
  const { history, now } = played(...edits);
  let [at, seen] = [{ history, draft: now }, [now]];
  for (let next = undone(at.history, at.draft); next; next = undone(at.history, at.draft)) { at = next; seen.push(next.draft); }
  for (let next = redone(at.history, at.draft); next; next = redone(at.history, at.draft)) { at = next; seen.splice(-1); assert.ok(sameDraft(seen.at(-1), next.draft)); }
  assert.ok(sameDraft(at.draft, now));
});

test('the leaf that changed is named by its path', () => {
  const shots = (text) => draft('', { multi_prompt: [{ prompt: 'x', id: '1' }, { prompt: text, id: '2' }] });
  assert.equal(changedLeaf(shots('a'), shots('ab')), 'multi_prompt.1.prompt');
  assert.equal(changedLeaf(shots('a'), { ...shots('ab'), prompt: 'y' }), '');
  assert.equal(changedLeaf(draft('a'), draft('a', { input_image: ['k'] })), '');
});
