const PAUSE_MS = 1000;
const BURST_MS = 5000;
const MAX_STEPS = 200;
const NO_STEP = { since: Number.NEGATIVE_INFINITY, at: Number.NEGATIVE_INFINITY };

/**
 * The undo history of a form, as a value. A step holds the draft before it and the path that it changed. Edits of one
 * text or number within a second of each other are one step, of five seconds at most.
 * @typedef {{draft: Draft, path: string}} Step
 * @typedef {{past: Step[], future: Draft[], since: number, at: number}} History `since` and `at`: start and end of the last step, in ms
 * @returns {History}
 */
export function emptyHistory() {
  return { past: [], future: [], ...NO_STEP };
}

/**
 * The history after an edit. Edits with the same `name` (a drag) are one step, however long it takes.
 * @param {History} history @param {Draft} before @param {Draft} after @param {number} at ms @param {string} [name]
 */
export function recordEdit(history, before, after, at, name) {
  if (sameDraft(before, after)) return history;
  const path = name ?? changedPath(before, after);
  const last = history.past.at(-1);
  const over = at - history.at > PAUSE_MS || (!name && at - history.since > BURST_MS);
  if (!path || !last || last.path !== path || over || history.future.length) {
    return { past: [...history.past, { draft: before, path }].slice(-MAX_STEPS), future: [], since: at, at };
  }
  const past = sameDraft(last.draft, after) ? history.past.slice(0, -1) : history.past;
  return { past, future: [], since: history.since, at };
}

/** @param {History} history @param {Draft} draft @returns {{history: History, draft: Draft}|null} null if there is nothing to undo */
export function undoStep(history, draft) {
  const last = history.past.at(-1);
  if (!last) return null;
  return { draft: last.draft, history: { past: history.past.slice(0, -1), future: [...history.future, draft], ...NO_STEP } };
}

/** @param {History} history @param {Draft} draft @returns {{history: History, draft: Draft}|null} null if there is nothing to redo */
export function redoStep(history, draft) {
  const next = history.future.at(-1);
  if (!next) return null;
  const past = [...history.past, { draft, path: '' }];
  return { draft: next, history: { past, future: history.future.slice(0, -1), ...NO_STEP } };
}

/** The path of the only text or number that differs; '' if several differ, or a value of another type. @param {Draft} before @param {Draft} after */
export function changedPath(before, after) {
  const found = differingLeaves(withoutEdit(before), withoutEdit(after), '');
  return found.length === 1 ? found[0] : '';
}

/** Whether two drafts are equal, apart from the author of the last edit. @param {Draft} a @param {Draft} b */
export function sameDraft(a, b) {
  return sameValue(withoutEdit(a), withoutEdit(b));
}

/** @param {Draft} draft @returns {Branch} */
function withoutEdit(draft) {
  const { edit: _, ...rest } = draft;
  return rest;
}

/** @typedef {Record<string, any>} Branch @param {any} value @returns {value is Branch} */
function isBranch(value) {
  return value !== null && typeof value === 'object';
}

/** @param {unknown} a @param {unknown} b @returns {boolean} */
function sameValue(a, b) {
  if (a === b) return true;
  if (!isBranch(a) || !isBranch(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => sameValue(a[name], b[name]));
}

/**
 * The paths of leaves that differ; '' for a value that was added, removed, or has another type.
 * @param {unknown} a @param {unknown} b @param {string} path @returns {string[]}
 */
function differingLeaves(a, b, path) {
  if (sameValue(a, b)) return [];
  if (isBranch(a) && isBranch(b) && Object.keys(a).length === Object.keys(b).length) {
    return Object.keys(a).flatMap((name) => differingLeaves(a[name], b[name], path ? `${path}.${name}` : name));
  }
  return [typeof a === typeof b && ['string', 'number'].includes(typeof a) && !path.endsWith('.id') ? path : ''];
}
