import { newId } from './dom.js';

const PAGE_SIZE = 24;
const MAX_PAGES = 10;
const MAX_REQUESTS = 2;
const POLL_INTERVAL = 3000; // ms

/**
 * The records that the browser holds: a few pages, fetched when they come into view and dropped when they are far away.
 * @param {Model} model
 * @param {() => void} changed
 * @param {(reason: string) => void} showError
 */
export function recordStore(model, changed, showError) {
  /** @type {Traits['filters']} */
  let filters = {};
  /** @type {number|null} */
  let total = null;
  /** @type {Map<number, Tile[]>} */
  let pages = new Map();
  /** @type {Map<string, number>} */
  let pending = new Map();
  /** @type {number[]} */
  let wanted = [];
  /** @type {Set<number>} */
  let stale = new Set();
  let outdated = false; // whether the pages belong to earlier filters
  /** @type {Set<string>} */
  let matched = new Set(); // every record seen since the filters changed, on dropped pages too

  const send = () => {
    for (const page of wanted.splice(0, Math.max(0, MAX_REQUESTS - pending.size))) {
      const call = newId();
      pending.set(call, page);
      model.send({ kind: 'records', call, filters, offset: page * PAGE_SIZE, limit: PAGE_SIZE });
    }
  };
  const onMessage = (/** @type {Incoming|null} */ message) => {
    if (message?.kind === 'record') { replace(message.tile); return; }
    const page = message?.kind === 'records' ? pending.get(message.call) : undefined;
    if (message?.kind !== 'records' || page == null) return;
    pending.delete(message.call);
    if (message.reason != null) showError(message.reason);
    else { put(page, message.tiles); total = message.total; showError(''); }
    send();
    changed();
  };
  const put = (/** @type {number} */ page, /** @type {Tile[]} */ tiles) => {
    if (outdated) { pages = new Map(); matched = new Set(); outdated = false; }
    for (const tile of pages.get(page) ?? []) matched.delete(tile.id);
    for (const tile of tiles) matched.add(tile.id);
    pages.set(page, tiles);
    stale.delete(page);
  };
  const replace = (/** @type {Tile} */ tile) => {
    for (const tiles of pages.values()) {
      const at = tiles.findIndex((each) => each.id === tile.id);
      if (at >= 0) tiles[at] = tile;
    }
    changed();
  };
  model.on('msg:custom', onMessage);

  return {
    size: PAGE_SIZE,
    get total() { return total; },
    get filters() { return filters; },
    at: (/** @type {number} */ index) => pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE],
    all: () => [...pages.values()].flat(),
    /** Whether a record is known to match the filters. @param {string} id */
    shows: (id) => !Object.keys(filters).length || matched.has(id),
    find(/** @type {string} */ id) { for (const tiles of pages.values()) { const tile = tiles.find((each) => each.id === id); if (tile) return tile; } return undefined; },
    /** Fetch the pages that are missing or stale; drop those that are far away. @param {number[]} needed */
    want(needed) {
      const asked = new Set(pending.values());
      wanted = needed.filter((page) => (!pages.has(page) || stale.has(page)) && !asked.has(page));
      const middle = needed[Math.floor(needed.length / 2)] ?? 0;
      const farthest = [...pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
      for (const page of farthest.slice(0, Math.max(0, pages.size - MAX_PAGES))) pages.delete(page);
      send();
    },
    /** Change the filters; the current tiles stay until the answer arrives. @param {Traits['filters']} next */
    filter(next) { filters = next; pending = new Map(); wanted = []; stale = new Set(pages.keys()); outdated = true; changed(); },
    /** Fetch everything again: the log has changed. */
    refresh() { stale = new Set(pages.keys()); pending = new Map(); changed(); },
    close() { model.off('msg:custom', onMessage); },
  };
}

/**
 * Asks for the status of unfinished clips until they end, those of other kernels too; not while the page is hidden.
 * @param {{model: Model, el: HTMLElement, tiles: () => Tile[]}} spec
 */
export function pollUnfinished({ model, el, tiles }) {
  const timer = setInterval(() => {
    if (document.visibilityState !== 'visible' || !el.checkVisibility()) return;
    const unfinished = tiles().filter((tile) => !tile.ended);
    if (unfinished.length) model.send({ kind: 'poll', statuses: Object.fromEntries(unfinished.map((tile) => [tile.id, tile.status])) });
  }, POLL_INTERVAL);
  return { close: () => clearInterval(timer) };
}
