import { hasImages, sourcesOf } from './images.js';

const HOLD = 500; // ms that a drag rests on the title of a collapsed part before it opens

/**
 * Adds images, files and clips that are dropped or pasted anywhere on the panel. While such a drag is over the page, the
 * image slots are marked, and a collapsed part with image slots opens when the drag rests on its title.
 * @param {HTMLElement} el @param {(sources: Sources) => void} add
 */
export function dropArea(el, add) {
  let depth = 0;
  let timer = 0;
  /** @type {Element|null} */
  let held = null;
  const over = (/** @type {boolean} */ on) => el.classList.toggle('kn-drop-target', on);
  const near = (/** @type {boolean} */ on) => el.classList.toggle('kn-drag-near', on);
  const hold = (/** @type {Element|null} */ summary) => {
    if (summary === held) return;
    held = summary;
    clearTimeout(timer);
    if (summary) timer = setTimeout(() => summary.parentElement?.setAttribute('open', ''), HOLD);
  };
  const ended = () => { depth = 0; over(false); near(false); hold(null); };

  el.addEventListener('dragenter', (event) => { if (hasImages(event)) { depth += 1; over(true); } });
  el.addEventListener('dragleave', (event) => { if (hasImages(event)) { depth = Math.max(0, depth - 1); over(depth > 0); } });
  el.addEventListener('dragover', (event) => {
    if (!hasImages(event)) return;
    event.preventDefault();
    hold(/** @type {Element} */ (event.target).closest('.kn-fold:has(.kn-slot, .kn-strip, .kn-video):not([open]) > summary'));
  });
  el.addEventListener('drop', (event) => {
    ended();
    if (!hasImages(event)) return;
    event.preventDefault();
    event.stopPropagation();
    add(sourcesOf(event.dataTransfer));
  });
  el.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    event.stopPropagation();
    add({ files, locations: [] });
  });

  // On the page, not the panel: an image slot handles its own drops, and a drag may end anywhere.
  const onEnter = (/** @type {DragEvent} */ event) => near(hasImages(event));
  const onLeave = (/** @type {DragEvent} */ event) => { if (!event.relatedTarget) ended(); }; // it has left the window
  document.addEventListener('dragenter', onEnter, true);
  document.addEventListener('dragleave', onLeave, true);
  for (const kind of /** @type {const} */ (['drop', 'dragend'])) document.addEventListener(kind, ended, true);
  return { close: () => {
    clearTimeout(timer);
    document.removeEventListener('dragenter', onEnter, true);
    document.removeEventListener('dragleave', onLeave, true);
    for (const kind of /** @type {const} */ (['drop', 'dragend'])) document.removeEventListener(kind, ended, true);
  } };
}
