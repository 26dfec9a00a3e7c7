import { draggedPart, droppedClips } from './clipdrag.js';
import { actionButton, childIndex, h, iconButton, neighbourAt } from './dom.js';
import { icon } from './icons.js';
import { ruleBadge } from './imagefit.js';

const TILE = 'application/x-kling-nb-tile';
const ACCEPT = 'image/*,.heic,.heif,.avif,.tif,.tiff,.bmp,.jp2'; // browsers do not know the type of some

/** The files, URLs or clips of a drop or a paste. @param {DataTransfer|null} transfer @returns {Sources} */
export function sourcesOf(transfer) {
  const files = [...(transfer?.files ?? [])];
  const list = files.length ? '' : transfer?.getData('text/uri-list') || '';
  return { files, locations: list.split(/\r?\n/).filter((line) => /^https?:/.test(line)), clips: droppedClips(transfer) };
}

/** The first of the sources, for a slot that takes one image. @param {Sources} sources @returns {Sources} */
export function oneOf({ files, locations, clips = [] }) {
  return { files: files.slice(0, 1), locations: locations.slice(0, 1), clips: clips.slice(0, 1) };
}

/** Whether a drag carries something that could become an image. @param {DragEvent} event @returns {boolean} */
export function hasImages(event) {
  const types = [...(event.dataTransfer?.types ?? [])];
  return (types.includes('Files') || types.includes('text/uri-list') || draggedPart(event.dataTransfer) !== '') && !types.includes(TILE);
}

/** Open the file chooser of the system. @param {boolean} multiple @param {(files: File[]) => void} take */
export function chooseFiles(multiple, take) {
  const input = h('input', { type: 'file', accept: ACCEPT, multiple, on: { change: () => take([...(input.files ?? [])]) } });
  input.click();
}

/** A thumbnail, or an icon if there is no image to show. */
function thumbnail() {
  const img = h('img', { alt: '', draggable: 'false', referrerpolicy: 'no-referrer', hidden: true });
  const none = h('span', { class: 'kn-face-none' }, icon('image'));
  img.addEventListener('error', () => { img.hidden = true; none.hidden = false; });
  let shown = '';
  return { el: h('span', { class: 'kn-face' }, img, none), paint: (uri = '') => {
    if (uri === shown) return;
    shown = uri;
    if (uri) img.src = uri;
    img.hidden = !uri;
    none.hidden = Boolean(uri);
  } };
}

/**
 * A strip of images to add to, reorder (drag, Alt+arrow, buttons) and remove from.
 * @param {{nameOf: (i: number) => string, labels: () => Labels, move: (from: number, to: number) => void,
 *   remove: (i: number) => void, add: (sources: Sources) => void, max: number, addText: string}} spec
 */
export function imageStrip({ nameOf, labels, move, remove, add, max, addText }) {
  const tiles = h('div', { class: 'kn-tiles', role: 'list' });
  const uploads = h('div', { class: 'kn-uploads' });
  const adder = actionButton('add-images', () => chooseFiles(true, (files) => add({ files, locations: [] })), { class: 'kn-add-tile' },
    icon('plus'), h('span', { text: addText }));
  const el = h('div', { class: 'kn-strip' }, tiles, uploads, adder);
  let count = 0;
  /** @type {Map<string, ReturnType<typeof makeTile>>} */
  let shown = new Map();
  /** @type {number|null} */
  let dragged = null;

  const makeTile = (/** @type {string} */ key) => {
    const face = thumbnail();
    const name = h('span', { class: 'kn-tile-name' });
    const badge = ruleBadge();
    let at = 0;
    const moveBy = (/** @type {number} */ step) => { const to = at + step; if (to >= 0 && to < count) move(at, to); };
    const tile = h('div', { class: 'kn-tile', role: 'listitem', tabindex: 0, 'data-image': key, draggable: 'true' }, h('div', { class: 'kn-tile-box' }, face.el, badge.el), name,
      h('div', { class: 'kn-tile-tools' },
        iconButton('move-left', 'left', 'Move left', () => moveBy(-1)), iconButton('move-right', 'right', 'Move right', () => moveBy(1)),
        iconButton('remove', 'close', 'Remove', () => remove(at))));
    tile.addEventListener('keydown', (event) => {
      if (event.target !== tile) return;
      if (event.altKey && event.key === 'ArrowLeft') moveBy(-1);
      else if (event.altKey && event.key === 'ArrowRight') moveBy(1);
      else if (event.key === 'Enter') openImage(tile, key);
      else if (event.key === 'Delete' || event.key === 'Backspace') remove(at);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    face.el.addEventListener('click', () => openImage(tile, key));
    tile.addEventListener('dragstart', (event) => {
      dragged = at;
      if (event.dataTransfer) {
        event.dataTransfer.setData(TILE, key);
        event.dataTransfer.effectAllowed = 'move';
      }
      tile.classList.add('kn-dragged');
    });
    tile.addEventListener('dragend', () => { dragged = null; tile.classList.remove('kn-dragged'); mark(null); });
    tile.addEventListener('dragover', (event) => {
      if (dragged == null) return;
      event.preventDefault();
      event.stopPropagation();
      mark(tile, at > dragged);
    });
    tile.addEventListener('drop', (event) => {
      if (dragged == null) return;
      event.preventDefault();
      event.stopPropagation();
      if (dragged !== at) move(dragged, at);
    });
    return { el: tile, paint: (/** @type {number} */ index) => {
      at = index;
      const label = labels()[key];
      face.paint(label?.uri);
      badge.paint(key, label);
      name.textContent = nameOf(index);
      tile.title = [label?.name, label?.note].filter(Boolean).join(' · ');
      tile.setAttribute('aria-label', `${nameOf(index)}, ${tile.title}. Press Alt and an arrow key to move it, Delete to remove it.`);
    } };
  };
  const mark = (/** @type {HTMLElement|null} */ tile, after = false) => {
    for (const part of shown.values()) part.el.classList.remove('kn-drop-before', 'kn-drop-after');
    tile?.classList.add(after ? 'kn-drop-after' : 'kn-drop-before');
  };

  return { el, uploads, paint: (/** @type {string[]} */ keys) => {
    count = keys.length;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement);
    const at = childIndex(tiles, focused);
    adder.hidden = count >= max;
    const current = new Map(keys.map((key) => [key, shown.get(key) ?? makeTile(key)]));
    const parts = [...current.values()].map((part) => part.el);
    if (tiles.children.length !== parts.length || parts.some((part, i) => part !== tiles.children[i])) {
      tiles.replaceChildren(...parts);
      // If the focused tile was removed, its neighbour takes the focus; otherwise the next key would go nowhere.
      if (at >= 0) /** @type {HTMLElement} */ (tiles.contains(focused) ? focused : neighbourAt(tiles, at) ?? adder).focus();
    }
    shown = current;
    keys.forEach((key, i) => current.get(key)?.paint(i));
    el.classList.toggle('kn-empty', count === 0);
  } };
}

/** Ask for an image to be shown large (`imageview.js`). @param {HTMLElement} from @param {string} key */
function openImage(from, key) {
  from.dispatchEvent(new CustomEvent('kn-open-image', { bubbles: true, detail: key }));
}

/**
 * A slot for exactly one image. `ofClip` names the frame that it takes from a clip dropped on it.
 * @param {{title: string, field?: string, ofClip?: string, labels: () => Labels, set: (key: string|null) => void, add: (sources: Sources) => void}} spec
 */
export function imageSlot({ title, field = '', ofClip = 'First frame', labels, set, add }) {
  const face = thumbnail();
  const name = h('small', { class: 'kn-slot-name' });
  const badge = ruleBadge();
  const choose = actionButton('choose-image', () => { if (choose.dataset.image) openImage(choose, choose.dataset.image); else chooseFiles(false, (files) => add({ files, locations: [] })); }, { class: 'kn-slot-face', 'aria-label': `${title}: choose an image` }, face.el);
  const remove = iconButton('remove', 'close', `Remove ${title.toLowerCase()}`, () => set(null), 'kn-slot-remove');
  const uploads = h('div', { class: 'kn-uploads' });
  const el = h('div', { class: 'kn-slot', 'data-slot': field || null }, h('div', { class: 'kn-slot-box' }, choose, remove, badge.el, uploads), h('span', { class: 'kn-slot-title', text: title }), name);
  const over = (/** @type {''|'clip'|'frame'|null} */ part) => {
    el.classList.toggle('kn-over', part != null);
    choose.dataset.drop = part ? { clip: ofClip, frame: 'This frame' }[part] : '';
  };
  el.addEventListener('dragover', (event) => { if (hasImages(event)) { event.preventDefault(); event.stopPropagation(); over(draggedPart(event.dataTransfer)); } });
  el.addEventListener('dragleave', () => over(null));
  el.addEventListener('drop', (event) => {
    if (!hasImages(event)) return;
    event.preventDefault();
    event.stopPropagation();
    over(null);
    add(sourcesOf(event.dataTransfer));
  });
  return { el, uploads, paint: (/** @type {string|null} */ key) => {
    const label = key ? labels()[key] : undefined;
    face.paint(label?.uri);
    badge.paint(key, label);
    el.classList.toggle('kn-filled', Boolean(key));
    choose.dataset.image = key ?? '';
    if (!key && remove === document.activeElement) choose.focus();
    remove.hidden = !key;
    name.textContent = label?.name ?? '';
    choose.title = label ? [label.name, label.note].filter(Boolean).join(' · ') : `${title}: drop, paste or choose an image`;
  } };
}

/**
 * An input for a URL or a path. If it fails, the text stays to be corrected, with the reason below.
 * @param {string} label @param {(location: string) => Promise<boolean>} take gives whether it was added
 */
export function locationInput(label, take) {
  const input = h('input', { type: 'text', class: 'kn-line', placeholder: 'URL or path, then Enter', 'aria-label': label, spellcheck: 'false' });
  const error = h('p', { class: 'kn-location-error', role: 'alert', hidden: true });
  const showError = (/** @type {string} */ reason) => {
    error.textContent = reason.charAt(0).toUpperCase() + reason.slice(1);
    error.hidden = !reason;
    input.setAttribute('aria-invalid', String(Boolean(reason)));
  };
  let pending = '';
  input.addEventListener('keydown', async (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    const location = input.value.trim();
    if (!location || location === pending) return; // a second Enter does not add it twice
    pending = location;
    const added = await take(location);
    if (pending === location) pending = '';
    if (added && input.value.trim() === location) input.value = '';
  });
  return { el: h('div', { class: 'kn-location' }, h('label', { class: 'kn-location-box' }, icon('link'), input), error), showError };
}

/**
 * Send files, URLs, paths and clips to Python one by one, and show each while it is on its way. Earlier errors are
 * cleared. Gives whether all were added.
 * @param {Sources} sources @param {Kernel} kernel @param {HTMLElement} uploads
 * @param {(key: string) => void} take @param {ShowError} showError @param {Media} [media] @param {number} [ofClip] the frame that a whole clip gives
 */
export async function uploadSources({ files, locations, clips = [] }, kernel, uploads, take, showError, media = 'image', ofClip = 0) {
  let all = true;
  showError('');
  const keyOf = async (/** @type {File|string|DraggedClip} */ source, /** @type {HTMLElement} */ bar) => {
    if (typeof source === 'string') return kernel.fetch(source, media);
    if (source instanceof File) return kernel.upload(source, (share) => { bar.style.width = `${share * 100}%`; }, media);
    return (await kernel.ask(media === 'video' ? 'video' : 'frame', { clip: source.id, frame: source.frame ?? ofClip })).key;
  };
  for (const source of [...files, ...locations, ...clips]) {
    const bar = h('i', {});
    const chip = h('div', { class: 'kn-upload', role: 'status' }, h('span', { text: typeof source === 'string' ? source : source instanceof File ? source.name : source.title }), bar);
    uploads.append(chip);
    try {
      take(await keyOf(source, bar));
    } catch (error) {
      all = false;
      showError(error.message);
    } finally {
      chip.remove();
    }
  }
  return all;
}
