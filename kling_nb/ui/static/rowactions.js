import { actionButton, h } from './dom.js';
import { icon } from './icons.js';
import { starRow } from './stars.js';

/** The actions on a job that has ended. @param {RowActs} acts */
export function rowActions(acts) {
  /** @type {JobRow|null} */
  let row = null;
  /** @type {JobRow|null} */
  let before = null;
  const stars = starRow((count) => { if (row) { stars.paint(count); acts.rate(row.id, count); } });
  stars.allowTab();
  /** @param {string} action @param {import('./icons.js').IconName} name @param {string} text @param {string} title @param {(row: JobRow) => void} act */
  const button = (action, name, text, title, act) => actionButton(action, () => { if (row) act(row); }, { class: 'kn-quiet kn-row-action', title, 'aria-label': text }, icon(name), h('span', { text }));
  const next = button('continue', 'continue', 'Continue from last frame', 'The last frame becomes the start frame in the panel', (it) => acts.continueFrom(it.id));
  const again = button('use-again', 'again', 'Use again', 'Put this request into the panel', (it) => acts.open(it.id));
  const compare = button('compare-before', 'side', 'Compare', '', (it) => { if (before) acts.compare?.([before.id, it.id]); });
  const gallery = button('show-in-gallery', 'grid', 'Gallery', 'Show in the gallery', (it) => acts.gallery?.(it.id));
  const download = button('download', 'download', 'Download', '', (it) => save(it));
  const el = h('div', { class: 'kn-row-actions', hidden: true }, stars.el, next, again, compare, gallery, download);

  const save = async (/** @type {JobRow} */ it) => {
    download.disabled = true;
    try {
      h('a', { href: await acts.load(it.id), download: it.file }).click();
    } catch (error) {
      acts.showError(error.message);
    } finally { download.disabled = false; }
  };
  return { el, paint: (/** @type {JobRow} */ it, /** @type {JobRow|null} */ earlier) => {
    row = it;
    before = earlier;
    el.hidden = !it.ended || it.status === 'cancelled';
    const clip = Boolean(it.file);
    for (const part of [stars.el, gallery, download]) part.hidden = !clip;
    next.hidden = !clip || it.image;
    gallery.hidden ||= !acts.gallery;
    compare.hidden = !clip || it.image || !earlier;
    compare.title = earlier ? `Compare with the previous clip: ${earlier.title}` : '';
    download.title = it.file;
    stars.paint(it.stars);
  } };
}

/**
 * The clip before that of a row: its neighbour in the same request, otherwise the newest of the earlier requests, which
 * are below it.
 * @template {{id: string, batch: string, file: string, image: boolean}} R
 * @param {R[]} rows @param {string} id @returns {R|null}
 */
export function clipBefore(rows, id) {
  const at = rows.findIndex((row) => row.id === id);
  const isClip = (/** @type {R} */ row) => Boolean(row.file) && !row.image;
  const above = rows.slice(0, Math.max(0, at)).reverse().find((row) => row.batch === rows[at].batch && isClip(row));
  return above ?? rows.slice(at + 1).find((row) => row.batch !== rows[at]?.batch && isClip(row)) ?? null;
}
