import { actionButton, h, newId } from './dom.js';
import { fold } from './fold.js';
import { icon } from './icons.js';
import { segmented } from './inputs.js';

const FLAVOURS = [
  ['kling_nb', 'kling_nb'], ['requests', 'requests'], ['httpx', 'httpx'],
  ['fal_client', 'fal_client'], ['javascript', 'JavaScript'], // if the hub is fal.ai
  ['curl', 'cURL'], ['json', 'JSON'],
];
const OXEN = ['kling_nb', 'requests', 'httpx', 'curl', 'json'];
const FLOWS = [
  ['poll', 'Queue', 'Enqueue the request, then poll for the clip'],
  ['events', 'Queue + events', 'Enqueue the request, then follow the hub’s events'],
  ['sync', 'One call', 'One request that waits for the clip, often for minutes'],
];
const CODE_PAUSE = 250; // ms after the last edit

/**
 * The request as code, written by Python. It is requested only while the fold is open, a moment after the last edit.
 * @param {Pick<Shared, 'model'|'store'>} shared
 */
export function codeFold({ model, store }) {
  let flavour = 'kling_nb';
  let flow = 'poll';
  let offered = OXEN;
  let pending = '';
  let timer = 0;
  const options = (/** @type {string[][]} */ choices) => choices.map(([value, text, title]) => ({ value, text, title }));
  const flavours = segmented({ label: 'Language', options: options(FLAVOURS), pick: (value) => { flavour = value; changed(); } });
  const flows = segmented({ label: 'How to wait for the clip', options: options(FLOWS), pick: (value) => { flow = value; changed(); } });
  const code = h('pre', { class: 'kn-code', tabindex: '0', role: 'region', 'aria-label': 'Request as code' });
  const note = h('p', { class: 'kn-code-note' });
  const status = h('span', { class: 'kn-sr-only', role: 'status' });
  const copyText = h('span', { text: 'Copy' });
  const copy = actionButton('copy-code', () => copyCode(), { class: 'kn-quiet kn-code-copy' }, icon('copy'), copyText);
  const { el, paint: mark } = fold('code', 'Code', 'this request in Python, cURL or JSON',
    h('div', { class: 'kn-code-options' }, flavours.el, flows.el), h('div', { class: 'kn-code-box' }, code, copy, status), note);
  mark('');

  const ask = () => {
    pending = newId();
    code.setAttribute('aria-busy', 'true');
    model.send({ kind: 'code', id: pending, flavour, flow });
  };
  const askAfter = (/** @type {number} */ wait) => { clearTimeout(timer); timer = setTimeout(ask, wait); };
  const paint = () => {
    flavours.paint(flavour);
    flows.paint(flow);
    flows.el.hidden = flavour === 'kling_nb' || !offered.includes('requests');
    for (const input of flavours.el.querySelectorAll('input')) {
      const segment = input.closest('label');
      if (segment) segment.hidden = !offered.includes(input.dataset.value ?? '');
    }
  };
  const changed = () => {
    paint();
    if (el.open) askAfter(0);
  };
  const onMessage = (/** @type {Incoming|null} */ message) => {
    if (message?.kind !== 'code' || message.id !== pending) return;
    code.removeAttribute('aria-busy');
    code.textContent = message.code;
    code.hidden = copy.hidden = !message.code;
    if (message.flavours && message.flavour) { // none without code
      offered = message.flavours;
      flavour = message.flavour;
      paint();
    }
    note.textContent = [...message.notes, message.code && flavour !== 'json' && `The key is read from ${message.key}. Each run is charged.`].filter(Boolean).join(' ');
  };
  const copyCode = async () => {
    const copied = await copyToClipboard(code);
    copyText.textContent = copied ? 'Copied' : 'Press Ctrl+C';
    status.textContent = copied ? 'Code copied' : 'Code selected';
    setTimeout(() => { copyText.textContent = 'Copy'; status.textContent = ''; }, 1600);
  };
  el.addEventListener('toggle', () => { if (el.open) askAfter(0); });
  model.on('msg:custom', onMessage);
  store.listen(() => { if (el.open) askAfter(CODE_PAUSE); });
  changed();
  return { el, close: () => { clearTimeout(timer); model.off('msg:custom', onMessage); } };
}

/** Copy the text of an element; select it too if the page may not write to the clipboard (plain http). @param {HTMLElement} el */
async function copyToClipboard(el) {
  try {
    await navigator.clipboard.writeText(el.textContent ?? '');
    return true;
  } catch {
    el.ownerDocument.getSelection()?.selectAllChildren(el);
    return el.ownerDocument.execCommand('copy');
  }
}
