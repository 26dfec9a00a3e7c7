import { h, icon, freshId } from './dom.js';
import { segmented } from './choices.js';
import { fold } from './fold.js';

const FLAVOUR_CHOICES = [['kling_nb', 'kling_nb'], ['requests', 'requests'], ['httpx', 'httpx'], ['curl', 'cURL'], ['json', 'JSON']];
const FLOW_CHOICES = [
  ['poll', 'Queue', 'Enqueue the request, then poll for the clip'],
  ['events', 'Queue + events', 'Enqueue the request, then follow the hub’s events'],
  ['sync', 'One call', 'One request that waits for the clip, often for minutes'],
];
const CODE_PAUSE = 250;

/**
 * The request as code. It is written in Python, asked for only while the fold is open, a moment after the last edit.
 * @param {Pick<Shared, 'model'|'desk'>} shared
 */
export function codeFold({ model, desk }) {
  let flavour = 'kling_nb';
  let flow = 'poll';
  let asked = '';
  let timer = 0;
  const offered = (/** @type {string[][]} */ choices) => choices.map(([value, text, title]) => ({ value, text, title }));
  const flavours = segmented({ label: 'Language', options: offered(FLAVOUR_CHOICES), pick: (value) => { flavour = value; turn(); } });
  const flows = segmented({ label: 'How to wait for the clip', options: offered(FLOW_CHOICES), pick: (value) => { flow = value; turn(); } });
  const text = h('pre', { class: 'kn-code', tabindex: '0', role: 'region', 'aria-label': 'Request as code' });
  const note = h('p', { class: 'kn-code-note' });
  const done = h('span', { class: 'kn-sr-only', role: 'status' });
  const words = h('span', { text: 'Copy' });
  const copy = h('button', { type: 'button', class: 'kn-quiet kn-code-copy', on: { click: () => take() } }, icon('copy'), words);
  const { el, paint: mark } = fold('Code', 'this request in Python, cURL or JSON',
    h('div', { class: 'kn-code-options' }, flavours.el, flows.el), h('div', { class: 'kn-code-box' }, text, copy, done), note);
  mark('');

  const ask = () => {
    asked = freshId();
    text.setAttribute('aria-busy', 'true');
    model.send({ kind: 'code', id: asked, flavour, flow });
  };
  const soon = (/** @type {number} */ wait) => { clearTimeout(timer); timer = setTimeout(ask, wait); };
  const turn = () => {
    flavours.paint(flavour);
    flows.paint(flow);
    flows.el.hidden = flavour === 'kling_nb';
    if (el.open) soon(0);
  };
  const heard = (/** @type {Heard|null} */ message) => {
    if (message?.kind !== 'code' || message.id !== asked) return;
    text.removeAttribute('aria-busy');
    text.textContent = message.code;
    text.hidden = copy.hidden = !message.code;
    note.textContent = [...message.notes, message.code && flavour !== 'json' && 'The key is read from OXEN_API_KEY. Each run is charged.'].filter(Boolean).join(' ');
  };
  const take = async () => {
    const taken = await copied(text);
    words.textContent = taken ? 'Copied' : 'Press Ctrl+C';
    done.textContent = taken ? 'Code copied' : 'Code selected';
    setTimeout(() => { words.textContent = 'Copy'; done.textContent = ''; }, 1600);
  };
  el.addEventListener('toggle', () => { if (el.open) soon(0); });
  model.on('msg:custom', heard);
  desk.listen(() => { if (el.open) soon(CODE_PAUSE); });
  turn();
  return { el, close: () => { clearTimeout(timer); model.off('msg:custom', heard); } };
}

/** Copies what stands there; selects it too where the page may not write to the clipboard (plain http). @param {HTMLElement} place */
async function copied(place) {
  try {
    await navigator.clipboard.writeText(place.textContent ?? '');
    return true;
  } catch {
    place.ownerDocument.getSelection()?.selectAllChildren(place);
    return place.ownerDocument.execCommand('copy');
  }
}
