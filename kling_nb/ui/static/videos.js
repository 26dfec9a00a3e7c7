import { h, icon, iconButton } from './dom.js';
import { addressLine, bringIn, bringsPictures, broughtBy } from './pictures.js';

const VIDEOS = 'video/mp4,video/quicktime,video/webm';

/**
 * A place for one video: a file, an address or a path, or an earlier clip.
 * @param {Spec} spec @param {Shared & {clips: ReturnType<typeof import('./clippicker.js').clipPicker>}} shared
 */
export function videoSlot(spec, { desk, labels, courier, failed, clips }) {
  const name = h('b', { class: 'kn-video-name' });
  const note = h('small', {});
  const set = (/** @type {string|null} */ key) => desk.edit({ [spec.name]: key });
  const coming = h('div', { class: 'kn-uploads' });
  const atFoot = (/** @type {string} */ why) => failed(why, 'The video was not added.');
  const bring = (/** @type {Brought} */ { files, places }, tell = atFoot) => {
    for (const place of [line.say, atFoot]) place('');
    return bringIn({ files: files.slice(0, 1), places: places.slice(0, 1) }, courier, coming, set, tell, 'video');
  };
  const line = addressLine('Video URL or path', (place) => bring({ files: [], places: [place] }, line.say));
  const choose = () => {
    const input = h('input', { type: 'file', accept: VIDEOS, on: { change: () => bring({ files: [...(input.files ?? [])], places: [] }) } });
    input.click();
  };
  const chosen = h('div', { class: 'kn-video-chosen' }, icon('film'), h('span', {}, name, note), iconButton('close', `Remove ${spec.title.toLowerCase()}`, () => set(null)));
  const fromClip = clips.whole(spec.title, set);
  const chooser = h('button', { type: 'button', class: 'kn-small', text: 'Choose file', 'aria-label': `${spec.title}: choose a file`, on: { click: choose } });
  const empty = h('div', { class: 'kn-video-empty' }, chooser, fromClip, line.el);
  const el = h('div', { class: 'kn-video' }, chosen, empty, coming);
  el.addEventListener('dragover', (event) => { if (bringsPictures(event)) { event.preventDefault(); event.stopPropagation(); } });
  el.addEventListener('drop', (event) => {
    if (!bringsPictures(event)) return;
    event.preventDefault();
    event.stopPropagation();
    bring(broughtBy(event.dataTransfer));
  });
  return { el, paint: (/** @type {string|null} */ key) => {
    const label = key ? labels()[key] : undefined;
    empty.hidden = Boolean(key);
    if (!key && chosen.contains(document.activeElement)) chooser.focus();
    chosen.hidden = !key;
    name.textContent = label?.name ?? '';
    note.textContent = label?.note ?? '';
  } };
}
