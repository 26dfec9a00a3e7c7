import { h } from './dom.js';
import { gridOf, inSight, pagesOf } from './layout.js';
import { galleryTile } from './tile.js';

const TALLEST = 600;

/**
 * A grid of which only what is in sight exists. Arrows move, space selects, Enter opens, 1 to 5 rate and 0 takes back.
 * @param {{store: ReturnType<typeof import('./pages.js').pageStore>, selected: Set<string>, opened: () => string|null, acts: TileActs}} spec
 */
export function tileGrid({ store, selected, opened, acts }) {
  const sheet = h('div', { class: 'kn-grid-sheet', role: 'list', 'aria-label': 'Clips' });
  const el = h('div', { class: 'kn-grid', tabindex: '-1' }, sheet);
  let grid = gridOf(600, 0);
  /** @type {ReturnType<typeof galleryTile>[]} */
  const tiles = [];
  let current = 0;
  let due = 0;

  const draw = () => {
    due = 0;
    const count = store.total ?? 0;
    const width = sheet.clientWidth || el.clientWidth;
    if (!width) { store.want([0]); return; } // nothing passed the last filters, so nothing is shown: ask all the same
    grid = gridOf(width, count, width < 460 ? { least: 118, gap: 10, foot: 74 } : {});
    sheet.style.height = `${grid.total}px`;
    el.style.height = `${Math.min(TALLEST, grid.total + 6)}px`;
    const [from, upto] = inSight(grid, count, el.scrollTop, el.clientHeight);
    current = Math.min(current, Math.max(0, count - 1));
    store.want(pagesOf(from, Math.max(upto, 1), store.size));
    const focused = tiles.find((one) => one.el === document.activeElement);
    const free = [];
    const placed = new Map();
    for (const one of tiles) {
      if (one.index >= from && one.index < upto && !placed.has(one.index)) placed.set(one.index, one);
      else free.push(one);
    }
    for (let index = from; index < upto; index += 1) {
      let one = placed.get(index);
      if (!one) {
        one = free.pop() ?? make();
        one.index = index;
        placed.set(index, one);
      }
      const tile = store.at(index);
      one.place((index % grid.columns) * (grid.width + grid.gap), Math.floor(index / grid.columns) * grid.height, grid.width);
      one.paint(tile, { index, count, picked: Boolean(tile && selected.has(tile.id)), opened: Boolean(tile && opened() === tile.id) });
      one.el.tabIndex = index === current ? 0 : -1;
      one.el.hidden = false;
    }
    for (const one of free) {
      one.index = -1;
      one.stop();
      one.el.hidden = true;
      if (one === focused) el.focus({ preventScroll: true });
    }
  };
  const make = () => {
    const one = galleryTile(acts);
    sheet.append(one.el);
    one.el.addEventListener('focus', () => { if (one.index >= 0) setCurrent(one.index); });
    tiles.push(one);
    return one;
  };
  const setCurrent = (/** @type {number} */ index) => {
    current = index;
    for (const one of tiles) one.el.tabIndex = one.index === current ? 0 : -1;
  };
  const paint = () => { due ||= requestAnimationFrame(draw); };
  const go = (/** @type {number} */ index) => {
    const count = store.total ?? 0;
    setCurrent(Math.max(0, Math.min(count - 1, index)));
    const top = Math.floor(current / grid.columns) * grid.height;
    if (top < el.scrollTop) el.scrollTop = top;
    else if (top + grid.height > el.scrollTop + el.clientHeight) el.scrollTop = top + grid.height - el.clientHeight;
    draw();
    tiles.find((one) => one.index === current)?.el.focus({ preventScroll: true });
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => go(current - 1), ArrowRight: () => go(current + 1), ArrowUp: () => go(current - grid.columns), ArrowDown: () => go(current + grid.columns),
    Home: () => go(0), End: () => go(Infinity), PageUp: () => go(current - 3 * grid.columns), PageDown: () => go(current + 3 * grid.columns),
  };
  /** @param {Tile} tile @param {string} key @returns {(() => void)|null} */
  const onTile = (tile, key) => {
    if (key === ' ') return () => acts.pick(tile);
    if (key === 'Enter') return () => acts.open(tile);
    return /^[0-5]$/.test(key) ? () => acts.rate(tile, Number(key)) : null;
  };
  el.addEventListener('keydown', (event) => {
    const onCard = event.target === el || /** @type {HTMLElement} */ (event.target).classList.contains('kn-card');
    if (event.ctrlKey || event.metaKey || event.altKey || !onCard) return;
    const tile = store.at(current);
    const act = keys[event.key] ?? (tile && onTile(tile, event.key));
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  const toTop = () => {
    el.scrollTop = 0;
    if (!tiles.some((one) => one.el === document.activeElement)) current = 0; // else: what has the focus stays the one that Tab comes to
  };
  el.addEventListener('scroll', paint, { passive: true });
  const watcher = new ResizeObserver(paint);
  watcher.observe(el);
  return { el, paint, toTop, close: () => { watcher.disconnect(); cancelAnimationFrame(due); for (const one of tiles) one.stop(); } };
}
