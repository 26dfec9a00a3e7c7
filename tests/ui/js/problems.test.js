import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestPlace, problemsByPlace, problemsText, worstSeverity } from '../../../kling_nb/ui/static/problems.js';

const places = ['', 'prompt', 'input_image', 'multi_prompt', 'multi_prompt.0'];

test('a problem is shown at its field or the nearest parent', () => {
  assert.equal(nearestPlace('multi_prompt.0.duration', places), 'multi_prompt.0');
  assert.equal(nearestPlace('multi_prompt.4.prompt', places), 'multi_prompt');
  assert.equal(nearestPlace('input_image.2', places), 'input_image');
});

test('a problem of a field that is not on the screen is still shown', () => {
  const problem = { path: 'resolution', severity: 'error' };
  assert.deepEqual(problemsByPlace([problem], places).get(''), [problem]);
});

test('an error outweighs a warning', () => {
  assert.equal(worstSeverity([{ severity: 'warning' }, { severity: 'error' }]), 'error');
  assert.equal(worstSeverity([{ severity: 'warning' }]), 'warning');
  assert.equal(worstSeverity([]), '');
});

test('two problems are announced and the rest are counted', () => {
  const problems = ['a', 'b', 'c', 'd'].map((message) => ({ path: '', severity: 'error', message, remedy: '' }));
  assert.equal(problemsText([]), 'No errors or warnings');
  assert.equal(problemsText(problems.slice(0, 1)), 'error: a');
  assert.equal(problemsText(problems), 'error: a. error: b. 2 more');
});
