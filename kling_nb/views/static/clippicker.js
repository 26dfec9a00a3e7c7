import { h, iconButton } from './dom.js';
import { clipRoom } from './cliproom.js';
import { frameAt, middleOf } from './frames.js';

/**
 * Frames out of earlier clips: the first, the last, or the one that is shown. `under` puts the button below a slot;
 * what it opens is shown in `el`.
 * @param {Pick<Shared, 'model'|'courier'|'failed'>} shared
 */
export function clipPicker({ model, courier, failed }) {
  const room = clipRoom(model, 2);
  const heading = h('b', {});
  const list = h('div', { class: 'kn-clips', role: 'list' });
  const none = h('p', { class: 'kn-kept-none', role: 'status' });
  const player = h('div', { class: 'kn-clip-player', hidden: true });
  const el = h('div', { class: 'kn-picker', role: 'group', 'aria-label': 'Frames of earlier clips', hidden: true },
    h('div', { class: 'kn-picker-head' }, heading, iconButton('close', 'Close', () => close())), none, list, player);
  /** @type {{button: HTMLElement, take: (key: string) => void}|null} */
  let wanted = null;

  const close = () => {
    el.hidden = true;
    player.replaceChildren();
    wanted?.button.focus();
  };
  const use = async (/** @type {EarlierClip} */ clip, /** @type {number} */ frame) => {
    if (!wanted) return;
    const { take } = wanted;
    try {
      const { key } = await courier.ask('frame', { clip: clip.id, frame });
      take(key);
      close();
    } catch (fault) {
      failed(fault.message, 'The frame could not be taken.');
    }
  };
  const play = async (/** @type {EarlierClip} */ clip) => {
    const video = h('video', { controls: true, muted: true, playsinline: true, 'aria-label': clip.title });
    video.muted = true;
    const take = h('button', { type: 'button', class: 'kn-small kn-strong', text: 'Use the frame that is shown', disabled: true, on: { click: () => use(clip, frameAt(video.currentTime, clip.fps)) } });
    video.addEventListener('loadeddata', () => { take.disabled = false; });
    // The middle of a frame's moment: what is seen is then what is taken.
    video.addEventListener('pause', () => { if (!video.ended) video.currentTime = middleOf(frameAt(video.currentTime, clip.fps), clip.fps); });
    player.replaceChildren(video, take);
    player.hidden = false;
    try {
      video.src = await room.get(clip.id);
    } catch (fault) {
      failed(fault.message, 'The clip could not be played.');
    }
  };
  const offered = (/** @type {EarlierClip} */ clip) => {
    /** @param {string} text @param {string} label @param {() => void} act */
    const button = (text, label, act) => h('button', { type: 'button', class: 'kn-small', text, 'aria-label': `${label} of ${clip.title}`, on: { click: act } });
    return h('div', { class: 'kn-clip', role: 'listitem' },
      h('button', { type: 'button', class: 'kn-clip-face', 'aria-label': `Play ${clip.title}`, title: 'Play it, and take any frame', on: { click: () => play(clip) } }, clip.poster ? h('img', { src: clip.poster, alt: '' }) : null),
      h('span', { class: 'kn-clip-title', text: clip.title, title: `${clip.title} · ${clip.figures}` }),
      h('span', { class: 'kn-clip-ends' }, button('First', 'First frame', () => use(clip, 0)), button('Last', 'Last frame', () => use(clip, -1))));
  };
  /** @param {string} title @param {HTMLElement} button @param {(key: string) => void} take */
  const open = async (title, button, take) => {
    wanted = { button, take };
    heading.textContent = `${title}: a frame of which clip?`;
    list.replaceChildren();
    none.textContent = '';
    player.replaceChildren();
    player.hidden = true;
    el.hidden = false;
    try {
      const { clips } = await courier.ask('clips', {});
      list.replaceChildren(...clips.map(offered));
      none.textContent = clips.length ? '' : 'There is no clip in the log yet.';
      list.querySelector('button')?.focus({ preventScroll: true });
    } catch (fault) {
      failed(fault.message, 'The clips could not be read.');
    }
  };
  el.addEventListener('keydown', (event) => { if (event.key === 'Escape') { event.stopPropagation(); close(); } });

  return { el, close: () => room.close(),
    /** @param {{el: HTMLElement}} slot @param {string} title @param {(key: string) => void} take */
    under(slot, title, take) {
      const button = h('button', { type: 'button', class: 'kn-quiet kn-from-clip', text: 'From a clip …', 'aria-label': `${title} from an earlier clip`, on: { click: () => open(title, button, take) } });
      return h('div', { class: 'kn-slot-column' }, slot.el, button);
    } };
}
