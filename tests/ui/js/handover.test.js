import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handover } from '../../../kling_nb/ui/static/handover.js';

/** A model that keeps what was sent, and can be told something. */
function model() {
  const sent = [];
  const heard = new Set();
  return { sent, heard, send: (message) => sent.push(message), on: (_, act) => heard.add(act), off: (_, act) => heard.delete(act),
    tell: (message) => heard.forEach((act) => act(message)) };
}

test('each question gets the answer to it, whatever their order', async () => {
  const stub = model();
  const hands = handover(stub);
  const first = hands.hand('job1', 12);
  const second = hands.open('job2');
  const [one, two] = stub.sent;
  assert.deepEqual([one.kind, one.id, one.frame, two.kind, two.id], ['use_frame', 'job1', 12, 'open', 'job2']);
  stub.tell({ kind: 'records', call: one.call });
  stub.tell({ kind: 'done', call: two.call, text: 'filled' });
  stub.tell({ kind: 'done', call: one.call, text: 'framed' });
  assert.deepEqual(await Promise.all([first, second]), ['framed', 'filled']);
  hands.close();
  assert.equal(stub.heard.size, 0);
});
