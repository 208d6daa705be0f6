export interface Picture {
  mediaType: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  /** In pixels. */
  width: number;
  height: number;
  /** Whether the file has its end. */
  complete: boolean;
}

/**
 * What a picture is, by its own first bytes and never by what somebody says about it. Only headers are read; nothing is
 * decoded.
 *
 * @returns undefined for anything but PNG, JPEG, GIF and WebP.
 */
export function readPicture(bytes: Buffer): Picture | undefined {
  return readPng(bytes) ?? readGif(bytes) ?? readWebp(bytes) ?? readJpeg(bytes);
}

const PNG = Buffer.from("89504e470d0a1a0a", "hex");
const PNG_END = Buffer.from("0000000049454e44ae426082", "hex");

/** W3C PNG §5.2 and §11.2.2: the signature, then IHDR with width and height; the last chunk is IEND. */
function readPng(bytes: Buffer): Picture | undefined {
  if (bytes.length < 24 || !bytes.subarray(0, 8).equals(PNG)) return undefined;
  if (bytes.toString("latin1", 12, 16) !== "IHDR") return undefined;
  return {
    mediaType: "image/png",
    width: bytes.readUInt32BE(16),
    height: bytes.readUInt32BE(20),
    complete: bytes.subarray(-12).equals(PNG_END),
  };
}

/** GIF89a §18: the logical screen; the trailer is 0x3B. */
function readGif(bytes: Buffer): Picture | undefined {
  if (bytes.length < 14 || !/^GIF8[79]a$/.test(bytes.toString("latin1", 0, 6))) return undefined;
  return {
    mediaType: "image/gif",
    width: bytes.readUInt16LE(6),
    height: bytes.readUInt16LE(8),
    complete: bytes.at(-1) === 0x3b,
  };
}

/** RFC 9649 §2: RIFF with its length, then VP8, VP8L or VP8X with the size. */
function readWebp(bytes: Buffer): Picture | undefined {
  if (bytes.length < 30 || bytes.toString("latin1", 0, 4) !== "RIFF") return undefined;
  if (bytes.toString("latin1", 8, 12) !== "WEBP") return undefined;
  const size = webpSize(bytes, bytes.toString("latin1", 12, 16));
  if (!size) return undefined;
  return { mediaType: "image/webp", ...size, complete: bytes.length >= bytes.readUInt32LE(4) + 8 };
}

function webpSize(bytes: Buffer, chunk: string): { width: number; height: number } | undefined {
  if (chunk === "VP8X") return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (chunk === "VP8 ") {
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  }
  if (chunk !== "VP8L") return undefined;
  const bits = bytes.readUInt32LE(21);
  return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
}

/** Start-of-frame markers: ITU-T T.81 table B.1, without DHT, JPG and DAC. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** ITU-T T.81 annex B: segments with their lengths until the frame header; EOI is FF D9. */
function readJpeg(bytes: Buffer): Picture | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    if (isFrame(marker)) {
      const complete = bytes.lastIndexOf(Buffer.from("ffd9", "hex")) > at;
      return {
        mediaType: "image/jpeg",
        height: bytes.readUInt16BE(at + 5),
        width: bytes.readUInt16BE(at + 7),
        complete,
      };
    }
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
