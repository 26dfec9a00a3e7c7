import { freshId, h, icon } from './dom.js';
import { placedProblems, worstSeverity } from './faults.js';

/** A place for the problems of one field. */
export function faultPlace(path) {
  return h('div', { class: 'kn-faults', id: `kn-${freshId()}`, 'data-faults': path, 'aria-live': 'polite' });
}

/** Puts each problem at its field and marks the field. */
export function paintFaults(root, problems) {
  const places = [...root.querySelectorAll('[data-faults]')];
  const placed = placedProblems(problems, places.map((place) => place.dataset.faults));
  for (const place of places) {
    const mine = placed.get(place.dataset.faults) ?? [];
    const key = JSON.stringify(mine);
    const holder = place.closest('.kn-field');
    if (holder) markField(holder, place, mine);
    if (place.dataset.key === key) continue;
    place.dataset.key = key;
    place.replaceChildren(...mine.map(faultLine));
  }
  for (const part of root.querySelectorAll('.kn-fold')) {
    const inside = [...part.querySelectorAll('[data-faults]')].flatMap((place) => placed.get(place.dataset.faults) ?? []);
    part.dataset.level = worstSeverity(inside);
  }
}

function markField(holder, place, mine) {
  holder.dataset.level = worstSeverity(mine);
  const area = holder.querySelector('textarea');
  area?.setAttribute('aria-invalid', String(holder.dataset.level === 'error'));
  area?.setAttribute('aria-describedby', place.id);
}

function faultLine(problem) {
  const numbered = /^input_image\.(\d+)/.exec(problem.path);
  const name = numbered ? `@Image${Number(numbered[1]) + 1}` : '';
  const where = name && !problem.message.includes(name) ? `${name}: ` : '';
  const message = where + (where ? problem.message : problem.message.charAt(0).toUpperCase() + problem.message.slice(1));
  return h('p', { class: 'kn-fault', 'data-severity': problem.severity }, icon('warn'),
    h('span', {}, h('span', { class: 'kn-unseen', text: `${problem.severity}: ` }), message, h('span', { class: 'kn-remedy', text: ` – ${problem.remedy}` })));
}
