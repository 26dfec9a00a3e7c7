import { alertBox } from './alertbox.js';
import { clipCache } from './clipcache.js';
import { blockShortcuts, h, iconButton } from './dom.js';
import { filterBar } from './filters.js';
import { countText } from './format.js';
import { tileGrid } from './grid.js';
import { jobList } from './joblist.js';
import { watchKernel } from './liveness.js';
import { panelLink } from './panellink.js';
import { comparePlayer } from './player.js';
import { recordDetails } from './recorddetails.js';
import { pollUnfinished, recordStore } from './records.js';
import { selectionBar } from './selectionbar.js';

const MAX_COMPARED = 9;

/** `kn.gallery`: filters, grid, details, selection, comparison and jobs. @param {Rendered} view */
function renderGallery({ model, el }) {
  blockShortcuts(el);
  el.classList.add('kn', 'kn-gallery');
  const motion = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)');
  const cache = clipCache(model, MAX_COMPARED + 3);
  const link = panelLink(model);
  const alert = alertBox(model);
  /** @type {Set<string>} */
  const selected = new Set();
  /** @type {ReturnType<typeof comparePlayer>|null} */
  let player = null;

  const empty = h('div', { class: 'kn-no-clips', hidden: true });
  const showError = (/** @type {string} */ reason) => { if (reason) alert.show({ message: reason, remedy: '' }); else alert.withdraw(); };
  const paint = () => {
    const { total } = store;
    if (total === 0 && details.id) details.paint(null);
    if (details.id) { const tile = store.find(details.id); if (tile) details.paint(tile); }
    filters.count(total == null ? '' : countText(total, 'record'));
    empty.hidden = total !== 0;
    empty.textContent = Object.keys(store.filters).length ? 'No matches' : 'No clips yet. Generated clips appear here.';
    grid.el.hidden = total === 0;
    grid.paint();
    bar.paint();
  };
  const toggle = (/** @type {Tile} */ tile) => { if (selected.has(tile.id)) selected.delete(tile.id); else selected.add(tile.id); paint(); };
  /** @type {Annotate} */
  const annotate = (id, changes) => model.send({ kind: 'annotate', id, changes });
  const open = (/** @type {Tile} */ tile) => { details.paint(details.id === tile.id ? null : tile); paint(); if (details.id) details.el.scrollIntoView({ block: 'nearest' }); };
  const shut = () => { details.paint(null); paint(); /** @type {HTMLElement|null} */ (grid.el.querySelector('.kn-card[tabindex="0"]'))?.focus({ preventScroll: true }); };
  const searchTag = (/** @type {string} */ tag) => filters.choose('tag', tag);

  const store = recordStore(model, () => paint(), showError);
  const filters = filterBar(model, (next) => { store.filter(next); grid.toTop(); paint(); });
  const details = recordDetails({ annotate, loadClip: cache.get, useFrame: link.useFrame, openInPanel: link.open, shut, searchTag });
  /** @type {TileActions} */
  const acts = { loadClip: cache.get, pick: toggle, open, rate: (tile, stars) => annotate(tile.id, { stars }), reducedMotion: () => Boolean(motion?.matches) };
  const grid = tileGrid({ store, selected, opened: () => details.id, acts });
  const bar = selectionBar({ model, selected, find: store.find, shows: store.shows, deselect: (ids) => { for (const id of ids) selected.delete(id); paint(); }, max: MAX_COMPARED });
  const compared = h('div', { class: 'kn-comparison', hidden: true });
  const jobs = jobList(model);
  const poll = pollUnfinished({ model, el, tiles: store.all });
  el.append(h('div', { class: 'kn-gallery-sheet' }, filters.el, grid.el, empty, bar.el, alert.el, details.el), compared, jobs.el);

  const watch = watchKernel(model, el);
  const paintComparison = () => {
    player?.close();
    const comparison = model.get('comparison');
    compared.hidden = !comparison.clips;
    player = comparison.clips ? comparePlayer(comparison, cache.get, link.useFrame) : null;
    compared.replaceChildren(...(player ? [player.el, iconButton('close-comparison', 'close', 'Close comparison', () => model.send({ kind: 'compare', ids: [] }), 'kn-comparison-close')] : []));
    if (player && (comparison.at ?? 0) * 1000 > Date.now() - 5000) { compared.scrollIntoView({ block: 'nearest' }); player.el.focus({ preventScroll: true }); }
  };
  const onMessage = (/** @type {Incoming|null} */ message) => {
    if (message?.kind === 'reveal') { details.paint(message.tile); paint(); details.el.scrollIntoView({ block: 'nearest' }); details.focus(); return; }
    if (message?.kind !== 'changed' && message?.kind !== 'trashed') return;
    if (message.ids?.includes(details.id ?? '')) details.paint(null);
    store.refresh();
  };
  model.on('msg:custom', onMessage);
  model.on('change:comparison', paintComparison);
  paintComparison();
  store.filter(filters.filters());
  return () => {
    model.off('msg:custom', onMessage);
    model.off('change:comparison', paintComparison);
    player?.close();
    for (const part of [watch, poll, store, filters, grid, bar, cache, link, alert, jobs]) part.close();
  };
}

export default { render: renderGallery };
