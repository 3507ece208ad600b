// The deal list: ticking rows for one change to all of them.
const form = () => document.getElementById("bulk");

function ticks() {
  return [...(form()?.querySelectorAll("input[name=ids]:not(:disabled)") || [])];
}

function show() {
  if (!form()) return;
  const all = ticks();
  const chosen = all.filter((tick) => tick.checked).length;
  const head = form().querySelector("[data-tick-all]");
  head.checked = chosen > 0 && chosen === all.length;
  head.indeterminate = chosen > 0 && chosen < all.length;
  form().classList.toggle("bulk-on", chosen > 0);
  const count = form().querySelector("[data-bulk-count]");
  count.textContent = chosen ? count.dataset.some.replace("{n}", chosen) : count.dataset.none;
  const whole = form().querySelector("[data-bulk-all]");
  whole.hidden = !head.checked;
  if (whole.hidden) whole.querySelector("input").checked = false;
  // A list in which somebody has chosen rows waits with its news.
  form().toggleAttribute("data-live-hold", chosen > 0);
}

document.addEventListener("change", (event) => {
  if (!event.target.closest("#bulk")) return;
  if (event.target.matches("[data-tick-all]")) ticks().forEach((tick) => (tick.checked = event.target.checked));
  show();
});

document.body.addEventListener("deals-changed", () => {
  ticks().forEach((tick) => (tick.checked = false));
  show();
});

show();
document.body.addEventListener("htmx:afterSettle", show);
