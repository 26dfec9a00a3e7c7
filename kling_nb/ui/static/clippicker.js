import { h, iconButton } from './dom.js';
import { clipRoom } from './cliproom.js';
import { frameAt, middleOf } from './frames.js';

/**
 * Frames out of earlier clips: the first, the last, or the one that is shown. `under` puts the button below a slot;
 * what it opens stands below the field. `whole` gives a button for a place that takes a clip as it is.
 * @param {Pick<Shared, 'model'|'courier'|'failed'>} shared
 */
export function clipPicker({ model, courier, failed }) {
  const room = clipRoom(model, 2);
  const heading = h('b', {});
  const list = h('div', { class: 'kn-clips', role: 'list' });
  const none = h('p', { class: 'kn-empty-note', role: 'status' });
  const player = h('div', { class: 'kn-clip-player', hidden: true });
  const el = h('div', { class: 'kn-clip-picker', role: 'group', 'aria-label': 'Earlier clips', hidden: true },
    h('div', { class: 'kn-clip-picker-head' }, heading, iconButton('close', 'Close', () => close())), none, list, player);
  /** @type {{button: HTMLElement, take: (key: string) => void, whole: boolean}|null} */
  let wanted = null;

  const close = () => {
    el.hidden = true;
    player.replaceChildren();
    wanted?.button.focus();
  };
  /** @param {'frame'|'video'} what @param {Record<string, unknown>} content @param {string} trouble */
  const fetched = async (what, content, trouble) => {
    if (!wanted) return;
    const { take } = wanted;
    try {
      const { key } = await courier.ask(what, content);
      take(key);
      close();
    } catch (fault) {
      failed(fault.message, trouble);
    }
  };
  const use = (/** @type {EarlierClip} */ clip, /** @type {number} */ frame) => fetched('frame', { clip: clip.id, frame }, 'The frame could not be used.');
  const useWhole = (/** @type {EarlierClip} */ clip) => fetched('video', { clip: clip.id }, 'The clip could not be used.');
  const play = async (/** @type {EarlierClip} */ clip) => {
    const video = h('video', { controls: true, muted: true, playsinline: true, 'aria-label': clip.title });
    video.muted = true;
    const take = h('button', { type: 'button', class: 'kn-small kn-strong', text: 'Use this frame', disabled: true, on: { click: () => use(clip, frameAt(video.currentTime, clip.fps)) } });
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
    const single = clip.image || wanted?.whole;
    const act = single ? () => (clip.image ? use(clip, 0) : useWhole(clip)) : () => play(clip);
    const face = single ? { label: `Use ${clip.title}`, title: 'Use' } : { label: `Play ${clip.title}`, title: 'Play, then choose a frame' };
    return h('div', { class: 'kn-clip', role: 'listitem' },
      h('button', { type: 'button', class: 'kn-clip-face', 'aria-label': face.label, title: face.title, on: { click: act } }, clip.poster ? h('img', { src: clip.poster, alt: '' }) : null),
      h('span', { class: 'kn-clip-title', text: clip.title, title: `${clip.title} · ${clip.figures}` }),
      h('span', { class: 'kn-clip-actions' }, ...(single ? [h('small', { text: clip.figures })] : [button('First', 'First frame', () => use(clip, 0)), button('Last', 'Last frame', () => use(clip, -1))])));
  };
  /** @param {string} title @param {HTMLElement} button @param {(key: string) => void} take @param {boolean} [whole] the clip itself, not a frame of it */
  const open = async (title, button, take, whole = false) => {
    wanted = { button, take, whole };
    heading.textContent = whole ? `${title}: choose a clip` : `${title}: choose a frame`;
    list.replaceChildren();
    none.textContent = '';
    button.closest('.kn-field')?.append(el);
    player.replaceChildren();
    player.hidden = true;
    el.hidden = false;
    try {
      const { clips } = await courier.ask('clips', {});
      const fit = clips.filter((/** @type {EarlierClip} */ clip) => !whole || !clip.image);
      list.replaceChildren(...fit.map(offered));
      none.textContent = fit.length ? '' : 'No clips in the log yet';
      list.querySelector('button')?.focus({ preventScroll: true });
    } catch (fault) {
      failed(fault.message, 'The clips could not be loaded.');
    }
  };
  el.addEventListener('keydown', (event) => { if (event.key === 'Escape') { event.stopPropagation(); close(); } });

  /** @param {string} title @param {(key: string) => void} take @param {boolean} whole @param {string} label */
  const opener = (title, take, whole, label) => {
    const button = h('button', { type: 'button', class: 'kn-quiet kn-from-clip', text: 'From a clip…', 'aria-label': label, on: { click: () => open(title, button, take, whole) } });
    return button;
  };

  return { close: () => room.close(),
    /** The button that takes a whole clip. @param {string} title @param {(key: string) => void} take */
    whole: (title, take) => opener(title, take, true, `${title} from an earlier clip`),
    /** @param {{el: HTMLElement}} slot @param {string} title @param {(key: string) => void} take */
    under(slot, title, take) {
      return h('div', { class: 'kn-slot-column' }, slot.el, opener(title, take, false, `${title} from an earlier clip`));
    } };
}
