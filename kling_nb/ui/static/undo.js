import { h, iconButton } from './dom.js';

/**
 * Undo and redo over the whole form: two buttons, and the usual keys anywhere in it, in the prompts too. The browser's
 * own undo in a text is passed over there: it knows nothing of pictures and shots, and loses its way when a text is
 * rewritten (a reference that moved). Lines of their own (an address, a name) keep it.
 * @param {HTMLElement} root @param {Desk} desk
 */
export function undoTools(root, desk) {
  const control = /Mac|iP(hone|ad)/.test(navigator.platform) ? '⌘' : 'Ctrl+';
  const back = iconButton('undo', `Undo (${control}Z)`, () => desk.undo());
  const on = iconButton('redo', `Redo (${control}Shift+Z)`, () => desk.redo());
  const el = h('div', { class: 'kn-undo', role: 'group', 'aria-label': 'Undo and redo' }, back, on);
  root.addEventListener('keydown', (event) => {
    const wanted = wantedBy(event);
    const ownLine = /** @type {HTMLElement} */ (event.target).matches('textarea:not(.kn-area), input:not([type=radio], [type=checkbox], [type=range])');
    if (!wanted || ownLine || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    desk[wanted]();
  });
  desk.listen(() => {
    back.disabled = !desk.history.past.length;
    on.disabled = !desk.history.future.length;
  });
  return { el };
}

/** @param {KeyboardEvent} event @returns {'undo'|'redo'|null} */
export function wantedBy(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === 'z') return event.shiftKey ? 'redo' : 'undo';
  return key === 'y' && !event.shiftKey ? 'redo' : null;
}
