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

for (const form of document.querySelectorAll("form:not([data-auto], [data-passkey])")) {
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

for (const input of document.querySelectorAll("input.digits")) {
  input.addEventListener("input", () => {
    const digits = input.value.replace(/\D/g, "");
    if (digits !== input.value) input.value = digits;
  });
}

for (const clock of document.querySelectorAll("[data-countdown]")) {
  const end = Date.now() + clock.dataset.countdown * 1_000;
  const timer = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1_000);
    if (left > 0) {
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    } else {
      clearInterval(timer);
      clock.parentElement.hidden = true;
    }
  }, 1_000);
}

for (const copy of document.querySelectorAll("[data-copy]")) {
  copy.hidden = navigator.clipboard === undefined;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.textContent = copy.dataset.done;
  });
}

for (const print_ of document.querySelectorAll("[data-print]")) {
  print_.hidden = false;
  print_.addEventListener("click", () => print());
}

// Passkeys: bytes travel as base64url (WebAuthn Level 3 §5.1; `parse…FromJSON` and `toJSON` are too young to rely on).

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));

const toText = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

function readOptions(form) {
  const options = JSON.parse(form.dataset.options);
  const credentials = (list) => list?.map((one) => ({ ...one, id: toBytes(one.id) }));
  return {
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: toBytes(options.user.id) } }),
    ...(options.allowCredentials && { allowCredentials: credentials(options.allowCredentials) }),
    ...(options.excludeCredentials && { excludeCredentials: credentials(options.excludeCredentials) }),
  };
}

function writeAnswer({ id, rawId, type, authenticatorAttachment, response }) {
  const answer = {};
  for (const name of [
    "clientDataJSON",
    "attestationObject",
    "authenticatorData",
    "signature",
    "userHandle",
  ]) {
    if (response[name]) answer[name] = toText(response[name]);
  }
  if (response.getTransports) answer.transports = response.getTransports();
  return JSON.stringify({
    id,
    rawId: toText(rawId),
    type,
    authenticatorAttachment,
    clientExtensionResults: {},
    response: answer,
  });
}

/** A page can wait for one passkey at a time: the one that is asked for by a press ends the one that was offered. */
let waiting = new AbortController();

async function askForPasskey(form, mediation) {
  waiting.abort();
  waiting = new AbortController();
  const request = { publicKey: readOptions(form), signal: waiting.signal, ...(mediation && { mediation }) };
  const credential = await navigator.credentials[form.dataset.passkey](request);
  form.elements.passkey.value = writeAnswer(credential);
  form.submit();
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
  const words = form.querySelector("[role=status]");
  let asking = false;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (asking) return;
    asking = true;
    words.textContent = "";
    askForPasskey(form)
      .catch((error) => {
        words.textContent =
          error.name === "InvalidStateError" ? words.dataset.known : words.dataset.cancelled;
      })
      .finally(() => {
        asking = false;
      });
  });
  if ("conditional" in form.dataset) {
    PublicKeyCredential.isConditionalMediationAvailable?.().then((available) => {
      // What is not chosen from the list is no failure.
      if (available && !asking) askForPasskey(form, "conditional").catch(() => {});
    });
  }
}

for (const hint of window.PublicKeyCredential ? document.querySelectorAll("[data-no-passkeys]") : []) {
  hint.hidden = true;
}
