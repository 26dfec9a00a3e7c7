import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPicture } from '../../../kling_nb/views/static/mends.js';

test('a picture takes the place of another wherever that stands, and nowhere else', () => {
  const specs = [['prompt', 'prompt'], ['input_image', 'pictures'], ['start_image_url', 'picture'], ['tail_image_url', 'picture'], ['elements', 'elements']].map(([name, kind]) => ({ name, kind }));
  const draft = { prompt: 'a', input_image: ['a', 'b', 'a'], start_image_url: 'b', tail_image_url: null,
    elements: [{ id: '1', frontal_image_url: 'a', reference_image_urls: ['c', 'a'] }] };
  assert.deepEqual(withPicture(draft, specs, 'a', 'z'), { input_image: ['z', 'b', 'z'], start_image_url: 'b',
    elements: [{ id: '1', frontal_image_url: 'z', reference_image_urls: ['c', 'z'] }] });
  assert.deepEqual(draft.input_image, ['a', 'b', 'a']);
});
