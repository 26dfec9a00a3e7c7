import { actionButton, h } from './dom.js';
import { icon } from './icons.js';

/** One to five stars; a click on the current number removes them. @param {(stars: number) => void} pick 0 for none */
export function starRow(pick, label = 'Stars') {
  let stars = 0;
  const buttons = [1, 2, 3, 4, 5].map((count) => actionButton(`stars-${count}`, (event) => { event.stopPropagation(); pick(stars === count ? 0 : count); },
    { class: 'kn-star', tabindex: '-1', 'aria-label': `${count} star${count === 1 ? '' : 's'}` }, icon('star')));
  const el = h('div', { class: 'kn-stars', role: 'group', 'aria-label': label }, ...buttons);
  return { el,
    allowTab() { for (const button of buttons) button.removeAttribute('tabindex'); },
    paint(/** @type {number} */ next) {
      stars = next;
      buttons.forEach((button, i) => { button.classList.toggle('kn-on', i < stars); button.setAttribute('aria-pressed', String(i + 1 === stars)); });
    } };
}
