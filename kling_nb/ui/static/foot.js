import { beforeLine, sureBox } from './before.js';
import { h, freshId, icon } from './dom.js';
import { problemCounts } from './words.js';

/**
 * The last line: what it costs, what is still to mend, and the two buttons. One press makes one message.
 * @param {{model: Model, desk: Desk, showFault: () => void}} spec
 */
export function foot({ model, desk, showFault }) {
  const seconds = h('b', {});
  const note = h('span', { class: 'kn-price-note' });
  const mend = h('button', { type: 'button', class: 'kn-problem-count', on: { click: showFault } });
  const waitNote = h('span', { class: 'kn-busy-note', role: 'status' });
  const previewButton = h('button', { type: 'button', class: 'kn-secondary', on: { click: () => press('preview') } });
  const generateButton = h('button', { type: 'button', class: 'kn-primary', on: { click: () => press('generate') } });
  const before = beforeLine(model);
  const sure = sureBox({ sure: () => press('generate', true), done: () => { paint(); generateButton.focus(); } });
  const buttons = h('div', { class: 'kn-buttons' }, previewButton, generateButton);
  const el = h('div', { class: 'kn-footer' }, before.el, h('div', { class: 'kn-summary-line' }, h('div', {}, seconds, note), mend, waitNote), buttons, sure.el);
  /** @type {{id: string, what: string, at: number}|null} */
  let pressed = null;

  const press = (/** @type {'generate'|'preview'} */ what, agreed = false) => {
    if (pressed) return;
    const mine = { id: freshId(), what, at: Date.now() };
    pressed = mine;
    model.send({ kind: 'submit', id: mine.id, action: what, draft: desk.draft, price: model.get('verdict').price, confirmed: agreed });
    setTimeout(() => { if (pressed === mine) waitNote.textContent = 'The kernel is busy. Your request will be sent when it is free.'; }, 2500);
    paint();
  };
  const heard = (/** @type {Heard|null} */ message) => {
    if (message?.kind !== 'submitted' || !pressed || message.id !== pressed.id) return;
    const rest = Math.max(0, 700 - (Date.now() - pressed.at)); // long enough for the second half of a double click
    waitNote.textContent = '';
    if (message.question) { pressed = null; paint(); sure.open(message.question, model.get('verdict').price.split(' (')[0]); return; }
    setTimeout(() => { pressed = null; paint(); }, rest);
  };
  const paint = () => {
    const verdict = model.get('verdict');
    sure.close();
    const problems = verdict.problems ?? [];
    const faults = problems.filter((problem) => problem.severity === 'error');
    const errors = faults.length;
    seconds.textContent = verdict.seconds ? `${verdict.seconds} s` : '';
    const [total, each] = (verdict.price ?? '').replace(/\)$/, '').split(' (');
    note.textContent = [each, verdict.note].filter(Boolean).map((part, i) => (i || verdict.seconds ? ` · ${part}` : part)).join('');
    mend.hidden = !problems.length;
    mend.dataset.level = errors ? 'error' : 'warning';
    mend.replaceChildren(icon('warn'), problemCounts(errors, problems.length - errors));
    const sending = (/** @type {string} */ what) => pressed?.what === what;
    previewButton.textContent = sending('preview') ? 'Starting…' : 'Preview · free';
    generateButton.textContent = sending('generate') ? 'Sending…' : `Generate${model.get('earlier').id ? ' again' : ''}${total ? ` · ${total}` : ''}`;
    generateButton.disabled = errors > 0 || pressed != null;
    previewButton.disabled = faults.some((problem) => problem.path !== 'model') || pressed != null; // it asks nothing of the hub
  };
  model.on('change:verdict', paint);
  model.on('change:earlier', paint);
  model.on('msg:custom', heard);
  paint();
  return { el, close: () => { before.close(); model.off('change:verdict', paint); model.off('change:earlier', paint); model.off('msg:custom', heard); } };
}
