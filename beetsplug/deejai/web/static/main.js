/** Starts the page: the player, the views and what is common to them. */

import { announce, toast } from "./announce.js";
import { api } from "./api.js";
import { startBar } from "./bar.js";
import { start as startDeck } from "./deck.js";
import { el, textButton } from "./dom.js";
import { startKeys } from "./keys.js";
import { startMediaSession } from "./mediasession.js";
import { Player } from "./player.js";
import { Tastes } from "./tastes.js";

const LATER = { journey: "./journey.js", map: "./mapview.js", live: "./live.js" };
const SCANNING_MS = 10_000;

main().catch((error) => {
  view("deck").append(el("p", { class: "page-note" }, error.message));
});

async function main() {
  const status = await api.get("status");
  const tastes = new Tastes(status.library ?? "");
  const player = new Player({ api, status, tastes });
  // For the console, and for scripts of the user.
  window.deejai = { player };

  const deck = startDeck({ player, status, section: view("deck") });
  startBar({
    player,
    section: document.getElementById("player"),
    onEmpty: deck.surprise,
  });
  startKeys({
    player,
    onEmpty: deck.surprise,
    onSearch() {
      if (!view("journey").hidden) document.getElementById("waypoint-search")?.focus();
      else {
        if (view("deck").hidden) location.hash = "deck";
        showView({ isMoved: false });
        deck.search.focus();
      }
    },
  });
  startMediaSession(player);

  const views = new Map([["deck", Promise.resolve(deck)]]);
  let nFailures = 0;
  let lastJourney = null;
  window.addEventListener("deejai-journey", ({ detail }) => {
    lastJourney = detail;
  });

  function showView({ isMoved = true } = {}) {
    const name = location.hash.slice(1) in LATER ? location.hash.slice(1) : "deck";
    for (const section of document.querySelectorAll("main > .view")) {
      section.hidden = section.id !== name;
    }
    for (const link of document.querySelectorAll(".tabs a")) {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.body.dataset.view = name;
    document.getElementById("main").scrollTop = 0;
    if (!views.has(name)) views.set(name, load(name));
    if (isMoved) announce(`${view(name).getAttribute("aria-label")} view`);
  }

  async function load(name) {
    const section = view(name);
    section.replaceChildren();
    try {
      const module = await moduleOf(name, nFailures);
      const started = await module.start({ api, player, status, section });
      if (name === "map" && lastJourney) {
        window.dispatchEvent(new CustomEvent("deejai-journey", { detail: lastJourney }));
      }
      return started;
    } catch (error) {
      console.error(error);
      nFailures += 1;
      views.delete(name);
      const again = () => {
        views.set(name, load(name));
        document.getElementById("main").focus();
      };
      section.replaceChildren(
        el(
          "div",
          { class: "page-note" },
          el("p", {}, `This view could not be started: ${error.message}`),
          textButton("Try again", again),
        ),
      );
      return null;
    }
  }

  watchStatus(status);
  window.addEventListener("hashchange", () => showView());
  showView({ isMoved: false });
  takeDrops(async (files) => {
    const shown = await views.get(document.body.dataset.view);
    (shown?.drop ?? deck.drop)(files);
  });
}

/** Reads anew what the deck has when that may have changed: by a scan, for example. */
function watchStatus(status) {
  const read = async () => {
    if (document.hidden) return;
    Object.assign(status, await api.get("status").catch(() => ({})));
    window.dispatchEvent(new Event("deejai-status"));
  };
  document.addEventListener("visibilitychange", read);
  setInterval(() => status.n_allowed || read(), SCANNING_MS);
}

async function moduleOf(name, nFailures) {
  // A browser never asks again for the address of a module that it did not get.
  const address = LATER[name] + (nFailures ? `?retry=${nFailures}` : "");
  return import(address).catch((error) => {
    throw new Error("The deck does not answer. Is it still running?", { cause: error });
  });
}

function view(name) {
  return document.getElementById(name);
}

/** Takes files that are dropped anywhere on the page. */
function takeDrops(onFiles) {
  const veil = document.getElementById("drop");
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = true;
    const files = [...event.dataTransfer.files];
    if (files.length) onFiles(files);
    else toast("That is not a file.");
  });
}
