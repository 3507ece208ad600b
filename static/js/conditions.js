// Conditions of a playbook task: what a field may be compared with is suggested, and only numbers have an order.
const NUMBERS = ["amount", "probability", "push_count"];

function tune(row) {
  const [field, operator, value] = row.children;
  const box = row.closest("[data-conditions]");
  const suggestions = field.value && box.querySelector(`datalist[data-for="${CSS.escape(field.value)}"]`);
  if (suggestions) {
    suggestions.id ||= `suggest-${crypto.randomUUID()}`;
    value.setAttribute("list", suggestions.id);
  } else value.removeAttribute("list");
  value.inputMode = NUMBERS.includes(field.value) ? "decimal" : "text";
  for (const option of operator.options) {
    option.hidden = option.disabled = ["at_least", "below"].includes(option.value) && !NUMBERS.includes(field.value);
  }
  if (operator.selectedOptions[0]?.disabled) operator.value = "is";
  const isAsked = Boolean(field.value);
  operator.hidden = value.hidden = !isAsked;
  if (!isAsked) value.value = "";
  const rows = [...box.querySelectorAll("[data-condition]")];
  const isFull = rows.length >= 6 || rows.some((each) => !each.children[0].value);
  if (isAsked && !isFull) {
    const fresh = row.cloneNode(true);
    fresh.children[0].value = "";
    fresh.children[2].value = "";
    rows.at(-1).after(fresh);
    tune(fresh);
  }
}

const tuneAll = () => document.querySelectorAll("[data-condition]").forEach(tune);

document.addEventListener("change", (event) => {
  const row = event.target.closest?.("[data-condition]");
  if (row && event.target === row.children[0]) tune(row);
});
document.body.addEventListener("htmx:afterSettle", tuneAll);
tuneAll();
