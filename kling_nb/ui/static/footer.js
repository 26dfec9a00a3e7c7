import { actionButton, h, newId } from './dom.js';
import { problemCounts } from './format.js';
import { icon } from './icons.js';

/**
 * The last line of the panel: the price, the number of problems, Preview and Generate. One click sends one message.
 * @param {{model: Model, store: DraftStore, showProblem: () => void}} spec
 */
export function footer({ model, store, showProblem }) {
  const seconds = h('b', {});
  const note = h('span', { class: 'kn-price-note' });
  const problemCount = actionButton('show-problem', showProblem, { class: 'kn-problem-count' });
  const busyNote = h('span', { class: 'kn-busy-note', role: 'status' });
  const previewButton = actionButton('preview', () => submit('preview'), { class: 'kn-secondary' });
  const generateButton = actionButton('generate', () => submit('generate'), { class: 'kn-primary' });
  const earlier = earlierRun(model);
  const buttons = h('div', { class: 'kn-buttons' }, previewButton, generateButton);
  const question = priceQuestion({ confirm: () => submit('generate', true), cancel: () => { paint(); generateButton.focus(); }, shown: (on) => { buttons.hidden = on; } });
  const el = h('div', { class: 'kn-footer' }, earlier.el, h('div', { class: 'kn-summary-line' }, h('div', {}, seconds, note), problemCount, busyNote), buttons, question.el);
  /** @type {{id: string, action: string, at: number}|null} */
  let pending = null;

  const submit = (/** @type {'generate'|'preview'} */ action, confirmed = false) => {
    if (pending) return;
    const mine = { id: newId(), action, at: Date.now() };
    pending = mine;
    model.send({ kind: 'submit', id: mine.id, action, draft: store.draft, price: model.get('verdict').price, confirmed });
    setTimeout(() => { if (pending === mine) busyNote.textContent = 'The kernel is busy. Your request will be sent when it is free.'; }, 2500);
    paint();
  };
  const onMessage = (/** @type {Incoming|null} */ message) => {
    if (message?.kind !== 'submitted' || !pending || message.id !== pending.id) return;
    const rest = Math.max(0, 700 - (Date.now() - pending.at)); // long enough for the second click of a double click
    busyNote.textContent = '';
    if (message.question) { pending = null; paint(); question.open(message.question, model.get('verdict').price.split(' (')[0]); return; }
    setTimeout(() => { pending = null; paint(); }, rest);
  };
  const paint = () => {
    const verdict = model.get('verdict');
    question.close();
    const problems = verdict.problems ?? [];
    const errors = problems.filter((problem) => problem.severity === 'error');
    seconds.textContent = verdict.seconds ? `${verdict.seconds} s` : '';
    const [total, each] = (verdict.price ?? '').replace(/\)$/, '').split(' (');
    note.textContent = [each, verdict.note].filter(Boolean).map((part, i) => (i || verdict.seconds ? ` · ${part}` : part)).join('');
    problemCount.hidden = !problems.length;
    problemCount.dataset.level = errors.length ? 'error' : 'warning';
    problemCount.replaceChildren(icon('warn'), problemCounts(errors.length, problems.length - errors.length));
    const sending = (/** @type {string} */ action) => pending?.action === action;
    previewButton.textContent = sending('preview') ? 'Starting…' : 'Preview · free';
    generateButton.textContent = sending('generate') ? 'Sending…' : `Generate${model.get('earlier').id ? ' again' : ''}${total ? ` · ${total}` : ''}`;
    generateButton.disabled = errors.length > 0 || pending != null;
    previewButton.disabled = errors.some((problem) => problem.path !== 'model') || pending != null; // a preview does not need the hub's model
  };
  model.on('change:verdict', paint);
  model.on('change:earlier', paint);
  model.on('msg:custom', onMessage);
  paint();
  return { el, close: () => { earlier.close(); model.off('change:verdict', paint); model.off('change:earlier', paint); model.off('msg:custom', onMessage); } };
}

/** A line that says that the same request was made before, and a button that shows its clip. @param {Model} model */
function earlierRun(model) {
  const poster = h('img', { alt: '' });
  const text = h('span', {});
  const show = actionButton('show-earlier', () => model.send({ kind: 'show', id: model.get('earlier').id }), { text: 'Show' });
  const el = h('div', { class: 'kn-earlier', role: 'status', hidden: true }, poster, text, show);
  const paint = () => {
    const earlier = model.get('earlier');
    el.hidden = !earlier.id;
    text.textContent = earlier.text ?? '';
    poster.hidden = !earlier.poster;
    if (earlier.poster) poster.src = earlier.poster;
    show.hidden = !earlier.ended;
  };
  model.on('change:earlier', paint);
  paint();
  return { el, close: () => model.off('change:earlier', paint) };
}

/**
 * Asks for confirmation above the user's price limit, in place of the other buttons. Cancel has the focus, so that a
 * second Enter does not pay.
 * @param {{confirm: () => void, cancel: () => void, shown: (on: boolean) => void}} acts
 */
function priceQuestion({ confirm, cancel, shown }) {
  const question = h('span', {});
  const yes = actionButton('confirm-price', () => { close(); confirm(); }, { class: 'kn-primary' });
  const no = actionButton('cancel-price', () => { close(); cancel(); }, { class: 'kn-secondary', text: 'Cancel' });
  const el = h('div', { class: 'kn-price-question', role: 'group', 'aria-label': 'Confirm the price', hidden: true, on: { keydown: (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
    cancel();
  } } }, question, h('div', { class: 'kn-buttons' }, no, yes));
  const close = () => { el.hidden = true; shown(false); };
  const open = (/** @type {string} */ text, /** @type {string} */ price) => {
    question.textContent = text;
    yes.textContent = `Generate for ${price}`;
    el.hidden = false;
    shown(true);
    no.focus();
  };
  return { el, open, close };
}
