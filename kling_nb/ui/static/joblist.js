import { announcer } from './announcer.js';
import { highlight } from './arrivals.js';
import { dragsClip } from './clipdrag.js';
import { actionButton, h, keyedList, pageId } from './dom.js';
import { changesText, clockText, expectedShare, remainingText, remedySeparator, summaryText, titleParts } from './format.js';
import { icon } from './icons.js';
import { clipBefore, rowActions } from './rowactions.js';

const FOLD_FROM = 7; // jobs
const SHOWN = 4;
/** @type {Record<string, import('./icons.js').IconName>} */
const STATUS_ICONS = { succeeded: 'check', failed: 'warn', uncertain: 'warn', cancelled: 'stop' };

/**
 * The progress of jobs, one row each. The elapsed time ticks here; Python sends a message only when a state changes.
 * With `acts`, those that have ended have buttons.
 * @param {Model} model @param {RowActs|null} [acts] @returns {{el: HTMLElement, reveal: (id: string) => void, close: () => void}}
 */
export function jobList(model, acts = null) {
  let offset = 0;
  const now = () => Date.now() / 1000 + offset;
  const list = h('div', { class: 'kn-rows', role: 'list', 'aria-label': 'Jobs' });
  const counts = h('span', {});
  const more = actionButton('show-all', () => { open = !open; paint(); }, { class: 'kn-quiet kn-more', 'aria-expanded': 'false' });
  const summary = h('div', { class: 'kn-summary' }, counts, more);
  let open = false;
  /** @type {Map<string, string>} */
  let known = new Map();
  const voice = announcer(() => {
    const rows = model.get('rows');
    const text = changesText(known, rows);
    known = new Map(rows.map((row) => [row.id, row.status]));
    return text;
  });
  const el = h('div', { class: 'kn-jobs' }, summary, list);
  const all = h('div', {}, el, voice.el); // a live region that is added later is not read out
  const cancel = (/** @type {string} */ id) => model.send({ kind: 'cancel', job: id });

  const before = (/** @type {string} */ id) => clipBefore(model.get('rows'), id);
  const paintList = keyedList(list, (row) => jobRow(row, { cancel, now, acts, before }), (row) => row.id);
  const paint = () => {
    const rows = model.get('rows');
    el.hidden = !rows.length;
    const visible = visibleRows(rows);
    const many = visible.length < rows.length;
    summary.hidden = rows.length < 3;
    el.classList.toggle('kn-many', many);
    if (!summary.hidden && counts.textContent !== summaryText(rows)) counts.textContent = summaryText(rows);
    more.hidden = !many;
    more.textContent = open ? 'Show fewer' : `Show all ${rows.length}`;
    more.setAttribute('aria-expanded', String(open));
    paintList(open ? rows : visible);
  };
  const onMessage = (/** @type {Incoming|null} */ message) => {
    if (message?.kind !== 'clock' || message.page !== pageId()) return;
    offset = message.now - Date.now() / 1000;
    el.closest('.kn-with-cards')?.classList.toggle('kn-first-page', message.first);
    paint();
  };
  const onRows = () => { paint(); voice.soon(); };
  model.on('change:rows', onRows);
  model.on('msg:custom', onMessage);
  const timer = setInterval(() => { if (model.get('rows').some((row) => !row.ended)) paint(); }, 1000);
  paint();
  model.send({ kind: 'page', page: pageId() });
  const reveal = (/** @type {string} */ id) => {
    const row = /** @type {HTMLElement|null} */ (list.querySelector(`[data-job="${CSS.escape(id)}"]`));
    if (!row) return;
    highlight(row);
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  };
  return { el: all, reveal, close: () => { clearInterval(timer); voice.close(); model.off('change:rows', onRows); model.off('msg:custom', onMessage); } };
}

/**
 * The rows to show: all if there are few; otherwise those that failed, then the active ones, each in their order.
 * @template {{status: string, ended: boolean}} R
 * @param {R[]} rows @returns {R[]}
 */
export function visibleRows(rows) {
  if (rows.length < FOLD_FROM) return rows;
  const wrong = rows.filter((row) => ['failed', 'uncertain'].includes(row.status));
  const active = rows.filter((row) => !row.ended && !wrong.includes(row));
  const rest = rows.filter((row) => row.ended && !wrong.includes(row));
  const chosen = new Set([...wrong, ...active, ...rest].slice(0, Math.max(SHOWN, wrong.length)));
  return rows.filter((row) => chosen.has(row));
}

/**
 * `now` gives unix seconds, `before` the clip that precedes that of a job.
 * @param {JobRow} first @param {{cancel: (id: string) => void, now: () => number, acts: RowActs|null, before: (id: string) => JobRow|null}} spec
 */
function jobRow(first, { cancel, now, acts, before }) {
  const sign = h('span', { class: 'kn-row-icon' });
  const title = h('span', { class: 'kn-row-title' });
  const badge = h('span', { class: 'kn-badge', text: 'preview' });
  dragsClip(title, () => (row.file ? { id: row.id, title: row.title, frame: row.image ? 0 : null } : null));
  const status = h('span', { class: 'kn-row-status' });
  const time = h('span', { class: 'kn-row-time' });
  const price = h('span', { class: 'kn-row-price' });
  const stop = actionButton('cancel', () => ask(true), { class: 'kn-quiet kn-stop', text: 'Cancel' });
  const yes = actionButton('confirm-cancel', () => sendCancel(), { class: 'kn-danger', text: 'Cancel job' });
  const no = actionButton('keep-running', () => { ask(false); stop.focus(); }, { text: 'Keep running' });
  const question = h('span', {});
  const confirm = h('div', { class: 'kn-confirm', role: 'group', 'aria-label': 'Cancel this job?', hidden: true }, question, yes, no);
  const fill = h('i', {});
  const bar = h('div', { class: 'kn-progress' }, fill);
  const note = h('div', { class: 'kn-row-note' });
  const actions = acts && rowActions(acts);
  const el = h('div', { class: 'kn-row', role: 'listitem', 'data-job': first.id },
    h('div', { class: 'kn-row-line' }, sign, title, badge, h('span', { class: 'kn-row-progress' }, status, time), price, stop), confirm, bar, note, actions?.el);
  let row = first;
  let cancelling = false;
  let signed = '';
  const prompt = h('bdi', {}); // a prompt in a right-to-left script leaves the number in place
  const number = document.createTextNode('');
  title.append(number, prompt);

  const ask = (/** @type {boolean} */ open) => { confirm.hidden = !open; draw(); if (open) no.focus(); };
  const sendCancel = () => {
    cancelling = true;
    ask(false);
    cancel(first.id);
    setTimeout(() => { cancelling = false; draw(); }, 15000); // not cancelled by then: offer it again
  };
  const setText = (/** @type {Node} */ node, /** @type {string} */ text) => { if (node.textContent !== text) node.textContent = text; };
  const draw = () => {
    el.dataset.status = row.status;
    el.classList.toggle('kn-ended', row.ended);
    if (signed !== row.status) {
      signed = row.status;
      const name = STATUS_ICONS[row.status];
      sign.replaceChildren(name ? icon(name) : h('i', { class: 'kn-dot' }));
    }
    const parts = titleParts(row.title || row.id);
    setText(number, parts[0]);
    setText(prompt, parts[1]);
    title.title = parts.join('');
    title.draggable = Boolean(row.file);
    badge.hidden = !row.preview;
    setText(status, cancelling && !row.ended ? 'Cancelling' : row.text);
    const elapsed = clockText((row.ended ? row.since : now()) - row.created);
    const left = row.ended ? '' : remainingText(row.expected, now());
    setText(time, row.status === 'succeeded' ? ` in ${elapsed}` : ` · ${elapsed}${left ? ` · ${left}` : ''}`);
    setText(price, row.preview ? 'free' : row.price);
    if (row.ended) confirm.hidden = true;
    stop.hidden = row.ended || cancelling || !confirm.hidden;
    setText(question, row.preview || row.price === 'free' ? 'Cancel this job?' : 'Cancel this job? It may still be billed.');
    const share = expectedShare(row, now());
    bar.hidden = row.ended;
    bar.classList.toggle('kn-unknown', share == null);
    fill.style.width = share == null ? '' : `${share * 100}%`;
    bar.title = share == null ? 'No estimate yet' : 'Elapsed time, compared with earlier jobs';
    setText(note, row.failure ? [row.failure.message, row.failure.remedy].filter(Boolean).join(remedySeparator(row.failure.message)) : row.warning);
    note.title = note.textContent ?? ''; // a long note is cut after three lines
    note.hidden = !note.textContent;
    actions?.paint(row, before(row.id));
  };
  return { el, paint: (/** @type {JobRow} */ next) => { row = next; draw(); } };
}
