import { freshId } from './dom.js';

const PAGE_SIZE = 24;
const PAGES_KEPT = 10;
const AT_ONCE = 2;

/**
 * The records that the browser holds: a few pages, fetched when they come into sight, forgotten when far from it.
 * @param {Model} model
 * @param {() => void} changed something new is here
 * @param {(why: string) => void} failed
 */
export function pageStore(model, changed, failed) {
  /** @type {Traits['filters']} */
  let filters = {};
  /** @type {number|null} */
  let total = null;
  /** @type {Map<number, Tile[]>} */
  let pages = new Map();
  /** @type {Map<string, number>} */
  let pending = new Map();
  /** @type {number[]} */
  let wishes = [];
  /** @type {Set<number>} */
  let stale = new Set();
  let others = false; // what is here passed other filters
  /** @type {Set<string>} */
  let passed = new Set(); // what was here since these filters were chosen, forgotten pages too

  const send = () => {
    for (const page of wishes.splice(0, Math.max(0, AT_ONCE - pending.size))) {
      const call = freshId();
      pending.set(call, page);
      model.send({ kind: 'records', call, filters, offset: page * PAGE_SIZE, limit: PAGE_SIZE });
    }
  };
  const heard = (/** @type {Heard|null} */ message) => {
    if (message?.kind === 'record') { replace(message.tile); return; }
    const page = message?.kind === 'records' ? pending.get(message.call) : undefined;
    if (message?.kind !== 'records' || page == null) return;
    pending.delete(message.call);
    if (message.reason != null) failed(message.reason);
    else { keep(page, message.tiles); total = message.total; failed(''); }
    send();
    changed();
  };
  const keep = (/** @type {number} */ page, /** @type {Tile[]} */ tiles) => {
    if (others) { pages = new Map(); passed = new Set(); others = false; }
    for (const tile of pages.get(page) ?? []) passed.delete(tile.id);
    for (const tile of tiles) passed.add(tile.id);
    pages.set(page, tiles);
    stale.delete(page);
  };
  const replace = (/** @type {Tile} */ tile) => {
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
    at: (/** @type {number} */ index) => pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE],
    all: () => [...pages.values()].flat(),
    /** Whether a record is known to pass the filters: was shown since they were chosen. @param {string} id */
    shows: (id) => !Object.keys(filters).length || passed.has(id),
    find(/** @type {string} */ id) { for (const tiles of pages.values()) { const tile = tiles.find((one) => one.id === id); if (tile) return tile; } return undefined; },
    /** Fetch these pages, what is missing first; what is far from them is forgotten. @param {number[]} wanted */
    want(wanted) {
      const asked = new Set(pending.values());
      wishes = wanted.filter((page) => (!pages.has(page) || stale.has(page)) && !asked.has(page));
      const middle = wanted[Math.floor(wanted.length / 2)] ?? 0;
      const far = [...pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
      for (const page of far.slice(0, Math.max(0, pages.size - PAGES_KEPT))) pages.delete(page);
      send();
    },
    /** Other filters: everything anew, but what is shown stays until the answer comes. @param {Traits['filters']} next */
    ask(next) { filters = next; pending = new Map(); wishes = []; stale = new Set(pages.keys()); others = true; changed(); },
    /** The log has changed: read again what is shown. */
    again() { stale = new Set(pages.keys()); pending = new Map(); changed(); },
    close() { model.off('msg:custom', heard); },
  };
}
