/** A clip, and one of its frames: two types, since while dragging only the types can be read. */
const WHOLE = 'application/x-kling-nb-clip';
const FRAME = 'application/x-kling-nb-frame';

/**
 * Let a clip be dragged from an element onto the places for images of a panel: with a `frame` that frame, without one
 * the clip, of which the place takes the frame it needs. Without a clip, nothing is dragged.
 * @param {HTMLElement} el @param {() => DraggedClip|null} clip
 */
export function dragsClip(el, clip) {
  el.draggable = true;
  el.addEventListener('dragstart', (event) => {
    const dragged = clip();
    if (!event.dataTransfer || event.target !== el) return;
    if (!dragged) { event.preventDefault(); return; }
    event.dataTransfer.setData(dragged.frame == null ? WHOLE : FRAME, JSON.stringify(dragged));
    event.dataTransfer.effectAllowed = 'copy';
  });
}

/** What of a clip is being dragged, '' for other drags. @param {DataTransfer|null} transfer @returns {''|'clip'|'frame'} */
export function draggedPart(transfer) {
  const types = [...(transfer?.types ?? [])];
  return types.includes(FRAME) ? 'frame' : types.includes(WHOLE) ? 'clip' : '';
}

/** The clips of a drop. Another page may have written them. @param {DataTransfer|null} transfer @returns {DraggedClip[]} */
export function droppedClips(transfer) {
  const text = transfer?.getData(FRAME) || transfer?.getData(WHOLE);
  if (!text) return [];
  try {
    const { id, title, frame } = JSON.parse(text);
    return typeof id === 'string' ? [{ id, title: String(title ?? ''), frame: Number.isInteger(frame) ? frame : null }] : [];
  } catch {
    return [];
  }
}
