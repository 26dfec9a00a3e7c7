import { h, icon } from './dom.js';

/**
 * A part that is folded away, with a mark when something in it is set or wrong.
 * @param {string} title @param {string} note @param {...Node} children
 */
export function fold(title, note, ...children) {
  const mark = h('span', { class: 'kn-fold-mark' });
  const el = h('details', { class: 'kn-fold' },
    h('summary', {}, icon('fold'), h('span', { class: 'kn-fold-title', text: title }), mark, h('span', { class: 'kn-fold-hint', text: note })),
    h('div', { class: 'kn-fold-body' }, ...children));
  return { el, paint: (/** @type {string} */ said) => {
    mark.textContent = said;
    mark.hidden = !said;
  } };
}

/** A named part of the form. @param {string} title @param {Node} control @param {...Node} below */
export function field(title, control, ...below) {
  return h('div', { class: 'kn-field' }, h('div', { class: 'kn-label', text: title }), control, ...below);
}
