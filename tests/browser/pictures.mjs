// Asks players for the seek previews of an entry and prints what they would show, as JSON.
//
//   node pictures.mjs CHROMIUM BASE ENTRY TIME…
//
// Of each player and time: the thumbnail that it names, and the pixels there.  And what the
// cues of the storyboard are, parsed by Chromium.

import { withBrowser } from "./browser.mjs";

const [chromium, base, entry, ...times] = process.argv.slice(2);
const LIMIT = 30_000; // ms
const SCRIPTS = ["shaka-player.compiled.js", "dash.all.min.js"];

/** In the page. */
function helpers() {
  window.look = async (url, x, y, width, height) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    context.drawImage(image, x, y, width, height, 0, 0, width, height);
    const rgba = context.getImageData(0, 0, width, height).data;
    const rgb = rgba.filter((_, n) => n % 4 !== 3);
    return { x, y, width, height, sheet: [image.width, image.height], rgb: btoa(String.fromCharCode(...rgb)) };
  };
  window.withShaka = async (url, times, storyboard) => {
    const player = new shaka.Player();
    await player.attach(document.createElement("video"));
    await player.load(new URL(url, location).href);
    if (storyboard) await player.addThumbnailsTrack(new URL(storyboard, location).href, "text/vtt");
    const [track] = player.getImageTracks();
    const found = [];
    for (const time of times) {
      const { uris, positionX, positionY, width, height } = await player.getThumbnails(track.id, time);
      found.push(await look(uris[0].split("#")[0], positionX, positionY, width, height));
    }
    await player.destroy();
    return found;
  };
  window.withDash = async (url, times) => {
    const player = dashjs.MediaPlayer().create();
    player.initialize(document.createElement("video"), new URL(url, location).href, false);
    await new Promise((resolve) => player.on(dashjs.MediaPlayer.events.STREAM_INITIALIZED, resolve));
    const found = [];
    for (const time of times) {
      const { url: sheet, x, y, width, height } = await new Promise((resolve) => player.provideThumbnail(time, resolve));
      found.push(await look(sheet, x, y, width, height));
    }
    player.destroy();
    return found;
  };
  window.cuesOf = async (url) => {
    const video = document.createElement("video");
    const track = document.createElement("track");
    Object.assign(track, { kind: "metadata", src: url });
    video.append(track);
    document.body.append(video);
    const loaded = new Promise((resolve) => track.addEventListener("load", resolve));
    track.track.mode = "hidden";
    await loaded;
    return [...track.track.cues].map(({ startTime, endTime, text }) => [startTime, endTime, text]);
  };
}

await withBrowser(chromium, async (browser) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT);
  await page.goto(`${base}/?${new URLSearchParams({ entry, left: "none", right: "none" })}`);
  for (const script of SCRIPTS) await page.addScriptTag({ url: `/page/players/${script}` });
  await page.evaluate(helpers);
  const found = await page.evaluate(async (name, at) => ({
    "shaka, DASH": await withShaka(`/dash/e/${name}/manifest.mpd`, at),
    "shaka, HLS": await withShaka(`/hls/e/${name}/master.m3u8`, at),
    "shaka, CMAF": await withShaka(`/cmaf/e/${name}/master.m3u8`, at),
    "shaka, storyboard": await withShaka(`/dash/e/${name}/thumbSheets/0/manifest.mpd`, at, `/thumb/e/${name}/storyboard.vtt`),
    "dash.js": await withDash(`/dash/e/${name}/manifest.mpd`, at),
    "dash.js, CMAF": await withDash(`/cmaf/e/${name}/manifest.mpd`, at),
    cues: await cuesOf(`/thumb/e/${name}/storyboard.vtt`),
  }), entry, times.map(Number));
  console.log(JSON.stringify(found));
});
