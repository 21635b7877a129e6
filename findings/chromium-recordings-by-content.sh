#!/usr/bin/env bash
# What a voice message recorded in Chromium looks like to a program that judges files by their content.
#
# Versions: Debian chromium 156.0.8078.114, npm playwright-core 1.65.1, npm file-type 22.3.0, libmagic 5.44 (Debian `file`).
# Expected: an audio-only recording says "audio" somewhere in its first bytes, and one that Chromium labels audio/webm is WebM.
# Seen: 1. MediaRecorder with audio/webm;codecs=pcm writes DocType `matroska`, not `webm`; the Blob is still labelled
#          audio/webm, file-type says video/matroska, libmagic video/x-matroska (one format, two names).
#       2. audio/mp4 without any picture lists the *video* codec vp09 among its compatible brands and no M4A brand, so
#          both sniffers say video/mp4. audio/webm;codecs=opus is video/webm to both.
# So an allow-list by content that has audio types alone refuses every voice message of this browser.
#
# Needs node, npm, file and Debian's chromium. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
npm init -y >/dev/null; npm install --silent --no-audit --no-fund playwright-core@1.65.1 file-type@22.3.0 >/dev/null
cat >record.mjs <<'JS'
import { chromium } from 'playwright-core';
import { fileTypeFromBuffer } from 'file-type';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const page = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<p>page')).listen(0);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu',
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-background-networking'] });
console.log('chromium', browser.version());
const tab = await browser.newPage();
await tab.goto(`http://localhost:${page.address().port}`);
for (const type of ['audio/webm;codecs=pcm', 'audio/webm;codecs=opus', 'audio/mp4']) {
  const { label, bytes } = await tab.evaluate(async (mimeType) => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const recorder = new MediaRecorder(stream, { mimeType });
    const parts = [];
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
    const blob = new Blob(parts, { type: recorder.mimeType });
    return { label: blob.type.split(';')[0], bytes: [...new Uint8Array(await blob.arrayBuffer())] };
  }, type);
  const file = Buffer.from(bytes);
  writeFileSync('recording', file);
  const head = file.subarray(0, 40).toString('latin1');
  const inside = ['matroska', 'webm', 'vp09', 'M4A'].filter((word) => head.includes(word)).join('+');
  const magic = execFileSync('file', ['--brief', '--mime-type', 'recording']).toString().trim();
  console.log(`${type}: labelled ${label}, holds ${inside}, file-type ${(await fileTypeFromBuffer(file))?.mime}, libmagic ${magic}`);
}
await browser.close();
page.close();
JS
node record.mjs 2>/dev/null | tee seen
diff - <(tail -n +2 seen) <<'SEEN' && echo 'as stated'
audio/webm;codecs=pcm: labelled audio/webm, holds matroska, file-type video/matroska, libmagic video/x-matroska
audio/webm;codecs=opus: labelled audio/webm, holds webm, file-type video/webm, libmagic video/webm
audio/mp4: labelled audio/mp4, holds vp09, file-type video/mp4, libmagic video/mp4
SEEN
