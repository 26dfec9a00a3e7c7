import { h, icon, iconButton, keyedList } from './dom.js';

/**
 * A line for a name with its button; Enter does it, Esc puts it away. `words` are the button's, for what is typed.
 * @param {{label: string, act: (name: string) => void, away: () => void, words?: (name: string) => string}} spec
 */
export function nameLine({ label, act, away, words = () => 'Save' }) {
  const input = h('input', { type: 'text', class: 'kn-line', 'aria-label': label, placeholder: label, maxlength: 80, spellcheck: 'false' });
  const button = h('button', { type: 'button', class: 'kn-small', on: { click: () => done() } });
  const el = h('div', { class: 'kn-name-line' }, input, button);
  const paint = () => { button.textContent = words(input.value.trim()); button.disabled = !input.value.trim(); };
  const done = () => {
    const name = input.value.trim();
    if (!name) return;
    input.value = '';
    paint();
    act(name);
  };
  input.addEventListener('input', paint);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'Enter') done(); else away();
  });
  paint();
  return { el, input, paint, begin: (text = '') => { input.value = text; paint(); input.focus(); input.select(); } };
}

/**
 * What is kept by name, to be taken, renamed and deleted: a button and the list that it opens.
 * @param {{model: Model, what: LibraryType, title: string, none: string, take: (name: string) => void, end?: Node, opened?: () => void}} spec
 */
export function keptMenu({ model, what, title, none, take, end, opened = () => {} }) {
  const list = h('div', { class: 'kn-library-list', role: 'list' });
  const empty = h('p', { class: 'kn-empty-note', text: none });
  const el = h('div', { class: 'kn-library', role: 'group', 'aria-label': title, hidden: true }, empty, list, end);
  const button = h('button', { type: 'button', class: 'kn-quiet', 'aria-expanded': 'false', on: { click: () => open(Boolean(el.hidden)) } }, icon('bookmark'), title);
  const rows = () => model.get('library')?.[what] ?? [];

  const open = (/** @type {boolean} */ on) => {
    el.hidden = !on;
    button.setAttribute('aria-expanded', String(on));
    if (!on) return;
    model.send({ kind: 'library' });
    opened();
  };
  const close = () => { open(false); button.focus(); };
  const leave = (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape' && !el.hidden) { event.stopPropagation(); close(); } };
  for (const part of /** @type {HTMLElement[]} */ ([button, el])) part.addEventListener('keydown', leave);

  const makeRow = (/** @type {KeptRow} */ first) => {
    const { name } = first;
    const pictures = h('span', { class: 'kn-library-images' });
    const text = h('span', { class: 'kn-library-text' });
    const choose = h('button', { type: 'button', class: 'kn-library-load', on: { click: () => { take(name); close(); } } }, pictures, h('b', { text: name }), text);
    const renaming = nameLine({ label: `New name for ${name}`, words: () => 'Rename', away: () => show(plain), act: (now) => { model.send({ kind: 'rename', type: what, name, new: now }); show(plain); } });
    const tools = h('span', { class: 'kn-library-tools' },
      iconButton('pencil', `Rename ${name}`, () => { show(renaming.el); renaming.begin(name); }),
      iconButton('bin', `Delete ${name}`, () => { show(sure); drop.focus(); }));
    const plain = h('div', { class: 'kn-library-entry' }, choose, tools);
    const drop = h('button', { type: 'button', class: 'kn-danger', text: 'Delete', on: { click: () => model.send({ kind: 'delete', type: what, name }) } });
    const sure = h('div', { class: 'kn-library-question' }, h('span', { text: `Delete ${name}?` }), drop,
      h('button', { type: 'button', class: 'kn-quiet', text: 'Cancel', on: { click: () => show(plain) } }));
    const row = h('div', { class: 'kn-library-row', role: 'listitem' }, plain);
    const show = (/** @type {HTMLElement} */ part) => { row.replaceChildren(part); if (part === plain) choose.focus(); };
    return { el: row, paint: (/** @type {KeptRow} */ item) => {
      pictures.replaceChildren(...item.images.map((uri) => h('img', { src: uri, alt: '' })));
      text.textContent = [item.text, item.note].filter(Boolean).join(' · ');
    } };
  };
  const paintRows = keyedList(list, makeRow, (row) => row.name, (row) => /** @type {HTMLElement} */ (row?.querySelector('.kn-library-load') ?? button).focus());
  const paint = () => { paintRows(rows()); empty.hidden = rows().length > 0; };
  model.on('change:library', paint);
  paint();
  return { button, el, names: () => rows().map((row) => row.name), shut: close, close: () => model.off('change:library', paint) };
}
