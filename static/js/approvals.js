// The inbox of approvals: after a decision the next row has the focus, and keys do what the buttons do while the focus is
// in the list. Everything works without this.
const list = () => document.getElementById("approvals");
const rows = () => [...(list()?.querySelectorAll("[data-approval]") || [])];
const rowOf = (element) => element?.closest?.("[data-approval]");

function focusOn(row) {
  (row?.querySelector("[data-approval-focus]") || list()?.querySelector("#approvals-title"))?.focus();
}

document.body.addEventListener("approval-decided", (event) => {
  const all = rows();
  const at = all.findIndex((row) => row.id === `approval-${event.detail.step}`);
  const next = all[at + 1] || all[at - 1];
  // The row leaves with the answer, after this.
  setTimeout(() => {
    if (next?.isConnected) focusOn(next);
    else goOn();
    hold();
  }, 60);
});

/** The last one is decided: what comes next, or the empty list. */
function goOn() {
  const inbox = list()?.dataset.inbox;
  if (inbox) location.assign(inbox);
  else {
    focusOn();
    window.htmx.trigger(list(), "live");
  }
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("textarea, input, select, [contenteditable=true]");
  if (event.key === "Escape" && isTyping && rowOf(event.target)) {
    rowOf(event.target).querySelector("[data-cancel]")?.click();
    return;
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !list()?.contains(event.target)) return;
  const row = rowOf(event.target);
  const all = rows();
  const at = all.indexOf(row);
  const act = {
    j: () => focusOn(all[Math.min(at + 1, all.length - 1)]),
    k: () => focusOn(all[Math.max(at - 1, 0)]),
    o: () => row?.querySelector("details.ap-fold:last-of-type > summary")?.click(),
    a: () => row?.querySelector("[data-approve]")?.click(),
    c: () => row?.querySelector("[data-request-changes]")?.click(),
  }[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});

// Somebody is reading or writing in a row: the list waits with its news.
function hold() {
  const isBusy = Boolean(list()?.querySelector(".ap-row details[open]"));
  list()?.toggleAttribute("data-live-hold", isBusy && !list().dataset.inbox);
}

document.addEventListener("toggle", hold, true);

// A comment field or the buttons came into a row: go on there.
document.body.addEventListener("htmx:afterSettle", (event) => {
  const { target } = event.detail;
  if (!target?.id?.endsWith("-act")) return;
  (target.querySelector("textarea[autofocus]") || target.querySelector("[data-request-changes]"))?.focus();
});
