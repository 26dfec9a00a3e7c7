import { freshId, h, icon } from './dom.js';
import { placedProblems, worstSeverity } from './faults.js';

/** A place for the problems of one field. @param {string} path */
export function faultPlace(path) {
  return h('div', { class: 'kn-problems', id: `kn-${freshId()}`, 'data-faults': path });
}

/** Puts each problem at its field and marks the field. @param {HTMLElement} root @param {Problem[]} problems */
export function paintFaults(root, problems) {
  const pathOf = (/** @type {HTMLElement} */ place) => place.dataset.faults ?? '';
  const placesIn = (/** @type {HTMLElement} */ part) => [.../** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll('[data-faults]'))];
  const places = placesIn(root);
  const placed = placedProblems(problems, places.map(pathOf));
  for (const place of places) {
    const mine = placed.get(pathOf(place)) ?? [];
    const key = JSON.stringify(mine);
    const holder = /** @type {HTMLElement|null} */ (place.closest('.kn-field'));
    if (holder) markField(holder, place, mine);
    if (place.dataset.key === key) continue;
    place.dataset.key = key;
    place.replaceChildren(...mine.map((problem) => faultLine(problem, !pathOf(place))));
  }
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('.kn-fold'))) {
    const inside = placesIn(part).flatMap((place) => placed.get(pathOf(place)) ?? []);
    part.dataset.level = worstSeverity(inside);
  }
}

/** @param {HTMLElement} holder @param {HTMLElement} place @param {Problem[]} mine */
function markField(holder, place, mine) {
  holder.dataset.level = worstSeverity(mine);
  const area = holder.querySelector('textarea');
  area?.setAttribute('aria-invalid', String(holder.dataset.level === 'error'));
  area?.setAttribute('aria-describedby', place.id);
}

/** @param {Problem} problem @param {boolean} alone no field is shown that it could stand at */
function faultLine(problem, alone) {
  const numbered = /^input_image\.(\d+)/.exec(problem.path);
  const name = alone ? problem.path : numbered ? `@Image${Number(numbered[1]) + 1}` : '';
  const where = name && !problem.message.includes(name) ? `${name}: ` : '';
  const message = where + (where ? problem.message : problem.message.charAt(0).toUpperCase() + problem.message.slice(1));
  return h('p', { class: 'kn-problem', 'data-severity': problem.severity }, icon('warn'),
    h('span', {}, h('span', { class: 'kn-sr-only', text: `${problem.severity}: ` }), message, h('span', { class: 'kn-remedy', text: ` – ${problem.remedy}` })));
}
