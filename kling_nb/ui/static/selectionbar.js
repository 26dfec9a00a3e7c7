import { actionButton, h, newId } from './dom.js';
import { countText } from './format.js';
import { icon } from './icons.js';

/**
 * The actions on the selected clips: compare, generate again (after a question with the price), export, delete (can be
 * undone). Selected clips that the filters hide stay selected but are left out, so that no hidden clip is paid for or deleted.
 * @param {{model: Model, selected: Set<string>, find: (id: string) => Tile|undefined, shows: (id: string) => boolean, deselect: (ids: Iterable<string>) => void, max: number}} spec
 */
export function selectionBar({ model, selected, find, shows, deselect, max }) {
  /** @type {{call: string, ids: string[]}|null} */
  let asked = null;
  let price = '';
  let exporting = '';
  let exported = '';
  /** @type {string[]} */
  let trashed = [];
  /** @param {string} action @param {import('./icons.js').IconName|''} name @param {string} text @param {() => void} act */
  const button = (action, name, text, act, kind = 'kn-secondary') => actionButton(action, act, { class: kind }, name ? icon(name) : null, h('span', { text }));
  const setText = (/** @type {HTMLElement} */ target, /** @type {string} */ text) => target.lastElementChild?.replaceChildren(text);
  const count = h('b', {});
  const compare = button('compare', 'side', 'Compare', () => model.send({ kind: 'compare', ids: withClips() }));
  const again = button('generate-again', 'again', 'Generate again…', () => askPrice());
  const exportButton = button('export', '', 'Export', () => exportSelected());
  const remove = button('delete', 'bin', 'Delete', () => model.send({ kind: 'trash', ids: visible() }));
  const clear = actionButton('clear-selection', () => deselect([...selected]), { text: 'Clear selection' });
  const actions = h('div', { class: 'kn-selection-actions' }, count, compare, again, exportButton, remove, clear);

  const question = h('span', {});
  const yes = button('confirm-generate', '', '', () => generate(), 'kn-primary');
  const no = actionButton('cancel-generate', () => { price = ''; asked = null; paint(); again.focus(); }, { text: 'Cancel' });
  const questionBox = h('div', { class: 'kn-selection-question', role: 'group', 'aria-label': 'Generate again?', hidden: true }, question, yes, no);

  const trashText = h('span', {});
  const undo = actionButton('undo-delete', () => { model.send({ kind: 'restore', ids: trashed }); trashed = []; paint(); }, { class: 'kn-secondary', text: 'Undo' });
  const trashBox = h('div', { class: 'kn-selection-question', role: 'status', hidden: true }, trashText, undo, actionButton('ok', () => { trashed = []; paint(); }, { text: 'OK' }));
  const exportText = h('span', {});
  const exportBox = h('div', { class: 'kn-selection-question', role: 'status', hidden: true }, exportText, actionButton('ok', () => { exported = ''; paint(); }, { text: 'OK' }));
  const el = h('div', { class: 'kn-selection', hidden: true }, actions, questionBox, trashBox, exportBox);

  const visible = () => [...selected].filter(shows);
  const withClips = () => visible().filter((id) => find(id)?.clip !== false).slice(0, max);
  const exportSelected = () => {
    exporting = newId();
    exported = '';
    paint();
    model.send({ kind: 'export', call: exporting, ids: visible() });
  };
  const askPrice = () => {
    asked = { call: newId(), ids: visible() };
    model.send({ kind: 'price', ...asked });
    again.disabled = true;
  };
  const generate = () => {
    if (!asked || !price) return;
    const { ids } = asked;
    model.send({ kind: 'generate', id: newId(), ids, price });
    asked = null;
    price = '';
    deselect(ids);
  };
  const onMessage = (/** @type {Incoming|null} */ message) => {
    if (message?.kind === 'price' && message.call === asked?.call) { price = message.price; paint(); no.focus(); }
    if (message?.kind === 'exported' && message.call === exporting) { exporting = ''; exported = message.text; paint(); }
    if (message?.kind === 'trashed') { trashed = message.ids; for (const id of message.ids) selected.delete(id); paint(); }
  };
  const paint = () => {
    const ids = visible();
    const hidden = selected.size - ids.length;
    if (asked && String(asked.ids) !== String(ids)) { asked = null; price = ''; } // the confirmation was for other clips
    count.textContent = `${ids.length} selected${hidden ? ` (${hidden} hidden)` : ''}`;
    const clips = withClips().length;
    compare.disabled = clips < 2 || ids.length > max;
    compare.title = ids.length > max ? `Up to ${max} clips can be compared` : clips < 2 ? 'Select two or more clips' : '';
    again.disabled = !ids.length || Boolean(asked && !price);
    remove.disabled = !ids.length;
    actions.hidden = !selected.size || Boolean(price);
    questionBox.hidden = !price;
    question.textContent = asked && price ? `Generate ${countText(asked.ids.length, 'clip')} again?` : '';
    setText(yes, `Generate · ${price}`);
    exportButton.disabled = !ids.length || exporting !== '';
    setText(exportButton, exporting ? 'Exporting…' : 'Export');
    exportButton.title = 'Save the clips, images and records as an archive next to the notebook';
    exportText.textContent = exported;
    exportBox.hidden = !exported;
    trashText.textContent = `${countText(trashed.length, 'clip')} moved to the trash`;
    trashBox.hidden = !trashed.length || ids.length > 0;
    el.hidden = [actions, questionBox, trashBox, exportBox].every((part) => part.hidden);
  };
  model.on('msg:custom', onMessage);
  paint();
  return { el, paint, close: () => model.off('msg:custom', onMessage) };
}
