import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestPlace, placedProblems, spokenProblems, worstSeverity } from '../../../kling_nb/ui/static/faults.js';

const places = ['', 'prompt', 'input_image', 'multi_prompt', 'multi_prompt.0'];

test('a problem is shown at its field or the nearest one above', () => {
  assert.equal(nearestPlace('multi_prompt.0.duration', places), 'multi_prompt.0');
  assert.equal(nearestPlace('multi_prompt.4.prompt', places), 'multi_prompt');
  assert.equal(nearestPlace('input_image.2', places), 'input_image');
});

test('a problem of a field that has no place is still shown', () => {
  const problem = { path: 'resolution', severity: 'error' };
  assert.deepEqual(placedProblems([problem], places).get(''), [problem]);
});

test('an error outweighs a warning', () => {
  assert.equal(worstSeverity([{ severity: 'warning' }, { severity: 'error' }]), 'error');
  assert.equal(worstSeverity([{ severity: 'warning' }]), 'warning');
  assert.equal(worstSeverity([]), '');
});

test('however many problems there are, two are spoken and the rest counted', () => {
  const problems = ['a', 'b', 'c', 'd'].map((message) => ({ path: '', severity: 'error', message, remedy: '' }));
  assert.equal(spokenProblems([]), 'No errors or warnings');
  assert.equal(spokenProblems(problems.slice(0, 1)), 'error: a');
  assert.equal(spokenProblems(problems), 'error: a. error: b. 2 more');
});
