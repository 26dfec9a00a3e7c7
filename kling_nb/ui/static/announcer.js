import { h } from './dom.js';

const CALM = 1000; // ms without a change before something is said

/**
 * Says what has changed to whoever listens rather than looks, once it has been calm for a moment: one voice for many
 * rows and fields, which would talk all at once and at every keystroke.
 * @param {() => string} find what there is to say, '' for nothing; what it finds at the beginning stands there to be read
 */
export function announcer(find) {
  const el = h('div', { class: 'kn-sr-only', role: 'status' });
  let timer = 0;
  const say = () => {
    const words = find();
    if (words && words !== el.textContent) el.textContent = words;
  };
  find();
  return { el, soon() { clearTimeout(timer); timer = setTimeout(say, CALM); }, close() { clearTimeout(timer); } };
}
