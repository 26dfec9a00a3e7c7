import { h } from './dom.js';

const CELLS = 'application/vnd.jupyter.cells';
/** The types of the notebooks' own views for a clip and for one of its frames (`ui/static/clipdrag.js`). */
const CLIP = 'application/x-kling-nb-clip';
const FRAME = 'application/x-kling-nb-frame';

/**
 * Return a function that starts to drag a clip: dropped on a notebook, it becomes a cell; on a panel, an image or a video.
 * @param {{Drag: any, MimeData: any, cells: Cells}} spec
 */
export function makeDrag({ Drag, MimeData, cells }) {
  for (const [name, act] of Object.entries(PASSED_ON)) document.addEventListener(name, act, true);
  return async (/** @type {Clip} */ clip, /** @type {PointerEvent} */ event, /** @type {HTMLElement} */ image) => {
    const source = cells.reference(clip);
    const mimeData = new MimeData();
    mimeData.setData(CELLS, [{ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null }]);
    mimeData.setData('text/plain', source);
    const dragged = { id: clip.id, title: clip.prompt.slice(0, 60), frame: clip.image ? 0 : null };
    mimeData.setData(clip.image ? FRAME : CLIP, JSON.stringify(dragged));
    const dragImage = h('div', { class: 'knl knl-drag' }, image.cloneNode());
    const drag = new Drag({ mimeData, dragImage, supportedActions: 'copy-move', proposedAction: 'copy', source: null });
    nativeDrag('dragenter', document.body, mimeData); // panels show where there is room for it
    await drag.start(event.clientX, event.clientY);
    document.body.dispatchEvent(new DragEvent('dragend', { bubbles: true }));
  };
}

/**
 * Panels know only the browser's own drags: what happens to a clip above one is passed on as such.
 * @type {Record<string, (event: any) => void>}
 */
const PASSED_ON = {
  'lm-dragenter': (event) => { if (isOverPanel(event)) { taken(event); nativeDrag('dragenter', event.target, event.mimeData); } },
  'lm-dragleave': (event) => { if (isOverPanel(event)) nativeDrag('dragleave', event.target, event.mimeData, event.relatedTarget ?? document.body); },
  'lm-dragover': (event) => {
    if (!isOverPanel(event)) return;
    taken(event);
    event.dropAction = nativeDrag('dragover', event.target, event.mimeData) ? 'copy' : 'none';
  },
  'lm-drop': (event) => {
    if (!isOverPanel(event)) return;
    taken(event);
    event.dropAction = nativeDrag('drop', event.target, event.mimeData) ? 'copy' : 'none';
  },
};

/** @param {any} event */
const isOverPanel = ({ target, mimeData }) => (mimeData.hasData(CLIP) || mimeData.hasData(FRAME)) && target.closest?.('.kn-panel');

/** Keep an event from the notebook around the panel. @param {Event} event */
function taken(event) {
  event.preventDefault();
  event.stopPropagation();
}

/** Send an event of a drag with the clip; gives whether it was accepted. @param {string} name @param {Element} target @param {any} mimeData @param {Element|null} [relatedTarget] */
function nativeDrag(name, target, mimeData, relatedTarget = null) {
  const dataTransfer = new DataTransfer();
  for (const type of [CLIP, FRAME]) if (mimeData.hasData(type)) dataTransfer.setData(type, mimeData.getData(type));
  return !target.dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer, relatedTarget }));
}
