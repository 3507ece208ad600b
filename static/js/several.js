// Booking several people: narrow the list by name or role, and say how many are chosen.
const find = document.querySelector("[data-find]");
const list = document.querySelector(".sv-people");

function narrow() {
  const words = find.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const group of list.querySelectorAll("[data-role]")) {
    let shown = 0;
    for (const row of group.querySelectorAll("[data-words]")) {
      row.hidden = !words.every((word) => row.dataset.words.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    group.hidden = !shown;
  }
}

function count() {
  const chosen = list.querySelectorAll("input:checked").length;
  const told = find.querySelector("[data-count]");
  told.textContent = chosen ? told.dataset.count.replace("{n}", chosen) : "";
}

if (find && list) {
  find.hidden = false;
  find.addEventListener("input", narrow);
  // Enter would book.
  find.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  list.addEventListener("change", count);
  count();
  // Those chosen before something was wrong are in sight again.
  const first = list.querySelector("input:checked")?.closest("[data-words]");
  if (first) list.scrollTop = Math.max(first.offsetTop - 48, 0);
}
