import { h } from './dom.js';

const CELLS = 'application/vnd.jupyter.cells';

/**
 * Return a function that starts to drag a clip; dropped on a notebook, it becomes a cell.
 * @param {{Drag: any, MimeData: any, cells: Cells}} spec
 */
export function makeDrag({ Drag, MimeData, cells }) {
  return (/** @type {Clip} */ clip, /** @type {PointerEvent} */ event, /** @type {HTMLElement} */ image) => {
    const source = cells.reference(clip);
    const mimeData = new MimeData();
    mimeData.setData(CELLS, [{ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null }]);
    mimeData.setData('text/plain', source);
    const dragImage = h('div', { class: 'knl knl-drag' }, image.cloneNode());
    const drag = new Drag({ mimeData, dragImage, supportedActions: 'copy-move', proposedAction: 'copy', source: null });
    return drag.start(event.clientX, event.clientY);
  };
}
