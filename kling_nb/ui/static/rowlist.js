import { announcer } from './announcer.js';
import { h, icon, keyedList, pageId } from './dom.js';
import { rowsInSight } from './folding.js';
import { clockWords, expectedShare, leftWords, newsWords, summaryWords, titleParts } from './words.js';

/** @type {Record<string, Parameters<typeof icon>[0]>} */
const SIGNS = { succeeded: 'check', failed: 'warn', uncertain: 'warn', cancelled: 'stop' };

/**
 * The rows of progress. Time ticks here, from the times of the states; Python sends a message only when a state changes.
 * @param {Model} model @returns {{el: HTMLElement, close: () => void}}
 */
export function rowList(model) {
  let offset = 0;
  const now = () => Date.now() / 1000 + offset;
  const list = h('div', { class: 'kn-rows', role: 'list', 'aria-label': 'Jobs' });
  const said = h('span', {});
  const more = h('button', { type: 'button', class: 'kn-quiet kn-more', 'aria-expanded': 'false', on: { click: () => { open = !open; paint(); } } });
  const summary = h('div', { class: 'kn-summary' }, said, more);
  let open = false;
  /** @type {Map<string, string>} */
  let known = new Map();
  const voice = announcer(() => {
    const rows = model.get('rows');
    const news = newsWords(known, rows);
    known = new Map(rows.map((row) => [row.id, row.status]));
    return news;
  });
  const el = h('div', { class: 'kn-jobs' }, summary, list);
  const all = h('div', {}, el, voice.el); // the voice is there before there is anything to say, or it would not be heard
  const cancel = (/** @type {string} */ id) => model.send({ kind: 'cancel', job: id });

  const paintList = keyedList(list, (row) => jobRow(row, cancel, now), (row) => row.id);
  const paint = () => {
    const rows = model.get('rows');
    el.hidden = !rows.length;
    const seen = rowsInSight(rows);
    const many = seen.length < rows.length;
    summary.hidden = rows.length < 3;
    el.classList.toggle('kn-many', many);
    if (!summary.hidden && said.textContent !== summaryWords(rows)) said.textContent = summaryWords(rows);
    more.hidden = !many;
    more.textContent = open ? 'Show fewer' : `Show all ${rows.length}`;
    more.setAttribute('aria-expanded', String(open));
    paintList(open ? rows : seen);
  };
  const heard = (/** @type {Heard|null} */ message) => {
    if (message?.kind !== 'clock' || message.page !== pageId()) return;
    offset = message.now - Date.now() / 1000;
    el.closest('.kn-with-cards')?.classList.toggle('kn-first-page', message.first);
    paint();
  };
  const changed = () => { paint(); voice.soon(); };
  model.on('change:rows', changed);
  model.on('msg:custom', heard);
  const timer = setInterval(() => { if (model.get('rows').some((row) => !row.ended)) paint(); }, 1000);
  paint();
  model.send({ kind: 'page', page: pageId() });
  return { el: all, close: () => { clearInterval(timer); voice.close(); model.off('change:rows', changed); model.off('msg:custom', heard); } };
}

/** @param {JobRow} first @param {(id: string) => void} cancel @param {() => number} now unix seconds */
function jobRow(first, cancel, now) {
  const sign = h('span', { class: 'kn-row-icon' });
  const title = h('span', { class: 'kn-row-title' });
  const badge = h('span', { class: 'kn-badge', text: 'preview' });
  const words = h('span', { class: 'kn-row-status' });
  const time = h('span', { class: 'kn-row-time' });
  const price = h('span', { class: 'kn-row-price' });
  const stop = h('button', { type: 'button', class: 'kn-quiet kn-stop', text: 'Cancel', on: { click: () => ask(true) } });
  const yes = h('button', { type: 'button', class: 'kn-danger', text: 'Cancel job', on: { click: () => sendStop() } });
  const no = h('button', { type: 'button', class: 'kn-quiet', text: 'Keep running', on: { click: () => { ask(false); stop.focus(); } } });
  const question = h('span', {});
  const confirm = h('div', { class: 'kn-confirm', role: 'group', 'aria-label': 'Cancel this job?', hidden: true }, question, yes, no);
  const fill = h('i', {});
  const bar = h('div', { class: 'kn-progress' }, fill);
  const note = h('div', { class: 'kn-row-note' });
  const el = h('div', { class: 'kn-row', role: 'listitem' },
    h('div', { class: 'kn-row-line' }, sign, title, badge, h('span', { class: 'kn-row-progress' }, words, time), price, stop), confirm, bar, note);
  let row = first;
  let asked = '';
  let signed = '';
  const prompt = h('bdi', {}); // one that is written from the right leaves its number where it is
  const number = document.createTextNode('');
  title.append(number, prompt);

  const ask = (/** @type {boolean} */ open) => { confirm.hidden = !open; draw(); if (open) no.focus(); };
  const sendStop = () => {
    asked = 'sent';
    ask(false);
    cancel(first.id);
    setTimeout(() => { asked = ''; draw(); }, 15000); // not stopped by then: offer it again
  };
  const put = (/** @type {Node} */ node, /** @type {string} */ text) => { if (node.textContent !== text) node.textContent = text; };
  const draw = () => {
    el.dataset.status = row.status;
    el.classList.toggle('kn-ended', row.ended);
    if (signed !== row.status) {
      signed = row.status;
      const drawn = SIGNS[row.status];
      sign.replaceChildren(drawn ? icon(drawn) : h('i', { class: 'kn-dot' }));
    }
    const parts = titleParts(row.title || row.id);
    put(number, parts[0]);
    put(prompt, parts[1]);
    title.title = parts.join('');
    badge.hidden = !row.preview;
    put(words, asked && !row.ended ? 'Cancelling' : row.text);
    const elapsed = clockWords((row.ended ? row.since : now()) - row.created);
    const left = row.ended ? '' : leftWords(row.expected, now());
    put(time, row.status === 'succeeded' ? ` in ${elapsed}` : ` · ${elapsed}${left ? ` · ${left}` : ''}`);
    put(price, row.preview ? 'free' : row.price);
    if (row.ended) confirm.hidden = true;
    stop.hidden = row.ended || asked !== '' || !confirm.hidden;
    put(question, row.preview || row.price === 'free' ? 'Cancel this job?' : 'Cancel this job? It may still be billed.');
    const share = expectedShare(row, now());
    bar.hidden = row.ended;
    bar.classList.toggle('kn-unknown', share == null);
    fill.style.width = share == null ? '' : `${share * 100}%`;
    bar.title = share == null ? 'No estimate yet' : 'Elapsed share of the usual time';
    put(note, row.failure ? [row.failure.message, row.failure.remedy].filter(Boolean).join(' – ') : row.warning);
    note.title = note.textContent ?? ''; // a long one is cut after three lines
    note.hidden = !note.textContent;
  };
  return { el, paint: (/** @type {JobRow} */ next) => { row = next; draw(); } };
}
