/** Shows the track on the lock screen and hears the keys of headsets and keyboards. */

import { api } from "./api.js";

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
  player.addEventListener("track", () => {
    const track = player.current;
    session.metadata = track && new MediaMetadata(told(track));
  });
  player.addEventListener("state", () => {
    session.playbackState = player.current ? (player.isOn ? "playing" : "paused") : "none";
  });
  player.addEventListener("time", () => {
    const { duration, time: position } = player;
    if (position <= duration) session.setPositionState?.({ duration, position });
  });
}

function told({ ref, title, artist, album, has_cover: hasCover }) {
  const artwork = hasCover ? [{ src: new URL(api.coverUrl(ref), document.baseURI).href }] : [];
  return { title, artist, album, artwork };
}
