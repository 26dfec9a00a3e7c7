import { h } from './dom.js';
import { icon } from './icons.js';

const TEXT = 'The kernel has restarted: run this cell again, nothing is lost.';

/**
 * Greys out a view when its kernel has restarted, since its clicks would be lost. A message from the kernel
 * reactivates it.
 * @param {Model} model @param {HTMLElement} el @param {string} [text]
 */
export function watchKernel(model, el, text = TEXT) {
  const note = h('div', { class: 'kn-dead-note', role: 'alert', hidden: true }, icon('warn'), h('span', { text }));
  el.prepend(note);
  const show = (/** @type {boolean} */ dead) => {
    if (note.hidden === !dead) return;
    note.hidden = !dead;
    el.classList.toggle('kn-dead', dead);
    for (const part of el.children) if (part !== note && part instanceof HTMLElement) part.inert = dead;
  };
  const die = () => show(true);
  const live = () => show(false);
  model.on('comm_live_update', die);
  model.on('msg:custom', live);
  return { close: () => { model.off('comm_live_update', die); model.off('msg:custom', live); } };
}
