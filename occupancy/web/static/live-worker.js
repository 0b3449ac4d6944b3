// One stream for all tabs: HTTP/1.1 gives an origin six connections, a stream a tab would use them up.
"use strict";
const ports = new Set();
const latest = new Map();
let source = null;

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

function open() {
  source = new EventSource("/v1/stream");
  source.addEventListener("lot", (event) => {
    const lot = JSON.parse(event.data);
    latest.set(lot.id, lot);
    tell({ kind: "lot", lot });
  });
  source.addEventListener("heartbeat", (event) => tell({ kind: "heartbeat", beat: JSON.parse(event.data) }));
  // The browser gives up after some answers: begin again by ourselves.
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(open, 1000);
  };
}

self.onconnect = (event) => {
  const port = event.ports[0];
  ports.add(port);
  port.onmessage = (message) => {
    if (message.data === "bye") ports.delete(port);
  };
  for (const lot of latest.values()) port.postMessage({ kind: "lot", lot });
  if (source === null) open();
};
