import { alertBox } from './alertbox.js';
import { clipRoom } from './cliproom.js';
import { h, ownKeys } from './dom.js';

/** @type {Record<string, string>} */
const KEYS = { ArrowLeft: 'left', ArrowRight: 'right', ArrowDown: 'tie', t: 'tie', s: 'skip' };

/** `kn.vote`: two clips, one key. @param {Rendered} view */
function renderVote({ model, el }) {
  ownKeys(el);
  el.classList.add('kn', 'kn-vote-view');
  const room = clipRoom(model, 6);
  const alert = alertBox(model);
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const video = (/** @type {string} */ side) => h('video', { muted: true, loop: true, playsinline: true, 'aria-label': `${side === 'left' ? 'Left' : 'Right'} clip` });
  const videos = { left: video('left'), right: video('right') };
  /** @param {string} answer @param {string} words @param {string} key */
  const button = (answer, words, key) => h('button', { type: 'button', class: answer === 'skip' ? 'kn-quiet' : 'kn-secondary', on: { click: () => say(answer) } }, h('span', { text: words }), h('kbd', { text: key, 'aria-hidden': 'true' }));
  const buttons = [button('left', 'Left', '←'), button('tie', 'Tie', '↓'), button('right', 'Right', '→'), button('skip', 'Skip', 'S')];
  const asked = h('span', {});
  const count = h('b', { role: 'status' });
  const undo = h('button', { type: 'button', class: 'kn-quiet', text: 'Undo last vote', on: { click: () => model.send({ kind: 'undo' }) } });
  const stage = h('div', { class: 'kn-vote-stage' }, videos.left, videos.right);
  const answers = h('div', { class: 'kn-vote-answers', role: 'group', 'aria-label': 'Which is better?' }, ...buttons);
  const end = h('div', { class: 'kn-vote-done', hidden: true, text: 'All pairs are done. Call .ranking() for the result.' });
  const box = h('div', { class: 'kn-vote', tabindex: '0', on: { keydown: (event) => key(event) } },
    h('div', { class: 'kn-vote-head' }, asked, count, undo), stage, answers, end);
  el.append(box, alert.el);
  let shown = -1;
  let sent = -1;

  const say = (/** @type {string} */ answer) => {
    const { number, done } = model.get('state');
    if (done || sent === number) return;
    sent = number;
    model.send({ kind: 'vote', number, answer });
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLVideoElement) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const answer = KEYS[name];
    if (answer) { event.preventDefault(); event.stopPropagation(); say(answer); }
    if (name === 'u') { event.preventDefault(); event.stopPropagation(); model.send({ kind: 'undo' }); }
  };
  const move = () => {
    for (const each of Object.values(videos)) {
      each.controls = calm.matches;
      if (calm.matches) each.pause();
      else if (each.src) each.play().catch(() => {});
    }
  };
  const paint = async () => {
    const { number, of, done } = model.get('state');
    asked.textContent = done ? 'Done' : 'Which is better?';
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
    const urls = await Promise.all(['left', 'right'].map((side) => room.get(`${number}-${side}`).catch(() => '')));
    if (model.get('state').number !== number) return;
    videos.left.src = urls[0];
    videos.right.src = urls[1];
    move();
    box.dataset.ready = String(number);
  };
  model.on('change:state', paint);
  calm.addEventListener('change', move);
  paint();
  return () => { calm.removeEventListener('change', move); model.off('change:state', paint); room.close(); alert.close(); };
}

export default { render: renderVote };
