// Plays any address with a bare player in Chromium and prints what happened, as JSON.
//
//   node address.mjs CHROMIUM BASE PLAYER ADDRESS SCREENSHOT
//
// PLAYER is hlsjs, shaka, dashjs or video (the element alone); ADDRESS begins at BASE's root.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { withBrowser } from "./browser.mjs";

const [chromium, base, player, address, screenshot] = process.argv.slice(2);
const LIMIT = 60_000; // ms
const MODULES = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../node_modules");
const SCRIPTS = {
  hlsjs: "hls.js/dist/hls.min.js",
  shaka: "shaka-player/dist/shaka-player.compiled.js",
  dashjs: "dashjs/dist/modern/umd/dash.all.min.js",
};

/** In the page: play *address*, muted, and note what goes wrong. */
async function play(player, address) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, width: 640 });
  document.body.replaceChildren(video);
  window.watched = { video, errors: [], waits: 0 };
  const { watched } = window;
  video.addEventListener("waiting", () => { watched.waits += video.currentTime > 0 ? 1 : 0; });
  video.addEventListener("error", () => watched.errors.push(video.error.message));
  if (player === "hlsjs") {
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, { fatal, details }) => watched.errors.push(`${fatal} ${details}`));
    hls.loadSource(address);
    hls.attachMedia(video);
  } else if (player === "shaka") {
    const shakaPlayer = new shaka.Player();
    shakaPlayer.addEventListener("error", ({ detail }) => watched.errors.push(`${detail.code}`));
    await shakaPlayer.attach(video);
    await shakaPlayer.load(address).catch(({ code, data }) => watched.errors.push(`${code} ${data}`));
  } else if (player === "dashjs") {
    const dash = dashjs.MediaPlayer().create();
    dash.on("error", ({ error }) => watched.errors.push(error.message));
    dash.initialize(video, address, false);
  } else {
    video.src = address;
  }
  await video.play().catch((error) => watched.errors.push(error.message));
}

await withBrowser(chromium, async (browser) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT);
  const statuses = [];
  await page.goto(`${base}/`); // any document of that origin: what it says does not matter
  page.on("response", (answer) => {
    if (!answer.url().endsWith("/favicon.ico")) statuses.push(answer.status());
  });
  if (SCRIPTS[player]) await page.addScriptTag({ path: path.join(MODULES, SCRIPTS[player]) });
  await page.evaluate(play, player, address);
  const over = () => {
    const { video, errors } = window.watched;
    const paused = video.paused && video.currentTime > video.duration - 0.1;
    return video.ended || paused || errors.some((error) => !error.startsWith("false"));
  };
  const middle = () => window.watched.video.currentTime > 1 || window.watched.errors.length;
  await page.waitForFunction(middle, { polling: 50 }).catch(() => {});
  await (await page.$("video")).screenshot({ path: screenshot });
  await page.waitForFunction(over, { polling: 50 }).catch(() => {});
  const found = await page.evaluate(() => {
    const { video, errors, waits } = window.watched;
    const { length } = video.buffered;
    return {
      errors, waits, duration: video.duration, currentTime: video.currentTime,
      buffered: Array.from({ length }, (_, n) => [video.buffered.start(n), video.buffered.end(n)]),
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      height: video.videoHeight,
    };
  });
  console.log(JSON.stringify({ ...found, statuses }));
});
