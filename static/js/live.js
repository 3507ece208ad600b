// Keeps open pages current. An element says what it shows (data-live="opportunity:7 tasks") and how to fetch itself
// (hx-get, hx-trigger="live"); when one of its topics changes, it gets the event "live".
// The stream carries topics only; what is in them comes through the ordinary pages.
const GATHER_MS = 120; // changes come in bursts
const LOOK_AGAIN_MS = 400; // whether an element that was in use is free again
const FAILED_MS = 3_000; // until a part that could not be fetched is asked for again
const POLL_MS = 15_000; // without a stream
const QUIET_MS = 40_000; // the stream's heartbeat comes every 15 seconds
const RETRY_MS = [5_000, 15_000, 60_000];
const HIDDEN_MS = 10_000; // a tab in the background gives its connection back after this
const EVERYTHING = "*";

const waiting = new Set(); // topics not handed out yet
// Whose turn comes once they are free, by id: an element may be replaced by its own answer in the meantime.
const held = new Set();
let stream = null;
let position = "";
let heardAt = 0;
let failures = 0;
let isSignedOut = false;
let gathering, retrying, hiding, holding;

const all = () => [...document.querySelectorAll("[data-live]")];
const topicsOf = (element) => element.dataset.live.split(/\s+/).filter(Boolean);
const keyOf = (element) => element.id || element;
const concerned = (element) => waiting.has(EVERYTHING) || topicsOf(element).some((topic) => waiting.has(topic));

function say(state) {
  document.documentElement.dataset.liveState = state;
}

/**
 * It is being fetched: that answer may be older than the change, and what htmx queues is lost with an element that its
 * answer replaces. Or somebody is at work in it.
 */
function isHeld(element) {
  return element.matches(".htmx-request") || isInUse(element);
}

/** Somebody is typing, dragging or choosing in it: replacing it now would take that away. */
function isInUse(element) {
  if (element.closest("[data-live-hold]") || element.querySelector("[data-live-hold]")) return true;
  if (element.querySelector("details.ot-menu[open], .dropdown-menu.show, .htmx-request")) return true;
  const focus = document.activeElement;
  return Boolean(
    focus &&
      element.contains(focus) &&
      focus.matches("textarea, select, [contenteditable=true], input:not([type=checkbox], [type=radio], [type=button], [type=submit])"),
  );
}

function handOut() {
  gathering = undefined;
  const due = new Set(all().filter((element) => concerned(element) || held.has(keyOf(element))));
  waiting.clear();
  held.clear();
  for (const element of due) {
    // What contains it fetches it too.
    if (due.has(element.parentElement?.closest("[data-live]"))) continue;
    if (isHeld(element)) held.add(keyOf(element));
    else window.htmx.trigger(element, "live");
  }
  lookAgain(LOOK_AGAIN_MS);
}

function lookAgain(milliseconds) {
  clearTimeout(holding);
  if (held.size) holding = setTimeout(handOut, milliseconds);
}

function changed(topics) {
  topics.forEach((topic) => waiting.add(topic));
  if (waiting.size && gathering === undefined) gathering = setTimeout(handOut, GATHER_MS);
}

function address() {
  const from = position ? `after=${encodeURIComponent(position)}` : `age=${Math.round(performance.now())}`;
  return `/live/?${from}`;
}

function open() {
  clearTimeout(retrying);
  if (stream || isSignedOut || document.hidden || !all().length) return;
  if (!window.EventSource) {
    say("polling");
    return;
  }
  stream = new EventSource(address());
  stream.onopen = () => {
    failures = 0;
    heardAt = performance.now();
    say("streaming");
  };
  stream.onmessage = (message) => {
    heardAt = performance.now();
    position = message.lastEventId || position;
    changed(JSON.parse(message.data).topics);
  };
  stream.onerror = () => {
    say("polling");
    // While it is connecting the browser tries by itself; once closed it has given up (signed out, too many pages).
    if (stream?.readyState === EventSource.CLOSED) giveBack(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
  };
}

function giveBack(retryAfter) {
  stream?.close();
  stream = null;
  clearTimeout(retrying);
  if (retryAfter) retrying = setTimeout(open, retryAfter);
}

function tick() {
  if (document.hidden || isSignedOut) return;
  // A connection can be dead without an error, after a sleep or a change of network.
  if (stream?.readyState === EventSource.OPEN && performance.now() - heardAt > QUIET_MS) {
    giveBack();
    open();
  }
  if (stream?.readyState !== EventSource.OPEN) changed([EVERYTHING]);
}

function visibility() {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(giveBack, HIDDEN_MS);
  else {
    if (!stream && !position) changed([EVERYTHING]);
    open();
  }
}

document.addEventListener("visibilitychange", visibility);
document.addEventListener("focusout", () => held.size && setTimeout(handOut));
document.addEventListener("dragend", () => held.size && setTimeout(handOut));
// A page taken from the browser's memory shows what was.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  changed([EVERYTHING]);
  open();
});
addEventListener("pagehide", () => giveBack());
addEventListener("online", open);
for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.body.addEventListener(failure, (event) => {
    const status = event.detail.xhr?.status ?? 0;
    if (status === 401) {
      // Signed out: the page says so (app.js), and asking again would only repeat it.
      isSignedOut = true;
      giveBack();
    } else if (event.detail.requestConfig?.triggeringEvent?.type === "live" && (status < 400 || status >= 500)) {
      held.add(keyOf(event.detail.elt));
      lookAgain(FAILED_MS);
    }
  });
}
// Somebody began to type while the answer was on its way.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, requestConfig } = event.detail;
  if (requestConfig?.triggeringEvent?.type !== "live" || !isInUse(elt)) return;
  event.detail.shouldSwap = false;
  held.add(keyOf(elt));
  lookAgain(LOOK_AGAIN_MS);
});
// Elements may come after the page did.
document.body.addEventListener("htmx:afterSettle", open);
document.body.addEventListener("htmx:afterSettle", () => held.size && setTimeout(handOut));
setInterval(tick, POLL_MS);
open();
