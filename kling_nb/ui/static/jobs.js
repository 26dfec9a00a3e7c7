import { alertBox } from './alertbox.js';
import { cardActions } from './cardactions.js';
import { blockShortcuts } from './dom.js';
import { jobList } from './joblist.js';
import { watchKernel } from './liveness.js';

/** The running jobs of a cell. @param {Rendered} view */
function renderJobs({ model, el }) {
  blockShortcuts(el);
  el.classList.add('kn', 'kn-jobs-view');
  const alert = alertBox(model);
  const jobs = jobList(model);
  el.append(jobs.el, alert.el);
  const watch = watchKernel(model, el, 'The kernel has restarted: kn.resume() follows the jobs that are still running. Nothing is lost.');
  return () => { watch.close(); jobs.close(); alert.close(); };
}

/** The cards outlive the view of the rows, so that the model has them. @param {{model: Model}} widget */
function initializeJobs({ model }) {
  const cards = cardActions(model);
  return () => cards.close();
}

export default { initialize: initializeJobs, render: renderJobs };
