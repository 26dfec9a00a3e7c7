import { freshId } from './dom.js';

const PAGE_SIZE = 24;
const PAGES_KEPT = 10;
const AT_ONCE = 2;

/**
 * The records that the browser holds: a few pages, fetched when they come into sight, forgotten when far from it.
 * @param {() => void} changed something new is here
 * @param {(why: string) => void} failed
 */
export function pageStore(model, changed, failed) {
  let filters = {};
  let total = null;
  let pages = new Map();
  let pending = new Map();
  let wishes = [];
  let stale = new Set();
  let others = false; // what is here passed other filters

  const send = () => {
    while (pending.size < AT_ONCE && wishes.length) {
      const page = wishes.shift();
      const ask = freshId();
      pending.set(ask, page);
      model.send({ kind: 'records', ask, filters, offset: page * PAGE_SIZE, limit: PAGE_SIZE });
    }
  };
  const heard = (message) => {
    if (message?.kind === 'record') { replace(message.tile); return; }
    if (message?.kind !== 'records' || !pending.has(message.ask)) return;
    const page = pending.get(message.ask);
    pending.delete(message.ask);
    if (message.why) failed(message.why);
    else { if (others) { pages = new Map(); others = false; } pages.set(page, message.tiles); stale.delete(page); total = message.total; failed(''); }
    send();
    changed();
  };
  const replace = (tile) => {
    for (const tiles of pages.values()) {
      const at = tiles.findIndex((one) => one.id === tile.id);
      if (at >= 0) tiles[at] = tile;
    }
    changed();
  };
  model.on('msg:custom', heard);

  return {
    size: PAGE_SIZE,
    get total() { return total; },
    get filters() { return filters; },
    at: (index) => pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE],
    find(id) { for (const tiles of pages.values()) { const tile = tiles.find((one) => one.id === id); if (tile) return tile; } return undefined; },
    /** Fetch these pages, what is missing first; what is far from them is forgotten. */
    want(wanted) {
      const asked = new Set(pending.values());
      wishes = wanted.filter((page) => (!pages.has(page) || stale.has(page)) && !asked.has(page));
      const middle = wanted[Math.floor(wanted.length / 2)] ?? 0;
      const far = [...pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
      while (pages.size > PAGES_KEPT) pages.delete(far.shift());
      send();
    },
    /** Other filters: everything anew, but what is shown stays until the answer comes. */
    ask(next) { filters = next; pending = new Map(); wishes = []; stale = new Set(pages.keys()); others = true; changed(); },
    /** The log has changed: read again what is shown. */
    again() { stale = new Set(pages.keys()); pending = new Map(); changed(); },
    close() { model.off('msg:custom', heard); },
  };
}
