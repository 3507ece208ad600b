// Small helps for forms about deals: filters that submit themselves, and names to choose from.
const WAIT_MS = 300;

function autosubmit(form) {
  let waiting;
  const send = () => {
    clearTimeout(waiting);
    const address = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (value) address.searchParams.append(name, value);
    location.assign(address);
  };
  form.addEventListener("change", (event) => event.target.type !== "search" && send());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}

/** Fill the list of names that an input offers while somebody types. */
function suggest(input) {
  let waiting;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const list = document.getElementById(input.dataset.suggest);
      if (!list) return;
      const response = await fetch(`/accounts/names/?q=${encodeURIComponent(input.value)}`, { headers: { "HX-Request": "true" } });
      if (response.ok) list.innerHTML = await response.text();
    }, WAIT_MS / 2);
  });
}

function prepare(root) {
  root.querySelectorAll("form[data-autosubmit]:not([data-ready])").forEach((form) => {
    form.dataset.ready = "1";
    autosubmit(form);
  });
  root.querySelectorAll("input[data-suggest]:not([data-ready])").forEach((input) => {
    input.dataset.ready = "1";
    suggest(input);
  });
}

prepare(document);
document.body.addEventListener("htmx:afterSettle", () => prepare(document));
