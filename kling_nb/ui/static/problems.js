import { h, newId } from './dom.js';
import { remedySeparator } from './format.js';
import { icon } from './icons.js';

/**
 * Group problems by the place that shows them: the field of their path or its nearest parent, otherwise `''`.
 * @param {Problem[]} problems
 * @param {string[]} places the paths that have a place on the screen
 * @returns {Map<string, Problem[]>}
 */
export function problemsByPlace(problems, places) {
  /** @type {Map<string, Problem[]>} */
  const placed = new Map();
  for (const problem of problems) {
    const place = nearestPlace(problem.path, places);
    placed.set(place, [...(placed.get(place) ?? []), problem]);
  }
  return placed;
}

/** @param {string} path @param {string[]} places @returns {string} */
export function nearestPlace(path, places) {
  const steps = path.split('.');
  while (steps.length) {
    const place = steps.join('.');
    if (places.includes(place)) return place;
    steps.pop();
  }
  return '';
}

/** @param {Problem[]} problems @returns {'error'|'warning'|''} */
export function worstSeverity(problems) {
  if (problems.some((problem) => problem.severity === 'error')) return 'error';
  return problems.length ? 'warning' : '';
}

/** The problems as text for a screen reader: the first two, and the number of the others. @param {Problem[]} problems */
export function problemsText(problems) {
  if (!problems.length) return 'No errors or warnings';
  const first = problems.slice(0, 2).map((problem) => `${problem.severity}: ${problem.message.replace(/\.$/, '')}`);
  return [...first, ...(problems.length > 2 ? [`${problems.length - 2} more`] : [])].join('. ');
}

/** A place for the problems of one field. @param {string} path */
export function problemPlace(path) {
  return h('div', { class: 'kn-problems', id: `kn-${newId()}`, 'data-problems': path });
}

/**
 * Show each problem at its field and mark the field. `apply` changes the draft when a fix is pressed.
 * @param {HTMLElement} root @param {Problem[]} problems @param {(changes: Partial<Draft>) => void} apply
 */
export function paintProblems(root, problems, apply) {
  const pathOf = (/** @type {HTMLElement} */ place) => place.dataset.problems ?? '';
  const placesIn = (/** @type {HTMLElement} */ part) => [.../** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll('[data-problems]'))];
  const places = placesIn(root);
  const placed = problemsByPlace(problems, places.map(pathOf));
  for (const place of places) {
    const mine = placed.get(pathOf(place)) ?? [];
    const key = JSON.stringify(mine);
    const field = /** @type {HTMLElement|null} */ (place.closest('.kn-field'));
    if (field) markField(field, place, mine);
    if (place.dataset.key === key) continue;
    place.dataset.key = key;
    place.replaceChildren(...mine.map((problem) => problemLine(problem, !pathOf(place), apply)));
  }
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('.kn-fold'))) {
    part.dataset.level = worstSeverity(placesIn(part).flatMap((place) => placed.get(pathOf(place)) ?? []));
  }
}

/** @param {HTMLElement} field @param {HTMLElement} place @param {Problem[]} problems */
function markField(field, place, problems) {
  field.dataset.level = worstSeverity(problems);
  const area = field.querySelector('textarea');
  area?.setAttribute('aria-invalid', String(field.dataset.level === 'error'));
  area?.setAttribute('aria-describedby', place.id);
}

/**
 * @param {Problem} problem @param {boolean} alone whether no field on the screen has this path
 * @param {(changes: Partial<Draft>) => void} apply
 */
function problemLine(problem, alone, apply) {
  const image = /^input_image\.(\d+)/.exec(problem.path);
  const name = alone ? problem.path : image ? `@Image${Number(image[1]) + 1}` : '';
  const prefix = name && !problem.message.includes(name) ? `${name}: ` : '';
  const message = prefix + (prefix ? problem.message : problem.message.charAt(0).toUpperCase() + problem.message.slice(1));
  const { fix } = problem;
  const press = (/** @type {Event} */ event) => {
    const field = /** @type {HTMLElement} */ (event.currentTarget).closest('.kn-field');
    if (fix) apply(fix.changes);
    /** @type {HTMLElement|null|undefined} */ (field?.querySelector('textarea, input'))?.focus({ preventScroll: true }); // the button is gone
  };
  const button = fix ? [h('button', { type: 'button', class: 'kn-small kn-fix', 'data-action': 'fix', text: fix.label, on: { click: press } })] : [];
  return h('p', { class: 'kn-problem', 'data-severity': problem.severity, 'data-path': problem.path }, icon('warn'),
    h('span', {}, h('span', { class: 'kn-sr-only', text: `${problem.severity}: ` }), message, h('span', { class: 'kn-remedy', text: `${remedySeparator(message)}${problem.remedy} ` }), ...button));
}
