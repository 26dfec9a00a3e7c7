import { emptyHistory, recordEdit, redoStep, undoStep } from './history.js';

const SEND_PAUSE = 60; // ms: the first edit is sent immediately, further ones within this time are sent together

/**
 * The draft of one view, with undo. Edits are shown immediately and sent to Python. Drafts that come from elsewhere (Python
 * or another view) replace it.
 * @param {Model} model @param {string} view names this view in `edit` @returns {DraftStore}
 */
export function makeDraftStore(model, view) {
  let draft = withIds(model.get('draft'));
  let history = emptyHistory();
  let edits = 0;
  /** @type {number|null} */
  let timer = null;
  let sent = 0;
  /** @type {Set<(draft: Draft) => void>} */
  const listeners = new Set();
  const notify = () => listeners.forEach((listener) => listener(draft));

  const send = () => {
    clearTimeout(timer ?? 0);
    timer = null;
    sent = performance.now();
    model.set('draft', draft);
    model.save_changes();
  };
  const onDraft = () => {
    const other = withIds(model.get('draft'));
    if (String(other.edit).startsWith(`${view}:`)) return;
    clearTimeout(timer ?? 0);
    timer = null;
    history = recordEdit(history, draft, other, performance.now());
    draft = other;
    notify();
  };
  const put = (/** @type {Draft} */ next) => {
    draft = { ...next, edit: `${view}:${++edits}` };
    notify();
    clearTimeout(timer ?? 0);
    timer = setTimeout(send, Math.max(0, sent + SEND_PAUSE - performance.now()));
  };
  const travel = (/** @type {ReturnType<typeof undoStep>} */ step) => {
    if (!step) return;
    history = step.history;
    put(step.draft);
  };
  model.on('change:draft', onDraft);

  return {
    get draft() { return draft; },
    get history() { return history; },
    edit(change, name) {
      const next = { ...draft, ...change };
      history = recordEdit(history, draft, next, performance.now(), name);
      put(next);
    },
    flush() { if (timer != null) send(); },
    undo() { travel(undoStep(history, draft)); },
    redo() { travel(redoStep(history, draft)); },
    listen(listener) { listeners.add(listener); listener(draft); },
    close() {
      if (timer != null) send();
      model.off('change:draft', onDraft);
    },
  };
}

/**
 * Give an id to shots and elements that come from Python, so that each keeps its editor when the order changes.
 * @param {Draft} draft @returns {Draft}
 */
function withIds(draft) {
  /** @template {Shot|DraftElement} Item @param {Item} item @param {number} i @returns {Item} */
  const named = (item, i) => (item.id ? item : { ...item, id: `${draft.edit}/${i}` });
  const { multi_prompt: shots, elements } = draft; // another model may have neither
  return { ...draft, ...(shots && { multi_prompt: shots.map(named) }), ...(elements && { elements: elements.map(named) }) };
}
