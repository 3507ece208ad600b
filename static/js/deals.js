// Small helps for pages about deals. Every form also works without them.
const WAIT_MS = 250;
const once = (root, selector, prepare) =>
  root.querySelectorAll(`${selector}:not([data-ready])`).forEach((element) => {
    element.dataset.ready = "1";
    prepare(element);
  });

function later(work) {
  let waiting;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => work(...given), WAIT_MS);
  };
}

async function fetched(address) {
  try {
    const response = await fetch(address, { headers: { "HX-Request": "true" } });
    return response.ok ? await response.text() : "";
  } catch {
    return "";
  }
}

// --- Filters that send themselves; those in a menu wait for its button ---

function autosubmit(form) {
  const send = () => {
    const address = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (value) address.searchParams.append(name, value);
    location.assign(address);
  };
  form.addEventListener("change", (event) => {
    if (event.target.type !== "search" && !event.target.closest(".ot-menu-list")) send();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}

// --- Accounts by name ---

function suggest(input) {
  const list = document.getElementById(input.dataset.suggest);
  const note = input.closest("form")?.querySelector("[data-new-account]");
  const known = () => [...(list?.options || [])].some((option) => option.value.toLowerCase() === input.value.trim().toLowerCase());
  const look = later(async () => {
    if (!list) return;
    const text = await fetched(`/accounts/names/?q=${encodeURIComponent(input.value)}`);
    list.innerHTML = text;
    if (!note || !input.dataset.addsNew) return;
    const name = input.value.trim();
    note.hidden = !name || known();
    note.textContent = input.dataset.addsNew.replace("{name}", name);
  });
  input.addEventListener("input", look);
  input.addEventListener("focus", () => list && !list.options.length && look());
}

// --- People to mention ---

function mentions(form) {
  const field = form.querySelector("textarea");
  const list = form.querySelector(".mentions");
  const word = () => field.value.slice(0, field.selectionStart).match(/(?:^|\s)@([^\s@][^@\n]{0,40}|)$/)?.[1];
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  const close = () => {
    list.hidden = true;
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (option) => {
    options().forEach((each) => each.setAttribute("aria-selected", String(each === option)));
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const take = (option) => {
    const before = field.value.slice(0, field.selectionStart).replace(/@[^@]*$/, `@${option.dataset.name} `);
    field.value = before + field.value.slice(field.selectionStart);
    field.setSelectionRange(before.length, before.length);
    field.focus();
    close();
  };
  const look = later(async () => {
    const begins = word();
    if (begins === undefined) return close();
    list.innerHTML = await fetched(`${form.dataset.mentions}?q=${encodeURIComponent(begins)}`);
    if (!options().length || word() === undefined) return close();
    list.hidden = false;
    choose(options()[0]);
  });
  close();
  field.addEventListener("input", look);
  field.addEventListener("blur", () => setTimeout(close, 150));
  list.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("[role=option]");
    event.preventDefault();
    if (option) take(option);
  });
  field.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return form.requestSubmit();
    if (list.hidden) return;
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp") choose(all[(at - 1 + all.length) % all.length]);
    else if (event.key === "Enter" || event.key === "Tab") take(chosen() || all[0]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

// --- Files ---

function drop(form) {
  const input = form.querySelector("input[type=file]");
  form.querySelector("[data-noscript]").hidden = true;
  const send = () => input.files.length && form.requestSubmit();
  input.addEventListener("change", send);
  const over = (on) => (event) => {
    event.preventDefault();
    form.classList.toggle("file-drop-over", on);
  };
  form.addEventListener("dragover", over(true));
  form.addEventListener("dragleave", over(false));
  form.addEventListener("drop", (event) => {
    over(false)(event);
    input.files = event.dataTransfer.files;
    send();
  });
}

// --- Editing in place ---

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.target.closest?.("form[data-escape]")?.querySelector("[data-cancel]")?.click();
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  const fact = document.getElementById(event.detail.target?.id || event.detail.elt?.id || "");
  if (!fact?.classList.contains("fact")) return;
  const first = fact.querySelector(".is-invalid, .fact-fields input, .fact-fields select, .fact-fields textarea");
  (first || fact.querySelector(".fact-edit"))?.focus();
  if (first?.select && first.type !== "date") first.select();
});

/** On a narrow screen the stage path scrolls; show where the deal stands. */
function showStage(path) {
  const now = path.querySelector("[aria-current=step]");
  if (now) path.scrollLeft = now.offsetLeft - (path.clientWidth - now.offsetWidth) / 2;
}

function prepare(root = document) {
  once(root, ".stage-path", showStage);
  once(root, "form[data-autosubmit]", autosubmit);
  once(root, "input[data-suggest]", suggest);
  once(root, "form[data-mentions]", mentions);
  once(root, "form[data-drop]", drop);
}

prepare();
document.body.addEventListener("htmx:afterSettle", () => prepare());
