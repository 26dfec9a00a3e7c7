import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correction, frameAt, frameCount, frameMiddle, tenthsText } from '../../../kling_nb/ui/static/frames.js';

test('a seek to the middle of a frame shows that frame, at every rate', () => {
  for (const fps of [23.976, 24, 25, 30, 60]) for (let n = 0; n < 900; n += 1) assert.equal(frameAt(frameMiddle(n, fps), fps), n);
});

test('the start of a frame belongs to it, whatever the rounding', () => {
  for (let n = 0; n < 400; n += 1) assert.equal(frameAt(n / 24, 24), n);
  assert.equal(frameAt(-1, 24), 0);
});

test('a length in seconds is converted to frames', () => {
  assert.equal(frameCount(5, 24), 120);
  assert.equal(frameCount(5.0416, 24), 121);
  assert.equal(frameCount(0, 24), 1);
});

test('time is formatted to a tenth of a second', () => {
  assert.equal(tenthsText(62.59), '1:02.5');
  assert.equal(tenthsText(0.3), '0:00.3');
});

test('a video that is ahead slows down, one that is behind speeds up, and both converge', () => {
  for (const start of [-8, -3, -0.5, 0.5, 3, 8]) {
    let drift = start;
    for (let tick = 0; tick < 60; tick += 1) { // one second of ticks: 0.4 frames each
      const { jump, factor } = correction(drift);
      assert.equal(jump, false);
      drift += 0.4 * (factor - 1);
    }
    assert.ok(Math.abs(drift) < 0.2, `${start} ended at ${drift}`);
  }
  assert.equal(correction(40).jump, true);
});
