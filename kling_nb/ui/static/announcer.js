import { h } from './dom.js';

const ANNOUNCE_PAUSE = 1000; // ms without a change before something is announced

/**
 * Announces changes to screen readers after a pause, so that a keystroke does not announce every row and field.
 * @param {() => string} find returns the text to announce, '' for none; the state at the start is not announced
 */
export function announcer(find) {
  const el = h('div', { class: 'kn-sr-only', role: 'status' });
  let timer = 0;
  const announce = () => {
    const text = find();
    if (text && text !== el.textContent) el.textContent = text;
  };
  find();
  return { el, soon() { clearTimeout(timer); timer = setTimeout(announce, ANNOUNCE_PAUSE); }, close() { clearTimeout(timer); } };
}
