// One stream for all tabs: HTTP/1.1 gives an origin six connections, a stream a tab would use them up.
// Also runs as a plain script in a page whose browser knows no shared workers.
"use strict";
(() => {
  const SILENT_MS = 6000;
  const LOOK_MS = 1000;
  const ports = new Set();
  const latest = new Map();
  const shared = typeof SharedWorkerGlobalScope !== "undefined" && self instanceof SharedWorkerGlobalScope;
  const isDesk = location.pathname.startsWith("/admin/"); // the operators' pages hear more
  let source = null;
  let desk = null;
  let roster = null; // the car parks there are
  let heardAt = 0;
  let ahead = null; // the server's clock before ours, in milliseconds

  function tell(content) {
    const message = { ...content, ahead };
    if (!shared) dispatchEvent(new CustomEvent("zhibo", { detail: message }));
    for (const port of ports) port.postMessage(message);
  }

  function open() {
    if (source) source.close();
    source = new EventSource(isDesk ? "/admin/stream" : "/v1/stream");
    heardAt = performance.now();
    source.addEventListener("lot", (event) => {
      heardAt = performance.now();
      const lot = JSON.parse(event.data);
      latest.set(lot.id, lot);
      tell({ kind: "lot", lot });
    });
    source.addEventListener("lots", (event) => {
      heardAt = performance.now();
      const { ids } = JSON.parse(event.data);
      for (const id of [...latest.keys()]) if (!ids.includes(id)) latest.delete(id);
      roster = ids;
      tell({ kind: "lots", ids });
    });
    source.addEventListener("heartbeat", (event) => {
      heardAt = performance.now();
      const beat = JSON.parse(event.data);
      ahead = Date.parse(beat.now) - Date.now();
      tell({ kind: "heartbeat", beat });
    });
    source.addEventListener("desk", (event) => {
      heardAt = performance.now();
      desk = JSON.parse(event.data);
      tell({ kind: "desk", desk });
    });
    source.addEventListener("ended", () => tell({ kind: "ended" }));
  }

  // A dead line says nothing, and a browser gives up after some answers: begin again by ourselves.
  function look() {
    const closed = source.readyState === EventSource.CLOSED;
    const silent = performance.now() - heardAt > SILENT_MS;
    if (closed || silent) open();
  }

  function welcome(port) {
    ports.add(port);
    if (roster) port.postMessage({ kind: "lots", ids: roster, ahead });
    for (const lot of latest.values()) port.postMessage({ kind: "lot", lot, ahead });
    if (desk) port.postMessage({ kind: "desk", desk, ahead });
  }

  self.onconnect = (event) => {
    const port = event.ports[0];
    port.onmessage = (message) => {
      if (message.data === "bye") ports.delete(port);
      else welcome(port);
    };
    welcome(port);
  };

  open();
  setInterval(look, LOOK_MS);
})();
