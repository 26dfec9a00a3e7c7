import { h, icon, iconButton, neighbourIn, placeWithin } from './dom.js';
import { ruleMark } from './mends.js';

const TILE = 'application/x-kling-nb-tile';
export const ACCEPT = 'image/png,image/jpeg,image/webp,image/gif';

/** What a drop or a paste brings: files, or addresses. @param {DataTransfer|null} transfer @returns {Brought} */
export function broughtBy(transfer) {
  const files = [...(transfer?.files ?? [])];
  const list = files.length ? '' : transfer?.getData('text/uri-list') || '';
  return { files, places: list.split(/\r?\n/).filter((line) => /^https?:/.test(line)) };
}

/** @param {DragEvent} event @returns {boolean} whether something is dragged that could become a picture */
export function bringsPictures(event) {
  const types = [...(event.dataTransfer?.types ?? [])];
  return (types.includes('Files') || types.includes('text/uri-list')) && !types.includes(TILE);
}

/** Opens the system's file chooser. @param {boolean} multiple @param {(files: File[]) => void} take */
export function chooseFiles(multiple, take) {
  const input = h('input', { type: 'file', accept: ACCEPT, multiple, on: { change: () => take([...(input.files ?? [])]) } });
  input.click();
}

/** A picture's face: its thumbnail, or an icon where there is none. */
export function pictureFace() {
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
 * A strip of pictures that can be added to, ordered (drag, Alt+arrows, buttons) and removed from.
 * @param {{noun: (i: number) => string, labels: () => Labels, move: (from: number, to: number) => void,
 *   remove: (i: number) => void, bring: (brought: Brought) => void, most: number, add: string}} spec
 */
export function pictureStrip({ noun, labels, move, remove, bring, most, add }) {
  const tiles = h('div', { class: 'kn-tiles', role: 'list' });
  const coming = h('div', { class: 'kn-uploads' });
  const adder = h('button', { type: 'button', class: 'kn-add-tile', on: { click: () => chooseFiles(true, (files) => bring({ files, places: [] })) } },
    icon('plus'), h('span', { text: add }));
  const el = h('div', { class: 'kn-strip' }, tiles, coming, adder);
  let count = 0;
  /** @type {Map<string, ReturnType<typeof makeTile>>} */
  let shown = new Map();
  /** @type {number|null} */
  let dragged = null;

  const makeTile = (/** @type {string} */ key) => {
    const face = pictureFace();
    const name = h('span', { class: 'kn-tile-name' });
    const rule = ruleMark();
    let at = 0;
    const step = (/** @type {number} */ by) => { const to = at + by; if (to >= 0 && to < count) move(at, to); };
    const tile = h('div', { class: 'kn-tile', role: 'listitem', tabindex: 0, 'data-picture': key, draggable: 'true' }, h('div', { class: 'kn-tile-box' }, face.el, rule.el), name,
      h('div', { class: 'kn-tile-tools' },
        iconButton('left', 'Move left', () => step(-1)), iconButton('right', 'Move right', () => step(1)),
        iconButton('close', 'Remove', () => remove(at))));
    tile.addEventListener('keydown', (event) => {
      if (event.target !== tile) return;
      if (event.altKey && event.key === 'ArrowLeft') step(-1);
      else if (event.altKey && event.key === 'ArrowRight') step(1);
      else if (event.key === 'Delete' || event.key === 'Backspace') remove(at);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
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
      rule.paint(key, label);
      name.textContent = noun(index);
      tile.title = [label?.name, label?.note].filter(Boolean).join(' · ');
      tile.setAttribute('aria-label', `${noun(index)}, ${tile.title}. Press Alt and an arrow key to move it, Delete to remove it.`);
    } };
  };
  const mark = (/** @type {HTMLElement|null} */ tile, after = false) => {
    for (const part of shown.values()) part.el.classList.remove('kn-drop-before', 'kn-drop-after');
    tile?.classList.add(after ? 'kn-drop-after' : 'kn-drop-before');
  };

  return { el, coming, paint: (/** @type {string[]} */ keys) => {
    count = keys.length;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement);
    const at = placeWithin(tiles, focused);
    adder.hidden = count >= most;
    const kept = new Map(keys.map((key) => [key, shown.get(key) ?? makeTile(key)]));
    const parts = [...kept.values()].map((part) => part.el);
    if (tiles.children.length !== parts.length || parts.some((part, i) => part !== tiles.children[i])) {
      tiles.replaceChildren(...parts);
      // Where what had the focus is gone, its neighbour takes it: else the next key would go nowhere.
      if (at >= 0) /** @type {HTMLElement} */ (tiles.contains(focused) ? focused : neighbourIn(tiles, at) ?? adder).focus();
    }
    shown = kept;
    keys.forEach((key, i) => kept.get(key)?.paint(i));
    el.classList.toggle('kn-empty', count === 0);
  } };
}

/**
 * A place for exactly one picture.
 * @param {{title: string, labels: () => Labels, set: (key: string|null) => void, bring: (brought: Brought) => void}} spec
 */
export function pictureSlot({ title, labels, set, bring }) {
  const face = pictureFace();
  const name = h('small', { class: 'kn-slot-name' });
  const rule = ruleMark();
  const open = h('button', { type: 'button', class: 'kn-slot-face', 'aria-label': `${title}: choose an image`, on: { click: () => chooseFiles(false, (files) => bring({ files, places: [] })) } }, face.el);
  const off = iconButton('close', `Remove ${title.toLowerCase()}`, () => set(null), 'kn-slot-remove');
  const coming = h('div', { class: 'kn-uploads' });
  const el = h('div', { class: 'kn-slot' }, h('div', { class: 'kn-slot-box' }, open, off, rule.el, coming), h('span', { class: 'kn-slot-title', text: title }), name);
  el.addEventListener('dragover', (event) => { if (bringsPictures(event)) { event.preventDefault(); event.stopPropagation(); el.classList.add('kn-over'); } });
  el.addEventListener('dragleave', () => el.classList.remove('kn-over'));
  el.addEventListener('drop', (event) => {
    if (!bringsPictures(event)) return;
    event.preventDefault();
    event.stopPropagation();
    el.classList.remove('kn-over');
    bring(broughtBy(event.dataTransfer));
  });
  return { el, coming, paint: (/** @type {string|null} */ key) => {
    const label = key ? labels()[key] : undefined;
    face.paint(label?.uri);
    rule.paint(key, label);
    el.classList.toggle('kn-filled', Boolean(key));
    open.dataset.picture = key ?? '';
    if (!key && off === document.activeElement) open.focus();
    off.hidden = !key;
    name.textContent = label?.name ?? '';
    open.title = label ? [label.name, label.note].filter(Boolean).join(' · ') : `${title}: drop, paste or choose`;
  } };
}

/**
 * A line for an address or a path. What could not be brought stays there to be mended, with the reason below.
 * @param {string} label @param {(place: string) => Promise<boolean>} take gives whether it came
 */
export function addressLine(label, take) {
  const line = h('input', { type: 'text', class: 'kn-line', placeholder: 'URL or path, then Enter', 'aria-label': label, spellcheck: 'false' });
  const fault = h('p', { class: 'kn-location-error', role: 'alert', hidden: true });
  const say = (/** @type {string} */ why) => {
    fault.textContent = why.charAt(0).toUpperCase() + why.slice(1);
    fault.hidden = !why;
    line.setAttribute('aria-invalid', String(Boolean(why)));
  };
  let coming = '';
  line.addEventListener('keydown', async (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    const place = line.value.trim();
    if (!place || place === coming) return; // a second Enter brings nothing twice
    coming = place;
    const came = await take(place);
    if (coming === place) coming = '';
    if (came && line.value.trim() === place) line.value = '';
  });
  return { el: h('div', { class: 'kn-location' }, h('label', { class: 'kn-location-box' }, icon('link'), line), fault), say };
}

/**
 * Brings files and addresses to Python one after the other and shows each while it is on its way. What was said of
 * those before is taken back. Gives whether all came.
 * @param {Brought} brought @param {Courier} courier @param {HTMLElement} coming
 * @param {(key: string) => void} take @param {Failed} failed @param {Media} [media]
 */
export async function bringIn({ files, places }, courier, coming, take, failed, media = 'image') {
  let all = true;
  failed('');
  for (const thing of [...files, ...places]) {
    const bar = h('i', {});
    const chip = h('div', { class: 'kn-upload', role: 'status' }, h('span', { text: typeof thing === 'string' ? thing : thing.name }), bar);
    coming.append(chip);
    try {
      const key = await (typeof thing === 'string' ? courier.place(thing, media) : courier.file(thing, (share) => { bar.style.width = `${share * 100}%`; }, media));
      take(key);
    } catch (fault) {
      all = false;
      failed(fault.message);
    } finally {
      chip.remove();
    }
  }
  return all;
}
