// What one player fetched, and what the edge said of it in Cache-Status (RFC 9211).

/** "hit", "miss", or "" where no cache spoke.  The last member is the cache nearest to us. */
export function edgeVerdict(cacheStatus) {
  const nearest = (cacheStatus ?? "").split(",").at(-1);
  if (!nearest.trim()) return "";
  return /;\s*hit(\s*;|\s*$)/.test(nearest) ? "hit" : "miss";
}

export class Requests {
  constructor() {
    this.all = [];
  }

  /** url, status, bytes, ms, cacheStatus */
  add(request) {
    this.all.push({ ...request, verdict: edgeVerdict(request.cacheStatus), settled: false });
  }

  /** Once resource timing is there: what the browser's own cache answered never met the edge. */
  settle() {
    for (const request of this.all.filter((each) => !each.settled)) {
      const timing = performance.getEntriesByName(request.url, "resource").at(-1);
      if (timing && timing.transferSize === 0 && timing.decodedBodySize > 0) request.verdict = "browser";
      request.settled = true;
    }
  }

  count(verdict) {
    return this.all.filter((request) => request.verdict === verdict).length;
  }
}
