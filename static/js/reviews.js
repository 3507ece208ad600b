// Deal reviews: the clock ticks, answers are counted and kept as a draft while somebody fills them in, and what is being
// typed is not replaced. Every form also works without this.
const CLOCK_MS = 20_000;
const DRAFT_MS = 1_500;

// --- The clock ---

function span(milliseconds, units) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60_000);
  const [d, h, m] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  const words = units.split("|")[d ? 0 : h ? 1 : 2];
  return words.replace("{d}", d).replace("{h}", d ? Math.floor((minutes % 1440) / 60) : h).replace("{m}", m);
}

function tick() {
  for (const clock of document.querySelectorAll("[data-clock]")) {
    const left = Number(clock.dataset.clock) * 1000 - Date.now();
    const text = left > 0 ? clock.dataset.due : clock.dataset.late;
    const told = text.replace("{time}", span(left, clock.dataset.units));
    if (clock.textContent !== told) clock.textContent = told;
    const box = clock.closest(".rv-clock");
    box.classList.toggle("rv-clock-late", left <= 0);
    box.classList.toggle("rv-clock-fast", left > 0);
  }
}

// --- Answers ---

const drafts = new WeakMap(); // form -> timer

function count(form) {
  const box = form.querySelector("[data-count]");
  const total = form.querySelectorAll(".rv-question").length;
  const scored = form.querySelectorAll(".rv-score-input:checked").length;
  box.textContent = box.dataset.count.replace("{n}", scored).replace("{total}", total);
}

function say(form, state) {
  const box = form.querySelector("[data-draft-state]");
  box.textContent = state ? box.dataset[state] : "";
}

async function keep(form) {
  if (!form.isConnected) return;
  const sent = new FormData(form);
  sent.set("do", "draft");
  let isKept = false;
  try {
    const headers = { "HX-Request": "true", "X-CSRFToken": window.OneTeam.csrfToken() };
    isKept = (await fetch(form.action, { method: "POST", body: sent, headers })).ok;
  } catch {
    isKept = false; // offline: it is still on the page, and goes with the next change or the button
  }
  if (!isKept || !form.isConnected) return;
  for (const [name, value] of sent) {
    const seen = form.elements.namedItem(`seen_${name}`);
    if (seen) seen.value = value;
  }
  if (drafts.has(form)) return; // something more was typed meanwhile
  form.removeAttribute("data-live-hold");
  say(form, "saved");
}

function later(form) {
  clearTimeout(drafts.get(form));
  drafts.set(
    form,
    setTimeout(() => {
      drafts.delete(form);
      keep(form);
    }, DRAFT_MS),
  );
}

function typed(event) {
  const form = event.target.closest?.("[data-hold-when-typed]");
  if (!form) return;
  form.setAttribute("data-live-hold", "");
  if (!form.matches("[data-answers]")) return;
  count(form);
  say(form, "dirty");
  later(form);
}

document.addEventListener("input", typed);
document.addEventListener("change", typed);
document.addEventListener("submit", (event) => clearTimeout(drafts.get(event.target)), true);
// Something done in the dialog refreshes the page, but not over what somebody is typing.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  const isRefresh = event.detail.requestConfig.triggeringEvent?.type === "review-changed";
  if (isRefresh && event.detail.elt.querySelector("[data-live-hold]")) event.preventDefault();
});
document.body.addEventListener("htmx:afterSettle", tick);
setInterval(tick, CLOCK_MS);
tick();
