import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gridLayout, visibleRange, pagesFor } from '../../../kling_nb/ui/static/grid.js';

test('tiles fill the width and none is missing between pages', () => {
  for (const width of [130, 320, 700, 1100, 1900]) {
    const grid = gridLayout(width, 2000);
    assert.ok(grid.columns >= 1);
    assert.ok(grid.columns * grid.width + (grid.columns - 1) * grid.gap <= width + 1e-6);
    let seen = -1;
    for (let top = 0; top < grid.total; top += 300) {
      const [from, upto] = visibleRange(grid, 2000, top, 560);
      assert.ok(from <= Math.max(0, seen) && upto <= 2000);
      seen = upto;
    }
    assert.equal(seen, 2000);
  }
});

test('the pages of the visible tiles are wanted', () => {
  assert.deepEqual(pagesFor(0, 1, 24), [0]);
  assert.deepEqual(pagesFor(20, 50, 24), [0, 1, 2]);
  assert.deepEqual(pagesFor(24, 48, 24), [1]);
});
