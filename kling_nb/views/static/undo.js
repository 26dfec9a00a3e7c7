import { h, iconButton } from './dom.js';

const NATIVE_MS = 120;

/**
 * Undo and redo over the whole form: two buttons, and the usual keys anywhere in it. In a text the browser's own undo
 * comes first, as long as that text is what was changed last.
 */
export function undoTools(root, desk) {
  const control = /Mac|iP(hone|ad)/.test(navigator.platform) ? '⌘' : 'Ctrl+';
  const back = iconButton('undo', `Undo (${control}Z)`, () => act('undo'));
  const on = iconButton('redo', `Redo (${control}Shift+Z)`, () => act('redo'));
  const el = h('div', { class: 'kn-undo', role: 'group', 'aria-label': 'Undo and redo' }, back, on);
  /** The text that was typed in last, and how many steps there were before: below them its own undo is not to be trusted. */
  let typed = null;
  let retracing = null;
  let inputs = 0;

  const act = (wanted) => {
    typed = retracing = null;
    if (wanted === 'undo') desk.undo(); else desk.redo();
  };
  const byItself = (wanted, area) => {
    if (wanted === 'redo') return retracing === area && desk.history.future.length > 0;
    const { past } = desk.history;
    return typed?.area === area && past.length > typed.floor && past.at(-1).what === typed.what;
  };

  root.addEventListener('input', (event) => { desk.retracing = /^history/.test(event.inputType ?? ''); }, true);
  root.addEventListener('input', (event) => {
    inputs += 1;
    const area = event.target.matches('.kn-area') ? event.target : null;
    retracing = desk.retracing ? area : null;
    if (!desk.retracing && area && typed?.area !== area) typed = { area, floor: desk.history.past.length - 1 };
    if (!desk.retracing && typed) typed.what = desk.history.past.at(-1)?.what;
    desk.retracing = false;
  });
  root.addEventListener('keydown', (event) => {
    const wanted = wantedBy(event);
    const text = event.target.matches('textarea, input:not([type=radio], [type=checkbox], [type=range])');
    if (!wanted || event.isComposing || (text && !event.target.matches('.kn-area'))) return;
    event.stopPropagation();
    if (text && byItself(wanted, event.target)) {
      const before = inputs;
      setTimeout(() => { if (inputs === before) act(wanted); }, NATIVE_MS); // the browser had nothing to undo after all
      return;
    }
    event.preventDefault();
    act(wanted);
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
