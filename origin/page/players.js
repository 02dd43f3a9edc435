// Three players behind one small interface:
//
//   renditions()   [{ id, width, height, bitrate }], the smallest first
//   selected()     the id that is fetched now
//   select(id)     fetch only this one from now on; null leaves the choice to the player
//   texts()        [{ id, language, label }], captions
//   showText(id)   show these; null shows none
//   destroy()
//
// What is buffered stays when another rendition is selected, so no frame is lost; *ahead*, the
// seconds to buffer, says how soon the switch is seen.
//
// onRequest takes { url, status, bytes, ms, cacheStatus }, onError { text, fatal }.

const SCRIPTS = {
  "hls.js": "/page/players/hls.min.js",
  shaka: "/page/players/shaka-player.compiled.js",
  "dash.js": "/page/players/dash.all.min.js",
};
const loading = new Map();

export async function openPlayer(name, video, url, ahead, hooks) {
  if (!loading.has(name)) loading.set(name, loadScript(SCRIPTS[name]));
  await loading.get(name);
  return { "hls.js": openHls, shaka: openShaka, "dash.js": openDash }[name](video, url, ahead, hooks);
}

function loadScript(source) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${source} did not load`));
    document.head.append(script);
  });
}

const byBitrate = (one, other) => one.bitrate - other.bitrate;

// hls.js

function openHls(video, url, ahead, { onRequest, onError }) {
  class Loader extends Hls.DefaultConfig.loader {
    load(context, config, callbacks) {
      const report = (status, bytes, stats, xhr) => onRequest({
        url: xhr?.responseURL || new URL(context.url, location).href,
        status,
        bytes,
        ms: stats.loading.end - stats.loading.start,
        cacheStatus: xhr?.getResponseHeader?.("Cache-Status"),
      });
      super.load(context, config, {
        ...callbacks,
        onSuccess(response, stats, ...rest) {
          report(response.code, stats.loaded, stats, rest[1]);
          callbacks.onSuccess(response, stats, ...rest);
        },
        onError(error, loaded, xhr, stats) {
          report(error.code, 0, stats, xhr);
          callbacks.onError(error, loaded, xhr, stats);
        },
      });
    }
  }
  const hls = new Hls({ loader: Loader, maxBufferLength: ahead, maxMaxBufferLength: ahead });
  hls.on(Hls.Events.ERROR, (_, { type, details, fatal, reason }) => {
    onError({ text: [type, details, reason].filter(Boolean).join(": "), fatal });
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    renditions: () => hls.levels
      .map(({ width, height, bitrate }, id) => ({ id: String(id), width, height, bitrate }))
      .sort(byBitrate),
    selected: () => String(hls.loadLevel),
    select: (id) => { hls.loadLevel = id === null ? -1 : Number(id); },
    texts: () => hls.subtitleTracks.map(({ lang, name }, id) => ({ id: String(id), language: lang, label: name })),
    showText: (id) => { hls.subtitleTrack = id === null ? -1 : Number(id); },
    destroy: () => hls.destroy(),
  };
}

// Shaka Player

async function openShaka(video, url, ahead, { onRequest, onError }) {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  const report = (error) => onError({
    text: `Shaka error ${error.code ?? error}: ${(error.data ?? []).join(" ")}`,
    fatal: error.severity !== shaka.util.Error.Severity.RECOVERABLE,
  });
  player.addEventListener("error", (event) => report(event.detail));
  player.getNetworkingEngine().registerResponseFilter((_, response) => {
    if (!/^https?:/.test(response.uri)) return;
    onRequest({
      url: response.uri,
      status: response.status ?? 200,
      bytes: response.data.byteLength,
      ms: response.timeMs ?? 0,
      cacheStatus: response.headers["cache-status"],
    });
  });
  player.configure({ streaming: { bufferingGoal: ahead } });
  await player.attach(video);
  player.load(url).catch((error) => {
    if (error.code !== shaka.util.Error.Code.LOAD_INTERRUPTED) report(error);
  });
  return {
    renditions: () => player.getVariantTracks()
      .map(({ id, width, height, bandwidth }) => ({ id: String(id), width, height, bitrate: bandwidth }))
      .sort(byBitrate),
    selected: () => String(player.getVariantTracks().find((track) => track.active)?.id ?? ""),
    select(id) {
      player.configure({ abr: { enabled: id === null } });
      const track = player.getVariantTracks().find((each) => String(each.id) === id);
      if (track) player.selectVariantTrack(track);
    },
    texts: () => player.getTextTracks().map(({ id, language, label }) => ({ id: String(id), language, label })),
    showText: (id) => player.selectTextTrack(player.getTextTracks().find((each) => String(each.id) === id) ?? null),
    destroy: () => player.destroy(),
  };
}

// dash.js

function openDash(video, url, ahead, { onRequest, onError }) {
  const player = dashjs.MediaPlayer().create();
  const { ERROR, PLAYBACK_ERROR } = dashjs.MediaPlayer.events;
  player.on(ERROR, ({ error }) => onError({ text: error?.message ?? String(error), fatal: true }));
  player.on(PLAYBACK_ERROR, ({ error }) => onError({ text: String(error), fatal: true }));
  player.initialize(video, undefined, true);
  const buffer = { bufferTimeDefault: ahead, bufferTimeAtTopQuality: ahead, bufferTimeAtTopQualityLongForm: ahead };
  player.updateSettings({ streaming: { buffer: { ...buffer, fastSwitchEnabled: false } } });
  player.addResponseInterceptor((response) => {
    const { data, headers = {}, resourceTiming } = response;
    onRequest({
      url: response.url || response.request.url,
      status: response.status,
      bytes: data?.byteLength ?? response.length ?? resourceTiming?.encodedBodySize ?? 0,
      ms: resourceTiming?.duration ?? 0,
      cacheStatus: headers["cache-status"],
    });
    return Promise.resolve(response);
  });
  player.attachSource(url);
  return {
    renditions: () => player.getRepresentationsByType("video")
      .map(({ id, width, height, bandwidth }) => ({ id, width, height, bitrate: bandwidth }))
      .sort(byBitrate),
    selected: () => player.getCurrentRepresentationForType("video")?.id ?? "",
    select(id) {
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: id === null } } } });
      if (id !== null) player.setRepresentationForTypeById("video", id);
    },
    texts: () => player.getTracksFor("text")
      .map(({ lang, labels }, id) => ({ id: String(id), language: lang, label: labels[0]?.text })),
    showText: (id) => player.setTextTrack(id === null ? -1 : Number(id)),
    destroy: () => player.destroy(),
  };
}
