// Toasts with undo, dialog, announcements, and what happens when a save doesn't get through.
const region = () => document.getElementById("toasts");
const announcer = () => document.getElementById("announcer");

/** Say something to people who can't see the change. */
export function announce(text) {
  const element = announcer();
  if (!element) return;
  element.textContent = "";
  setTimeout(() => (element.textContent = text), 50);
}

/** The token as it is now: a new sign-in in another tab changes it under an open page. */
function csrfToken() {
  const cookie = document.cookie.split("; ").find((pair) => /^(__Host-)?csrftoken=/.test(pair));
  if (cookie) return cookie.split("=")[1];
  return JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
}

/**
 * Show a line at the bottom. It stays while the pointer or the focus is on it.
 * undo: {url, label} posts to url; undoUrl is short for it.
 */
export function toast({ text, undo, undoUrl, undoLabel, seconds, kind = "info", link }) {
  const box = document.createElement("div");
  box.className = `ot-toast ot-toast-${kind}`;
  const line = document.createElement("span");
  line.className = "ot-toast-text";
  line.textContent = text;
  box.append(line);
  const words = region().dataset;
  const target = undo?.url || undoUrl;
  if (target) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = undo?.label || undoLabel || words.undo;
    button.addEventListener("click", () => {
      button.disabled = true;
      leave(box);
      window.htmx.ajax("POST", target, { source: region(), target: region(), swap: "none" });
    });
    box.append(button);
  }
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.url;
    anchor.textContent = link.label;
    box.append(anchor);
  }
  box.append(closeButton(words.close));
  region().append(box);
  announce(text);
  keepFor(box, seconds ?? (target || link || kind === "error" ? 10 : 5));
  return box;
}

function closeButton(label) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "ot-toast-close";
  close.setAttribute("aria-label", label);
  close.textContent = "✕";
  return close;
}

function keepFor(box, seconds) {
  let left = seconds * 1000;
  let since = Date.now();
  let timer = setTimeout(() => leave(box), left);
  const hold = () => {
    clearTimeout(timer);
    left -= Date.now() - since;
  };
  const go = () => {
    if (box.matches(":hover, :focus-within")) return;
    since = Date.now();
    clearTimeout(timer);
    timer = setTimeout(() => leave(box), Math.max(left, 1500));
  };
  box.addEventListener("pointerenter", hold);
  box.addEventListener("pointerleave", go);
  box.addEventListener("focusin", hold);
  box.addEventListener("focusout", () => setTimeout(go));
}

function leave(box) {
  box.classList.add("ot-toast-leaving");
  setTimeout(() => box.remove(), 250);
}

const dialog = () => document.getElementById("dialog");
const outside = () => ["not-saved", "toasts", "announcer"].map((id) => document.getElementById(id));
let opener = null;

/** Open the page's dialog; its body was filled by an answer. */
export function openDialog() {
  const box = dialog();
  if (!box.open) {
    opener = document.activeElement;
    // Whatever lies outside an open dialog can be neither read out nor clicked.
    box.append(...outside());
    box.showModal();
  }
  const title = box.querySelector("#dialog-title, h1, h2");
  if (title && !title.id) title.id = "dialog-title";
  const first = box.querySelector("[autofocus], .is-invalid, input:not([type=hidden]), select, textarea");
  (first || box.querySelector("button, a"))?.focus();
}

export function closeDialog() {
  if (dialog().open) dialog().close();
}

/** Nothing was lost: what was typed is still on the page, and can be sent again. */
function notSaved(text, retry) {
  const banner = document.getElementById("not-saved");
  banner.querySelector("[data-text]").textContent = text;
  const again = banner.querySelector("[data-again]");
  again.hidden = !retry;
  again.onclick = () => {
    banner.hidden = true;
    retry();
  };
  banner.hidden = false;
  announce(text);
}

function failed(event, text) {
  const { elt, requestConfig: request } = event.detail;
  const retry =
    request && elt?.isConnected
      ? () =>
          elt.matches("form")
            ? elt.requestSubmit()
            : window.htmx.ajax(request.verb, request.path, {
                source: elt,
                target: event.detail.target,
                values: Object.fromEntries(request.formData || []),
              })
      : null;
  notSaved(text, retry);
}

let busy = 0;
function waiting(step) {
  busy = Math.max(0, busy + step);
  document.documentElement.classList.toggle("ot-busy", busy > 0);
}

function listen() {
  const body = document.body;
  const words = region().dataset;
  body.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrfToken();
  });
  // What live.js asks for by itself is no work of the reader's: no progress line, and a failure repeats itself quietly.
  const isQuiet = (event) => event.detail.requestConfig?.triggeringEvent?.type === "live";
  body.addEventListener("htmx:beforeRequest", (event) => isQuiet(event) || waiting(1));
  body.addEventListener("htmx:afterRequest", (event) => {
    if (isQuiet(event)) return;
    waiting(-1);
    if (event.detail.successful) document.getElementById("not-saved").hidden = true;
  });
  body.addEventListener("htmx:sendError", (event) => isQuiet(event) || failed(event, words.offline));
  body.addEventListener("htmx:timeout", (event) => isQuiet(event) || failed(event, words.offline));
  body.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) failed(event, words.signedOut);
    else if (!isQuiet(event)) failed(event, words.failed);
  });
  body.addEventListener("toast", (event) => toast(event.detail));
  body.addEventListener("announce", (event) => announce(event.detail.text || event.detail.value));
  body.addEventListener("dialog:open", openDialog);
  body.addEventListener("dialog:close", closeDialog);
  body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "dialog-body" && event.detail.target.children.length) openDialog();
  });
  // A page that was open while somebody signed in again elsewhere still sends its forms.
  addEventListener("submit", (event) => {
    const field = event.target.querySelector?.("input[name=csrfmiddlewaretoken]");
    if (field && csrfToken()) field.value = csrfToken();
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dialog-close]")) closeDialog();
    const close = event.target.closest(".ot-toast-close");
    if (close) leave(close.closest(".ot-toast"));
    if (event.target.closest("[data-banner-close]")) event.target.closest(".ot-banner").hidden = true;
    if (event.target === dialog()) closeDialog();
  });
  dialog().addEventListener("close", () => {
    document.getElementById("dialog-body").replaceChildren();
    const [banner, ...rest] = outside();
    document.querySelector(".ot-main").prepend(banner);
    document.body.append(...rest);
    if (opener?.isConnected) opener.focus();
    opener = null;
  });
  document.querySelectorAll(".ot-toast").forEach((box) => keepFor(box, 10));
}

window.OneTeam = Object.assign(window.OneTeam || {}, { announce, toast, openDialog, closeDialog, csrfToken });
listen();
