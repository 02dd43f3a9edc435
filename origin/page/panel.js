// One side of the page: a player, what it plays, and what it does meanwhile.

import { COMBINATIONS, NONE, address } from "./combinations.js";
import { openPlayer } from "./players.js";
import { Requests } from "./requests.js";

const EVENTS = ["waiting", "stalled", "playing", "seeking", "seeked", "ended"];
const ROWS = 200; // of the table; older requests still count
const REFRESH = 250; // ms

export class Panel {
  constructor(side, entry, ahead) {
    this.side = side;
    this.entry = entry;
    this.ahead = ahead;
    this.element = document.getElementById("panel").content.cloneNode(true).firstElementChild;
    this.element.setAttribute("aria-label", `${side} player`);
    this.video = this.find("video");
    this.reset();
    this.listen();
    const choices = [...COMBINATIONS.map(({ name, label }) => new Option(label, name)), new Option("nothing", NONE)];
    this.find(".combination").append(...choices);
    setInterval(() => this.show(), REFRESH);
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  reset() {
    this.player = null;
    this.errors = [];
    this.events = []; // [{ type, time }]
    this.waits = 0; // after the start and not because of a seek
    this.requests = new Requests();
    this.renditionsSeen = []; // sizes of the picture, in the order in which they were shown
    this.steady = false;
    this.shownRequests = this.shownErrors = 0;
    this.find("tbody").replaceChildren();
    this.find(".errors").replaceChildren();
    this.find(".rendition").replaceChildren();
    this.find(".captions").replaceChildren();
  }

  listen() {
    for (const type of EVENTS) this.video.addEventListener(type, () => this.onEvent(type));
    this.video.addEventListener("error", () => {
      if (this.video.error && this.player) this.onError({ text: this.video.error.message, fatal: true });
    });
    this.video.addEventListener("resize", () => {
      const { videoWidth, videoHeight } = this.video;
      if (videoWidth) this.renditionsSeen.push(`${videoWidth}x${videoHeight}`);
    });
    this.find(".combination").addEventListener("change", (event) => this.open(event.target.value));
    this.find(".middle").addEventListener("click", () => this.seekToMiddle());
    this.find(".captions").addEventListener("change", (event) => this.showText(event.target.value || null));
    this.find(".rendition").addEventListener("change", (event) => this.select(event.target.value || null));
  }

  /** Play by the combination of this name from the start. */
  async open(name) {
    await this.player?.destroy();
    this.reset();
    this.find(".combination").value = name;
    this.name = name;
    const combination = COMBINATIONS.find((each) => each.name === name);
    if (!combination) return;
    const url = address(combination, this.entry);
    const mine = this.requests;
    const hooks = {
      onRequest: (request) => mine.add(request),
      onError: (error) => mine === this.requests && this.onError(error),
    };
    try {
      this.player = await openPlayer(combination.player, this.video, url, this.ahead, hooks);
      await this.video.play();
    } catch (error) {
      if (error.name !== "AbortError") this.onError({ text: String(error), fatal: true });
    }
  }

  onEvent(type) {
    this.events.push({ type, time: this.video.currentTime });
    if (type === "playing") this.steady = true;
    if (type === "seeking") this.steady = false;
    if (type === "waiting" && this.steady) this.waits += 1;
  }

  onError(error) {
    this.errors.push(error);
  }

  seekToMiddle() {
    if (Number.isFinite(this.video.duration)) this.video.currentTime = this.video.duration / 2;
  }

  renditions() {
    return this.player?.renditions() ?? [];
  }

  select(id) {
    this.find(".rendition").value = id ?? "";
    this.player.select(id);
  }

  texts() {
    return this.player?.texts() ?? [];
  }

  showText(id) {
    this.find(".captions").value = id ?? "";
    this.player.showText(id);
  }

  buffered() {
    const { buffered } = this.video;
    return Array.from({ length: buffered.length }, (_, n) => [buffered.start(n), buffered.end(n)]);
  }

  /** Everything a test asks about. */
  state() {
    const { currentTime, duration, ended, paused, videoWidth, videoHeight } = this.video;
    const { totalVideoFrames, droppedVideoFrames } = this.video.getVideoPlaybackQuality();
    this.requests.settle();
    return {
      name: this.name, currentTime, duration, ended, paused, videoWidth, videoHeight,
      totalVideoFrames, droppedVideoFrames,
      buffered: this.buffered(),
      errors: this.errors, events: this.events, waits: this.waits,
      renditions: this.renditions(), selected: this.player?.selected() ?? "",
      renditionsSeen: this.renditionsSeen,
      requests: this.requests.all,
    };
  }

  // Showing it.

  show() {
    this.requests.settle();
    this.showRenditions();
    this.showTexts();
    this.showFigures();
    this.showTimeline();
    this.showRequests();
    this.showErrors();
  }

  showRenditions() {
    const select = this.find(".rendition");
    const renditions = this.renditions();
    if (select.options.length === renditions.length + 1) return;
    const options = renditions.map((each) => new Option(describe(each), each.id));
    select.replaceChildren(new Option("automatic", ""), ...options);
    select.disabled = !renditions.length;
  }

  showTexts() {
    const select = this.find(".captions");
    const texts = this.texts();
    if (select.options.length === texts.length + 1) return;
    const options = texts.map(({ id, language, label }) => new Option(label || language || "captions", id));
    select.replaceChildren(new Option("none", ""), ...options);
    select.disabled = !texts.length;
  }

  showFigures() {
    const { videoWidth, videoHeight, currentTime } = this.video;
    const { totalVideoFrames, droppedVideoFrames } = this.video.getVideoPlaybackQuality();
    const selected = this.renditions().find(({ id }) => id === this.player.selected());
    const ahead = this.buffered().find(([start, end]) => start <= currentTime + 0.1 && currentTime <= end);
    const [hits, misses] = [this.requests.count("hit"), this.requests.count("miss")];
    const figures = {
      picture: videoWidth ? `${videoWidth} × ${videoHeight}` : "–",
      fetching: selected ? `${selected.height}p, ${megabits(selected.bitrate)}` : "–",
      buffer: ahead ? `${ahead[0].toFixed(1)} – ${ahead[1].toFixed(1)} s` : "–",
      frames: `${totalVideoFrames}, ${droppedVideoFrames} dropped`,
      waits: String(this.waits),
      hits: hits + misses ? `${hits} of ${hits + misses} (${Math.round((100 * hits) / (hits + misses))} %)` : "–",
    };
    for (const [name, text] of Object.entries(figures)) this.find(`.${name}`).textContent = text;
  }

  showTimeline() {
    const timeline = this.find(".timeline");
    const duration = this.video.duration || 1;
    const percent = (time) => `${(100 * time) / duration}%`;
    const ranges = this.buffered().map(([start, end]) => {
      const range = document.createElement("div");
      range.className = "range";
      range.style.left = percent(start);
      range.style.width = percent(end - start);
      return range;
    });
    const playhead = this.find(".playhead");
    playhead.style.left = percent(this.video.currentTime);
    timeline.replaceChildren(...ranges, playhead);
    const spoken = this.buffered().map(([start, end]) => `${start.toFixed(1)} to ${end.toFixed(1)} s`);
    timeline.setAttribute("aria-label", `Buffered: ${spoken.join(", ") || "nothing"}`);
  }

  showRequests() {
    const body = this.find("tbody");
    const fresh = this.requests.all.slice(this.shownRequests);
    this.shownRequests = this.requests.all.length;
    for (const request of fresh) body.prepend(row(request));
    while (body.rows.length > ROWS) body.lastElementChild.remove();
  }

  showErrors() {
    for (const { text, fatal } of this.errors.slice(this.shownErrors)) {
      const item = document.createElement("li");
      item.textContent = fatal ? text : `${text} (the player goes on)`;
      this.find(".errors").append(item);
    }
    this.shownErrors = this.errors.length;
  }
}

const TITLES = {
  hit: "the edge had it",
  miss: "the edge asked the origin",
  browser: "the browser's own cache had it",
};

function row({ url, status, bytes, ms, verdict, cacheStatus }) {
  const made = document.createElement("tr");
  const name = made.insertCell();
  name.textContent = new URL(url).pathname.split("/").at(-1);
  name.title = url;
  made.insertCell().textContent = String(status);
  made.insertCell().textContent = bytes.toLocaleString("en");
  made.insertCell().textContent = ms.toFixed(0);
  const tag = document.createElement("span");
  tag.className = `tag ${verdict || "none"}`;
  tag.textContent = verdict || "–";
  tag.title = [TITLES[verdict], cacheStatus].filter(Boolean).join("; ");
  made.insertCell().append(tag);
  if (status >= 400) made.className = "failed";
  return made;
}

function describe({ width, height, bitrate }) {
  return `${width} × ${height}, ${megabits(bitrate)}`;
}

function megabits(bitrate) {
  return `${(bitrate / 1e6).toFixed(2)} Mb/s`;
}
