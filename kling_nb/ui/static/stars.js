import { h } from './dom.js';
import { glyph } from './glyphs.js';

/** One to five stars; the one that is set takes them back. @param {(stars: number) => void} pick 0 for none */
export function starRow(pick, name = 'Stars') {
  let stars = 0;
  const buttons = [1, 2, 3, 4, 5].map((count) => h('button', { type: 'button', class: 'kn-star', tabindex: '-1', 'aria-label': `${count} star${count === 1 ? '' : 's'}`,
    on: { click: (event) => { event.stopPropagation(); pick(stars === count ? 0 : count); } } }, glyph('star')));
  const el = h('div', { class: 'kn-stars', role: 'group', 'aria-label': name }, ...buttons);
  return { el, reachable() { for (const button of buttons) button.removeAttribute('tabindex'); }, paint(/** @type {number} */ next) {
    stars = next;
    buttons.forEach((button, i) => { button.classList.toggle('kn-on', i < stars); button.setAttribute('aria-pressed', String(i + 1 === stars)); });
  } };
}
