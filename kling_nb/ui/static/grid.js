import { h } from './dom.js';
import { galleryTile } from './tile.js';

const MAX_HEIGHT = 600;

/**
 * A grid that creates only the tiles in view. Arrow keys move, Space selects, Enter opens, 1 to 5 rate, 0 clears.
 * @param {{store: ReturnType<typeof import('./records.js').recordStore>, selected: Set<string>, opened: () => string|null, acts: TileActions}} spec
 */
export function tileGrid({ store, selected, opened, acts }) {
  const sheet = h('div', { class: 'kn-grid-sheet', role: 'list', 'aria-label': 'Clips' });
  const el = h('div', { class: 'kn-grid', tabindex: '-1' }, sheet);
  let grid = gridLayout(600, 0);
  /** @type {ReturnType<typeof galleryTile>[]} */
  const tiles = [];
  let current = 0;
  let frame = 0;

  const draw = () => {
    frame = 0;
    const count = store.total ?? 0;
    const width = sheet.clientWidth || el.clientWidth;
    if (!width) { store.want([0]); return; } // the grid is hidden while nothing matches, but new filters still need an answer
    grid = gridLayout(width, count, width < 460 ? { minWidth: 148, gap: 10, textHeight: 74 } : {});
    sheet.style.height = `${grid.total}px`;
    el.style.height = `${Math.min(MAX_HEIGHT, grid.total + 6)}px`;
    const [from, to] = visibleRange(grid, count, el.scrollTop, el.clientHeight);
    current = Math.min(current, Math.max(0, count - 1));
    store.want(pagesFor(from, Math.max(to, 1), store.size));
    const focused = tiles.find((tile) => tile.el === document.activeElement);
    const free = [];
    const placed = new Map();
    for (const tile of tiles) {
      if (tile.index >= from && tile.index < to && !placed.has(tile.index)) placed.set(tile.index, tile);
      else free.push(tile);
    }
    for (let index = from; index < to; index += 1) {
      let tile = placed.get(index);
      if (!tile) {
        tile = free.pop() ?? make();
        tile.index = index;
        placed.set(index, tile);
      }
      const record = store.at(index);
      tile.place((index % grid.columns) * (grid.width + grid.gap), Math.floor(index / grid.columns) * grid.height, grid.width);
      tile.paint(record, { index, count, picked: Boolean(record && selected.has(record.id)), opened: Boolean(record && opened() === record.id) });
      tile.el.tabIndex = index === current ? 0 : -1;
      tile.el.hidden = false;
    }
    for (const tile of free) {
      tile.index = -1;
      tile.stop();
      tile.el.hidden = true;
      if (tile === focused) el.focus({ preventScroll: true });
    }
  };
  const make = () => {
    const tile = galleryTile(acts);
    sheet.append(tile.el);
    tile.el.addEventListener('focus', () => { if (tile.index >= 0) setCurrent(tile.index); });
    tiles.push(tile);
    return tile;
  };
  const setCurrent = (/** @type {number} */ index) => {
    current = index;
    for (const tile of tiles) tile.el.tabIndex = tile.index === current ? 0 : -1;
  };
  const paint = () => { frame ||= requestAnimationFrame(draw); };
  const go = (/** @type {number} */ index) => {
    const count = store.total ?? 0;
    setCurrent(Math.max(0, Math.min(count - 1, index)));
    const top = Math.floor(current / grid.columns) * grid.height;
    if (top < el.scrollTop) el.scrollTop = top;
    else if (top + grid.height > el.scrollTop + el.clientHeight) el.scrollTop = top + grid.height - el.clientHeight;
    draw();
    tiles.find((tile) => tile.index === current)?.el.focus({ preventScroll: true });
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => go(current - 1), ArrowRight: () => go(current + 1), ArrowUp: () => go(current - grid.columns), ArrowDown: () => go(current + grid.columns),
    Home: () => go(0), End: () => go(Infinity), PageUp: () => go(current - 3 * grid.columns), PageDown: () => go(current + 3 * grid.columns),
  };
  /** @param {Tile} record @param {string} key @returns {(() => void)|null} */
  const tileKey = (record, key) => {
    if (key === ' ') return () => acts.pick(record);
    if (key === 'Enter') return () => acts.open(record);
    return /^[0-5]$/.test(key) ? () => acts.rate(record, Number(key)) : null;
  };
  el.addEventListener('keydown', (event) => {
    const onTile = event.target === el || /** @type {HTMLElement} */ (event.target).classList.contains('kn-card');
    if (event.ctrlKey || event.metaKey || event.altKey || !onTile) return;
    const record = store.at(current);
    const act = keys[event.key] ?? (record && tileKey(record, event.key));
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  const toTop = () => {
    el.scrollTop = 0;
    if (!tiles.some((tile) => tile.el === document.activeElement)) current = 0; // a focused tile stays in the Tab order
  };
  el.addEventListener('scroll', paint, { passive: true });
  const watcher = new ResizeObserver(paint);
  watcher.observe(el);
  return { el, paint, toTop, close: () => { watcher.disconnect(); cancelAnimationFrame(frame); for (const tile of tiles) tile.stop(); } };
}

/**
 * The layout of equal tiles in a width: `height` is that of a row with its gap, `total` that of all rows.
 * @typedef {{columns: number, width: number, gap: number, height: number, rows: number, total: number}} Grid
 * @param {number} width @param {number} count @returns {Grid}
 */
export function gridLayout(width, count, { minWidth = 200, gap = 14, textHeight = 74 } = {}) {
  const columns = Math.max(1, Math.floor((width + gap) / (minWidth + gap)));
  const tile = Math.max(1, (width - gap * (columns - 1)) / columns);
  const height = Math.round((tile * 9) / 16) + textHeight + gap;
  const rows = Math.ceil(count / columns);
  return { columns, width: tile, gap, height, rows, total: Math.max(0, rows * height - gap) };
}

/** The tiles in view, with `extra` more rows on either side. @param {Grid} grid @param {number} count @param {number} top @param {number} height @returns {[number, number]} from, up to */
export function visibleRange(grid, count, top, height, extra = 1) {
  const from = Math.max(0, Math.floor(top / grid.height) - extra) * grid.columns;
  const to = (Math.floor((top + height) / grid.height) + 1 + extra) * grid.columns;
  return [Math.min(from, count), Math.min(to, count)];
}

/** The pages that hold the tiles `from` up to `to`. @param {number} from @param {number} to @param {number} size @returns {number[]} */
export function pagesFor(from, to, size) {
  const pages = [];
  for (let page = Math.floor(from / size); page * size < to; page += 1) pages.push(page);
  return pages;
}
