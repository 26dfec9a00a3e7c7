import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutCopies } from '../../../kling_nb/lab/labextension/modules/state.js';

const log = (name, address = '', error = '') => ({ name, address, team: Boolean(address), error });

test('of the caches of one team one is shown, and so is each that cannot be read', () => {
  const names = (logs) => withoutCopies(logs).map((each) => each.name);
  assert.deepEqual(names([log('a', 'db'), log('b', 'db'), log('c'), log('d', 'other'), log('e')]), ['a', 'c', 'd', 'e']);
  assert.deepEqual(names([log('a', 'db', 'away'), log('b', 'db'), log('c', 'db')]), ['a', 'b']);
});
