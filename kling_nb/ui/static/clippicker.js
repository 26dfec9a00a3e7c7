import { clipCache } from './clipcache.js';
import { dragsClip } from './clipdrag.js';
import { actionButton, h, iconButton } from './dom.js';
import { frameAt, frameMiddle } from './frames.js';

/**
 * Chooses a frame of an earlier clip (the first, the last or any other), or a whole clip. `below` puts the button below
 * an image slot, `wholeClip` makes one for a video field; the picker opens below the field.
 * @param {Pick<Shared, 'model'|'kernel'|'showError'>} shared
 */
export function clipPicker({ model, kernel, showError }) {
  const cache = clipCache(model, 2);
  const heading = h('b', {});
  const list = h('div', { class: 'kn-clips', role: 'list' });
  const empty = h('p', { class: 'kn-empty-note', role: 'status' });
  const player = h('div', { class: 'kn-clip-player', hidden: true });
  const el = h('div', { class: 'kn-clip-picker', role: 'group', 'aria-label': 'Earlier clips', hidden: true },
    h('div', { class: 'kn-clip-picker-head' }, heading, iconButton('close', 'close', 'Close', () => close())), empty, list, player);
  /** @type {{button: HTMLElement, take: (key: string) => void, whole: boolean}|null} */
  let target = null;

  const close = () => {
    el.hidden = true;
    player.replaceChildren();
    target?.button.focus();
  };
  /** @param {'frame'|'video'} kind @param {Record<string, unknown>} content @param {string} message of an error */
  const fetchInto = async (kind, content, message) => {
    if (!target) return;
    const { take } = target;
    try {
      const { key } = await kernel.ask(kind, content);
      take(key);
      close();
    } catch (error) {
      showError(error.message, message);
    }
  };
  const useFrame = (/** @type {EarlierClip} */ clip, /** @type {number} */ frame) => fetchInto('frame', { clip: clip.id, frame }, 'Could not use the frame.');
  const useClip = (/** @type {EarlierClip} */ clip) => fetchInto('video', { clip: clip.id }, 'Could not use the clip.');
  const play = async (/** @type {EarlierClip} */ clip) => {
    const video = h('video', { controls: true, muted: true, playsinline: true, 'aria-label': clip.title });
    video.muted = true;
    dragsClip(video, () => ({ id: clip.id, title: clip.title, frame: frameAt(video.currentTime, clip.fps) }));
    const use = actionButton('use-frame', () => useFrame(clip, frameAt(video.currentTime, clip.fps)), { class: 'kn-small kn-strong', text: 'Use this frame', disabled: true });
    video.addEventListener('loadeddata', () => { use.disabled = false; });
    // Pause in the middle of a frame, so that the frame on the screen is the one that is used.
    video.addEventListener('pause', () => { if (!video.ended) video.currentTime = frameMiddle(frameAt(video.currentTime, clip.fps), clip.fps); });
    player.replaceChildren(video, use);
    player.hidden = false;
    try {
      video.src = await cache.get(clip.id);
    } catch (error) {
      showError(error.message, 'Could not play the clip.');
    }
  };
  const clipItem = (/** @type {EarlierClip} */ clip) => {
    /** @param {string} action @param {string} text @param {string} label @param {() => void} act */
    const button = (action, text, label, act) => actionButton(action, act, { class: 'kn-small', text, 'aria-label': `${label} of ${clip.title}` });
    const single = clip.image || target?.whole;
    const act = single ? () => (clip.image ? useFrame(clip, 0) : useClip(clip)) : () => play(clip);
    const face = single ? { 'aria-label': `Use ${clip.title}`, title: 'Use' } : { 'aria-label': `Play ${clip.title}`, title: 'Play, then choose a frame' };
    return h('div', { class: 'kn-clip', role: 'listitem', 'data-record': clip.id },
      actionButton(single ? 'use' : 'play', act, { class: 'kn-clip-face', ...face }, clip.poster ? h('img', { src: clip.poster, alt: '' }) : null),
      h('span', { class: 'kn-clip-title', text: clip.title, title: `${clip.title} · ${clip.figures}` }),
      h('span', { class: 'kn-clip-actions' }, ...(single ? [h('small', { text: clip.figures })]
        : [button('first-frame', 'First', 'First frame', () => useFrame(clip, 0)), button('last-frame', 'Last', 'Last frame', () => useFrame(clip, -1))])));
  };
  /** @param {string} title @param {HTMLElement} button @param {(key: string) => void} take @param {boolean} whole the clip itself, not a frame of it */
  const open = async (title, button, take, whole) => {
    target = { button, take, whole };
    heading.textContent = whole ? `${title}: choose a clip` : `${title}: choose a frame`;
    list.replaceChildren();
    empty.textContent = '';
    button.closest('.kn-field')?.append(el);
    player.replaceChildren();
    player.hidden = true;
    el.hidden = false;
    try {
      const { clips } = await kernel.ask('clips', {});
      const usable = clips.filter((/** @type {EarlierClip} */ clip) => !whole || !clip.image);
      list.replaceChildren(...usable.map(clipItem));
      empty.textContent = usable.length ? '' : 'No clips in the log yet';
      list.querySelector('button')?.focus({ preventScroll: true });
    } catch (error) {
      showError(error.message, 'Could not load the clips.');
    }
  };
  el.addEventListener('keydown', (event) => { if (event.key === 'Escape') { event.stopPropagation(); close(); } });

  /** @param {string} title @param {(key: string) => void} take @param {boolean} whole */
  const opener = (title, take, whole) => {
    const button = actionButton('open-clips', () => open(title, button, take, whole), { class: 'kn-quiet kn-from-clip', text: 'From a clip…', 'aria-label': `${title} from an earlier clip` });
    return button;
  };

  return { close: () => cache.close(),
    /** A button that uses a whole clip. @param {string} title @param {(key: string) => void} take */
    wholeClip: (title, take) => opener(title, take, true),
    /** A button that adds a frame. @param {string} title @param {(key: string) => void} take */
    frame: (title, take) => opener(title, take, false),
    /** An image slot with a button below it that uses a frame. @param {{el: HTMLElement}} slot @param {string} title @param {(key: string) => void} take */
    below: (slot, title, take) => h('div', { class: 'kn-slot-column' }, slot.el, opener(title, take, false)),
  };
}
