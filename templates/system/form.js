/* Keeps people on the page that embeds a sign-up form. Without it the form works too, and leads to a page of its own. */
(function () {
  "use strict";
  var asked = new URLSearchParams(location.search);

  function prepare(form) {
    if (form.dataset.cairn) return; // the script may stand on the page once for each form
    form.dataset.cairn = "ready";
    form.querySelectorAll("input[type=hidden]").forEach(function (field) {
      if (!field.value && asked.get(field.name)) field.value = asked.get(field.name).slice(0, 500);
    });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      send(form);
    });
  }

  function send(form) {
    var button = form.querySelector("[type=submit]"), status = form.querySelector("[role=status]");
    button.disabled = true;
    fetch(form.action, {method: "POST", headers: {Accept: "application/json"}, body: new URLSearchParams(new FormData(form))})
      .then(function (answer) { return answer.json(); })
      .then(function (said) { show(form, status, said); button.disabled = false; })
      .catch(function () { button.disabled = false; form.submit(); });
  }

  function show(form, status, said) {
    if (said.success && said.redirect) { location.assign(said.redirect); return; }
    status.textContent = said.success ? [said.message, said.next].filter(Boolean).join(" ") : said.message;
    if (said.success) form.reset();
    var wrong = said.field && form.querySelector('[name="' + said.field + '"]');
    if (wrong) wrong.focus();
  }

  function prepareAll() { document.querySelectorAll("form.cairn-form").forEach(prepare); }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", prepareAll);
  prepareAll();
})();
