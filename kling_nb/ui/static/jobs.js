import { alertBox } from './alertbox.js';
import { blockShortcuts } from './dom.js';
import { jobList } from './joblist.js';

/** The running jobs of a cell. @param {Rendered} view */
function renderJobs({ model, el }) {
  blockShortcuts(el);
  el.classList.add('kn', 'kn-jobs-view');
  const alert = alertBox(model);
  const jobs = jobList(model);
  el.append(jobs.el, alert.el);
  return () => { jobs.close(); alert.close(); };
}

export default { render: renderJobs };
