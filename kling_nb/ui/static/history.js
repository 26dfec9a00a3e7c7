const PAUSE_MS = 1000;
const BURST_MS = 5000;
const MOST_STEPS = 200;
const NOT_NOW = { since: Number.NEGATIVE_INFINITY, at: Number.NEGATIVE_INFINITY };

/**
 * The past and the future of a form, as values. A step holds the draft as it was before, and what it changed: edits of
 * one text or number that follow each other within a second are one step, of five seconds at most.
 * @typedef {{draft: Draft, what: string}} Step
 * @typedef {{past: Step[], future: Draft[], since: number, at: number}} History when the last step began and went on, in ms
 * @returns {History}
 */
export function freshHistory() {
  return { past: [], future: [], ...NOT_NOW };
}

/**
 * The history after an edit. `name` joins edits where more than one value changes (a drag), however long it takes.
 * @param {History} history @param {Draft} before @param {Draft} after @param {number} at ms @param {string} [name]
 */
export function recorded(history, before, after, at, name) {
  if (sameDraft(before, after)) return history;
  const what = name ?? changedLeaf(before, after);
  const last = history.past.at(-1);
  const over = at - history.at > PAUSE_MS || (!name && at - history.since > BURST_MS);
  if (!what || !last || last.what !== what || over || history.future.length) {
    return { past: [...history.past, { draft: before, what }].slice(-MOST_STEPS), future: [], since: at, at };
  }
  const past = sameDraft(last.draft, after) ? history.past.slice(0, -1) : history.past;
  return { past, future: [], since: history.since, at };
}

/** @param {History} history @param {Draft} now @returns {{history: History, draft: Draft}|null} null when there is nothing to undo */
export function undone(history, now) {
  const last = history.past.at(-1);
  if (!last) return null;
  return { draft: last.draft, history: { past: history.past.slice(0, -1), future: [...history.future, now], ...NOT_NOW } };
}

/** @param {History} history @param {Draft} now @returns {{history: History, draft: Draft}|null} null when there is nothing to do again */
export function redone(history, now) {
  const draft = history.future.at(-1);
  if (!draft) return null;
  const past = [...history.past, { draft: now, what: '' }];
  return { draft, history: { past, future: history.future.slice(0, -1), ...NOT_NOW } };
}

/** The path of the only text or number that differs, '' when it is more than one or of another kind. @param {Draft} before @param {Draft} after */
export function changedLeaf(before, after) {
  const found = differingLeaves(withoutEdit(before), withoutEdit(after), '');
  return found.length === 1 ? found[0] : '';
}

/** Whether two drafts ask for the same; who made the last edit does not count. @param {Draft} a @param {Draft} b */
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
 * Paths of leaves that differ; '' for what came, went, or is of another kind.
 * @param {unknown} a @param {unknown} b @param {string} path @returns {string[]}
 */
function differingLeaves(a, b, path) {
  if (sameValue(a, b)) return [];
  if (isBranch(a) && isBranch(b) && Object.keys(a).length === Object.keys(b).length) {
    return Object.keys(a).flatMap((name) => differingLeaves(a[name], b[name], path ? `${path}.${name}` : name));
  }
  return [typeof a === typeof b && ['string', 'number'].includes(typeof a) && !path.endsWith('.id') ? path : ''];
}
