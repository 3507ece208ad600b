// The schedule: bars move and stretch by mouse, touch and arrow keys. All three end in the same request, by whole weeks;
// where a bar belongs is what the server says, and it goes back there when refused. Everything works by the form too.
const { announce } = window.OneTeam;
const words = () => document.getElementById("schedule-words").dataset;
const picture = () => document.getElementById("schedule");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, key) => values[key] ?? "");
const FAR = 6; // pixels until a press is a drag
const HOLD_MS = 260; // until a finger on a bar moves it rather than the page
const KEYS_MS = 700; // after the last arrow key
const WEEK_MS = 7 * 24 * 3600 * 1000;

const faceOf = (element) => element?.closest?.(".sc-bar")?.querySelector("a.sc-bar-face");
const barOf = (face) => face.closest(".sc-bar");
const weeksOf = (face) => Number(face.closest("table").dataset.weeks);

// --- Where a bar is drawn ---

/** Draw a bar as if its first and last day were so many weeks away from where they are. */
function draw(face, { first, last }) {
  const bar = barOf(face);
  const count = weeksOf(face);
  const start = Number(bar.dataset.start) + first;
  const end = Number(bar.dataset.start) + Number(bar.dataset.span) - 1 + last;
  const from = Math.min(Math.max(start, 1), count);
  const to = Math.min(Math.max(end, from), count);
  bar.className = bar.className.replace(/\bsc-[sw]\d+\b/g, "").trim();
  bar.classList.add(`sc-s${from}`, `sc-w${to - from + 1}`);
}

function shifted(day, weeks) {
  const date = new Date(Date.parse(`${day}T12:00:00Z`) + weeks * WEEK_MS);
  return date.toLocaleDateString(document.documentElement.lang || "en", { day: "numeric", month: "long", timeZone: "UTC" });
}

function tell(face, { first, last }) {
  announce(
    fill(words().moved, {
      what: face.querySelector(".sc-bar-what").textContent.trim(),
      who: face.dataset.who,
      first: shifted(face.dataset.first, first),
      last: shifted(face.dataset.last, last),
    }),
  );
}

/** How long it is, in weeks that it touches, cut or not. */
function length(face) {
  const monday = (day) => {
    const at = Date.parse(`${day}T12:00:00Z`);
    return at - ((new Date(at).getUTCDay() + 6) % 7) * WEEK_MS / 7;
  };
  return Math.round((monday(face.dataset.last) - monday(face.dataset.first)) / WEEK_MS) + 1;
}

/** Never shorter than a week. */
function within(face, by) {
  return length(face) + by.last - by.first >= 1;
}

function send(face, by) {
  if (!by.first && !by.last) return draw(face, by);
  face.dataset.sent = "1";
  const values = { first: by.first, last: by.last, version: face.dataset.version };
  // Refusals are told by the page's own handlers; the picture is fetched anew after both.
  window.htmx.ajax("POST", face.dataset.move, { source: face, target: face, swap: "none", values }).catch(() => {});
}

document.body.addEventListener("htmx:afterRequest", (event) => {
  const face = event.target.closest?.("a.sc-bar-face");
  if (!face || event.detail.requestConfig?.verb !== "post") return;
  delete face.dataset.sent;
  release(face);
  if (!event.detail.successful) draw(face, { first: 0, last: 0 });
});

/** While somebody moves a bar, the picture waits with its news. */
const keep = (face) => {
  barOf(face).classList.add("sc-bar-moving");
  picture().setAttribute("data-live-hold", "");
};
const release = (face) => {
  barOf(face)?.classList.remove("sc-bar-moving");
  picture()?.removeAttribute("data-live-hold");
};

// --- Pointer: mouse, pen and finger ---

let drag = null;

document.addEventListener("pointerdown", (event) => {
  const face = faceOf(event.target);
  if (!face || event.button !== 0 || drag || face.dataset.sent) return;
  flush();
  const width = face.closest("ul").getBoundingClientRect().width / weeksOf(face);
  drag = { face, width, grip: event.target.dataset.grip || "", x: event.clientX, y: event.clientY, id: event.pointerId, isOn: false, by: { first: 0, last: 0 } };
  if (event.pointerType === "touch") drag.timer = setTimeout(begin, drag.grip ? 0 : HOLD_MS);
  drag.isTouch = event.pointerType === "touch";
});

function begin() {
  if (!drag || drag.isOn) return;
  drag.isOn = true;
  keep(drag.face);
  navigator.vibrate?.(10);
}

document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > FAR;
  if (!drag.isOn && far) {
    if (drag.isTouch) return stop();
    begin();
  }
  if (!drag.isOn) return;
  event.preventDefault();
  const weeks = Math.round((event.clientX - drag.x) / drag.width) * (document.dir === "rtl" ? -1 : 1);
  const by = { first: drag.grip === "last" ? 0 : weeks, last: drag.grip === "first" ? 0 : weeks };
  if (!within(drag.face, by) || (by.first === drag.by.first && by.last === drag.by.last)) return;
  drag.by = by;
  draw(drag.face, by);
});

// A finger that holds a bar doesn't scroll the page with it.
document.addEventListener("touchmove", (event) => drag?.isOn && event.preventDefault(), { passive: false });
document.addEventListener("contextmenu", (event) => drag?.isTouch && event.preventDefault());
document.addEventListener("dragstart", (event) => faceOf(event.target) && event.preventDefault());

document.addEventListener("pointerup", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  const { face, by, isOn } = drag;
  stop();
  if (!isOn) return;
  // The click that ends a drag opens nothing.
  const swallow = (click) => {
    click.preventDefault();
    click.stopPropagation();
  };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 50);
  face.focus({ preventScroll: true });
  if (!by.first && !by.last) return release(face);
  keep(face);
  send(face, by);
});

document.addEventListener("pointercancel", () => {
  if (drag) draw(drag.face, { first: 0, last: 0 });
  stop();
});

function stop() {
  if (!drag) return;
  clearTimeout(drag.timer);
  release(drag.face);
  drag = null;
}

// --- Keys: arrows move by a week, with Shift they change the end ---

let keys = null; // the bar under way, and how far

function flush() {
  if (!keys) return;
  clearTimeout(keys.timer);
  const { face, by } = keys;
  keys = null;
  if (face.isConnected) send(face, by);
}

document.addEventListener("keydown", (event) => {
  if (drag?.isOn && event.key === "Escape") {
    draw(drag.face, { first: 0, last: 0 });
    return stop();
  }
  const face = event.target.closest?.("a.sc-bar-face");
  if (!face || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && keys) {
    clearTimeout(keys.timer);
    keys = null;
    draw(face, { first: 0, last: 0 });
    release(face);
    announce(fill(words().undone, { what: face.querySelector(".sc-bar-what").textContent.trim() }));
    return;
  }
  if (event.key === "Enter" && keys) {
    event.preventDefault();
    return flush();
  }
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  if (face.dataset.sent) return;
  if (keys && keys.face !== face) flush();
  const before = keys?.by || { first: 0, last: 0 };
  const by = { first: before.first + (event.shiftKey ? 0 : step), last: before.last + step };
  if (!within(face, by)) return announce(words().least);
  clearTimeout(keys?.timer);
  keys = { face, by, timer: setTimeout(flush, KEYS_MS) };
  keep(face);
  draw(face, by);
  tell(face, by);
});

document.addEventListener("focusout", (event) => keys && keys.face === event.target && flush());

// --- A click on a free week books it ---

document.addEventListener("click", (event) => {
  const cell = event.target.closest("td[data-week]");
  const add = cell?.closest("tr").querySelector(".sc-add");
  if (!add) return;
  const address = new URL(add.href);
  address.searchParams.set("first_on", cell.dataset.week);
  window.htmx.ajax("GET", address.pathname + address.search, { source: add, target: "#dialog-body" }).catch(() => {});
});
