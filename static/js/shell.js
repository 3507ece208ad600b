// Menus made of <details>, the side bar's width, and the appearance switch. All work without script as plain links and forms.
const openMenus = () => document.querySelectorAll("details.ot-menu[open], details.ot-hint[open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target) || event.target.closest(".ot-menu-item")) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.ot-menu[open], details.ot-hint[open]");
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
    event.preventDefault();
    return;
  }
  const items = [...menu.querySelectorAll(".ot-menu-item:not([disabled])")];
  if (!items.length) return;
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? items.length - 1 : at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items[(next + items.length) % items.length].focus();
});

// A menu near the edge opens to the side where there is room.
document.addEventListener(
  "toggle",
  (event) => {
    const box = event.target;
    if (!(box instanceof HTMLDetailsElement) || !box.open) return;
    const list = box.querySelector(".ot-menu-list, .ot-hint-body");
    if (!list) return;
    for (const other of openMenus()) if (other !== box && !other.contains(box)) other.open = false;
    list.style.translate = "";
    const edge = list.getBoundingClientRect();
    const over = edge.right - (document.documentElement.clientWidth - 8);
    if (over > 0) list.style.translate = `${-over}px 0`;
    else if (edge.left < 8) list.style.translate = `${8 - edge.left}px 0`;
  },
  true,
);

document.querySelector("[data-rail-toggle]")?.addEventListener("click", (event) => {
  const folded = document.documentElement.classList.toggle("ot-rail");
  event.currentTarget.setAttribute("aria-expanded", String(!folded));
  try {
    localStorage.setItem("oneteam.rail", folded ? "1" : "0");
  } catch {
    // Without storage the choice lasts as long as the page.
  }
});
document.querySelector("[data-rail-toggle]")?.setAttribute("aria-expanded", String(!document.documentElement.classList.contains("ot-rail")));

document.body.addEventListener("theme", (event) => {
  document.documentElement.dataset.theme = event.detail.theme || event.detail.value;
  dispatchEvent(new Event("oneteam:theme"));
});

// Copies what a field holds, and says so on the button.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.querySelector(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    window.OneTeam?.toast({ text: button.dataset.copied || document.getElementById("toasts").dataset.copied, seconds: 4 });
  } catch {
    // Without a secure connection there is no clipboard; the text is selected, so the usual keys copy it.
  }
});
