import { h, ownKeys } from './dom.js';
import { alertBox } from './alertbox.js';
import { clipRoom } from './cliproom.js';
import { comparePlayer } from './player.js';
import { handover } from './handover.js';
import { glyph } from './glyphs.js';
import { pageStore } from './pages.js';
import { recordSheet } from './recordsheet.js';
import { rowList } from './rowlist.js';
import { seeker } from './seeker.js';
import { selectionBar } from './selectionbar.js';
import { tileGrid } from './grid.js';
import { unfinished } from './unfinished.js';
import { countWords } from './words.js';

const MOST_COMPARED = 9;

/** `kn.gallery`: filters, the grid, the record that is open, what was selected, the comparison, the jobs. @param {Rendered} view */
function renderGallery({ model, el }) {
  ownKeys(el);
  el.classList.add('kn', 'kn-gallery');
  const still = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)');
  const room = clipRoom(model, MOST_COMPARED + 3);
  const hands = handover(model);
  const alert = alertBox(model);
  /** @type {Set<string>} */
  const selected = new Set();
  /** @type {ReturnType<typeof comparePlayer>|null} */
  let player = null;

  const empty = h('div', { class: 'kn-no-clips', hidden: true });
  const failed = (/** @type {string} */ why) => { if (why) alert.show({ message: why, remedy: '' }); else alert.takeBack(); };
  const paint = () => {
    const { total } = store;
    if (total === 0 && record.id) record.paint(null);
    if (record.id) { const now = store.find(record.id); if (now) record.paint(now); }
    filters.count(total == null ? '' : countWords(total, 'record'));
    empty.hidden = total !== 0;
    empty.textContent = Object.keys(store.filters).length ? 'No matches' : 'No clips yet. Generated clips appear here.';
    grid.el.hidden = total === 0;
    grid.paint();
    bar.paint();
  };
  const toggle = (/** @type {Tile} */ tile) => { if (selected.has(tile.id)) selected.delete(tile.id); else selected.add(tile.id); paint(); };
  /** @type {Annotate} */
  const annotate = (id, changes) => model.send({ kind: 'annotate', id, changes });
  const open = (/** @type {Tile} */ tile) => { record.paint(record.id === tile.id ? null : tile); paint(); if (record.id) record.el.scrollIntoView({ block: 'nearest' }); };
  const shut = () => { record.paint(null); paint(); /** @type {HTMLElement|null} */ (grid.el.querySelector('.kn-card[tabindex="0"]'))?.focus({ preventScroll: true }); };
  const searchTag = (/** @type {string} */ tag) => filters.choose('tag', tag);

  const store = pageStore(model, () => paint(), failed);
  const filters = seeker(model, (next) => { store.ask(next); grid.toTop(); paint(); });
  const record = recordSheet({ annotate, bring: room.get, hand: hands.hand, open: hands.open, shut, searchTag });
  /** @type {TileActs} */
  const acts = { bring: room.get, pick: toggle, open, rate: (tile, stars) => annotate(tile.id, { stars }), calm: () => Boolean(still?.matches) };
  const grid = tileGrid({ store, selected, opened: () => record.id, acts });
  const bar = selectionBar({ model, selected, find: store.find, shows: store.shows, drop: (ids) => { for (const id of ids) selected.delete(id); paint(); }, most: MOST_COMPARED });
  const compared = h('div', { class: 'kn-comparison', hidden: true });
  const rows = rowList(model);
  const watch = unfinished({ model, el, tiles: store.all });
  el.append(h('div', { class: 'kn-gallery-sheet' }, filters.el, grid.el, empty, bar.el, alert.el, record.el), compared, rows.el);

  const paintComparison = () => {
    player?.close();
    const comparison = model.get('comparison');
    compared.hidden = !comparison.clips;
    player = comparison.clips ? comparePlayer(comparison, room.get, hands.hand) : null;
    const close = h('button', { type: 'button', class: 'kn-icon-button kn-comparison-close', 'aria-label': 'Close comparison', title: 'Close comparison', on: { click: () => model.send({ kind: 'compare', ids: [] }) } }, glyph('shut'));
    compared.replaceChildren(...(player ? [player.el, close] : []));
    if (player && (comparison.at ?? 0) * 1000 > Date.now() - 5000) { compared.scrollIntoView({ block: 'nearest' }); player.el.focus({ preventScroll: true }); }
  };
  const heard = (/** @type {Heard|null} */ message) => { if (message?.kind === 'changed' || message?.kind === 'trashed') { if (message.ids?.includes(record.id ?? '')) record.paint(null); store.again(); } };
  model.on('msg:custom', heard);
  model.on('change:comparison', paintComparison);
  paintComparison();
  store.ask(filters.filters());
  return () => {
    model.off('msg:custom', heard);
    model.off('change:comparison', paintComparison);
    player?.close();
    for (const part of [watch, store, filters, grid, bar, room, hands, alert, rows]) part.close();
  };
}

export default { render: renderGallery };
