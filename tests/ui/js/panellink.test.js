import assert from 'node:assert/strict';
import { test } from 'node:test';
import { panelLink } from '../../../kling_nb/ui/static/panellink.js';

/** A model that records the sent messages and can receive some. */
function model() {
  const sent = [];
  const listeners = new Set();
  return { sent, listeners, send: (message) => sent.push(message), on: (_, act) => listeners.add(act), off: (_, act) => listeners.delete(act),
    receive: (message) => listeners.forEach((act) => act(message)) };
}

test('each question gets its own answer, in any order', async () => {
  const stub = model();
  const link = panelLink(stub);
  const first = link.useFrame('job1', 12);
  const second = link.open('job2');
  const [one, two] = stub.sent;
  assert.deepEqual([one.kind, one.id, one.frame, two.kind, two.id], ['use_frame', 'job1', 12, 'open', 'job2']);
  stub.receive({ kind: 'records', call: one.call });
  stub.receive({ kind: 'done', call: two.call, text: 'filled' });
  stub.receive({ kind: 'done', call: one.call, text: 'framed' });
  assert.deepEqual(await Promise.all([first, second]), ['framed', 'filled']);
  link.close();
  assert.equal(stub.listeners.size, 0);
});
