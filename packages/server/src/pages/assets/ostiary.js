// Comfort only: every page works without this file. It is served as it stands, so it is written for browsers of 2020 on.

for (const reveal of document.querySelectorAll("button.reveal")) {
  const input = document.getElementById(reveal.getAttribute("aria-controls"));
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    reveal.setAttribute("aria-pressed", String(visible));
    reveal.textContent = visible ? reveal.dataset.hide : reveal.dataset.show;
  };
  reveal.hidden = false;
  reveal.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  // A visible password would be offered as a suggestion the next time.
  input.form.addEventListener("submit", () => show(false));

  const hint = input.closest(".field").querySelector(".caps-lock");
  const check = (event) => {
    const on = event.getModifierState?.("CapsLock") ?? false;
    if ((hint.textContent !== "") !== on) hint.textContent = on ? hint.dataset.text : "";
  };
  input.addEventListener("keydown", check);
  input.addEventListener("keyup", check);
  input.addEventListener("blur", () => {
    hint.textContent = "";
  });
}

for (const form of document.querySelectorAll("form:not([data-auto])")) {
  let sent = false;
  let button = null;
  let words = "";
  let timer = 0;
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault(); // the second half of a double click
      return;
    }
    sent = true;
    button = event.submitter || form.querySelector("button[type=submit]");
    words = button.textContent;
    timer = setTimeout(() => {
      button.textContent = button.dataset.busy;
      button.setAttribute("aria-busy", "true");
    }, 300);
    setTimeout(reset, 10_000); // no answer: let it be sent again
  });
  const reset = () => {
    if (!sent) return;
    sent = false;
    clearTimeout(timer);
    button.textContent = words;
    button.removeAttribute("aria-busy");
  };
  // Back brings the page as it was left: busy. Make it usable again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) reset();
  });
}

// `autofocus` on an element that is no control is younger than many browsers.
document.querySelector(".summary")?.focus();

for (const list of document.querySelectorAll("datalist[data-time-zones]")) {
  for (const zone of Intl.supportedValuesOf?.("timeZone") ?? []) {
    const option = document.createElement("option");
    option.value = zone;
    list.append(option);
  }
}
