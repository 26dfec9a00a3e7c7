import { clipCache } from './clipcache.js';
import { dragsClip } from './clipdrag.js';
import { blockShortcuts, h } from './dom.js';
import { panelLink } from './panellink.js';
import { rowActions } from './rowactions.js';

const INTERVAL = 1000; // ms between two checks: no view is told when a card replaces its row

/**
 * Adds buttons to the static cards of a cell's clips, wherever the page shows them: stars, the next shot, the same
 * request again, the file. They work while the kernel runs, and disappear with it.
 * @param {Model} model @returns {{close: () => void}}
 */
export function cardActions(model) {
  const cache = clipCache(model, 2);
  const link = panelLink(model);
  /** @type {Map<Element, {el: HTMLElement, paint: (row: JobRow) => void}>} */
  const bars = new Map();
  const makeBar = () => {
    const status = h('span', { class: 'kn-faint', role: 'status' });
    const say = (/** @type {string} */ text) => { status.textContent = text; };
    const actions = rowActions({
      rate: (id, stars) => model.send({ kind: 'annotate', id, changes: { stars } }),
      continueFrom: (id) => link.useFrame(id, -1).then(say),
      open: (id) => link.open(id).then(say),
      load: cache.get,
      showError: say,
    });
    const el = h('div', { class: 'kn kn-card-bar' }, actions.el, status);
    blockShortcuts(el);
    return { el, paint: (/** @type {JobRow} */ row) => actions.paint(row, null) };
  };
  const paint = () => {
    for (const [place, bar] of bars) if (!place.isConnected) { bar.el.remove(); bars.delete(place); }
    for (const row of model.get('rows').filter((each) => each.file)) {
      for (const place of document.querySelectorAll(`[data-kling-record="${CSS.escape(row.id)}"]`)) {
        if (!bars.has(place) && place.querySelector('.kn-card-bar')) continue; // another cell shows this job too
        const bar = bars.get(place) ?? makeBar();
        if (!bars.has(place)) {
          bars.set(place, bar);
          place.append(bar.el);
          const video = place.querySelector('video');
          if (video) dragsClip(video, () => ({ id: row.id, title: row.title, frame: null }));
        }
        bar.paint(row);
      }
    }
  };
  const clear = () => { for (const bar of bars.values()) bar.el.remove(); bars.clear(); };
  const timer = setInterval(paint, INTERVAL);
  const close = () => {
    clearInterval(timer);
    clear();
    model.off('change:rows', paint);
    model.off('comm_live_update', close);
    for (const part of [cache, link]) part.close();
  };
  model.on('change:rows', paint);
  model.on('comm_live_update', close); // the kernel is gone
  paint();
  return { close };
}
