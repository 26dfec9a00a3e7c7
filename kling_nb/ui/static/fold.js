import { h } from './dom.js';
import { icon } from './icons.js';

/**
 * A collapsible part of the form. A mark on its title shows that something in it is set or wrong.
 * @param {string} id @param {string} title @param {string} hint @param {...Node} children
 */
export function fold(id, title, hint, ...children) {
  const mark = h('span', { class: 'kn-fold-mark' });
  const el = h('details', { class: 'kn-fold', 'data-fold': id },
    h('summary', {}, icon('fold'), h('span', { class: 'kn-fold-title', text: title }), mark, h('span', { class: 'kn-fold-hint', text: hint })),
    h('div', { class: 'kn-fold-body' }, ...children));
  return { el, paint: (/** @type {string} */ text) => {
    mark.textContent = text;
    mark.hidden = !text;
  } };
}
