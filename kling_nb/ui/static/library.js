import { actionButton, h, iconButton, keyedList } from './dom.js';
import { icon } from './icons.js';

/**
 * A text input for a name, with a button. Enter submits, Escape cancels. `buttonText` depends on the typed name.
 * @param {{label: string, submit: (name: string) => void, cancel: () => void, buttonText?: (name: string) => string}} spec
 */
export function nameInput({ label, submit, cancel, buttonText = () => 'Save' }) {
  const input = h('input', { type: 'text', class: 'kn-line', 'aria-label': label, placeholder: label, maxlength: 80, spellcheck: 'false' });
  const button = actionButton('submit-name', () => done(), { class: 'kn-small' });
  const el = h('div', { class: 'kn-name-line' }, input, button);
  const paint = () => { button.textContent = buttonText(input.value.trim()); button.disabled = !input.value.trim(); };
  const done = () => {
    const name = input.value.trim();
    if (!name) return;
    input.value = '';
    paint();
    submit(name);
  };
  input.addEventListener('input', paint);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'Enter') done(); else cancel();
  });
  paint();
  return { el, input, paint, begin: (text = '') => { input.value = text; paint(); input.focus(); input.select(); } };
}

/**
 * The saved presets or elements: a button, and the list that it opens to load, rename or delete one.
 * @param {{model: Model, type: LibraryType, title: string, emptyText: string, load: (name: string) => void, end?: Node, opened?: () => void}} spec
 */
export function libraryMenu({ model, type, title, emptyText, load, end, opened = () => {} }) {
  const list = h('div', { class: 'kn-library-list', role: 'list' });
  const empty = h('p', { class: 'kn-empty-note', text: emptyText });
  const el = h('div', { class: 'kn-library', role: 'group', 'aria-label': title, 'data-library': type, hidden: true }, empty, list, end);
  const button = actionButton(`open-${type}s`, () => open(Boolean(el.hidden)), { 'aria-expanded': 'false' }, icon('bookmark'), title);
  const rows = () => model.get('library')?.[type] ?? [];

  const open = (/** @type {boolean} */ on) => {
    el.hidden = !on;
    button.setAttribute('aria-expanded', String(on));
    if (!on) return;
    model.send({ kind: 'library' });
    opened();
  };
  const shut = () => { open(false); button.focus(); };
  const onEscape = (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape' && !el.hidden) { event.stopPropagation(); shut(); } };
  for (const part of /** @type {HTMLElement[]} */ ([button, el])) part.addEventListener('keydown', onEscape);

  const makeRow = (/** @type {LibraryRow} */ first) => {
    const { name } = first;
    const images = h('span', { class: 'kn-library-images' });
    const text = h('span', { class: 'kn-library-text' });
    const choose = actionButton('load', () => { load(name); shut(); }, { class: 'kn-library-load' }, images, h('b', { text: name }), text);
    const renaming = nameInput({ label: `New name for ${name}`, buttonText: () => 'Rename', cancel: () => show(entry), submit: (changed) => { model.send({ kind: 'rename', type, name, new: changed }); show(entry); } });
    const entry = h('div', { class: 'kn-library-entry' }, choose, h('span', { class: 'kn-library-tools' },
      iconButton('rename', 'pencil', `Rename ${name}`, () => { show(renaming.el); renaming.begin(name); }),
      iconButton('delete', 'bin', `Delete ${name}`, () => { show(question); confirm.focus(); })));
    const confirm = actionButton('confirm-delete', () => model.send({ kind: 'delete', type, name }), { class: 'kn-danger', text: 'Delete' });
    const question = h('div', { class: 'kn-library-question' }, h('span', { text: `Delete ${name}?` }), confirm,
      actionButton('cancel-delete', () => show(entry), { text: 'Cancel' }));
    const row = h('div', { class: 'kn-library-row', role: 'listitem' }, entry);
    const show = (/** @type {HTMLElement} */ part) => { row.replaceChildren(part); if (part === entry) choose.focus(); };
    return { el: row, paint: (/** @type {LibraryRow} */ item) => {
      images.replaceChildren(...item.images.map((uri) => h('img', { src: uri, alt: '' })));
      text.textContent = [item.text, item.note].filter(Boolean).join(' · ');
    } };
  };
  const paintRows = keyedList(list, makeRow, (row) => row.name, (row) => /** @type {HTMLElement} */ (row?.querySelector('.kn-library-load') ?? button).focus());
  const paint = () => { paintRows(rows()); empty.hidden = rows().length > 0; };
  model.on('change:library', paint);
  paint();
  return { button, el, names: () => rows().map((row) => row.name), shut, close: () => model.off('change:library', paint) };
}

/** The presets: save the request under a name, and load it again. @param {Pick<Shared, 'model'|'store'>} shared */
export function presetMenu({ model, store }) {
  const line = nameInput({ label: 'Preset name', cancel: () => menu.shut(), buttonText: (name) => (name && menu.names().includes(name) ? 'Replace' : 'Save'),
    submit: (name) => model.send({ kind: 'save', type: 'preset', name, draft: store.draft }) });
  const menu = libraryMenu({ model, type: 'preset', title: 'Presets', emptyText: 'No presets yet. A preset is a saved request with its images.', end: line.el,
    load: (name) => model.send({ kind: 'load', name }), opened: () => line.input.focus() });
  return menu;
}
