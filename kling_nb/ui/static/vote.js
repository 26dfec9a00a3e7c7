import { alertBox } from './alertbox.js';
import { clipCache } from './clipcache.js';
import { actionButton, blockShortcuts, h } from './dom.js';
import { watchKernel } from './liveness.js';

/** @type {Record<string, string>} */
const KEYS = { ArrowLeft: 'left', ArrowRight: 'right', ArrowDown: 'tie', t: 'tie', s: 'skip' };

/** A vote: two clips, with a key for each answer. @param {Rendered} view */
function renderVote({ model, el }) {
  blockShortcuts(el);
  el.classList.add('kn', 'kn-vote-view');
  const cache = clipCache(model, 6);
  const alert = alertBox(model);
  const motion = matchMedia('(prefers-reduced-motion: reduce)');
  const video = (/** @type {string} */ label) => h('video', { muted: true, loop: true, playsinline: true, 'aria-label': label });
  const videos = { left: video('Left clip'), right: video('Right clip') };
  /** @param {string} answer @param {string} text @param {string} key */
  const button = (answer, text, key) => actionButton(answer, () => vote(answer), { class: answer === 'skip' ? 'kn-quiet' : 'kn-secondary' }, h('span', { text }), h('kbd', { text: key, 'aria-hidden': 'true' }));
  const buttons = [button('left', 'Left', '←'), button('tie', 'Tie', '↓'), button('right', 'Right', '→'), button('skip', 'Skip', 'S')];
  const question = h('span', {});
  const count = h('b', { role: 'status' });
  const undo = actionButton('undo-vote', () => model.send({ kind: 'undo' }), { text: 'Undo last vote' });
  const stage = h('div', { class: 'kn-vote-stage' }, videos.left, videos.right);
  const answers = h('div', { class: 'kn-vote-answers', role: 'group', 'aria-label': 'Which is better?' }, ...buttons);
  const end = h('div', { class: 'kn-vote-done', hidden: true, text: 'All pairs are done. Call .ranking() to see the result.' });
  const box = h('div', { class: 'kn-vote', tabindex: '0', on: { keydown: (event) => onKey(event) } },
    h('div', { class: 'kn-vote-head' }, question, count, undo), stage, answers, end);
  el.append(box, alert.el);
  let shown = -1;
  let sent = -1;

  const vote = (/** @type {string} */ answer) => {
    const { number, done } = model.get('state');
    if (done || sent === number) return;
    sent = number;
    model.send({ kind: 'vote', number, answer });
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLVideoElement) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const answer = KEYS[key];
    if (!answer && key !== 'u') return;
    event.preventDefault();
    event.stopPropagation();
    if (answer) vote(answer); else model.send({ kind: 'undo' });
  };
  const play = () => {
    for (const each of Object.values(videos)) {
      each.controls = motion.matches;
      if (motion.matches) each.pause();
      else if (each.src) each.play().catch(() => {});
    }
  };
  const paint = async () => {
    const { number, of, done } = model.get('state');
    question.textContent = done ? 'Done' : 'Which is better?';
    box.setAttribute('aria-label', done ? 'All pairs are done. Press U to undo the last vote.' : 'Which clip is better? Press the left or right arrow, the down arrow for a tie, or S to skip.');
    count.textContent = done ? `${of} of ${of}` : `${number + 1} of ${of}`;
    undo.disabled = number === 0;
    if (done && answers.contains(document.activeElement)) box.focus();
    stage.hidden = answers.hidden = done;
    end.hidden = !done;
    sent = sent === number ? -1 : sent;
    if (done || shown === number) { if (done) shown = -1; return; }
    shown = number;
    box.dataset.ready = '';
    const urls = await Promise.all(['left', 'right'].map((side) => cache.get(`${number}-${side}`).catch(() => '')));
    if (model.get('state').number !== number) return;
    videos.left.src = urls[0];
    videos.right.src = urls[1];
    play();
    box.dataset.ready = String(number);
  };
  model.on('change:state', paint);
  motion.addEventListener('change', play);
  paint();
  const watch = watchKernel(model, el, 'The kernel has restarted: run this cell again to go on. All votes are saved.');
  return () => { watch.close(); motion.removeEventListener('change', play); model.off('change:state', paint); cache.close(); alert.close(); };
}

export default { render: renderVote };
