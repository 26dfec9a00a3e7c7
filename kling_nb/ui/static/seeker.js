import { h } from './dom.js';
import { glyph } from './glyphs.js';

const TYPING = 160; // ms of rest before what was typed is looked for

/** The filters above the grid; `changed` gets all of them, a moment after the last keystroke. @param {Model} model @param {(filters: Traits['filters']) => void} changed */
export function seeker(model, changed) {
  let timer = 0;
  const later = (/** @type {number} */ wait) => { clearTimeout(timer); timer = setTimeout(() => changed(filters()), wait); };
  const text = h('input', { type: 'search', class: 'kn-search-input', placeholder: 'Search prompts, notes, IDs', 'aria-label': 'Search', spellcheck: 'false', on: { input: () => later(TYPING) } });
  const choice = (/** @type {string} */ label) => h('select', { class: 'kn-choice', 'aria-label': label, on: { change: () => later(0) } });
  const [status, modelName, tag, stars] = ['Status', 'Model', 'Tag', 'Stars'].map(choice);
  /** @type {Record<string, HTMLInputElement|HTMLSelectElement>} */
  const all = { text, status, model: modelName, tag, stars };
  const clear = h('button', { type: 'button', class: 'kn-quiet', text: 'Clear filters', on: { click: () => { for (const one of Object.values(all)) one.value = ''; later(0); text.focus(); } } });
  const count = h('span', { class: 'kn-record-count', role: 'status' });
  const el = h('div', { class: 'kn-filters', role: 'search' }, h('label', { class: 'kn-search' }, glyph('find'), text), status, modelName, tag, stars, clear, count);

  const filters = () => {
    /** @type {Traits['filters']} */
    const chosen = Object.fromEntries(Object.entries(all).map(([name, control]) => [name, control.value.trim()]).filter(([, value]) => value));
    if (chosen.stars) chosen.stars = Number(chosen.stars);
    clear.hidden = !Object.keys(chosen).length;
    return chosen;
  };
  /** @param {HTMLSelectElement} control @param {string} first @param {string[][]} options */
  const fill = (control, first, options) => {
    const now = control.value;
    control.replaceChildren(h('option', { value: '', text: first }), ...options.map(([value, words]) => h('option', { value, text: words })));
    if (now && !options.some(([value]) => value === now)) control.append(h('option', { value: now, text: now }));
    control.value = now;
  };
  const paintChoices = () => {
    const { models = [], tags = [], statuses = [] } = model.get('choices');
    fill(status, 'Any status', statuses.map((one) => [one.value, one.text]));
    fill(modelName, 'Any model', models.map((one) => [one, one.replace(/^kling-video-/, '')]));
    fill(tag, 'Any tag', tags.map((one) => [one, `#${one}`]));
    fill(stars, 'Any stars', [1, 2, 3, 4, 5].map((n) => [String(n), `${'★'.repeat(n)}${n < 5 ? ' or more' : ''}`]));
    modelName.hidden = models.length < 2 && !modelName.value;
    tag.hidden = !tags.length && !tag.value;
  };
  paintChoices();
  for (const [name, value] of Object.entries(model.get('filters'))) {
    const control = all[name];
    if (control instanceof HTMLSelectElement && ![...control.options].some((one) => one.value === String(value))) control.append(h('option', { value, text: String(value) }));
    control.value = String(value);
    control.hidden = false;
  }
  model.on('change:choices', paintChoices);
  return { el, filters, choose(/** @type {'tag'} */ name, /** @type {string} */ value) { all[name].value = value; later(0); }, count(/** @type {string} */ words) { if (count.textContent !== words) count.textContent = words; }, close() { clearTimeout(timer); model.off('change:choices', paintChoices); } };
}
