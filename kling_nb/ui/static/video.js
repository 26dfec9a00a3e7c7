import { actionButton, h, iconButton } from './dom.js';
import { icon } from './icons.js';
import { hasImages, locationInput, oneOf, sourcesOf, uploadSources } from './images.js';

const ACCEPTED_VIDEO = 'video/mp4,video/quicktime,video/webm';

/**
 * A slot for one video: a file, a URL, a path or an earlier clip.
 * @param {Spec} spec @param {Shared & {clips: ReturnType<typeof import('./clippicker.js').clipPicker>}} shared
 */
export function videoSlot(spec, { store, labels, kernel, showError, clips }) {
  const name = h('b', { class: 'kn-video-name' });
  const note = h('small', {});
  const set = (/** @type {string|null} */ key) => store.edit({ [spec.name]: key });
  const uploads = h('div', { class: 'kn-uploads' });
  const showVideoError = (/** @type {string} */ reason) => showError(reason, 'Could not add the video.');
  const add = (/** @type {Sources} */ sources, show = showVideoError) => {
    for (const clear of [line.showError, showVideoError]) clear('');
    return uploadSources(oneOf(sources), kernel, uploads, set, show, 'video');
  };
  const line = locationInput('Video URL or path', (location) => add({ files: [], locations: [location] }, line.showError));
  const chooseVideo = () => {
    const input = h('input', { type: 'file', accept: ACCEPTED_VIDEO, on: { change: () => add({ files: [...(input.files ?? [])], locations: [] }) } });
    input.click();
  };
  const chosen = h('div', { class: 'kn-video-chosen' }, icon('video'), h('span', {}, name, note), iconButton('remove', 'close', `Remove ${spec.title.toLowerCase()}`, () => set(null)));
  const chooser = actionButton('choose-video', chooseVideo, { class: 'kn-small', text: 'Choose file', 'aria-label': `${spec.title}: choose a file` });
  const empty = h('div', { class: 'kn-video-empty' }, chooser, clips.wholeClip(spec.title, set), line.el);
  const el = h('div', { class: 'kn-video' }, chosen, empty, uploads);
  el.addEventListener('dragover', (event) => { if (hasImages(event)) { event.preventDefault(); event.stopPropagation(); } });
  el.addEventListener('drop', (event) => {
    if (!hasImages(event)) return;
    event.preventDefault();
    event.stopPropagation();
    add(sourcesOf(event.dataTransfer));
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
