// Offers the time zone of this computer; a person's own choice is left alone.
const field = document.getElementById("id_time_zone");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (field && field.value === "UTC" && !document.querySelector(".is-invalid") && [...field.options].some((o) => o.value === zone)) {
  field.value = zone;
}
