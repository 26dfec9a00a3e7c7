/** The MIME types of a dragged clip and of one of its frames: during a drag only the types can be read. */
const WHOLE = 'application/x-kling-nb-clip';
const FRAME = 'application/x-kling-nb-frame';

/**
 * Let a clip be dragged from an element onto the image slots of a panel: with a `frame` that frame, otherwise the clip,
 * of which the slot takes the frame it needs. If `clip` returns null, nothing is dragged.
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

/** Whether a clip or a frame is being dragged; '' for other drags. @param {DataTransfer|null} transfer @returns {''|'clip'|'frame'} */
export function draggedPart(transfer) {
  const types = [...(transfer?.types ?? [])];
  return types.includes(FRAME) ? 'frame' : types.includes(WHOLE) ? 'clip' : '';
}

/** The dropped clips. Another page may have written them. @param {DataTransfer|null} transfer @returns {DraggedClip[]} */
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
