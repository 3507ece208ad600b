// The board: drag, menu and keys all end in the same request. A card moves at once and goes back when refused:
// where it belongs is always what its data-stage says, and data-stage comes from the server.
const { announce, toast, openDialog } = window.OneTeam;
const words = () => document.getElementById("board-words").dataset;
const board = () => document.getElementById("board");
const lanes = () => [...board().querySelectorAll(".lane")];
const laneOf = (stage) => board().querySelector(`.lane[data-lane="${stage}"]`);
const listOf = (lane) => lane.querySelector(".lane-list");
const cardsIn = (lane) => [...listOf(lane).querySelectorAll(".deal-card")];
const cardOf = (deal) => document.getElementById(`deal-${deal}`);
const nameOf = (card) => card.querySelector(".deal-card-name").textContent;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, key) => values[key] ?? "");

// --- Where cards stand ---

/** Put a card into its place: by order, within what the column has loaded. */
function place(card, lane) {
  const list = listOf(lane);
  const others = cardsIn(lane).filter((other) => other !== card);
  const next = others.find((other) => other.dataset.order > card.dataset.order);
  const more = list.querySelector(".lane-more");
  if (next) next.before(card);
  else if (more) more.before(card);
  else list.append(card);
}

/** Put a card where the server says it is. */
function settle(card) {
  card.classList.remove("deal-card-moving");
  const lane = laneOf(card.dataset.stage);
  if (!lane) return card.remove();
  const had = card.contains(document.activeElement);
  place(card, lane);
  if (had) focusCard(card);
}

function focusCard(card) {
  card.querySelector("[data-focus]")?.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// --- Moving ---

const pending = new Map(); // deal id → where the focus was
let asking = null; // the deal that the dialog asks about

function move(card, stage) {
  const target = laneOf(stage);
  if (!target || card.dataset.stage === String(stage)) return settle(card);
  const deal = card.dataset.deal;
  const hadFocus = card.contains(document.activeElement);
  pending.set(deal, { hadFocus });
  card.classList.add("deal-card-moving");
  place(card, target);
  if (hadFocus) focusCard(card);
  announce(fill(words().moving, { name: nameOf(card), stage: target.dataset.name }));
  const request_id = crypto.randomUUID ? crypto.randomUUID() : uuid();
  const values = { stage, version: card.dataset.version, seen: card.dataset.stage, request_id };
  // What fails is told by the page's own handlers.
  window.htmx.ajax("POST", `/deals/${deal}/move/`, { source: card, swap: "none", values }).catch(() => {});
}

/** Browsers give randomUUID to secure pages only. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  return [4, 6, 8, 10].reduce((text, at, turn) => `${text.slice(0, at * 2 + turn)}-${text.slice(at * 2 + turn)}`, hex.join(""));
}

function answered(event) {
  const path = event.detail.requestConfig?.path || "";
  const deal = path.match(/^\/deals\/(\d+)\/(?:move|moves\/\d+\/undo)\/$/)?.[1];
  if (!deal || event.detail.requestConfig.verb !== "post") return;
  const status = event.detail.xhr.status;
  if (status === 422) {
    asking = deal;
    return; // the card waits in the new column while the dialog asks
  }
  if (asking === deal) asking = null;
  // Out-of-band swaps have been made by now.
  finish(deal, status < 400);
}

function finish(deal, worked) {
  const card = cardOf(deal);
  const hadFocus = pending.get(deal)?.hadFocus;
  pending.delete(deal);
  if (!card) return;
  settle(card);
  if (hadFocus) focusCard(card);
  if (!worked) announce(fill(words().back, { name: nameOf(card), stage: laneOf(card.dataset.stage)?.dataset.name }));
  showEmpty();
}

/** The dialog was closed without an answer: the card goes back. */
function dialogClosed() {
  const deal = asking;
  asking = null;
  if (deal) setTimeout(() => pending.has(deal) && !document.getElementById("dialog").open && finish(deal, false));
}

// --- Dragging ---

let lastPoint = null; // of the pointer while dragging; a drop on a header or between columns counts too

function laneUnder(point) {
  return point && document.elementFromPoint(point.x, point.y)?.closest(".lane");
}

const pointOf = (event) => {
  const finger = event?.changedTouches?.[0] || event;
  return finger && "clientX" in finger ? { x: finger.clientX, y: finger.clientY } : null;
};

function followPointer(event) {
  if (!window.Sortable.dragged) return;
  lastPoint = pointOf(event);
  const over = laneUnder(lastPoint);
  lanes().forEach((lane) => lane.classList.toggle("lane-over", lane === over));
}

function makeSortable() {
  for (const lane of lanes()) {
    const list = listOf(lane);
    if (list.dataset.sortable) continue;
    list.dataset.sortable = "1";
    window.Sortable.create(list, {
      group: "deals",
      draggable: ".deal-card:not([data-fixed])",
      filter: ".lane-more, [data-fixed]",
      preventOnFilter: false,
      sort: false,
      delay: 180,
      delayOnTouchOnly: true,
      touchStartThreshold: 6,
      fallbackTolerance: 4,
      scroll: true,
      bubbleScroll: true,
      scrollSensitivity: 80,
      ghostClass: "deal-card-ghost",
      dragClass: "deal-card-drag",
      // Sortable copies the card, and the content security policy refuses copies of style attributes.
      onChoose: (event) => event.item.removeAttribute("style"),
      onStart: () => board().setAttribute("data-live-hold", ""),
      onEnd: (event) => {
        board().removeAttribute("data-live-hold");
        lanes().forEach((other) => other.classList.remove("lane-over"));
        move(event.item, (laneUnder(pointOf(event.originalEvent)) || laneUnder(lastPoint) || event.to.closest(".lane")).dataset.lane);
        lastPoint = null;
      },
    });
  }
}

// --- The menu of one card ---

let menu = null;

function openMenu(card) {
  closeMenu();
  if ("fixed" in card.dataset) return toast({ text: words().fixed, seconds: 6 });
  menu = document.getElementById("move-menu").content.firstElementChild.cloneNode(true);
  menu.querySelector("[data-title]").textContent = words().moveTo;
  for (const item of menu.querySelectorAll("[data-to]")) {
    const isHere = item.dataset.to === card.dataset.stage;
    const isClosedToClosed = card.dataset.kind !== "open" && item.dataset.kind !== "open";
    if (isHere || isClosedToClosed) item.remove();
    else item.addEventListener("click", () => {
      closeMenu({ giveBack: true });
      move(card, item.dataset.to);
    });
  }
  menu.dataset.for = card.dataset.deal;
  board().setAttribute("data-live-hold", "");
  document.getElementById("main").append(menu);
  const anchor = (card.querySelector("[data-move]") || card).getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const left = Math.min(Math.max(8, anchor.right - size.width), innerWidth - size.width - 8);
  const below = anchor.bottom + 4;
  const top = below + size.height > innerHeight - 8 ? Math.max(8, anchor.top - size.height - 4) : below;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
  menu.querySelector("[data-to]")?.focus();
}

function closeMenu({ giveBack = false } = {}) {
  if (!menu) return;
  const card = cardOf(menu.dataset.for);
  menu.remove();
  menu = null;
  board().removeAttribute("data-live-hold");
  if (giveBack) card?.querySelector("[data-focus]")?.focus();
}

function menuKeys(event) {
  const items = [...menu.querySelectorAll("[data-to]")];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next !== undefined) items[(next + items.length) % items.length]?.focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu({ giveBack: true });
  else return;
  event.preventDefault();
}

// --- Keys ---

function keys(event) {
  if (menu) return menuKeys(event);
  if (document.getElementById("dialog").open || event.ctrlKey || event.metaKey) return;
  const target = event.target;
  if (target.matches?.("input, select, textarea, [contenteditable=true]")) return;
  if (event.key === "?") {
    event.preventDefault();
    return showKeys();
  }
  const card = target.closest?.(".deal-card");
  if (!card) return;
  if (event.key === "m" || event.key === "M") {
    event.preventDefault();
    return openMenu(card);
  }
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (way && event.altKey) {
    event.preventDefault();
    return moveSideways(card, way);
  }
  if (event.altKey) return;
  if (way) {
    event.preventDefault();
    return focusSideways(card, way);
  }
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const cards = cardsIn(card.closest(".lane"));
  const next = cards[cards.indexOf(card) + step];
  if (next) focusAndSay(next);
}

function moveSideways(card, way) {
  if ("fixed" in card.dataset) return announce(words().fixed);
  const all = lanes();
  const next = all[all.indexOf(card.closest(".lane")) + way];
  if (next) move(card, next.dataset.lane);
  else announce(words().nowhere);
}

function focusSideways(card, way) {
  const all = lanes();
  const top = card.getBoundingClientRect().top;
  for (let at = all.indexOf(card.closest(".lane")) + way; all[at]; at += way) {
    const cards = cardsIn(all[at]);
    if (!cards.length) continue;
    const distance = (other) => Math.abs(other.getBoundingClientRect().top - top);
    return focusAndSay(cards.reduce((best, other) => (distance(other) < distance(best) ? other : best)));
  }
}

function focusAndSay(card) {
  focusCard(card);
  const lane = card.closest(".lane");
  const cards = cardsIn(lane);
  announce(fill(words().grabbed, { stage: lane.dataset.name, position: cards.indexOf(card) + 1, count: cards.length }));
}

function showKeys() {
  document.getElementById("dialog-body").replaceChildren(document.getElementById("keys-sheet").content.cloneNode(true));
  openDialog();
}

// --- Staying current ---

let fetching = null;

async function catchUp() {
  if (fetching) return void (fetching.again = true);
  fetching = { again: false };
  try {
    const area = board();
    const shown = [...area.querySelectorAll(".deal-card")].map((card) => card.dataset.deal).join(",");
    const query = new URLSearchParams(area.dataset.query);
    query.set("since", area.dataset.position);
    query.set("shown", shown);
    const response = await fetch(`${area.dataset.changes}?${query}`, { headers: { "HX-Request": "true" } });
    if (response.status === 205) await refetch();
    else if (response.ok) apply(await response.text());
  } catch {
    // The next news, or the poll, tries again.
  } finally {
    const again = fetching.again;
    fetching = null;
    if (again) catchUp();
  }
}

function apply(text) {
  const news = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
  if (!news) return;
  const area = board();
  area.dataset.position = news.dataset.position;
  for (const deal of news.dataset.gone.split(",").filter(Boolean)) {
    if (!pending.has(deal)) cardOf(deal)?.remove();
  }
  for (const fresh of news.querySelectorAll(".deal-card")) update(document.adoptNode(fresh));
  for (const head of news.querySelectorAll(".lane-head")) {
    const present = document.getElementById(head.id);
    if (present && present.outerHTML !== head.outerHTML) present.replaceWith(document.adoptNode(head));
  }
  showEmpty();
}

/** A card as it is now. Nothing moves where nothing changed, so one's own moves don't flicker. */
function update(fresh) {
  const deal = fresh.dataset.deal;
  if (pending.has(deal)) return;
  const present = cardOf(deal);
  if (present && Number(present.dataset.version) >= Number(fresh.dataset.version)) return;
  const lane = laneOf(fresh.dataset.stage);
  if (!lane) return void present?.remove();
  const hadFocus = present?.contains(document.activeElement);
  const isElsewhere = !present || present.dataset.stage !== fresh.dataset.stage;
  // Beyond what the column has loaded, it will come with the next page.
  const last = cardsIn(lane).at(-1);
  const isBeyond = listOf(lane).querySelector(".lane-more") && last && fresh.dataset.order > last.dataset.order;
  if (isBeyond) return void present?.remove();
  if (present) present.replaceWith(fresh);
  place(fresh, lane);
  if (isElsewhere) fresh.classList.add("deal-card-new");
  window.htmx.process(fresh);
  if (hadFocus) focusCard(fresh);
}

function refetch() {
  const area = board();
  return window.htmx.ajax("GET", `${location.pathname}?${area.dataset.query}`, { target: area, swap: "outerHTML", source: area });
}

// --- What the page needs besides ---

function showEmpty() {
  for (const lane of lanes()) listOf(lane).classList.toggle("lane-empty", !cardsIn(lane).length);
}

function followPicker() {
  const picker = document.getElementById("lane-picker");
  picker.addEventListener("change", () => {
    laneOf(picker.value)?.scrollIntoView({ inline: "start", block: "nearest", behavior: "smooth" });
  });
  let waiting;
  board().addEventListener("scroll", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const left = board().getBoundingClientRect().left;
      const near = (lane) => Math.abs(lane.getBoundingClientRect().left - left);
      const nearest = lanes().reduce((best, lane) => (near(lane) < near(best) ? lane : best));
      picker.value = nearest.dataset.lane;
    }, 80);
  });
}

function start() {
  makeSortable();
  showEmpty();
  followPicker();
  const area = document.body;
  document.addEventListener("keydown", keys);
  for (const name of ["dragover", "pointermove", "touchmove"]) document.addEventListener(name, followPointer, { passive: true, capture: true });
  area.addEventListener("live", (event) => event.target.id === "board" && catchUp());
  area.addEventListener("htmx:afterRequest", answered);
  // htmx copies the style of what it replaces, and the content security policy refuses that.
  area.addEventListener("htmx:oobBeforeSwap", (event) => event.detail.target?.removeAttribute("style"));
  area.addEventListener("htmx:afterSwap", () => {
    makeSortable();
    showEmpty();
  });
  document.getElementById("dialog").addEventListener("close", dialogClosed);
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-move]");
    if (opener && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      openMenu(opener.closest(".deal-card"));
    } else if (menu && !menu.contains(event.target)) closeMenu();
    if (event.target.closest("[data-keys]")) showKeys();
  });
  addEventListener("resize", () => closeMenu());
  document.querySelectorAll("[data-keys]").forEach((button) => (button.hidden = false));
}

start();
