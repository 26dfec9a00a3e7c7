// The contract between the widgets in Python and their views: traits, messages, and the draft of a panel.
// It serves readers and the type check (`make check`); the browser does not load it.

// --- the traits ---

interface Traits {
  draft: Draft;
  /** The form of each model that was chosen. */
  forms: Record<string, ModelForm>;
  catalogue: { models?: ModelOffer[]; live?: boolean; error?: string };
  model_notices: Record<string, { withdrawn: boolean; changes: string[]; alternatives: { id: string; title: string; unsupported: UnsupportedField[] }[] }>;
  unsupported: UnsupportedField[];
  verdict: { edit?: string; problems?: Problem[]; price: string; seconds: number; note: string; hubs?: { id: string; title: string; price: string }[]; hub?: string; uploads?: string };
  earlier: { id?: string; text?: string; poster?: string; ended?: boolean };
  /** The money spent today, and the rest of the budget. */
  money: string;
  labels: Labels;
  banner: { text?: string; tone?: string; detail?: string };
  alert: Alert;
  extra: string;
  /** Finished cards, in marimo. */
  html: string;
  notes: string[];
  library: { preset?: LibraryRow[]; element?: LibraryRow[] };
  rows: JobRow[];
  filters: Record<string, string | number>;
  choices: { models?: string[]; tags?: string[]; statuses?: { value: string; text: string }[] };
  comparison: Comparison | { clips?: undefined; at?: undefined };
  state: { number: number; of: number; done: boolean };
}

/** The model of a widget, from anywidget. */
interface Model {
  get<Name extends keyof Traits>(name: Name): Traits[Name];
  set<Name extends keyof Traits>(name: Name, value: Traits[Name]): void;
  save_changes(): void;
  send(message: Outgoing, callbacks?: undefined, buffers?: Uint8Array[]): void;
  on(event: 'msg:custom', act: (message: Incoming | null, buffers: DataView<ArrayBuffer>[]) => void): void;
  on(event: 'comm_live_update' | `change:${keyof Traits}`, act: () => void): void;
  off(event: 'msg:custom', act: (message: Incoming | null, buffers: DataView<ArrayBuffer>[]) => void): void;
  off(event: 'comm_live_update' | `change:${keyof Traits}`, act: () => void): void;
}

interface Rendered { model: Model; el: HTMLElement }

// --- the draft: wire names, images as keys of `labels` ---

interface Shot { prompt: string; duration: number; id?: string }
interface DraftElement { frontal_image_url: string | null; reference_image_urls: string[]; name?: string; id?: string }
/** The fields of a model. Those named here are typed; others come with the model's form. */
interface Draft {
  hub?: string;
  model: string;
  /** Values that the chosen model does not support. */
  unsupported?: Record<string, unknown>;
  [field: string]: any;
  mode: 'prompt' | 'shots';
  prompt: string;
  negative_prompt: string;
  aspect_ratio: string;
  duration: number;
  generate_audio: boolean;
  num_generations: number;
  multi_prompt: Shot[];
  input_image: string[];
  start_image_url: string | null;
  tail_image_url: string | null;
  input_video?: string | null;
  elements: DraftElement[];
  /** The author of the last edit: `fill:3`, `frame:a4`, or a view and a number. */
  edit?: string;
  /** The number of the fill that set the fields that are not shown. */
  extra?: number;
}
interface Label { name: string; note: string; uri: string; rules: string[]; blocked: boolean; fixable: boolean }
type Labels = Record<string, Label>;
/** With a `fix`, a button changes these fields of the draft, so that the problem is gone. */
interface Problem { path: string; severity: 'error' | 'warning'; message: string; remedy: string; fix?: { label: string; changes: Partial<Draft> } | null }
interface Alert { message?: string; remedy?: string; at?: number }
interface LibraryRow { name: string; text: string; note: string; images: string[] }

// --- models and their forms (`models/specs.py`) ---

interface Spec {
  name: string;
  kind: 'prompt' | 'shots' | 'images' | 'image' | 'elements' | 'video' | 'choice' | 'integer' | 'number' | 'toggle' | 'text' | 'json';
  title: string;
  note: string;
  required: boolean;
  basic: boolean;
  default: any;
  choices: any[];
  minimum: number | null;
  maximum: number | null;
  max_length: number | null;
  max_items: number | null;
  always: boolean;
  requires: string;
  unset: any;
}
interface ModelForm { model: string; title: string; makes: 'video' | 'image'; known: boolean; specs: Spec[] }
interface ModelOffer { id: string; title: string; family: string; makes: string; price: string; summary: string }
interface UnsupportedField { name: string; text: string }

// --- jobs, records and comparisons ---

/** Times are unix seconds. */
interface JobRow {
  id: string;
  status: string;
  text: string;
  title: string;
  ended: boolean;
  created: number;
  since: number;
  expected: number | null;
  price: string;
  preview: boolean;
  warning: string;
  failure: { message: string; remedy: string } | null;
  /** The same for all jobs of one request. */
  batch: string;
  stars: number;
  /** The name of the clip's file for people; '' without a clip. */
  file: string;
  image: boolean;
}
/** The actions of rows and cards on a clip, by the ID of its record. */
interface RowActs {
  rate(id: string, stars: number): void;
  continueFrom(id: string): void;
  /** Put the request into the panel. */
  open(id: string): void;
  compare?(ids: string[]): void;
  gallery?(id: string): void;
  load: LoadClip;
  showError(reason: string): void;
}
interface Tile {
  id: string;
  prompt: string;
  status: string;
  ended: boolean;
  status_text: string;
  reason: string;
  stars: number;
  tags: string[];
  note: string;
  badge: string;
  model: string;
  when: string;
  length: string;
  figures: string;
  price: string;
  scores: string[];
  clip: boolean;
  image: boolean;
  fps: number;
  shape: number;
  poster: string;
}
interface ComparedClip {
  id: string;
  letter: string;
  title: string;
  figures: string;
  badge: string;
  stars: string;
  poster: string;
  fps: number;
  width: number;
  height: number;
  audible: boolean;
}
interface Comparison { clips: ComparedClip[]; differences: Difference[]; at?: number }
/** Each value is a list of texts, and whether each is marked. */
interface Difference { label: string; values: [string, boolean][][] }
interface EarlierClip { id: string; title: string; figures: string; poster: string; fps: number; image: boolean }
interface FitSide { uri: string; text: string; rules: string }

/** Clips are blob URLs, frames are numbers from 0. */
type LoadClip = (id: string) => Promise<string>;
type UseFrame = (id: string, frame: number) => Promise<string>;
type Annotate = (id: string, changes: { stars?: number; tags?: string[]; note?: string }) => void;
interface TileActions {
  loadClip: LoadClip;
  pick(tile: Tile): void;
  open(tile: Tile): void;
  rate(tile: Tile, stars: number): void;
  /** Whether the user prefers reduced motion. */
  reducedMotion(): boolean;
}

// --- the messages ---

type LibraryType = 'preset' | 'element';
type Media = 'image' | 'video';

/** Messages to Python. The `id` or `call` of a question comes back with the answer. */
type Outgoing =
  | { kind: 'page'; page: string }
  | { kind: 'piece'; id: string; name: string; size: number; piece: number; media: Media }
  | { kind: 'choose'; id: string; model: string; draft: Draft }
  | { kind: 'fetch' | 'insert' | 'clips' | 'frame' | 'video' | 'fit' | 'image' | 'edit_image' | 'help' | 'script' | 'models' | 'run_models'; id: string; [more: string]: unknown }
  | { kind: 'submit'; id: string; action: string; draft: Draft; price: string; confirmed: boolean }
  | { kind: 'cancel'; job: string }
  | { kind: 'code'; id: string; flavour: string; flow: string }
  | { kind: 'show'; id: string | undefined }
  | { kind: 'library' }
  | { kind: 'example'; title: string }
  | { kind: 'save'; type: LibraryType; name: string; draft: Partial<Draft> }
  | { kind: 'load'; name: string }
  | { kind: 'rename'; type: LibraryType; name: string; new: string }
  | { kind: 'delete'; type: LibraryType; name: string }
  | { kind: 'clip'; id: string; call: string }
  | { kind: 'use_frame'; call: string; id: string; frame: number }
  | { kind: 'open'; call: string; id: string }
  | { kind: 'records'; call: string; filters: Traits['filters']; offset: number; limit: number }
  | { kind: 'poll'; statuses: Record<string, string> }
  | { kind: 'annotate'; id: string; changes: { stars?: number; tags?: string[]; note?: string } }
  | { kind: 'price' | 'export'; call: string; ids: string[] }
  | { kind: 'generate'; id: string; ids: string[]; price: string }
  | { kind: 'compare' | 'trash' | 'restore'; ids: string[] }
  | { kind: 'vote'; number: number; answer: string }
  | { kind: 'gallery'; id?: string }
  | { kind: 'undo' };

/** Answers to the questions of `kernel.js`. */
type Answer = { kind: 'received' | 'stored' | 'answer'; id: string; [more: string]: any } | { kind: 'refused'; id: string; reason: string };

/** Messages from Python. */
type Incoming =
  | Answer
  | { kind: 'submitted'; id: string; jobs: number; first?: string; question?: string }
  | { kind: 'arrived'; field: string; text: string }
  | { kind: 'gallery'; open: boolean }
  | { kind: 'reveal'; tile: Tile }
  | { kind: 'code'; id: string; code: string; notes: string[]; flavour?: string; flavours?: string[]; key?: string }
  | { kind: 'clock'; page: string; now: number; first: boolean }
  | { kind: 'clip'; call: string; reason?: string }
  | { kind: 'done'; call: string; text: string }
  | { kind: 'records'; call: string; reason: string; tiles?: undefined; total?: undefined }
  | { kind: 'records'; call: string; reason?: undefined; offset: number; total: number; tiles: Tile[] }
  | { kind: 'record'; tile: Tile }
  | { kind: 'price'; call: string; price: string }
  | { kind: 'exported'; call: string; text: string }
  | { kind: 'trashed'; ids: string[] }
  | { kind: 'changed'; ids?: string[] };

// --- parts of the panel ---

/** Show an error; '' clears it. */
type ShowError = (remedy: string, message?: string) => void;
/** The items that were dropped, pasted or typed; a location is a URL or a path. */
interface Sources { files: File[]; locations: string[]; clips?: DraggedClip[] }
/** A clip by the ID of its record; `frame` is null for the whole clip. */
interface DraggedClip { id: string; title: string; frame: number | null }
interface Kernel {
  /** Send a file; gives its key, or throws with the reason. */
  upload(file: File, progress: (share: number) => void, media?: Media): Promise<string>;
  /** Add the file at a URL or a path; gives its key, or throws with the reason. */
  fetch(location: string, media?: Media): Promise<string>;
  /** Ask Python; gives its answer, or throws with the reason. */
  ask(kind: 'fetch' | 'insert' | 'clips' | 'frame' | 'video' | 'fit' | 'image' | 'edit_image' | 'help' | 'script' | 'models' | 'run_models', content: Record<string, unknown>): Promise<any>;
  close(): void;
}
interface DraftStore {
  readonly draft: Draft;
  readonly history: import('./history.js').History;
  /** Change fields; edits with the same `name` are undone together. */
  edit(change: Partial<Draft>, name?: string): void;
  /** Send pending edits now. */
  flush(): void;
  undo(): void;
  redo(): void;
  listen(listener: (draft: Draft) => void): void;
  close(): void;
}
interface Shared {
  model: Model;
  store: DraftStore;
  labels: () => Labels;
  problemPlace: (path: string) => HTMLElement;
  kernel: Kernel;
  showError: ShowError;
  /** Change the text of every prompt. */
  rewrite: (change: (text: string) => string) => Partial<Draft>;
  /** The form of the chosen model. */
  form: () => ModelForm;
}
/** A control that is painted with each new value. */
interface Control<Value> { el: HTMLElement; paint: (value: Value) => void }
