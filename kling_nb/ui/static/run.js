import { watchKernel } from './liveness.js';

/** Watches whether the kernel still runs, for the sheet of a run, which consists of other widgets. @param {Rendered} view */
function renderRun({ model, el }) {
  el.classList.add('kn', 'kn-run-watch');
  const box = /** @type {HTMLElement} */ (el.closest('.kn-run') ?? el);
  const text = 'The kernel has restarted: no more cells are started. Run this cell again: finished clips are kept, and the rest is generated.';
  const watch = watchKernel(model, el, text);
  const grey = () => box.classList.add('kn-run-dead');
  model.on('comm_live_update', grey);
  return () => { model.off('comm_live_update', grey); watch.close(); };
}

export default { render: renderRun };
