import { h, freshId, icon } from './dom.js';
import { matchingModels, steppedTo } from './modelsearch.js';
import { countWords } from './words.js';

/** The model: a button with its name, and the catalogue behind it, searched as one types. @param {Pick<Shared, 'model'|'desk'>} shared */
export function modelPicker({ model, desk }) {
  const name = h('span', { class: 'kn-model-name' });
  const button = h('button', { type: 'button', class: 'kn-model', 'aria-expanded': 'false', on: { click: () => open(Boolean(box.hidden)) } }, name, icon('chevron'));
  const list = h('div', { class: 'kn-models', role: 'listbox', id: `kn-${freshId()}`, 'aria-label': 'Models' });
  const input = h('input', { type: 'search', class: 'kn-line', role: 'combobox', 'aria-label': 'Search models', placeholder: 'Search, for example: omni, image to video', 'aria-autocomplete': 'list', 'aria-expanded': 'true', 'aria-controls': list.id, spellcheck: 'false', autocomplete: 'off' });
  const said = h('div', { class: 'kn-models-status', role: 'status' });
  const box = h('div', { class: 'kn-library kn-model-box', role: 'group', 'aria-label': 'Choose a model', hidden: true }, h('div', { class: 'kn-model-search' }, icon('search'), input), list, said);
  /** @type {ModelOffer[]} */
  let found = [];
  let at = 0;

  const offers = () => model.get('catalogue') ?? {};
  const now = () => desk.draft.model;
  const open = (/** @type {boolean} */ on) => {
    box.hidden = !on;
    button.setAttribute('aria-expanded', String(on));
    if (!on) return;
    input.value = '';
    search();
    at = Math.max(0, found.findIndex((each) => each.id === now()));
    mark();
    input.focus();
  };
  const close = () => { open(false); button.focus(); };
  const take = (/** @type {ModelOffer|undefined} */ chosen) => {
    close();
    if (!chosen || chosen.id === now()) return;
    chooseModel(model, desk, chosen.id);
  };
  const search = () => {
    found = matchingModels(offers().models ?? [], input.value);
    at = 0;
    list.replaceChildren(...found.map((each, i) => option(each, i)));
    const all = (offers().models ?? []).length;
    const which = found.length === all ? countWords(all, 'model') : `${found.length} of ${countWords(all, 'model')}`;
    const source = offers().live ? 'listed by the hub' : offers().error ? `bundled list – ${offers().error}` : 'bundled list, loading the hub’s…';
    said.textContent = found.length ? `${which} · ${source}` : `No matches · ${source}`;
    mark();
  };
  const option = (/** @type {ModelOffer} */ each, /** @type {number} */ i) => h('div', { class: 'kn-model-option', role: 'option', id: `${list.id}-${i}`, 'aria-selected': 'false', 'aria-current': each.id === now() ? 'true' : null, title: each.id,
    on: { mousedown: (event) => event.preventDefault(), click: () => take(each), pointermove: () => { if (at !== i) { at = i; mark(false); } } } },
  h('b', { text: each.title }), each.id === now() ? icon('check') : null, h('span', { class: 'kn-model-price', text: each.price }),
  h('small', {}, h('i', { text: each.family || each.makes }), each.summary));
  const mark = (scroll = true) => {
    [...list.children].forEach((each, i) => each.setAttribute('aria-selected', String(i === at)));
    input.setAttribute('aria-activedescendant', found.length ? `${list.id}-${at}` : '');
    if (scroll) list.children[at]?.scrollIntoView({ block: 'nearest' });
  };
  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const to = steppedTo(event.key, at, found.length);
    const caret = ['Home', 'End'].includes(event.key) && input.value;
    if (to !== null && !caret) { at = to; mark(); }
    else if (event.key === 'Enter') take(found[at]);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const paint = () => {
    const title = model.get('forms')?.[now()]?.title ?? now();
    name.textContent = title;
    button.setAttribute('aria-label', `Model: ${title}. Change model`);
    button.title = now();
  };
  const arrived = () => { if (!box.hidden) { const was = found[at]?.id; search(); at = Math.max(0, found.findIndex((each) => each.id === was)); mark(false); } };
  model.on('change:catalogue', arrived);
  return { el: box, button, paint, close: () => model.off('change:catalogue', arrived) };
}

/** Goes over to another model: what was typed until now is on its way first. @param {Model} model @param {Desk} desk @param {string} id */
export function chooseModel(model, desk, id) {
  desk.settle();
  model.send({ kind: 'choose', id: freshId(), model: id, draft: desk.draft });
}
