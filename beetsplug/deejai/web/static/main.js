/** Starts the page: the player, the views and what is common to them. */

import { announce, toast } from "./announce.js";
import { api } from "./api.js";
import { startBar } from "./bar.js";
import { start as startDeck } from "./deck.js";
import { el } from "./dom.js";
import { startKeys } from "./keys.js";
import { startMediaSession } from "./mediasession.js";
import { Player } from "./player.js";
import { Tastes } from "./tastes.js";

const LATER = {
  journey: () => import("./journey.js"),
  map: () => import("./mapview.js"),
  live: () => import("./live.js"),
};

main().catch((error) => {
  view("deck").append(el("p", { class: "page-note" }, error.message));
});

async function main() {
  const status = await api.get("status");
  const tastes = new Tastes(status.library ?? "");
  const player = new Player({ api, status, tastes });
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
    try {
      const module = await LATER[name]();
      const started = await module.start({ api, player, status, section });
      if (name === "map" && lastJourney) {
        window.dispatchEvent(new CustomEvent("deejai-journey", { detail: lastJourney }));
      }
      return started;
    } catch (error) {
      console.error(error);
      section.append(
        el("p", { class: "page-note" }, `This view could not be started: ${error.message}`),
      );
      return null;
    }
  }

  window.addEventListener("hashchange", () => showView());
  showView({ isMoved: false });
  takeDrops(async (files) => {
    const shown = await views.get(document.body.dataset.view);
    (shown?.drop ?? deck.drop)(files);
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
