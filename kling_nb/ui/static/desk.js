import { freshHistory, recorded, redone, undone } from './history.js';

/**
 * The draft as this view sees it, with its past. Edits are shown at once; the first is sent at once and those that follow within a
 * short pause together. Drafts that come from elsewhere (Python, another view) replace it.
 */
const PAUSE = 60;

/** @param {Model} model @param {string} view names this view in `edit` @returns {Desk} */
export function makeDesk(model, view) {
  let draft = withIds(model.get('draft'));
  let history = freshHistory();
  let edits = 0;
  /** @type {number|null} */
  let timer = null;
  let sent = 0;
  /** @type {Set<(draft: Draft) => void>} */
  const listeners = new Set();
  const tell = () => listeners.forEach((listen) => listen(draft));

  const wait = (/** @type {number} */ ms) => { clearTimeout(timer ?? 0); timer = setTimeout(flush, ms); };
  const flush = () => {
    clearTimeout(timer ?? 0);
    timer = null;
    sent = performance.now();
    model.set('draft', draft);
    model.save_changes();
  };
  const arrived = () => {
    const other = withIds(model.get('draft'));
    if (String(other.edit).startsWith(`${view}:`)) return;
    clearTimeout(timer ?? 0);
    timer = null;
    history = recorded(history, draft, other, performance.now());
    draft = other;
    tell();
  };
  const put = (/** @type {Draft} */ next) => {
    draft = { ...next, edit: `${view}:${++edits}` };
    tell();
    wait(Math.max(0, sent + PAUSE - performance.now()));
  };
  const step = (/** @type {ReturnType<typeof undone>} */ taken) => {
    if (!taken) return;
    history = taken.history;
    put(taken.draft);
  };
  model.on('change:draft', arrived);

  return {
    get draft() { return draft; },
    get history() { return history; },
    edit(change, what) {
      const next = { ...draft, ...change };
      history = recorded(history, draft, next, performance.now(), what);
      put(next);
    },
    settle() { if (timer != null) flush(); },
    undo() { step(undone(history, draft)); },
    redo() { step(redone(history, draft)); },
    listen(act) { listeners.add(act); act(draft); },
    close() {
      if (timer != null) flush();
      model.off('change:draft', arrived);
    },
  };
}

/**
 * Gives an id to the shots and elements that come from Python: their editors stay themselves when the order changes.
 * @param {Draft} draft @returns {Draft}
 */
function withIds(draft) {
  /** @template {Shot|DraftElement} Item @param {Item} item @param {number} i @returns {Item} */
  const named = (item, i) => (item.id ? item : { ...item, id: `${draft.edit}/${i}` });
  const { multi_prompt: shots, elements } = draft; // another model may have neither
  return { ...draft, ...(shots && { multi_prompt: shots.map(named) }), ...(elements && { elements: elements.map(named) }) };
}
