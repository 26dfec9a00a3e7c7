import { alertBox } from './alertbox.js';
import { rowList } from './rowlist.js';

/** What a cell shows of its jobs while they run. @param {Rendered} view */
function renderJobs({ model, el }) {
  el.dataset.lmSuppressShortcuts = 'true';
  el.classList.add('kn', 'kn-jobs-view');
  const alert = alertBox(model);
  const rows = rowList(model);
  el.append(rows.el, alert.el);
  return () => { rows.close(); alert.close(); };
}

export default { render: renderJobs };
