import { actionButton, h, newId } from './dom.js';
import { countText } from './format.js';
import { icon } from './icons.js';

/** A button with the model's name, and the searchable catalogue that it opens. @param {Pick<Shared, 'model'|'store'>} shared */
export function modelPicker({ model, store }) {
  const name = h('span', { class: 'kn-model-name' });
  const button = actionButton('open-models', () => open(Boolean(box.hidden)), { class: 'kn-model', 'aria-expanded': 'false' }, name, icon('chevron'));
  const list = h('div', { class: 'kn-models', role: 'listbox', id: `kn-${newId()}`, 'aria-label': 'Models' });
  const input = h('input', { type: 'search', class: 'kn-line', role: 'combobox', 'aria-label': 'Search models', placeholder: 'Search, for example: omni, image to video', 'aria-autocomplete': 'list', 'aria-expanded': 'true', 'aria-controls': list.id, spellcheck: 'false', autocomplete: 'off' });
  const status = h('div', { class: 'kn-models-status', role: 'status' });
  const box = h('div', { class: 'kn-library kn-model-box', role: 'group', 'aria-label': 'Choose a model', hidden: true }, h('div', { class: 'kn-model-search' }, icon('search'), input), list, status);
  /** @type {ModelOffer[]} */
  let found = [];
  let at = 0;

  const catalogue = () => model.get('catalogue') ?? {};
  const current = () => store.draft.model;
  const open = (/** @type {boolean} */ on) => {
    box.hidden = !on;
    button.setAttribute('aria-expanded', String(on));
    if (!on) return;
    input.value = '';
    search();
    at = Math.max(0, found.findIndex((each) => each.id === current()));
    mark();
    input.focus();
  };
  const close = () => { open(false); button.focus(); };
  const choose = (/** @type {ModelOffer|undefined} */ chosen) => {
    close();
    if (chosen && chosen.id !== current()) chooseModel(model, store, chosen.id);
  };
  const search = () => {
    const { models = [], live, error } = catalogue();
    found = matchingModels(models, input.value);
    at = 0;
    list.replaceChildren(...found.map((each, i) => option(each, i)));
    const all = countText(models.length, 'model');
    const count = !found.length ? 'No matches' : found.length === models.length ? all : `${found.length} of ${all}`;
    const source = live ? 'listed by the hub' : error ? `bundled list – ${error}` : 'bundled list, loading from the hub…';
    status.textContent = `${count} · ${source}`;
    mark();
  };
  const option = (/** @type {ModelOffer} */ each, /** @type {number} */ i) => h('div', { class: 'kn-model-option', role: 'option', id: `${list.id}-${i}`, 'aria-selected': 'false', 'aria-current': each.id === current() ? 'true' : null, title: each.id, 'data-model': each.id,
    on: { mousedown: (event) => event.preventDefault(), click: () => choose(each), pointermove: () => { if (at !== i) { at = i; mark(false); } } } },
  h('b', { text: each.title }), each.id === current() ? icon('check') : null, h('span', { class: 'kn-model-price', text: each.price }),
  h('small', {}, h('i', { text: each.family || each.makes }), each.summary));
  const mark = (scroll = true) => {
    [...list.children].forEach((each, i) => each.setAttribute('aria-selected', String(i === at)));
    input.setAttribute('aria-activedescendant', found.length ? `${list.id}-${at}` : '');
    if (scroll) list.children[at]?.scrollIntoView({ block: 'nearest' });
  };
  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const to = nextIndex(event.key, at, found.length);
    const inText = ['Home', 'End'].includes(event.key) && input.value;
    if (to !== null && !inText) { at = to; mark(); }
    else if (event.key === 'Enter') choose(found[at]);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const paint = () => {
    const title = model.get('forms')?.[current()]?.title ?? current();
    name.textContent = title;
    button.setAttribute('aria-label', `Model: ${title}. Change model`);
    button.title = current();
  };
  const onCatalogue = () => {
    if (box.hidden) return;
    const marked = found[at]?.id;
    search();
    at = Math.max(0, found.findIndex((each) => each.id === marked));
    mark(false);
  };
  model.on('change:catalogue', onCatalogue);
  return { el: box, button, paint, close: () => model.off('change:catalogue', onCatalogue) };
}

/** Switch to another model; pending edits are sent first. @param {Model} model @param {DraftStore} store @param {string} id */
export function chooseModel(model, store, id) {
  store.flush();
  model.send({ kind: 'choose', id: newId(), model: id, draft: store.draft });
}

/**
 * The models whose name, kind or description contains every word of a search.
 * @param {ModelOffer[]} models @param {string} query
 */
export function matchingModels(models, query) {
  const words = plainText(query).split(' ').filter(Boolean);
  return models.filter((model) => {
    const text = plainText([model.title, model.id, model.family, model.makes, model.summary].join(' '));
    return words.every((word) => text.includes(word));
  });
}

/** @param {string} text */
function plainText(text) {
  return text.toLowerCase().replace(/[-_.]+/g, ' ');
}

/** The index that a key moves to in a list, which wraps around. @param {string} key @param {number} at @param {number} count @returns {number|null} null for any other key */
export function nextIndex(key, at, count) {
  if (!count) return null;
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: count - 1, PageDown: Math.min(count - 1, at + 5), PageUp: Math.max(0, at - 5) };
  const to = steps[key];
  return to === undefined ? null : (to + count) % count;
}
