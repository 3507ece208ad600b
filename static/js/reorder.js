// Ordered rows: drag by the grip, or arrow keys on it; the buttons beside it do the same without script.
// [data-reorder-root] holds lists [data-reorder] of rows [data-id]; it is replaced by the server's answer.
const rootOf = (element) => element.closest("[data-reorder-root]");
const ids = (root) => [...root.querySelectorAll("[data-reorder] > [data-id]")].map((row) => row.dataset.id);

let grabbed = null; // the row whose grip had the focus before the answer came

// Sortable leaves style attributes, and the content security policy refuses every copy of one.
const unstyle = (root) => root.querySelectorAll("[style]").forEach((element) => element.removeAttribute("style"));

function send(root) {
  unstyle(root);
  const order = ids(root).join(",");
  if (order === root.dataset.order) return;
  window.htmx.ajax("POST", root.dataset.orderUrl, {
    source: root,
    target: root,
    swap: "outerHTML",
    values: { order, seen: root.dataset.order },
  });
}

function attach(scope) {
  for (const list of scope.querySelectorAll("[data-reorder]")) {
    if (list.dataset.sortable) continue;
    list.dataset.sortable = "on";
    window.Sortable.create(list, {
      handle: "[data-grip]",
      draggable: "[data-id]",
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
      onChoose: () => unstyle(list),
      onEnd: () => send(rootOf(list)),
    });
  }
}

document.addEventListener("keydown", (event) => {
  const grip = event.target.closest?.("[data-grip]");
  const by = { ArrowUp: "-1", ArrowDown: "1" }[event.key];
  if (!grip || !by) return;
  event.preventDefault();
  const row = grip.closest("[data-id]");
  grabbed = row.dataset.id;
  row.querySelector(`[data-shift="${by}"]`).click();
});

document.body.addEventListener("htmx:afterSettle", () => {
  attach(document);
  if (grabbed === null) return;
  document.querySelector(`[data-id="${CSS.escape(grabbed)}"] [data-grip]`)?.focus();
  grabbed = null;
});

// The server says where the keyboard goes on after a form was replaced.
document.body.addEventListener("focus-in", (event) => {
  const box = document.getElementById(event.detail.id);
  (box?.querySelector("a[href]") || box?.querySelector("button"))?.focus();
});

attach(document);
