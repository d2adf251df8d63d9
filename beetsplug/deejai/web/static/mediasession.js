/** Shows the track on the lock screen and hears the keys of headsets and keyboards. */

import { api } from "./api.js";
import { hasCover } from "./cover.js";

/** @param {import("./player.js").Player} player */
export function startMediaSession(player) {
  const session = navigator.mediaSession;
  if (!session) return;
  const handlers = {
    play: () => player.isOn || player.toggle(),
    pause: () => player.isOn && player.toggle(),
    previoustrack: () => player.back(),
    nexttrack: () => player.skip(),
    seekto: ({ seekTime }) => player.seek(seekTime),
  };
  for (const [action, handler] of Object.entries(handlers)) {
    try {
      session.setActionHandler(action, handler);
    } catch {
      // This browser does not know the action; the others still work.
    }
  }
  player.addEventListener("track", async () => {
    const track = player.current;
    session.metadata = track && new MediaMetadata(told(track));
    const isCovered = track && (await hasCover(track));
    if (isCovered && player.current === track) session.metadata.artwork = artworkOf(track);
  });
  player.addEventListener("state", () => {
    session.playbackState = player.current ? (player.isOn ? "playing" : "paused") : "none";
  });
  player.addEventListener("time", () => {
    const { duration, time: position } = player;
    if (position <= duration) session.setPositionState?.({ duration, position });
  });
}

function told({ title, artist, album }) {
  return { title, artist, album };
}

function artworkOf({ ref }) {
  return [{ src: new URL(api.coverUrl(ref), document.baseURI).href }];
}
