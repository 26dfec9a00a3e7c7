import { h, iconButton } from './dom.js';

/**
 * Undo and redo over the whole form: two buttons, and the usual keys anywhere in it. In prompts they replace the
 * browser's own undo, which knows nothing of images and shots and fails when a mention is rewritten. Other text inputs,
 * such as a name or a URL, keep the browser's undo.
 * @param {HTMLElement} root @param {DraftStore} store
 */
export function undoTools(root, store) {
  const control = /Mac|iP(hone|ad)/.test(navigator.platform) ? '⌘' : 'Ctrl+';
  const undo = iconButton('undo', 'undo', `Undo (${control}Z)`, () => store.undo());
  const redo = iconButton('redo', 'redo', `Redo (${control}Shift+Z)`, () => store.redo());
  const el = h('div', { class: 'kn-undo', role: 'group', 'aria-label': 'Undo and redo' }, undo, redo);
  root.addEventListener('keydown', (event) => {
    const step = undoKey(event);
    const ownUndo = /** @type {HTMLElement} */ (event.target).matches('textarea:not(.kn-area), input:not([type=radio], [type=checkbox], [type=range])');
    if (!step || ownUndo || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    store[step]();
  });
  store.listen(() => {
    undo.disabled = !store.history.past.length;
    redo.disabled = !store.history.future.length;
  });
  return { el };
}

/** @param {KeyboardEvent} event @returns {'undo'|'redo'|null} */
function undoKey(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === 'z') return event.shiftKey ? 'redo' : 'undo';
  return key === 'y' && !event.shiftKey ? 'redo' : null;
}
