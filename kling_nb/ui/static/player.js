import { dragsClip } from './clipdrag.js';
import { actionButton, h } from './dom.js';
import { frameAt, tenthsText } from './frames.js';
import { icon } from './icons.js';
import { segmented } from './inputs.js';
import { makePlayback } from './playback.js';

const RATES = [0.25, 0.5, 1, 1.5, 2];

/**
 * Plays clips in step, with one set of controls, and lists the parameters that differ.
 * @param {Comparison} comparison
 * @param {LoadClip} loadClip gives a clip's blob URL
 * @param {UseFrame} useFrame puts a frame into the panel, and gives the result as text
 */
export function comparePlayer(comparison, loadClip, useFrame) {
  const { clips } = comparison;
  /** @type {ReturnType<typeof makePlayback>|null} */
  let playback = null;
  let audible = clips.findIndex((clip) => clip.audible);
  let closed = false;

  const showStatus = (/** @type {string} */ text) => { status.textContent = text; status.hidden = !text; };
  const tiles = clips.map((clip, i) => clipTile(clip, () => listenTo(audible === i ? -1 : i), (frame) => useFrame(clip.id, frame).then(showStatus)));
  const wipe = h('input', { type: 'range', class: 'kn-wipe', min: 0, max: 100, step: 0.5, value: 50, 'aria-label': 'Divider between A and B', on: { input: () => paintWipe() } });
  const stage = h('div', { class: 'kn-stage' }, ...tiles.map((tile) => tile.el));
  /** @type {Control<'side'|'wipe'>} */
  const mode = segmented({ label: 'Layout', pick: (value) => show(value),
    options: [{ value: 'side', text: 'Side by side', icon: icon('side') }, { value: 'wipe', text: 'Wipe', icon: icon('wipe') }] });
  const head = h('div', { class: 'kn-compare-head', hidden: clips.length !== 2 }, mode.el);

  /** @param {string} action @param {import('./icons.js').IconName} name @param {string} label @param {() => void} act */
  const tool = (action, name, label, act) => actionButton(action, act, { class: 'kn-icon-button kn-tool', 'aria-label': label, title: label }, icon(name));
  const back = tool('previous-frame', 'frame-back', 'Previous frame (,)', () => playback?.step(-1));
  const play = actionButton('play', () => playback?.toggle(), { class: 'kn-play' });
  const forward = tool('next-frame', 'frame-forward', 'Next frame (.)', () => playback?.step(1));
  const seek = h('input', { type: 'range', class: 'kn-seek', min: 0, max: 1, step: 'any', value: 0, 'aria-label': 'Time', on: { input: () => playback?.seek(Number(seek.value)) } });
  const time = h('span', { class: 'kn-time' });
  const rate = h('select', { class: 'kn-choice kn-rate', 'aria-label': 'Speed', on: { change: () => playback?.setRate(Number(rate.value)) } },
    ...RATES.map((value) => h('option', { value: String(value), text: `${value}×` })));
  rate.value = '1';
  const loop = tool('loop', 'loop', 'Loop (L)', () => playback?.setLoop(!playback.state.loop));
  const status = h('div', { class: 'kn-compare-status', role: 'status' });
  const controls = h('div', { class: 'kn-transport', role: 'group', 'aria-label': 'Playback' }, back, play, forward, seek, time, rate, loop);
  const el = h('div', { class: 'kn-compare', role: 'region', tabindex: '0', 'aria-label': `Comparison of ${clips.length} clips`, on: { keydown: (event) => onKey(event) } },
    head, stage, status, controls, differenceTable(comparison.differences, clips.map((clip) => clip.letter)));
  stage.style.setProperty('--shape', commonShape(clips));
  el.style.setProperty('--columns', String(clips.length <= 3 ? clips.length : clips.length === 4 ? 2 : 3));

  /** @param {HTMLElement} node @param {string} name @param {string} value */
  const setAttribute = (node, name, value) => { if (node.getAttribute(name) !== value) node.setAttribute(name, value); };
  let drawn = '';
  const paint = () => {
    const playing = playback?.state.playing ?? false;
    if (drawn !== String(playing)) {
      drawn = String(playing);
      play.replaceChildren(icon(playing ? 'pause' : 'play', true));
      setAttribute(play, 'aria-label', playing ? 'Pause (space)' : 'Play (space)');
      play.title = play.getAttribute('aria-label') ?? '';
    }
    for (const control of [back, play, forward, seek, rate, loop]) control.disabled = !playback;
    setAttribute(loop, 'aria-pressed', String(playback?.state.loop ?? true));
    if (!playback) return;
    seek.value = String(playback.time());
    seek.style.setProperty('--share', `${(100 * playback.time()) / playback.length}%`);
    const text = `${tenthsText(playback.time())} · frame ${playback.frame() + 1} of ${playback.last + 1}`;
    if (time.textContent !== text) time.textContent = text;
    setAttribute(seek, 'aria-valuetext', text);
  };
  const listenTo = (/** @type {number} */ which) => {
    audible = which;
    tiles.forEach((tile, i) => tile.setAudible(i === audible));
  };
  const paintWipe = () => {
    stage.style.setProperty('--wipe', `${wipe.value}%`);
    wipe.setAttribute('aria-valuetext', `${Math.round(Number(wipe.value))}% A`);
  };
  const show = (/** @type {'side'|'wipe'} */ value) => {
    mode.paint(value);
    el.classList.toggle('kn-wiping', value === 'wipe');
    if (value === 'wipe') { stage.append(h('i', { class: 'kn-wipe-line' }), wipe); paintWipe(); }
    else { wipe.remove(); stage.querySelector('.kn-wipe-line')?.remove(); }
  };
  /** @type {Record<string, (it: NonNullable<typeof playback>) => void>} */
  const keys = {
    ' ': (it) => it.toggle(), k: (it) => it.toggle(),
    ',': (it) => it.step(-1), '.': (it) => it.step(1),
    ArrowLeft: (it) => it.seek(it.time() - 1), ArrowRight: (it) => it.seek(it.time() + 1),
    Home: (it) => it.seek(0), End: (it) => it.seek(it.length),
    l: (it) => it.setLoop(!it.state.loop), m: () => listenTo(audible < 0 ? Math.max(0, clips.findIndex((clip) => clip.audible)) : -1),
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const ownKeys = target === wipe || target === rate || target.matches('input[type=radio]');
    const clicks = event.key === ' ' && target.matches('button, select, a');
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!playback || !act || ownKeys || clicks || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act(playback);
  };

  const load = async () => {
    showStatus('Loading clips…');
    const results = await Promise.allSettled(tiles.map((tile) => tile.load(loadClip)));
    if (closed) return;
    showStatus(results.flatMap((result, i) => (result.status === 'rejected' ? [`${clips[i].letter}: ${result.reason.message}`] : [])).join(' · '));
    const loaded = tiles.filter((_, i) => results[i].status === 'fulfilled');
    if (!loaded.length) return;
    playback = makePlayback(loaded.map((tile) => ({ video: tile.video, fps: tile.fps })), paint);
    seek.max = String(playback.length);
    await playback.seek(0);
    el.dataset.ready = 'true';
    paint();
  };
  show('side');
  listenTo(audible);
  paint();
  load();
  return { el, close: () => { closed = true; playback?.close(); for (const tile of tiles) tile.video.removeAttribute('src'); } };
}

/** One aspect ratio for all boxes, so that they line up: that of the clips, or 4:3 if they differ. @param {ComparedClip[]} clips */
function commonShape(clips) {
  const [first, ...rest] = clips.map((clip) => clip.width / clip.height);
  return rest.every((shape) => Math.abs(shape - first) < 0.02) ? first.toFixed(4) : '1.3333';
}

/** @param {ComparedClip} clip @param {() => void} listen @param {(frame: number) => void} useFrame */
function clipTile(clip, listen, useFrame) {
  const video = h('video', { class: 'kn-video', playsinline: true, preload: 'auto', muted: true, 'aria-label': `Clip ${clip.letter}`, poster: clip.poster || null });
  video.muted = true;
  dragsClip(video, () => ({ id: clip.id, title: clip.title, frame: frameAt(video.currentTime, clip.fps) }));
  const sound = actionButton('listen', listen, { class: 'kn-icon-button kn-over-video kn-sound' });
  const use = actionButton('use-frame', () => useFrame(frameAt(video.currentTime, clip.fps)), { class: 'kn-icon-button kn-over-video kn-use-frame', 'aria-label': `Use this frame of clip ${clip.letter} as start frame`, title: 'Use as start frame' }, icon('chain'));
  const onward = actionButton('continue', () => useFrame(-1), { class: 'kn-icon-button kn-over-video kn-continue', 'aria-label': `Continue from the last frame of clip ${clip.letter}`, title: 'Continue from last frame' }, icon('continue'));
  const box = h('div', { class: 'kn-box' }, video, onward, use, h('span', { class: 'kn-letter', text: clip.letter, 'aria-hidden': 'true' }), clip.audible ? sound : null);
  const el = h('figure', { class: 'kn-compare-clip', 'data-record': clip.id }, box,
    h('figcaption', {}, h('b', { text: clip.letter }), h('span', { text: clip.figures }), clip.stars ? h('span', { class: 'kn-star-text', text: clip.stars }) : null, h('span', { class: 'kn-faint', text: [clip.badge, clip.id].filter(Boolean).join(' · ') })));
  el.title = clip.title;
  return { el, video, fps: clip.fps,
    setAudible(/** @type {boolean} */ on) {
      video.muted = !on;
      sound.replaceChildren(icon(on ? 'sound' : 'mute'));
      sound.setAttribute('aria-pressed', String(on));
      sound.setAttribute('aria-label', `Listen to clip ${clip.letter}`);
      sound.title = on ? 'Mute' : `Listen to clip ${clip.letter}`;
    },
    async load(/** @type {LoadClip} */ loadClip) {
      const url = await loadClip(clip.id);
      await new Promise((resolve, reject) => {
        video.addEventListener('loadedmetadata', resolve, { once: true });
        video.addEventListener('error', () => reject(new Error('this browser cannot play the file')), { once: true });
        video.src = url;
      });
    } };
}

/**
 * The parameters that differ; in prompts, the words that differ are marked. All values are shown as plain text.
 * @param {Difference[]} differences @param {string[]} letters
 */
function differenceTable(differences, letters) {
  if (!differences.length) return h('p', { class: 'kn-same', text: 'Same parameters' });
  return h('div', { class: 'kn-differences', role: 'table', 'aria-label': 'Differences' }, ...differences.map((item) =>
    h('div', { class: 'kn-difference', role: 'row' }, h('div', { class: 'kn-difference-label', role: 'rowheader', text: item.label }),
      h('div', { class: 'kn-values', role: 'presentation' }, ...item.values.map((words, i) => h('div', { class: 'kn-value', role: 'cell' }, h('b', { text: letters[i] }),
        h('span', {}, ...words.map(([text, marked]) => (marked ? h('mark', { text }) : document.createTextNode(text))))))))));
}
