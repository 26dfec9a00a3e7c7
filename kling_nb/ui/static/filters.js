import { actionButton, h } from './dom.js';
import { icon } from './icons.js';

const TYPING_PAUSE = 160; // ms after the last keystroke

/** The filters above the grid; `changed` receives all of them, a moment after the last keystroke. @param {Model} model @param {(filters: Traits['filters']) => void} changed */
export function filterBar(model, changed) {
  let timer = 0;
  const changedAfter = (/** @type {number} */ wait) => { clearTimeout(timer); timer = setTimeout(() => changed(filters()), wait); };
  const text = h('input', { type: 'search', class: 'kn-search-input', placeholder: 'Search prompts, notes, IDs', 'aria-label': 'Search', spellcheck: 'false', 'data-field': 'text', on: { input: () => changedAfter(TYPING_PAUSE) } });
  const choice = (/** @type {string} */ label) => h('select', { class: 'kn-choice', 'aria-label': label, 'data-field': label.toLowerCase(), on: { change: () => changedAfter(0) } });
  const [status, modelName, tag, stars] = ['Status', 'Model', 'Tag', 'Stars'].map(choice);
  /** @type {Record<string, HTMLInputElement|HTMLSelectElement>} */
  const controls = { text, status, model: modelName, tag, stars };
  const clear = actionButton('clear-filters', () => { for (const control of Object.values(controls)) control.value = ''; changedAfter(0); text.focus(); }, { text: 'Clear filters' });
  const count = h('span', { class: 'kn-record-count', role: 'status' });
  const el = h('div', { class: 'kn-filters', role: 'search' }, h('label', { class: 'kn-search' }, icon('search'), text), status, modelName, tag, stars, clear, count);

  const filters = () => {
    /** @type {Traits['filters']} */
    const chosen = Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value.trim()]).filter(([, value]) => value));
    if (chosen.stars) chosen.stars = Number(chosen.stars);
    clear.hidden = !Object.keys(chosen).length;
    return chosen;
  };
  /** @param {HTMLSelectElement} control @param {string} first @param {string[][]} options */
  const fill = (control, first, options) => {
    const current = control.value;
    control.replaceChildren(h('option', { value: '', text: first }), ...options.map(([value, label]) => h('option', { value, text: label })));
    if (current && !options.some(([value]) => value === current)) control.append(h('option', { value: current, text: current }));
    control.value = current;
  };
  const paintChoices = () => {
    const { models = [], tags = [], statuses = [] } = model.get('choices');
    fill(status, 'Any status', statuses.map((each) => [each.value, each.text]));
    fill(modelName, 'Any model', models.map((id) => [id, id.replace(/^kling-video-/, '')]));
    fill(tag, 'Any tag', tags.map((each) => [each, `#${each}`]));
    fill(stars, 'Any stars', [1, 2, 3, 4, 5].map((n) => [String(n), `${'★'.repeat(n)}${n < 5 ? ' or more' : ''}`]));
    modelName.hidden = models.length < 2 && !modelName.value;
    tag.hidden = !tags.length && !tag.value;
  };
  paintChoices();
  for (const [name, value] of Object.entries(model.get('filters'))) {
    const control = controls[name];
    if (control instanceof HTMLSelectElement && ![...control.options].some((option) => option.value === String(value))) control.append(h('option', { value, text: String(value) }));
    control.value = String(value);
    control.hidden = false;
  }
  model.on('change:choices', paintChoices);
  return { el, filters,
    choose(/** @type {'tag'} */ name, /** @type {string} */ value) { controls[name].value = value; changedAfter(0); },
    count(/** @type {string} */ label) { if (count.textContent !== label) count.textContent = label; },
    close() { clearTimeout(timer); model.off('change:choices', paintChoices); } };
}
