// fal's JavaScript client against the stand-in: node judge.mjs BASE ENDPOINT. Prints what it has seen as JSON.
import { createFalClient } from '@fal-ai/client';

const [base, endpoint] = process.argv.slice(2);
const here = (url) => url.replace(/^https:\/\/(queue\.fal\.run|fal\.run|rest\.fal\.ai)\//, `${base}/$1/`);
const fal = createFalClient({
  credentials: 'an-id:a-secret',
  fetch: (url, options) => fetch(here(String(url)), options),
});

const upload = await fal.storage.upload(new Blob(['bytes'], { type: 'image/png' }));
const { request_id: requestId } = await fal.queue.submit(endpoint, { input: { prompt: 'a', duration: '3' } });
const stream = await fal.queue.streamStatus(endpoint, { requestId, logs: true });
const states = [];
for await (const status of stream) states.push(status.status);
await stream.done();
const { status } = await fal.queue.status(endpoint, { requestId });
const { data } = await fal.queue.result(endpoint, { requestId });

const refused = await fal.subscribe(endpoint, { input: {}, pollInterval: 50 }).catch((error) => error);
const unwanted = await fal.queue.submit(endpoint, { input: { prompt: 'b' } });
await fal.queue.cancel(endpoint, { requestId: unwanted.request_id });
const cancelled = await fal.queue.result(endpoint, { requestId: unwanted.request_id }).catch((error) => error);

console.log(JSON.stringify({
  upload, states, status, video: data.video, refused: [refused.status, refused.body?.detail], cancelled: cancelled.status,
}));
