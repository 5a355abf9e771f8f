// The pixels of a picture as the network wants them: what orc_keras/data/preprocessing.py does.

// Returns uint8 [height, width, channels], flat: the centre of a picture, resized.
export function fitted(picture, { height, width, channels, crop }) {
  const source = channels === 1 ? grey(picture) : picture;
  const { data } = resize(centre(source, height, width, crop), height, width);
  return Uint8Array.from(channels === 1 ? data.filter((_, i) => i % 3 === 0) : data, even);
}

// Draws a file on its background, as it is stored, whatever its EXIF data and colour profile say.
// Returns {height, width, data}, data [height, width, 3], flat.
export async function decoded(file, background) {
  const bitmap = await createImageBitmap(await withoutExif(file),
    { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context.fillStyle = `rgb(${background} ${background} ${background})`;
  context.fillRect(0, 0, bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  const data = new Float32Array((pixels.length / 4) * 3);
  for (let i = 0; i < data.length; i++) data[i] = pixels[Math.floor(i / 3) * 4 + (i % 3)];
  return { height: bitmap.height, width: bitmap.width, data };
}

// Browsers turn a picture as its EXIF data say, also with imageOrientation: "none". So the first name
// of such data, in a JPEG, WebP or PNG, is overwritten by one that they do not know.
async function withoutExif(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const found = new TextDecoder("latin1").decode(bytes).search(/Exif\0\0|EXIF|eXIf/);
  if (found >= 0) bytes.set([120, 120], found); // xx
  return new Blob([bytes]);
}

// The central part of the shape that is wanted: a fraction of the largest one.
function centre(picture, height, width, fraction) {
  const scale = Math.fround(Math.fround(Math.min(picture.height / height, picture.width / width)) * fraction);
  const rows = Math.max(even(scale * height), 1), columns = Math.max(even(scale * width), 1);
  const top = Math.floor((picture.height - rows) / 2);
  const left = Math.floor((picture.width - columns) / 2);
  return generate(rows, columns, (y, x, c) => at(picture, top + y, left + x, c));
}

// Bilinear; a picture of twice the size or more is averaged in whole blocks first.
function resize(picture, height, width) {
  const block = Math.floor(Math.min(picture.height / height, picture.width / width));
  const image = block > 1 ? averaged(picture, block) : picture;
  const rows = neighbours(image.height, height), columns = neighbours(image.width, width);
  return generate(height, width, (y, x, c) => {
    const [above, below, down] = rows[y], [left, right, along] = columns[x];
    const mixed = (row) => at(image, row, left, c) * (1 - along) + at(image, row, right, c) * along;
    return mixed(above) * (1 - down) + mixed(below) * down;
  });
}

function averaged(picture, block) {
  const height = Math.floor(picture.height / block), width = Math.floor(picture.width / block);
  return generate(height, width, (y, x, c) => {
    let sum = 0;
    for (let i = 0; i < block * block; i++)
      sum += at(picture, y * block + Math.floor(i / block), x * block + (i % block), c);
    return sum / (block * block);
  });
}

// For each new pixel the two old ones beside its centre, and the weight of the second.
function neighbours(size, newSize) {
  return Array.from({ length: newSize }, (_, i) => {
    const position = ((i + 0.5) * size) / newSize - 0.5, first = Math.floor(position);
    return [Math.max(first, 0), Math.min(first + 1, size - 1), position - first];
  });
}

function generate(height, width, value) {
  const data = new Float32Array(height * width * 3);
  for (let i = 0; i < data.length; i++)
    data[i] = value(Math.floor(i / 3 / width), Math.floor(i / 3) % width, i % 3);
  return { height, width, data };
}

const at = (image, y, x, c) => image.data[(y * image.width + x) * 3 + c];

// Luma, in whole numbers as Pillow computes it, in all three channels.
function grey(picture) {
  const luma = (y, x) =>
    19595 * at(picture, y, x, 0) + 38470 * at(picture, y, x, 1) + 7471 * at(picture, y, x, 2);
  return generate(picture.height, picture.width, (y, x) => (luma(y, x) + 32768) >> 16);
}

// Rounds; a half goes to the even neighbour, as in TensorFlow, and means of blocks are often halves.
function even(value) {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 ? up - 1 : up;
}
