/** Types of the thumbwheel widget: <thumbwheel-feedback trace="…"> asks, track(element, trace) watches. */

/** What the page asks its visitors for: nothing, a yes beforehand, or the right to say no. */
export type Consent = "none" | "opt-in" | "opt-out";
export type Right = "evaluate" | "prompt" | "retrieve" | "train";

export interface Strings {
  question: string;
  up: string;
  down: string;
  why: string;
  comment: string;
  send: string;
  skip: string;
  edit: string;
  thanks: string;
  /** By the name of the reason. */
  reasons: Record<string, string>;
}

export interface Options {
  /** Address of the server; where the module was loaded from, when not given. */
  url?: string;
  /** A publishable key, tw_pk_…: it can only send signals, and only from the project's origins. */
  key?: string;
  /** "none" when not given. */
  consent?: Consent;
  /** Your id of the signed-in user; the server keeps a pseudonym. */
  user?: string;
  /** What may be done with the words of an edit. */
  rights?: Right[];
  /** The project's reasons, in the order to show them. */
  reasons?: string[];
  strings?: Partial<Strings>;
}

/** Say which server, key and consent this page uses. May be called again; what is not given stays. */
export function configure(options: Options): void;

/** The visitor's choice. A no forgets everything that waits to be sent. */
export function setConsent(given: boolean): void;

/** Send what waits. Resolves when this try is over, whether or not it worked. */
export function flush(): Promise<void>;

/** The user asked for another answer instead of this one. Returns the signal's id, or null without consent. */
export function regenerate(trace: string): string | null;

/** The user had to say again, or differently, what they meant. */
export function clarification(trace: string): string | null;

/** The user copied the answer with a button of the page's own. */
export function copied(trace: string): string | null;

export interface TrackOptions {
  /** The answer is still being written; call done() when it is complete. */
  streaming?: boolean;
  /** Leaving after fewer seconds of reading, with nothing done, is abandonment. 3 when not given. */
  abandonSeconds?: number;
  /** Copying a smaller share of the answer than this is no copy. 0.1 when not given. */
  copyShare?: number;
  /** Also follow a copied answer into fields of this page it is pasted into, never passwords. */
  pasted?: boolean;
  /** A control that regenerates the answer: its click is the signal. */
  regenerate?: Element | null;
  /** A control with which the user says that they were misunderstood. */
  clarification?: Element | null;
}

export interface Tracking {
  /** The streamed answer is complete. */
  done(): void;
  /** Stop watching, and report how long it was read. */
  stop(): void;
}

/** Watch one answer: how long it is read, whether it is copied, changed, or left. */
export function track(element: Element, trace: string, options?: TrackOptions): Tracking;

export interface Signal {
  id: string;
  trace_id: string;
  kind:
    | "user_rating" | "user_reason" | "user_edit"
    | "implicit_regenerate" | "implicit_clarification" | "implicit_abandonment"
    | "implicit_copy" | "implicit_copy_edit" | "implicit_dwell";
  at: string;
  user_id?: string;
  value?: "up" | "down";
  reason?: string;
  comment?: string;
  original?: string;
  edited?: string;
  rights?: Right[];
  seconds?: number;
}

/** Attributes: trace, for (id of the answer's element), edit="off", rights="evaluate train". */
export interface ThumbwheelFeedback extends HTMLElement {
  /** The answer as it was shown, when no element holds it. */
  original?: string;
}

declare global {
  interface HTMLElementTagNameMap {
    "thumbwheel-feedback": ThumbwheelFeedback;
  }
  interface DocumentEventMap {
    /** Before a signal is kept; preventDefault() drops it. It bubbles from its element, or is the document's. */
    "thumbwheel:signal": CustomEvent<Signal>;
  }
}
