import { alertBox } from './alertbox.js';
import { ownKeys } from './dom.js';
import { rowList } from './rowlist.js';

/** What a cell shows of its jobs while they run. @param {Rendered} view */
function renderJobs({ model, el }) {
  ownKeys(el);
  el.classList.add('kn', 'kn-jobs-view');
  const alert = alertBox(model);
  const rows = rowList(model);
  el.append(rows.el, alert.el);
  return () => { rows.close(); alert.close(); };
}

export default { render: renderJobs };
