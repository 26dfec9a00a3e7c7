// Types that the extension's modules share. JupyterLab's own objects are `any`: the packages with its types are not installed.

interface Job {
  id: string;
  log: string;
  notebook: string;
  by: string;
  status: string;
  text: string;
  title: string;
  preview: boolean;
  price: string;
  since: number;
  expected: number | null;
}
/** `media` and `poster` are digests; everything else is text. */
interface Clip {
  id: string;
  log: string;
  notebook: string;
  by: string;
  status: string;
  status_text: string;
  ended: boolean;
  reason: string;
  prompt: string;
  badge: string;
  length: string;
  price: string;
  created: number;
  image: boolean;
  shape: number;
  media: string;
  poster: string;
}
interface Limit { label: string; limit: string; spent: string }
/** `own` marks the log that the server's environment names for every notebook, `team` one that people share at an `address`. */
interface LogOverview { name: string; own: boolean; team: boolean; address: string; jobs: Job[]; clips: Clip[]; today: string; limits: Limit[]; error: string }

type News =
  | { kind: 'about'; version: string }
  | { kind: 'logs'; logs: LogOverview[] }
  | { kind: 'ended'; record: Clip };

interface Server {
  /** Ask the server. Throws an Error with the server's reason and its `status`. */
  ask(path: string, query?: Record<string, string>): Promise<any>;
  post(path: string, body: unknown): Promise<any>;
  /** The address of an image or a video. */
  media(digest: string, log: string): string;
  socket(path: string, query?: Record<string, string>): WebSocket;
  /** Listen for changes over one connection, which is reopened when it is lost; call the result to stop. */
  listen(hear: (news: News) => void): () => void;
}
interface State {
  readonly logs: LogOverview[];
  /** Whether two names are of one log: a team's has a cache in the folder of each notebook. */
  same(a: string, b: string): boolean;
  readonly version: string;
  readonly jobs: Job[];
  readonly clips: Clip[];
  readonly today: number;
  onChange(listener: () => void): void;
  onEnd(listener: (clip: Clip) => void): void;
  start(): void;
  stop(): void;
}
/** Actions with clips in the open notebook. */
interface Cells {
  /** The code that refers to a record from the open notebook. */
  reference(clip: { id: string; log: string }): string;
  show(clip: Clip): Promise<void>;
  panel(clip: Clip): Promise<void>;
  /** Open a panel whose start frame is a frame of the clip, by default the last. */
  proceed(clip: Clip, frame?: number): Promise<void>;
  compare(clips: Clip[]): Promise<void>;
  run(code: string): Promise<void>;
}
