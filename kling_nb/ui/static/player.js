import { h } from './dom.js';
import { frameAt, tenthsWords } from './frames.js';
import { glyph } from './glyphs.js';
import { segmented } from './choices.js';
import { makeTransport } from './transport.js';
import { differenceTable } from './differences.js';

const RATES = [0.25, 0.5, 1, 1.5, 2];

/**
 * Clips played as one, with one transport, and what tells them apart.
 * @param {Comparison} comparison
 * @param {Bring} bring gives a clip's blob URL
 * @param {Hand} hand gives a frame to the panel, and says what came of it
 */
export function comparePlayer(comparison, bring, hand) {
  const takes = comparison.clips;
  /** @type {ReturnType<typeof makeTransport>|null} */
  let transport = null;
  let heard = takes.findIndex((take) => take.audible);
  let closed = false;

  const say = (/** @type {string} */ words) => { said.textContent = words; said.hidden = !words; };
  const tiles = takes.map((take, i) => takeTile(take, () => hear(heard === i ? -1 : i), (frame) => hand(take.id, frame).then(say)));
  const wipe = h('input', { type: 'range', class: 'kn-wipe', min: 0, max: 100, step: 0.5, value: 50, 'aria-label': 'Divider between A and B', on: { input: () => paintWipe() } });
  const stage = h('div', { class: 'kn-stage' }, ...tiles.map((tile) => tile.el));
  /** @type {Control<'side'|'wipe'>} */
  const mode = segmented({ label: 'Layout', pick: (value) => show(value),
    options: [{ value: 'side', text: 'Side by side', icon: glyph('side') }, { value: 'wipe', text: 'Wipe', icon: glyph('wipe') }] });
  const head = h('div', { class: 'kn-compare-head', hidden: takes.length !== 2 }, mode.el);

  /** @param {Parameters<typeof glyph>[0]} name @param {string} label @param {() => void} act */
  const tool = (name, label, act) => h('button', { type: 'button', class: 'kn-icon-button kn-tool', 'aria-label': label, title: label, on: { click: act } }, glyph(name));
  const back = tool('step-back', 'Previous frame (,)', () => transport?.step(-1));
  const play = h('button', { type: 'button', class: 'kn-play', on: { click: () => transport?.toggle() } });
  const on = tool('step-on', 'Next frame (.)', () => transport?.step(1));
  const seek = h('input', { type: 'range', class: 'kn-seek', min: 0, max: 1, step: 'any', value: 0, 'aria-label': 'Time', on: { input: () => transport?.seek(Number(seek.value)) } });
  const time = h('span', { class: 'kn-time' });
  const rate = h('select', { class: 'kn-choice kn-rate', 'aria-label': 'Speed', on: { change: () => transport?.setRate(Number(rate.value)) } },
    ...RATES.map((value) => h('option', { value: String(value), text: `${value}×` })));
  rate.value = '1';
  const repeat = tool('repeat', 'Loop (L)', () => transport?.setLoop(!transport.state.loop));
  const said = h('div', { class: 'kn-compare-status', role: 'status' });
  const bar = h('div', { class: 'kn-transport', role: 'group', 'aria-label': 'Playback' }, back, play, on, seek, time, rate, repeat);
  const el = h('div', { class: 'kn-compare', role: 'region', tabindex: '0', 'aria-label': `Comparison of ${takes.length} clips`, on: { keydown: (event) => onKey(event) } },
    head, stage, said, bar, differenceTable(comparison.differences, takes.map((take) => take.letter)));
  stage.style.setProperty('--shape', commonShape(takes));
  el.style.setProperty('--columns', String(takes.length <= 3 ? takes.length : takes.length === 4 ? 2 : 3));

  /** @param {HTMLElement} node @param {string} name @param {string} value */
  const put = (node, name, value) => { if (node.getAttribute(name) !== value) node.setAttribute(name, value); };
  let drawn = '';
  const paint = () => {
    const playing = transport?.state.playing ?? false;
    if (drawn !== String(playing)) {
      drawn = String(playing);
      play.replaceChildren(glyph(playing ? 'pause' : 'play', true));
      put(play, 'aria-label', playing ? 'Pause (space)' : 'Play (space)');
      play.title = play.getAttribute('aria-label') ?? '';
    }
    for (const control of [back, play, on, seek, rate, repeat]) control.disabled = !transport;
    put(repeat, 'aria-pressed', String(transport?.state.loop ?? true));
    if (!transport) return;
    seek.value = String(transport.time());
    seek.style.setProperty('--share', `${(100 * transport.time()) / transport.length}%`);
    const words = `${tenthsWords(transport.time())} · frame ${transport.frame() + 1} of ${transport.last + 1}`;
    if (time.textContent !== words) time.textContent = words;
    put(seek, 'aria-valuetext', words);
  };
  const hear = (/** @type {number} */ which) => {
    heard = which;
    tiles.forEach((tile, i) => tile.hear(i === heard));
  };
  const paintWipe = () => {
    stage.style.setProperty('--wipe', `${wipe.value}%`);
    wipe.setAttribute('aria-valuetext', `${Math.round(Number(wipe.value))} % A`);
  };
  const show = (/** @type {'side'|'wipe'} */ value) => {
    mode.paint(value);
    el.classList.toggle('kn-wiping', value === 'wipe');
    if (value === 'wipe') { stage.append(h('i', { class: 'kn-wipe-line' }), wipe); paintWipe(); }
    else { wipe.remove(); stage.querySelector('.kn-wipe-line')?.remove(); }
  };
  /** @type {Record<string, (playing: NonNullable<typeof transport>) => void>} */
  const acts = {
    ' ': (it) => it.toggle(), k: (it) => it.toggle(),
    ',': (it) => it.step(-1), '.': (it) => it.step(1),
    ArrowLeft: (it) => it.seek(it.time() - 1), ArrowRight: (it) => it.seek(it.time() + 1),
    Home: (it) => it.seek(0), End: (it) => it.seek(it.length),
    l: (it) => it.setLoop(!it.state.loop), m: () => hear(heard < 0 ? Math.max(0, takes.findIndex((take) => take.audible)) : -1),
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const own = target === wipe || target === rate || target.matches('input[type=radio]');
    const pressing = event.key === ' ' && target.matches('button, select, a');
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!transport || !act || own || pressing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act(transport);
  };

  const begin = async () => {
    say('Loading clips…');
    const outcomes = await Promise.allSettled(tiles.map((tile) => tile.load(bring)));
    if (closed) return;
    const lost = outcomes.flatMap((one, i) => (one.status === 'rejected' ? [`${takes[i].letter}: ${one.reason.message}`] : []));
    say(lost.join(' · '));
    const loaded = tiles.filter((_, i) => outcomes[i].status === 'fulfilled');
    if (!loaded.length) return;
    transport = makeTransport(loaded.map((tile) => ({ video: tile.video, fps: tile.fps })), paint);
    seek.max = String(transport.length);
    await transport.seek(0);
    el.dataset.ready = 'true';
    paint();
  };
  show('side');
  hear(heard);
  paint();
  begin();
  return { el, close: () => { closed = true; transport?.close(); for (const tile of tiles) tile.video.removeAttribute('src'); } };
}

/** One shape for all boxes, so that they line up: that of the clips, or one that suits wide and tall. @param {Take[]} takes */
function commonShape(takes) {
  const [first, ...rest] = takes.map((take) => take.width / take.height);
  return rest.every((shape) => Math.abs(shape - first) < 0.02) ? first.toFixed(4) : '1.3333';
}

/** @param {Take} take @param {() => void} listen @param {(frame: number) => void} start */
function takeTile(take, listen, start) {
  const video = h('video', { class: 'kn-video', playsinline: true, preload: 'auto', muted: true, 'aria-label': `Clip ${take.letter}`, poster: take.poster || null });
  video.muted = true;
  const sound = h('button', { type: 'button', class: 'kn-icon-button kn-over-video kn-sound', on: { click: listen } });
  const use = h('button', { type: 'button', class: 'kn-icon-button kn-over-video kn-use-frame', 'aria-label': `Use this frame of clip ${take.letter} as start frame`, title: 'Use as start frame', on: { click: () => start(frameAt(video.currentTime, take.fps)) } }, glyph('chain'));
  const box = h('div', { class: 'kn-box' }, video, use, h('span', { class: 'kn-letter', text: take.letter, 'aria-hidden': 'true' }), take.audible ? sound : null);
  const el = h('figure', { class: 'kn-compare-clip' }, box,
    h('figcaption', {}, h('b', { text: take.letter }), h('span', { text: take.figures }), take.stars ? h('span', { class: 'kn-star-text', text: take.stars }) : null, h('span', { class: 'kn-faint', text: [take.badge, take.id].filter(Boolean).join(' · ') })));
  el.title = take.title;
  return { el, video, fps: take.fps,
    hear(/** @type {boolean} */ on) {
      video.muted = !on;
      sound.replaceChildren(glyph(on ? 'loud' : 'mute'));
      sound.setAttribute('aria-pressed', String(on));
      sound.setAttribute('aria-label', `Listen to clip ${take.letter}`);
      sound.title = on ? 'Mute' : `Listen to clip ${take.letter}`;
    },
    async load(/** @type {Bring} */ bring) {
      const url = await bring(take.id);
      await new Promise((resolve, reject) => {
        video.addEventListener('loadedmetadata', resolve, { once: true });
        video.addEventListener('error', () => reject(new Error('this browser cannot play the file')), { once: true });
        video.src = url;
      });
    } };
}
