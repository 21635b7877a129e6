#!/usr/bin/env bash
# A phone's photo that lies on its side in the file and says "turn me" in its metadata, in four formats and four readers.
#
# Versions: PyPI pillow 13.0.0; npm sharp 0.35.5, jimp 1.6.1, playwright-core 1.65.1; Debian chromium 156.0.8078.114.
# Expected: a browser turns a picture by the orientation in its metadata in each format that it shows, or in JPEG alone; a library
#           that turns pictures, by an option or by itself, does it in each format that it reads.
# Seen: Chromium turns JPEG, PNG (by its eXIf chunk) and AVIF, and not WebP. sharp's autoOrient and Pillow's exif_transpose turn
#       all four. jimp turns JPEG and not PNG. sharp gives AVIF turned even without autoOrient, and no orientation with it.
# So a desk that stores uploads as WebP and keeps the metadata shows photos on their side, beside thumbnails that stand upright;
#   and thumbnails of jimp lie where the PNG stands: turn the pixels and drop the orientation before anything is stored.
#
# Needs node, npm, python3 with venv and Debian's chromium. Exits with 1 when the behaviour differs.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv python && python/bin/pip --quiet --disable-pip-version-check install pillow==13.0.0
npm init -y >/dev/null; npm install --silent --no-audit --no-fund sharp@0.35.5 jimp@1.6.1 playwright-core@1.65.1 >/dev/null
cat >make.py <<'PY'
import sys
from PIL import Image, ImageOps
formats = ("jpeg", "png", "webp", "avif")

def place(image):
    red, _, blue = image.convert("RGB").getpixel((image.width // 2, 3))
    return "upright" if image.height > image.width and red > blue else "on its side"

if sys.argv[1] == "make":  # 60 x 30, red on the left; turned as orientation 6 says it is 30 x 60, red at the top
    photo = Image.new("RGB", (60, 30), (0, 0, 255))
    photo.paste((255, 0, 0), (0, 0, 30, 30))
    turn = Image.Exif()
    turn[0x112] = 6
    for name in formats:
        photo.save(f"photo.{name}", exif=turn.tobytes())
else:
    for name in formats:
        print(f"{name}, Pillow's exif_transpose: {place(ImageOps.exif_transpose(Image.open(f'photo.{name}')))}")
PY
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Jimp } from 'jimp';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
const place = (width, height, [red, , blue]) => (height > width && red > blue ? 'upright' : 'on its side');
const pixels = async (picture) => {
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const from = (3 * info.width + Math.floor(info.width / 2)) * info.channels;
  return place(info.width, info.height, data.subarray(from, from + 3));
};
const files = createServer((request, answer) => {
  const format = request.url.split('.')[1];
  const known = request.url.startsWith('/photo.');
  answer.setHeader('content-type', known ? `image/${format}` : 'text/html');
  answer.end(known ? readFileSync(`photo.${format}`) : '<p>page</p>');
}).listen(0);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
const tab = await browser.newPage();
await tab.goto(`http://localhost:${files.address().port}`);
for (const format of ['jpeg', 'png', 'webp', 'avif']) {
  const seen = await tab.evaluate(async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    document.body.append(image);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return [canvas.width, canvas.height, [...context.getImageData(Math.floor(canvas.width / 2), 3, 1, 1).data]];
  }, `/photo.${format}`);
  console.log(`${format}, Chromium: ${place(...seen)}`);
  const file = `photo.${format}`;
  const { orientation } = await sharp(file).metadata();
  console.log(`${format}, sharp: ${await pixels(sharp(file))} and orientation ${orientation}, with autoOrient ${await pixels(sharp(file).autoOrient())}`);
  if (['jpeg', 'png'].includes(format)) {
    const picture = await Jimp.read(file);
    const color = picture.getPixelColor(Math.floor(picture.width / 2), 3);
    console.log(`${format}, jimp: ${place(picture.width, picture.height, [color >>> 24, 0, (color >>> 8) & 255])}`);
  }
}
await browser.close();
files.close();
JS
{ python/bin/python make.py make; python/bin/python make.py read; node read.mjs; } | tee seen
diff - seen <<'SEEN' && echo 'as stated'
jpeg, Pillow's exif_transpose: upright
png, Pillow's exif_transpose: upright
webp, Pillow's exif_transpose: upright
avif, Pillow's exif_transpose: upright
jpeg, Chromium: upright
jpeg, sharp: on its side and orientation 6, with autoOrient upright
jpeg, jimp: upright
png, Chromium: upright
png, sharp: on its side and orientation 6, with autoOrient upright
png, jimp: on its side
webp, Chromium: on its side
webp, sharp: on its side and orientation 6, with autoOrient upright
avif, Chromium: upright
avif, sharp: upright and orientation undefined, with autoOrient upright
SEEN
