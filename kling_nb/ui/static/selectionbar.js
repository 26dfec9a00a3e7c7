import { h, freshId } from './dom.js';
import { glyph } from './glyphs.js';
import { countWords } from './words.js';

/**
 * What can be done with the selected: compare, generate again (asked first, with the price), delete (can be undone).
 * Those that the filters hide stay selected and are left alone: nothing is paid for or deleted that is not seen.
 * @param {{model: Model, selected: Set<string>, find: (id: string) => Tile|undefined, shows: (id: string) => boolean, drop: (ids: Iterable<string>) => void, most: number}} spec
 */
export function selectionBar({ model, selected, find, shows, drop, most }) {
  /** @type {{call: string, ids: string[]}|null} */
  let asking = null;
  let offered = '';
  /** @param {Parameters<typeof glyph>[0]|''} name @param {string} words @param {() => void} act */
  const button = (name, words, act, kind = 'kn-secondary') => h('button', { type: 'button', class: kind, on: { click: act } }, name ? glyph(name) : null, h('span', { text: words }));
  const count = h('b', {});
  const compare = button('side', 'Compare', () => model.send({ kind: 'compare', ids: withClips() }));
  const again = button('again', 'Generate again…', () => offer());
  const bin = button('bin', 'Delete', () => { model.send({ kind: 'trash', ids: chosen() }); });
  const hand = button('', 'Export', () => send());
  const none = h('button', { type: 'button', class: 'kn-quiet', text: 'Clear selection', on: { click: () => drop([...selected]) } });
  const question = h('span', {});
  const yes = button('', '', () => generate(), 'kn-primary');
  const no = h('button', { type: 'button', class: 'kn-quiet', text: 'Cancel', on: { click: () => { offered = ''; asking = null; paint(); again.focus(); } } });
  const acts = h('div', { class: 'kn-selection-actions' }, count, compare, again, hand, bin, none);
  const ask = h('div', { class: 'kn-selection-question', role: 'group', 'aria-label': 'Generate again?', hidden: true }, question, yes, no);
  const undoWords = h('span', {});
  const undo = h('button', { type: 'button', class: 'kn-secondary', text: 'Undo', on: { click: () => { model.send({ kind: 'restore', ids: trashed }); trashed = []; paint(); } } });
  const gone = h('div', { class: 'kn-selection-question', role: 'status', hidden: true }, undoWords, undo, h('button', { type: 'button', class: 'kn-quiet', text: 'OK', on: { click: () => { trashed = []; paint(); } } }));
  const el = h('div', { class: 'kn-selection', hidden: true }, acts, ask, gone);
  /** @type {string[]} */
  let trashed = [];

  const saidWords = h('span', {});
  const said = h('div', { class: 'kn-selection-question', role: 'status', hidden: true }, saidWords, h('button', { type: 'button', class: 'kn-quiet', text: 'OK', on: { click: () => { exported = ''; paint(); } } }));
  el.append(said);
  let exporting = '';
  let exported = '';
  const send = () => {
    exporting = freshId();
    exported = '';
    paint();
    model.send({ kind: 'export', call: exporting, ids: chosen() });
  };

  const chosen = () => [...selected].filter(shows);
  const withClips = () => chosen().filter((id) => find(id)?.clip !== false).slice(0, most);
  const offer = () => {
    asking = { call: freshId(), ids: chosen() };
    model.send({ kind: 'price', ...asking });
    again.disabled = true;
  };
  const generate = () => {
    if (!asking || !offered) return;
    const { ids } = asking;
    model.send({ kind: 'generate', id: freshId(), ids, price: offered });
    asking = null;
    offered = '';
    drop(ids);
  };
  const heard = (/** @type {Heard|null} */ message) => {
    if (message?.kind === 'price' && message.call === asking?.call) { offered = message.price; paint(); no.focus(); }
    if (message?.kind === 'exported' && message.call === exporting) { exporting = ''; exported = message.text; paint(); }
    if (message?.kind === 'trashed') { trashed = message.ids; for (const id of message.ids) selected.delete(id); paint(); }
  };
  const reword = (/** @type {HTMLElement} */ button, /** @type {string} */ words) => button.lastElementChild?.replaceChildren(words);
  const paint = () => {
    const ids = chosen();
    const n = ids.length;
    const hidden = selected.size - n;
    if (asking && String(asking.ids) !== String(ids)) { asking = null; offered = ''; } // it was asked about others
    count.textContent = `${n} selected${hidden ? ` (${hidden} hidden)` : ''}`;
    const clips = withClips().length;
    compare.disabled = clips < 2 || n > most;
    compare.title = n > most ? `Up to ${most} clips can be compared` : clips < 2 ? 'Select two or more clips' : '';
    again.disabled = !n || Boolean(asking && !offered);
    bin.disabled = !n;
    acts.hidden = !selected.size || Boolean(offered);
    ask.hidden = !offered;
    question.textContent = asking && offered ? `Generate ${countWords(asking.ids.length, 'clip')} again?` : '';
    reword(yes, `Generate · ${offered}`);
    hand.disabled = !n || exporting !== '';
    reword(hand, exporting ? 'Exporting…' : 'Export');
    hand.title = 'Save the clips, images and records as an archive next to the notebook';
    saidWords.textContent = exported;
    said.hidden = !exported;
    gone.hidden = !trashed.length || n > 0;
    undoWords.textContent = `${countWords(trashed.length, 'clip')} moved to the trash`;
    el.hidden = acts.hidden && ask.hidden && gone.hidden && said.hidden;
  };
  model.on('msg:custom', heard);
  paint();
  return { el, paint, close: () => model.off('msg:custom', heard) };
}
