import { actionButton, h } from './dom.js';
import { icon } from './icons.js';

/**
 * A box for a screenplay, a shot list or code, which Python reads into the form. It shows what was read; one undo step
 * takes it back. @param {Pick<Shared, 'store'|'kernel'>} shared
 */
export function scriptBox({ store, kernel }) {
  const area = h('textarea', { class: 'kn-script', rows: 6, 'aria-label': 'Screenplay, shot list or prompt', spellcheck: 'false',
    placeholder: 'A screenplay, a shot list, [0-3s] …, a table, a prompt in Kling’s own syntax, or code' });
  const fill = actionButton('read-script', () => read(), { class: 'kn-small kn-strong', text: 'Fill in' });
  const undo = actionButton('undo-script', () => { store.undo(); show([], ''); area.focus(); }, { class: 'kn-small' }, icon('undo'), 'Undo this');
  const notes = h('ul', { class: 'kn-script-notes' });
  const status = h('div', { class: 'kn-script-result', role: 'status' }, notes);
  const el = h('div', { class: 'kn-library', role: 'group', 'aria-label': 'Paste a script', hidden: true }, area,
    h('div', { class: 'kn-script-end' }, fill, undo, h('span', { class: 'kn-soft', text: 'Free: no model reads it. It replaces the prompt and the shots.' })), status);
  const button = actionButton('open-script', () => open(Boolean(el.hidden)), { 'aria-expanded': 'false' }, icon('script'), 'Paste a script');
  /** The edit that filled in the form; undo is offered until the next edit. */
  let edit = '';

  const open = (/** @type {boolean} */ on) => {
    el.hidden = !on;
    button.setAttribute('aria-expanded', String(on));
    if (on) area.focus();
  };
  const show = (/** @type {string[]} */ lines, /** @type {string} */ made) => {
    edit = made;
    notes.replaceChildren(...lines.map((text) => h('li', { text })));
    undo.hidden = !made || store.draft.edit !== made;
  };
  const read = async () => {
    if (!area.value.trim()) { show(['Paste a text first.'], ''); return; }
    store.flush();
    fill.disabled = true;
    try {
      const reply = await kernel.ask('script', { text: area.value, draft: store.draft });
      show(reply.notes, reply.edit);
    } catch (error) {
      show([error.message], '');
    } finally {
      fill.disabled = false;
    }
  };
  const escape = (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape' && !el.hidden) { event.stopPropagation(); open(false); button.focus(); } };
  for (const part of /** @type {HTMLElement[]} */ ([button, el])) part.addEventListener('keydown', escape);
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    read();
  });
  area.addEventListener('paste', (event) => event.stopPropagation()); // an image in the clipboard is not for this box
  store.listen((draft) => { undo.hidden = !edit || draft.edit !== edit; });
  return { el, button, shut: () => open(false) };
}
