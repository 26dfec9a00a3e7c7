import { actionButton, h, newId } from './dom.js';
import { clockText, problemCounts } from './format.js';
import { icon } from './icons.js';

const YOUNG = 10000; // ms after a press during which its button leads to the job instead of sending another one
const DOUBLE_CLICK = 700; // ms
const CONTROL_KEY = /Mac|iP(hone|ad)/.test(globalThis.navigator?.platform ?? '') ? '⌘' : 'Ctrl+';

/**
 * The last line of the panel: the price, the number of problems, Preview and Generate. One click sends one message.
 * The button confirms it immediately, and leads to the job for some seconds.
 * @param {{model: Model, store: DraftStore, showProblem: () => void, showRow: (job: string) => void}} spec
 */
export function footer({ model, store, showProblem, showRow }) {
  const seconds = h('b', {});
  const note = h('span', { class: 'kn-price-note' });
  const raise = h('span', { class: 'kn-raised-note', role: 'status' });
  const money = h('span', { class: 'kn-money', title: 'Including running jobs and unconfirmed charges' });
  /** @type {{shots: number, price: string}|null} */
  let before = null;
  const problemCount = actionButton('show-problem', showProblem, { class: 'kn-problem-count' });
  const busyNote = h('span', { class: 'kn-busy-note', role: 'status' });
  const previewButton = actionButton('preview', () => press('preview'), { class: 'kn-secondary', title: `Preview (${CONTROL_KEY}Enter)` });
  const generateButton = actionButton('generate', () => press('generate'), { class: 'kn-primary', title: `Generate (${CONTROL_KEY}Shift+Enter)` });
  const earlier = earlierRun(model);
  const buttons = h('div', { class: 'kn-buttons' }, previewButton, generateButton);
  const question = priceQuestion({ confirm: () => submit('generate', true), cancel: () => { paint(); generateButton.focus(); }, shown: (on) => { buttons.hidden = on; } });
  const el = h('div', { class: 'kn-footer' }, earlier.el, h('div', { class: 'kn-summary-line' }, h('div', {}, seconds, note), raise, money, problemCount, busyNote), buttons, question.el);
  /** @typedef {{id: string, action: string, at: number, job: string, edit: string|undefined}} Press */
  /** @type {Press|null} */
  let pending = null;
  /** @type {Press|null} the last press that started a job, until it has expired */
  let sent = null;

  const press = (/** @type {'generate'|'preview'} */ action) => {
    age();
    if (sent?.action !== action) submit(action);
    else if (Date.now() - sent.at > DOUBLE_CLICK) showRow(sent.job);
  };
  const submit = (/** @type {'generate'|'preview'} */ action, confirmed = false) => {
    if (pending) return;
    const mine = { id: newId(), action, at: Date.now(), job: '', edit: store.draft.edit };
    pending = mine;
    model.send({ kind: 'submit', id: mine.id, action, draft: store.draft, price: model.get('verdict').price, confirmed });
    setTimeout(() => { if (pending === mine) busyNote.textContent = 'The kernel is busy. Your request will be sent when it is free.'; }, 2500);
    paint();
  };
  const onMessage = (/** @type {Incoming|null} */ message) => {
    if (message?.kind !== 'submitted' || !pending || message.id !== pending.id) return;
    busyNote.textContent = '';
    if (message.question) { pending = null; paint(); question.open(message.question, model.get('verdict').price.split(' (')[0]); return; }
    if (message.jobs) { sent = { ...pending, job: message.first ?? '' }; pending = null; paint(); return; }
    const rest = Math.max(0, DOUBLE_CLICK - (Date.now() - pending.at)); // for the second click of a double click
    setTimeout(() => { pending = null; paint(); }, rest);
  };
  /** Forget a press that has expired, or that was for an earlier draft. */
  const age = () => { if (sent && (Date.now() - sent.at > YOUNG || store.draft.edit !== sent.edit)) sent = null; };
  const clock = setInterval(() => { if (pending || sent) { age(); paintButtons(); } }, 250);
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented || event.isComposing || event.repeat || !question.el.hidden) return;
    event.preventDefault();
    const button = event.shiftKey ? generateButton : previewButton;
    if (!button.disabled) button.click();
    else if (!pending) showProblem();
  };
  const paint = () => {
    const verdict = model.get('verdict');
    question.close();
    const problems = verdict.problems ?? [];
    const errors = problems.filter((problem) => problem.severity === 'error');
    seconds.textContent = verdict.seconds ? `${verdict.seconds} s` : '';
    const [, each] = (verdict.price ?? '').replace(/\)$/, '').split(' (');
    note.textContent = [each, verdict.note].filter(Boolean).map((part, i) => (i || verdict.seconds ? ` · ${part}` : part)).join('');
    paintRaise((verdict.price ?? '').split(' (')[0]);
    problemCount.hidden = !problems.length;
    problemCount.dataset.level = errors.length ? 'error' : 'warning';
    problemCount.replaceChildren(icon('warn'), problemCounts(errors.length, problems.length - errors.length));
    age();
    paintButtons();
  };
  /** Show what the request cost before the last shot was added, until its shots or its price change again. @param {string} price */
  const paintRaise = (price) => {
    if (model.get('verdict').edit !== store.draft.edit) return;
    const shots = store.draft.mode === 'shots' ? (store.draft.multi_prompt ?? []).length : 0;
    if (before && shots === before.shots && price === before.price) return;
    const grown = before && before.shots > 0 && shots > before.shots && price !== before.price && before.price.includes('$');
    raise.textContent = grown ? `${before?.price} before shot ${shots} was added` : '';
    before = { shots, price };
  };
  const paintMoney = () => { money.textContent = model.get('money') ?? ''; };
  const paintButtons = () => {
    const errors = (model.get('verdict').problems ?? []).filter((problem) => problem.severity === 'error');
    const total = (model.get('verdict').price ?? '').split(' (')[0];
    paintButton(previewButton, 'preview', 'Preview · free', errors.some((problem) => problem.path !== 'model')); // a preview does not need the hub's model
    paintButton(generateButton, 'generate', `Generate${model.get('earlier').id ? ' again' : ''}${total ? ` · ${total}` : ''}`, errors.length > 0);
  };
  /** @param {HTMLButtonElement} button @param {string} action @param {string} text @param {boolean} faulty */
  const paintButton = (button, action, text, faulty) => {
    const mine = [pending, sent].find((each) => each?.action === action);
    const shown = mine ? `${mine.job ? 'Sent' : 'Sending'} · ${clockText((Date.now() - mine.at) / 1000)}` : text;
    if (button.textContent !== shown) button.replaceChildren(...(mine?.job ? [icon('check')] : []), shown);
    button.classList.toggle('kn-sent', Boolean(mine));
    button.disabled = !mine?.job && (faulty || pending != null);
  };
  model.on('change:verdict', paint);
  model.on('change:earlier', paint);
  model.on('change:money', paintMoney);
  model.on('msg:custom', onMessage);
  paintMoney();
  paint();
  return { el, onKey, close: () => { clearInterval(clock); model.off('change:money', paintMoney); earlier.close(); model.off('change:verdict', paint); model.off('change:earlier', paint); model.off('msg:custom', onMessage); } };
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
