const TYPING_MS = 1000;
const MOST_STEPS = 200;

/**
 * The past and the future of a form, as values. A step holds the draft as it was before, and what it changed: edits of
 * one text or number that follow each other within a second are one step.
 * @typedef {{draft: any, what: string}} Step
 * @typedef {{past: Step[], future: any[], at: number}} History
 * @returns {History}
 */
export function freshHistory() {
  return { past: [], future: [], at: Number.NEGATIVE_INFINITY };
}

/**
 * The history after an edit. `what` names edits that belong together where more than one value changes (a drag).
 * @param {History} history @param {any} before @param {any} after @param {number} at ms @param {string} [what]
 */
export function recorded(history, before, after, at, what = changedLeaf(before, after)) {
  if (sameDraft(before, after)) return history;
  const last = history.past.at(-1);
  if (!what || last?.what !== what || at - history.at > TYPING_MS || history.future.length) {
    return { past: [...history.past, { draft: before, what }].slice(-MOST_STEPS), future: [], at };
  }
  const past = sameDraft(last.draft, after) ? history.past.slice(0, -1) : history.past;
  return { past, future: [], at };
}

/** The history after the browser's own undo or redo in a text: steps are taken back where it comes to one. */
export function retraced(history, before, after) {
  const met = history.past.findLastIndex((step) => sameDraft(step.draft, after));
  if (met >= 0) return { past: history.past.slice(0, met), future: [...history.future, before], at: Number.NEGATIVE_INFINITY };
  const what = changedLeaf(before, after);
  if (history.past.at(-1)?.what === what) return history;
  const ahead = history.future.at(-1);
  const future = ahead && sameDraft(ahead, after) ? history.future.slice(0, -1) : history.future;
  return { past: [...history.past, { draft: before, what }], future, at: Number.NEGATIVE_INFINITY };
}

/** @returns {{history: History, draft: any}|null} null when there is nothing to undo */
export function undone(history, now) {
  const last = history.past.at(-1);
  if (!last) return null;
  return { draft: last.draft, history: { past: history.past.slice(0, -1), future: [...history.future, now], at: Number.NEGATIVE_INFINITY } };
}

/** @returns {{history: History, draft: any}|null} null when there is nothing to do again */
export function redone(history, now) {
  if (!history.future.length) return null;
  const draft = history.future.at(-1);
  const past = [...history.past, { draft: now, what: '' }];
  return { draft, history: { past, future: history.future.slice(0, -1), at: Number.NEGATIVE_INFINITY } };
}

/** The path of the only text or number that differs, '' when it is more than one or of another kind. */
export function changedLeaf(before, after) {
  const found = differingLeaves(withoutEdit(before), withoutEdit(after), '');
  return found.length === 1 ? found[0] : '';
}

/** Whether two drafts ask for the same; who made the last edit does not count. */
export function sameDraft(a, b) {
  return sameValue(withoutEdit(a), withoutEdit(b));
}

function withoutEdit(draft) {
  const { edit: _, ...rest } = draft;
  return rest;
}

function isBranch(value) {
  return value !== null && typeof value === 'object';
}

function sameValue(a, b) {
  if (a === b) return true;
  if (!isBranch(a) || !isBranch(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => sameValue(a[name], b[name]));
}

/** Paths of leaves that differ; '' for what came, went, or is of another kind. */
function differingLeaves(a, b, path) {
  if (sameValue(a, b)) return [];
  if (isBranch(a) && isBranch(b) && Object.keys(a).length === Object.keys(b).length) {
    return Object.keys(a).flatMap((name) => differingLeaves(a[name], b[name], path ? `${path}.${name}` : name));
  }
  return [typeof a === typeof b && ['string', 'number'].includes(typeof a) && !path.endsWith('.id') ? path : ''];
}
