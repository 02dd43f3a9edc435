// Plays an entry at eight times its speed in Shaka Player and prints what became of it, as JSON.
//
//   node trick.mjs CHROMIUM BASE ENTRY
//
// Of DASH: the addresses of key frames that were fetched, how far it came in how long, errors.

import { withBrowser } from "./browser.mjs";

const [chromium, base, entry] = process.argv.slice(2);
const LIMIT = 30_000; // ms

/** In the page. */
async function fast(url) {
  const errors = [];
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const player = new shaka.Player();
  player.addEventListener("error", (event) => errors.push(String(event.detail.message ?? event.detail.code)));
  await player.attach(video);
  const keys = [];
  player.getNetworkingEngine().registerRequestFilter((_, request) => {
    const name = new URL(request.uris[0]).pathname.split("/").pop();
    if (name.startsWith("key-")) keys.push(name);
  });
  player.configure({ streaming: { bufferingGoal: 2, rebufferingGoal: 1 } }); // or all is there before it is asked for
  await player.load(new URL(url, location).href);
  await video.play();
  player.trickPlay(8);
  const begin = performance.now();
  const from = video.currentTime;
  while (video.currentTime < 0.8 * video.duration && performance.now() - begin < 20_000) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const found = {
    from, to: video.currentTime, duration: video.duration, seconds: (performance.now() - begin) / 1000,
    rate: player.getPlaybackRate(), width: video.videoWidth, keys, errors,
  };
  await player.destroy();
  return found;
}

await withBrowser(chromium, async (browser) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT);
  await page.goto(`${base}/?${new URLSearchParams({ entry, left: "none", right: "none" })}`);
  await page.addScriptTag({ url: "/page/players/shaka-player.compiled.js" });
  await page.evaluate(`window.fast = ${fast}`);
  console.log(JSON.stringify(await page.evaluate((name) => fast(`/dash/e/${name}/trickPlay/1/manifest.mpd`), entry)));
});
