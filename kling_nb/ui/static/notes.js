import { h, icon, iconButton } from './dom.js';

/** Says what of pasted code was not understood, or which pictures of a record are not here, until it is put away or something else fills the form. @param {Model} model */
export function noteBox(model) {
  const list = h('ul', {});
  const el = h('div', { class: 'kn-notice', role: 'note', 'aria-label': 'Not filled in', hidden: true }, icon('warn'),
    h('div', {}, h('b', { text: 'Not everything was filled in' }), list), iconButton('close', 'Dismiss', () => { el.hidden = true; }));
  const paint = () => {
    const notes = model.get('notes') ?? [];
    list.replaceChildren(...notes.map((note) => h('li', { text: note })));
    el.hidden = !notes.length;
  };
  model.on('change:notes', paint);
  paint();
  return { el, close: () => model.off('change:notes', paint) };
}
